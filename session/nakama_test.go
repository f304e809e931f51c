package session_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

func TestNakamaSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := must(session.NewNakamaVerifier(w.nakamaConfig()))
	for _, key := range []string{"nakama-1", "nakama-2"} {
		s, err := v.Verify(t.Context(), signNakama(t, key, nakamaClaims().with("uid", strings.ToUpper(nakamaUser))))
		if err != nil {
			t.Fatal(err)
		}
		want := identity.Player{Realm: worldRealm, Subject: nakamaUser}
		if s.UserID != nakamaUser || s.PlayerID != nakamaUser || s.Player != want || s.ID != nakamaTID {
			t.Errorf("ids %+v", s)
		}
		if s.Username != "alice" || s.Vars["idp"] != "cognito" || len(s.Vars) != 1 || s.Issuer != "" || s.TokenID != "" {
			t.Errorf("names %+v", s)
		}
		issued := testvectors.Now.Add(-time.Minute)
		if !s.IssuedAt.Equal(issued) || !s.Started.Equal(issued) || !s.Expiry.Equal(testvectors.Now.Add(time.Hour)) {
			t.Errorf("times %s %s %s", s.IssuedAt, s.Started, s.Expiry)
		}
	}
}

// TestNakamaRefreshTokenIsNoSession: the same claims under the other key.
func TestNakamaRefreshTokenIsNoSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := must(session.NewNakamaVerifier(w.nakamaConfig()))
	_, err := v.Verify(t.Context(), signNakama(t, "nakama-refresh", nakamaClaims()))
	wantReason(t, err, jws.BadSignature)
	config := w.nakamaConfig()
	config.RefreshKeys = [][]byte{testvectors.Secret("other"), testvectors.Secret("nakama-2")}
	_, err = session.NewNakamaVerifier(config)
	wantErrorText(t, err, "both in Keys and in RefreshKeys")
}

// TestNakamaAliasLeadsToThePlayer: what the ledger learns counts at once, also for a verdict that is cached.
func TestNakamaAliasLeadsToThePlayer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	optional := must(session.NewNakamaVerifier(w.nakamaConfig()))
	config := w.nakamaConfig()
	config.Aliases = session.AliasRequired
	required := must(session.NewNakamaVerifier(config))
	token := signNakama(t, "nakama-1", nakamaClaims())
	for range 3 { // from the third time on it is the cache's
		if s := must(optional.Verify(t.Context(), token)); s.Player.Subject != nakamaUser {
			t.Errorf("player %+v before it is known", s.Player)
		}
	}
	_, err := required.Verify(t.Context(), token)
	wantReason(t, err, jws.WrongClaim)
	player := alice().Player
	if err := w.ledger.Learn(t.Context(), nakamaUser, player); err != nil {
		t.Fatal(err)
	}
	for _, v := range []*session.Verifier{optional, required} {
		for range 2 {
			s, err := v.Verify(t.Context(), token)
			if err != nil || s.Player != player || s.PlayerID != worldSubject || s.UserID != nakamaUser {
				t.Fatalf("got %+v, %v", s, err)
			}
		}
		for _, id := range []string{nakamaUser, worldSubject, strings.ToUpper(nakamaUser)} {
			if _, err := v.VerifyFor(t.Context(), id, token); err != nil {
				t.Errorf("VerifyFor(%s): %v", id, err)
			}
		}
		_, err := v.VerifyFor(t.Context(), nakamaTID, token)
		wantReason(t, err, jws.WrongUser)
	}
	if err := w.ledger.Ban(t.Context(), player, "test", time.Time{}); err != nil {
		t.Fatal(err)
	}
	_, err = optional.Verify(t.Context(), token)
	wantReason(t, err, jws.Banned)
}

