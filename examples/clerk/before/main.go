// Command before is the program of the folder above as it is written with Clerk's own Go SDK: a public route, a protected
// route by middleware, and a protected route by hand with a store of keys. It is here to be compared, and compiled so
// that the comparison stays true.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/clerk/clerk-sdk-go/v2"
	clerkhttp "github.com/clerk/clerk-sdk-go/v2/http"
	"github.com/clerk/clerk-sdk-go/v2/jwks"
	"github.com/clerk/clerk-sdk-go/v2/jwt"
)

func main() {
	clerk.SetKey(os.Getenv("CLERK_SECRET_KEY"))
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", routes()))
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", clerkhttp.WithHeaderAuthorization()(http.HandlerFunc(public)))
	mux.Handle("/protected", clerkhttp.RequireHeaderAuthorization()(http.HandlerFunc(protected)))
	mux.Handle("/manual", manual(&keyStore{keys: make(map[string]*clerk.JSONWebKey)}))
	return mux
}

func public(w http.ResponseWriter, r *http.Request) {
	if claims, ok := clerk.SessionClaimsFromContext(r.Context()); ok {
		fmt.Fprintf(w, "hello, %s", claims.Subject)
		return
	}
	fmt.Fprint(w, "hello, whoever you are")
}

func protected(w http.ResponseWriter, r *http.Request) {
	claims, ok := clerk.SessionClaimsFromContext(r.Context())
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	fmt.Fprintf(w, `{"user_id":%q}`, claims.Subject)
}

// manual verifies without the middleware, with keys from a store of one's own.
func manual(store *keyStore) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		unverified, err := jwt.Decode(r.Context(), &jwt.DecodeParams{Token: token})
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		key, err := store.get(r.Context(), unverified.KeyID)
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		claims, err := jwt.Verify(r.Context(), &jwt.VerifyParams{Token: token, JWK: key})
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"user_id":%q}`, claims.Subject)
	})
}

// keyStore remembers keys for ever.
type keyStore struct {
	mu   sync.Mutex
	keys map[string]*clerk.JSONWebKey
}

func (s *keyStore) get(ctx context.Context, kid string) (*clerk.JSONWebKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key := s.keys[kid]; key != nil {
		return key, nil
	}
	key, err := jwt.GetJSONWebKey(ctx, &jwt.GetJSONWebKeyParams{KeyID: kid, JWKSClient: &jwks.Client{Backend: clerk.GetBackend()}})
	if err != nil {
		return nil, err
	}
	s.keys[kid] = key
	return key, nil
}
