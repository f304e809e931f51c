package downstream

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/internal/http1"
)

// bufferSize is what a connection reads at once.
const bufferSize = 4 << 10

// The values of conn.busy besides the time since when it is.
const (
	idle  = 0
	ended = -1 // by Shutdown
)

// conn is one connection and everything that its requests need, one after the other. With Server.Reuse nothing of it is made anew for
// the next request, nor for the next connection.
type conn struct {
	server *Server
	net    net.Conn
	in     http1.Reader
	busy   atomic.Int64 // since when, in Unix nanoseconds; or idle, ended
	life   *life
	remote string

	reading, writing time.Time // the deadlines that are set
	fresh            bool      // no request was read yet
	last             bool      // the connection ends with the request that is served

	blank  http.Request // with the context
	buffer [bufferSize]byte
	*served
}

// served is what a handler is given, and what that is made of.
type served struct {
	request  http.Request
	url      url.URL
	header   http.Header
	trailer  http.Header
	fields   []http1.Field
	values   []string
	body     body
	response Response
}

func newServed() *served {
	x := &served{header: make(http.Header, 16)}
	x.response.header = make(http.Header, 16)
	return x
}

var conns = sync.Pool{New: func() any { return &conn{served: newServed()} }}

func newConn(s *Server, n net.Conn) *conn {
	c := conns.Get().(*conn)
	c.server, c.net, c.remote = s, n, n.RemoteAddr().String()
	c.busy.Store(idle)
	c.reading, c.writing, c.fresh, c.last = time.Time{}, time.Time{}, true, false
	c.in.Reset(n, c.buffer[:])
	c.life = newLife()
	c.blank = *new(http.Request).WithContext(c.life)
	c.response.c, c.body.c = c, c
	return c
}

// serve serves requests until the connection ends or is taken over.
func (c *conn) serve() {
	c.expectHead()
	if c.secure() {
		for c.next() {
		}
	}
	c.life.End()
	c.server.forget(c)
	if !c.response.taken {
		_ = c.net.Close()
	}
	if c.server.Reuse {
		c.release()
	}
}

// manyFields is how many header fields a request may have whose memory is used again. Real ones have fewer.
const manyFields = 64

// slim lets go of what a request with very many fields needed: maps do not shrink. Else a client had it kept for nothing, on every
// connection that it leaves idle, and those that come after it would carry it on.
func (c *conn) slim() {
	c.trailer, c.request.Trailer, c.body.in = nil, nil, http1.Body{}
	if len(c.fields) > manyFields {
		c.header, c.fields, c.values = make(http.Header, 16), nil, nil
		c.request.Header = c.header
	}
}

// release keeps nothing of what was served.
func (c *conn) release() {
	c.slim()
	clear(c.header)
	clear(c.response.header)
	clear(c.fields[:cap(c.fields)])
	clear(c.values[:cap(c.values)])
	c.net, c.server, c.remote, c.request, c.blank, c.url, c.trailer = nil, nil, "", http.Request{}, http.Request{}, url.URL{}, nil
	c.life = nil
	c.in.Reset(nil, nil)
	c.body = body{}
	clear(c.buffer[:])
	clear(c.response.head[:cap(c.response.head)])
	clear(c.response.pending[:cap(c.response.pending)])
	c.response.reset()
	c.response.taken = false
	conns.Put(c)
}

// next serves one request and says whether there may be another.
func (c *conn) next() bool {
	text, ok := c.readHead()
	if !ok {
		return false
	}
	if !c.server.Reuse {
		c.served = newServed()
		c.response.c, c.body.c = c, c
	}
	if err := c.parse(text); err != nil {
		c.refuse(err)
		return false
	}
	if !c.body.whole.Load() {
		c.expectBody()
	}
	if !c.handle() {
		return false
	}
	c.body.closed.Store(true)
	c.slim()
	// Shutdown sets closing before it looks for idle connections, so one of the two sees the other.
	c.busy.Store(idle)
	if c.server.closing.Load() {
		return false
	}
	c.expect(orDefault(c.server.IdleTimeout, defaultIdleTimeout))
	return true
}

// handle runs the handler and ends its answer. It says whether the connection can serve another request.
func (c *conn) handle() (again bool) {
	defer func() {
		fault := recover()
		if fault == nil {
			return
		}
		again = false
		if fault != http.ErrAbortHandler {
			c.server.logf("downstream: panic while serving %s: %v\n%s", c.remote, fault, debug.Stack())
		}
	}()
	c.response.reset()
	c.server.Handler.ServeHTTP(&c.response, &c.request)
	return c.response.finish()
}

// readHead waits for a head and reads it. It answers one that is too large.
func (c *conn) readHead() (string, bool) {
	if len(c.in.Buffered()) == 0 && c.in.Fill() != nil {
		return "", false
	}
	if !c.busy.CompareAndSwap(idle, time.Now().UnixNano()) {
		return "", false // Shutdown was there before
	}
	if !c.in.Holds(headEnd) {
		c.expectHead()
	}
	text, err := c.in.Block(headEnd, c.maxHead())
	if err != nil {
		if errors.Is(err, http1.ErrMalformed) {
			c.refuse(err)
		}
		return "", false
	}
	c.fresh = false
	return text, true
}

const headEnd = "\r\n\r\n"

func (c *conn) maxHead() int { return orDefault(c.server.MaxHead, defaultMaxHead) }

func orDefault[T int | time.Duration](value, otherwise T) T {
	if value > 0 {
		return value
	}
	return otherwise
}

// expectHead gives a head its time, and a new connection that of a head for its first one.
func (c *conn) expectHead() {
	if !c.fresh || c.reading.IsZero() {
		_ = c.setReadDeadline(time.Now().Add(orDefault(c.server.HeadTimeout, defaultHeadTimeout)))
	}
}

// expectBody gives a body the time of a head, if what is left of the deadline is less. A handler may set another.
func (c *conn) expectBody() {
	wait := orDefault(c.server.HeadTimeout, defaultHeadTimeout)
	if until := time.Now().Add(wait); until.Sub(c.reading) >= min(time.Second, wait/10) {
		_ = c.setReadDeadline(until)
	}
}

// expect sets the read deadline. Setting one costs as much as reading, so it is moved by whole seconds, or by tenths of a short wait.
func (c *conn) expect(wait time.Duration) {
	until := time.Now().Add(wait)
	if step := min(time.Second, wait/10); until.Sub(c.reading) < step && c.reading.Sub(until) < step {
		return
	}
	_ = c.setReadDeadline(until)
}

func (c *conn) setReadDeadline(t time.Time) error {
	c.reading = t
	return c.net.SetReadDeadline(t)
}

// lingerTime is how long a client has to take an answer whose request was not read to its end. Closing at once would have the
// kernel reset the connection and throw the answer away.
const (
	lingerTime  = 2 * time.Second
	lingerBytes = 256 << 10
)

// linger ends the sending side and waits for the client to end its own.
func (c *conn) linger() {
	half, ok := c.net.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = c.setReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.Copy(io.Discard, io.LimitReader(c.net, lingerBytes))
}
