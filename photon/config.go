package photon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// SessionVerifier verifies a game session token. *session.Verifier implements it. Errors are *jws.Refusal.
type SessionVerifier interface {
	Verify(ctx context.Context, token string) (*session.Session, error)
}

// IdentityChecker says whether a verified identity is revoked or banned. *session.Ledger implements it. Errors are
// *jws.Refusal.
type IdentityChecker interface {
	CheckIdentity(id *identity.Identity) error
}

// UserIDForm says what Photon's UserId is made of.
type UserIDForm string

const (
	// PlayerID is the player's stable UUID: Session.PlayerID, or Player.ID of an identity.
	PlayerID UserIDForm = "player_id"
	// BackendUserID is the backend's own id: Session.UserID, Nakama's users.id. Only for sessions.
	BackendUserID UserIDForm = "backend_user_id"
	// Subject is the issuer's subject as it is. Only with SingleRealm, because two realms may have the same.
	Subject UserIDForm = "subject"
)

const (
	defaultSecretName = "secret"
	defaultTokenName  = "token"
	defaultMaxBytes   = 32 << 10
	defaultTimeout    = 5 * time.Second
	maxTimeout        = 20 * time.Second
	minSecretBytes    = 16
)

// Config says which tokens pass and how Photon proves that it is Photon.
type Config struct {
	// Sessions verifies game session tokens. At least one of Sessions and Identities is required. With both, a token
	// is tried as a session's first, and as an identity's unless its signature was a session's; keys of sessions that
	// are fetched (jwks) are then asked for once in 30 s for each kid of the issuer's.
	Sessions SessionVerifier
	// Identities verifies identity tokens: the player comes straight from the issuer, without a game session.
	Identities identity.Verifier
	// Revocations is asked about each verified identity: a *session.Ledger. Required with Identities, unless
	// InsecureNoRevocations is set; an identity token alone does not know that its player was banned.
	Revocations IdentityChecker
	// InsecureNoRevocations lets identity tokens in until they expire, though their player was banned or signed out.
	InsecureNoRevocations bool

	// Secrets are the accepted values of the dashboard's secret pair: one, or several while it changes. Required:
	// Photon signs nothing, so the pair alone tells its servers from anybody else. Each has at least 16 characters,
	// of A–Z a–z 0–9 - . _ ~ only, because the dashboard's values travel in a query.
	Secrets []string
	// SecretName is the pair's key. Default "secret".
	SecretName string
	// InsecureNoSecret lets anybody ask, who then learns whether a token is good and whose it is. For a secret path,
	// or a network that only Photon's servers reach.
	InsecureNoSecret bool

	// TokenName is the parameter that holds the token. Default "token".
	TokenName string
	// UserID says what UserId is made of. Default PlayerID.
	UserID UserIDForm
	// SingleRealm says that no other realm exists: it is handed to identity.Player.ID, and must be the same as
	// wherever else ids are made.
	SingleRealm bool
	// NoNickname leaves the Nickname out. Without it, Nickname is the verified username, cut to 64 bytes, unless it
	// has an "@" in it: players see each other's nicknames, and an address is nobody else's business.
	NoNickname bool

	// MaxBytes bounds the request's body. Default 32 KiB.
	MaxBytes int64
	// Timeout bounds a verification. Default 5 s. Photon gives up after 30 s at the latest, takes that for an outage and
	// may let players in unasked, so 20 s is the most.
	Timeout time.Duration
	// OnResult is told of every answer after it was written, for logs and metrics. Default none.
	OnResult func(ctx context.Context, result Result)
}

// String is the configuration without its secrets.
func (c Config) String() string {
	type plain Config
	hidden := plain(c)
	hidden.Secrets = nil
	return fmt.Sprintf("%+v, %d secrets", hidden, len(c.Secrets))
}

// GoString is String.
func (c Config) GoString() string { return c.String() }

func (c Config) withDefaults() Config {
	if c.SecretName == "" {
		c.SecretName = defaultSecretName
	}
	if c.TokenName == "" {
		c.TokenName = defaultTokenName
	}
	if c.UserID == "" {
		c.UserID = PlayerID
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultMaxBytes
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.OnResult == nil {
		c.OnResult = func(context.Context, Result) {}
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Sessions == nil && c.Identities == nil:
		return errors.New("photon: neither Config.Sessions nor Config.Identities is set: say which tokens pass")
	case c.Identities != nil && c.Revocations == nil && !c.InsecureNoRevocations:
		return errors.New("photon: Config.Revocations is not set: give a *session.Ledger, or set InsecureNoRevocations")
	case c.Identities == nil && c.Revocations != nil:
		return errors.New("photon: Config.Revocations is for identities: the session verifier has a ledger of its own")
	case c.Revocations != nil && c.InsecureNoRevocations:
		return errors.New("photon: Config.Revocations and Config.InsecureNoRevocations are both set: leave one out")
	case !isUnreserved(c.TokenName) || !isUnreserved(c.SecretName):
		return errors.New("photon: Config.TokenName and Config.SecretName may have only A–Z a–z 0–9 - . _ ~")
	case sameName(c.TokenName, c.SecretName):
		return errors.New("photon: Config.TokenName and Config.SecretName are the same")
	case c.MaxBytes < 0 || c.Timeout < 0:
		return errors.New("photon: Config.MaxBytes or Config.Timeout is negative: leave it 0 for its default")
	case c.Timeout > maxTimeout:
		return fmt.Errorf("photon: Config.Timeout is %v: Photon does not wait so long, set at most %v", c.Timeout, maxTimeout)
	}
	if err := c.validateUserID(); err != nil {
		return err
	}
	return c.validateSecrets()
}

func (c Config) validateUserID() error {
	switch {
	case c.UserID == BackendUserID && c.Identities != nil:
		return errors.New("photon: Config.UserID is BackendUserID, which identities do not have: use PlayerID")
	case c.UserID == Subject && !c.SingleRealm:
		return errors.New("photon: Config.UserID is Subject without Config.SingleRealm: two realms could share an id")
	case c.UserID != PlayerID && c.UserID != BackendUserID && c.UserID != Subject:
		return fmt.Errorf("photon: Config.UserID %q is not known: use PlayerID, BackendUserID or Subject", c.UserID)
	}
	return nil
}

func (c Config) validateSecrets() error {
	switch {
	case len(c.Secrets) == 0 && !c.InsecureNoSecret:
		return errors.New("photon: Config.Secrets is empty: set the dashboard's secret, or InsecureNoSecret")
	case len(c.Secrets) != 0 && c.InsecureNoSecret:
		return errors.New("photon: Config.Secrets and Config.InsecureNoSecret are both set: leave one out")
	}
	for i, secret := range c.Secrets {
		if len(secret) < minSecretBytes || !isUnreserved(secret) {
			return fmt.Errorf("photon: Config.Secrets[%d] wants at least %d characters of A–Z a–z 0–9 - . _ ~", i, minSecretBytes)
		}
	}
	return nil
}

// isUnreserved says whether text needs no escaping in a query (RFC 3986 section 2.3) and is not empty.
func isUnreserved(text string) bool {
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~':
		default:
			return false
		}
	}
	return text != ""
}
