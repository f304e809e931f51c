package connect_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/session"
)

// TestDrainDuringAnAdmission ends a node while one of its sockets waits for its claim.
func TestDrainDuringAnAdmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := session.NewMemoryStore()
		a := newNode(t, store, session.Grace, connect.RegistryConfig{})
		b := newNode(t, store, session.Grace, connect.RegistryConfig{})
		a.faults.Slow(2 * time.Second)
		refused := make(chan error)
		go func() {
			_, err := a.registry.Admit(context.Background(), sessionOf(1), connect.Slot{Route: "lobby"}, new(peer).hooks())
			refused <- err
		}()
		synctest.Wait()
		drained := make(chan error, 1)
		go func() { drained <- a.registry.Drain(context.Background(), 0) }()
		if err := <-refused; err != connect.ErrDraining {
			t.Errorf("admitted into a drain: %v", err)
		}
		if err := <-drained; err != nil {
			t.Error(err)
		}
		b.admit(sessionOf(1), "lobby", "") // no claim of the node that has gone is in the way
	})
}

// TestRenewalsThroughASlowStore renews the sockets of several calls in time although each call takes a seventh of the lease.
func TestRenewalsThroughASlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, session.NewMemoryStore(), session.Grace, connect.RegistryConfig{Lease: 10 * time.Second})
		hooks := connect.Hooks{Close: func(connect.Closing) {}}
		for i := range 4000 {
			if _, err := n.registry.Admit(context.Background(), sessionOf(i), connect.Slot{Route: "arena"}, hooks); err != nil {
				t.Fatal(err)
			}
		}
		n.faults.Slow(1500 * time.Millisecond)
		time.Sleep(3 * time.Minute)
		n.faults.Slow(0)
		if state := n.registry.State(); state.Live != 4000 {
			t.Errorf("%d of 4,000 sockets live, ended %v", state.Live, state.Ended)
		}
	})
}

// releases counts the claims that are given back.
type releases struct {
	session.Cluster
	away   atomic.Bool
	claims atomic.Int64
}

func (r *releases) ReleaseSlots(ctx context.Context, node string, claims []session.Claim) error {
	if r.away.Load() {
		time.Sleep(2 * time.Second)
		return session.ErrStoreUnavailable
	}
	r.claims.Add(int64(len(claims)))
	return r.Cluster.ReleaseSlots(ctx, node, claims)
}

// TestWhatCannotBeGivenBackIsForgotten has sockets come and go faster than one try a second would forget their claims.
func TestWhatCannotBeGivenBackIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lease, perSecond = 3 * time.Second, 1000
		store := &releases{Cluster: session.NewMemoryStore()}
		n := newNode(t, store, session.Available, connect.RegistryConfig{Lease: lease})
		store.away.Store(true)
		hooks := connect.Hooks{Close: func(connect.Closing) {}}
		for i := range 15 * perSecond {
			socket, err := n.registry.Admit(context.Background(), sessionOf(i), connect.Slot{Route: "arena"}, hooks)
			if err != nil {
				t.Fatal(err)
			}
			socket.Release()
			time.Sleep(time.Second / perSecond)
		}
		store.away.Store(false)
		time.Sleep(5 * time.Second)
		if kept := store.claims.Load(); kept < perSecond || kept > 7*perSecond {
			t.Errorf("%d claims were kept for later, want those of a lease and a try, which takes 3 s", kept)
		}
	})
}
