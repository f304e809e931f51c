package tokenapi_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/tokenapi"
)

func TestExchange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.postForm("/oauth2/token", exchangeForm(w.identityToken(`,"scope":"play chat"`), "scope=play"))
	g := decode[grant](t, got, 200)
	if g.TokenType != "Bearer" || g.IssuedTokenType != tokenType+"access_token" || g.ExpiresIn != 7200 || g.Scope != "play" || g.RefreshToken == "" {
		t.Errorf("grant %+v", g)
	}
	// RFC 6749 section 5.1.
	if got.Header().Get("Cache-Control") != "no-store" || got.Header().Get("Pragma") != "no-cache" || got.Header().Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", got.Header())
	}
	s := must(w.verifiers[0].Verify(t.Context(), g.AccessToken))(t)
	if s.Player != (identity.Player{Realm: "players", Subject: alice}) || s.ClientID != "game" {
		t.Errorf("session %+v", s)
	}
	if d := w.last(); !d.Allowed || d.Status != 200 || d.Endpoint != "/oauth2/token" || d.PlayerID != alice || d.Session != s.ID || d.Err != nil {
		t.Errorf("decision %+v", d)
	}
}

// By RFC 6749 section 5.2 and RFC 8693 section 2.2.2.
func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.identityToken(`,"scope":"play"`)
	refreshForm := func(more ...string) url.Values {
		return with(url.Values{"grant_type": {"refresh_token"}, "client_id": {"game"}}, more...)
	}
	tests := []struct {
		name   string
		form   url.Values
		status int
		code   string
		reason jws.Reason
	}{
		{"no grant type", exchangeForm(token, "grant_type="), 400, "invalid_request", "invalid_request"},
		{"password grant", exchangeForm(token, "grant_type=password"), 400, "unsupported_grant_type", "invalid_request"},
		{"client credentials", exchangeForm(token, "grant_type=client_credentials"), 400, "unsupported_grant_type", "invalid_request"},
		{"no subject token", exchangeForm("", "subject_token="), 400, "invalid_request", "invalid_request"},
		{"no subject token type", exchangeForm(token, "subject_token_type="), 400, "invalid_request", "invalid_request"},
		{"saml", exchangeForm(token, "subject_token_type="+tokenType+"saml2"), 400, "invalid_request", "invalid_request"},
		{"refresh token as subject", exchangeForm(token, "subject_token_type="+tokenType+"refresh_token"), 400, "invalid_request", "invalid_request"},
		{"id token wanted", exchangeForm(token, "requested_token_type="+tokenType+"id_token"), 400, "invalid_request", "invalid_request"},
		{"actor", exchangeForm(token, "actor_token=x"), 400, "invalid_request", "invalid_request"},
		{"resource", exchangeForm(token, "resource=https://arena.example"), 400, "invalid_target", "invalid_request"},
		{"unknown audience", exchangeForm(token, "audience=casino"), 400, "invalid_target", jws.WrongAudience},
		{"no audience of two", exchangeForm(token, "audience="), 400, "invalid_target", jws.WrongAudience},
		{"more scope", exchangeForm(token, "scope=play admin"), 400, "invalid_scope", jws.WrongClaim},
		{"bad client id", exchangeForm(token, "client_id=ü"), 400, "invalid_client", jws.WrongClient},
		{"malformed subject token", exchangeForm("x.y.z"), 400, "invalid_request", jws.Malformed},
		{"forged subject token", exchangeForm(token[:len(token)-8] + "AAAAAAAA"), 400, "invalid_request", jws.BadSignature},
		{"foreign subject token", exchangeForm(w.foreignToken()), 400, "invalid_request", jws.WrongIssuer},
		{"no refresh token", refreshForm(), 400, "invalid_request", "invalid_request"},
		{"malformed refresh token", refreshForm("refresh_token=x"), 400, "invalid_grant", jws.Malformed},
		{"unknown refresh token", refreshForm("refresh_token=spr_" + strings.Repeat("A", 75)), 400, "invalid_grant", jws.BadSignature},
		{"access token as refresh token", refreshForm("refresh_token=" + w.signIn().AccessToken), 400, "invalid_grant", jws.Malformed},
		{"another client's refresh token", refreshForm("refresh_token="+w.signIn().RefreshToken, "client_id=other"), 400, "invalid_grant", jws.WrongClient},
		{"more scope at a refresh", refreshForm("refresh_token="+w.signIn().RefreshToken, "scope=admin"), 400, "invalid_scope", jws.WrongClaim},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := w.postForm("/oauth2/token", tt.form)
			f := decode[failure](t, got, tt.status)
			if f.Error != tt.code || f.Reason != tt.reason || f.Description == "" || f.Check == "" {
				t.Fatalf("%+v, want %s (%s)", f, tt.code, tt.reason)
			}
			if got.Header().Get("Cache-Control") != "no-store" {
				t.Error("the error may be cached")
			}
			if d := w.last(); d.Allowed || d.Err == nil || d.Status != tt.status {
				t.Errorf("decision %+v", d)
			}
		})
	}
}

