package wsrelay

import "sync"

// queue is what a side did not take yet.
type queue struct {
	b  []byte
	at int
}

var queues = sync.Pool{New: func() any { return &queue{b: make([]byte, 0, bufferSize)} }}

func newQueue() *queue { return queues.Get().(*queue) }

func (q *queue) release() {
	if cap(q.b) <= 2*bufferSize {
		q.b, q.at = q.b[:0], 0
		queues.Put(q)
	}
}

// full reports whether frames of our own must wait: who asks for them and takes none must not have them pile up.
func (q *queue) full() bool { return q != nil && len(q.b)-q.at > bufferSize+maxTexts }

// advance forgets n bytes and reports whether those were all. It does not let room that is used up grow.
func (q *queue) advance(n int) bool {
	q.at += n
	if q.at >= bufferSize {
		q.b, q.at = q.b[:copy(q.b, q.b[q.at:])], 0
	}
	return q.at == len(q.b)
}

// bufferSize is how much is read at once.
const bufferSize = 64 << 10

// send puts bytes at the end of what goes to a side: into the kernel if nothing is kept, and what the kernel does not take
// is kept.
func (p *Pipe) send(to int, b []byte) {
	s := &p.sides[to]
	if len(b) == 0 || s.is(dead|endedOut) {
		return
	}
	if s.out == nil {
		n := p.write(to, b)
		if n == len(b) || s.is(dead) {
			return
		}
		b = b[n:]
		s.out = newQueue()
		s.stuck = p.group.now
		p.group.arm(p, p.slowAt(to))
		if s.stream != nil {
			p.startWriting(to)
		}
	}
	s.out.b = append(s.out.b, b...)
}

// sent notes that a side took n bytes of what was kept, and reports whether that was all.
func (p *Pipe) sent(i, n int) bool {
	s := &p.sides[i]
	if !s.out.advance(n) {
		return false
	}
	s.out.release()
	s.out = nil
	s.clear(late)
	p.inject(i)
	p.group.arm(p, p.due()) // the other side can be heard again, and so be silent
	return true
}

// broke notes that nothing can be written to a side any more. What it sent before is still read.
func (p *Pipe) broke(i int) {
	s := &p.sides[i]
	s.set(dead)
	s.clear(wants)
	s.discard()
	p.wait(p.policy.SlowWait)
}

// discard forgets what is kept for a side.
func (s *side) discard() {
	if s.out != nil && s.stream == nil { // a stream's writer may be at it
		s.out.release()
	}
	s.out = nil
}

// held reports whether a side must not be read from because the other one does not take what it is sent.
func (p *Pipe) held(from int) bool {
	return p.sides[1-from].out != nil && !p.sides[from].is(deaf)
}

// closeSide closes a connection. By force it is dropped: the kernel forgets what it could not send, too.
func (p *Pipe) closeSide(i int, force bool) {
	s, other := &p.sides[i], &p.sides[1-i]
	if s.is(closed) {
		return
	}
	abort := force && (s.out != nil || !s.is(saidClose))
	if s.stream != nil && !abort {
		s.stream.keep(s.out)
	}
	s.discard()
	s.deafen()
	s.set(closed | eof | eofSeen | dead | mute)
	s.clear(wants)
	s.stash = nil
	if s.stream != nil {
		s.stream.close(abort)
	} else {
		closeDescriptor(s.fd, abort)
	}
	if other.is(closed) {
		return
	}
	other.deafen()
	if i == client {
		other.set(endOut)
	}
	p.wait(p.policy.CloseWait)
}
