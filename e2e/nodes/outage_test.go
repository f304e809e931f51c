package nodes_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/session"
)

// TestRedisAway kills the server under nodes of every policy, starts it again, and looks at what each did.
func TestRedisAway(t *testing.T) {
	aways := map[string]time.Duration{"10s": 10 * time.Second}
	if isLong() {
		aways["60s"] = 60 * time.Second
	}
	for name, away := range aways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redisAway(t, away)
		})
	}
}

func redisAway(t *testing.T, away time.Duration) {
	server := startServer(t, "appendonly yes", "appendfsync always")
	config := nodeConfig{Redis: []string{server.address()}, Timeout: time.Second, Grace: 20 * time.Second, Lease: 45 * time.Second}
	start := func(policy session.StalePolicy, stale connect.StaleSockets) *node {
		config.Policy, config.Stale, config.Name = policy, stale, string(policy)
		return startNode(t, config)
	}
	grace, strict, available := start(session.Grace, connect.KeepSockets), start(session.Strict, connect.CloseSockets), start(session.Available, connect.KeepSockets)
	nodes := []*node{grace, strict, available}
	const each = 100
	sockets := map[*node][]*client{}
	for i, n := range nodes {
		for k := range each {
			sockets[n] = append(sockets[n], n.enter(arena(1000*i+k, "")))
		}
	}
	grace.must("/revoke?n=5000")
	before := map[*node]nodeState{}
	for _, n := range nodes {
		before[n] = n.state()
	}

	server.kill()
	gone := time.Now()
	for _, n := range nodes {
		if status, err := n.post("/revoke?n=5001"); err != nil || status != http.StatusServiceUnavailable {
			t.Errorf("%s: a revocation that cannot be stored: status %d, %v; want 503", n.name, status, err)
		}
		if status, err := n.post("/put?n=1"); err != nil || status != http.StatusServiceUnavailable {
			t.Errorf("%s: a ticket that cannot be stored: status %d, %v; want 503", n.name, status, err)
		}
		if !n.refuses(5000) && n != strict {
			t.Errorf("%s has forgotten a revocation", n.name)
		}
	}
	wantAdmission(t, grace, 6000, "")
	wantAdmission(t, available, 6001, "")
	wantAdmission(t, strict, 6002, "unavailable")
	for _, socket := range sockets[strict] {
		if f := socket.farewell(t); f.reason != "unavailable" {
			t.Errorf("a socket of the strict node was told %q", f.reason)
		}
	}
	if long := away > 20*time.Second; long {
		<-time.After(time.Until(gone.Add(25 * time.Second)))
		wantAdmission(t, grace, 6003, "unavailable")
		wantAdmission(t, available, 6004, "")
	}
	<-time.After(time.Until(gone.Add(away)))
	wantLiving(t, grace, sockets[grace], away < 30*time.Second)
	wantLiving(t, available, sockets[available], true)

	server.start()
	back := time.Now()
	for i, n := range nodes {
		eventually(t, n.name+" has recovered", func() bool {
			s := n.state()
			return s.Ledger.Ready && !s.Ledger.Failing && s.OwnersError == "" && s.Unclaimed == 0
		})
		n.must(fmt.Sprint("/revoke?n=", 5100+i))
		wantAdmission(t, n, 6100+i, "")
	}
	t.Logf("FIGURE Redis away for %v: all nodes work again %v after it is back", away, time.Since(back).Round(time.Millisecond))
	for _, n := range nodes {
		eventually(t, "every node has every revocation", func() bool {
			return n.refuses(5000) && n.refuses(5100) && n.refuses(5101) && n.refuses(5102)
		})
		wantNoGrowth(t, n, before[n])
	}
	// What was owned before is owned still: a newer socket on another node replaces it.
	moved := strict.enter(arena(2000, ""))
	if f := sockets[available][0].farewell(t); f.reason != "replaced" || moved.fence <= sockets[available][0].fence {
		t.Errorf("told %q; fences %d, then %d", f.reason, sockets[available][0].fence, moved.fence)
	}
}

// wantAdmission wants a player let in, or sent away for a reason.
func wantAdmission(t *testing.T, n *node, player int, no string) {
	t.Helper()
	c, err := n.knock(arena(player, ""))
	if err != nil || c.no != no {
		t.Errorf("%s: player %d: %q, %v; want %q", n.name, player, c.no, err, no)
	}
	if err == nil && c.no == "" {
		t.Cleanup(func() { c.conn.Close() })
	}
}

func wantLiving(t *testing.T, n *node, sockets []*client, live bool) {
	t.Helper()
	for i, socket := range sockets {
		if socket.lives() != live {
			t.Errorf("%s: socket %d lives: %v, want %v", n.name, i, socket.lives(), live)
			return
		}
	}
}

