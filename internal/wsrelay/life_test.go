package wsrelay_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
	"github.com/sallyport-auth/sallyport/internal/wsrelay"
)

const second = time.Second

func TestRelayPings(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		for range 5 { // alive for 50 s, by pongs alone
			w.pass(10 * second)
			if got := w.client.wantsFrame(wsframe.Ping); got != wsrelay.PingText {
				t.Fatalf("the ping says %q", got)
			}
			w.client.send(w.client.frame(wsframe.Pong, wsrelay.PingText))
			w.echo() // the backend does not see the pong
		}
	})
}

func TestSilentClientIsClosed(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		w.pass(10 * second)
		w.client.wantsFrame(wsframe.Ping)
		w.pass(9900 * time.Millisecond)
		w.echo() // messages are no answer to a ping
		w.pass(100 * time.Millisecond)
		if reason := w.client.wantsClose(4408); reason != "silent: no answer to pings, connect again" {
			t.Errorf("the client is told %q", reason)
		}
		w.backend.wantsClose(wsframe.CodeAway)
		w.pass(second)
		w.client.wantsEnd()
		w.backend.wantsEnd()
		w.wantsOutcome(connect.CloseSilent, 4408)
	})
}

// TestSleptThrough: a machine that slept for a minute asks before it judges.
func TestSleptThrough(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		w.pass(time.Minute)
		w.client.wantsFrame(wsframe.Ping)
		w.pass(5 * second)
		w.client.send(w.client.frame(wsframe.Pong, wsrelay.PingText))
		w.echo()
		w.pass(9 * second)
		w.client.wantsFrame(wsframe.Ping)
		w.echo()
	})
}

func TestRelayAnswersTheBackendsPings(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		w.backend.send(w.backend.frame(wsframe.Ping, "tick"))
		if got := w.backend.wantsFrame(wsframe.Pong); got != "tick" {
			t.Errorf("the pong says %q", got)
		}
		w.echo() // the client sees nothing of it
		half := w.client.frame(wsframe.Text, "0123456789")
		w.client.send(half[:12])
		w.backend.wants(half[:12])
		w.backend.send(w.backend.frame(wsframe.Ping, "one") + w.backend.frame(wsframe.Ping, "two") + w.backend.frame(wsframe.Text, "x"))
		w.client.wants(w.backend.frame(wsframe.Text, "x"))
		w.client.send(half[12:])
		w.backend.wants(half[12:])
		if got := w.backend.wantsFrame(wsframe.Pong); got != "two" {
			t.Errorf("the pong after the frame says %q, want that of the latest ping", got)
		}
		w.echo()
	})
}

// TestOtherControlFramesPass: a client's own pings, the pongs to them, and pongs that nobody asked for.
func TestOtherControlFramesPass(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		ping, pong := w.client.frame(wsframe.Ping, "a"), w.client.frame(wsframe.Pong, "b")
		w.client.send(ping + pong)
		w.backend.wants(ping + pong)
		answer := w.backend.frame(wsframe.Pong, "a")
		w.backend.send(answer)
		w.client.wants(answer)
	})
}

func TestBackendPings(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{policy: wsrelay.Policy{Pinger: wsrelay.BackendPings}})
		ping, pong := w.backend.frame(wsframe.Ping, ""), w.client.frame(wsframe.Pong, "")
		w.pass(time.Hour) // nobody asked, nobody is silent
		w.echo()
		w.backend.send(ping)
		w.client.wants(ping)
		w.client.send(pong)
		w.backend.wants(pong)
		w.pass(time.Minute)
		w.echo()
		w.backend.send(ping)
		w.client.wants(ping)
		w.pass(19 * second)
		w.backend.send(ping) // a second one does not put it off
		w.client.wants(ping)
		w.echo()
		w.pass(second)
		w.client.wantsClose(4408)
		w.backend.wantsClose(wsframe.CodeAway)
	})
}

func TestHeartbeat(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{policy: wsrelay.Policy{Heartbeat: []byte(`{"hb":1}`)}})
		beat := w.client.frame(wsframe.Text, `{"hb":1}`)
		for range 6 {
			w.pass(10 * second)
			w.client.wantsFrame(wsframe.Ping) // and no pong
			w.client.send(beat[:9])
			w.client.send(beat[9:])
			w.client.wants(w.backend.frame(wsframe.Text, `{"hb":1}`))
			w.echo() // the backend does not see it
		}
		like := w.client.frame(wsframe.Text, `{"hb":2}`) + w.client.frame(wsframe.Binary, `{"hb":1}`) +
			w.client.fragment(wsframe.Text, false, `{"hb":1}`) + w.client.fragment(wsframe.Continuation, true, "")
		w.client.send(like)
		w.backend.wants(like)
		w.pass(10 * second)
		w.client.wantsFrame(wsframe.Ping)
		w.pass(10 * second)
		w.client.wantsClose(4408)
	})
}

