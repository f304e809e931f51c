package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/server/internal/app"
)

// provider is an identity provider whose key set the test changes.
type provider struct {
	*httptest.Server
	keys    atomic.Pointer[[]*jws.Key]
	fetches atomic.Int32
	down    atomic.Bool
}

func newProvider(t *testing.T, keys ...*jws.Key) *provider {
	p := new(provider)
	p.keys.Store(&keys)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.fetches.Add(1)
		set, err := jws.MarshalJWKSet(*p.keys.Load()...)
		if err != nil || p.down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = w.Write(set)
	}))
	t.Cleanup(p.Close)
	return p
}

// configuration is a server for the provider's tokens.
func (p *provider) configuration() string {
	return fmt.Sprintf(`issuer: https://auth.example.com
store: {type: memory}
issuers:
  - {type: oidc, realm: sso, issuer: %[1]q, audiences: [game], jwks_url: "%[1]s/keys"}
sessions: {audiences: [{name: arena}], key_file: keys.json}
`, p.URL)
}

func signer(t *testing.T, name string) *jws.Signer {
	t.Helper()
	s, err := jws.NewSigner(name, testvectors.PrivateKey(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// exchange shows the server an identity token of the provider, signed by s under its own kid, and returns the answer.
func (p *provider) exchange(t *testing.T, a *app.App, s *jws.Signer) *httptest.ResponseRecorder {
	t.Helper()
	now := time.Now().Unix()
	token, err := s.Sign("JWT", fmt.Appendf(nil, `{"iss":%q,"aud":"game","sub":"alice","iat":%d,"exp":%d}`, p.URL, now, now+600))
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/oauth2/token", strings.NewReader(url.Values{
		"grant_type":         {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:id_token"},
		"subject_token":      {token},
	}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

// TestReloadKeepsKeys reloads while the issuer is down: its known keys go on, because nothing about it has changed.
func TestReloadKeepsKeys(t *testing.T) {
	key := signer(t, "p256-1")
	p := newProvider(t, key.Key())
	dir := folder(t)
	a, out := start(t, dir, p.configuration())
	if w := p.exchange(t, a, key); w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	p.down.Store(true)
	if err := a.Reload(parse(t, dir, p.configuration()+"photon: {tokens: session, secrets: [0123456789abcdef]}\n")); err != nil {
		t.Fatal(err)
	}
	if w := p.exchange(t, a, key); w.Code != http.StatusOK {
		t.Errorf("after a reload: status %d: %s", w.Code, w.Body)
	}
	if err := a.Reload(parse(t, dir, strings.Replace(p.configuration(), "[game]", "[game, lobby]", 1))); err != nil {
		t.Fatal(err)
	}
	if w := p.exchange(t, a, key); w.Code != http.StatusServiceUnavailable {
		t.Errorf("an issuer with other fields has the keys of the one before: status %d: %s", w.Code, w.Body)
	}
	if strings.Contains(out.String(), "the key set was closed") {
		t.Errorf("log %s", out)
	}
}

// TestKeyEvents rotates the issuer's keys and then floods the server with tokens of unknown keys: a line for each.
func TestKeyEvents(t *testing.T) {
	first, second, stranger := signer(t, "p256-1"), signer(t, "p256-2"), testvectors.PrivateKey(t, "rsa-1")
	p := newProvider(t, first.Key())
	a, out := start(t, folder(t), p.configuration())
	if w := p.exchange(t, a, first); w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	p.keys.Store(&[]*jws.Key{second.Key()})
	if w := p.exchange(t, a, second); w.Code != http.StatusOK {
		t.Errorf("after the rotation: status %d: %s", w.Code, w.Body)
	}
	for i := range 100 {
		unknown, err := jws.NewSigner("unknown-"+strconv.Itoa(i), stranger)
		if err != nil {
			t.Fatal(err)
		}
		if w := p.exchange(t, a, unknown); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "unknown_key") {
			t.Fatalf("an unknown key: status %d: %s", w.Code, w.Body)
		}
	}
	if w := p.exchange(t, a, second); w.Code != http.StatusOK {
		t.Errorf("during the flood: status %d: %s", w.Code, w.Body)
	}
	if n := p.fetches.Load(); n > 6 {
		t.Errorf("%d fetches", n)
	}
	for text, want := range map[string]int{
		`"msg":"the issuer's keys have changed","issuer":"oidc","realm":"sso","url":"` + p.URL + `/keys","added":1,"removed":1,"keys":1`: 1,
		`"msg":"a flood of tokens with unknown keys: most are refused without asking the issuer","issuer":"oidc","realm":"sso"`:          1,
		`"msg":"the issuer's keys have changed"`: 1,
		"flood":                                  1,
	} {
		if n := strings.Count(out.String(), text); n != want {
			t.Errorf("%d lines with %s\n%s", n, text, out)
		}
	}
}
