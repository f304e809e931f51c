package edge_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/wsframe"
)

const (
	drainSockets = 1000
	drainWindow  = 3 * time.Second
	drainBurst   = 4 // messages in one write
	drainEvery   = time.Second
)

// tally is what a backend got of each socket.
type tally struct {
	mu  sync.Mutex
	got map[string][]string // by the path's query: the messages, and how it closed
	all sync.WaitGroup
}

// serve echoes, and notes each message.
func (y *tally) serve(w http.ResponseWriter, r *http.Request) {
	conn, buffers, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer y.all.Done()
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+acceptOf(r.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n")
	var got []string
	for {
		opcode, payload, err := readFrame(buffers.Reader)
		if err != nil || opcode == wsframe.Close {
			if err == nil {
				got = append(got, "close")
				_, _ = conn.Write(wsframe.AppendFrame(nil, wsframe.Header{Final: true, Opcode: wsframe.Close}, payload))
			}
			y.mu.Lock()
			y.got[r.URL.RawQuery] = got
			y.mu.Unlock()
			return
		}
		if opcode == wsframe.Text {
			got = append(got, string(payload))
			_, _ = conn.Write(wsframe.AppendFrame(nil, wsframe.Header{Final: true, Opcode: wsframe.Text}, payload))
		}
	}
}

// talk sends bursts until the gate closes the socket, and returns how many messages came back, and when the close came.
func talk(c *client, begin <-chan struct{}, after time.Duration) (echoed int, closed time.Time) {
	stop := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() {
		<-begin
		time.Sleep(after) // so that not all talk at once
		tick := time.NewTicker(drainEvery)
		defer tick.Stop()
		for n := 0; ; {
			burst := ""
			for range drainBurst {
				burst += frame(fmt.Sprint("message ", n))
				n++
			}
			if _, err := io.WriteString(c.conn, burst); err != nil {
				return
			}
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	})
	for ; ; echoed++ {
		got := c.next()
		if got == fmt.Sprint("message ", echoed) {
			continue
		}
		closed = time.Now()
		close(stop)
		sending.Wait()
		if got != "close 1012 draining: the server restarts, connect again" {
			c.t.Errorf("after %d messages: got %q", echoed, got)
		}
		_ = c.conn.Close()
		return echoed, closed
	}
}

// TestDrainLosesNothingThatWasRead drains a gate whose sockets are talking. What the gate read of a client before it closed the
// socket comes to the backend, whole and in order: bursts that came in one packet are there to their last message, and behind
// them the close.
func TestDrainLosesNothingThatWasRead(t *testing.T) {
	y := &tally{got: make(map[string][]string)}
	b := newBackend(t, y.serve)
	w := newWorld(t, plain(b, nil), nil)
	clients := make([]*client, drainSockets)
	y.all.Add(drainSockets)
	for i := range clients {
		clients[i] = w.dial(t, fmt.Sprint("/ws?", i), bearer(t, fmt.Sprint("d", i)), "")
		if clients[i].answer.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("socket %d: got %d", i, clients[i].answer.StatusCode)
		}
	}
	begin := make(chan struct{})
	echoed := make([]int, drainSockets)
	closed := make([]time.Time, drainSockets)
	var all sync.WaitGroup
	for i, c := range clients {
		all.Go(func() { echoed[i], closed[i] = talk(c, begin, time.Duration(i)*drainEvery/drainSockets) })
	}
	close(begin)
	began := time.Now()
	must(t, w.gate.Drain(t.Context(), drainWindow))
	took := time.Since(began)
	all.Wait()
	y.all.Wait()

	messages, back := 0, 0
	for i := range clients {
		got := y.got[fmt.Sprint(i)]
		n := max(0, len(got)-1)
		messages, back = messages+n, back+echoed[i]
		if n%drainBurst != 0 || n < echoed[i] || len(got) == 0 || got[n] != "close" {
			t.Errorf("socket %d: the backend got %d messages, %d came back; the last is %q", i, n, echoed[i], got)
		}
		for at, text := range got[:n] {
			if text != fmt.Sprint("message ", at) {
				t.Errorf("socket %d: message %d is %q", i, at, text)
			}
		}
	}
	t.Logf("drained %d sockets in %v over %v; %d messages, %d came back", drainSockets, took, drainWindow, messages, back)
	evenly(t, began, closed)
	if state := w.gate.State(); state.Sockets != 0 {
		t.Errorf("%d sockets are left", state.Sockets)
	}
}

// evenly holds the moments at which sockets were closed against an even spread, with much room for a machine that is busy.
func evenly(t *testing.T, began time.Time, closed []time.Time) {
	t.Helper()
	slices.SortFunc(closed, time.Time.Compare)
	var tenths [10]int
	gap := closed[0].Sub(began)
	for i, at := range closed {
		tenths[min(9, max(0, int(at.Sub(began)*10/drainWindow)))]++
		if i > 0 {
			gap = max(gap, at.Sub(closed[i-1]))
		}
	}
	t.Logf("tenths of the window: %s; the longest pause %v", strings.Trim(fmt.Sprint(tenths), "[]"), gap)
	for half, n := range []int{tenths[0] + tenths[1] + tenths[2] + tenths[3] + tenths[4], tenths[5] + tenths[6] + tenths[7] + tenths[8] + tenths[9]} {
		if n < len(closed)/10 {
			t.Errorf("half %d of the window has %d of %d", half+1, n, len(closed))
		}
	}
	if gap > drainWindow*3/4 {
		t.Errorf("nothing was closed for %v of %v", gap, drainWindow)
	}
}
