// Command clerk is a small program behind Clerk: a public route, a protected route by middleware, and a protected route by
// hand with a store of keys. The folder before has the same program with Clerk's own Go SDK.
//
// Its settings are environment variables:
//
//	CLERK_ISSUER       the instance's Frontend API URL, such as https://clerk.example.com (required)
//	CLERK_PARTIES      origins of the pages that may call it, separated by commas (required)
//	CLERK_SECRET_KEY   takes the keys from Clerk's backend API, as clerk.SetKey does
//	CLERK_API_URL      is that backend API, if it is not https://api.clerk.com/v1
//	CLERK_JWT_KEY      is the instance's public key as PEM: no request for keys is made
//
// With neither a secret key nor a PEM, the keys come from the issuer's own /.well-known/jwks.json, which needs no secret.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
)

func main() {
	config := settings(os.Getenv)
	clerk, err := identity.NewClerk(config)
	if err != nil {
		log.Fatal(err)
	}
	defer clerk.Close()
	handler, err := routes(clerk, config.Issuer, config.AuthorizedParties)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", handler))
}

// settings reads who issues the tokens and where their keys are.
func settings(getenv func(string) string) identity.ClerkConfig {
	return identity.ClerkConfig{
		Common:            identity.Common{Realm: "players"},
		Issuer:            getenv("CLERK_ISSUER"),
		SecretKey:         getenv("CLERK_SECRET_KEY"),
		BackendURL:        getenv("CLERK_API_URL"),
		PublicKeyPEM:      []byte(getenv("CLERK_JWT_KEY")),
		AuthorizedParties: strings.FieldsFunc(getenv("CLERK_PARTIES"), func(r rune) bool { return r == ',' }),
	}
}

func routes(clerk *identity.Issuer, issuer string, parties []string) (http.Handler, error) {
	guard, err := connect.New(connect.Config{Identities: clerk})
	if err != nil {
		return nil, err
	}
	store, err := newKeyStore(issuer + "/.well-known/jwks.json")
	if err != nil {
		return nil, err
	}
	byHand, err := newManual(issuer, parties, store)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", guard.Allow()(http.HandlerFunc(public)))
	mux.Handle("/protected", guard.Require()(http.HandlerFunc(protected)))
	mux.Handle("/manual", byHand)
	return mux, nil
}

func public(w http.ResponseWriter, r *http.Request) {
	if id, ok := connect.IdentityFromContext(r.Context()); ok {
		fmt.Fprintf(w, "hello, %s", id.Subject)
		return
	}
	fmt.Fprint(w, "hello, whoever you are")
}

func protected(w http.ResponseWriter, r *http.Request) {
	id, ok := connect.IdentityFromContext(r.Context())
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	fmt.Fprintf(w, `{"user_id":%q}`, id.Subject)
}
