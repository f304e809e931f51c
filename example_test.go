package sallyport_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/devidp"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/srp"
)

// The whole way of a token: a player signs in with SRP, the identity token is exchanged for a session, the session opens
// a protected route, the player signs out, and the same session is refused.
func Example() {
	ctx := context.Background()

	// The identity provider. In production this is a Cognito user pool, Clerk, or any OpenID Connect issuer.
	endpoint, closeProvider := provider()
	defer closeProvider()

	// Who is it?
	players, err := identity.NewCognito(identity.CognitoConfig{
		Common:     identity.Common{Realm: "players"},
		UserPoolID: "local_Arena",
		ClientIDs:  []string{"game"},
		Uses:       []identity.Use{identity.AccessToken},
		Endpoint:   endpoint, // leave it out for AWS
	})
	check(err)
	defer players.Close()

	// May it play?
	store := session.NewMemoryStore()
	ledger, err := session.NewLedger(session.LedgerConfig{Store: store, Policy: session.Grace})
	check(err)
	check(ledger.Load(ctx)) // a service calls Run in a goroutine, too
	keys := keyring()
	issuer, err := session.NewIssuer(session.IssuerConfig{
		Issuer:     "https://auth.example.com",
		Audiences:  []session.Audience{{Name: "arena"}},
		Keys:       keys,
		Ledger:     ledger,
		Families:   store,
		Identities: players,
		Realms:     []string{"players"},
	})
	check(err)

	// Is it still so?
	sessions, err := session.NewVerifier(session.VerifierConfig{
		Issuer:   "https://auth.example.com",
		Audience: "arena",
		Keys:     keys,
		Realms:   []string{"players"},
		Ledger:   ledger,
	})
	check(err)
	guard, err := connect.New(connect.Config{Sessions: sessions})
	check(err)
	route := guard.Require()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := connect.SessionFromContext(r.Context())
		fmt.Fprintf(w, "hello %s", s.Username)
	}))

	tokens, err := srp.Login(ctx, srp.LoginConfig{
		UserPoolID: "local_Arena", ClientID: "game", Username: "alice", Password: "Correct-horse-1", Endpoint: endpoint,
	})
	check(err)
	grant, err := issuer.Exchange(ctx, session.ExchangeRequest{SubjectToken: tokens.AccessToken, Audience: "arena"})
	check(err)
	fmt.Println(get(route, grant.AccessToken))

	check(ledger.RevokeSession(ctx, grant.Session, "signed out"))
	fmt.Println(get(route, grant.AccessToken))
	_, err = issuer.Exchange(ctx, session.ExchangeRequest{SubjectToken: tokens.AccessToken, Audience: "arena"})
	fmt.Println(errors.Is(err, jws.Revoked))

	// Output:
	// 200 hello alice
	// 401 Bearer realm="sallyport", error="invalid_token", error_description="The token was revoked. Sign in again."
	// true
}

func provider() (endpoint string, closeProvider func()) {
	server := httptest.NewUnstartedServer(nil)
	endpoint = "http://" + server.Listener.Addr().String()
	idp, err := devidp.New(devidp.Config{
		Endpoint:   endpoint,
		UserPoolID: "local_Arena",
		Clients:    []devidp.Client{{ID: "game"}},
		Users:      []devidp.User{{Username: "alice", Password: "Correct-horse-1"}},
	})
	check(err)
	server.Config.Handler = idp
	server.Start()
	return endpoint, server.Close
}

func keyring() *session.Keyring {
	_, private, err := ed25519.GenerateKey(nil)
	check(err)
	signer, err := jws.NewSigner("2026-11", private)
	check(err)
	now := time.Now()
	ring, err := session.NewKeyring(session.KeyringConfig{Keys: []session.KeyEntry{{Signer: signer, Published: now, Signs: now}}})
	check(err)
	return ring
}

func get(route http.Handler, token string) string {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	route.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return fmt.Sprint(w.Code, " ", w.Header().Get("WWW-Authenticate"))
	}
	return fmt.Sprint(w.Code, " ", w.Body)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
