package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/internal/http1"
)

// Request is what goes to the backend.
type Request struct {
	// Head is the whole head of the request with its empty line. It says how the body ends; see AppendLength.
	Head []byte
	// Body is a body that was read already.
	Body []byte
	// Source is a body that streams, of Length bytes, or in chunks if Length is -1. It is read by a goroutine of its own until the
	// answer is closed, which calls Abort first if it has not ended by then: Abort must make a Read that waits return.
	Source io.Reader
	Length int64
	Abort  func()
	// Trailer, if set, is called when Source has ended, for the trailer section of a chunked body.
	Trailer func() []http1.Field
	// Expect says that Head asks for 100-continue: Source is not read before the backend says so, or 1 s has passed.
	Expect bool
	// Retry says that the request may be sent again on another connection if an idle one turns out to be gone: it is idempotent
	// (RFC 9110 section 9.2.2). Without it only what was certainly not sent is sent again.
	Retry bool
	// HeadOnly says that the answer has no body: the method is HEAD.
	HeadOnly bool
	// Upgrade says that 101 is an answer.
	Upgrade bool
	// Timeout is how long the backend may take for the head of its answer, and how long it may pause in the body. Required.
	Timeout time.Duration
	// Interim, if set, is told of answers before the answer (1xx other than 101).
	Interim func(status int, fields []http1.Field)
}

// maxInterim is how many 1xx answers a backend may send before it answers.
const maxInterim = 8

// continueWait is how long a backend may take to say 100-continue.
const continueWait = time.Second

// AppendLength appends the header that says how a body of length bytes ends, of chunks if it is -1.
func AppendLength(head []byte, length int64) []byte {
	if length < 0 {
		return append(head, "Transfer-Encoding: chunked\r\n"...)
	}
	head = append(head, "Content-Length: "...)
	return append(strconv.AppendInt(head, length, 10), '\r', '\n')
}

// Answer is the backend's answer. Read its body to the end, then Close it: only then can its connection serve again.
type Answer struct {
	Head
	// Length is the length of the body, -1 if it is not known before its end. It is that of Content-Length, also where there is
	// no body (HEAD, 304).
	Length int64

	pool    *Pool
	conn    *conn
	body    http1.Body
	framed  bool // body is that of the answer
	last    bool // its connection serves no other request
	request *Request
	sent    *sending // nil: nothing streams
	ctx     context.Context
	stop    func() bool // nil where ctx is a Binder
	once    sync.Once
}

// Do sends a request and returns when the head of the answer is there. The connection is closed if ctx ends before Close, so that
// a client who is gone does not keep the backend busy. Errors wrap ErrDial, ErrLost, ErrTimeout, ErrMalformed, ErrSource or the
// context's.
func (p *Pool) Do(ctx context.Context, r *Request) (*Answer, error) {
	for attempt := 0; ; attempt++ {
		c, err := p.get(ctx, r)
		if err != nil {
			return nil, err
		}
		answer, err := p.exchange(ctx, c, r)
		if err == nil {
			return answer, nil
		}
		again := r.Retry && r.Source == nil && c.reused && !c.in.Got && attempt < 2
		if !again || !errors.Is(err, ErrLost) || ctx.Err() != nil {
			return nil, orEnded(ctx, err)
		}
	}
}

// orEnded prefers the end of the context to what it did to the connection.
func orEnded(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	return err
}

func (p *Pool) exchange(ctx context.Context, c *conn, r *Request) (*Answer, error) {
	a := &Answer{pool: p, conn: c, request: r, ctx: ctx}
	a.bind()
	err := a.run(r)
	if err != nil {
		a.abort()
		return nil, err
	}
	return a, nil
}

// Binder is a context that closes a connection when it ends. One that serves many requests does so for less than
// context.AfterFunc does.
type Binder interface {
	context.Context
	// Bind has the connection closed when the context ends. There is one at a time.
	Bind(io.Closer)
	// Unbind undoes Bind, and reports whether the connection was not closed.
	Unbind() bool
}

func (a *Answer) bind() {
	if b, ok := a.ctx.(Binder); ok {
		b.Bind(a.conn.Conn)
		return
	}
	a.stop = context.AfterFunc(a.ctx, func() { _ = a.conn.Conn.Close() })
}

// unbind reports whether the context has not ended.
func (a *Answer) unbind() bool {
	if a.stop != nil {
		return a.stop()
	}
	return a.ctx.(Binder).Unbind()
}

func (a *Answer) run(r *Request) error {
	if err := a.send(r); err != nil {
		return err
	}
	waited := !r.Expect
	for range maxInterim {
		wait := r.Timeout
		if !waited {
			wait = min(continueWait, r.Timeout)
		}
		a.conn.expect(wait)
		err := a.readHead()
		switch {
		case err != nil && !waited && errors.Is(err, ErrTimeout):
		case err != nil:
			return a.why(err)
		case a.Status == 100:
		case a.Status == 101 && r.Upgrade:
			return nil
		case a.Status == 101:
			return errUnasked
		case a.Status < 200:
			if r.Interim != nil {
				r.Interim(a.Status, a.Fields)
			}
			continue
		default:
			return a.frame(r)
		}
		if !waited {
			waited = true
			a.sent = startSending(a.conn, r)
		}
	}
	return errUnasked
}