// wantNoGrowth allows for the sockets that came since, and for what a process needs once.
func wantNoGrowth(t *testing.T, n *node, before nodeState) {
	t.Helper()
	var after nodeState
	eventually(t, n.name+" has as many goroutines as before", func() bool {
		after = n.state()
		return after.Goroutines < before.Goroutines+40
	})
	t.Logf("%s: %d goroutines, then %d; heap %d KiB, then %d KiB", n.name, before.Goroutines, after.Goroutines, before.Heap>>10, after.Heap>>10)
	if after.Heap > before.Heap+(8<<20) {
		t.Errorf("%s: the heap grew from %d to %d", n.name, before.Heap, after.Heap)
	}
}

// TestSlowRedis makes every answer 2 s late, under load. The timeout is well below that: at the same 2 s, which are the
// default, an answer may come just in time.
func TestSlowRedis(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	slow := startLink(t, server.address())
	n := startNode(t, nodeConfig{Redis: []string{slow.address()}, Timeout: 1500 * time.Millisecond, Grace: time.Minute})
	other := startNode(t, nodeConfig{Redis: []string{server.address()}})
	sockets := make([]*client, 200)
	each(len(sockets), 16, func(i int) { sockets[i] = n.enter(arena(i, "")) })
	before := n.state()
	slow.delay(2*time.Second, "downstream")
	refused := time.Now()
	each(100, 100, func(i int) {
		if status, err := n.post(fmt.Sprint("/revoke?n=", 5000+i)); err != nil || status != http.StatusServiceUnavailable {
			t.Errorf("status %d, %v; want 503", status, err)
		}
	})
	took := time.Since(refused)
	each(100, 100, func(i int) { wantAdmission(t, n, 1000+i, "") }) // within the grace
	most := n.state().Goroutines
	slow.clear()
	healed := time.Now()
	eventually(t, "the node has recovered", func() bool {
		s := n.state()
		return !s.Ledger.Failing && s.OwnersError == "" && s.Unclaimed == 0
	})
	t.Logf("FIGURE Redis 2 s late: 100 writes refused in %v, at most %d goroutines with 300 sockets, recovered in %v",
		took.Round(time.Millisecond), most, time.Since(healed).Round(time.Millisecond))
	wantLiving(t, n, sockets, true)
	before.Goroutines += 200 // two for each socket that came
	wantNoGrowth(t, n, before)
	other.must("/revoke?n=1")
	if f := sockets[1].farewell(t); f.reason != "revoked" {
		t.Errorf("told %q", f.reason)
	}
}

// TestSentinelFailOver kills the master under two nodes. Nobody is sent away, what was revoked stays so, and the later
// owner wins at the new master as at the old one.
func TestSentinelFailOver(t *testing.T) {
	t.Parallel()
	master := startServer(t, "appendonly yes")
	replica := startServer(t, "replicaof 127.0.0.1 "+strconv.Itoa(master.port), "repl-diskless-sync-delay 0")
	eventually(t, "the replica is in step", func() bool { return replica.says("master_link_status:up", "INFO replication") })
	sentinel := startServer(t, fmt.Sprintf("sentinel monitor game 127.0.0.1 %d 1", master.port),
		"sentinel down-after-milliseconds game 500", "sentinel failover-timeout game 3000")
	eventually(t, "the sentinel knows both", func() bool { return sentinel.says("slaves=1", "INFO sentinel") })
	nodes := startNodes(t, 2, nodeConfig{Redis: []string{sentinel.address()}, Sentinel: "game", Timeout: time.Second})
	sockets := make([]*client, 200)
	each(len(sockets), 16, func(i int) { sockets[i] = nodes[i%2].enter(arena(i, "")) })
	nodes[0].must("/revoke?n=5000")
	master.kill()
	killed := time.Now()
	eventually(t, "both nodes write again", func() bool {
		for i, n := range nodes {
			if status, err := n.post(fmt.Sprint("/revoke?n=", 5001+i)); err != nil || status != http.StatusNoContent {
				return false
			}
		}
		return replica.says("role:master", "INFO replication")
	})
	took := time.Since(killed)
	for _, n := range nodes {
		eventually(t, "the owners are renewed", func() bool {
			s := n.state()
			return s.OwnersError == "" && s.Renewed.After(killed) && !s.Ledger.Failing && n.refuses(5000) && n.refuses(5001) && n.refuses(5002)
		})
	}
	wantLiving(t, nodes[0], sockets, true)
	for i, older := range sockets {
		newer := nodes[(i+1)%2].enter(arena(i, ""))
		if f := older.farewell(t); f.reason != "replaced" || newer.fence <= older.fence {
			t.Fatalf("socket %d: told %q; fences %d, then %d", i, f.reason, older.fence, newer.fence)
		}
	}
	t.Logf("FIGURE fail-over by Sentinel: nodes write again after %v, %d sockets live through it", took.Round(time.Millisecond), len(sockets))
}
