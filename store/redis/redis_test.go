package redis_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/session/storetest"
	"github.com/sallyport-auth/sallyport/store/redis"
)

// namespaces counts the namespaces of tests that share a server.
var namespaces atomic.Int32

func open(t testing.TB, c redis.Config) *redis.Store {
	t.Helper()
	s, err := redis.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// conform runs the conformance suite, each case in a namespace of its own.
func conform(t *testing.T, c redis.Config) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Stores {
		c := c
		c.Namespace = fmt.Sprintf("sallyport-%d", namespaces.Add(1))
		s, err := redis.OpenAt(context.Background(), c, now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return storetest.Stores{Revocations: s, Families: s, Tickets: s, Cluster: s}
	})
}

func TestConformanceOnOneServer(t *testing.T) {
	t.Parallel()
	conform(t, redis.Config{Addresses: []string{startServer(t).address()}})
}

// TestFeedPassesOverWhatExpired lets more expire at once than a script removes and than a page has.
func TestFeedPassesOverWhatExpired(t *testing.T) {
	t.Parallel()
	var passed atomic.Int64
	base := time.Now()
	now := func() time.Time { return base.Add(time.Duration(passed.Load())) }
	store, err := redis.OpenAt(context.Background(), redis.Config{Addresses: []string{startServer(t).address()}}, now)
	must(t, err)
	t.Cleanup(store.Close)
	for n := range 1200 {
		appendEvent(t, store, n)
	}
	passed.Store(int64(30 * time.Minute))
	ban := session.Event{ID: id(2000), Kind: session.PlayerBanned, Player: family(0).Player}
	stored, err := store.Append(context.Background(), ban)
	must(t, err)
	passed.Store(int64(2 * time.Hour))
	b, err := store.Since(context.Background(), "")
	if err != nil || !b.Reset || b.More || !slices.Equal(b.Events, []session.Event{stored}) {
		t.Errorf("got %d events, reset %v, more %v, error %v, want the ban alone", len(b.Events), b.Reset, b.More, err)
	}
}