// send writes the head and what there is of the body in one piece.
func (a *Answer) send(r *Request) error {
	c := a.conn
	c.out = append(append(c.out[:0], r.Head...), r.Body...)
	c.expectWrite(r.Timeout)
	_, err := c.Write(c.out)
	if cap(c.out) > 64<<10 {
		c.out = nil
	}
	if err != nil {
		return transportError(err)
	}
	if r.Source != nil && !r.Expect {
		a.sent = startSending(c, r)
	}
	return nil
}

func (a *Answer) readHead() error {
	text, err := a.conn.in.Block("\r\n\r\n", a.pool.config.MaxHead)
	if err != nil {
		return transportError(err)
	}
	a.Head, err = parseHead(text, a.conn.fields[:0])
	a.conn.fields = a.Fields
	return err
}

// frame finds out how the body ends.
func (a *Answer) frame(r *Request) error {
	f, err := http1.FramingOf(a.Fields, a.Minor)
	if err != nil {
		return err
	}
	a.Length = f.Length
	switch {
	case a.Status == 204:
		f.Close = f.Close || f.Chunked || f.Length > 0
		a.Length, f = 0, http1.Framing{Close: f.Close}
	case r.HeadOnly || a.Status == 304:
		f = http1.Framing{Close: f.Close}
	case !f.Chunked && f.Length < 0:
		f.Close = true
	}
	a.body, a.framed, a.last = http1.NewBody(&a.conn.in, f), true, f.Close
	return nil
}

// why returns what is to be told: a client whose body broke off is the cause of what came of it at the backend.
func (a *Answer) why(err error) error {
	if a.sent != nil {
		select {
		case <-a.sent.broken:
			return a.sent.err
		default:
		}
	}
	return err
}

// Read reads the body. io.EOF says that it is whole; every other error wraps ErrLost, ErrTimeout or ErrMalformed.
func (a *Answer) Read(p []byte) (int, error) {
	a.conn.expect(a.request.Timeout)
	n, err := a.body.Read(p)
	if err != nil && err != io.EOF {
		err = transportError(err)
	}
	return n, err
}

// More says that a Read will return without waiting for the backend.
func (a *Answer) More() bool { return a.body.More() }

// Trailer returns the trailer fields, once Read has returned io.EOF.
func (a *Answer) Trailer() []http1.Field { return a.body.Trailer() }

// Close ends the exchange. Its connection serves again if the answer was read to its end, the request was sent, and nothing was
// odd about either.
func (a *Answer) Close() {
	a.once.Do(func() {
		whole := a.framed && a.body.Whole() && !a.last && len(a.conn.in.Buffered()) == 0
		if !whole || !a.wasSent() || !a.unbind() {
			a.abort()
			return
		}
		a.pool.put(a.conn)
	})
}

// Sending says that the request's body was not read to its end: the backend answered before it, or wanted none of it. What is
// left of it must not be taken for another request.
func (a *Answer) Sending() bool {
	switch {
	case a.sent == nil:
		return a.request.Source != nil
	case a.sent.last.Load():
		return false
	}
	return true
}

// lastWait is how long the end of a body may take to be written when the answer to it is there already.
const lastWait = time.Second

// wasSent says whether all of the request was sent. The goroutine that sends may have a step to go when the answer is there.
func (a *Answer) wasSent() bool {
	if a.sent == nil || !a.sent.last.Load() {
		return !a.Sending()
	}
	select {
	case <-a.sent.done:
		return a.sent.err == nil
	default:
	}
	timer := time.NewTimer(lastWait)
	defer timer.Stop()
	select {
	case <-a.sent.done:
		return a.sent.err == nil
	case <-timer.C:
		return false
	}
}

func (a *Answer) abort() {
	a.unbind()
	_ = a.conn.Conn.Close()
	if a.sent == nil {
		return
	}
	select {
	case <-a.sent.done:
		return
	default:
	}
	if !a.sent.last.Load() && a.request.Abort != nil {
		a.request.Abort()
	}
	<-a.sent.done
}

// Hijack hands the connection over after a 101, with what was read from it already. Close does nothing then.
func (a *Answer) Hijack() (net.Conn, []byte, error) {
	err := net.ErrClosed
	a.once.Do(func() {
		if a.unbind() {
			err = a.conn.Conn.SetDeadline(time.Time{})
			a.conn.last()
		}
	})
	return a.conn.Conn, slices.Clone(a.conn.in.Buffered()), err
}

// transportError says in this package's words what became of a connection.
func transportError(err error) error {
	switch {
	case errors.Is(err, ErrMalformed):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return fmt.Errorf("%w: %w", ErrLost, err)
}
