package wsrelay_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
	"github.com/sallyport-auth/sallyport/internal/wsrelay"
)

// hall is a loop with many sockets.
type hall struct {
	t      *testing.T
	loop   *wsrelay.Loop
	policy *wsrelay.Policy
}

// hallSocket is one of them.
type hallSocket struct {
	pipe            *wsrelay.Pipe
	client, backend *end
	outcome         chan wsrelay.Outcome
}

func newHall(t *testing.T, config wsrelay.LoopConfig) *hall {
	t.Helper()
	loop, err := wsrelay.NewLoop(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { loop.Close() })
	policy, err := wsrelay.NewPolicy(wsrelay.Policy{ // with time for a machine that is busy
		Profile: connect.ProfilePlain, Pinger: wsrelay.RelayPings, MaxRate: -1, SlowWait: time.Minute, CloseWait: time.Minute,
		PingEvery: time.Hour, PongWait: 2 * time.Hour, // these clients answer no pings, and count what comes
	})
	if err != nil {
		t.Fatal(err)
	}
	return &hall{t: t, loop: loop, policy: policy}
}

func (h *hall) open() *hallSocket {
	h.t.Helper()
	s := &hallSocket{outcome: make(chan wsrelay.Outcome, 2)}
	var conns [2]net.Conn
	s.client, conns[0] = newEnd(h.t, true, setup{unix: true})
	s.backend, conns[1] = newEnd(h.t, false, setup{unix: true})
	var err error
	s.pipe, err = h.loop.Relay(wsrelay.Half{Conn: conns[0]}, wsrelay.Half{Conn: conns[1]}, h.policy,
		func(o wsrelay.Outcome) { s.outcome <- o })
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// settles waits until a number is what it was.
func settles(t *testing.T, what string, want int, now func() int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		got := now()
		if got <= want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d %s, want at most %d", got, what, want)
		}
	}
}

func descriptors() int {
	list, _ := filepath.Glob("/proc/self/fd/*")
	return len(list)
}

// TestManySockets: an idle socket in the event loop has no goroutine, and nothing is left of sockets that ended, in
// whichever way.
func TestManySockets(t *testing.T) {
	for name, goroutines := range map[string]bool{"loop": false, "goroutines": true} {
		t.Run(name, func(t *testing.T) { testManySockets(t, wsrelay.LoopConfig{Goroutines: goroutines}) })
	}
}

func testManySockets(t *testing.T, config wsrelay.LoopConfig) {
	const count = 2000
	h := newHall(t, config)
	goroutines, files := runtime.NumGoroutine(), descriptors()
	sockets := make([]*hallSocket, count)
	for i := range sockets {
		sockets[i] = h.open()
	}
	if got := runtime.NumGoroutine() - goroutines; !config.Goroutines && runtime.GOOS == "linux" && got > 10 {
		t.Errorf("%d goroutines for %d sockets", got, count)
	}
	if got := h.loop.Live(); got != count {
		t.Errorf("%d sockets are live, want %d", got, count)
	}
	message := sockets[0].client.frame(wsframe.Text, "hello")
	for _, s := range sockets {
		s.client.send(message)
	}
	for i, s := range sockets {
		s.backend.wants(message)
		s.leave(i)
	}
	for _, s := range sockets {
		select {
		case <-s.outcome:
		case <-time.After(patience):
			t.Fatal("a socket did not end")
		}
	}
	settles(t, "goroutines", goroutines, runtime.NumGoroutine)
	settles(t, "descriptors", files, descriptors)
	for _, s := range sockets {
		if len(s.outcome) > 0 {
			t.Fatal("done was called twice")
		}
	}
}

// TestIdlePipeIsSmall: there may be thousands, and most of the time nothing happens on most of them.
func TestIdlePipeIsSmall(t *testing.T) {
	t.Logf("%d bytes", wsrelay.PipeSize)
	if wsrelay.PipeSize > 352 {
		t.Errorf("a pipe has %d bytes", wsrelay.PipeSize)
	}
}

