package jwks_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

const keysURL = "https://issuer.example/keys"

// issuer is the other side without a network: a client's transport that answers by itself.
type issuer struct {
	mu       sync.Mutex
	requests []*http.Request
	handler  http.HandlerFunc
	delay    time.Duration
}

// publishing returns an issuer that serves these keys.
func publishing(t testing.TB, keys ...*jws.Key) *issuer {
	i := &issuer{}
	i.publish(t, keys...)
	return i
}

// publish replaces what the issuer serves.
func (i *issuer) publish(t testing.TB, keys ...*jws.Key) {
	t.Helper()
	set, err := jws.MarshalJWKSet(keys...)
	if err != nil {
		t.Fatal(err)
	}
	i.serve(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) })
}

func (i *issuer) serve(handler http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handler = handler
}

// fail makes the issuer answer with an error status, and a body that must not come back in an error.
func (i *issuer) fail(status int) {
	i.serve(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"keys":[],"error":%q}`, marker)
	})
}

// RoundTrip implements http.RoundTripper.
func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	i.mu.Lock()
	i.requests = append(i.requests, r)
	handler, delay := i.handler, i.delay
	i.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	recorder := httptest.NewRecorder()
	handler(recorder, r)
	response := recorder.Result()
	response.Request = r
	return response, nil
}

// expectFetches fails the test unless there were that many requests since the last call.
func (i *issuer) expectFetches(t testing.TB, want int, when string) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	if got := len(i.requests); got != want {
		t.Errorf("%s: %d fetches, want %d", when, got, want)
	}
	i.requests = nil
}

// newSet makes a set that fetches from the issuer. It is closed when the test ends.
func newSet(t testing.TB, i *issuer, config jwks.Config) *jwks.Set {
	t.Helper()
	config.Client = &http.Client{Transport: i}
	if config.URL == "" && config.Discovery == "" {
		config.URL = keysURL
	}
	set, err := jwks.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	return set
}

// newSigner makes an Ed25519 signer of its own for each kid, the same in every run.
func newSigner(t testing.TB, kid string) *jws.Signer {
	t.Helper()
	signer, err := jws.NewSigner(kid, ed25519.NewKeyFromSeed(testvectors.Secret("jwks "+kid)))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// sign makes a token that is good for a week.
func sign(t testing.TB, signer *jws.Signer, subject string) string {
	t.Helper()
	claims := fmt.Sprintf(`{"sub":%q,"exp":%d}`, subject, time.Now().Add(7*24*time.Hour).Unix())
	token, err := signer.Sign("JWT", []byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// newVerifier makes a verifier that goes by a set's keys alone.
func newVerifier(t testing.TB, keys jws.KeySource) *jws.Verifier {
	t.Helper()
	verifier, err := jws.NewVerifier(jws.Config{
		Keys:       keys,
		Algorithms: []jws.Algorithm{jws.EdDSA, jws.RS256, jws.ES256},
		Types:      []string{"JWT"},
		Accept:     jws.AcceptAnyClaims,
	})
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

// lookup asks for a kid as a verifier would.
func lookup(set *jwks.Set, kid string) error {
	_, err := set.Keys(context.Background(), jws.Header{Algorithm: jws.EdDSA, KeyID: kid})
	return err
}

func expectKey(t testing.TB, set *jwks.Set, kid, when string) {
	t.Helper()
	if err := lookup(set, kid); err != nil {
		t.Errorf("%s: key %q: %v", when, kid, err)
	}
}

func expectRefusal(t testing.TB, err error, want jws.Reason, when string) {
	t.Helper()
	if got := jws.ReasonOf(err); got != want {
		t.Errorf("%s: %v; want the reason %s", when, err, want)
	}
}
