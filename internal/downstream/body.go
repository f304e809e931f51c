package downstream

import (
	"net/http"
	"sync/atomic"

	"github.com/sallyport-auth/sallyport/internal/http1"
)

// body is the body of a request. It may be read while the answer is written.
type body struct {
	c      *conn
	in     http1.Body
	asks   atomic.Bool // 100-continue is to be sent before the first byte is read
	whole  atomic.Bool
	closed atomic.Bool
}

func (b *body) begin(f http1.Framing, expects bool) {
	b.in = http1.NewBody(&b.c.in, f)
	b.asks.Store(expects)
	b.whole.Store(b.in.Whole())
	b.closed.Store(false)
}

// Read reads, and says to a client that waits for it that it may send. Errors of framing wrap http1.ErrMalformed.
func (b *body) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	if b.asks.Load() && b.asks.CompareAndSwap(true, false) && !b.whole.Load() {
		if err := b.c.response.sendContinue(); err != nil {
			return 0, err
		}
	}
	n, err := b.in.Read(p)
	if b.in.Whole() && !b.whole.Load() {
		b.c.takeTrailerFields()
		b.whole.Store(true)
	}
	return n, err
}

// Close ends reading. What is left is not read: the connection ends with the answer.
func (b *body) Close() error {
	b.closed.Store(true)
	return nil
}

// takeTrailerFields gives the request the trailer fields that it announced.
func (c *conn) takeTrailerFields() {
	for _, f := range c.body.in.Trailer() {
		name := canonical(f.Name)
		if values, announced := c.request.Trailer[name]; announced {
			c.request.Trailer[name] = append(values, f.Value)
		}
	}
}
