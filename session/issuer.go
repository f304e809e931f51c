package session

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/uuid"
	"github.com/sallyport-auth/sallyport/jws"
)

// The lifetimes that hold where a configuration says nothing.
const (
	defaultTokenLifetime   = 2 * time.Hour
	maxTokenLifetime       = 24 * time.Hour
	defaultSessionLifetime = 30 * 24 * time.Hour
	maxSessionLifetime     = 400 * 24 * time.Hour
	defaultRepeatWindow    = 10 * time.Second
	maxRepeatWindow        = time.Minute
)

// maxClientID is the most bytes of a client_id. RFC 6749 leaves the size to the server (section 2.2).
const maxClientID = 255

var (
	// ErrInvalidTarget is wrapped by the refusal of an audience that is not configured: invalid_target, RFC 8693 section 2.2.2.
	ErrInvalidTarget = errors.New("session: the audience is not one that sessions are issued for")
	// ErrInvalidScope is wrapped by the refusal of a scope that the identity token or the session does not have:
	// invalid_scope, RFC 6749 section 5.2.
	ErrInvalidScope = errors.New("session: a scope is wanted that the identity token or the session does not have")
	// ErrInvalidClient is wrapped by the refusal of a client_id that is missing, malformed or not the session's.
	ErrInvalidClient = errors.New("session: the client_id is missing or not the one expected")
)

// Audience is a backend that sessions are issued for.
type Audience struct {
	// Name is the aud of its tokens. Required.
	Name string
	// Secret makes its tokens HS256, for a backend that cannot verify with a JWK Set: who verifies can then mint as well.
	// At least 32 bytes, and no two audiences may share one. Nil, which is better, signs with the keyring.
	Secret []byte
	// InsecureSecret allows a secret under 32 bytes or one that ships as some product's default.
	InsecureSecret bool
}

// IssuerConfig configures an [Issuer]. Everything without a default is required.
type IssuerConfig struct {
	// Issuer is the iss of the tokens: the https URL of this service.
	Issuer string
	// Audiences are the backends that sessions are issued for.
	Audiences []Audience
	// Keys sign. Required unless every audience has a secret. Its token lifetime must not be the shorter one.
	Keys *Keyring
	// Ledger knows what is revoked. It must write to a store, because a replayed refresh token revokes its session, and keep
	// revocations for at least SessionLifetime.
	Ledger *Ledger
	// Families is the store of refresh families.
	Families Families
	// Identities verifies the identity tokens that are exchanged.
	Identities identity.Verifier
	// Realms are all realms that players come from. With one realm, a subject that is a UUID is the player's id.
	Realms []string
	// TokenLifetime is the lifetime of an access token. Default 2 h, from 1 s to 24 h.
	TokenLifetime time.Duration
	// SessionLifetime is how long a session can be refreshed before the player must sign in again. Default 30 days, from
	// TokenLifetime to 400 days.
	SessionLifetime time.Duration
	// RepeatWindow is how long the refresh token used last still gets the same answer, for clients that lost it. It is
	// judged by the store's time of the rotation and this node's clock; a node that is more than a minute behind the store
	// repeats nothing (Unavailable). Default 10 s, from 1 s to 1 min.
	RepeatWindow time.Duration
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
	// Rand is the source of secrets; nil is [rand.Reader].
	Rand io.Reader
}

// Issuer makes sessions from identities and keeps them alive. It is safe for concurrent use.
type Issuer struct {
	config    IssuerConfig
	audiences map[string]func() (*jws.Signer, error)
}

// NewIssuer makes an issuer. It returns an error that names the field that is missing or out of bounds.
func NewIssuer(config IssuerConfig) (*Issuer, error) {
	config.TokenLifetime = cmp.Or(config.TokenLifetime, defaultTokenLifetime)
	config.SessionLifetime = cmp.Or(config.SessionLifetime, defaultSessionLifetime)
	config.RepeatWindow = cmp.Or(config.RepeatWindow, defaultRepeatWindow)
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	config.Realms, config.Audiences = slices.Clone(config.Realms), slices.Clone(config.Audiences)
	if err := config.check(); err != nil {
		return nil, err
	}
	i := &Issuer{config: config, audiences: make(map[string]func() (*jws.Signer, error))}
	for _, a := range config.Audiences {
		if err := i.addAudience(a); err != nil {
			return nil, fmt.Errorf("session: IssuerConfig.Audiences: %q: %v", a.Name, err)
		}
	}
	return i, nil
}

