package wsrelay

import (
	"crypto/rand"
	"errors"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
)

const (
	// boundaryWait is how long a side may be in the middle of a frame when the socket ends. With the precision of the
	// timers it is 250 ms at most.
	boundaryWait = 250*time.Millisecond - tickEvery
	// partingWait bounds a close handshake that the two ends began themselves.
	partingWait = 10 * time.Second
)

// ending is an end that the relay makes.
type ending struct {
	reason      connect.CloseReason
	code        int // for the client
	text        string
	backendCode int
	violation   error
	patient     bool  // the client is told only after the backend's last word
	lenient     bool  // a slow side has the time that it usually has
	boundary    int64 // when a side that is in the middle of a frame is dropped
}

// endFor ends the socket for a reason that the relay found.
func (p *Pipe) endFor(reason connect.CloseReason) {
	c := p.policy.Profile.Closing(reason)
	p.begin(ending{reason: c.Reason, code: c.Code, text: c.Text, backendCode: wsframe.CodeAway})
}

// begin begins an end. Who was told to close already is not told again.
func (p *Pipe) begin(e ending) {
	if p.ending() != nil {
		return
	}
	now := p.group.now
	e.boundary = now + int64(boundaryWait)
	p.more().ending = &e
	p.until = now + int64(p.policy.CloseWait)
	if e.lenient {
		e.boundary = max(e.boundary, p.until)
		p.until += int64(p.policy.SlowWait)
	}
	p.endsFor(e.reason)
	for i := range p.sides {
		if s := &p.sides[i]; !s.is(saidClose|dead) && (i == client || !s.is(eof)) {
			s.set(wantClose)
			p.inject(i)
		}
	}
	p.group.arm(p, p.due())
}

// flooded ends the socket of a client that sent a frame too many.
func (p *Pipe) flooded() {
	p.sides[client].set(deaf | cut) // the frame's header was read, and not passed on
	p.endFor(connect.CloseFlooding)
}

// violated ends the socket because a side broke the protocol. All before that was good and is on its way. A client is
// told only after the backend's last word, as if the backend had told it.
func (p *Pipe) violated(from int, err error) {
	p.sides[from].deafen()
	p.sides[from].set(mute)
	if p.ending() != nil || p.until != 0 {
		return // it is over in any case
	}
	var v *wsframe.Violation
	errors.As(err, &v)
	if from == backend {
		c := p.policy.Profile.Closing(connect.CloseBackendLost)
		p.begin(ending{reason: c.Reason, code: c.Code, text: c.Text, backendCode: v.Code, violation: v})
		return
	}
	reason := connect.CloseRefused
	if v.Code == wsframe.CodeTooBig {
		reason = connect.CloseFlooding
	}
	p.begin(ending{reason: reason, code: v.Code, text: string(v.Rule), backendCode: wsframe.CodeAway, violation: v, patient: true})
}

// inject puts the frames that wait for it behind what was passed on, if a frame may stand there.
func (p *Pipe) inject(to int) {
	s, from := &p.sides[to], &p.sides[1-to]
	if s.is(saidClose | dead | endOut) {
		s.clear(wants)
	}
	if !s.is(wants) || !from.boundary() {
		return
	}
	if !s.out.full() {
		p.injectMost(to)
	}
	if s.is(wantClose) {
		p.injectClose(to)
	}
	p.tidy()
}

// injectMost puts in all frames but the last.
func (p *Pipe) injectMost(to int) {
	s := &p.sides[to]
	if s.is(wantPing) {
		s.clear(wantPing)
		p.send(to, pingFrame)
		p.ask()
	}
	if s.is(wantPong) {
		s.clear(wantPong)
		p.sendOwn(to, wsframe.Pong, p.extra.pong)
	}
	if s.is(wantText) && p.sides[1-to].in.BetweenMessages() {
		s.clear(wantText)
		p.send(to, p.extra.texts)
		p.extra.texts = nil
	}
}

