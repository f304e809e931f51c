package devidp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestLoopbackOnly(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	for _, c := range []struct {
		peer, host string
		want       int
	}{
		{"127.0.0.1:50000", "127.0.0.1:9229", 200},
		{"127.0.0.1:50000", "localhost", 200},
		{"127.0.0.1:50000", "LOCALHOST:9229", 200},
		{"[::1]:50000", "[::1]:9229", 200},
		{"[::ffff:127.0.0.1]:50000", "[::1]", 200},
		{"192.0.2.1:50000", "127.0.0.1:9229", 403},
		{"10.0.0.5:50000", "localhost:9229", 403},
		{"127.0.0.1:50000", "rebound.example:9229", 403},
		{"127.0.0.1:50000", "127.0.0.1.rebound.example", 403},
		{"127.0.0.1:50000", "", 403},
		{"@", "127.0.0.1:9229", 403},
	} {
		r := httptest.NewRequest(http.MethodGet, "/"+poolID+"/.well-known/jwks.json", http.NoBody)
		r.RemoteAddr, r.Host = c.peer, c.host
		r.Header.Set("X-Forwarded-For", "127.0.0.1")
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("from %s to %q: %d, want %d", c.peer, c.host, w.Code, c.want)
		}
	}
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodOptions, "/", http.NoBody)
	r.Header.Set("Origin", "http://localhost:3000")
	r.Header.Set("Access-Control-Request-Method", "POST")
	h := newPool(t, nil).do(r).Header()
	if h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST") {
		t.Errorf("headers are %v", h)
	}
	for _, name := range []string{"Content-Type", "X-Amz-Target", "X-Amz-User-Agent", "Cache-Control", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request"} {
		if !strings.Contains(h.Get("Access-Control-Allow-Headers"), name) {
			t.Errorf("browsers may not send %s", name)
		}
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	for _, c := range []struct{ method, path string }{
		{"GET", "/"},
		{"POST", "/elsewhere"},
		{"GET", "/local_Other/.well-known/jwks.json"},
		{"POST", "/" + poolID + "/.well-known/jwks.json"},
		{"GET", "/devidp/"},
		{"POST", "/devidp/codes"},
		{"GET", "/oauth2/authorize"},
	} {
		if w := p.do(httptest.NewRequest(c.method, c.path, http.NoBody)); w.Code != http.StatusNotFound {
			t.Errorf("%s %s answers %d", c.method, c.path, w.Code)
		}
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	for _, body := range []string{"", "[]", "{", `{"ClientId":7}`, `{"a":"` + strings.Repeat("x", 64<<10) + `"}`} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.SignUp")
		if w := p.do(r); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "SerializationException") {
			t.Errorf("a body of %d bytes answers %d %s", len(body), w.Code, w.Body)
		}
	}
}

func TestCodesOverHTTP(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	p.must("ForgotPassword", m{"ClientId": "game", "Username": "alice"})
	get := func(name, value string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/devidp/codes?username=alice", http.NoBody)
		if name != "" {
			r.Header.Set(name, value)
		}
		return p.do(r)
	}
	var out struct {
		Codes []struct{ Username, Purpose, Code, Destination, Expires string }
	}
	for _, w := range []*httptest.ResponseRecorder{get("", ""), get("Sec-Fetch-Site", "none")} {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || len(out.Codes) != 1 {
			t.Fatalf("codes are %s (%v)", w.Body, err)
		}
	}
	if c := out.Codes[0]; c.Code != p.code("alice") || c.Purpose != "forgot_password" || c.Expires != "2026-11-01T13:00:00Z" || c.Destination != "alice@example.com" {
		t.Errorf("code is %+v", c)
	}
	for name, value := range map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"} {
		if w := get(name, value); w.Code != http.StatusForbidden || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("a web page (%s: %s) gets %d %v", name, value, w.Code, w.Header())
		}
	}
	w := p.do(httptest.NewRequest(http.MethodGet, "/devidp/codes?username=nobody", http.NoBody))
	if got := strings.TrimSpace(w.Body.String()); got != `{"codes":[]}` {
		t.Errorf("the codes of nobody are %s", got)
	}
}

// FuzzAPI feeds every operation: whatever comes, the answer is JSON, and no server error.
func FuzzAPI(f *testing.F) {
	p := newPool(f, nil)
	for _, operation := range []string{"SignUp", "InitiateAuth", "RespondToAuthChallenge", "RevokeToken", "GetUser", "X"} {
		f.Add(operation, `{}`)
	}
	f.Add("SignUp", `{"ClientId":"game","Username":"bob","Password":"Correct-horse-1","UserAttributes":[{"Name":"custom:a","Value":"b"}]}`)
	f.Add("InitiateAuth", `{"ClientId":"game","AuthFlow":"USER_SRP_AUTH","AuthParameters":{"USERNAME":"alice","SRP_A":"2"}}`)
	f.Add("RespondToAuthChallenge", `{"ClientId":"game","ChallengeName":"PASSWORD_VERIFIER","ChallengeResponses":{"USERNAME":"alice",`+
		`"PASSWORD_CLAIM_SECRET_BLOCK":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","TIMESTAMP":"Sun Nov 1 12:00:00 UTC 2026","PASSWORD_CLAIM_SIGNATURE":"AAAA"}}`)
	f.Add("ConfirmForgotPassword", `{"ClientId":"game","Username":"alice","ConfirmationCode":"1","Password":"Correct-horse-1"}`)
	f.Fuzz(func(t *testing.T, operation, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
		w := p.do(r)
		if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%s %q answers %d %s", operation, body, w.Code, w.Body)
		}
	})
}
