package nodes_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// TestRevocationOverThreeNodes has 1,000 players with a socket on each of three nodes. Each is revoked on one node. The time
// runs from before the call until the client has read its farewell, and so has the way of the write in it; what remains once
// the call has its answer is printed as well.
func TestRevocationOverThreeNodes(t *testing.T) {
	for _, c := range []struct {
		name       string
		down, up   time.Duration
		gap        time.Duration
		target, ok time.Duration // the promise for a quiet machine, and what this test insists on
	}{
		{"loopback", 0, 0, 5 * time.Millisecond, 50 * time.Millisecond, time.Second},
		{"100 ms more for each round trip", 100 * time.Millisecond, 0, 20 * time.Millisecond, 250 * time.Millisecond, 2 * time.Second},
		{"100 ms more each way", 100 * time.Millisecond, 100 * time.Millisecond, 20 * time.Millisecond, 250 * time.Millisecond, 3 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			players := 1000
			if c.down > 0 && !isLong() {
				players = 200
			}
			server := startServer(t, "appendonly yes")
			var nodes []*node
			for range 3 {
				l := startLink(t, server.address())
				address := l.address()
				if c.down > 0 {
					l.delay(c.down, "downstream")
				} else {
					address = server.address()
				}
				if c.up > 0 {
					l.delay(c.up, "upstream")
				}
				nodes = append(nodes, startNode(t, nodeConfig{Redis: []string{address}}))
			}
			clients := make([]*client, 3*players)
			each(len(clients), 48, func(i int) { clients[i] = nodes[i%3].enter(arena(i/3, fmt.Sprint(i%3))) })
			called, acknowledged := make([]time.Time, players), make([]time.Time, players)
			var group sync.WaitGroup
			every := time.NewTicker(c.gap)
			defer every.Stop()
			for i := range players {
				<-every.C
				group.Go(func() {
					called[i] = time.Now()
					if status, err := nodes[i%3].post(fmt.Sprint("/revoke?n=", i)); err != nil || status != http.StatusNoContent {
						t.Errorf("revoke: %d, %v", status, err)
					}
					acknowledged[i] = time.Now()
				})
			}
			group.Wait()
			var took, late []time.Duration
			for i, socket := range clients {
				f := socket.farewell(t)
				if f.reason != "revoked" {
					t.Errorf("socket %d was told %q", i, f.reason)
				}
				took = append(took, f.at.Sub(called[i/3]))
				late = append(late, max(0, f.at.Sub(acknowledged[i/3])))
			}
			t.Logf("FIGURE revocation, 3 nodes, %d sockets, %s: from the call %s; from its answer %s", len(clients), c.name, figures(took), figures(late))
			if p99 := took[len(took)*99/100]; p99 > c.ok {
				t.Errorf("p99 is %v, want %v on a quiet machine and %v on any", p99, c.target, c.ok)
			}
			for _, n := range nodes {
				if s := n.state(); s.Live != 0 || s.OwnersError != "" {
					t.Errorf("state %+v", s.RegistryState)
				}
			}
		})
	}
}

// TestOneRevocationOfManySockets ends every socket of a session at its issuer at once.
func TestOneRevocationOfManySockets(t *testing.T) {
	server := startServer(t)
	nodes := startNodes(t, 3, nodeConfig{Redis: []string{server.address()}})
	clients := make([]*client, 150) // a player has up to 64 on a node
	each(len(clients), 48, func(i int) { clients[i] = nodes[i%3].enter(arena(1, fmt.Sprint(i))) })
	began := time.Now()
	nodes[0].must("/upstream?n=1")
	var took []time.Duration
	for _, socket := range clients {
		took = append(took, socket.farewell(t).at.Sub(began))
	}
	t.Logf("FIGURE one revocation of %d sockets on 3 nodes: %s", len(clients), figures(took))
}