// injectClose tells a side to close. Nothing else goes to it from then on.
func (p *Pipe) injectClose(to int) {
	s, e := &p.sides[to], p.extra.ending
	if to == client && e.patient {
		return
	}
	s.clear(wants)
	code, text := e.backendCode, ""
	if to == client {
		code, text = e.code, e.text
		p.code = uint16(code)
	}
	p.sendOwn(to, wsframe.Close, wsframe.AppendClose(nil, code, text))
	s.set(saidClose)
	p.sides[1-to].deafen()
}

// sendOwn sends a control frame of our own, masked for a backend.
func (p *Pipe) sendOwn(to int, opcode wsframe.Opcode, payload []byte) {
	h := wsframe.Header{Final: true, Opcode: opcode, Masked: to == backend}
	if h.Masked {
		rand.Read(h.Mask[:])
	}
	p.send(to, wsframe.AppendFrame(nil, h, payload))
}

// tidy gives back what waits for nothing any more.
func (p *Pipe) tidy() {
	if x := p.extra; x != nil && x.ending == nil && x.reason == "" && !p.sides[client].is(wants) && !p.sides[backend].is(wants) {
		p.extra = nil
	}
}

// closeCame notes a close frame. One of the two ends' own is passed on as it came; the answer to ours goes no further.
func (p *Pipe) closeCame(from int, piece *wsframe.Piece) verdict {
	s, to := &p.sides[from], &p.sides[1-from]
	verdict := s.unlessDeaf()
	s.deafen()
	s.set(gotClose | mute)
	e := p.ending()
	if e == nil && verdict == pass {
		if from == backend && p.policy.ScrubReason != nil && len(piece.Payload) > 2 {
			p.policy.ScrubReason(piece.Payload[2:])
		}
		p.partingBegins(from, piece)
		to.set(saidClose)
		return pass
	}
	if e != nil && e.patient && from == backend {
		p.heed(piece.Payload)
		p.clientsTurn()
	}
	return drop
}

// heed has the client told what the backend said, if that was no answer to our close frame: it found fault itself with
// something that came before the violation, and a direct peer would have said so.
func (p *Pipe) heed(payload []byte) {
	e := p.extra.ending
	if p.policy.ScrubReason != nil && len(payload) > 2 {
		p.policy.ScrubReason(payload[2:])
	}
	switch code, text := wsframe.ParseClose(payload); code {
	case e.backendCode, wsframe.CodeNormal, wsframe.CodeNone:
	default:
		e.code, e.text = code, text
	}
}

// partingBegins notes who ends the socket with which code.
func (p *Pipe) partingBegins(from int, piece *wsframe.Piece) {
	payload := append([]byte(nil), piece.Payload...)
	if from == client {
		wsframe.Mask(payload, piece.Header.Mask, 0)
	}
	code, _ := wsframe.ParseClose(payload)
	if p.code == 0 {
		p.code = uint16(code)
	}
	p.more().reason = connect.CloseFinished
	p.wait(partingWait)
}

// clientsTurn tells the client why, after the backend had the last word.
func (p *Pipe) clientsTurn() {
	e := p.extra.ending
	e.patient = false
	e.boundary = p.group.now + int64(boundaryWait)
	p.until = p.group.now + int64(p.policy.CloseWait)
	p.sides[backend].deafen()
	p.inject(client)
	p.group.arm(p, p.due())
}

// dropStuck drops the connections that are still in the middle of a frame.
func (p *Pipe) dropStuck(now int64) {
	e := p.ending()
	if now < e.boundary || e.patient {
		return
	}
	for i := range p.sides {
		s := &p.sides[i]
		if slow := s.out != nil && e.lenient; !s.is(saidClose) && !slow {
			p.closeSide(i, true)
		}
	}
}

