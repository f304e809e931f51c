package identity

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

const (
	// logoutEvent is the member of events that makes a token a logout token (OpenID Connect Back-Channel Logout 1.0
	// section 2.4).
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
	// logoutAge is how old a logout token may be, in seconds: its section 2.6 leaves the bound to the receiver.
	logoutAge = 120
	// logoutMemory is how long a jti is remembered: longer than the token can be accepted, which is logoutAge and the
	// 5 s by which iat may lie in the future.
	logoutMemory = 130 * time.Second
	// logoutEntries bounds the memory of jti values: two generations of this many, of 32 bytes each.
	logoutEntries = 32_768
)

// LogoutConfig says whose logout tokens are taken (OpenID Connect Back-Channel Logout 1.0). The zero value takes none.
type LogoutConfig struct {
	// ClientIDs are the client ids that logout tokens must be for: their aud is a client, also where the issuer's access
	// tokens are for an API. Empty means that Issuer.VerifyLogout refuses everything.
	ClientIDs []string
	// Untyped also takes logout tokens whose typ is absent or "JWT", from issuers older than the final specification.
	// Otherwise typ must be "logout+jwt" (section 2.4).
	Untyped bool
}

func (c LogoutConfig) verifier(keys jws.KeySource, algorithms []jws.Algorithm, iss issuerRule, now func() time.Time) (*jws.Verifier, error) {
	types := []string{"logout+jwt"}
	if c.Untyped {
		types = append(types, "JWT", "")
	}
	return jws.NewVerifier(jws.Config{
		Keys: keys, Algorithms: algorithms, Types: types, Now: now,
		Accept: all(iss.check, audience(c.ClientIDs...), isLogout, fresh(now)),
	})
}

// isLogout is section 2.6, steps 4 to 7.
func isLogout(t *jws.Token) error {
	events, _ := t.Claims.Object("events")
	if _, ok := events.Object(logoutEvent); !ok {
		return missing(t, "events", "an object with the member "+logoutEvent)
	}
	if t.Claims.Has("nonce") {
		return t.Refuse(jws.CheckPolicy, jws.WrongUse, "nonce", "a logout token, which has no nonce", "")
	}
	if text(t.Claims, "sub") == "" && text(t.Claims, "sid") == "" {
		return missing(t, "sub", "sub or sid")
	}
	if text(t.Claims, "jti") == "" {
		return missing(t, "jti", "an id, so that the token can be taken once")
	}
	return nil
}

// fresh requires an iat of the last two minutes. That it is not in the future was checked before.
func fresh(now func() time.Time) check {
	return func(t *jws.Token) error {
		if t.IssuedAt == 0 {
			return missing(t, "iat", "the time of the logout")
		}
		if now().Unix()-t.IssuedAt > logoutAge {
			return t.Refuse(jws.CheckTime, jws.Expired, "iat", "at most 120 s ago", at(t.IssuedAt).Format(time.RFC3339))
		}
		return nil
	}
}

// VerifyLogout verifies a logout token as OpenID Connect Back-Channel Logout 1.0 section 2.6 says and returns what
// ended. Errors are *jws.Refusal. Once the sign-out is carried out, tell LogoutTaken: the same token is then refused
// with jws.Replayed. Until then it is accepted again, because an issuer whose sign-out failed sends it again.
func (i *Issuer) VerifyLogout(ctx context.Context, logoutToken string) (*SignOut, error) {
	_, s, err := pick(logoutToken, i.want, i)
	if err != nil {
		return nil, err
	}
	return i.verifyLogout(ctx, s, logoutToken)
}

func (i *Issuer) verifyLogout(ctx context.Context, s *source, logoutToken string) (*SignOut, error) {
	if s.logout == nil {
		return nil, &jws.Refusal{Check: jws.CheckPolicy, Reason: jws.WrongUse, Want: "an issuer whose Logout.ClientIDs is set"}
	}
	t, err := s.logout.Verify(ctx, logoutToken)
	if err != nil {
		return nil, err
	}
	id := text(t.Claims, "jti")
	if i.logouts.has(id) {
		return nil, t.Refuse(jws.CheckRevocation, jws.Replayed, "jti", "a logout token that was not used before", id)
	}
	session := text(t.Claims, "sid")
	return &SignOut{
		Issuer: text(t.Claims, "iss"), Player: Player{Realm: i.realm, Subject: text(t.Claims, "sub")},
		Session: session, All: session == "", TokenID: id, At: at(t.IssuedAt),
	}, nil
}

// LogoutTaken notes that what VerifyLogout returned was carried out, so that its token is refused from now on. That
// memory is the process's own and bounded; past 32,768 sign-outs in 130 s the oldest are forgotten first, because a
// sign-out that is refused does more harm than one that is repeated.
func (i *Issuer) LogoutTaken(out *SignOut) { i.logouts.remember(out.TokenID, i.now()) }

// LogoutTaken is Issuer.LogoutTaken of the issuer that the sign-out is from.
func (s *Issuers) LogoutTaken(out *SignOut) {
	for _, i := range s.issuers {
		if i.source(out.Issuer) != nil {
			i.LogoutTaken(out)
			return
		}
	}
}

// memory remembers ids for at least logoutMemory, unless more than logoutEntries come within it.
type memory struct {
	mu       sync.Mutex
	turned   time.Time
	new, old map[[sha256.Size]byte]struct{}
}

func newMemory() *memory { return &memory{} }

// has says whether the id is remembered.
func (m *memory) has(id string) bool {
	key := sha256.Sum256([]byte(id))
	m.mu.Lock()
	defer m.mu.Unlock()
	_, inNew := m.new[key]
	_, inOld := m.old[key]
	return inNew || inOld
}

// remember notes the id. Ids are kept as digests, so that long ones cost no more.
func (m *memory) remember(id string, now time.Time) {
	key := sha256.Sum256([]byte(id))
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.new == nil || now.Sub(m.turned) >= logoutMemory || len(m.new) >= logoutEntries {
		m.new, m.old, m.turned = make(map[[sha256.Size]byte]struct{}), m.new, now
	}
	m.new[key] = struct{}{}
}
