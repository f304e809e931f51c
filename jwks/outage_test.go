package jwks_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		known, other := newSigner(t, "known"), newSigner(t, "other")
		issuer := publishing(t, known.Key())
		set := newSet(t, issuer, jwks.Config{Jitter: func() float64 { return 1 }})
		verifier, token := newVerifier(t, set), sign(t, known, "p")
		cache := jws.NewCache[string](100)
		verified, err := verifier.Verify(context.Background(), token)
		if err != nil {
			t.Fatal(err)
		}
		subject, start := "p", time.Now()
		cache.Put(token, verified, &subject)
		cache.Put(token, verified, &subject) // remembered from the second time on

		issuer.fail(http.StatusServiceUnavailable)
		for time.Since(start) < 24*time.Hour-10*time.Minute {
			time.Sleep(10 * time.Minute)
			if _, err := verifier.Verify(context.Background(), token); err != nil {
				t.Fatalf("%v into the outage: %v", time.Since(start), err)
			}
			for range 5 { // more than the budget has
				expectRefusal(t, lookup(set, "other"), jws.Unavailable, "an unknown kid in an outage")
			}
		}
		if _, hit := cache.Get(token, time.Now()); !hit || !set.State().Ready {
			t.Error("a cached verdict fell, or the set is not ready, before the stale limit")
		}

		time.Sleep(10 * time.Minute)
		_, err = verifier.Verify(context.Background(), token)
		expectRefusal(t, err, jws.Unavailable, "a known kid at the stale limit")
		if _, hit := cache.Get(token, time.Now()); hit || set.State().Ready {
			t.Error("a cached verdict holds, or the set is ready, at the stale limit")
		}

		issuer.publish(t, known.Key(), other.Key())
		time.Sleep(5 * time.Second) // until the budget lets a lookup ask again
		if _, err = verifier.Verify(context.Background(), token); err != nil {
			t.Errorf("once the issuer is back: %v", err)
		}
		expectKey(t, set, "other", "once the issuer is back")
		if !set.State().Ready {
			t.Error("the set is not ready once the issuer is back")
		}
	})
}

func TestOutageCostsFewFetches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publishing(t, newSigner(t, "known").Key())
		set := newSet(t, issuer, jwks.Config{Jitter: func() float64 { return 1 }})
		expectKey(t, set, "known", "warming")
		issuer.fail(http.StatusServiceUnavailable)
		time.Sleep(time.Hour - 1)
		issuer.expectFetches(t, 1, "warming, and the first hour")
		time.Sleep(time.Hour + 1)
		synctest.Wait()
		// Retries come after 5, 10, 20, 40, 80, 160 s and then every 300 s.
		issuer.expectFetches(t, 1+6+10, "the second hour, with nobody asking")
	})
}

func TestColdOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &issuer{}
		issuer.fail(http.StatusInternalServerError)
		set := newSet(t, issuer, jwks.Config{Jitter: func() float64 { return 1 }})
		for n := range 100 {
			expectRefusal(t, lookup(set, fmt.Sprint("kid ", n)), jws.Unavailable, "a lookup without keys")
		}
		issuer.expectFetches(t, 3, "100 lookups without keys")
		issuer.publish(t, newSigner(t, "known").Key())
		time.Sleep(20 * time.Second) // the third failure in a row is retried after 20 s
		synctest.Wait()
		issuer.expectFetches(t, 1, "the retry by timer")
		if !set.State().Ready {
			t.Error("the set did not become ready by itself")
		}
	})
}

func TestRemovedKeyIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stays, goes := newSigner(t, "stays"), newSigner(t, "goes")
		issuer := publishing(t, stays.Key(), goes.Key())
		set := newSet(t, issuer, jwks.Config{})
		verifier, cache := newVerifier(t, set), jws.NewCache[string](100)
		tokens := map[string]string{"stays": sign(t, stays, "p"), "goes": sign(t, goes, "p")}
		for kid, token := range tokens {
			verified, err := verifier.Verify(context.Background(), token)
			if err != nil {
				t.Fatal(err)
			}
			cache.Put(token, verified, &kid)
			cache.Put(token, verified, &kid) // remembered from the second time on
		}
		issuer.publish(t, stays.Key())
		if err := set.Refresh(context.Background()); err != nil {
			t.Fatal(err)
		}
		_, err := verifier.Verify(context.Background(), tokens["goes"])
		expectRefusal(t, err, jws.UnknownKey, "a token of a removed key")
		if _, hit := cache.Get(tokens["goes"], time.Now()); hit {
			t.Error("the cached verdict of a removed key holds")
		}
		if _, hit := cache.Get(tokens["stays"], time.Now()); !hit {
			t.Error("the cached verdict of a key that stayed fell")
		}
	})
}

func TestKeyThatStaysKeepsItsIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publishing(t, newSigner(t, "stays").Key())
		set := newSet(t, issuer, jwks.Config{})
		header := jws.Header{KeyID: "stays"}
		before, err := set.Keys(context.Background(), header)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(48 * time.Hour)
		after, err := set.Keys(context.Background(), header)
		if err != nil {
			t.Fatal(err)
		}
		if before[0] != after[0] || !before[0].Trusted(time.Now()) {
			t.Error("refreshes made another key of one that stayed: cached verdicts fall without need")
		}
	})
}

func TestReplacedKeyUnderTheSameKid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, after := newSigner(t, "before"), newSigner(t, "after")
		same, err := jws.NewKey("before", after.Key().Public())
		if err != nil {
			t.Fatal(err)
		}
		issuer := publishing(t, before.Key())
		set := newSet(t, issuer, jwks.Config{})
		keys, err := set.Keys(context.Background(), jws.Header{KeyID: "before"})
		if err != nil {
			t.Fatal(err)
		}
		issuer.publish(t, same)
		if err := set.Refresh(context.Background()); err != nil {
			t.Fatal(err)
		}
		if keys[0].Trusted(time.Now()) {
			t.Error("a key whose kid belongs to another one now is still trusted")
		}
	})
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var seen []jwks.Event
		a, b := newSigner(t, "a"), newSigner(t, "b")
		issuer := publishing(t, a.Key())
		set := newSet(t, issuer, jwks.Config{URL: keysURL + "?key=secret", Observe: func(e jwks.Event) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, e)
		}})
		expectKey(t, set, "a", "warming")
		synctest.Wait() // the observer runs after those who waited are released
		issuer.publish(t, b.Key())
		expectKey(t, set, "b", "a rotation")
		synctest.Wait()
		issuer.fail(500)
		for n := range 100 {
			_ = lookup(set, fmt.Sprint("bogus ", n))
			synctest.Wait()
		}
		time.Sleep(5 * time.Second)
		_, _ = lookup(set, "bogus"), lookup(set, "bogus again")
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		want := []jwks.Event{
			{Kind: jwks.Fetched, Keys: 1, Added: 1},
			{Kind: jwks.Fetched, Keys: 1, Added: 1, Removed: 1},
			{Kind: jwks.FetchFailed, Keys: 1, Failures: 1},
			{Kind: jwks.FetchFailed, Keys: 1, Failures: 2},
			{Kind: jwks.LookupsRefused, Keys: 1, Failures: 2, Refused: 1},
		}
		for i, e := range want {
			if i >= len(seen) {
				t.Fatalf("%d events, want at least %d", len(seen), len(want))
			}
			got := seen[i]
			if (got.Err != nil) != (got.Failures > 0) || got.URL != keysURL || got.At.IsZero() {
				t.Errorf("event %d: %+v", i, got)
			}
			got.Err, got.URL, got.At, got.Took = nil, "", time.Time{}, 0
			if got != e {
				t.Errorf("event %d: %+v, want %+v", i, got, e)
			}
		}
		if last := seen[len(seen)-1]; last.Kind != jwks.LookupsRefused || last.Refused < 90 {
			t.Errorf("last event %+v, want the other refused lookups in one", last)
		}
	})
}
