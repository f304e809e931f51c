package wsrelay_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
	"github.com/sallyport-auth/sallyport/internal/wsrelay"
)

// script makes a stream of frames of three bytes each: what, how long, and in which pieces it is sent.
type script struct {
	stream []byte
	pieces []int
}

const (
	maxScript = 100
	fuzzLimit = 100_000
)

func compile(program []byte, masked, mayBreak bool) (s script) {
	in := wsframe.Reader{RSV: wsframe.RSV1}
	rules := wsframe.Rules{Masked: masked, MaxMessage: fuzzLimit}
	for ; len(program) >= 3 && len(s.pieces) < maxScript; program = program[3:] {
		frame := compileFrame(program[0], int(program[1]), masked)
		s.pieces = append(s.pieces, int(program[2]))
		if mayBreak {
			s.stream = append(s.stream, frame...)
			continue
		}
		before := in
		if _, n, err := in.Next(frame, &rules); err != nil || n < len(frame) || wsframe.Opcode(frame[0]&0xF) == wsframe.Close || !in.Boundary() {
			in = before // only what keeps the stream going
			continue
		}
		s.stream = append(s.stream, frame...)
	}
	return s
}

func compileFrame(what byte, length int, masked bool) []byte {
	opcodes := [...]wsframe.Opcode{
		wsframe.Text, wsframe.Binary, wsframe.Continuation, wsframe.Ping, wsframe.Pong, wsframe.Text, wsframe.Binary, wsframe.Close,
	}
	h := wsframe.Header{Opcode: opcodes[what&7], Final: what&8 == 0, Masked: masked}
	if what&16 != 0 && h.Opcode <= wsframe.Binary {
		length *= 300
	}
	if h.Masked {
		h.Mask = mask
	}
	frame := wsframe.AppendFrame(nil, h, bytes.Repeat([]byte{what}, length))
	if what&0xE0 == 0xE0 { // break something in the first two bytes
		frame[length&1] ^= 1 << (length >> 1 & 7)
	}
	return frame
}

// sendScript sends the stream in the script's pieces.
func (e *end) sendScript(s script) {
	for i := 0; len(s.stream) > 0; i++ {
		n := len(s.stream)
		if i < len(s.pieces) {
			n = min(n, 1+s.pieces[i])
		}
		if _, err := e.conn.Write(s.stream[:n]); err != nil {
			return // the relay has ended it
		}
		s.stream = s.stream[n:]
	}
}

// direct is what a direct peer would make of a stream: how much of it is good, and how it ends.
type direct struct {
	good      int
	closed    bool
	code      int
	violation *wsframe.Violation
	boundary  bool
}

func judge(stream []byte, masked bool, limit uint64) (d direct) {
	in := wsframe.Reader{RSV: wsframe.RSV1}
	rules := wsframe.Rules{Masked: masked, MaxMessage: limit}
	for d.good < len(stream) && !d.closed {
		piece, n, err := in.Next(stream[d.good:], &rules)
		if errors.As(err, &d.violation) || n == 0 {
			break
		}
		d.good += n
		if d.closed = piece.Begins && piece.Header.Opcode == wsframe.Close; d.closed {
			payload := bytes.Clone(piece.Payload)
			wsframe.Mask(payload, piece.Header.Mask, 0)
			d.code, _ = wsframe.ParseClose(payload)
		}
	}
	d.boundary = in.Boundary()
	return d
}

// FuzzRelay sends one direction a stream that breaks nothing, then the other any stream, and holds that what arrives is
// what a direct peer would have accepted, and that all ends as it should.
func FuzzRelay(f *testing.F) {
	f.Add([]byte{0, 5, 1, 8, 200, 3, 3, 4, 0, 2, 9, 9}, []byte{1, 5, 0, 16, 255, 7, 7, 2, 2}, true, false)
	f.Add([]byte{0, 5, 1}, []byte{0, 9, 3, 0xE0, 2, 0, 0, 1, 1}, false, true)
	f.Add([]byte{24, 250, 1, 26, 250, 200}, []byte{8, 9, 3, 3, 3, 3, 2, 0, 0}, true, true)
	f.Fuzz(func(t *testing.T, calm, any []byte, fromClient, goroutines bool) {
		w := start(t, wsrelay.LoopConfig{Goroutines: goroutines, Loops: 1}, setup{
			unix: true, rsv: wsframe.RSV1, policy: wsrelay.Policy{Pinger: wsrelay.BackendPings, MaxRate: -1, MaxMessage: fuzzLimit},
		})
		from, to := w.backend, w.client
		if fromClient {
			from, to = w.client, w.backend
		}
		first := compile(calm, to.masked, false)
		go to.sendScript(first)
		from.wants(string(first.stream))
		second := compile(any, from.masked, true)
		go func() {
			from.sendScript(second)
			from.conn.CloseWrite()
		}()
		limit := uint64(0)
		if fromClient {
			limit = fuzzLimit
		}
		want := judge(second.stream, from.masked, limit)
		to.wants(string(second.stream[:want.good]))
		if fromClient {
			w.endOfClient(want)
		} else {
			w.endOfBackend(want)
		}
	})
}

// endOfClient is what follows the client's stream.
func (w *world) endOfClient(d direct) {
	w.t.Helper()
	reason, code := connect.CloseFinished, 0
	switch {
	case d.violation != nil:
		reason, code = connect.CloseRefused, d.violation.Code
		if code == wsframe.CodeTooBig {
			reason = connect.CloseFlooding
		}
		w.backend.wantsClose(wsframe.CodeAway)
		w.backend.conn.Close()
		w.client.wantsClose(code)
	case d.closed:
		code = d.code
		w.backend.conn.Close()
		w.client.wantsClose(code)
	default:
		w.backend.wantsEnd()
		w.backend.conn.Close()
	}
	w.client.wantsEnd()
	w.client.conn.Close()
	w.wantsOutcome(reason, code)
}

// endOfBackend is what follows the backend's stream.
func (w *world) endOfBackend(d direct) {
	w.t.Helper()
	reason, code := connect.CloseBackendLost, 1011
	switch {
	case d.closed:
		reason, code = connect.CloseFinished, d.code
	case d.violation != nil || d.boundary:
		w.client.wantsClose(1011)
	default:
		code = 0
	}
	go func() { // the wait for the client's answer
		for range 10 {
			time.Sleep(20 * time.Millisecond)
			w.clock.mu.Lock()
			w.clock.now = w.clock.now.Add(time.Second)
			w.clock.mu.Unlock()
		}
	}()
	w.client.conn.CloseWrite()
	if rest := w.client.rest(); len(rest) > 0 {
		w.t.Errorf("the client got %q behind the end", clip(rest))
	}
	io.Copy(io.Discard, w.backend.conn)
	w.wantsOutcome(reason, code)
}
