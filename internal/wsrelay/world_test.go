package wsrelay_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
	"github.com/sallyport-auth/sallyport/internal/wsrelay"
)

// patience is how long a test waits for what must come. It is generous: the machine may be busy.
const patience = 20 * time.Second

// forms runs a test with both forms of the relay.
func forms(t *testing.T, test func(t *testing.T, config wsrelay.LoopConfig)) {
	for name, goroutines := range map[string]bool{"loop": false, "goroutines": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, wsrelay.LoopConfig{Goroutines: goroutines})
		})
	}
}

// clock is a clock that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1793534400, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// pass lets time go by, and what is due by then be done.
func (w *world) pass(d time.Duration) {
	w.loop.Quiesce()
	w.clock.mu.Lock()
	w.clock.now = w.clock.now.Add(d)
	w.clock.mu.Unlock()
	w.loop.Settle()
}

// echo shows that all that the client and the backend sent so far was dealt with, by a message each way.
func (w *world) echo() {
	w.t.Helper()
	up, down := w.client.frame(wsframe.Text, "still there?"), w.backend.frame(wsframe.Text, "yes")
	w.client.send(up)
	w.backend.wants(up)
	w.backend.send(down)
	w.client.wants(down)
}

// world is one socket: the program's ends of the two connections that the relay has the other ends of.
type world struct {
	t       *testing.T
	loop    *wsrelay.Loop
	clock   *clock
	pipe    *wsrelay.Pipe
	client  *end
	backend *end
	outcome chan wsrelay.Outcome
	halves  [2]wsrelay.Half
}

// end is a peer of the relay.
type end struct {
	t      *testing.T
	conn   halfConn
	masked bool // its own frames are
}

type halfConn interface {
	net.Conn
	CloseWrite() error
}

// setup is what a test may choose.
type setup struct {
	policy  wsrelay.Policy
	early   [2]string // read with the handshake, from the client and from the backend
	rsv     byte
	buffers int  // of the peers' sockets
	unix    bool // no TCP: for those who need a great many connections
}

