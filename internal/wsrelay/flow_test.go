package wsrelay_test

import (
	"bytes"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
	"github.com/sallyport-auth/sallyport/internal/wsrelay"
)

// fill has an end send frames until the relay takes no more for a while, and returns the number of bytes it took.
func (e *end) fill(frame string) int {
	e.t.Helper()
	total := 0
	for {
		e.conn.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
		n, err := io.WriteString(e.conn, frame)
		total += n
		if err != nil {
			return total
		}
		if total > 64<<20 {
			e.t.Fatal("the relay takes without end")
		}
	}
}

const small = 64 << 10 // the buffers of peers that do not read

// TestStalledSideIsBounded: what is on its way to a side that does not read is bounded, the kernel's buffers included, and
// all of it arrives later.
func TestStalledSideIsBounded(t *testing.T) {
	const most = 1 << 20
	for name, choose := range map[string]func(w *world) (from, to *end){
		"client":  func(w *world) (from, to *end) { return w.backend, w.client },
		"backend": func(w *world) (from, to *end) { return w.client, w.backend },
	} {
		t.Run(name, func(t *testing.T) {
			forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
				w := start(t, config, setup{buffers: small, policy: wsrelay.Policy{MaxRate: -1}})
				from, to := choose(w)
				frame := from.frame(wsframe.Binary, strings.Repeat("0123456789abcdef", 1024))
				took := from.fill(frame)
				t.Logf("took %d KiB, in the kernel %d KiB", took>>10, inKernel(t, w)>>10)
				if took > most {
					t.Errorf("%d bytes are on their way to a side that does not read, want at most %d", took, most)
				}
				whole := strings.Repeat(frame, took/len(frame)+1)
				to.wants(whole[:took])
				from.send(whole[took:])
				to.wants(whole[took:])
			})
		})
	}
}

// inKernel is what the kernel holds for the relay's ends of the two connections, as /proc/net/tcp has it.
func inKernel(t *testing.T, w *world) (sum int64) {
	if runtime.GOOS != "linux" {
		return 0
	}
	data, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		for _, e := range []*end{w.client, w.backend} {
			if strings.HasSuffix(fields[1], portOf(e.conn.RemoteAddr().String())) &&
				strings.HasSuffix(fields[2], portOf(e.conn.LocalAddr().String())) {
				unsent, unread, _ := strings.Cut(fields[4], ":")
				for _, s := range []string{unsent, unread} {
					n, _ := strconv.ParseInt(s, 16, 64)
					sum += n
				}
			}
		}
	}
	return sum
}

func portOf(address string) string {
	_, port, _ := strings.Cut(address, ":")
	n, _ := strconv.Atoi(port)
	return strings.ToUpper(":" + strconv.FormatInt(int64(n)+0x10000, 16)[1:])
}

func TestSlowClient(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{buffers: small, policy: wsrelay.Policy{SlowWait: 5 * second}})
		frame := w.backend.frame(wsframe.Binary, strings.Repeat("x", 1000))
		took := w.backend.fill(frame)
		w.pass(4900 * time.Millisecond)
		if w.loop.Live() != 1 {
			t.Fatal("it was closed too early")
		}
		w.pass(100 * time.Millisecond)
		w.pass(100 * time.Millisecond)
		w.pass(second)
		w.wantsOutcome(connect.CloseSlow, codeIfBoundary(w, frame, took))
	})
}

// codeIfBoundary: a client that takes nothing was told only if what is kept for it ends with a whole frame.
func codeIfBoundary(w *world, frame string, took int) int {
	select {
	case o := <-w.outcome:
		w.outcome <- o
		return o.Code
	case <-time.After(patience):
		w.t.Fatalf("done was not called after %d bytes of frames of %d", took, len(frame))
		return 0
	}
}

