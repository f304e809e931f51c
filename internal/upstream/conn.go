package upstream

import (
	"net"
	"time"

	"github.com/sallyport-auth/sallyport/internal/http1"
)

// bufferSize is what a connection reads at once, upgradeSize for an upgrade, after which it is another's. Heads that are larger
// get a larger buffer for as long as they need it.
const (
	bufferSize  = 4 << 10
	upgradeSize = 512
)

// conn is a connection to the backend, with what was read from it and not used.
type conn struct {
	net.Conn
	in       http1.Reader
	out      []byte        // the request head and its body
	fields   []http1.Field // of the last head
	idle     time.Time
	deadline time.Time   // the read deadline that is set
	writing  time.Time   // the write deadline that was set for a head
	alive    func() bool // made when it is first asked
	reused   bool
}

func newConn(c net.Conn, size int) *conn {
	made := &conn{Conn: c}
	made.in.Reset(c, make([]byte, size))
	return made
}

// expect sets the read deadline. Setting one costs as much as reading, so it is moved by whole seconds, or by tenths of a short wait.
func (c *conn) expect(wait time.Duration) {
	if until, moved := move(c.deadline, wait); moved {
		c.deadline = until
		_ = c.Conn.SetReadDeadline(until)
	}
}

// expectWrite sets the write deadline in the same way.
func (c *conn) expectWrite(wait time.Duration) {
	if until, moved := move(c.writing, wait); moved {
		c.writing = until
		_ = c.Conn.SetWriteDeadline(until)
	}
}

// move returns the end of a wait that begins now, and whether a deadline is too far from it.
func move(deadline time.Time, wait time.Duration) (until time.Time, moved bool) {
	until = time.Now().Add(wait)
	step := min(time.Second, wait/10)
	return until, until.Sub(deadline) >= step || deadline.Sub(until) >= step
}

// keepAlive is net's default.
const keepAlive = 15 * time.Second

// last has a connection that served requests before, which were short, last: see Pool.lasting.
func (c *conn) last() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok && c.reused {
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: keepAlive, Interval: keepAlive})
	}
}

func (c *conn) isAlive() bool {
	if c.alive == nil {
		c.alive = aliveCheck(c.Conn)
	}
	return c.alive()
}
