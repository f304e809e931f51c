package session_test

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

func TestVerifyCountsEveryRevocationOnAHit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		revoke func(*world, *session.Session) error
		reason jws.Reason
	}{
		"session": {func(w *world, s *session.Session) error { return w.ledger.RevokeSession(t.Context(), s, "test") }, jws.Revoked},
		"cut-off": {func(w *world, s *session.Session) error { return w.ledger.CutOff(t.Context(), s.Player, "test") }, jws.Revoked},
		"ban": {func(w *world, s *session.Session) error {
			return w.ledger.Ban(t.Context(), s.Player, "test", time.Time{})
		}, jws.Banned},
		"upstream": {func(w *world, s *session.Session) error {
			return w.ledger.RevokeUpstream(t.Context(), s.Player.Realm, s.Upstream, "test")
		}, jws.Revoked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			g := w.signIn(t)
			w.verifies(t, g.AccessToken)
			if err := c.revoke(w, g.Session); err != nil {
				t.Fatal(err)
			}
			_, err := w.verifier.Verify(t.Context(), g.AccessToken)
			wantReason(t, err, c.reason)
		})
	}
}

func TestVerifyExpiresOnAHit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.signIn(t)
	w.clock.Advance(g.ExpiresIn - time.Nanosecond)
	w.verifies(t, g.AccessToken)
	w.clock.Advance(time.Nanosecond)
	_, err := w.verifier.Verify(t.Context(), g.AccessToken)
	wantReason(t, err, jws.Expired)
}

func TestVerifyBeforeTheLedgerIsLoaded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.signIn(t)
	config := w.verifierConfig()
	config.Ledger = w.newLedger(t)
	_, err := must(session.NewVerifier(config)).Verify(t.Context(), g.AccessToken)
	wantReason(t, err, jws.Unavailable)
}

func TestVerifyWithoutALedgerIsLoud(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.signIn(t)
	if err := w.ledger.RevokeSession(t.Context(), g.Session, "test"); err != nil {
		t.Fatal(err)
	}
	config := w.verifierConfig()
	config.Ledger, config.InsecureNoLedger = nil, true
	if _, err := must(session.NewVerifier(config)).Verify(t.Context(), g.AccessToken); err != nil {
		t.Errorf("got %v: that is what InsecureNoLedger is for", err)
	}
}

func TestVerifyWithoutACache(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config := w.verifierConfig()
	config.CacheEntries = -1
	w.verifier = must(session.NewVerifier(config))
	token := w.signIn(t).AccessToken
	w.verifies(t, token)
	a, b := must(w.verifier.Verify(t.Context(), token)), must(w.verifier.Verify(t.Context(), token))
	if a == b {
		t.Error("a verdict was kept")
	}
}

func TestVerifyHitAllocatesNothing(t *testing.T) {
	w := newWorld(t)
	access := w.signIn(t).AccessToken
	nakama := must(session.NewNakamaVerifier(w.nakamaConfig()))
	nakamaToken := signNakama(t, "nakama-1", nakamaClaims())
	for name, c := range map[string]struct {
		v     *session.Verifier
		token string
	}{"access": {w.verifier, access}, "nakama": {nakama, nakamaToken}} {
		if _, err := c.v.Verify(t.Context(), c.token); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		ctx := t.Context()
		if n := testing.AllocsPerRun(5000, func() {
			if _, err := c.v.Verify(ctx, c.token); err != nil {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("%s: a hit takes %v allocations, want 0", name, n)
		}
	}
}

func TestVerifyFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.signIn(t).AccessToken
	for userID, reason := range map[string]jws.Reason{
		worldSubject:                           "",
		strings.ToUpper(worldSubject):          "",
		"":                                     jws.WrongUser,
		"alice":                                jws.WrongUser,
		worldSubject[1:]:                       jws.WrongUser,
		"{" + worldSubject + "}":               jws.WrongUser,
		"0b7c1f3e-6f0a-4a43-9d5b-6f1f0e5f2a12": jws.WrongUser,
	} {
		s, err := w.verifier.VerifyFor(t.Context(), userID, token)
		if jws.ReasonOf(err) != reason || (s != nil) != (reason == "") {
			t.Errorf("VerifyFor(%q) = %v, %v; want reason %q", userID, s, err, reason)
		}
		if err != nil && userID != "" && strings.Contains(err.Error(), userID) {
			t.Errorf("%v repeats what the caller sent", err)
		}
	}
	_, err := w.verifier.VerifyFor(t.Context(), worldSubject, token+"x")
	if err == nil || errors.Is(err, jws.WrongUser) {
		t.Errorf("a bad token: %v", err)
	}
}

func TestVerifierConfigIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for text, edit := range map[string]func(*session.VerifierConfig){
		"Issuer is missing":   func(c *session.VerifierConfig) { c.Issuer = "" },
		"Audience is missing": func(c *session.VerifierConfig) { c.Audience = "" },
		"Keys is missing":     func(c *session.VerifierConfig) { c.Keys = nil },
		"Realms":              func(c *session.VerifierConfig) { c.Realms = []string{""} },
		"Ledger: set":         func(c *session.VerifierConfig) { c.Ledger = nil },
		"and not both":        func(c *session.VerifierConfig) { c.InsecureNoLedger = true },
		"HS256 goes with":     func(c *session.VerifierConfig) { c.Algorithms = []jws.Algorithm{jws.HS256, jws.EdDSA} },
		"Config.Algorithms":   func(c *session.VerifierConfig) { c.Algorithms = []jws.Algorithm{"none"} },
	} {
		config := w.verifierConfig()
		edit(&config)
		v, err := session.NewVerifier(config)
		wantErrorText(t, err, text)
		if v != nil {
			t.Errorf("%s: a verifier came with the error", text)
		}
	}
}

const (
	nakamaUser = "4f1b6f0e-3c1d-4a3e-9a55-0c6f5a9d0001"
	nakamaTID  = "7a3c9d52-58a9-4c7e-8f0b-2b1d4e6f0002"
)

// claimSet is claims that a test edits before they are signed.
type claimSet map[string]any

func (c claimSet) with(name string, value any) claimSet {
	c = maps.Clone(c)
	c[name] = value
	return c
}

func (c claimSet) without(name string) claimSet {
	c = maps.Clone(c)
	delete(c, name)
	return c
}

func (c claimSet) json() []byte { return must(json.Marshal(c)) }

func nakamaClaims() claimSet {
	now := testvectors.Now.Unix()
	return claimSet{
		"tid": nakamaTID, "uid": nakamaUser, "usn": "alice",
		"vrs": map[string]string{"idp": "cognito"}, "iat": now - 60, "exp": now + 3600,
	}
}

func signNakama(t testing.TB, secret string, claims claimSet) string {
	t.Helper()
	return must(must(jws.NewSecretSigner("", testvectors.Secret(secret))).Sign("JWT", claims.json()))
}

func (w *world) nakamaConfig() session.NakamaConfig {
	return session.NakamaConfig{
		Realm:       worldRealm,
		Keys:        [][]byte{testvectors.Secret("nakama-1"), testvectors.Secret("nakama-2")},
		RefreshKeys: [][]byte{testvectors.Secret("nakama-refresh")},
		Aliases:     session.AliasOptional,
		Ledger:      w.ledger,
		Now:         w.clock.Now,
	}
}
