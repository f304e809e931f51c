package wsrelay

import (
	"bytes"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
)

// pingText is the payload of our pings, by which their pongs are known from a client's own.
const pingText = "sallyport"

var pingFrame = wsframe.AppendFrame(nil, wsframe.Header{Final: true, Opcode: wsframe.Ping}, []byte(pingText))

// pingCame decides about a ping. A backend's is answered here where the relay pings, and else asks the client.
func (p *Pipe) pingCame(from int, piece *wsframe.Piece) verdict {
	s := &p.sides[from]
	switch {
	case s.is(deaf):
		return drop
	case from == client:
		return pass
	case p.policy.Pinger == RelayPings:
		p.answer(piece.Payload)
		return drop
	}
	p.ask()
	return pass
}

// answer sends the backend a pong, or has the latest one wait for a boundary (RFC 6455 section 5.5.3).
func (p *Pipe) answer(payload []byte) {
	b := &p.sides[backend]
	if b.is(saidClose | dead | endOut) {
		return
	}
	x := p.more()
	x.pong = append(x.pong[:0], payload...)
	b.set(wantPong)
	p.inject(backend)
}

// ask notes that a ping is on its way to the client.
func (p *Pipe) ask() {
	if p.asked == 0 {
		p.asked = p.group.now
		p.group.arm(p, p.silentAt())
	}
}

// pongCame decides about a pong: the answer to our own ping goes no further.
func (p *Pipe) pongCame(from int, piece *wsframe.Piece) verdict {
	if from == client {
		p.lives()
		if p.policy.Pinger == RelayPings && isPayload(piece, pingText) {
			return drop
		}
	}
	return p.sides[from].unlessDeaf()
}

func (p *Pipe) lives() { p.alive, p.asked = p.group.now, 0 }

// heartbeatCame notices the heartbeat of a client and answers it.
func (p *Pipe) heartbeatCame(piece *wsframe.Piece) bool {
	heartbeat := p.policy.Heartbeat
	h := &piece.Header
	if len(heartbeat) == 0 || h.Opcode != wsframe.Text || !h.Final || h.RSV != 0 || !isPayload(piece, string(heartbeat)) {
		return false
	}
	p.lives()
	p.say(heartbeat)
	return true
}

// isPayload compares the payload of a client's whole frame.
func isPayload(piece *wsframe.Piece, text string) bool {
	if len(piece.Payload) != len(text) || piece.Header.Length != uint64(len(text)) {
		return false
	}
	var plain [wsframe.MaxControl]byte
	n := copy(plain[:], piece.Payload)
	wsframe.Mask(plain[:n], piece.Header.Mask, 0)
	return bytes.Equal(plain[:n], []byte(text))
}

const never = int64(1) << 62

// silentAt is when the client will have been silent for too long. A ping that was late, because the backend was in the
// middle of a frame or the machine slept, leaves the usual time for its answer.
func (p *Pipe) silentAt() int64 {
	switch policy := p.policy; {
	case p.asked == 0 || p.sides[backend].out != nil: // a client that is not read from cannot be heard
		return never
	case policy.Pinger == BackendPings:
		return max(p.asked, p.alive) + int64(policy.PongWait)
	default:
		return max(p.alive+int64(policy.PongWait), p.asked+int64(policy.PongWait-policy.PingEvery))
	}
}

func (p *Pipe) idleAt() int64 {
	if p.policy.Idle == 0 || p.sides[backend].out != nil {
		return never
	}
	return p.active + int64(p.policy.Idle)
}

func (p *Pipe) slowAt(i int) int64 {
	if p.sides[i].out == nil {
		return never
	}
	return p.sides[i].stuck + int64(p.policy.SlowWait)
}

func (p *Pipe) pingAt() int64 {
	if p.policy.Pinger == BackendPings {
		return never
	}
	return p.ping
}

// tick does what is due, and says when something will be.
func (p *Pipe) tick(now int64) (next int64) {
	p.forgive(now)
	switch {
	case p.until != 0 && now >= p.until:
		p.timeUp()
	case p.ending() != nil:
		p.dropStuck(now)
	case p.until != 0: // the two ends say good-bye
	case now >= p.slowAt(client):
		p.endFor(connect.CloseSlow)
	case now >= p.slowAt(backend):
		p.endFor(connect.CloseBackendLost)
	case now >= p.silentAt():
		p.endFor(connect.CloseSilent)
	case now >= p.idleAt():
		p.endFor(connect.CloseIdle)
	case now >= p.pingAt():
		p.ping = now + int64(p.policy.PingEvery)
		p.sides[client].set(wantPing)
		p.inject(client)
	}
	p.settle()
	return p.due()
}

// forgive puts off the end of a slow side once, a little: a machine that slept must not judge by what it finds.
func (p *Pipe) forgive(now int64) {
	for i := range p.sides {
		if s := &p.sides[i]; now >= p.slowAt(i) && !s.is(late) {
			s.set(late)
			s.stuck = now + 2*int64(tickEvery) - int64(p.policy.SlowWait)
		}
	}
}

// due is when the pipe must be looked at next.
func (p *Pipe) due() int64 {
	if e := p.ending(); e != nil && p.sides[client].flags&p.sides[backend].flags&saidClose == 0 {
		return min(p.until, e.boundary)
	}
	if p.until != 0 {
		return p.until
	}
	return min(p.slowAt(client), p.slowAt(backend), p.silentAt(), p.idleAt(), p.pingAt())
}
