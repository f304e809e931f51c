package gate_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"text/template"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/edge"
)

const (
	// idleLimit is what testdata/haproxy.cfg says.
	idleLimit = 3 * time.Second
	// silence is how long a player says nothing.
	silence = 60 * time.Second
)

// way is a port of the balancer and what is behind it.
type way struct{ Listen, To string }

// balance starts HAProxy before addresses, and returns its own in the same order.
func balance(t *testing.T, w *world, to ...string) (listen []string) {
	t.Helper()
	var ways []way
	for _, address := range to {
		ways = append(ways, way{freeAddress(t), address})
		listen = append(listen, ways[len(ways)-1].Listen)
	}
	source := must(template.ParseFiles(filepath.Join("testdata", "haproxy.cfg")))(t)
	var text bytes.Buffer
	if err := source.Execute(&text, struct{ Ways []way }{ways}); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "haproxy.cfg")
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	w.run(t, []string{"haproxy", "-db", "-f", file}, folder, listen[0])
	return listen
}

// pingsOften is a socket that a balancer with idleLimit takes for a busy one.
func pingsOften(s *edge.SocketConfig) { s.PingEvery, s.PongWait = time.Second, 20*time.Second }

// TestSilentPlayersStayBehindABalancer has players say nothing for a minute behind a balancer that forgets them after 3 s:
// with the gate's pings they stay. One without is dropped.
func TestSilentPlayersStayBehindABalancer(t *testing.T) {
	t.Parallel()
	for _, k := range kinds[:2] {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			backend, clients := game(t, k.server), newDriver(t, k.name)
			o := newDoor(t, k, backend, clients, pingsOften)
			control := newDoor(t, k, backend, clients, func(s *edge.SocketConfig) { s.PingEvery, s.PongWait = 5*time.Minute, 10*time.Minute })
			control.id += " control"
			ways := balance(t, o.world, o.address, control.address)
			o.valve.address, control.valve.address = ways[0], ways[1]
			o.play()
			control.play()
			began := time.Now()
			dropped := clients.await(t, control.id, "close")
			t.Logf("FIGURE idle limit %s: without pings the %s client is dropped after %s with %d", idleLimit, k.name,
				time.Since(began).Round(time.Millisecond), dropped.Code)
			if dropped.Code != 1006 {
				t.Errorf("the control saw %+v, want 1006 of a connection that broke", dropped)
			}
			<-time.After(time.Until(began.Add(silence)))
			if closed := clients.seen(o.id, "close"); len(closed) != 0 {
				t.Fatalf("the silent client saw %+v", closed)
			}
			o.say("still here")
			o.hears("still here")
			t.Logf("FIGURE idle limit %s, ping 1s: the %s client said nothing for %s and is there", idleLimit, k.name, time.Since(began).Round(time.Second))
		})
	}
}

// hears waits until the client got a message.
func (o *door) hears(text string) {
	o.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		for _, e := range o.driver.seen(o.id, "message") {
			if e.Reason == text {
				return
			}
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("the client did not hear %q", text)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// TestClientWithoutNetworkIsGone cuts the network of a client; neither side is told.
func TestClientWithoutNetworkIsGone(t *testing.T) {
	t.Parallel()
	const pongWait = 5 * time.Second
	o := newDoor(t, plainKind, game(t, "plain"), newDriver(t, "plain"), func(s *edge.SocketConfig) { s.PingEvery, s.PongWait = time.Second, pongWait })
	o.play()
	o.valve.up.stop()
	o.valve.down.stop()
	cut := time.Now()
	o.ended(connect.CloseSilent)
	took := time.Since(cut)
	t.Logf("FIGURE pong wait %s: a client whose network is cut is gone after %s", pongWait, took.Round(time.Millisecond))
	if took < pongWait/2 {
		t.Errorf("gone after %s, which is before pong wait %s", took, pongWait)
	}
	if s := o.gate.State(); s.Sockets != 0 {
		t.Errorf("%d sockets are left", s.Sockets)
	}
}
