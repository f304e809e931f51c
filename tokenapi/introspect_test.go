package tokenapi_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/tokenapi"
)

// By RFC 7662 section 2.2.
func TestIntrospect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.signIn()
	got := w.postForm("/oauth2/introspect", url.Values{"token": {g.AccessToken}, "token_type_hint": {"access_token"}}, asGame())
	doc := decode[map[string]any](t, got, 200)
	for name, want := range map[string]any{
		"active": true, "scope": "play chat", "client_id": "game", "token_type": "Bearer", "sub": alice, "iss": service,
		"realm": "players", "player": alice, "user_id": alice, "iat": 1793534400., "exp": 1793541600.,
	} {
		if doc[name] != want {
			t.Errorf("%s = %v, want %v", name, doc[name], want)
		}
	}
	if doc["sid"] == nil || doc["jti"] == nil || strings.Contains(got.Body.String(), g.AccessToken) {
		t.Errorf("body %s", got.Body)
	}
	if d := w.last(); !d.Allowed || d.Caller != "game server" || d.PlayerID != alice {
		t.Errorf("decision %+v", d)
	}
}

func TestIntrospectOtherAudience(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := decode[grant](t, w.postForm("/oauth2/token", exchangeForm(w.identityToken(""), "audience=lobby")), 200)
	got := w.postForm("/oauth2/introspect", url.Values{"token": {g.AccessToken}}, asGame())
	if doc := decode[map[string]any](t, got, 200); doc["active"] != true {
		t.Errorf("a token for the second audience: %s", got.Body)
	}
}

func TestIntrospectInactive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.signIn()
	revoked := w.signIn()
	s := must(w.verifiers[0].Verify(t.Context(), revoked.AccessToken))(t)
	if err := w.ledger.RevokeSession(t.Context(), s, "test"); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		token  string
		reason jws.Reason
	}{
		"nonsense":       {"x", jws.Malformed},
		"forged":         {g.AccessToken[:len(g.AccessToken)-8] + "AAAAAAAA", jws.BadSignature},
		"identity token": {w.identityToken(""), jws.WrongType},
		"refresh token":  {g.RefreshToken, jws.Malformed},
		"revoked":        {revoked.AccessToken, jws.Revoked},
	} {
		got := w.postForm("/oauth2/introspect", url.Values{"token": {tt.token}}, asGame())
		if got.Code != 200 || got.Body.String() != `{"active":false}`+"\n" {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
		if d := w.last(); d.Allowed || jws.ReasonOf(d.Err) != tt.reason {
			t.Errorf("%s: the audit trail reads %v, want %s", name, d.Err, tt.reason)
		}
	}
}

func TestIntrospectUnavailable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.signIn().AccessToken
	w.config.Verifiers = append(w.config.Verifiers[:0:0], away{})
	w.build()
	got := w.postForm("/oauth2/introspect", url.Values{"token": {token}}, asGame())
	if f := decode[failure](t, got, 503); f.Error != "temporarily_unavailable" {
		t.Errorf("%+v: a token that nobody can judge is not inactive", f)
	}
}

func TestCallers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	form := url.Values{"token": {"x"}}
	tests := []struct {
		name    string
		headers []string
		status  int
		code    string
	}{
		{"form-encoded", []string{asGame()}, 200, ""},
		{"as it is", []string{basic("game server", gameSecret)}, 200, ""},
		{"the older secret", []string{basic("game server", "an older secret!")}, 200, ""},
		{"nobody", nil, 401, "invalid_client"},
		{"wrong secret", []string{basic("game server", gameSecret+"x")}, 401, "invalid_client"},
		{"another's secret", []string{basic("game server", operatorSecret)}, 401, "invalid_client"},
		{"unknown", []string{basic("nobody", gameSecret)}, 401, "invalid_client"},
		{"empty", []string{basic("", "")}, 401, "invalid_client"},
		{"bearer", []string{"Authorization: Bearer x"}, 401, "invalid_client"},
		{"twice", []string{asGame(), asGame()}, 401, "invalid_client"},
		{"may not", []string{asOperator()}, 403, "unauthorized_client"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := w.postForm("/oauth2/introspect", form, tt.headers...)
			if f := decode[failure](t, got, tt.status); f.Error != tt.code {
				t.Fatalf("%+v, want %q", f, tt.code)
			}
			if (got.Code == 401) != strings.HasPrefix(got.Header().Get("WWW-Authenticate"), "Basic realm=") {
				t.Errorf("WWW-Authenticate %q with %d", got.Header().Get("WWW-Authenticate"), got.Code)
			}
		})
	}
}

func TestWithoutCallersAllIsClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Callers = nil
	w.build()
	for _, path := range []string{"/oauth2/introspect", "/v1/ticket/redeem", "/v1/admin/revoke", "/v1/admin/cutoff", "/v1/admin/ban", "/v1/admin/unban", "/v1/admin/alias"} {
		if got := w.postForm(path, url.Values{"token": {"x"}}, basic("", "")); got.Code != 403 {
			t.Errorf("%s: %d, want 403", path, got.Code)
		}
	}
	if got := w.do(newGet("/v1/events"), basic("", "")); got.Code != 403 {
		t.Errorf("/v1/events: %d, want 403", got.Code)
	}
}

func TestSecretHashes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// printf 'operator-secret-0001' | sha256sum
	w.config.Callers = []tokenapi.Caller{{
		ID: "hashed", SecretHashes: []string{sha256Hex(operatorSecret)}, May: []tokenapi.Permission{tokenapi.MayIntrospect},
	}}
	w.build()
	if got := w.postForm("/oauth2/introspect", url.Values{"token": {"x"}}, basic("hashed", operatorSecret)); got.Code != 200 {
		t.Errorf("by hash: %d %s", got.Code, got.Body)
	}
	if got := w.postForm("/oauth2/introspect", url.Values{"token": {"x"}}, basic("hashed", sha256Hex(operatorSecret))); got.Code != 401 {
		t.Errorf("the hash is no secret: %d", got.Code)
	}
}
