package jwks_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

func TestTimeToLive(t *testing.T) {
	for _, c := range []struct {
		name, cacheControl, age string
		want                    time.Duration
	}{
		{"silent", "", "", time.Hour},
		{"within bounds", "public, max-age=7200, must-revalidate", "", 2 * time.Hour},
		{"capitals and spaces", " Public , MAX-AGE=7200", "", 2 * time.Hour},
		{"quoted", `max-age="7200"`, "", 2 * time.Hour},
		{"less than MinTTL", "max-age=1", "", 5 * time.Minute},
		{"more than MaxTTL", "max-age=604800", "", 6 * time.Hour},
		{"more than 64 bits", "max-age=99999999999999999999999", "", 6 * time.Hour},
		{"aged", "max-age=7200", "3600", time.Hour},
		{"older than its age", "max-age=7200", "9000", 5 * time.Minute},
		{"no-store", "no-store, max-age=7200", "", 5 * time.Minute},
		{"no-cache", "no-cache", "", 5 * time.Minute},
		{"negative", "max-age=-1", "", 5 * time.Minute},
		{"no number", "max-age=soon", "", 5 * time.Minute},
		{"for shared caches", "s-maxage=60", "", time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				issuer := &issuer{handler: func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Cache-Control", c.cacheControl)
					w.Header().Set("Age", c.age)
					_, _ = io.WriteString(w, goodSet)
				}}
				set := newSet(t, issuer, jwks.Config{Jitter: func() float64 { return 1 }})
				expectKey(t, set, "evil", "warming")
				state := set.State()
				if got := state.NextFetch.Sub(state.FetchedAt); got != c.want {
					t.Errorf("next fetch after %v, want %v", got, c.want)
				}
				if got := state.StaleAt.Sub(state.FetchedAt); got != 24*time.Hour {
					t.Errorf("stale after %v, want 24h", got)
				}
			})
		})
	}
}

func TestBackgroundRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publishing(t, newSigner(t, "a").Key())
		set := newSet(t, issuer, jwks.Config{Jitter: func() float64 { return 0.5 }})
		time.Sleep(48 * time.Hour)
		issuer.expectFetches(t, 0, "before the first use")
		expectKey(t, set, "a", "the first use")
		time.Sleep(54*time.Minute - time.Nanosecond)
		issuer.expectFetches(t, 1, "before 90 % of the time to live")
		issuer.publish(t, newSigner(t, "b").Key())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		issuer.expectFetches(t, 1, "at 90 % of the time to live")
		expectKey(t, set, "b", "after a refresh by timer")
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		issuer.expectFetches(t, 26, "a day later, with nobody asking")

		set.Close()
		set.Close()
		time.Sleep(2 * time.Hour)
		issuer.expectFetches(t, 0, "after Close")
		expectKey(t, set, "b", "after Close")
		expectRefusal(t, lookup(set, "c"), jws.Unavailable, "an unknown kid after Close")
		if err := set.Refresh(context.Background()); err == nil {
			t.Error("Refresh after Close gave no error")
		}
	})
}

func TestCloseEndsTheFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publishing(t, newSigner(t, "a").Key())
		issuer.delay = time.Second
		set := newSet(t, issuer, jwks.Config{})
		start, failed := time.Now(), make(chan error)
		go func() { failed <- lookup(set, "a") }()
		synctest.Wait()
		set.Close()
		expectRefusal(t, <-failed, jws.Unavailable, "a lookup that Close interrupts")
		if took := time.Since(start); took != 0 {
			t.Errorf("Close left the lookup waiting for %v", took)
		}
	})
}

func TestRefreshIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publishing(t, newSigner(t, "a").Key())
		issuer.delay = time.Second
		set := newSet(t, issuer, jwks.Config{})
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() {
				if err := set.Refresh(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		issuer.expectFetches(t, 1, "100 refreshes at once")

		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if err := set.Refresh(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a caller who does not wait: %v", err)
		}
	})
}

// clock is an injected clock that stands until it is set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestInjectedClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := &clock{now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
		issuer := publishing(t, newSigner(t, "a").Key())
		set := newSet(t, issuer, jwks.Config{Now: clock.read})
		expectKey(t, set, "a", "warming")
		issuer.expectFetches(t, 1, "warming")

		clock.advance(2 * time.Hour) // the timer does not know
		expectKey(t, set, "a", "two hours later")
		synctest.Wait()
		issuer.expectFetches(t, 1, "a lookup when the refresh is overdue")

		issuer.fail(500)
		clock.advance(24 * time.Hour)
		expectRefusal(t, lookup(set, "a"), jws.Unavailable, "at the stale limit")

		clock.advance(-48 * time.Hour)
		expectKey(t, set, "a", "a clock that went back")
	})
}

func TestTokenWithoutKid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newSigner(t, "one"), newSigner(t, "two")
		issuer := publishing(t, one.Key())
		set := newSet(t, issuer, jwks.Config{})
		ask := func(alg jws.Algorithm) ([]*jws.Key, error) {
			return set.Keys(context.Background(), jws.Header{Algorithm: alg})
		}
		keys, err := ask(jws.EdDSA)
		if err != nil || len(keys) != 1 || keys[0].ID() != "one" {
			t.Errorf("the only key of its algorithm: %v, %v", keys, err)
		}
		_, err = ask(jws.RS256)
		expectRefusal(t, err, jws.UnknownKey, "no key of the algorithm")
		issuer.expectFetches(t, 1, "warming, and a token without kid that fits no key")

		issuer.publish(t, one.Key(), two.Key())
		if err := set.Refresh(context.Background()); err != nil {
			t.Fatal(err)
		}
		_, err = ask(jws.EdDSA)
		expectRefusal(t, err, jws.UnknownKey, "two keys of the algorithm")
		issuer.expectFetches(t, 1, "the refresh, and a token without kid that fits two keys")
	})
}