// foreignToken is signed by the right key for another issuer.
func (w *world) foreignToken() string {
	claims := `{"iss":"https://evil.example","aud":"game","sub":"x","iat":1793534400,"exp":1793535000}`
	return must(w.provider.Sign("JWT", []byte(claims)))(w.tb)
}

// By RFC 6749 sections 2.3 and 3.2.
func TestTokenRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	form := exchangeForm(w.identityToken("")).Encode()
	odd := exchangeForm(w.identityToken(""), "client_id=com.example:game").Encode()
	const kind = "application/x-www-form-urlencoded"
	tests := []struct {
		name        string
		target      string
		contentType string
		body        string
		headers     []string
		status      int
		code        string
	}{
		{"charset", "/oauth2/token", kind + "; charset=UTF-8", form, nil, 200, ""},
		{"json", "/oauth2/token", "application/json", form, nil, 400, "invalid_request"},
		{"no type", "/oauth2/token", "", form, nil, 400, "invalid_request"},
		{"twice", "/oauth2/token", kind, form + "&client_id=game", nil, 400, "invalid_request"},
		{"audience twice", "/oauth2/token", kind, form + "&audience=lobby", nil, 400, "invalid_request"},
		{"an unknown one twice", "/oauth2/token", kind, form + "&x=1&x=2", nil, 400, "invalid_request"},
		{"an empty one twice", "/oauth2/token", kind, form + "&scope=&scope=", nil, 400, "invalid_request"},
		{"unknown parameters are ignored", "/oauth2/token", kind, form + "&nonce=1", nil, 200, ""},
		{"empty ones are left out", "/oauth2/token", kind, form + "&scope=&actor_token=", nil, 200, ""},
		{"semicolon", "/oauth2/token", kind, form + "&a=1;b=2", nil, 400, "invalid_request"},
		{"bad escape", "/oauth2/token", kind, form + "&a=%zz", nil, 400, "invalid_request"},
		{"too many", "/oauth2/token", kind, form + strings.Repeat("&a", 64), nil, 400, "invalid_request"},
		{"too large", "/oauth2/token", kind, form + "&a=" + strings.Repeat("x", 32<<10), nil, 413, "invalid_request"},
		{"in the query", "/oauth2/token?scope=play", kind, form, nil, 400, "invalid_request"},
		{"public client by header", "/oauth2/token", kind, form, []string{basic("game", "")}, 200, ""},
		{"another client by header", "/oauth2/token", kind, form, []string{basic("other", "")}, 400, "invalid_request"},
		{"client with a secret", "/oauth2/token", kind, form, []string{basic("game", "secret")}, 401, "invalid_client"},
		{"client with a secret in the body", "/oauth2/token", kind, form + "&client_secret=secret", nil, 401, "invalid_client"},
		{"client with an assertion", "/oauth2/token", kind, form + "&client_assertion=x.y.z", nil, 401, "invalid_client"},
		{"client with an encoded id", "/oauth2/token", kind, odd, []string{basic("com.example%3Agame", "")}, 200, ""},
		{"client with a bad escape", "/oauth2/token", kind, form, []string{basic("game%", "")}, 401, "invalid_client"},
		{"bearer", "/oauth2/token", kind, form, []string{"Authorization: Bearer x"}, 401, "invalid_client"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := w.post(tt.target, tt.contentType, tt.body, tt.headers...)
			if f := decode[failure](t, got, tt.status); f.Error != tt.code {
				t.Fatalf("%+v, want %q", f, tt.code)
			}
			if (got.Code == 401) != (got.Header().Get("WWW-Authenticate") != "") {
				t.Errorf("WWW-Authenticate %q with %d", got.Header().Get("WWW-Authenticate"), got.Code)
			}
		})
	}
}

func TestRequestedTokenType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, kind := range []string{"access_token", "jwt"} {
		for _, subject := range []string{"id_token", "access_token", "jwt"} {
			form := exchangeForm(w.identityToken(""), "requested_token_type="+tokenType+kind, "subject_token_type="+tokenType+subject)
			if g := decode[grant](t, w.postForm("/oauth2/token", form), 200); g.IssuedTokenType != tokenType+kind {
				t.Errorf("issued %q for %q", g.IssuedTokenType, kind)
			}
		}
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.signIn()
	refresh := func(token string) *httptest.ResponseRecorder {
		return w.postForm("/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {"game"}})
	}
	second := decode[grant](t, refresh(first.RefreshToken), 200)
	if second.RefreshToken == first.RefreshToken || second.IssuedTokenType != "" {
		t.Errorf("second grant %+v", second)
	}
	w.nanos.Add(int64(5 * time.Second))
	if repeated := decode[grant](t, refresh(first.RefreshToken), 200); repeated.RefreshToken != second.RefreshToken {
		t.Error("a lost answer must be repeated with the same successor")
	}
	w.nanos.Add(int64(20 * time.Second))
	if f := decode[failure](t, refresh(first.RefreshToken), 400); f.Error != "invalid_grant" || f.Reason != jws.Replayed {
		t.Errorf("replay: %+v", f)
	}
	if f := decode[failure](t, refresh(second.RefreshToken), 400); f.Error != "invalid_grant" || f.Reason != jws.Revoked {
		t.Errorf("after the replay: %+v", f)
	}
}

func TestTokenWithTheStoreAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.signIn()
	w.store.away.Store(true)
	for _, form := range []url.Values{
		exchangeForm(w.identityToken("")),
		{"grant_type": {"refresh_token"}, "refresh_token": {g.RefreshToken}, "client_id": {"game"}},
	} {
		got := w.postForm("/oauth2/token", form)
		if f := decode[failure](t, got, 503); f.Error != "temporarily_unavailable" || got.Header().Get("Retry-After") == "" {
			t.Errorf("%+v, Retry-After %q", f, got.Header().Get("Retry-After"))
		}
	}
	w.store.away.Store(false)
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {g.RefreshToken}, "client_id": {"game"}}
	decode[grant](t, w.postForm("/oauth2/token", form), 200)
}

func TestBannedAndSignedOutPlayersBuyNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.identityToken("")
	g := decode[grant](t, w.postForm("/oauth2/token", exchangeForm(token)), 200)
	if got := w.postForm("/oauth2/revoke", url.Values{"token": {g.AccessToken}}); got.Code != 200 {
		t.Fatalf("revoke: %d", got.Code)
	}
	if f := decode[failure](t, w.postForm("/oauth2/token", exchangeForm(token)), 400); f.Reason != jws.Revoked {
		t.Errorf("after the sign-out: %+v", f)
	}
	w.nanos.Add(int64(2 * time.Second))
	decode[grant](t, w.postForm("/oauth2/token", exchangeForm(w.identityToken(""))), 200)
	if got := w.postJSON("/v1/admin/ban", `{"realm":"players","subject":"`+alice+`","reason":"cheating"}`, asOperator()); got.Code != 204 {
		t.Fatalf("ban: %d %s", got.Code, got.Body)
	}
	if f := decode[failure](t, w.postForm("/oauth2/token", exchangeForm(w.identityToken(""))), 400); f.Reason != jws.Banned || strings.Contains(f.Description, "cheating") {
		t.Errorf("after the ban: %+v", f)
	}
}

func FuzzTokenRequest(f *testing.F) {
	w := newWorld(f)
	w.config.Observe = nil
	w.build()
	for _, seed := range []string{
		"", "&", "=", "a=b&a=b", "%", "%zz=1", "a;b", "grant_type=refresh_token&refresh_token=spr_x&client_id=game",
		exchangeForm("x.y.z").Encode(), exchangeForm(w.foreignToken()).Encode(), "grant_type=\x00", "\xff=\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		got := httptest.NewRecorder()
		w.api.ServeHTTP(got, r)
		if got.Code != 400 && got.Code != 413 {
			t.Fatalf("status %d for %q: %s", got.Code, body, got.Body)
		}
		fail := decode[failure](t, got, got.Code)
		if fail.Error == "" || fail.Description == "" || got.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("%+v for %q", fail, body)
		}
	})
}

func TestHandlersSingly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	api := must(tokenapi.New(w.config))(t)
	handlers := map[string]http.Handler{
		"/oauth2/token": api.Token(), "/oauth2/introspect": api.Introspect(), "/oauth2/revoke": api.Revoke(),
		"/.well-known/oauth-authorization-server": api.Metadata(), "/.well-known/jwks.json": api.JWKS(),
		"/v1/ticket": api.Ticket(), "/v1/ticket/redeem": api.RedeemTicket(), "/v1/events": api.Events(),
		"/v1/backchannel-logout": api.BackchannelLogout(), "/v1/admin/revoke": api.AdminRevoke(),
		"/v1/admin/cutoff": api.AdminCutOff(), "/v1/admin/ban": api.AdminBan(), "/v1/admin/unban": api.AdminUnban(),
		"/v1/admin/alias": api.AdminAlias(),
	}
	for path, handler := range handlers {
		for name, h := range map[string]http.Handler{"singly": handler, "mounted": w.api} {
			got := httptest.NewRecorder()
			h.ServeHTTP(got, httptest.NewRequest(http.MethodTrace, path, nil))
			f := decode[failure](t, got, http.StatusMethodNotAllowed)
			if got.Header().Get("Allow") == "" || f.Status != 405 {
				t.Errorf("%s %s: Allow %q, %+v", name, path, got.Header().Get("Allow"), f)
			}
			if d := w.last(); d.Endpoint != path {
				t.Errorf("%s %s: decision of %s", name, path, d.Endpoint)
			}
		}
	}
	absent := map[string]http.Handler{"/verify": api.Verify(), "/v1/clerk/webhook": api.ClerkWebhook()}
	for path, handler := range absent {
		for _, h := range []http.Handler{handler, w.api} {
			got := httptest.NewRecorder()
			if h.ServeHTTP(got, httptest.NewRequest("POST", path, nil)); got.Code != http.StatusNotFound {
				t.Errorf("%s is not configured and answers %d", path, got.Code)
			}
		}
	}
}
