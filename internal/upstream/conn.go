package upstream

import (
	"bytes"
	"io"
	"net"
	"time"
)

// bufferSize is what a connection reads at once. Heads that are larger get a larger buffer for as long as they need it.
const bufferSize = 4 << 10

// conn is a connection to the backend, with what was read from it and not used.
type conn struct {
	net.Conn
	buf      []byte
	r, w     int
	out      []byte  // the request head and its body
	fields   []Field // of the last head
	idle     time.Time
	deadline time.Time // the read deadline that is set
	alive    func() bool
	reused   bool
	started  bool // a byte of an answer came
}

func newConn(c net.Conn) *conn {
	return &conn{Conn: c, buf: make([]byte, bufferSize), alive: aliveCheck(c)}
}

func (c *conn) buffered() []byte { return c.buf[c.r:c.w] }

// fill reads more into the buffer, which has room.
func (c *conn) fill() error {
	if c.r == c.w {
		c.r, c.w = 0, 0
	}
	n, err := c.Conn.Read(c.buf[c.w:])
	c.w += n
	if n > 0 {
		c.started = true
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// block reads until the buffer has end, and returns everything up to and with it as text of its own. limit bounds it.
func (c *conn) block(end string, limit int) (string, error) {
	searched := 0
	for {
		have := c.buffered()
		if at := bytes.Index(have[searched:], []byte(end)); at >= 0 {
			size := searched + at + len(end)
			if size > limit {
				return "", errHeadSize
			}
			c.r += size
			text := string(have[:size])
			c.shrink()
			return text, nil
		}
		searched = max(0, len(have)-len(end)+1)
		if len(have) >= limit {
			return "", errHeadSize
		}
		c.makeRoom()
		if err := c.fill(); err != nil {
			return "", err
		}
	}
}

func (c *conn) makeRoom() {
	if c.w < len(c.buf) {
		return
	}
	if c.r > 0 {
		c.w = copy(c.buf, c.buffered())
		c.r = 0
		return
	}
	larger := make([]byte, 2*len(c.buf))
	c.w = copy(larger, c.buf[:c.w])
	c.buf = larger
}

// shrink gives a large buffer back once what is left fits into a small one.
func (c *conn) shrink() {
	if len(c.buf) > bufferSize && c.w-c.r <= bufferSize {
		small := make([]byte, bufferSize)
		c.w = copy(small, c.buffered())
		c.r, c.buf = 0, small
	}
}

// Read takes what is buffered, then reads into p itself.
func (c *conn) Read(p []byte) (int, error) {
	if c.r < c.w {
		n := copy(p, c.buffered())
		c.r += n
		return n, nil
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.started = true
	}
	return n, err
}

// expect sets the read deadline. Setting one costs as much as reading, so it is moved by whole seconds, or by tenths of a short wait.
func (c *conn) expect(wait time.Duration) {
	until := time.Now().Add(wait)
	if step := min(time.Second, wait/10); until.Sub(c.deadline) < step && c.deadline.Sub(until) < step {
		return
	}
	c.deadline = until
	_ = c.Conn.SetReadDeadline(until)
}
