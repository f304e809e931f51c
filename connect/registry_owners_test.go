package connect_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/session/storetest"
)

const lease = 45 * time.Second

// node is a door of several, with faults between it and their store.
type node struct {
	*door
	faults *storetest.Faults
}

// newNode opens a door that shares the cluster's slots until the bubble ends.
func newNode(t *testing.T, cluster session.Cluster, policy session.StalePolicy, config connect.RegistryConfig) *node {
	t.Helper()
	n := &node{faults: &storetest.Faults{}}
	feed := &moody{MemoryStore: session.NewMemoryStore()}
	config.Ledger = must(session.NewLedger(session.LedgerConfig{Feed: feed, Policy: policy}))(t)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { _ = config.Ledger.Run(ctx) }()
	config.Owners = n.faults.Wrap(storetest.Stores{Cluster: cluster}).Cluster
	synctest.Wait()
	n.door = newDoor(t, config)
	synctest.Wait() // until it listens
	t.Cleanup(func() {
		if err := n.registry.Drain(context.Background(), 0); err != nil {
			t.Error(err)
		}
		cancel()
	})
	return n
}

func TestTheLaterNodeOwnsTheSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := session.NewMemoryStore()
		a := newNode(t, store, session.Grace, connect.RegistryConfig{Node: "east-1"})
		b := newNode(t, store, session.Grace, connect.RegistryConfig{})
		first, older := a.admit(sessionOf(1), "arena", "red")
		_, blue := a.admit(sessionOf(1), "arena", "blue")
		began := time.Now()
		second, newer := b.admit(sessionOf(1), "arena", "red")
		older.want(t, connect.CloseReplaced)
		if !older.at[0].Equal(began) {
			t.Errorf("replaced after %v, want at once", older.at[0].Sub(began))
		}
		if first.Fence() == 0 || first.Fence() >= second.Fence() {
			t.Errorf("fences %d, then %d", first.Fence(), second.Fence())
		}
		third, newest := b.admit(sessionOf(1), "arena", "red")
		newer.want(t, connect.CloseReplaced)
		_, back := a.admit(sessionOf(1), "arena", "red")
		newest.want(t, connect.CloseReplaced)
		if reason, ended := third.Ended(); !ended || reason != connect.CloseReplaced {
			t.Errorf("ended %v as %s", ended, reason)
		}
		time.Sleep(9 * time.Minute) // through many leases
		back.want(t)
		blue.want(t)
		state := a.registry.State()
		if !strings.HasPrefix(state.Node, "east-1-") || state.Unclaimed != 0 || state.OwnersError != "" || time.Since(state.Renewed) > lease {
			t.Errorf("state %+v", state)
		}
	})
}

func TestARefusingSlotRefusesOnAllNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := session.NewMemoryStore()
		a := newNode(t, store, session.Grace, connect.RegistryConfig{})
		b := newNode(t, store, session.Grace, connect.RegistryConfig{})
		socket, holder := a.admit(sessionOf(1), "lobby", "")
		for range 3 {
			b.refuse(sessionOf(1), "lobby", "", connect.CloseSlotTaken)
			a.refuse(sessionOf(1), "lobby", "", connect.CloseSlotTaken)
			time.Sleep(time.Minute)
		}
		holder.want(t)
		socket.Release()
		synctest.Wait()
		moved, _ := b.admit(sessionOf(1), "lobby", "")
		moved.Release()
		_, again := b.admit(sessionOf(1), "lobby", "") // without waiting for anything
		again.want(t)
	})
}