func start(t *testing.T, config wsrelay.LoopConfig, s setup) *world {
	t.Helper()
	w := &world{t: t, clock: newClock(), outcome: make(chan wsrelay.Outcome, 2)}
	config.Now = w.clock.Now
	loop, err := wsrelay.NewLoop(config)
	if err != nil {
		t.Fatal(err)
	}
	w.loop = loop
	t.Cleanup(func() { loop.Close() })
	if s.policy.Profile == "" {
		s.policy.Profile = connect.ProfilePlain
	}
	if s.policy.Pinger == "" {
		s.policy.Pinger = wsrelay.RelayPings
	}
	if s.policy.SlowWait == 0 {
		s.policy.SlowWait = time.Hour // hours pass in these tests while a goroutine waits for a processor
	}
	policy, err := wsrelay.NewPolicy(s.policy)
	if err != nil {
		t.Fatal(err)
	}
	var conns [2]net.Conn
	w.client, conns[0] = newEnd(t, true, s)
	w.backend, conns[1] = newEnd(t, false, s)
	for i := range w.halves {
		w.halves[i] = wsrelay.Half{Conn: conns[i], Buffered: []byte(s.early[i]), RSV: s.rsv}
	}
	w.pipe, err = loop.Relay(w.halves[0], w.halves[1], policy, func(o wsrelay.Outcome) { w.outcome <- o })
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// echoDown sends a message from the backend to the client.
func (w *world) echoDown() {
	w.t.Helper()
	down := w.backend.frame(wsframe.Text, "down")
	w.backend.send(down)
	w.client.wants(down)
}

// listeners are where all ends connect to, one at a time.
var listeners struct {
	sync.Mutex
	tcp, unix net.Listener
}

// listen starts them, in a folder.
func listen(dir string) (err error) {
	if listeners.tcp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	listeners.unix, err = net.Listen("unix", filepath.Join(dir, "s"))
	return err
}

// newEnd makes a connection over loopback and returns both its ends.
func newEnd(tb testing.TB, masked bool, s setup) (*end, net.Conn) {
	tb.Helper()
	listeners.Lock()
	defer listeners.Unlock()
	listener := listeners.tcp
	if s.unix {
		listener = listeners.unix
	}
	conn, err := net.Dial(listener.Addr().Network(), listener.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	other, err := listener.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	if tcp, ok := conn.(*net.TCPConn); ok && s.buffers > 0 {
		tcp.SetReadBuffer(s.buffers)
		tcp.SetWriteBuffer(s.buffers)
	}
	tb.Cleanup(func() { conn.Close(); other.Close() })
	t, _ := tb.(*testing.T)
	return &end{t: t, conn: conn.(halfConn), masked: masked}, other
}

var mask = [4]byte{1, 2, 3, 4}

// frame is a frame as this end sends it.
func (e *end) frame(opcode wsframe.Opcode, payload string) string {
	return e.fragment(opcode, true, payload)
}

func (e *end) fragment(opcode wsframe.Opcode, final bool, payload string) string {
	h := wsframe.Header{Opcode: opcode, Final: final, Masked: e.masked}
	if e.masked {
		h.Mask = mask
	}
	return string(wsframe.AppendFrame(nil, h, []byte(payload)))
}

func (e *end) closing(code int, reason string) string {
	return e.frame(wsframe.Close, string(wsframe.AppendClose(nil, code, reason)))
}

func (e *end) send(data string) {
	e.t.Helper()
	e.conn.SetWriteDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(e.conn, data); err != nil {
		e.t.Fatalf("sending: %v", err)
	}
}

// wants reads exactly these bytes.
func (e *end) wants(data string) {
	e.t.Helper()
	e.conn.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, len(data))
	n, err := io.ReadFull(e.conn, got)
	if err != nil || string(got) != data {
		e.t.Fatalf("got %q (%v), want %q", clip(got[:n]), err, clip([]byte(data)))
	}
}

func clip(b []byte) []byte { return b[:min(len(b), 200)] }

// wantsFrame reads one frame and returns its payload unmasked.
func (e *end) wantsFrame(opcode wsframe.Opcode) string {
	e.t.Helper()
	h, payload, err := e.readFrame()
	if err != nil {
		e.t.Fatalf("no frame came: %v", err)
	}
	if h.Opcode != opcode || !h.Final || h.Masked == e.masked {
		e.t.Fatalf("got %+v %q, want a frame %x", h, payload, opcode)
	}
	return payload
}

func (e *end) readFrame() (wsframe.Header, string, error) {
	e.conn.SetReadDeadline(time.Now().Add(patience))
	var b []byte
	for {
		h, size, err := wsframe.Parse(b)
		if err != nil {
			return h, "", err
		}
		if size > 0 {
			payload := make([]byte, h.Length)
			if _, err := io.ReadFull(e.conn, payload); err != nil {
				return h, "", err
			}
			if h.Masked {
				wsframe.Mask(payload, h.Mask, 0)
			}
			return h, string(payload), nil
		}
		var one [1]byte
		if _, err := io.ReadFull(e.conn, one[:]); err != nil {
			return h, "", err
		}
		b = append(b, one[0])
	}
}

// wantsClose reads a close frame with this code.
func (e *end) wantsClose(code int) string {
	e.t.Helper()
	got, reason := wsframe.ParseClose([]byte(e.wantsFrame(wsframe.Close)))
	if got != code {
		e.t.Fatalf("close code %d %q, want %d", got, reason, code)
	}
	return reason
}

// wantsEnd reads the end of the connection: FIN.
func (e *end) wantsEnd() {
	e.t.Helper()
	if rest := e.rest(); len(rest) > 0 {
		e.t.Fatalf("got %q, want the end", clip(rest))
	}
}

// rest reads until the connection ends in one way or another.
func (e *end) rest() []byte {
	e.t.Helper()
	e.conn.SetReadDeadline(time.Now().Add(patience))
	var all bytes.Buffer
	_, err := io.Copy(&all, e.conn)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		e.t.Fatalf("the connection did not end; got %q", clip(all.Bytes()))
	}
	return all.Bytes()
}

// wantsOutcome waits until both connections are gone.
func (w *world) wantsOutcome(reason connect.CloseReason, code int) wsrelay.Outcome {
	w.t.Helper()
	select {
	case o := <-w.outcome:
		if o.Reason != reason || o.Code != code {
			w.t.Fatalf("outcome %+v, want reason %s and code %d", o, reason, code)
		}
		return o
	case <-time.After(patience):
		w.t.Fatal("done was not called")
		panic("unreachable")
	}
}
