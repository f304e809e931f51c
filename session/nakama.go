package session

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
)

// AliasPolicy says what becomes of a Nakama session whose user id the ledger cannot lead to a player.
type AliasPolicy string

const (
	// AliasRequired refuses it. It is right where every login runs through the edge or the plugin, which teach the
	// ledger who is who: a ban of the player then holds for every session.
	AliasRequired AliasPolicy = "required"
	// AliasOptional lets it pass as the player whose subject is the user id. A ban by the identity provider's subject
	// does not reach such a session before the alias is known; one by the user id counts before and after.
	AliasOptional AliasPolicy = "optional"
)

// maxNakamaKeys is how many keys are tried on a token, which names none.
const maxNakamaKeys = 3

// minSecretBytes is the least size of an HS256 key: that of the hash, RFC 7518 section 3.2.
const minSecretBytes = 32

// knownSecrets are the values that Nakama ships for its keys. Everybody knows them.
// https://heroiclabs.com/docs/nakama/getting-started/configuration/
var knownSecrets = []string{
	"defaultencryptionkey", "defaultrefreshencryptionkey", "defaultsigningkey", "defaulthttpkey", "defaultkey",
}

// NakamaConfig configures a [Verifier] of Nakama's session tokens. Everything without a default is required.
type NakamaConfig struct {
	// Realm is the realm of players whom no alias leads to, see Aliases.
	Realm string
	// Realms are all realms that players come from. Default is Realm alone. It decides, as [IssuerConfig.Realms] does,
	// what a player's id is.
	Realms []string
	// Keys are the values of Nakama's session.encryption_key: the present one and, while it is replaced, former ones.
	// One to three, each at least 32 bytes and none of Nakama's defaults.
	Keys [][]byte
	// RefreshKeys are the values of session.refresh_encryption_key, if known. They verify nothing: a key that is in both
	// lists is an error, because nothing but the key tells Nakama's refresh tokens from its session tokens.
	RefreshKeys [][]byte
	// InsecureKeys allows keys that are shorter or Nakama's defaults. Anyone can then make a token for any player.
	InsecureKeys bool
	// Aliases decides about user ids that the ledger does not know.
	Aliases AliasPolicy
	// Ledger knows what is revoked and who is who. Required unless InsecureNoLedger.
	Ledger *Ledger
	// InsecureNoLedger verifies without a ledger: revoked sessions and banned players pass until their token expires.
	InsecureNoLedger bool
	// CacheEntries is how many verdicts are kept. Default 10,000; negative keeps none.
	CacheEntries int
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
}

// NewNakamaVerifier makes a verifier of the session tokens that Nakama mints (HS256; tid, uid, usn, vrs, exp and, since
// 3.25, iat). Such a token has no issuer and no audience, so its key is all that binds it to one Nakama. What Nakama's own
// logout ends, Nakama alone knows, unless the edge or the plugin tells the ledger.
//
// The error names the field that is missing or unsafe, and never shows a key.
func NewNakamaVerifier(config NakamaConfig) (*Verifier, error) {
	config.Realms = slices.Clone(config.Realms)
	if len(config.Realms) == 0 {
		config.Realms = []string{config.Realm}
	}
	if err := config.check(); err != nil {
		return nil, err
	}
	keys, err := config.keys()
	if err != nil {
		return nil, err
	}
	v, err := newVerifier("NakamaConfig", config.Ledger, config.InsecureNoLedger, config.CacheEntries, config.Now)
	if err != nil {
		return nil, err
	}
	v.session = config.session
	v.current = func(s *Session) bool { return config.player(s.UserID) == s.Player }
	v.jws, err = jws.NewVerifier(jws.Config{
		Keys: keys, Algorithms: []jws.Algorithm{jws.HS256}, Types: []string{"JWT"},
		Accept: jws.AcceptAnyClaims, // config.session checks them
		Now:    v.now,
	})
	if err != nil {
		return nil, fmt.Errorf("session: NakamaConfig: %w", err)
	}
	return v, nil
}