// TestSlowButLiving: a client that reads in time is not slow, and gets its close frame behind all that was kept for it.
func TestSlowButLiving(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{buffers: small, policy: wsrelay.Policy{SlowWait: 5 * second, Pinger: wsrelay.BackendPings}})
		frame := w.backend.frame(wsframe.Binary, strings.Repeat("x", 1000))
		for range 3 {
			took := w.backend.fill(frame)
			rest := frame[took%len(frame):]
			w.pass(4 * second)
			w.client.wants(strings.Repeat(frame, took/len(frame)+1)[:took])
			w.backend.send(rest)
			w.client.wants(rest)
			w.pass(2 * second) // 6 s since the first byte was kept, but not for this one
		}
	})
}

func TestBackendThatDoesNotRead(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{buffers: small, policy: wsrelay.Policy{MaxRate: -1, SlowWait: time.Minute, CloseWait: time.Hour}})
		w.client.fill(w.client.frame(wsframe.Binary, strings.Repeat("x", 1000)))
		// Its pongs cannot be read behind all that, so it is not silent: the backend is gone.
		read := make(chan []byte)
		go func() {
			for {
				h, payload, err := w.client.readFrame()
				if err != nil || h.Opcode == wsframe.Close {
					read <- []byte(payload)
					return
				}
			}
		}()
		if code, _ := wsframe.ParseClose(w.whileTimePasses(read)); code != 1011 {
			t.Errorf("the client is told %d", code)
		}
		w.pass(time.Hour)
		w.wantsOutcome(connect.CloseBackendLost, 1011)
	})
}

// TestCloseKeepsOrder: all that was read before the close comes before the close frame, also what was kept for a slow side.
func TestCloseKeepsOrder(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{buffers: small, policy: wsrelay.Policy{CloseWait: time.Minute, SlowWait: time.Minute}})
		frame := w.backend.frame(wsframe.Binary, strings.Repeat("x", 999))
		took := w.backend.fill(frame)
		w.pipe.Close(connect.ProfilePlain.Closing(connect.CloseDraining))
		if rest := took % len(frame); rest > 0 {
			go w.backend.conn.Write([]byte(frame[rest:])) // the frame that was begun
		}
		read := make(chan []byte)
		go func() { read <- w.client.rest() }()
		got := w.whileTimePasses(read)
		whole, rest := bytes.CutSuffix(got, []byte(w.backend.closing(1012, "draining: the server restarts, connect again")))
		if !rest || len(whole) == 0 || len(whole)%len(frame) != 0 {
			t.Fatalf("%d bytes came, %d frames of %d and %d bytes more", len(got), len(whole)/len(frame), len(frame), len(whole)%len(frame))
		}
		if string(whole) != strings.Repeat(frame, len(whole)/len(frame)) {
			t.Error("what came is not what was sent")
		}
	})
}

// whileTimePasses waits for something that comes at some point of the relay's time.
func (w *world) whileTimePasses(read chan []byte) []byte {
	for {
		select {
		case got := <-read:
			return got
		case <-time.After(20 * time.Millisecond):
			w.pass(2 * second)
		}
	}
}

// TestEarlyFrames: what came with the handshake is kept, in both directions, whole frames and parts.
func TestEarlyFrames(t *testing.T) {
	up, down := (&end{masked: true}).frame(wsframe.Text, "early bird"), (&end{}).frame(wsframe.Text, "welcome")
	for _, n := range []int{len(down), 1, 5} {
		forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
			w := start(t, config, setup{early: [2]string{up + up[:n], down + down[:n]}})
			w.client.send(up[n:])
			w.backend.wants(up + up)
			w.backend.send(down[n:])
			w.client.wants(down + down)
			w.echo()
		})
	}
}

// TestExtensionPasses: compressed messages pass as they came where the extension was negotiated.
func TestExtensionPasses(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{rsv: wsframe.RSV1, policy: wsrelay.Policy{Heartbeat: []byte("hb")}})
		for _, e := range []*end{w.client, w.backend} {
			other := w.backend
			if e == w.backend {
				other = w.client
			}
			h := wsframe.Header{Opcode: wsframe.Text, Final: true, RSV: wsframe.RSV1, Masked: e.masked, Mask: mask}
			if !e.masked {
				h.Mask = [4]byte{}
			}
			compressed := string(wsframe.AppendFrame(nil, h, []byte("hb"))) // compressed, this is no heartbeat
			e.send(compressed)
			other.wants(compressed)
		}
	})
}
