package wsrelay_test

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
	"github.com/sallyport-auth/sallyport/internal/wsrelay"
)

var banned = connect.ProfilePlain.Closing(connect.CloseBanned)

func TestClose(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		w.echo()
		w.pipe.Close(banned)
		w.pipe.Close(connect.ProfilePlain.Closing(connect.CloseExpired)) // too late
		if got := w.client.wantsClose(4403); got != banned.Text {
			t.Errorf("the client is told %q", got)
		}
		w.backend.wantsClose(wsframe.CodeAway)
		w.client.send(w.client.frame(wsframe.Text, "late") + w.client.closing(4403, ""))
		w.client.wantsEnd()
		w.client.conn.Close()
		w.backend.send(w.backend.frame(wsframe.Text, "late") + w.backend.closing(wsframe.CodeAway, ""))
		w.backend.conn.CloseWrite()
		w.backend.wantsEnd()
		w.wantsOutcome(connect.CloseBanned, 4403)
		w.pipe.Close(banned) // it is over
		if w.pipe.Notice([]byte("x")) {
			t.Error("a pipe that is over takes a notice")
		}
	})
}

// TestCloseIsBounded: nobody answers the close frames.
func TestCloseIsBounded(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{policy: wsrelay.Policy{CloseWait: 3 * second}})
		w.pipe.Close(banned)
		w.client.wantsClose(4403)
		w.backend.wantsClose(wsframe.CodeAway)
		w.pass(2900 * time.Millisecond)
		select {
		case o := <-w.outcome:
			t.Fatalf("the wait is over already: %+v", o)
		default:
		}
		w.pass(100 * time.Millisecond)
		w.client.wantsEnd()
		w.backend.wantsEnd()
		w.wantsOutcome(connect.CloseBanned, 4403)
	})
}

// TestCloseWaitsForTheBoundary: both sides are in the middle of a frame, and end it in time.
func TestCloseWaitsForTheBoundary(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		up, down := w.client.frame(wsframe.Text, "0123456789"), w.backend.fragment(wsframe.Text, false, "0123456789")
		w.client.send(up[:10])
		w.backend.wants(up[:10])
		w.backend.send(down[:5])
		w.client.wants(down[:5])
		w.pipe.Close(banned)
		w.pass(wsrelay.BoundaryWait - time.Millisecond)
		w.client.send(up[10:] + w.client.frame(wsframe.Text, "more"))
		w.backend.wants(up[10:])
		w.backend.wantsClose(wsframe.CodeAway)
		w.backend.send(down[5:] + w.backend.fragment(wsframe.Continuation, true, "more"))
		w.client.wants(down[5:])
		w.client.wantsClose(4403)
	})
}

// TestStuckInsideAFrame: no boundary comes, so the connections are dropped within 250 ms.
func TestStuckInsideAFrame(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		up, down := w.client.frame(wsframe.Text, "0123456789"), w.backend.frame(wsframe.Text, "0123456789")
		w.client.send(up[:10])
		w.backend.wants(up[:10])
		w.backend.send(down[:5])
		w.client.wants(down[:5])
		w.pipe.Close(banned)
		w.pass(250 * time.Millisecond)
		w.client.wantsEnd()
		w.backend.wantsEnd()
		w.wantsOutcome(connect.CloseBanned, 0)
	})
}

// TestOneSideStuck: only the client is told, the backend's stream has no boundary.
func TestOneSideStuck(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		up := w.client.frame(wsframe.Text, "0123456789")
		w.client.send(up[:3]) // not even a header
		w.echoDown()
		w.client.send(up[3:10])
		w.backend.wants(up[:10])
		w.pipe.Close(banned)
		w.client.wantsClose(4403)
		w.pass(250 * time.Millisecond)
		w.backend.wantsEnd()
		w.client.send(up[10:] + w.client.closing(4403, ""))
		w.client.wantsEnd()
		w.client.conn.Close()
		w.wantsOutcome(connect.CloseBanned, 4403)
	})
}

// TestHeaderInPartsAndClose: a header that is not whole was not passed on, so the close frame may come.
func TestHeaderInPartsAndClose(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		w.client.send(w.client.frame(wsframe.Text, "x") + w.client.frame(wsframe.Text, "0123456789")[:3])
		w.backend.wants(w.client.frame(wsframe.Text, "x"))
		w.pipe.Close(banned)
		w.client.wantsClose(4403)
		w.backend.wantsClose(wsframe.CodeAway)
	})
}

func TestNotice(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		notice := w.backend.frame(wsframe.Text, "soon over")
		if !w.pipe.Notice([]byte("soon over")) {
			t.Fatal("the notice was not taken")
		}
		w.client.wants(notice)
		first := w.backend.fragment(wsframe.Binary, false, "one")
		w.backend.send(first)
		w.client.wants(first)
		w.pipe.Notice([]byte("soon over"))
		w.pass(10 * second)
		w.client.wantsFrame(wsframe.Ping) // a control frame may stand inside a message, a text not
		w.backend.send(w.backend.fragment(wsframe.Continuation, true, "two") + w.backend.frame(wsframe.Text, "three"))
		w.client.wants(w.backend.fragment(wsframe.Continuation, true, "two") + notice + w.backend.frame(wsframe.Text, "three"))
		w.backend.send(first)
		w.client.wants(first)
		for i := range 10 {
			if w.pipe.Notice([]byte(strings.Repeat("x", 1000))) != (i < 4) {
				t.Errorf("notice %d of 1000 bytes is not as it should be", i)
			}
		}
	})
}

