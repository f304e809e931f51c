package nodes_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

// TestKillAmidRevocations kills a node, then the server, in the middle of revocations, again and again. What was
// acknowledged holds on a node that starts afterwards.
func TestKillAmidRevocations(t *testing.T) {
	rounds, count := 4, 1000
	if isLong() {
		rounds, count = 50, 10_000
	}
	for name, c := range map[string]struct {
		fsync      string
		killServer bool
		survivor   bool // a node that lives through it and writes again what it acknowledged
	}{
		"node, appendfsync always":            {"always", false, false},
		"node and server, appendfsync always": {"always", true, false},
		"server, appendfsync everysec":        {"everysec", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := startServer(t, "appendonly yes", "appendfsync "+c.fsync)
			config := nodeConfig{Redis: []string{server.address()}, Remember: 1_000_000}
			victim := startNode(t, config)
			acknowledged := map[int]bool{}
			for round := range rounds {
				acks := killOnce(t, victim, server, c.survivor, c.killServer, round*count, count)
				for _, n := range acks {
					acknowledged[n] = true
				}
				if !c.survivor {
					victim = startNode(t, config)
				} else {
					eventually(t, "the node has written again what it acknowledged", func() bool {
						s := victim.state()
						return !s.Ledger.Failing && s.Ledger.Resets >= round+2
					})
				}
			}
			fresh := startNode(t, config)
			eventually(t, "a new node has every acknowledged revocation", func() bool {
				return fresh.state().Ledger.Sessions >= len(acknowledged)
			})
			missing := 0
			for n := range acknowledged {
				if !fresh.refuses(n) {
					missing++
				}
			}
			if missing > 0 {
				t.Errorf("%d of %d acknowledged revocations are lost", missing, len(acknowledged))
			}
			t.Logf("FIGURE kill -9 of %s, %d rounds: %d revocations were acknowledged, %d lost", name, rounds, len(acknowledged), missing)
		})
	}
}

// killOnce revokes from many goroutines, kills somewhere in the middle, and returns what was acknowledged.
func killOnce(t *testing.T, victim *node, server *server, survivor, killServer bool, first, count int) []int {
	t.Helper()
	var mu sync.Mutex
	var acks []int
	last := count/10 + rand.N(count*8/10)
	var once sync.Once
	each(count, 32, func(i int) {
		status, err := victim.post(fmt.Sprint("/revoke?n=", first+i))
		mu.Lock()
		defer mu.Unlock()
		if err == nil && status == http.StatusNoContent {
			acks = append(acks, first+i)
		}
		if len(acks) < last {
			return
		}
		once.Do(func() {
			if !survivor {
				victim.command.Process.Kill()
			}
			if killServer {
				server.kill()
			}
		})
	})
	if !survivor {
		victim.kill()
	}
	if killServer {
		server.start()
	}
	return acks
}

// TestRollingRestart replaces every node, one after the other, by another one. Players come back elsewhere; no revocation
// and no session is lost.
func TestRollingRestart(t *testing.T) {
	server := startServer(t, "appendonly yes")
	config := nodeConfig{Redis: []string{server.address()}}
	nodes := startNodes(t, 3, config)
	const players, sessions = 300, 100
	for n := range sessions {
		nodes[n%3].must(fmt.Sprint("/revoke?n=", 10_000+n))
		nodes[n%3].must(fmt.Sprint("/create?n=", n))
	}
	sockets, at := make([]*client, players), make([]int, players)
	each(players, 16, func(i int) { at[i] = i % 3; sockets[i] = nodes[at[i]].enter(lobby(i)) })
	began := time.Now()
	moved := 0
	for old := range nodes {
		next := startNode(t, config)
		nodes[old].must("/drain?window=1s")
		nodes[old].kill()
		nodes[old] = next
		for i, socket := range sockets {
			if at[i] != old {
				continue
			}
			if f := socket.farewell(t); f.reason != "draining" {
				t.Errorf("player %d was told %q", i, f.reason)
			}
			at[i] = (old + 1 + i%2) % 3
			sockets[i] = nodes[at[i]].enter(lobby(i)) // at once: a drained node has given its slots back
			moved++
		}
	}
	took := time.Since(began)
	for i, socket := range sockets {
		if !socket.lives() {
			t.Errorf("player %d lost his socket", i)
		}
	}
	live := 0
	for _, n := range nodes {
		live += n.state().Live
		for k := range sessions {
			if !n.refuses(10_000 + k) {
				t.Fatalf("%s has not revocation %d", n.name, k)
			}
		}
	}
	for n := range sessions {
		nodes[n%3].must(fmt.Sprint("/rotate?n=", n))
	}
	if live != players {
		t.Errorf("%d sockets live, want %d", live, players)
	}
	t.Logf("FIGURE rolling restart of 3 nodes in %v: %d moves of %d players, %d sockets live, %d revocations and %d sessions kept",
		took.Round(time.Millisecond), moved, players, live, sessions, sessions)
}
