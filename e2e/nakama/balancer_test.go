package nakama_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/session"
)

// balancer runs a HAProxy that passes TCP connections on and drops one on which nothing came for a time, as a network load
// balancer does.
func balancer(t *testing.T, backend int, idle time.Duration) (port int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	proc, err := listening(func() (p *process, ready []func() error, err error) {
		if port, err = freePorts(); err != nil {
			return nil, nil, err
		}
		text := fmt.Sprintf(`defaults
  mode tcp
  maxconn 100
  timeout connect 10s
  timeout client %[1]dms
  timeout server %[1]dms
  timeout tunnel %[1]dms
listen players
  bind 127.0.0.1:%[2]d
  server backend 127.0.0.1:%[3]d
`, idle.Milliseconds(), port, backend)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return nil, nil, err
		}
		p, err = launch("haproxy", nil, "haproxy", "-db", "-f", file)
		return p, []func() error{accepts(port)}, err
	})
	if proc != nil {
		t.Cleanup(func() { proc.stop(syscall.SIGTERM) })
	}
	check(t, err)
	return port
}

// behind are the arguments that open a player's socket through a balancer. The heartbeat of nakama-js, which other clients
// do not have, is out of the way.
func (w world) behind(t *testing.T, p player, socket string, idle time.Duration) args {
	t.Helper()
	return w.as(p, args{"socket": socket, "port": balancer(t, w.nakama.port, idle), "heartbeat": 600_000})
}

// TestIdlePlayerLivesBehindBalancer puts a balancer between that drops a connection on which nothing came for 15 s. The
// pulse of the example keeps the player; the control, whose pulse is slower, is dropped.
func TestIdlePlayerLivesBehindBalancer(t *testing.T) {
	t.Parallel()
	const idle = 15 * time.Second
	w, _ := example(t)
	player := w.signIn(t, "alice")
	began := time.Now()
	w.driver.must("open", w.behind(t, player, "player", idle))
	dropped(t, w, idle)
	pings := w.driver.lives("player", began, 25*time.Second)
	t.Logf("FIGURE shipped example behind HAProxy with %v: the player lives after %d pings", idle, pings)
	w.driver.must("socketRPC", args{"socket": "player", "name": "sallyport_whoami", "payload": args{}})
}

// dropped is the control of a balancer: at a Nakama whose pulse is too slow for it, it does drop a player.
func dropped(t *testing.T, w world, idle time.Duration) {
	t.Helper()
	slow := world{w.pool, startNakama(t, emptyFolder(t), nil, "--socket.ping_period_ms", "60000", "--socket.pong_wait_ms", "70000"), w.driver}
	control := slow.driver.session("device", slow.base(args{"account": "device-of-bob", "create": true}))
	began := time.Now()
	slow.driver.must("open", slow.behind(t, control, "control", idle))
	h, before := slow.driver.closed("control")
	took := h.at.Sub(began)
	t.Logf("FIGURE without a pulse HAProxy with %v dropped the player after %v", idle, took.Round(time.Millisecond))
	if took < idle || len(before) > 0 {
		t.Errorf("the control closed after %v and %v: %d %q", took, before, h.Code, h.Reason)
	}
}

// TestEdgeIdlePlayerLivesBehindBalancer is TestIdlePlayerLivesBehindBalancer with the gate behind the balancer.
func TestEdgeIdlePlayerLivesBehindBalancer(t *testing.T) {
	t.Parallel()
	const idle = 15 * time.Second
	gates, _ := withEdge(t, 1, "--socket.ping_period_ms", "10000", "--socket.pong_wait_ms", "20000")
	g := gates[0]
	alice := g.signIn(t, "alice")
	began := time.Now()
	g.driver.must("open", g.behind(t, alice, "player", idle))
	g.driver.lives("player", began, 25*time.Second)
}

// TestShortIdleTimeout has balancers that drop a connection after 3 s, and a pulse of 1 s: before the Nakama with the
// plugin, and on both sides of the gate.
func TestShortIdleTimeout(t *testing.T) {
	t.Parallel()
	const idle, long = 3 * time.Second, 12 * time.Second
	pulse := []string{"--socket.ping_period_ms", "1000", "--socket.pong_wait_ms", "10000"}
	w := withPlugin(t, nil, pulse...)
	near := world{w.pool, startNakama(t, emptyFolder(t), nil, pulse...), w.driver}
	far := near.nakama
	far.port = balancer(t, near.nakama.port, idle)
	gate := startGate(t, w.pool, far, session.NewMemoryStore())
	gate.driver = w.driver
	began := time.Now()
	w.driver.must("open", w.behind(t, w.signIn(t, "alice"), "plugin", idle))
	gate.driver.must("open", gate.behind(t, gate.signIn(t, "bob"), "gate", idle))
	dropped(t, w, idle)
	for _, socket := range []string{"plugin", "gate"} {
		pings := w.driver.lives(socket, began, long)
		t.Logf("FIGURE %s behind HAProxy with %v: the player lives after %v and %d pings", socket, idle, long, pings)
		w.driver.stillOpen(socket)
	}
}