func TestANodeThatCannotRenewEndsItsSockets(t *testing.T) {
	for _, c := range []struct {
		policy session.StalePolicy
		stale  connect.StaleSockets
		lapses bool
	}{
		{session.Grace, connect.KeepSockets, true},
		{session.Strict, connect.KeepSockets, true},
		{session.Available, connect.CloseSockets, true},
		{session.Available, connect.KeepSockets, false},
	} {
		t.Run(fmt.Sprint(c.policy, " ", c.stale), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := session.NewMemoryStore()
				a := newNode(t, store, c.policy, connect.RegistryConfig{Stale: c.stale})
				b := newNode(t, store, c.policy, connect.RegistryConfig{Stale: c.stale})
				_, older := a.admit(sessionOf(1), "arena", "")
				_, alone := a.admit(sessionOf(2), "lobby", "")
				time.Sleep(100*time.Second + 7*time.Millisecond)
				a.faults.Away(true)
				began := time.Now()
				_, newer := b.admit(sessionOf(1), "arena", "")
				older.want(t) // it did not hear
				time.Sleep(lease - lease/3 - connect.OwnerTick)
				alone.want(t) // two thirds of the lease are survived
				b.refuse(sessionOf(2), "lobby", "", connect.CloseSlotTaken)
				time.Sleep(2 * lease)
				newer.want(t)
				if !c.lapses {
					older.want(t)
					a.faults.Away(false)
					time.Sleep(3 * time.Second)
					older.want(t, connect.CloseReplaced)
					return
				}
				older.want(t, connect.CloseLapsed)
				alone.want(t, connect.CloseLapsed)
				if after := older.at[0].Sub(began); after > connect.OwnerOverlap(lease) {
					t.Errorf("two owners for %v, want at most %v", after, connect.OwnerOverlap(lease))
				}
				_, inherits := b.admit(sessionOf(2), "lobby", "")
				a.faults.Away(false)
				time.Sleep(lease)
				inherits.want(t)
				_, back := a.admit(sessionOf(1), "arena", "")
				newer.want(t, connect.CloseReplaced)
				back.want(t)
			})
		})
	}
}

func TestAdmissionWhileTheStoreIsAway(t *testing.T) {
	t.Run("strict", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := newNode(t, session.NewMemoryStore(), session.Strict, connect.RegistryConfig{})
			n.faults.Away(true)
			n.refuse(sessionOf(1), "arena", "", connect.CloseUnavailable)
			n.faults.Away(false)
			n.admit(sessionOf(1), "arena", "")
		})
	})
	for _, policy := range []session.StalePolicy{session.Grace, session.Available} {
		t.Run(string(policy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := session.NewMemoryStore()
				a := newNode(t, store, policy, connect.RegistryConfig{})
				b := newNode(t, store, policy, connect.RegistryConfig{})
				_, before := b.admit(sessionOf(1), "arena", "")
				_, holder := b.admit(sessionOf(1), "lobby", "")
				time.Sleep(time.Second)
				a.faults.Away(true)
				unclaimed, later := a.admit(sessionOf(1), "arena", "")
				_, guest := a.admit(sessionOf(1), "lobby", "")
				_, overtaken := a.admit(sessionOf(2), "arena", "")
				_, local := a.admit(sessionOf(3), "arena", "")
				a.admit(sessionOf(3), "arena", "")
				local.want(t, connect.CloseReplaced) // what the node knows itself it goes by
				if unclaimed.Fence() != 0 || a.registry.State().Unclaimed != 4 || a.registry.State().OwnersError == "" {
					t.Errorf("fence %d, state %+v", unclaimed.Fence(), a.registry.State())
				}
				time.Sleep(time.Second)
				_, winner := b.admit(sessionOf(2), "arena", "")
				time.Sleep(10 * time.Second)
				before.want(t)
				a.faults.Away(false)
				time.Sleep(3 * time.Second)
				before.want(t, connect.CloseReplaced)
				later.want(t)
				overtaken.want(t, connect.CloseReplaced)
				winner.want(t)
				holder.want(t)
				guest.want(t, connect.CloseSlotTaken)
				if state := a.registry.State(); unclaimed.Fence() == 0 || state.Unclaimed != 0 || state.OwnersError != "" {
					t.Errorf("fence %d, state %+v", unclaimed.Fence(), state)
				}
			})
		})
	}
}