func (c *IssuerConfig) check() error {
	switch {
	case c.Issuer == "":
		return errors.New("session: IssuerConfig.Issuer is missing: set the https URL of this service")
	case len(c.Audiences) == 0:
		return errors.New("session: IssuerConfig.Audiences is empty: name the backends that sessions are for")
	case c.Ledger == nil:
		return errors.New("session: IssuerConfig.Ledger is missing: without it no ban or sign-out would count")
	case c.Ledger.store == nil:
		return errors.New("session: IssuerConfig.Ledger follows a feed: set one with LedgerConfig.Store, which can revoke")
	case c.Families == nil:
		return errors.New("session: IssuerConfig.Families is missing: set a store, such as NewMemoryStore()")
	case c.Identities == nil:
		return errors.New("session: IssuerConfig.Identities is missing: set what verifies identity tokens")
	}
	return errors.Join(
		checkRealms("IssuerConfig.Realms", c.Realms),
		c.checkSecrets(),
		c.checkLifetimes(),
	)
}

func (c *IssuerConfig) checkLifetimes() error {
	if c.Keys != nil && c.Keys.tokenLifetime < c.TokenLifetime {
		return fmt.Errorf("session: IssuerConfig.TokenLifetime is %s, longer than the keyring's %s: set KeyringConfig.TokenLifetime", c.TokenLifetime, c.Keys.tokenLifetime)
	}
	if keep := c.Ledger.config.SessionLifetime; keep < c.SessionLifetime {
		return fmt.Errorf("session: IssuerConfig.SessionLifetime is %s, but the ledger forgets revoked sessions after %s: set LedgerConfig.SessionLifetime", c.SessionLifetime, keep)
	}
	return errors.Join(
		checkDuration("IssuerConfig.TokenLifetime", c.TokenLifetime, time.Second, maxTokenLifetime),
		checkDuration("IssuerConfig.SessionLifetime", c.SessionLifetime, c.TokenLifetime, maxSessionLifetime),
		checkDuration("IssuerConfig.RepeatWindow", c.RepeatWindow, time.Second, maxRepeatWindow),
	)
}

// checkSecrets refuses one secret for two audiences: either backend could mint for the other.
func (c *IssuerConfig) checkSecrets() error {
	for n, a := range c.Audiences {
		for _, b := range c.Audiences[:n] {
			if len(a.Secret) > 0 && string(a.Secret) == string(b.Secret) {
				return fmt.Errorf("session: IssuerConfig.Audiences: %q and %q have the same secret: give each its own", b.Name, a.Name)
			}
		}
	}
	return nil
}

func (i *Issuer) addAudience(a Audience) error {
	if a.Name == "" {
		return errors.New("the name is missing")
	}
	if i.audiences[a.Name] != nil {
		return errors.New("it is there twice")
	}
	if a.Secret == nil {
		if i.config.Keys == nil {
			return errors.New("set IssuerConfig.Keys, or a Secret for a backend that demands HS256")
		}
		i.audiences[a.Name] = i.config.Keys.Signer
		return nil
	}
	signer, err := secretSigner(a.Secret, a.InsecureSecret)
	if err != nil {
		return err
	}
	i.audiences[a.Name] = func() (*jws.Signer, error) { return signer, nil }
	return nil
}

func secretSigner(secret []byte, insecure bool) (*jws.Signer, error) {
	if insecure {
		return jws.InsecureSecretSigner("", secret)
	}
	if err := checkSecret(secret); err != nil {
		return nil, err
	}
	return jws.NewSecretSigner("", secret)
}

