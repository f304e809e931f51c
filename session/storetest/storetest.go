// Package storetest is the conformance suite of Sallyport's stores: what [session.Revocations], [session.Families],
// [session.Tickets] and [session.Cluster] promise, as tests. A store that passes can be used by any ledger, issuer and ticket office.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Stores {
//			store := session.NewMemoryStoreAt(now)
//			return storetest.Stores{Revocations: store, Families: store, Tickets: store, Cluster: store}
//		})
//	}
//
// Run the tests with -race: half of them are races. No test waits for real time to pass.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// Stores are the stores under test. They may be one.
type Stores struct {
	// Revocations is tested for its events and its feed.
	Revocations session.Revocations
	// Families is tested for its compare-and-set.
	Families session.Families
	// Tickets is tested for single use.
	Tickets session.Tickets
	// Cluster is tested for its owners and nodes. Nil is not tested: a store of one node has none.
	Cluster session.Cluster
}

// Run runs the suite. open returns empty stores that share nothing with those of an earlier call and whose clock is now,
// which starts at 2026-11-01T12:00:00Z and moves only when a test moves it; it may use t.Cleanup to close them. All of
// Stores must be set but for Cluster.
func Run(t *testing.T, open func(t *testing.T, now func() time.Time) Stores) {
	for _, c := range slices.Concat(revocationCases, familyCases, ticketCases) {
		runCase(t, open, c)
	}
	for _, c := range ownerCases {
		runCase(t, open, testCase{c.name, func(s suite) {
			if s.Cluster != nil {
				c.run(s)
			}
		}})
	}
}

func runCase(t *testing.T, open func(t *testing.T, now func() time.Time) Stores, c testCase) {
	t.Run(c.name, func(t *testing.T) {
		t.Parallel()
		clock := &clock{now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
		stores := open(t, clock.Now)
		if stores.Revocations == nil || stores.Families == nil || stores.Tickets == nil {
			t.Fatal("storetest: set all of Stores")
		}
		c.run(suite{t, stores, clock})
	})
}

// racers is how many callers compete in a race.
const racers = 50

type testCase struct {
	name string
	run  func(suite)
}

type suite struct {
	*testing.T
	Stores
	clock *clock
}

// clock is a clock that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (s suite) ctx() context.Context { return s.Context() }

func (s suite) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s suite) wantErr(what string, got, want error) {
	s.Helper()
	if !errors.Is(got, want) {
		s.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

// race runs f at once on racers goroutines and waits for all.
func race(f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			<-start
			f(i)
		}()
	}
	close(start)
	wg.Wait()
}

// id returns the nth test id, a UUID.
func id(n int) string { return fmt.Sprintf("01900000-0000-7000-8000-%012x", n) }

var player = identity.Player{Realm: "main", Subject: "player"}
