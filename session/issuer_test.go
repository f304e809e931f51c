package session_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

func TestExchange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.signIn(t)
	if g.ExpiresIn != 2*time.Hour || g.Audience != worldAudience || !slices.Equal(g.Scopes, []string{"play", "chat"}) {
		t.Errorf("grant %+v", g)
	}
	s, err := w.verifier.Verify(t.Context(), g.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]string{
		"realm":        {s.Player.Realm, worldRealm},
		"subject":      {s.Player.Subject, worldSubject},
		"player id":    {s.PlayerID, worldSubject},
		"user id":      {s.UserID, worldSubject},
		"issuer":       {s.Issuer, worldIssuer},
		"client":       {s.ClientID, worldClient},
		"username":     {s.Username, "alice"},
		"audience":     {strings.Join(s.Audience, " "), worldAudience},
		"groups":       {strings.Join(s.Groups, " "), "testers"},
		"roles":        {strings.Join(s.Roles, " "), "captain"},
		"scopes":       {strings.Join(s.Scopes, " "), "play chat"},
		"upstream":     {s.Upstream, session.UpstreamOf(alice())},
		"started":      {s.Started.String(), testvectors.Now.String()},
		"issued at":    {s.IssuedAt.String(), testvectors.Now.String()},
		"auth time":    {s.AuthTime.String(), alice().AuthTime.String()},
		"expiry":       {s.Expiry.String(), testvectors.Now.Add(2 * time.Hour).String()},
		"grant sid":    {g.Session.ID, s.ID},
		"grant jti":    {g.Session.TokenID, s.TokenID},
		"grant claims": {string(must(g.Session.Claims.MarshalJSON())), string(must(s.Claims.MarshalJSON()))},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", what, pair[0], pair[1])
		}
	}
}

// TestAccessTokenIsAsRFC9068 looks at the token as a stranger would, section 2 in hand.
func TestAccessTokenIsAsRFC9068(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	parts := strings.Split(w.signIn(t).AccessToken, ".")
	header := must(jws.ParseObject(must(base64.RawURLEncoding.DecodeString(parts[0]))))
	claims := must(jws.ParseObject(must(base64.RawURLEncoding.DecodeString(parts[1]))))
	if typ, _ := header.String("typ"); typ != "at+jwt" {
		t.Errorf("typ is %q", typ)
	}
	if alg, _ := header.String("alg"); alg != "EdDSA" {
		t.Errorf("alg is %q", alg)
	}
	want := []string{
		"aud", "auth_time", "client_id", "exp", "groups", "iat", "idp_iat", "idp_sub",
		"iss", "jti", "realm", "roles", "scope", "sid", "sub", "upstream", "username",
	}
	if got := slices.Sorted(claims.Names()); !slices.Equal(got, want) {
		t.Errorf("claims are %q, want %q", got, want)
	}
}

func TestExchangeRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request session.ExchangeRequest
		change  func(*identity.Identity)
		reason  jws.Reason
		wraps   error
	}{
		"no identity":         {request: session.ExchangeRequest{SubjectToken: "mallory"}, reason: jws.BadSignature},
		"unknown audience":    {request: session.ExchangeRequest{Audience: "other"}, reason: jws.WrongAudience, wraps: session.ErrInvalidTarget},
		"scope not held":      {request: session.ExchangeRequest{Scopes: []string{"play", "admin"}}, reason: jws.WrongClaim, wraps: session.ErrInvalidScope},
		"control in client":   {request: session.ExchangeRequest{ClientID: "a\nb"}, reason: jws.WrongClient, wraps: session.ErrInvalidClient},
		"long client":         {request: session.ExchangeRequest{ClientID: strings.Repeat("c", 256)}, reason: jws.WrongClient, wraps: session.ErrInvalidClient},
		"no client":           {change: func(id *identity.Identity) { id.ClientID = "" }, reason: jws.WrongClient, wraps: session.ErrInvalidClient},
		"other realm":         {change: func(id *identity.Identity) { id.Player.Realm = "elsewhere" }, reason: jws.WrongIssuer},
		"unrevocable subject": {change: func(id *identity.Identity) { id.Player.Subject = "a\x00b" }, reason: jws.WrongClaim},
		"no subject":          {change: func(id *identity.Identity) { id.Player.Subject = "" }, reason: jws.WrongClaim},
		"endless session id":  {change: func(id *identity.Identity) { id.Session = strings.Repeat("s", 2000) }, reason: jws.WrongClaim},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.change != nil {
				c.change(w.guests["alice"])
			}
			if c.request.SubjectToken == "" {
				c.request.SubjectToken = "alice"
			}
			_, err := w.issuer.Exchange(t.Context(), c.request)
			wantReason(t, err, c.reason)
			if c.wraps != nil && !errors.Is(err, c.wraps) {
				t.Errorf("%v does not wrap %v", err, c.wraps)
			}
		})
	}
}

func TestExchangeTakesWhatItNeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g, err := w.issuer.Exchange(t.Context(), session.ExchangeRequest{
		SubjectToken: "alice", Audience: worldAudience, ClientID: "other-client", Scopes: []string{"chat", "chat"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(g.Scopes, []string{"chat"}) || !slices.Equal(g.Session.Scopes, g.Scopes) || g.Session.ClientID != "other-client" {
		t.Errorf("scopes %q, session %q of client %q", g.Scopes, g.Session.Scopes, g.Session.ClientID)
	}
}

// TestScopeThatIsTwo: an issuer's array of scopes may hold one that the session's scope claim would split.
func TestScopeThatIsTwo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.guests["alice"].Scopes = []string{"play", "see admin", "", "say\"", "back\\slash", "grün", "a:b/c.d"}
	g := w.signIn(t)
	if want := []string{"play", "a:b/c.d"}; !slices.Equal(g.Scopes, want) || !slices.Equal(g.Session.Scopes, want) {
		t.Errorf("granted %q, in the session %q, want %q", g.Scopes, g.Session.Scopes, want)
	}
	_, err := w.issuer.Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "alice", Scopes: []string{"see admin"}})
	wantReason(t, err, jws.WrongClaim)
}

// TestNothingIsSharedWithTheCaller: lists that a caller goes on to use change neither what is accepted nor the identity,
// which a verifier may keep for the next caller.
func TestNothingIsSharedWithTheCaller(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.guests["bob"] = &identity.Identity{Player: bob, IssuedAt: testvectors.Now, ClientID: worldClient}
	realms, audiences := []string{worldRealm}, []session.Audience{{Name: worldAudience}}
	w.config.Realms, w.config.Audiences = realms, audiences
	verifying, nakama := w.verifierConfig(), w.nakamaConfig()
	verifying.Realms, nakama.Realms = realms, realms
	issuer, verifier := must(session.NewIssuer(w.config)), must(session.NewVerifier(verifying))
	ofNakama := must(session.NewNakamaVerifier(nakama))
	realms[0], audiences[0].Name = bob.Realm, "elsewhere"
	_, err := issuer.Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "bob"})
	wantReason(t, err, jws.WrongIssuer)
	g, err := issuer.Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "alice"})
	if err != nil || g.Audience != worldAudience {
		t.Fatalf("%+v, %v", g.Session, err)
	}
	for what, verify := range map[string]func() (*session.Session, error){
		"own": func() (*session.Session, error) { return verifier.Verify(t.Context(), g.AccessToken) },
		"Nakama's": func() (*session.Session, error) {
			return ofNakama.Verify(t.Context(), signNakama(t, "nakama-1", nakamaClaims()))
		},
	} {
		if s, err := verify(); err != nil || s.Player.Realm != worldRealm {
			t.Errorf("%s: %+v, %v", what, s, err)
		}
	}
	if err := w.ledger.Learn(t.Context(), nakamaUser, bob); err != nil {
		t.Fatal(err)
	}
	_, err = ofNakama.Verify(t.Context(), signNakama(t, "nakama-1", nakamaClaims()))
	wantReason(t, err, jws.WrongClaim)
	g.Scopes[0] = "admin"
	if id := w.guests["alice"]; id.Scopes[0] != "play" {
		t.Error("a change to a grant changed the identity")
	}
}

func TestEmptyAudienceNeedsToBeTheOnlyOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Audiences = append(w.config.Audiences, session.Audience{Name: "lobby"})
	issuer := must(session.NewIssuer(w.config))
	_, err := issuer.Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "alice"})
	wantReason(t, err, jws.WrongAudience)
	g, err := issuer.Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "alice", Audience: "lobby"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.verifier.Verify(t.Context(), g.AccessToken)
	wantReason(t, err, jws.WrongAudience)
}

func TestBannedPlayerBuysNoSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.signIn(t)
	if err := w.ledger.Ban(t.Context(), alice().Player, "cheating", time.Time{}); err != nil {
		t.Fatal(err)
	}
	w.wantShut(t, g, jws.Banned)
	if err := w.ledger.Unban(t.Context(), alice().Player); err != nil {
		t.Fatal(err)
	}
	w.signIn(t)
}

func TestRevokedUpstreamSessionBuysNoSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.signIn(t)
	if err := w.ledger.RevokeUpstream(t.Context(), worldRealm, worldUpstream, "signed out at the issuer"); err != nil {
		t.Fatal(err)
	}
	w.wantShut(t, g, jws.Revoked)
}

// TestLogoutInTheSecondOfTheLogin: everything happens in one second, and the logout counts.
func TestLogoutInTheSecondOfTheLogin(t *testing.T) {
	t.Parallel()
	logouts := map[string]func(*world, *session.Grant) error{
		"session": func(w *world, g *session.Grant) error {
			return w.ledger.RevokeSession(t.Context(), g.Session, "logout")
		},
		"refresh token": func(w *world, g *session.Grant) error {
			return w.issuer.RevokeRefresh(t.Context(), g.RefreshToken)
		},
		"everything": func(w *world, _ *session.Grant) error { return w.ledger.CutOff(t.Context(), alice().Player, "logout") },
	}
	for name, logout := range logouts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.guests["alice"]
			id.IssuedAt, id.AuthTime = testvectors.Now, testvectors.Now
			g := w.signIn(t)
			w.clock.Advance(time.Millisecond)
			if err := logout(w, g); err != nil {
				t.Fatal(err)
			}
			w.wantShut(t, g, jws.Revoked)
		})
	}
}

// wantShut wants every door shut: the session, at first sight and from the cache, its refresh token, and the identity
// token that made it and has not expired.
func (w *world) wantShut(t *testing.T, g *session.Grant, reason jws.Reason) {
	t.Helper()
	for range 2 {
		_, err := w.verifier.Verify(t.Context(), g.AccessToken)
		wantReason(t, err, reason)
	}
	_, err := w.refresh(t, g.RefreshToken)
	wantReason(t, err, reason)
	_, err = w.issuer.Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "alice"})
	wantReason(t, err, reason)
}

func TestNewIdentityTokenAfterLogoutBuysASession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.signIn(t)
	if err := w.issuer.RevokeRefresh(t.Context(), g.RefreshToken); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Second)
	again := alice()
	again.IssuedAt = w.clock.Now()
	w.guests["alice"] = again
	if next := w.signIn(t); next.Session.ID == g.Session.ID {
		t.Error("the new session has the id of the revoked one")
	}
}

func TestExchangeWithTheStoreAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store.away.Store(true)
	_, err := w.issuer.Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "alice"})
	wantReason(t, err, jws.Unavailable)
	if !errors.Is(err, session.ErrStoreUnavailable) {
		t.Errorf("%v does not say that it is the store", err)
	}
	w.store.away.Store(false)
	w.signIn(t)
}

func TestExchangeBeforeTheLedgerIsLoaded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Ledger = w.newLedger(t)
	_, err := must(session.NewIssuer(w.config)).Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "alice"})
	wantReason(t, err, jws.Unavailable)
}

func TestExchangeWithoutAKeyOrRandomness(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	empty := w.config
	empty.Keys = newRing(t, w.clock)
	_, err := must(session.NewIssuer(empty)).Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "alice"})
	wantReason(t, err, jws.Unavailable)
	dry := w.config
	dry.Rand = iotest.ErrReader(errors.New("no entropy"))
	_, err = must(session.NewIssuer(dry)).Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "alice"})
	wantReason(t, err, jws.Unavailable)
}

func TestTokenTooLargeToReadIsNotMinted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 2000 {
		w.guests["alice"].Groups = append(w.guests["alice"].Groups, "a-group")
	}
	_, err := w.issuer.Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "alice"})
	wantErrorText(t, err, "too many groups")
}

func TestAudienceWithASecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := testvectors.Secret("hs-1")
	w.config.Audiences = []session.Audience{{Name: "legacy", Secret: secret}, {Name: "modern"}}
	issuer := must(session.NewIssuer(w.config))
	g, err := issuer.Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "alice", Audience: "legacy"})
	if err != nil {
		t.Fatal(err)
	}
	signed, signature, _ := strings.Cut(g.AccessToken, ".")
	payload, signature, _ := strings.Cut(signature, ".")
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed + "." + payload))
	if base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) != signature {
		t.Error("the signature is not HMAC-SHA256 under the audience's secret")
	}
	config := w.verifierConfig()
	config.Audience, config.Algorithms = "legacy", []jws.Algorithm{jws.HS256}
	config.Keys = jws.StaticKeys{must(jws.NewSecretKey("", secret))}
	if _, err := must(session.NewVerifier(config)).Verify(t.Context(), g.AccessToken); err != nil {
		t.Errorf("the backend with the secret: %v", err)
	}
	config.Keys = jws.StaticKeys{must(jws.NewSecretKey("", testvectors.Secret("hs-2")))}
	_, err = must(session.NewVerifier(config)).Verify(t.Context(), g.AccessToken)
	wantReason(t, err, jws.BadSignature)
	_, err = w.verifier.Verify(t.Context(), g.AccessToken)
	wantReason(t, err, jws.AlgorithmRefused)
}