// leave ends a socket in one of many ways.
func (s *hallSocket) leave(i int) {
	switch i % 5 {
	case 0:
		s.client.conn.Close()
	case 1:
		s.backend.conn.Close()
	case 2:
		s.pipe.Close(banned)
	case 3:
		io.WriteString(s.client.conn, s.client.closing(1000, ""))
	case 4:
		io.WriteString(s.client.conn, s.client.frame(wsframe.Text, "half a frame")[:9])
		s.pipe.Close(banned)
	}
	s.client.conn.Close()
	s.backend.conn.Close()
}

// TestDrainLosesNothing: sockets are closed amid traffic in both directions. Every message that the relay counted as passed
// on has arrived before the close frame, and nothing else has.
func TestDrainLosesNothing(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		const count = 20
		h := newHall(t, config)
		var wait sync.WaitGroup
		for range count {
			s := h.open()
			up, down := s.client.frame(wsframe.Binary, strings.Repeat("u", 700)), s.backend.frame(wsframe.Binary, strings.Repeat("d", 700))
			var stop atomic.Bool
			for e, frame := range map[*end]string{s.client: up, s.backend: down} {
				wait.Go(func() {
					for !stop.Load() {
						if _, err := io.WriteString(e.conn, frame); err != nil {
							return
						}
					}
				})
			}
			wait.Go(func() {
				defer stop.Store(true)
				received := make(chan uint64, 1)
				go func() { received <- s.backend.messagesUntilClose() }()
				for range 20 {
					if _, _, err := s.client.readFrame(); err != nil {
						t.Errorf("no traffic: %v", err)
					}
				}
				s.pipe.Close(connect.ProfilePlain.Closing(connect.CloseDraining))
				atClient, atBackend := 20+s.client.messagesUntilClose(), <-received
				stop.Store(true)
				s.client.conn.Close()
				s.backend.conn.Close()
				o := <-s.outcome
				if o.FromBackend.Messages != atClient || o.FromClient.Messages != atBackend || o.Code != 1012 {
					t.Errorf("%+v, but %d arrived at the client and %d at the backend", o, atClient, atBackend)
				}
			})
		}
		wait.Wait()
	})
}

// messagesUntilClose counts the messages until a close frame.
func (e *end) messagesUntilClose() (n uint64) {
	for {
		h, _, err := e.readFrame()
		if err != nil {
			e.t.Errorf("no close frame came after %d messages: %v", n, err)
			return n
		}
		if h.Opcode == wsframe.Close {
			return n
		}
		n++
	}
}

// TestCloseGathers: what had arrived when the socket was closed is passed on, though nobody had read it yet.
func TestCloseGathers(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // the goroutine form has no such thing
	}
	for range 50 {
		h := newHall(t, wsrelay.LoopConfig{})
		s := h.open()
		up, down := s.client.frame(wsframe.Text, "up"), s.backend.frame(wsframe.Text, "down")
		s.client.send(strings.Repeat(up, 20))
		s.backend.send(strings.Repeat(down, 20))
		s.pipe.Close(banned)
		s.backend.wants(strings.Repeat(up, 20))
		s.backend.wantsClose(wsframe.CodeAway)
		s.client.wants(strings.Repeat(down, 20))
		s.client.wantsClose(4403)
	}
}

// TestConcurrentUse has everything happen at once.
func TestConcurrentUse(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		h := newHall(t, config)
		var wait sync.WaitGroup
		for i := range 100 {
			s := h.open()
			wait.Go(func() { io.Copy(io.Discard, s.client.conn) })
			wait.Go(func() { io.Copy(io.Discard, s.backend.conn) })
			wait.Go(func() {
				for range rand.IntN(50) {
					io.WriteString(s.client.conn, s.client.frame(wsframe.Text, "hello"))
					s.pipe.Notice([]byte("notice"))
				}
				s.pipe.Close(banned)
			})
			wait.Go(func() {
				for range rand.IntN(50) {
					io.WriteString(s.backend.conn, s.backend.frame(wsframe.Ping, "hello"))
				}
				s.leave(i)
			})
		}
		wait.Go(func() { time.Sleep(time.Duration(rand.IntN(5)) * time.Millisecond); h.loop.Close() })
		wait.Wait()
		if got := h.loop.Live(); got != 0 {
			t.Errorf("%d sockets are left after Close", got)
		}
	})
}

