package tokenapi_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/tokenapi"
)

// guest is an identity verifier for examples; yours is from package identity.
type guest struct{}

func (guest) Verify(context.Context, string) (*identity.Identity, error) {
	return &identity.Identity{Player: identity.Player{Realm: "players", Subject: alice}, ClientID: "game"}, nil
}

// newAPI shows what a service is made of.
func newAPI() (*tokenapi.API, error) {
	signer, err := jws.NewSigner("2026-11", ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))) // yours is secret
	if err != nil {
		return nil, err
	}
	store := session.NewMemoryStore()
	ledger, err := session.NewLedger(session.LedgerConfig{Store: store, Policy: session.Grace})
	if err != nil {
		return nil, err
	}
	ring, err := session.NewKeyring(session.KeyringConfig{})
	if err != nil {
		return nil, err
	}
	if err := ring.Rotate(signer); err != nil {
		return nil, err
	}
	issuer, err := session.NewIssuer(session.IssuerConfig{
		Issuer: "https://auth.example", Audiences: []session.Audience{{Name: "arena"}}, Keys: ring, Ledger: ledger,
		Families: store, Identities: guest{}, Realms: []string{"players"},
	})
	if err != nil {
		return nil, err
	}
	verifier, err := session.NewVerifier(session.VerifierConfig{
		Issuer: "https://auth.example", Audience: "arena", Keys: ring, Realms: []string{"players"}, Ledger: ledger,
	})
	if err != nil {
		return nil, err
	}
	if err := ledger.Load(context.Background()); err != nil { // and "go ledger.Run(ctx)" in a real service
		return nil, err
	}
	return tokenapi.New(tokenapi.Config{
		Issuer: "https://auth.example", Realms: []string{"players"}, Sessions: issuer, Keys: ring, Ledger: ledger,
		Verifiers: []connect.SessionVerifier{verifier}, Origins: []string{"https://play.example"},
		Callers: []tokenapi.Caller{{
			ID: "game-server", Secrets: []string{"a random secret of 16 bytes or more"}, May: []tokenapi.Permission{tokenapi.MayIntrospect},
		}},
	})
}

func ExampleNew() {
	api, err := newAPI()
	if err != nil {
		panic(err)
	}
	form := url.Values{
		"grant_type":         {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token":      {"eyJ…"},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:id_token"},
		"audience":           {"arena"},
	}
	r := httptest.NewRequest("POST", "/oauth2/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	api.Handler().ServeHTTP(w, r)

	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		panic(err)
	}
	fmt.Println(w.Code, answer["token_type"], answer["issued_token_type"])
	// Output: 200 Bearer urn:ietf:params:oauth:token-type:access_token
}

func ExampleAPI_Introspect() {
	api, err := newAPI()
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest("POST", "/oauth2/introspect", strings.NewReader("token=eyJ…"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("game-server", "a random secret of 16 bytes or more")
	w := httptest.NewRecorder()
	api.Introspect().ServeHTTP(w, r)
	fmt.Print(w.Code, " ", w.Body)
	// Output: 200 {"active":false}
}

func ExampleAPI_JWKS() {
	api, err := newAPI()
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /keys", api.JWKS())
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/keys", nil))
	fmt.Println(w.Code, w.Header().Get("Cache-Control"))
	// Output: 200 public, max-age=3600
}

func ExampleIdentityHeaders() {
	for _, name := range tokenapi.IdentityHeaders()[:2] {
		variable := strings.ToLower(strings.ReplaceAll(name, "-", "_"))
		fmt.Printf("auth_request_set $%s $upstream_http_%[1]s; proxy_set_header %s $%[1]s;\n", variable, name)
	}
	// Output:
	// auth_request_set $x_auth_user $upstream_http_x_auth_user; proxy_set_header X-Auth-User $x_auth_user;
	// auth_request_set $x_auth_realm $upstream_http_x_auth_realm; proxy_set_header X-Auth-Realm $x_auth_realm;
}