// TestNakamaBanByUserIDOutlivesTheAlias: who was banned or cut off as the user id stays so when the ledger learns who that
// is, whichever comes first, and cannot buy a session elsewhere.
func TestNakamaBanByUserIDOutlivesTheAlias(t *testing.T) {
	t.Parallel()
	byUserID := identity.Player{Realm: worldRealm, Subject: nakamaUser}
	learn := func(w *world) error { return w.ledger.Learn(t.Context(), nakamaUser, alice().Player) }
	ban := func(w *world) error { return w.ledger.Ban(t.Context(), byUserID, "test", time.Time{}) }
	cut := func(w *world) error { return w.ledger.CutOff(t.Context(), byUserID, "test") }
	for name, c := range map[string]struct {
		steps []func(*world) error
		want  jws.Reason
	}{
		"banned, learned":      {[]func(*world) error{ban, learn}, jws.Banned},
		"learned, banned":      {[]func(*world) error{learn, ban}, jws.Banned},
		"cut off, learned":     {[]func(*world) error{cut, learn}, jws.Revoked},
		"learned, cut off":     {[]func(*world) error{learn, cut}, jws.Revoked},
		"unbanned in the end":  {[]func(*world) error{ban, learn, func(w *world) error { return w.ledger.Unban(t.Context(), byUserID) }}, ""},
		"the id went to other": {[]func(*world) error{learn, ban, func(w *world) error { return w.ledger.Learn(t.Context(), nakamaUser, bob) }}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			token := signNakama(t, "nakama-1", nakamaClaims())
			config := w.nakamaConfig()
			config.Realms = []string{worldRealm, bob.Realm}
			v := must(session.NewNakamaVerifier(config))
			g := w.signIn(t)
			for _, step := range c.steps {
				if err := step(w); err != nil {
					t.Fatal(err)
				}
			}
			_, err := w.verifier.Verify(t.Context(), g.AccessToken)
			wants(t, "our session", err, c.want)
			_, err = w.refresh(t, g.RefreshToken)
			wants(t, "refresh", err, c.want)
			_, err = w.issuer.Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "alice"})
			wants(t, "exchange", err, c.want)
			_, err = v.Verify(t.Context(), token)
			if name == "the id went to other" {
				c.want = jws.Banned // the user id itself is
			}
			wants(t, "Nakama's session", err, c.want)
		})
	}
}

// TestNakamaBanByUserIDWithSeveralRealms: the alias leads into another realm than the one that stands before user ids.
func TestNakamaBanByUserIDWithSeveralRealms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config := w.nakamaConfig()
	config.Realms = []string{worldRealm, bob.Realm}
	v := must(session.NewNakamaVerifier(config))
	byUserID := identity.Player{Realm: worldRealm, Subject: nakamaUser}
	if err := w.ledger.Ban(t.Context(), byUserID, "test", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := w.ledger.Learn(t.Context(), nakamaUser, bob); err != nil {
		t.Fatal(err)
	}
	_, err := v.Verify(t.Context(), signNakama(t, "nakama-1", nakamaClaims()))
	wantReason(t, err, jws.Banned)
	if err := w.ledger.CheckIdentity(&identity.Identity{Player: bob, IssuedAt: testvectors.Now}); err != nil {
		t.Errorf("a player of another realm is banned for his id's spelling: %v", err)
	}
}

func TestNakamaPlayerOfAnotherRealmIsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := must(session.NewNakamaVerifier(w.nakamaConfig()))
	elsewhere := identity.Player{Realm: "elsewhere", Subject: "someone"}
	if err := w.ledger.Learn(t.Context(), nakamaUser, elsewhere); err != nil {
		t.Fatal(err)
	}
	_, err := v.Verify(t.Context(), signNakama(t, "nakama-1", nakamaClaims()))
	wantReason(t, err, jws.WrongClaim)
	config := w.nakamaConfig()
	config.Realms = []string{worldRealm, "elsewhere"}
	s, err := must(session.NewNakamaVerifier(config)).Verify(t.Context(), signNakama(t, "nakama-1", nakamaClaims()))
	if err != nil || s.Player != elsewhere || s.PlayerID != elsewhere.ID(false) {
		t.Errorf("got %+v, %v", s, err)
	}
}

