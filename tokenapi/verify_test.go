package tokenapi_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/tokenapi"
)

// forward turns on /verify for a proxy, with every kind of source.
func (w *world) forward(proxy tokenapi.Proxy, change ...func(*tokenapi.ForwardAuth)) {
	w.tb.Helper()
	guard := must(connect.New(connect.Config{
		Sessions: w.verifiers[0], Identities: w.identities, SessionIssuer: service,
		Sources: []connect.Source{
			connect.Bearer(), connect.Query("token"),
			connect.Cookie(connect.CookieConfig{Name: "s", Origins: []string{page}}),
		},
	}))(w.tb)
	w.config.Forward = &tokenapi.ForwardAuth{Proxy: proxy, Guard: guard}
	for _, c := range change {
		c(w.config.Forward)
	}
	w.build()
}

// ask makes the proxy's request about another one.
func ask(proxy tokenapi.Proxy, method, uri string) *http.Request {
	switch proxy {
	case tokenapi.Envoy:
		return httptest.NewRequest(method, "/verify"+uri, nil)
	case tokenapi.Nginx:
		r := httptest.NewRequest("GET", "/verify", nil)
		r.Header.Set("X-Original-Method", method)
		r.Header.Set("X-Original-URI", uri)
		return r
	}
	r := httptest.NewRequest("GET", "/verify?from=the-proxy", nil)
	r.Header.Set("X-Forwarded-Method", method)
	r.Header.Set("X-Forwarded-Uri", uri)
	return r
}

var proxies = []tokenapi.Proxy{tokenapi.Nginx, tokenapi.Traefik, tokenapi.Caddy, tokenapi.Envoy}

func TestVerify(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.signIn().AccessToken
	tests := []struct {
		name        string
		method, uri string
		headers     []string
		status      int
	}{
		{"bearer", "POST", "/play", []string{"Authorization: Bearer " + token}, 200},
		{"query", "GET", "/ws?token=" + token, nil, 200},
		{"odd path", "GET", "/a//b/../c?token=" + token, nil, 200},
		{"identity token", "GET", "/", []string{"Authorization: Bearer " + w.identityToken("")}, 200},
		{"none", "GET", "/", nil, 401},
		{"bad", "GET", "/", []string{"Authorization: Bearer x"}, 401},
		{"two tokens", "GET", "/?token=x", []string{"Authorization: Bearer " + token}, 401},
		{"cookie to read", "GET", "/", []string{"Cookie: s=" + token}, 200},
		{"cookie to write, from our page", "POST", "/", []string{"Cookie: s=" + token, "Origin: " + page}, 200},
		{"cookie to write, from elsewhere", "POST", "/", []string{"Cookie: s=" + token, "Origin: https://evil.example"}, 403},
		{"cookie for a socket, from elsewhere", "GET", "/", []string{"Cookie: s=" + token, "Sec-WebSocket-Key: x", "Origin: https://evil.example"}, 403},
	}
	for _, proxy := range proxies {
		w.forward(proxy)
		for _, tt := range tests {
			t.Run(string(proxy)+"/"+tt.name, func(t *testing.T) {
				got := w.do(ask(proxy, tt.method, tt.uri), tt.headers...)
				if got.Code != tt.status {
					t.Fatalf("status %d, want %d: %s", got.Code, tt.status, got.Body)
				}
				if got.Code == 401 && got.Header().Get("WWW-Authenticate") == "" {
					t.Error("401 without a challenge")
				}
				if got.Code != 200 && got.Body.Len() > 0 {
					if f := decode[failure](t, got, tt.status); f.Status != tt.status {
						t.Errorf("the body says %d (RFC 9457 section 3.1.3)", f.Status)
					}
				}
				if d := w.last(); d.Allowed != (tt.status == 200) || d.Status != tt.status {
					t.Errorf("decision %+v", d)
				}
			})
		}
	}
}

// What another proxy would use as the original request is a header of the client's.
func TestVerifyReadsOneSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.signIn().AccessToken
	for _, proxy := range proxies {
		w.forward(proxy)
		r := ask(proxy, "GET", "/")
		for _, name := range []string{"X-Original-URI", "X-Forwarded-Uri", "X-Original-Url", "X-Rewrite-Url", "Forwarded"} {
			if r.Header.Get(name) == "" {
				r.Header.Set(name, "/?token="+token)
			}
		}
		if got := w.do(r); got.Code != 401 {
			t.Errorf("%s: a token in another proxy's header: %d, want 401", proxy, got.Code)
		}
	}
	w.forward(tokenapi.Nginx)
	twice := ask(tokenapi.Nginx, "GET", "/")
	twice.Header.Add("X-Original-URI", "/?token="+token)
	absent := httptest.NewRequest("GET", "/verify?token="+token, nil)
	notAPath := ask(tokenapi.Nginx, "GET", "http://evil.example/?token="+token)
	for name, r := range map[string]*http.Request{"twice": twice, "absent": absent, "no path": notAPath} {
		if got := w.do(r); got.Code != 401 || jws.ReasonOf(w.last().Err) != connect.InvalidRequest {
			t.Errorf("%s: %d, %v", name, got.Code, w.last().Err)
		}
	}
	if got := w.do(httptest.NewRequest("POST", "/verify", nil)); got.Code != 405 || got.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("nginx asks with GET: %d", got.Code)
	}
}

func TestVerifySetsEveryHeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	more := `,"scope":"play chat","groups":["a,b","ü"],"preferred_username":"Ann Ö\n"`
	form := exchangeForm(w.identityToken(more))
	token := decode[grant](t, w.postForm("/oauth2/token", form), 200).AccessToken
	w.forward(tokenapi.Traefik, func(f *tokenapi.ForwardAuth) { f.AllowAnonymous = true })
	spoofed := []string{"X-Auth-User: root", "X-Auth-Roles: admin", "X_auth_user: root", "X-Auth-Groups: admin"}
	known := w.do(ask(tokenapi.Traefik, "GET", "/"), append(spoofed, "Authorization: Bearer "+token)...)
	want := map[string]string{
		"X-Auth-User": alice, "X-Auth-Realm": "players", "X-Auth-Subject": alice, "X-Auth-Username": "Ann %C3%96%0A",
		"X-Auth-Client": "game", "X-Auth-Issuer": service, "X-Auth-Groups": "a%2Cb,%C3%BC", "X-Auth-Roles": "",
		"X-Auth-Scopes": "play,chat", "X-Auth-Expires": "1793541600",
	}
	for name, value := range want {
		if got := known.Header()[name]; len(got) != 1 || got[0] != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	if len(known.Header()["X-Auth-Session"][0]) != 36 {
		t.Errorf("X-Auth-Session %q", known.Header()["X-Auth-Session"])
	}
	anonymous := w.do(ask(tokenapi.Traefik, "GET", "/"), spoofed...)
	if anonymous.Code != 200 {
		t.Fatalf("anonymous: %d", anonymous.Code)
	}
	for _, name := range tokenapi.IdentityHeaders() {
		if got := anonymous.Header()[name]; len(got) != 1 || got[0] != "" {
			t.Errorf("anonymous %s: %q, want it there and empty", name, got)
		}
	}
	if got := w.do(ask(tokenapi.Traefik, "GET", "/"), "Authorization: Bearer x"); got.Code != 401 {
		t.Errorf("a bad token turns into nobody: %d", got.Code)
	}
}

func TestVerifyRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.signIn().AccessToken
	w.forward(tokenapi.Caddy, func(f *tokenapi.ForwardAuth) { f.Rules = []connect.Rule{connect.Scope("moderate")} })
	got := w.do(ask(tokenapi.Caddy, "GET", "/"), "Authorization: Bearer "+token)
	if got.Code != 403 || !strings.Contains(got.Header().Get("WWW-Authenticate"), `scope="moderate"`) {
		t.Errorf("%d %v", got.Code, got.Header())
	}
}

// A banned player's identity token is still good by itself.
func TestVerifyAsksTheLedgerAboutIdentities(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.forward(tokenapi.Traefik, func(f *tokenapi.ForwardAuth) { f.AllowAnonymous = true })
	bearer := "Authorization: Bearer " + w.identityToken("")
	if err := w.ledger.Ban(t.Context(), identity.Player{Realm: "players", Subject: alice}, "test", time.Time{}); err != nil {
		t.Fatal(err)
	}
	got := w.do(ask(tokenapi.Traefik, "GET", "/"), bearer)
	if got.Code != 403 || got.Header().Get("X-Auth-User") != "" || jws.ReasonOf(w.last().Err) != jws.Banned {
		t.Errorf("%d %v: %v", got.Code, got.Header(), w.last().Err)
	}
}

// A handshake that Caddy passes on is answered as plain HTTP: the connection is not taken over.
func TestVerifyAnswersUpgradesPlainly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.signIn().AccessToken
	w.forward(tokenapi.Caddy)
	server := httptest.NewServer(w.api)
	defer server.Close()
	conn := must(net.Dial("tcp", server.Listener.Addr().String()))(t)
	defer conn.Close()
	in := bufio.NewReader(conn)
	for _, tt := range []struct {
		token  string
		status int
	}{{token, 200}, {"x", 401}, {token, 200}} {
		fmt.Fprintf(conn, "GET /verify HTTP/1.1\r\nHost: auth\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Uri: /ws\r\nAuthorization: Bearer %s\r\n\r\n", tt.token)
		got := must(http.ReadResponse(in, nil))(t)
		if got.StatusCode != tt.status || got.Header.Get("Upgrade") != "" {
			t.Errorf("status %d, Upgrade %q", got.StatusCode, got.Header.Get("Upgrade"))
		}
		if _, err := bufio.NewReader(got.Body).Discard(int(max(got.ContentLength, 0))); err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
	}
}

// Of a request with two tokens only the challenge is left: 400 would be 500 behind nginx.
func TestVerifyOfMalformedRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.forward(tokenapi.Caddy)
	got := w.do(ask(tokenapi.Caddy, "GET", "/?token=x"), "Authorization: Bearer y")
	if got.Code != 401 || got.Body.Len() > 0 || got.Header().Get("Content-Type") != "" || !strings.Contains(got.Header().Get("WWW-Authenticate"), `error="invalid_request"`) {
		t.Errorf("%d %v %s", got.Code, got.Header(), got.Body)
	}
}

func TestVerifyUnavailable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	guard := must(connect.New(connect.Config{Sessions: away{}}))(t)
	w.config.Forward = &tokenapi.ForwardAuth{Proxy: tokenapi.Traefik, Guard: guard, AllowAnonymous: true}
	w.build()
	got := w.do(ask(tokenapi.Traefik, "GET", "/"), "Authorization: Bearer x")
	if got.Code != 503 || got.Header().Get("X-Auth-User") != "" {
		t.Errorf("%d: a store that is away is no open door", got.Code)
	}
}