// TestASocketThatIsNeverClaimedLapses bounds what is admitted by what one node knows.
func TestASocketThatIsNeverClaimedLapses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, session.NewMemoryStore(), session.Grace, connect.RegistryConfig{Lease: 10 * time.Second})
		n.faults.Away(true)
		began := time.Now()
		_, p := n.admit(sessionOf(1), "arena", "")
		time.Sleep(9 * time.Second)
		p.want(t)
		time.Sleep(time.Minute)
		p.want(t, connect.CloseLapsed)
		if after := p.at[0].Sub(began); after > connect.OwnerOverlap(10*time.Second) {
			t.Errorf("lapsed after %v", after)
		}
	})
}

// TestLostAnswers lets every claim succeed without the node knowing.
func TestLostAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := session.NewMemoryStore()
		a := newNode(t, store, session.Strict, connect.RegistryConfig{})
		b := newNode(t, store, session.Grace, connect.RegistryConfig{})
		a.faults.LoseAnswers(true)
		b.faults.LoseAnswers(true)
		a.refuse(sessionOf(1), "lobby", "", connect.CloseUnavailable)
		socket, p := b.admit(sessionOf(2), "lobby", "")
		a.faults.LoseAnswers(false)
		b.faults.LoseAnswers(false)
		time.Sleep(5 * time.Second)
		b.admit(sessionOf(1), "lobby", "") // what was refused holds no slot
		p.want(t)
		if socket.Fence() == 0 {
			t.Error("the claim that was stored is not known")
		}
	})
}

// switching is a cluster whose store is replaced by an empty one with another epoch, as in a fail-over that lost everything.
type switching struct {
	session.Cluster
	mu      sync.Mutex
	current *session.MemoryStore
	ended   chan struct{}
}

func newSwitching() *switching {
	return &switching{current: session.NewMemoryStore(), ended: make(chan struct{})}
}

func (s *switching) now() (*session.MemoryStore, chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current, s.ended
}

func (s *switching) failOver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ended)
	s.current, s.ended = session.NewMemoryStore(), make(chan struct{})
}

func (s *switching) ClaimSlot(ctx context.Context, w session.Want) (session.Claim, error) {
	store, _ := s.now()
	return store.ClaimSlot(ctx, w)
}

func (s *switching) RenewSlots(ctx context.Context, node string, lease time.Duration, claims []session.Claim) ([]session.Renewal, error) {
	store, _ := s.now()
	return store.RenewSlots(ctx, node, lease, claims)
}

func (s *switching) ReleaseSlots(ctx context.Context, node string, claims []session.Claim) error {
	store, _ := s.now()
	return store.ReleaseSlots(ctx, node, claims)
}

func (s *switching) Announce(ctx context.Context, node string, life time.Duration) error {
	store, _ := s.now()
	return store.Announce(ctx, node, life)
}

func (s *switching) Listen(ctx context.Context, node string, told func(session.Message)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	store, ended := s.now()
	go func() {
		select {
		case <-ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	return store.Listen(ctx, node, told)
}

func TestOwnersAfterAFailOverThatForgotThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newSwitching()
		a := newNode(t, store, session.Grace, connect.RegistryConfig{})
		b := newNode(t, store, session.Grace, connect.RegistryConfig{})
		_, older := a.admit(sessionOf(1), "arena", "")
		_, kept := a.admit(sessionOf(2), "lobby", "")
		a.faults.Away(true) // so that it does not hear that it is replaced
		synctest.Wait()
		_, newer := b.admit(sessionOf(1), "arena", "")
		older.want(t)
		store.failOver()
		a.faults.Away(false)
		time.Sleep(3 * time.Second) // it listens again, and renews then
		older.want(t, connect.CloseReplaced)
		newer.want(t)
		kept.want(t)
		b.refuse(sessionOf(2), "lobby", "", connect.CloseSlotTaken)
	})
}

// TestAnEmptiedStoreEndsItsOwners has the same epoch say that it knows nothing of a claim.
func TestAnEmptiedStoreEndsItsOwners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := session.NewMemoryStore()
		a := newNode(t, store, session.Grace, connect.RegistryConfig{Node: "a"})
		_, p := a.admit(sessionOf(1), "lobby", "")
		claim := session.Claim{Slot: session.OwnedSlot{Player: player(1), Route: "lobby"}, Number: 1}
		if err := store.ReleaseSlots(context.Background(), a.registry.State().Node, []session.Claim{claim}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lease / 3)
		p.want(t, connect.CloseLapsed)
	})
}

func TestAnAliasMovesTheClaimToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := session.NewMemoryStore()
		revocations := session.NewMemoryStore()
		writer := must(session.NewLedger(session.LedgerConfig{Store: revocations, Policy: session.Available}))(t)
		a := newNode(t, store, session.Grace, connect.RegistryConfig{})
		b := newNode(t, store, session.Grace, connect.RegistryConfig{})
		ledger := must(session.NewLedger(session.LedgerConfig{Store: revocations, Policy: session.Available}))(t)
		_ = writer.Load(context.Background())
		_ = ledger.Load(context.Background())
		c := newDoor(t, connect.RegistryConfig{Ledger: ledger, Owners: store})
		t.Cleanup(func() { _ = c.registry.Drain(context.Background(), 0) })
		s := sessionOf(1)
		s.Issuer, s.Upstream, s.UserID = "", "", s.Player.Subject
		socket, moved := c.admit(s, "arena", "")
		_, theirs := a.admit(sessionOf(1), "lobby", "")
		before := socket.Fence()
		if err := ledger.Learn(context.Background(), "player-1", player(7)); err != nil {
			t.Fatal(err)
		}
		moved.want(t)
		if socket.Fence() == 0 || before == 0 {
			t.Errorf("fences %d, then %d", before, socket.Fence())
		}
		_, newer := b.admit(sessionOf(7), "arena", "")
		moved.want(t, connect.CloseReplaced)
		newer.want(t)
		theirs.want(t)
	})
}

// TestOfManyAdmissionsOnManyNodesTheLastIsLive races for one slot.
func TestOfManyAdmissionsOnManyNodesTheLastIsLive(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			store := session.NewMemoryStore()
			var nodes []*node
			for range 3 {
				nodes = append(nodes, newNode(t, store, session.Grace, connect.RegistryConfig{}))
			}
			peers, sockets := make([]peer, 12), make([]*connect.Socket, 12)
			var group sync.WaitGroup
			for i := range peers {
				group.Go(func() {
					sockets[i], _ = nodes[i%3].registry.Admit(context.Background(), sessionOf(1), connect.Slot{Route: "arena"}, peers[i].hooks())
				})
			}
			group.Wait()
			last := slices.MaxFunc(sockets, func(a, b *connect.Socket) int { return int(int64(a.Fence()) - int64(b.Fence())) })
			synctest.Wait()
			for i, socket := range sockets {
				if socket == last {
					peers[i].want(t)
				} else {
					peers[i].want(t, connect.CloseReplaced)
				}
			}
		})
	}
}

func TestDrainGivesTheSlotsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := session.NewMemoryStore()
		a := newNode(t, store, session.Grace, connect.RegistryConfig{})
		b := newNode(t, store, session.Grace, connect.RegistryConfig{})
		for n := range 20 {
			a.admit(sessionOf(n), "lobby", "")
		}
		if err := a.registry.Drain(context.Background(), 10*time.Second); err != nil {
			t.Fatal(err)
		}
		for n := range 20 {
			b.admit(sessionOf(n), "lobby", "")
		}
		if members, err := store.Members(context.Background()); err != nil || len(members) != 1 {
			t.Errorf("members %v, error %v, want the other node alone", members, err)
		}
	})
}

func TestClusterListsAndKicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		store := session.NewMemoryStore()
		a := newNode(t, store, session.Grace, connect.RegistryConfig{Node: "a"})
		b := newNode(t, store, session.Grace, connect.RegistryConfig{Node: "b"})
		for n := range 450 {
			a.admit(sessionOf(n), "arena", "")
		}
		_, onA := a.admit(sessionOf(1000), "arena", "")
		_, onB := b.admit(sessionOf(1000), "lobby", "")
		_, other := b.admit(sessionOf(1001), "lobby", "")
		list, err := connect.ListSockets(ctx, store, connect.SocketFilter{})
		if err != nil || len(list.Sockets) != 453 || len(list.Nodes) != 2 || len(list.Silent) != 0 {
			t.Fatalf("%d sockets, nodes %v, silent %v, error %v", len(list.Sockets), list.Nodes, list.Silent, err)
		}
		last := list.Sockets[452]
		if last.Player != player(1001) || last.Fence == 0 || last.Node != b.registry.State().Node {
			t.Errorf("the last socket is %+v", last)
		}
		list, err = connect.ListSockets(ctx, store, connect.SocketFilter{Node: a.registry.State().Node, ID: 3})
		if err != nil || len(list.Sockets) != 1 || list.Sockets[0].ID != 3 {
			t.Errorf("one socket of one node: %+v, %v", list, err)
		}
		kicked, err := connect.KickSockets(ctx, store, connect.SocketFilter{Player: player(1000)}, connect.CloseKicked)
		if err != nil || kicked.Kicked != 2 || len(kicked.Silent) != 0 {
			t.Errorf("kicked %+v, %v", kicked, err)
		}
		onA.want(t, connect.CloseKicked)
		onB.want(t, connect.CloseKicked)
		other.want(t)
		for what, err := range map[string]error{
			"the zero filter": second(connect.KickSockets(ctx, store, connect.SocketFilter{}, connect.CloseKicked)),
			"no reason":       second(connect.KickSockets(ctx, store, connect.SocketFilter{ID: 1}, "")),
		} {
			if err == nil {
				t.Errorf("KickSockets took %s", what)
			}
		}
		// A node that does not hear is named, and one whose store is away gets an error.
		b.faults.Away(true)
		list, err = connect.ListSockets(ctx, store, connect.SocketFilter{})
		if err != nil || !slices.Equal(list.Silent, []string{b.registry.State().Node}) || len(list.Sockets) != 450 {
			t.Errorf("%d sockets, silent %v, error %v", len(list.Sockets), list.Silent, err)
		}
		away := &storetest.Faults{}
		away.Away(true)
		if _, err := connect.ListSockets(ctx, away.Wrap(storetest.Stores{Cluster: store}).Cluster, connect.SocketFilter{}); err == nil {
			t.Error("no error without a store")
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestOwnersConfig(t *testing.T) {
	for field, config := range map[string]connect.RegistryConfig{
		"Lease": {Lease: time.Minute}, "Node": {Node: "a"},
		"Lease:": {Owners: session.NewMemoryStore(), Lease: time.Second}, "Node:": {Owners: session.NewMemoryStore(), Node: "a b"},
	} {
		config.Ledger = must(session.NewLedger(session.LedgerConfig{Store: session.NewMemoryStore(), Policy: session.Grace}))(t)
		config.Stale, config.Routes = connect.KeepSockets, map[string]connect.SocketRoute{
			"arena": {Mode: connect.ReplaceOlder, Profile: connect.ProfilePlain},
		}
		if _, err := connect.NewRegistry(config); err == nil || !strings.Contains(err.Error(), "RegistryConfig."+field) {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

// TestIdleSocketsCostFewCalls counts the store's calls of a node with 3,000 sockets in the time of a lease.
func TestIdleSocketsCostFewCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, session.NewMemoryStore(), session.Grace, connect.RegistryConfig{})
		var ended atomic.Int32
		for i := range 3000 {
			s := sessionOf(i)
			s.Expiry = s.Expiry.Add(time.Hour)
			hooks := connect.Hooks{Close: func(connect.Closing) { ended.Add(1) }}
			if _, err := n.registry.Admit(context.Background(), s, connect.Slot{Route: "arena"}, hooks); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(lease)
		before := n.faults.Calls()
		time.Sleep(10 * lease)
		if calls := n.faults.Calls() - before; calls > 10*4*5 || ended.Load() != 0 {
			t.Errorf("%d calls in ten leases, want 4 for each of about 35 renewals; %d sockets ended", calls, ended.Load())
		}
	})
}