// ExchangeRequest is what a client sends to exchange an identity token (RFC 8693 section 2.1).
type ExchangeRequest struct {
	// SubjectToken is the identity token.
	SubjectToken string
	// Audience is the backend that the session is for. It may be empty if only one is configured.
	Audience string
	// ClientID is the game client's client_id, at most 255 printable ASCII characters. Empty takes the one that the
	// identity token was issued to. Every refresh must name the same.
	ClientID string
	// Scopes are wanted, at most those of the identity token. Empty takes all of them that RFC 6749 section 3.3 allows.
	Scopes []string
}

// Grant is an issued or refreshed session (RFC 6749 section 5.1).
type Grant struct {
	// AccessToken is the at+jwt (RFC 9068) for the backend.
	AccessToken string
	// RefreshToken is opaque, and good for one use.
	RefreshToken string
	// Session is what a verifier makes of the access token.
	Session *Session
	// ExpiresIn is the rest of the access token's life in whole seconds.
	ExpiresIn time.Duration
	// Audience is the backend.
	Audience string
	// Scopes were granted.
	Scopes []string
}

// Exchange makes a session of an identity token. It refuses with a [*jws.Refusal]: those of the identity verifier, Banned
// or Revoked where the player, their cut-off or the upstream session is, WrongAudience with [ErrInvalidTarget], and
// WrongClaim with [ErrInvalidScope] or WrongClient with [ErrInvalidClient]. Unavailable means that a store or the keys
// cannot be had; then nothing was made.
func (i *Issuer) Exchange(ctx context.Context, r ExchangeRequest) (*Grant, error) {
	audience, err := i.audience(r.Audience)
	if err != nil {
		return nil, err
	}
	id, err := i.admit(ctx, r.SubjectToken)
	if err != nil {
		return nil, err
	}
	f, err := i.newFamily(id, r, audience)
	if err != nil {
		return nil, err
	}
	// Minted first, so that a family is made only if its token can be.
	grant, err := i.grant(f)
	if err != nil {
		return nil, err
	}
	if err := i.config.Families.Create(ctx, f); err != nil {
		return nil, unavailable(err)
	}
	// Again: who was banned or signed out while the store was at work gets nothing.
	if err := i.config.Ledger.CheckIdentity(id); err != nil {
		return nil, err
	}
	return grant, nil
}

func (i *Issuer) audience(name string) (string, error) {
	if name == "" && len(i.config.Audiences) == 1 {
		return i.config.Audiences[0].Name, nil
	}
	if i.audiences[name] == nil {
		return "", &jws.Refusal{
			Check: jws.CheckIssuer, Reason: jws.WrongAudience, Claim: "audience",
			Want: "one of the configured audiences", Err: ErrInvalidTarget,
		}
	}
	return name, nil
}

// admit verifies an identity token and asks the ledger whether its player may have a new session.
func (i *Issuer) admit(ctx context.Context, token string) (*identity.Identity, error) {
	id, err := i.config.Identities.Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	if err := i.checkRealm(id.Player); err != nil {
		return nil, err
	}
	if err := i.config.Ledger.CheckNew(); err != nil {
		return nil, err
	}
	return id, i.config.Ledger.CheckIdentity(id)
}

func (i *Issuer) checkRealm(p identity.Player) error {
	if slices.Contains(i.config.Realms, p.Realm) {
		return nil
	}
	return &jws.Refusal{
		Check: jws.CheckPolicy, Reason: jws.WrongIssuer, Claim: "iss",
		Want: "a player of one of IssuerConfig.Realms", Verified: true,
	}
}

