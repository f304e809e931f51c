package main

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
)

const secretKey = "sk_test_example"

// instance stands for a Clerk instance: its Frontend API and the backend API with their key sets.
type instance struct {
	*httptest.Server
	key     atomic.Pointer[jws.Key]
	fetches atomic.Int32
}

func newInstance(t *testing.T) *instance {
	t.Helper()
	i := new(instance)
	i.rotate(t, "ins_1", "rsa-1")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/jwks.json", i.serveKeys)
	mux.HandleFunc("GET /v1/jwks", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+secretKey {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		i.serveKeys(w, r)
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func (i *instance) rotate(t *testing.T, kid, name string) {
	t.Helper()
	key, err := jws.NewKey(kid, testvectors.PrivateKey(t, name).Public())
	if err != nil {
		t.Fatal(err)
	}
	i.key.Store(key)
}

func (i *instance) serveKeys(w http.ResponseWriter, _ *http.Request) {
	i.fetches.Add(1)
	set, err := jws.MarshalJWKSet(i.key.Load())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(set)
}

// token signs a session token as Clerk does, with its header parameter cat.
func (i *instance) token(t *testing.T, kid, name, more string) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	now := time.Now().Unix()
	header := fmt.Sprintf(`{"alg":"RS256","cat":%q,"kid":%q,"typ":"JWT"}`, identity.ClerkSessionTokens, kid)
	claims := fmt.Sprintf(`{"v":2,"iss":%q,"sub":"user_2abc","sid":"sess_1","azp":"https://play.example","sts":"active","iat":%d,"nbf":%d,"exp":%d%s}`, i.URL, now, now, now+60, more)
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	sum := sha256.Sum256([]byte(signed))
	signature, err := testvectors.PrivateKey(t, name).Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(signature)
}

// program starts the routes as main does, by environment variables.
func (i *instance) program(t *testing.T, more map[string]string) http.Handler {
	t.Helper()
	env := map[string]string{"CLERK_ISSUER": i.URL, "CLERK_PARTIES": "https://play.example,https://www.example"}
	for name, value := range more {
		env[name] = value
	}
	config := settings(func(name string) string { return env[name] })
	clerk, err := identity.NewClerk(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(clerk.Close)
	handler, err := routes(clerk, config.Issuer, config.AuthorizedParties)
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func get(handler http.Handler, path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func publicPEM(t *testing.T, name string) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(testvectors.PrivateKey(t, name).Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func TestProgram(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	token := i.token(t, "ins_1", "rsa-1", "")
	foreign := i.token(t, "ins_1", "rsa-2", "")
	for name, env := range map[string]map[string]string{
		"by issuer":     nil,
		"by PEM":        {"CLERK_JWT_KEY": publicPEM(t, "rsa-1")},
		"by secret key": {"CLERK_SECRET_KEY": secretKey, "CLERK_API_URL": i.URL + "/v1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := i.program(t, env)
			for _, tt := range []struct {
				path, token string
				status      int
				body        string
			}{
				{"/", "", 200, "hello, whoever you are"},
				{"/", token, 200, "hello, user_2abc"},
				{"/protected", token, 200, `{"user_id":"user_2abc"}`},
				{"/manual", token, 200, `{"user_id":"user_2abc"}`},
				{"/protected", "", 401, ""},
				{"/protected", "x", 401, ""},
				{"/protected", foreign, 401, ""},
				{"/protected", i.token(t, "ins_1", "rsa-1", `,"act":{"sub":"user_3"}`)[:40], 401, ""},
				{"/manual", "", 401, ""},
				{"/manual", foreign, 401, ""},
				{"/", foreign, 401, ""},
			} {
				got := get(program, tt.path, tt.token)
				if got.Code != tt.status || tt.body != "" && got.Body.String() != tt.body {
					t.Errorf("%s: %d %q, want %d %q", tt.path, got.Code, got.Body, tt.status, tt.body)
				}
			}
		})
	}
}

// A token that was made for another site's page is refused by the middleware and by hand.
func TestAuthorizedParties(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	program := i.program(t, map[string]string{"CLERK_PARTIES": "https://other.example"})
	for _, path := range []string{"/", "/protected", "/manual"} {
		if got := get(program, path, i.token(t, "ins_1", "rsa-1", "")); got.Code != 401 {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
}

func TestKeyStore(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	store, err := newKeyStore(i.URL + "/.well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	manual, err := newManual(i.URL, []string{"https://play.example"}, store)
	if err != nil {
		t.Fatal(err)
	}
	old := i.token(t, "ins_1", "rsa-1", "")
	for range 3 {
		if got := get(manual, "/", old); got.Code != 200 {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
		if got := get(manual, "/", i.token(t, "ins_9", "rsa-2", "")); got.Code != 401 {
			t.Fatalf("an unknown key: %d", got.Code)
		}
	}
	if n := i.fetches.Load(); n != 1 {
		t.Errorf("%d fetches, want 1: unknown keys within the pause must not fetch", n)
	}
	i.rotate(t, "ins_2", "rsa-2")
	store.tried = time.Now().Add(-2 * fetchPause)
	if got := get(manual, "/", i.token(t, "ins_2", "rsa-2", "")); got.Code != 200 {
		t.Errorf("after the rotation: %d", got.Code)
	}
	if got := get(manual, "/", old); got.Code != 401 {
		t.Errorf("a key that is gone is still trusted: %d", got.Code)
	}
	i.Close()
	store.fetched, store.tried = time.Time{}, time.Time{}
	for range 2 {
		if got := get(manual, "/", i.token(t, "ins_2", "rsa-2", `,"x":1`)); got.Code != 503 {
			t.Errorf("with Clerk away and the set too old: %d, want 503", got.Code)
		}
	}
}

func TestSettingsAreRequired(t *testing.T) {
	t.Parallel()
	if _, err := identity.NewClerk(settings(func(string) string { return "" })); err == nil {
		t.Error("without settings the program must not start")
	}
	if _, err := newKeyStore("/jwks.json"); err == nil {
		t.Error("a path is no address")
	}
}
