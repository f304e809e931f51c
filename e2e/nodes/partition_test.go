package nodes_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
)

// island is a network namespace with two cables: one to the store, which is cut, and one to the players, which stays.
type island struct {
	testing.TB
	name          string
	store, player string // this side's addresses
	far           string // the island's address for players
	cable         string
}

// newIsland returns nil and why where namespaces are not permitted.
func newIsland(t testing.TB) (*island, error) {
	t.Helper()
	n := os.Getpid() % 250
	i := &island{
		TB: t, name: fmt.Sprintf("sp%d", n), cable: fmt.Sprintf("sps%d", n),
		store: fmt.Sprintf("10.213.%d.1", n), player: fmt.Sprintf("10.214.%d.1", n), far: fmt.Sprintf("10.214.%d.2", n),
	}
	t.Cleanup(func() { exec.Command("ip", "netns", "del", i.name).Run() })
	wire := fmt.Sprintf("spp%d", n)
	for _, command := range [][]string{
		{"ip", "netns", "add", i.name},
		{"ip", "link", "add", i.cable, "type", "veth", "peer", "name", "store", "netns", i.name},
		{"ip", "link", "add", wire, "type", "veth", "peer", "name", "players", "netns", i.name},
		{"ip", "addr", "add", i.store + "/30", "dev", i.cable},
		{"ip", "addr", "add", i.player + "/30", "dev", wire},
		{"ip", "link", "set", i.cable, "up"},
		{"ip", "link", "set", wire, "up"},
		{"ip", "netns", "exec", i.name, "ip", "addr", "add", fmt.Sprintf("10.213.%d.2/30", n), "dev", "store"},
		{"ip", "netns", "exec", i.name, "ip", "addr", "add", i.far + "/30", "dev", "players"},
		{"ip", "netns", "exec", i.name, "ip", "link", "set", "store", "up"},
		{"ip", "netns", "exec", i.name, "ip", "link", "set", "players", "up"},
		{"ip", "netns", "exec", i.name, "ip", "link", "set", "lo", "up"},
	} {
		if output, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%v: %w: %s", command, err, output)
		}
	}
	return i, nil
}

// cut takes the cable to the store out, or puts it in again.
func (i *island) cut(out bool) {
	i.Helper()
	state := map[bool]string{true: "down", false: "up"}[out]
	if output, err := exec.Command("ip", "link", "set", i.cable, state).CombinedOutput(); err != nil {
		i.Fatalf("%v: %s", err, output)
	}
}

// separable starts a node that cut parts from the store: in a namespace of its own, or else behind a proxy.
func separable(t testing.TB, server *server, c nodeConfig) (n *node, cut func(bool)) {
	t.Helper()
	i, err := newIsland(t)
	if err != nil {
		t.Logf("no network namespaces here, a proxy instead: %v", err)
		l := startLink(t, server.address())
		c.Redis = []string{l.address()}
		return startNode(t, c), func(out bool) {
			if out {
				l.silence()
			} else {
				l.clear()
			}
		}
	}
	t.Log("the node lives in a network namespace")
	bridge(t, net.JoinHostPort(i.store, "6379"), server.address())
	c.Redis, c.Host, c.Plaintext = []string{net.JoinHostPort(i.store, "6379")}, i.far, true
	return startNode(t, c, "ip", "netns", "exec", i.name), i.cut
}

// bridge carries what comes at an address to another one.
func bridge(t testing.TB, from, to string) {
	t.Helper()
	l := startLink(t, to)
	l.proxy.Stop()
	l.proxy.Listen = from
	must(t, l.proxy.Start())
}

// TestOverlapOfOwnersIsBounded parts one node from the store and lets its players in elsewhere.
func TestOverlapOfOwnersIsBounded(t *testing.T) {
	const lease = 3 * time.Second
	rounds := 3
	if isLong() {
		rounds = 10
	}
	bound := connect.OwnerOverlap(lease)
	server := startServer(t)
	config := nodeConfig{Lease: lease, Grace: 10 * time.Minute, Timeout: time.Second}
	config.Redis = []string{server.address()}
	whole := startNode(t, config)
	apart, cut := separable(t, server, config)
	var longest time.Duration
	for round := range rounds {
		older := apart.enter(arena(round, ""))
		refusing := apart.enter(lobby(round))
		<-time.After(time.Duration(round) * 300 * time.Millisecond) // at another time between two renewals
		cut(true)
		newer := whole.enter(arena(round, ""))
		admitted := time.Now()
		if c, err := whole.knock(lobby(round)); err != nil || c.no != "slot_taken" {
			t.Errorf("a slot that refuses: %q, %v", c.no, err)
		}
		f, other := older.farewell(t), refusing.farewell(t)
		overlap := f.at.Sub(admitted)
		longest = max(longest, overlap)
		if f.reason != "lapsed" || other.reason != "lapsed" || newer.fence <= older.fence {
			t.Errorf("told %q and %q; fences %d, then %d", f.reason, other.reason, older.fence, newer.fence)
		}
		if overlap > bound+2*time.Second { // for machines that stand still for a while
			t.Errorf("two owners for %v, want at most %v", overlap, bound)
		}
		cut(false)
		eventually(t, "the node is back", func() bool {
			s := apart.state()
			return s.OwnersError == "" && !s.Ledger.Failing
		})
		back := apart.enter(arena(round, ""))
		if f := newer.farewell(t); f.reason != "replaced" || back.fence <= newer.fence {
			t.Errorf("told %q, fence %d after %d", f.reason, back.fence, newer.fence)
		}
		if !back.lives() {
			t.Error("the last owner was told to go")
		}
	}
	t.Logf("FIGURE a node parted from the store, lease %v, %d times: two owners for at most %v; the bound is %v", lease, rounds, longest, bound)
}

// TestRevocationReachesANodeThatWasParted catches up after a gap.
func TestRevocationReachesANodeThatWasParted(t *testing.T) {
	server := startServer(t)
	config := nodeConfig{Redis: []string{server.address()}, Timeout: time.Second}
	whole := startNode(t, config)
	apart, cut := separable(t, server, config)
	socket := apart.enter(arena(1, ""))
	cut(true)
	whole.must("/revoke?n=1")
	eventually(t, "the node knows that it does not know", func() bool { return apart.state().Ledger.Failing })
	if !socket.lives() {
		t.Error("the node heard of the revocation")
	}
	if status, _ := apart.post("/revoke?n=2"); status != 503 {
		t.Errorf("a revocation that cannot be stored: status %d, want 503", status)
	}
	cut(false)
	healed := time.Now()
	if f := socket.farewell(t); f.reason != "revoked" {
		t.Errorf("told %q", f.reason)
	}
	t.Logf("FIGURE a revocation reaches a node %v after its partition", time.Since(healed).Round(time.Millisecond))
	// What was refused for want of an answer may have reached the store all the same, as the network gives it up late. So
	// nobody may count on either, and to say it again must do.
	eventually(t, "the node writes again", func() bool {
		status, err := apart.post("/revoke?n=2")
		return err == nil && status == http.StatusNoContent
	})
	eventually(t, "what was said again holds everywhere", func() bool { return whole.refuses(2) && apart.refuses(2) })
}
