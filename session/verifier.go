package session

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/uuid"
	"github.com/sallyport-auth/sallyport/jws"
)

// defaultCacheEntries is how many verdicts a verifier keeps.
const defaultCacheEntries = 10_000

// VerifierConfig configures a [Verifier] of our own access tokens. Everything without a default is required.
type VerifierConfig struct {
	// Issuer is the iss: [IssuerConfig.Issuer].
	Issuer string
	// Audience is the name of the backend that this verifier stands before. Tokens for others are refused.
	Audience string
	// Keys are the issuer's: the [*Keyring] in the same process, elsewhere a key source that fetches its JWK Set.
	Keys jws.KeySource
	// Algorithms are accepted. Default EdDSA, ES256 and RS256; an audience with a secret of its own names HS256 alone.
	Algorithms []jws.Algorithm
	// Realms are those that players may come from.
	Realms []string
	// Ledger knows what is revoked. Required unless InsecureNoLedger.
	Ledger *Ledger
	// InsecureNoLedger verifies without a ledger: revoked sessions and banned players pass until their token expires.
	InsecureNoLedger bool
	// CacheEntries is how many verdicts are kept, each from the second time on that its token was accepted. Default 10,000,
	// a quarter of a kilobyte each and its session; negative keeps none.
	CacheEntries int
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
}

// Verifier verifies session tokens: our own ([NewVerifier]) or Nakama's ([NewNakamaVerifier]). It makes no network call
// besides those of its key source, and asks the ledger on every call, also when it has seen the token before. It is safe
// for concurrent use.
type Verifier struct {
	jws     *jws.Verifier
	cache   *jws.Cache[Session] // nil keeps no verdicts
	ledger  *Ledger             // nil where InsecureNoLedger
	now     func() time.Time
	session func(*jws.Token) (*Session, error)
	current func(*Session) bool // whether what a verdict rests on besides the token is still so; nil is yes
}

// NewVerifier makes a verifier of our own access tokens, as RFC 9068 section 4 wants it. It returns an error that
// names the field that is missing.
func NewVerifier(config VerifierConfig) (*Verifier, error) {
	switch {
	case config.Issuer == "":
		return nil, errors.New("session: VerifierConfig.Issuer is missing: set the iss of the tokens")
	case config.Audience == "":
		return nil, errors.New("session: VerifierConfig.Audience is missing: set the name of the backend")
	case config.Keys == nil:
		return nil, errors.New("session: VerifierConfig.Keys is missing: set the keyring or a source of its JWK Set")
	}
	config.Realms = slices.Clone(config.Realms)
	if err := checkRealms("VerifierConfig.Realms", config.Realms); err != nil {
		return nil, err
	}
	if len(config.Algorithms) == 0 {
		config.Algorithms = []jws.Algorithm{jws.EdDSA, jws.ES256, jws.RS256}
	}
	if slices.Contains(config.Algorithms, jws.HS256) && len(config.Algorithms) > 1 {
		return nil, errors.New("session: VerifierConfig.Algorithms: HS256 goes with no other: verify the audience with a secret by a verifier of its own")
	}
	v, err := newVerifier("VerifierConfig", config.Ledger, config.InsecureNoLedger, config.CacheEntries, config.Now)
	if err != nil {
		return nil, err
	}
	v.session = accessSession
	v.jws, err = jws.NewVerifier(jws.Config{
		Keys: config.Keys, Algorithms: config.Algorithms, Types: []string{accessTokenType},
		Accept: config.accept, Now: v.now,
	})
	if err != nil {
		return nil, fmt.Errorf("session: VerifierConfig: %w", err)
	}
	return v, nil
}

// newVerifier makes what both kinds of verifiers have in common.
func newVerifier(config string, ledger *Ledger, noLedger bool, entries int, now func() time.Time) (*Verifier, error) {
	if (ledger == nil) != noLedger {
		return nil, fmt.Errorf("session: %s.Ledger: set a ledger or, to let revoked sessions pass, InsecureNoLedger, and not both", config)
	}
	v := &Verifier{ledger: ledger, now: now}
	if v.now == nil {
		v.now = time.Now
	}
	if entries == 0 {
		entries = defaultCacheEntries
	}
	if entries > 0 {
		v.cache = jws.NewCache[Session](entries)
	}
	return v, nil
}

// accept holds a token to RFC 9068 sections 2.2 and 4; its remaining claims are read by accessSession.
func (c VerifierConfig) accept(t *jws.Token) error {
	if err := t.RequireIssuer(c.Issuer); err != nil {
		return err
	}
	if err := t.RequireAudience(c.Audience); err != nil {
		return err
	}
	return t.RequireString("realm", c.Realms...)
}