// hurry bounds the end of a lenient ending once everything is said.
func (p *Pipe) hurry(e *ending) {
	c, b := &p.sides[client], &p.sides[backend]
	if c.out == nil && b.out == nil && c.is(saidClose|dead) && b.is(saidClose|dead) {
		e.lenient = false
		p.wait(p.policy.CloseWait)
	}
}

// timeUp ends the waiting.
func (p *Pipe) timeUp() {
	if e := p.ending(); e != nil && e.patient {
		p.closeSide(backend, true)
		p.clientsTurn()
		return
	}
	p.closeSide(client, true)
	p.closeSide(backend, true)
}

// settle draws the conclusions of what happened. Every entry into a pipe ends with it.
func (p *Pipe) settle() {
	p.conclude()
	for p.resume() {
		p.conclude()
	}
	for i := range p.sides {
		if stream := p.sides[i].stream; stream != nil {
			stream.resumed.Broadcast()
		}
	}
}

func (p *Pipe) conclude() {
	if p.over {
		return
	}
	c, b := &p.sides[client], &p.sides[backend]
	if b.is(eof) && !b.is(eofSeen) {
		b.set(eofSeen)
		p.backendEnded()
	}
	if c.is(eof) && !c.is(eofSeen) {
		c.set(eofSeen)
		p.clientEnded()
	}
	if e := p.ending(); e != nil && e.lenient {
		p.hurry(e)
	}
	p.finish(client)
	p.finish(backend)
	if c.is(closed) && b.is(closed) {
		p.over = true
		p.group.remove(p)
	}
}

// backendEnded handles that nothing more comes from the backend.
func (p *Pipe) backendEnded() {
	c, b := &p.sides[client], &p.sides[backend]
	b.clear(wants)
	c.clear(wantPing)
	switch e := p.ending(); {
	case e != nil && e.patient:
		p.clientsTurn()
	case e != nil:
	case c.is(gotClose) && !b.is(gotClose): // the client said good-bye, and the backend left without a word
		p.begin(ending{reason: connect.CloseFinished, code: int(p.code)})
	case b.is(gotClose), c.is(eof):
		c.set(endOut)
		p.wait(p.policy.CloseWait)
	default:
		p.endFor(connect.CloseBackendLost)
	}
	if !b.boundary() && !c.is(saidClose) { // no frame can stand behind the half of one
		c.clear(wants)
		c.set(endOut)
	}
}

// clientEnded handles that nothing more comes from the client. It may still listen.
func (p *Pipe) clientEnded() {
	c, b := &p.sides[client], &p.sides[backend]
	b.set(endOut)
	b.clear(wants)
	p.endsFor(connect.CloseFinished)
	if c.is(dead) {
		b.deafen()
		p.wait(p.policy.CloseWait)
		return
	}
	p.wait(p.policy.PongWait) // it can answer no ping
}

// wait sees to it that all ends in time, and leaves a slow side the time to take what is kept for it.
func (p *Pipe) wait(d time.Duration) {
	if p.sides[client].out != nil || p.sides[backend].out != nil {
		d += p.policy.SlowWait
	}
	if until := p.group.now + int64(d); p.until == 0 || until < p.until {
		p.until = until
		p.group.arm(p, until)
	}
}

// finish ends a connection that has nothing more to say or to hear.
func (p *Pipe) finish(i int) {
	s, other := &p.sides[i], &p.sides[1-i]
	if s.is(closed) {
		return
	}
	if i == client && s.is(saidClose) && (s.is(gotClose) || p.ending() != nil && s.is(mute)) {
		s.set(endOut) // a server ends the connection once both have said it (RFC 6455 section 7.1.1)
	}
	if s.is(endOut) && !s.is(endedOut|dead) && s.out == nil {
		s.set(endedOut)
		p.shutdown(i)
	}
	switch quiet := s.out == nil || s.is(dead); {
	case !s.is(eof) || !quiet:
	case s.is(dead | endedOut | saidClose), i == backend, other.is(closed):
		p.closeSide(i, false)
	}
}
