package wsrelay

import (
	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
)

// The two sides of a pipe, by which its arrays are indexed.
const (
	client  = 0
	backend = 1
)

// Pipe is one WebSocket that is carried. Its methods may be called from any goroutine. A pipe that is over ignores them.
type Pipe struct {
	// Everything belongs to the group's lock. A pipe without traffic is this and nothing else.
	group  *group
	policy *Policy
	done   func(Outcome)
	extra  *extra // nil most of the time
	timer  timer

	alive  int64 // when the client last showed life
	asked  int64 // when the first ping was sent that it has not answered, or 0
	active int64 // when the client last sent a message
	ping   int64 // when the next ping is due
	rate   int64 // when the frames so far would all have come at MaxRate
	until  int64 // when all ends whatever is missing, or 0

	sides  [2]side
	number uint32 // in the group's table
	code   uint16
	over   bool
}

// side is one of the two connections. "in" is what comes from it, "out" is what goes to it.
type side struct {
	in       wsframe.Reader
	stash    *stash  // the incomplete header or control frame at the end of what was read
	out      *queue  // what it did not take yet
	stream   *stream // its connection in the goroutine form
	stuck    int64   // since when out is not nil
	bytes    uint64
	messages uint64
	fd       int32 // its descriptor in the form of the event loop
	flags    flags
}

type flags uint32

const (
	eof       flags = 1 << iota // nothing more comes from it
	eofSeen                     // and the other side was told
	dead                        // nothing can be written to it
	gotClose                    // its close frame came
	saidClose                   // a close frame is on its way to it
	deaf                        // what comes from it is thrown away
	cut                         // and what came before ends with a whole frame
	mute                        // and not even looked at
	endOut                      // FIN is to follow what is in out
	endedOut                    // FIN was sent
	closed                      // the connection is gone
	hangup                      // event loop: the kernel said that an end is in what is to be read
	late                        // it has left what is kept for it for Policy.SlowWait
	paused                      // event loop: it was not read to the end, because the other side took no more

	wantPing  // frames that wait for a boundary
	wantPong  //
	wantText  //
	wantClose //

	wants = wantPing | wantPong | wantText | wantClose
)

func (s *side) is(f flags) bool { return s.flags&f != 0 }
func (s *side) set(f flags)     { s.flags |= f }
func (s *side) clear(f flags)   { s.flags &^= f }

// boundary reports whether a frame may be put behind what was passed on from s.
func (s *side) boundary() bool {
	if s.is(deaf) {
		return s.is(cut)
	}
	return s.in.Boundary()
}

// deafen passes nothing on from s any more.
func (s *side) deafen() {
	if s.boundary() {
		s.set(cut)
	}
	s.set(deaf)
}

// extra is what few pipes need, and not for long.
type extra struct {
	pong   []byte              // payload for the backend
	texts  []byte              // whole frames for the client
	reason connect.CloseReason // the first that there was to end the socket
	ending *ending             // set once the relay ends the socket
}

func (p *Pipe) more() *extra {
	if p.extra == nil {
		p.extra = new(extra)
	}
	return p.extra
}

// endsFor notes a reason to end, unless there was one before.
func (p *Pipe) endsFor(reason connect.CloseReason) {
	if x := p.more(); x.reason == "" {
		x.reason = reason
	}
}

func (p *Pipe) ending() *ending {
	if p.extra == nil {
		return nil
	}
	return p.extra.ending
}

// stash holds what [wsframe.Reader.Next] left.
type stash struct {
	n int
	b [wsframe.MaxHeader + wsframe.MaxControl]byte
}

// Close ends the socket: the client gets the close frame that c says, the backend one with 1001 (going away), each behind
// what was read for it before. A side in the middle of a frame has 250 ms to end it, or its TCP connection is dropped. The
// answers are waited for, but not longer than Policy.CloseWait. A drain is in no such hurry that a message should be lost
// by it: with [connect.CloseDraining] a frame has CloseWait to end, and a slow side SlowWait to take what was read for it.
// Close does not wait: done of [Loop.Relay] is the end.
func (p *Pipe) Close(c connect.Closing) {
	g := p.group
	g.lock()
	defer g.unlock()
	if p.over || p.ending() != nil {
		return
	}
	p.gather()
	p.begin(ending{
		reason: c.Reason, code: c.Code, text: c.Text, backendCode: wsframe.CodeAway,
		lenient: c.Reason == connect.CloseDraining,
	})
	p.settle()
}

const maxTexts = 4 << 10

// Notice sends the client a text message of our own as soon as the backend is between two messages. It reports whether
// it took it: a pipe that ends, or has 4 KiB waiting already, does not.
func (p *Pipe) Notice(text []byte) bool {
	g := p.group
	g.lock()
	defer g.unlock()
	if p.over || !p.say(text) {
		return false
	}
	p.settle()
	return true
}

// say puts a text message in line for the client.
func (p *Pipe) say(text []byte) bool {
	if p.ending() != nil || p.sides[client].is(saidClose|dead|endOut) {
		return false
	}
	x := p.more()
	if len(x.texts)+len(text) > maxTexts {
		return false
	}
	x.texts = wsframe.AppendFrame(x.texts, wsframe.Header{Final: true, Opcode: wsframe.Text}, text)
	p.sides[client].set(wantText)
	p.inject(client)
	return true
}

func (p *Pipe) outcome() Outcome {
	o := Outcome{Reason: connect.CloseFinished, Code: int(p.code)}
	if p.extra != nil && p.extra.reason != "" {
		o.Reason = p.extra.reason
	}
	if e := p.ending(); e != nil {
		o.Violation = e.violation
	}
	o.FromClient = Traffic{p.sides[client].bytes, p.sides[client].messages}
	o.FromBackend = Traffic{p.sides[backend].bytes, p.sides[backend].messages}
	return o
}