// Verify says whose session a token is. It refuses with a [*jws.Refusal]: see package jws for the checks of the token,
// then Revoked, Banned, or Unavailable if the ledger cannot answer. The session is shared between callers.
func (v *Verifier) Verify(ctx context.Context, token string) (*Session, error) {
	s, err := v.verify(ctx, token)
	if err != nil {
		return nil, err
	}
	if v.ledger != nil {
		if err := v.ledger.CheckSession(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Signed is Verify without the question to the ledger: whose session a token is also if that is revoked, if its player is
// banned, or if the ledger cannot answer. It is for who ends the session all the same. Let nobody in by it.
func (v *Verifier) Signed(ctx context.Context, token string) (*Session, error) {
	return v.verify(ctx, token)
}

func (v *Verifier) verify(ctx context.Context, token string) (*Session, error) {
	if v.cache != nil {
		if s, ok := v.cache.Get(token, v.now()); ok && (v.current == nil || v.current(s)) {
			return s, nil
		}
	}
	t, err := v.jws.Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	s, err := v.session(t)
	if err != nil {
		return nil, err
	}
	if v.cache != nil {
		v.cache.Put(token, t, s)
	}
	return s, nil
}

// VerifyFor says whether a user id and a token belong together: it verifies the token and refuses with [jws.WrongUser]
// unless userID is the session's UserID or PlayerID. A UUID may be in upper case.
func (v *Verifier) VerifyFor(ctx context.Context, userID, token string) (*Session, error) {
	s, err := v.Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	if id, ok := uuid.Canonical(userID); ok {
		userID = id
	}
	if !sameID(s.UserID, userID) && !sameID(s.PlayerID, userID) {
		return nil, &jws.Refusal{
			Check: jws.CheckPolicy, Reason: jws.WrongUser,
			Want: "a token of the user that was named", Verified: true,
		}
	}
	return s, nil
}

// sameID compares in constant time. No id is the empty one.
func sameID(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// accessSession reads the claims of an access token whose issuer and audience are right. Those that RFC 9068 section 2.2
// requires must be there, and so must the ones that revocations are keyed by.
func accessSession(t *jws.Token) (*Session, error) {
	c := claimReader{object: t.Claims}
	s := &Session{
		Player:   identity.Player{Realm: c.required("realm"), Subject: c.required("idp_sub")},
		PlayerID: c.uuid("sub"),
		ID:       c.uuid("sid"),
		TokenID:  c.required("jti"),
		Issuer:   c.required("iss"),
		ClientID: c.required("client_id"),
		Audience: c.strings("aud"),
		Username: c.optional("username"),
		Groups:   c.strings("groups"),
		Scopes:   strings.Fields(c.optional("scope")),
		Roles:    c.strings("roles"),
		Upstream: c.optional("upstream"),
		IssuedAt: c.time("iat"),
		Expiry:   time.Unix(t.Expiry, 0).UTC(),
		Claims:   t.Claims,
	}
	s.UserID = s.PlayerID
	if s.IssuedAt.IsZero() {
		c.fail(jws.MissingClaim, "iat", "the time of issue")
	}
	if t.Claims.Has("auth_time") {
		s.AuthTime = c.time("auth_time")
	}
	s.IdentityIssuedAt = c.time("idp_iat")
	started, ok := uuid.TimeOfV7(s.ID)
	if !ok {
		c.fail(jws.WrongClaim, "sid", "a UUID version 7")
	}
	s.Started = started
	if c.err != nil {
		return nil, c.err
	}
	return s, nil
}

// claimReader reads claims of a verified token and keeps the first refusal.
type claimReader struct {
	object jws.Object
	err    *jws.Refusal
}

func (c *claimReader) fail(reason jws.Reason, claim, want string) {
	if c.err == nil {
		c.err = &jws.Refusal{Check: jws.CheckPolicy, Reason: reason, Claim: claim, Want: want, Verified: true}
	}
}

// required reads a string that must be there and not be empty.
func (c *claimReader) required(claim string) string {
	s, ok := c.object.String(claim)
	switch {
	case !c.object.Has(claim):
		c.fail(jws.MissingClaim, claim, "a string")
	case !ok || s == "":
		c.fail(jws.WrongClaim, claim, "a string that is not empty")
	}
	return s
}

func (c *claimReader) optional(claim string) string {
	s, ok := c.object.String(claim)
	if !ok && c.object.Has(claim) {
		c.fail(jws.WrongClaim, claim, "a string")
	}
	return s
}

func (c *claimReader) strings(claim string) []string {
	list, ok := c.object.Strings(claim)
	if !ok && c.object.Has(claim) {
		c.fail(jws.WrongClaim, claim, "an array of strings")
	}
	return list
}

// uuid reads a UUID in its canonical spelling: revocations name it, and would miss another one.
func (c *claimReader) uuid(claim string) string {
	s := c.required(claim)
	id, ok := uuid.Canonical(s)
	if !ok {
		c.fail(jws.WrongClaim, claim, "a UUID of 36 characters (RFC 9562 section 4)")
	}
	return id
}

// time reads a NumericDate in whole seconds (RFC 7519 section 2). Zero is no time that a token can have.
func (c *claimReader) time(claim string) time.Time {
	seconds, ok := c.object.Int64(claim)
	switch {
	case !c.object.Has(claim):
		return time.Time{}
	case !ok || seconds <= 0:
		c.fail(jws.WrongClaim, claim, "a time in seconds since 1970")
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
