package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
)

// newManual verifies without the middleware, with keys from a store of one's own. Decoding the token to find its key is
// the verifier's work: it hands the header to the store.
func newManual(issuer string, parties []string, store jws.KeySource) (http.Handler, error) {
	clerk, err := identity.NewClerk(identity.ClerkConfig{
		Common: identity.Common{Realm: "players", Keys: store}, Issuer: issuer, AuthorizedParties: parties,
	})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		id, err := clerk.Verify(r.Context(), token)
		if err != nil {
			w.WriteHeader(connect.StatusOf(err))
			return
		}
		fmt.Fprintf(w, `{"user_id":%q}`, id.Subject)
	}), nil
}

const (
	keyLifetime  = time.Hour       // how long a fetched set is used
	fetchPause   = 5 * time.Second // between two fetches, however many tokens name unknown keys
	fetchTimeout = 5 * time.Second
	maxKeySet    = 1 << 20 // bytes
)

// keyStore is a jws.KeySource: all that a store of keys must do is to return the keys that a header may mean. This one
// fetches a JWK Set and keeps it for an hour; yours may read a file or a database. Where you need no store of your own,
// leave Common.Keys out: package jwks does more.
type keyStore struct {
	address string
	client  http.Client

	mu      sync.Mutex
	keys    jws.StaticKeys
	fetched time.Time // when keys were fetched
	tried   time.Time // when a fetch was last begun
}

func newKeyStore(address string) (*keyStore, error) {
	if u, err := url.Parse(address); err != nil || u.Host == "" {
		return nil, errors.New("clerk: the address of the keys is no URL")
	}
	return &keyStore{address: address, client: http.Client{Timeout: fetchTimeout}}, nil
}

// Keys returns the key that the header names. It fetches the set if the key is not in it or the set is old.
func (s *keyStore) Keys(ctx context.Context, h jws.Header) ([]*jws.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := time.Since(s.fetched) < keyLifetime
	if fresh {
		if keys, err := s.keys.Keys(ctx, h); err == nil {
			return keys, nil
		}
	}
	if time.Since(s.tried) >= fetchPause {
		s.tried = time.Now()
		if err := s.fetch(); err != nil && !fresh {
			return nil, &jws.Refusal{Check: jws.CheckSignature, Reason: jws.Unavailable, Want: "the keys of Clerk", Err: err}
		}
	} else if !fresh {
		return nil, &jws.Refusal{Check: jws.CheckSignature, Reason: jws.Unavailable, Want: "the keys of Clerk"}
	}
	return s.keys.Keys(ctx, h)
}

// fetch replaces the set. A key that is gone from it must not live on in cached verdicts, so it is distrusted.
func (s *keyStore) fetch() error {
	answer, err := s.client.Get(s.address)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("clerk: keys: HTTP status %d", answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxKeySet))
	if err != nil {
		return err
	}
	keys, _, err := jws.ParseJWKSet(body)
	if err != nil {
		return err
	}
	for _, old := range s.keys {
		old.Distrust()
	}
	s.keys, s.fetched = keys, time.Now()
	return nil
}