// newFamily makes the family that an identity is entitled to. It is not in the store yet.
func (i *Issuer) newFamily(id *identity.Identity, r ExchangeRequest, audience string) (Family, error) {
	scopes, err := grantedScopes(id.Scopes, r.Scopes)
	if err != nil {
		return Family{}, err
	}
	client := cmp.Or(r.ClientID, id.ClientID)
	if !isClientID(client) {
		return Family{}, &jws.Refusal{
			Check: jws.CheckPolicy, Reason: jws.WrongClient, Claim: "client_id",
			Want: "1 to 255 printable ASCII characters", Err: ErrInvalidClient,
		}
	}
	now := i.config.Now().UTC()
	f := Family{
		Secret: make([]byte, familySecretBytes), CreatedAt: now, Expires: now.Add(i.config.SessionLifetime),
		Player: id.Player, PlayerID: id.Player.ID(len(i.config.Realms) == 1),
		ClientID: client, Audience: []string{audience}, Username: id.Username,
		Groups: id.Groups, Scopes: scopes, Roles: id.Roles,
		Upstream: UpstreamOf(id), AuthTime: id.AuthTime, IdentityIssuedAt: id.IssuedAt,
	}
	if f.IdentityIssuedAt.IsZero() {
		f.IdentityIssuedAt = time.Unix(1, 0).UTC() // as early as a claim can say: before every cut-off, as with CheckIdentity
	}
	if f.ID, err = uuid.NewV7(now, i.config.Rand); err != nil {
		return Family{}, unavailable(err)
	}
	if _, err := io.ReadFull(i.config.Rand, f.Secret); err != nil {
		return Family{}, unavailable(err)
	}
	return f.Clone(), f.checkRevocable() // the identity's lists belong to everyone who verifies the token
}

// checkRevocable refuses an identity whose names no revocation could hold. What cannot be ended is not begun.
func (f *Family) checkRevocable() error {
	e := Event{ID: f.ID, Kind: SessionRevoked, Player: f.Player, Session: f.ID, Upstream: f.Upstream, Expires: f.Expires}
	if err := e.Validate(); err != nil || f.Player.Subject == "" {
		return &jws.Refusal{
			Check: jws.CheckPolicy, Reason: jws.WrongClaim, Claim: "sub",
			Want: "a subject and a session of at most 1024 bytes without control characters", Verified: true,
		}
	}
	return nil
}

// grantedScopes returns the wanted scopes, each once and in the token's order, or all.
func grantedScopes(have, want []string) ([]string, error) {
	have = slices.DeleteFunc(slices.Clone(have), func(scope string) bool { return !isScope(scope) })
	if len(want) == 0 {
		return have, nil
	}
	for _, scope := range want {
		if !slices.Contains(have, scope) {
			return nil, &jws.Refusal{
				Check: jws.CheckPolicy, Reason: jws.WrongClaim, Claim: "scope",
				Want: "a subset of the scopes that the identity token or the session has", Verified: true, Err: ErrInvalidScope,
			}
		}
	}
	var granted []string
	for _, scope := range have {
		if slices.Contains(want, scope) {
			granted = append(granted, scope)
		}
	}
	return granted, nil
}

// isScope holds a scope to RFC 6749 section 3.3. One with a space in it, which an issuer's array may have, would be two
// scopes in the session's scope claim.
func isScope(s string) bool {
	for n := range len(s) {
		if s[n] <= 0x20 || s[n] > 0x7e || s[n] == '"' || s[n] == '\\' {
			return false
		}
	}
	return s != ""
}

// isClientID holds a client_id to RFC 6749 appendix A.1: printable ASCII.
func isClientID(s string) bool {
	for n := range len(s) {
		if s[n] < 0x20 || s[n] > 0x7e {
			return false
		}
	}
	return s != "" && len(s) <= maxClientID
}

// checkRealms refuses a realm that is named twice, too: two realms where there is one would change every player's id.
func checkRealms(field string, realms []string) error {
	if len(realms) == 0 || slices.Contains(realms, "") {
		return fmt.Errorf("session: %s: name every realm that players come from", field)
	}
	if sorted := slices.Sorted(slices.Values(realms)); len(slices.Compact(sorted)) != len(realms) {
		return fmt.Errorf("session: %s: a realm is there twice: name each once", field)
	}
	return nil
}

func checkDuration(field string, d, least, most time.Duration) error {
	if d < least || d > most {
		return fmt.Errorf("session: %s is %s: set %s to %s", field, d, least, most)
	}
	return nil
}

// unavailable refuses because something that is needed cannot be had now.
func unavailable(err error) error {
	return &jws.Refusal{
		Check: jws.CheckRevocation, Reason: jws.Unavailable,
		Want: "the session store and the keyring at work", Err: err,
	}
}
