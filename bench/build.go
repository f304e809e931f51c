package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

func (f *fixture) keys(p policy) (jws.StaticKeys, error) {
	key, err := jws.NewKey(p.kid, p.public)
	return jws.StaticKeys{key}, err
}

func (f *fixture) cognitoIssuer(cacheEntries int) (*identity.Issuer, error) {
	keys, err := f.keys(f.cognitoPolicy)
	if err != nil {
		return nil, err
	}
	return identity.NewCognito(identity.CognitoConfig{
		Common:     identity.Common{Realm: "players", Keys: keys, CacheEntries: cacheEntries},
		UserPoolID: poolID, ClientIDs: []string{clientID}, Uses: []identity.Use{identity.AccessToken},
	})
}

func (f *fixture) clerkIssuer(cacheEntries int) (*identity.Issuer, error) {
	keys, err := f.keys(f.clerkPolicy)
	if err != nil {
		return nil, err
	}
	return identity.NewClerk(identity.ClerkConfig{
		Common: identity.Common{Realm: "players", Keys: keys, CacheEntries: cacheEntries},
		Issuer: f.clerkPolicy.issuer, AuthorizedParties: []string{"https://play.example"},
	})
}

// nakamaVerifier verifies with a ledger, which every hit of the cache asks, too.
func (f *fixture) nakamaVerifier(cacheEntries int) (*session.Verifier, error) {
	ledger, err := session.NewLedger(session.LedgerConfig{Store: session.NewMemoryStore(), Policy: session.Available})
	if err != nil {
		return nil, err
	}
	if err := ledger.Load(context.Background()); err != nil {
		return nil, err
	}
	return session.NewNakamaVerifier(session.NakamaConfig{
		Realm: "players", Keys: [][]byte{f.secret}, Aliases: session.AliasOptional, Ledger: ledger, CacheEntries: cacheEntries,
	})
}

func (f *fixture) publicPEM() string {
	der, err := x509.MarshalPKIXPublicKey(&f.rsa.PublicKey)
	if err != nil {
		panic(err) // an RSA key always marshals
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// request serves one request over and over, so that its making is not measured.
func request(name string, handler http.Handler, token string) candidate {
	r := httptest.NewRequest(http.MethodGet, "/hello", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := &statusWriter{header: make(http.Header)}
	return candidate{name, func() error {
		clear(w.header)
		w.status = 0
		handler.ServeHTTP(w, r)
		if w.status != http.StatusNoContent {
			return errors.New("the request was refused")
		}
		return nil
	}}
}

// statusWriter keeps the status of an answer and nothing else.
type statusWriter struct {
	header http.Header
	status int
}

// Header returns the header that is kept between requests.
func (w *statusWriter) Header() http.Header { return w.header }

// Write takes a body without keeping it.
func (w *statusWriter) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader keeps the status.
func (w *statusWriter) WriteHeader(status int) { w.status = status }
