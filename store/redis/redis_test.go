package redis_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

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
		return storetest.Stores{Revocations: s, Families: s, Tickets: s}
	})
}

func TestConformanceOnOneServer(t *testing.T) {
	t.Parallel()
	conform(t, redis.Config{Addresses: []string{startServer(t).address()}})
}