func TestIssuerConfigIsChecked(t *testing.T) {
	t.Parallel()
	secret := testvectors.Secret("hs-1")
	edits := map[string]func(*session.IssuerConfig){
		"Issuer is missing":       func(c *session.IssuerConfig) { c.Issuer = "" },
		"Audiences is empty":      func(c *session.IssuerConfig) { c.Audiences = nil },
		"the name is missing":     func(c *session.IssuerConfig) { c.Audiences = []session.Audience{{}} },
		"it is there twice":       func(c *session.IssuerConfig) { c.Audiences = []session.Audience{{Name: "a"}, {Name: "a"}} },
		"set IssuerConfig.Keys":   func(c *session.IssuerConfig) { c.Keys = nil },
		"Ledger is missing":       func(c *session.IssuerConfig) { c.Ledger = nil },
		"Families is missing":     func(c *session.IssuerConfig) { c.Families = nil },
		"Identities is missing":   func(c *session.IssuerConfig) { c.Identities = nil },
		"Realms":                  func(c *session.IssuerConfig) { c.Realms = nil },
		"a realm is there twice":  func(c *session.IssuerConfig) { c.Realms = []string{worldRealm, worldRealm} },
		"TokenLifetime":           func(c *session.IssuerConfig) { c.TokenLifetime = -time.Second },
		"longer than the keyring": func(c *session.IssuerConfig) { c.TokenLifetime = 3 * time.Hour },
		"SessionLifetime":         func(c *session.IssuerConfig) { c.SessionLifetime = time.Hour },
		"the ledger forgets":      func(c *session.IssuerConfig) { c.SessionLifetime = 31 * 24 * time.Hour },
		"RepeatWindow":            func(c *session.IssuerConfig) { c.RepeatWindow = time.Hour },
		"have the same secret": func(c *session.IssuerConfig) {
			c.Audiences = []session.Audience{{Name: "a", Secret: secret}, {Name: "b", Secret: secret}}
		},
		"has 5 bytes": func(c *session.IssuerConfig) { c.Audiences = []session.Audience{{Name: "a", Secret: []byte("short")}} },
		"has 0 bytes": func(c *session.IssuerConfig) { c.Audiences = []session.Audience{{Name: "a", Secret: []byte{}}} },
		"which everybody knows": func(c *session.IssuerConfig) {
			c.Audiences = []session.Audience{{Name: "a", Secret: []byte("defaultencryptionkey")}}
		},
		"Ledger follows a feed:": func(c *session.IssuerConfig) { c.Ledger = followingLedger(t) },
	}
	for text, edit := range edits {
		w := newWorld(t)
		edit(&w.config)
		_, err := session.NewIssuer(w.config)
		wantErrorText(t, err, text)
		if strings.Contains(err.Error(), string(secret)) {
			t.Errorf("%v shows the secret", err)
		}
	}
	w := newWorld(t)
	w.config.Keys = nil
	w.config.Audiences = []session.Audience{{Name: "a", Secret: []byte("short"), InsecureSecret: true}}
	if _, err := session.NewIssuer(w.config); err != nil {
		t.Errorf("with the loud flag: %v", err)
	}
}

func followingLedger(t *testing.T) *session.Ledger {
	t.Helper()
	return must(session.NewLedger(session.LedgerConfig{Feed: session.NewMemoryStore(), Policy: session.Strict}))
}

// TestTwoRealmsKeepPlayersApart: the same subject in two realms is two players with two ids.
func TestTwoRealmsKeepPlayersApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Realms = []string{worldRealm, "staff"}
	twin := alice()
	twin.Player.Realm = "staff"
	w.guests = guests{"twin": twin}
	maps.Copy(w.guests, w.config.Identities.(guests))
	w.config.Identities = w.guests
	issuer := must(session.NewIssuer(w.config))
	ids := make(map[string]bool)
	for token := range w.guests {
		g, err := issuer.Exchange(context.Background(), session.ExchangeRequest{SubjectToken: token})
		if err != nil {
			t.Fatal(err)
		}
		ids[g.Session.PlayerID] = true
	}
	if len(ids) != 2 || ids[worldSubject] {
		t.Errorf("player ids %v: want two, and neither the bare subject", ids)
	}
}