func TestLoopClose(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		w.echo()
		if err := w.loop.Close(); err != nil {
			t.Fatal(err)
		}
		w.client.wantsClose(1012)
		w.client.wantsEnd()
		w.backend.wantsClose(wsframe.CodeAway)
		w.backend.wantsEnd()
		w.wantsOutcome(connect.CloseDraining, 1012)
		if _, err := w.loop.Relay(w.halves[0], w.halves[1], validPolicy(t), func(wsrelay.Outcome) {}); !errors.Is(err, wsrelay.ErrClosed) {
			t.Errorf("a closed loop relays: %v", err)
		}
		w.loop.Close() // again does nothing
	})
}

func validPolicy(t *testing.T) *wsrelay.Policy {
	t.Helper()
	p, err := wsrelay.NewPolicy(wsrelay.Policy{Profile: connect.ProfilePlain, Pinger: wsrelay.RelayPings})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestTLS: a client over TLS is carried by goroutines, and all is as without.
func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(nil) // for its certificate
	defer server.Close()
	h := newHall(t, wsrelay.LoopConfig{})
	s := &hallSocket{outcome: make(chan wsrelay.Outcome, 1)}
	near, far := newEnd(t, true, setup{})
	secure := tls.Client(near.conn, &tls.Config{InsecureSkipVerify: true})
	s.client = &end{t: t, conn: secure, masked: true}
	var conn net.Conn
	s.backend, conn = newEnd(t, false, setup{})
	pipe, err := h.loop.Relay(wsrelay.Half{Conn: tls.Server(far, &tls.Config{Certificates: server.TLS.Certificates})},
		wsrelay.Half{Conn: conn}, h.policy, func(o wsrelay.Outcome) { s.outcome <- o })
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{5, 70_000, 200_000} {
		up, down := s.client.frame(wsframe.Text, strings.Repeat("u", size)), s.backend.frame(wsframe.Text, strings.Repeat("d", size))
		go io.WriteString(secure, up)
		s.backend.wants(up)
		go io.WriteString(s.backend.conn, down)
		s.client.wants(down)
	}
	pipe.Close(banned)
	s.client.wantsClose(4403)
	s.backend.wantsClose(wsframe.CodeAway)
	s.client.send(s.client.closing(4403, ""))
	s.client.wantsEnd()
	s.client.conn.Close()
	s.backend.conn.Close()
	if o := <-s.outcome; o.Reason != connect.CloseBanned {
		t.Errorf("outcome %+v", o)
	}
}

// TestAnyConn: a net.Conn that is no socket and cannot be closed by halves.
func TestAnyConn(t *testing.T) {
	h := newHall(t, wsrelay.LoopConfig{})
	near, far := net.Pipe()
	backend, conn := newEnd(t, false, setup{})
	outcome := make(chan wsrelay.Outcome, 1)
	_, err := h.loop.Relay(wsrelay.Half{Conn: far}, wsrelay.Half{Conn: conn}, h.policy, func(o wsrelay.Outcome) { outcome <- o })
	if err != nil {
		t.Fatal(err)
	}
	up := (&end{masked: true}).frame(wsframe.Text, "hello")
	io.WriteString(near, up)
	backend.wants(up)
	backend.send(backend.closing(1000, ""))
	backend.conn.Close()
	all, _ := io.ReadAll(near)
	if string(all) != backend.closing(1000, "") {
		t.Errorf("got %q", all)
	}
	if o := <-outcome; o.Code != 1000 {
		t.Errorf("outcome %+v", o)
	}
}