// TestNakamaLogoutInTheSecondOfTheLogin is where Nakama itself lets the token live.
func TestNakamaLogoutInTheSecondOfTheLogin(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		claims claimSet
		revoke func(*world, *session.Session) error
	}{
		"cut-off": {
			nakamaClaims().with("iat", testvectors.Now.Unix()),
			func(w *world, s *session.Session) error { return w.ledger.CutOff(t.Context(), s.Player, "logout") },
		},
		"cut-off of a token without iat": {
			nakamaClaims().without("iat"),
			func(w *world, s *session.Session) error { return w.ledger.CutOff(t.Context(), s.Player, "logout") },
		},
		"session": {
			nakamaClaims(),
			func(w *world, s *session.Session) error { return w.ledger.RevokeSession(t.Context(), s, "logout") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			v := must(session.NewNakamaVerifier(w.nakamaConfig()))
			token := signNakama(t, "nakama-1", c.claims)
			s, err := v.Verify(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.revoke(w, s); err != nil {
				t.Fatal(err)
			}
			_, err = v.Verify(t.Context(), token)
			wantReason(t, err, jws.Revoked)
		})
	}
}

func TestNakamaBeforeTheLedgerIsLoaded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, policy := range []session.AliasPolicy{session.AliasOptional, session.AliasRequired} {
		config := w.nakamaConfig()
		config.Ledger, config.Aliases = w.newLedger(t), policy
		_, err := must(session.NewNakamaVerifier(config)).Verify(t.Context(), signNakama(t, "nakama-1", nakamaClaims()))
		wantReason(t, err, jws.Unavailable)
	}
}

func TestNakamaConfigIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := testvectors.Secret("nakama-1")
	for text, edit := range map[string]func(*session.NakamaConfig){
		"Realm is missing":    func(c *session.NakamaConfig) { c.Realm = "" },
		"must contain Realm":  func(c *session.NakamaConfig) { c.Realms = []string{"other"} },
		"NakamaConfig.Realms": func(c *session.NakamaConfig) { c.Realms = []string{worldRealm, ""} },
		"1 to 3 values":       func(c *session.NakamaConfig) { c.Keys = nil },
		"set session.":        func(c *session.NakamaConfig) { c.Keys = [][]byte{key, key, key, key} },
		"Aliases: decide":     func(c *session.NakamaConfig) { c.Aliases = "" },
		"who is who": func(c *session.NakamaConfig) {
			c.Ledger, c.InsecureNoLedger, c.Aliases = nil, true, session.AliasRequired
		},
		"Ledger: set": func(c *session.NakamaConfig) { c.Ledger = nil },
		"Keys[1]: the secret is one of Nakama's defaults": func(c *session.NakamaConfig) {
			c.Keys = [][]byte{key, []byte("defaultencryptionkey")}
		},
		"Keys[0]: the secret has 31 bytes": func(c *session.NakamaConfig) { c.Keys = [][]byte{key[:31]} },
	} {
		config := w.nakamaConfig()
		edit(&config)
		v, err := session.NewNakamaVerifier(config)
		wantErrorText(t, err, text)
		if v != nil || strings.Contains(err.Error(), string(key)) {
			t.Errorf("%s: a verifier came with the error, or the error shows a key", text)
		}
	}
}

func TestNakamaDefaultsAreRefusedUnlessLoud(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, secret := range []string{
		"defaultencryptionkey", "defaultrefreshencryptionkey", "defaultsigningkey", "defaulthttpkey", "defaultkey", "short",
	} {
		config := w.nakamaConfig()
		config.Keys = [][]byte{[]byte(secret)}
		if _, err := session.NewNakamaVerifier(config); err == nil {
			t.Errorf("%q was taken", secret)
		}
		config.InsecureKeys = true
		v := must(session.NewNakamaVerifier(config))
		token := must(must(jws.InsecureSecretSigner("", []byte(secret))).Sign("JWT", nakamaClaims().json()))
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Errorf("%q with the loud flag: %v", secret, err)
		}
	}
}

func TestNakamaWithoutALedgerIsLoud(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config := w.nakamaConfig()
	config.Ledger, config.InsecureNoLedger = nil, true
	if _, err := must(session.NewNakamaVerifier(config)).VerifyFor(t.Context(), nakamaUser, signNakama(t, "nakama-1", nakamaClaims())); err != nil {
		t.Error(err)
	}
}