func TestBackendCloses(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		bye := w.backend.closing(1000, "server-side session disconnect")
		w.backend.send(w.backend.frame(wsframe.Text, "last") + bye)
		w.client.wants(w.backend.frame(wsframe.Text, "last") + bye)
		answer := w.client.closing(1000, "")
		w.client.send(answer)
		w.backend.wants(answer)
		w.backend.conn.Close()
		w.client.wantsEnd()
		w.client.conn.Close()
		w.wantsOutcome(connect.CloseFinished, 1000)
	})
}

// TestCloseWithoutCode: an empty close frame passes as it came.
func TestCloseWithoutCode(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		w.client.send(w.client.frame(wsframe.Close, ""))
		w.backend.wants(w.client.frame(wsframe.Close, ""))
		w.backend.conn.Close() // without an answer: the client gets its own
		w.client.wants(w.backend.frame(wsframe.Close, ""))
		w.client.wantsEnd()
		w.client.conn.Close()
		w.wantsOutcome(connect.CloseFinished, wsframe.CodeNone)
	})
}

// TestPartingIsBounded: the backend never answers the client's close frame.
func TestPartingIsBounded(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		w.client.send(w.client.closing(1000, ""))
		w.backend.wants(w.client.closing(1000, ""))
		w.pass(wsrelay.PartingWait)
		w.client.wantsEnd()
		w.backend.wantsEnd()
		w.wantsOutcome(connect.CloseFinished, 1000)
	})
}

func TestBackendLost(t *testing.T) {
	for name, leave := range map[string]func(*end){
		"FIN": func(e *end) { e.conn.Close() },
		"RST": func(e *end) { e.conn.(*net.TCPConn).SetLinger(0); e.conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
				w := start(t, config, setup{policy: wsrelay.Policy{Profile: connect.ProfileNakama}})
				last := w.backend.frame(wsframe.Text, "last")
				w.backend.send(last)
				w.client.wants(last)
				leave(w.backend)
				w.client.wantsClose(1011)
				w.client.send(w.client.closing(1011, ""))
				w.client.wantsEnd()
				w.client.conn.Close()
				w.wantsOutcome(connect.CloseBackendLost, 1011)
			})
		})
	}
}

// TestBackendLostInsideAFrame: no frame can follow the half of one.
func TestBackendLostInsideAFrame(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		down := w.backend.frame(wsframe.Text, "0123456789")
		w.backend.send(down[:5])
		w.client.wants(down[:5])
		w.backend.conn.Close()
		w.client.wantsEnd()
		w.client.conn.Close()
		w.wantsOutcome(connect.CloseBackendLost, 0)
	})
}

// TestHalfClose: a reply after the client's FIN arrives.
func TestHalfClose(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		last := w.client.frame(wsframe.Text, "last words")
		w.client.send(last)
		w.client.conn.CloseWrite()
		w.backend.wants(last)
		w.backend.wantsEnd()
		reply := w.backend.frame(wsframe.Text, strings.Repeat("r", 100_000))
		go w.backend.conn.Write([]byte(reply))
		w.client.wants(reply)
		w.backend.conn.Close()
		w.client.wantsEnd()
		o := w.wantsOutcome(connect.CloseFinished, 0)
		want := wsrelay.Traffic{Bytes: uint64(len(last)), Messages: 1}
		if o.FromClient != want {
			t.Errorf("from the client came %+v, want %+v", o.FromClient, want)
		}
	})
}

// TestHalfCloseIsBounded: a client that left that way cannot answer pings.
func TestHalfCloseIsBounded(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{policy: wsrelay.Policy{Pinger: wsrelay.BackendPings}})
		w.client.conn.CloseWrite()
		w.backend.wantsEnd()
		w.pass(20 * second)
		w.client.wantsEnd()
		w.wantsOutcome(connect.CloseFinished, 0)
	})
}

// TestFirstReasonStays: a client that had left is not one that a drain ended.
func TestFirstReasonStays(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		w.client.conn.CloseWrite()
		w.backend.wantsEnd()
		if !w.pipe.Notice([]byte("soon")) { // what it needs is given back once it is sent
			t.Error("the notice was not taken")
		}
		w.client.wants(w.backend.frame(wsframe.Text, "soon"))
		w.pipe.Close(connect.ProfilePlain.Closing(connect.CloseDraining))
		w.client.conn.Close()
		w.backend.conn.Close()
		if o := <-w.outcome; o.Reason != connect.CloseFinished {
			t.Errorf("ended as %q", o.Reason)
		}
	})
}

