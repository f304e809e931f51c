package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/clerk/clerk-sdk-go/v2"
)

func TestProgram(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"ins_1","n":%q,"e":"AQAB"}]}`, encode(key.N.Bytes()))
	}))
	defer api.Close()
	clerk.SetBackend(clerk.NewBackend(&clerk.BackendConfig{URL: clerk.String(api.URL), Key: clerk.String("sk_test_x")}))
	token := sign(t, key, fmt.Sprintf(`{"iss":"https://clerk.example.com","sub":"user_2abc","sid":"sess_1","iat":%d,"exp":%d}`, time.Now().Unix(), time.Now().Unix()+60))
	program := routes()
	for _, tt := range []struct {
		path, token string
		status      int
		body        string
	}{
		{"/", "", 200, "hello, whoever you are"},
		{"/", token, 200, "hello, user_2abc"},
		{"/protected", "", 403, ""},
		{"/protected", token, 200, `{"user_id":"user_2abc"}`},
		{"/manual", "", 401, ""},
		{"/manual", token, 200, `{"user_id":"user_2abc"}`},
	} {
		r := httptest.NewRequest("GET", tt.path, nil)
		if tt.token != "" {
			r.Header.Set("Authorization", "Bearer "+tt.token)
		}
		w := httptest.NewRecorder()
		program.ServeHTTP(w, r)
		if w.Code != tt.status || w.Body.String() != tt.body {
			t.Errorf("%s: %d %q, want %d %q", tt.path, w.Code, w.Body, tt.status, tt.body)
		}
	}
}

func sign(t *testing.T, key *rsa.PrivateKey, claims string) string {
	t.Helper()
	signed := encode([]byte(`{"alg":"RS256","kid":"ins_1","typ":"JWT"}`)) + "." + encode([]byte(claims))
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(signature)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