func (c *NakamaConfig) check() error {
	switch {
	case c.Realm == "":
		return errors.New("session: NakamaConfig.Realm is missing: name the realm of players")
	case !slices.Contains(c.Realms, c.Realm):
		return errors.New("session: NakamaConfig.Realms must contain Realm")
	case len(c.Keys) == 0 || len(c.Keys) > maxNakamaKeys:
		return fmt.Errorf("session: NakamaConfig.Keys: set session.encryption_key, 1 to %d values", maxNakamaKeys)
	case c.Aliases != AliasRequired && c.Aliases != AliasOptional:
		return fmt.Errorf("session: NakamaConfig.Aliases: decide between %q and %q", AliasRequired, AliasOptional)
	case c.Aliases == AliasRequired && c.Ledger == nil:
		return fmt.Errorf("session: NakamaConfig.Ledger is missing: with Aliases %q it must tell who is who", AliasRequired)
	}
	for _, refresh := range c.RefreshKeys {
		if slices.ContainsFunc(c.Keys, func(key []byte) bool { return bytes.Equal(key, refresh) }) {
			return errors.New("session: NakamaConfig: a key is both in Keys and in RefreshKeys: set session.refresh_encryption_key to another value, or refresh tokens pass as session tokens")
		}
	}
	return checkRealms("NakamaConfig.Realms", c.Realms)
}

func (c *NakamaConfig) keys() (jws.StaticKeys, error) {
	keys := make(jws.StaticKeys, 0, len(c.Keys))
	for n, secret := range c.Keys {
		key, err := secretKey(secret, c.InsecureKeys)
		if err != nil {
			return nil, fmt.Errorf("session: NakamaConfig.Keys[%d]: %v", n, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func secretKey(secret []byte, insecure bool) (*jws.Key, error) {
	if insecure {
		return jws.InsecureSecretKey("", secret)
	}
	if err := checkSecret(secret); err != nil {
		return nil, err
	}
	return jws.NewSecretKey("", secret)
}

// checkSecret refuses a secret that can be guessed.
func checkSecret(secret []byte) error {
	switch {
	case slices.Contains(knownSecrets, string(secret)):
		return errors.New("the secret is one of Nakama's defaults, which everybody knows: set 32 random bytes")
	case len(secret) < minSecretBytes:
		return fmt.Errorf("the secret has %d bytes: set at least %d random ones", len(secret), minSecretBytes)
	}
	return nil
}

// session reads the claims of a Nakama token. Nakama leaves out what is empty.
func (c *NakamaConfig) session(t *jws.Token) (*Session, error) {
	r := claimReader{object: t.Claims}
	s := &Session{
		UserID:   r.uuid("uid"),
		ID:       r.uuid("tid"),
		Username: r.optional("usn"),
		IssuedAt: r.time("iat"),
		Expiry:   time.Unix(t.Expiry, 0).UTC(),
		Claims:   t.Claims,

		userRealm: c.Realm,
	}
	var ok bool
	if s.Vars, ok = t.Claims.StringMap("vrs"); !ok && t.Claims.Has("vrs") {
		r.fail(jws.WrongClaim, "vrs", "an object of strings")
	}
	// A refresh keeps tid and iat, so iat is when the session was made.
	s.Started = s.IssuedAt
	if r.err != nil {
		return nil, r.err
	}
	if s.Player = c.player(s.UserID); s.Player == (identity.Player{}) {
		return nil, c.refuseUnknown(s)
	}
	s.PlayerID = s.Player.ID(len(c.Realms) == 1)
	return s, nil
}

// refuseUnknown refuses a user id without a player. A ledger that cannot answer, which knows no alias either, says so.
func (c *NakamaConfig) refuseUnknown(s *Session) error {
	if err := c.Ledger.CheckSession(s); err != nil {
		return err
	}
	return &jws.Refusal{
		Check: jws.CheckPolicy, Reason: jws.WrongClaim, Claim: "uid",
		Want: "the user id of a player of the configured realms that the ledger knows by this alias", Verified: true,
	}
}

// player returns who a user id is, the zero Player if that is not known but must be. A player of a realm that is not
// configured is nobody here.
func (c *NakamaConfig) player(userID string) identity.Player {
	if c.Ledger != nil {
		if p, ok := c.Ledger.playerOf(userID); ok {
			if !slices.Contains(c.Realms, p.Realm) {
				return identity.Player{}
			}
			return p
		}
	}
	if c.Aliases == AliasRequired {
		return identity.Player{}
	}
	return identity.Player{Realm: c.Realm, Subject: userID}
}