// TestHeartbeatAnswerWaits: the answer is a text message, so it goes between two of the backend's messages only.
func TestHeartbeatAnswerWaits(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{policy: wsrelay.Policy{Heartbeat: []byte("hb")}})
		first := w.backend.fragment(wsframe.Text, false, "begin")
		w.backend.send(first)
		w.client.wants(first)
		next := w.client.frame(wsframe.Text, "next")
		w.client.send(w.client.frame(wsframe.Text, "hb") + next)
		w.backend.wants(next)
		last := w.backend.fragment(wsframe.Continuation, true, "end")
		w.backend.send(last)
		w.client.wants(last + w.backend.frame(wsframe.Text, "hb"))
	})
}

// TestOwnFramesAreBounded: who asks for frames of ours and takes none of them cannot have them pile up.
func TestOwnFramesAreBounded(t *testing.T) {
	text := strings.Repeat("x", wsframe.MaxControl)
	for from, asking := range map[string]func(w *world) (*end, string){
		"client":  func(w *world) (*end, string) { return w.client, w.client.frame(wsframe.Text, text) },
		"backend": func(w *world) (*end, string) { return w.backend, w.backend.frame(wsframe.Ping, text) },
	} {
		t.Run(from, func(t *testing.T) {
			forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
				w := start(t, config, setup{policy: wsrelay.Policy{Heartbeat: []byte(text), MaxRate: -1}})
				peer, frame := asking(w)
				for range 600 { // 15 MB, of which the kernel holds a few
					peer.send(strings.Repeat(frame, 200))
				}
				if got, most := w.loop.Kept(), 256<<10; got == 0 || got > most {
					t.Errorf("%d bytes are kept, want %d at most", got, most)
				}
			})
		})
	}
}

// TestOwnFramesComeLater: what could not be said while too much was kept is said once that is taken: of pongs the latest.
func TestOwnFramesComeLater(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		ping := w.backend.frame(wsframe.Ping, strings.Repeat("p", wsframe.MaxControl))
		for range 200 {
			w.backend.send(strings.Repeat(ping, 200))
		}
		w.backend.send(w.backend.frame(wsframe.Ping, "the last"))
		for w.backend.wantsFrame(wsframe.Pong) != "the last" { // and the world's patience ends it
		}
	})
}

// TestLongFrameIsLife: no pong can come inside a frame, so more of it is one.
func TestLongFrameIsLife(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		frame := w.client.frame(wsframe.Binary, "0123456789")
		w.client.send(frame[:7])
		w.backend.wants(frame[:7])
		for i := 7; i < len(frame); i++ {
			w.pass(9 * second)
			w.client.send(frame[i : i+1])
			w.backend.wants(frame[i : i+1])
		}
	})
}

func TestIdle(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{policy: wsrelay.Policy{Idle: 30 * second}})
		w.pass(29 * second)
		w.client.wantsFrame(wsframe.Ping)
		w.client.send(w.client.frame(wsframe.Pong, wsrelay.PingText))
		w.echo()
		w.pass(29 * second)
		w.client.wantsFrame(wsframe.Ping)
		w.client.send(w.client.frame(wsframe.Pong, wsrelay.PingText) + w.client.frame(wsframe.Ping, "p"))
		w.backend.wants(w.client.frame(wsframe.Ping, "p"))
		w.pass(second)
		w.client.wantsClose(4410)
		w.backend.wantsClose(wsframe.CodeAway)
		w.pass(second)
		w.wantsOutcome(connect.CloseIdle, 4410)
	})
}

func TestFlooding(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{policy: wsrelay.Policy{MaxRate: 10, Burst: 5}})
		ping := w.client.frame(wsframe.Ping, "")
		send := func(n int) {
			for range n {
				w.client.send(ping)
				w.backend.wants(ping)
			}
		}
		send(5)
		w.pass(200 * time.Millisecond)
		send(2)
		w.pass(5 * second) // enough for many, but not saved up beyond the burst
		send(3)
		w.client.send(ping + ping + ping + ping)
		w.backend.wants(ping + ping) // what was within the rate
		w.backend.wantsClose(wsframe.CodeAway)
		w.client.wantsClose(4429)
		w.pass(second)
		w.wantsOutcome(connect.CloseFlooding, 4429)
	})
}
