package wsrelay

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// stream is a connection in the goroutine form: one goroutine reads, and one writes as long as something is kept.
type stream struct {
	conn    net.Conn
	resumed sync.Cond  // with the group's lock: something was written, or all is over
	writing bool       // there is a goroutine for it
	busy    int        // bytes that it is writing
	last    []byte     // to be written before the connection is closed, if that needs no waiting
	turn    sync.Mutex // held by who writes: the goroutine, then whoever closes
	work    sync.WaitGroup
}

// streams gives a pipe its connections in this form.
func (p *Pipe) streams(halves *[2]Half) {
	for i := range halves {
		s := &stream{conn: halves[i].Conn}
		s.resumed.L = &p.group.mu
		s.conn.SetDeadline(time.Time{}) // what the handshake may have left
		p.sides[i].stream = s
	}
}

func (p *Pipe) startReading() {
	for i := range p.sides {
		p.sides[i].stream.work.Add(1)
		go p.readStream(i)
	}
}

const (
	smallRead = 4 << 10
	readRoom  = headroom + bufferSize
)

// rooms are buffers for streams that fill a small one.
var rooms = sync.Pool{New: func() any { return new([readRoom]byte) }}

// readStream reads a side until its end. A side that fills its small buffer has a large one for the next read.
func (p *Pipe) readStream(i int) {
	stream := p.sides[i].stream
	defer stream.work.Done()
	small := make([]byte, headroom+smallRead)
	for n := 0; n >= 0; {
		if n < smallRead {
			n = p.readOnce(i, small)
			continue
		}
		room := rooms.Get().(*[readRoom]byte)
		n = p.readOnce(i, room[:])
		rooms.Put(room)
	}
}

// readOnce reads a side, passes on what came, and waits until more may be read. It returns -1 at the end.
func (p *Pipe) readOnce(i int, buffer []byte) int {
	g, s := p.group, &p.sides[i]
	n, err := s.stream.conn.Read(buffer[headroom:])
	g.lock()
	defer g.unlock()
	if n > 0 && !s.is(closed) {
		p.take(i, buffer, n)
	}
	if err != nil {
		s.set(eof)
		if err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) { // the latter is TLS's, for an end without its alert
			s.set(dead)
		}
	}
	p.settle()
	for p.held(i) && !p.over {
		s.stream.resumed.Wait()
	}
	if s.is(eof) {
		return -1
	}
	return n
}

// startWriting has what is kept for a side written, and then its end if that is due.
func (p *Pipe) startWriting(i int) {
	stream := p.sides[i].stream
	if stream.writing {
		return
	}
	stream.writing = true
	stream.work.Add(1)
	go p.writeStream(i)
}

func (p *Pipe) writeStream(i int) {
	g, s := p.group, &p.sides[i]
	stream := s.stream
	defer stream.work.Done()
	g.lock()
	defer g.unlock()
	for !s.is(dead) && (s.out != nil || s.is(endedOut)) {
		if s.out == nil {
			g.mu.Unlock()
			err := closeWrite(stream.conn)
			g.lock()
			p.halfClosed(i, err)
			break
		}
		q := s.out
		b := q.b[q.at:]
		stream.busy = len(b)
		stream.turn.Lock()
		g.mu.Unlock()
		n, err := stream.conn.Write(b)
		stream.turn.Unlock()
		g.lock()
		stream.busy = 0
		if s.is(closed) {
			break
		}
		if err != nil {
			p.broke(i)
		} else if !p.sent(i, n) { // what is left is newer
			s.stuck = g.now
			s.clear(late)
		}
		p.settle()
	}
	stream.writing = false
	p.settle()
}

// closeWrite sends the connection's end if it can have one of its own.
func closeWrite(conn net.Conn) error {
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errors.ErrUnsupported
}

// halfClosed notes how closeWrite went. A client to which all was said is then closed as a whole; a backend may still
// have something to say.
func (p *Pipe) halfClosed(i int, err error) {
	switch s := &p.sides[i]; {
	case err == nil || s.is(closed):
	case !errors.Is(err, errors.ErrUnsupported):
		p.broke(i)
	case i == client:
		p.closeSide(client, false)
	}
}

// unwrap returns the connection under a TLS one.
func unwrap(conn net.Conn) net.Conn {
	if c, ok := conn.(interface{ NetConn() net.Conn }); ok {
		return c.NetConn()
	}
	return conn
}

// keep has what is kept written at the very end, behind what is being written.
func (s *stream) keep(out *queue) {
	if out != nil {
		s.last = out.b[out.at+s.busy:]
	}
}

// lastWrite is how long the last bytes may take.
const lastWrite = 100 * time.Millisecond

// close drops the connection without waiting for it.
func (s *stream) close(abort bool) {
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		if tcp, ok := unwrap(s.conn).(*net.TCPConn); ok && abort {
			tcp.SetLinger(0)
		}
		if !abort {
			s.conn.SetWriteDeadline(time.Now().Add(lastWrite))
			s.turn.Lock()
			defer s.turn.Unlock()
		}
		if len(s.last) > 0 {
			s.conn.Write(s.last)
		}
		s.conn.Close()
	}()
}