func TestRelayRefusesWhatIsMissing(t *testing.T) {
	h := newHall(t, wsrelay.LoopConfig{})
	conn, _ := net.Pipe()
	half, done := wsrelay.Half{Conn: conn}, func(wsrelay.Outcome) {}
	for name, try := range map[string]func() (*wsrelay.Pipe, error){
		"policy":  func() (*wsrelay.Pipe, error) { return h.loop.Relay(half, half, &wsrelay.Policy{}, done) },
		"nil":     func() (*wsrelay.Pipe, error) { return h.loop.Relay(half, half, nil, done) },
		"client":  func() (*wsrelay.Pipe, error) { return h.loop.Relay(wsrelay.Half{}, half, h.policy, done) },
		"backend": func() (*wsrelay.Pipe, error) { return h.loop.Relay(half, wsrelay.Half{}, h.policy, done) },
		"done":    func() (*wsrelay.Pipe, error) { return h.loop.Relay(half, half, h.policy, nil) },
	} {
		if _, err := try(); err == nil {
			t.Errorf("without %s: no error", name)
		}
	}
	if _, err := wsrelay.NewLoop(wsrelay.LoopConfig{Loops: -1}); err == nil {
		t.Error("a loop with -1 loops starts")
	}
}

func TestPolicyErrorsNameTheField(t *testing.T) {
	good := wsrelay.Policy{Profile: connect.ProfilePlain, Pinger: wsrelay.RelayPings}
	for field, change := range map[string]func(*wsrelay.Policy){
		"Profile":   func(p *wsrelay.Policy) { p.Profile = "" },
		"Pinger":    func(p *wsrelay.Policy) { p.Pinger = "" },
		"PingEvery": func(p *wsrelay.Policy) { p.PingEvery = -1 },
		"PongWait":  func(p *wsrelay.Policy) { p.PongWait = p.PingEvery + 10*second },
		"Idle":      func(p *wsrelay.Policy) { p.Idle = -1 },
		"Heartbeat": func(p *wsrelay.Policy) { p.Heartbeat = make([]byte, 126) },
		"Burst":     func(p *wsrelay.Policy) { p.Burst = -1 },
		"MaxRate":   func(p *wsrelay.Policy) { p.MaxRate = 1e9 },
		"Buffer":    func(p *wsrelay.Policy) { p.Buffer = 1 },
	} {
		p := good
		change(&p)
		if _, err := wsrelay.NewPolicy(p); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	p := good
	p.Pinger, p.Heartbeat = wsrelay.BackendPings, []byte("hb")
	if _, err := wsrelay.NewPolicy(p); err == nil || !strings.Contains(err.Error(), "Heartbeat") {
		t.Errorf("a heartbeat that the backend does not see: %v", err)
	}
}

func Example() {
	loop, _ := wsrelay.NewLoop(wsrelay.LoopConfig{})
	defer loop.Close()
	policy, _ := wsrelay.NewPolicy(wsrelay.Policy{Profile: connect.ProfileColyseus, Pinger: wsrelay.BackendPings})

	client, clientHalf := net.Pipe()
	backend, backendHalf := net.Pipe()
	done := make(chan wsrelay.Outcome)
	pipe, err := loop.Relay(wsrelay.Half{Conn: clientHalf}, wsrelay.Half{Conn: backendHalf}, policy, func(o wsrelay.Outcome) { done <- o })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	go backend.Write([]byte("\x81\x05hello"))
	b := make([]byte, 7)
	io.ReadFull(client, b)
	fmt.Printf("%q\n", b)

	pipe.Close(policy.Profile.Closing(connect.CloseReplaced))
	go io.Copy(io.Discard, backend)
	io.ReadFull(client, b[:4])
	fmt.Println("close", int(b[2])<<8|int(b[3]))
	client.Close()
	backend.Close()
	fmt.Println((<-done).Reason)
	// Output:
	// "\x81\x05hello"
	// close 4409
	// replaced
}
