package nodes_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/store/redis"
)

// TestTwoLoginsAtTheSameMoment lets a player in on two nodes at once, 1,000 times. The socket with the higher fence, whose
// claim the store had last, is the one that stays.
func TestTwoLoginsAtTheSameMoment(t *testing.T) {
	const rounds = 1000
	server := startServer(t)
	nodes := startNodes(t, 2, nodeConfig{Redis: []string{server.address()}})
	var mu sync.Mutex
	var took []time.Duration
	var late atomic.Int32
	each(rounds, 4, func(round int) {
		var pair [2]*client
		var at [2]time.Time
		start := make(chan struct{})
		var group sync.WaitGroup
		for i, n := range nodes {
			group.Go(func() {
				<-start
				pair[i] = n.enter(arena(round, ""))
				at[i] = time.Now()
			})
		}
		close(start)
		group.Wait()
		older, newer := 0, 1
		if pair[0].fence > pair[1].fence {
			older, newer = 1, 0
		}
		f := pair[older].farewell(t)
		if f.reason != "replaced" || pair[older].fence == pair[newer].fence || pair[older].fence == 0 {
			t.Errorf("round %d: fences %d and %d, told %q", round, pair[older].fence, pair[newer].fence, f.reason)
		}
		if newer == 1 {
			late.Add(1)
		}
		mu.Lock()
		defer mu.Unlock()
		took = append(took, max(0, f.at.Sub(at[newer])))
		clear(at[:])
		if round%100 == 99 && !pair[newer].lives() {
			t.Errorf("round %d: nobody is left", round)
		}
	})
	live := nodes[0].state().Live + nodes[1].state().Live
	if live != rounds {
		t.Errorf("%d sockets live, want one for each of %d players", live, rounds)
	}
	t.Logf("FIGURE two logins at the same moment, %d times: %d live sockets, each the later owner (%d on the second node); two lived for %s",
		rounds, live, late.Load(), figures(took))
}

// TestRefusedEverywhere has a slot that refuses newer sockets refuse them on every node, and free itself when the holder goes.
func TestRefusedEverywhere(t *testing.T) {
	server := startServer(t)
	nodes := startNodes(t, 2, nodeConfig{Redis: []string{server.address()}})
	for round := range 50 {
		holder := nodes[round%2].enter(lobby(round))
		c, err := nodes[(round+1)%2].knock(lobby(round))
		if err != nil || c.no != "slot_taken" {
			t.Fatalf("round %d: %q, %v", round, c.no, err)
		}
		holder.conn.Close()
		eventually(t, "the slot is free", func() bool {
			c, err := nodes[(round+1)%2].knock(lobby(round))
			return err == nil && c.no == ""
		})
	}
}

// TestClusterListAndKick asks the nodes as an operator's command does, through the store alone.
func TestClusterListAndKick(t *testing.T) {
	server := startServer(t)
	nodes := startNodes(t, 3, nodeConfig{Redis: []string{server.address()}})
	clients := make([]*client, 900)
	each(len(clients), 16, func(i int) { clients[i] = nodes[i%3].enter(arena(i/3, fmt.Sprint(i%3))) })
	store, err := redis.Open(t.Context(), redis.Config{Addresses: []string{server.address()}})
	must(t, err)
	t.Cleanup(store.Close)
	began := time.Now()
	list, err := connect.ListSockets(t.Context(), store, connect.SocketFilter{})
	must(t, err)
	t.Logf("FIGURE %d sockets of %d nodes listed in %v", len(list.Sockets), len(list.Nodes), time.Since(began).Round(time.Millisecond))
	if len(list.Sockets) != len(clients) || len(list.Nodes) != 3 || len(list.Silent) != 0 {
		t.Errorf("%d sockets; nodes %v, silent %v", len(list.Sockets), list.Nodes, list.Silent)
	}
	kicked, err := connect.KickSockets(t.Context(), store, connect.SocketFilter{Player: playerOf(7)}, connect.CloseKicked)
	must(t, err)
	for i := range 3 {
		if f := clients[21+i].farewell(t); f.reason != "kicked" {
			t.Errorf("told %q", f.reason)
		}
	}
	if kicked.Kicked != 3 || !clients[20].lives() || !clients[24].lives() {
		t.Errorf("kicked %+v, want the 3 sockets of one player", kicked)
	}
	nodes[2].kill()
	list, err = connect.ListSockets(t.Context(), store, connect.SocketFilter{Player: playerOf(8)})
	must(t, err)
	if len(list.Sockets) != 2 || len(list.Silent) != 1 || list.Silent[0] != nodes[2].name {
		t.Errorf("with a dead node: %d sockets, silent %v", len(list.Sockets), list.Silent)
	}
}

// TestTicketRace lets 50 requests on three nodes compete for each ticket.
func TestTicketRace(t *testing.T) {
	rounds := 200
	if isLong() {
		rounds = 1000
	}
	server := startServer(t)
	nodes := startNodes(t, 3, nodeConfig{Redis: []string{server.address()}})
	var won, lost atomic.Int64
	for round := range rounds {
		nodes[round%3].must(fmt.Sprint("/put?n=", round))
		before := won.Load()
		each(50, 50, func(i int) {
			status, err := nodes[i%3].post(fmt.Sprint("/take?n=", round))
			switch {
			case err == nil && status == http.StatusNoContent:
				won.Add(1)
			case err == nil && status == http.StatusConflict:
				lost.Add(1)
			default:
				t.Errorf("take: %d, %v", status, err)
			}
		})
		if winners := won.Load() - before; winners != 1 {
			t.Fatalf("round %d: %d of 50 won", round, winners)
		}
	}
	t.Logf("FIGURE a ticket raced by 50 requests on 3 nodes, %d times: %d won, %d lost", rounds, won.Load(), lost.Load())
}