func TestClientReset(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		last := w.client.frame(wsframe.Text, "last")
		w.client.send(last)
		w.backend.wants(last)
		w.client.conn.(*net.TCPConn).SetLinger(0)
		w.client.conn.Close()
		w.backend.wantsEnd()
		w.backend.conn.Close()
		w.wantsOutcome(connect.CloseFinished, 0)
	})
}

// TestViolation: the good bytes before it are delivered, the backend has the last word, then the client is told 1002 as
// by a direct peer.
func TestViolation(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		good := w.client.frame(wsframe.Text, "good")
		w.client.send(good + "\x83\x80" + "nonsense that nobody looks at")
		w.backend.wants(good)
		w.backend.wantsClose(wsframe.CodeAway)
		echo := w.backend.frame(wsframe.Text, "good")
		w.backend.send(echo + w.backend.closing(wsframe.CodeAway, ""))
		w.backend.conn.Close()
		w.client.wants(echo)
		w.client.wantsClose(wsframe.CodeProtocol)
		w.client.wantsEnd()
		w.client.conn.Close()
		o := w.wantsOutcome(connect.CloseRefused, wsframe.CodeProtocol)
		if !errors.Is(o.Violation, &wsframe.Violation{Rule: wsframe.ReservedOpcode}) {
			t.Errorf("the outcome says %v", o.Violation)
		}
	})
}

// TestViolationAfterAnother: the backend finds fault with what came before the violation, which a direct peer would have said
// and nothing else. What it says by way of an answer to us is nothing of the kind.
func TestViolationAfterAnother(t *testing.T) {
	for name, c := range map[string]struct {
		says, code int
		text       string
	}{
		"bad UTF-8":          {1007, 1007, "xx"},
		"of its own":         {4000, 4000, "xx"},
		"an answer":          {wsframe.CodeAway, wsframe.CodeProtocol, string(wsframe.ReservedOpcode)},
		"another answer":     {wsframe.CodeNormal, wsframe.CodeProtocol, string(wsframe.ReservedOpcode)},
		"an answer, no code": {0, wsframe.CodeProtocol, string(wsframe.ReservedOpcode)},
	} {
		t.Run(name, func(t *testing.T) {
			forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
				scrub := func(text []byte) { copy(text, "xx") }
				w := start(t, config, setup{policy: wsrelay.Policy{ScrubReason: scrub}})
				bad := w.client.frame(wsframe.Text, "\xff")
				w.client.send(bad + "\x83\x80")
				w.backend.wants(bad)
				w.backend.wantsClose(wsframe.CodeAway)
				w.backend.send(w.backend.closing(c.says, "oh"))
				if text := w.client.wantsClose(c.code); text != c.text {
					t.Errorf("the client was told %q, want %q", text, c.text)
				}
				w.backend.conn.Close()
				w.client.conn.Close()
				w.wantsOutcome(connect.CloseRefused, c.code)
			})
		})
	}
}

// TestViolationIsBounded: the backend says nothing to it.
func TestViolationIsBounded(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		w.client.send("\x81\x05hello") // not masked
		w.backend.wantsClose(wsframe.CodeAway)
		w.pass(second)
		w.client.wantsClose(wsframe.CodeProtocol)
		w.backend.wantsEnd()
		w.client.wantsEnd()
		w.client.conn.Close()
		w.wantsOutcome(connect.CloseRefused, wsframe.CodeProtocol)
	})
}

func TestMessageTooBig(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{policy: wsrelay.Policy{MaxMessage: 10}})
		good := w.client.fragment(wsframe.Text, false, "0123456789")
		w.client.send(good + w.client.fragment(wsframe.Continuation, true, "x"))
		w.backend.wants(good)
		w.backend.wantsClose(wsframe.CodeAway)
		w.backend.conn.Close()
		w.client.wantsClose(wsframe.CodeTooBig)
		w.client.wantsEnd()
		w.client.conn.Close()
		w.wantsOutcome(connect.CloseFlooding, wsframe.CodeTooBig)
	})
}

func TestBackendViolation(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		good := w.backend.frame(wsframe.Text, "good")
		w.backend.send(good + "\x81\x80mask")
		w.client.wants(good)
		w.client.wantsClose(1011)
		w.backend.wantsClose(wsframe.CodeProtocol)
		w.pass(second)
		o := w.wantsOutcome(connect.CloseBackendLost, 1011)
		if !errors.Is(o.Violation, &wsframe.Violation{Rule: wsframe.IsMasked}) {
			t.Errorf("the outcome says %v", o.Violation)
		}
	})
}

// TestScrubbedReason: a backend that writes too much into its close frame.
func TestScrubbedReason(t *testing.T) {
	scrub := func(text []byte) {
		for i := range text {
			text[i] = 'x'
		}
	}
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{policy: wsrelay.Policy{ScrubReason: scrub}})
		bye := w.backend.closing(1000, "read tcp 10.0.0.1:7350")
		w.backend.send(bye[:7])
		w.backend.send(bye[7:])
		if got := w.client.wantsClose(1000); got != strings.Repeat("x", 22) {
			t.Errorf("the client is told %q", got)
		}
		w.client.send(w.client.closing(1000, "mine"))
		w.backend.wants(w.client.closing(1000, "mine")) // only the backend's text is
	})
}
