package upstream

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// sending is a body on its way to the backend. err is set when done is closed, and when broken is: then the client's body broke
// off. last says that the whole body was read, and at most a write is left to do.
type sending struct {
	done, broken chan struct{}
	err          error
	last         atomic.Bool
}

func startSending(c *conn, r *Request) *sending {
	s := &sending{done: make(chan struct{}), broken: make(chan struct{})}
	go func() {
		defer close(s.done)
		if s.err = copyBody(c, r, &s.last); errors.Is(s.err, ErrSource) {
			// The backend must not take half of a request for a whole one, nor wait for the rest. After an error of the
			// connection there may still be an answer to read: the backend did not want the rest of the body.
			close(s.broken)
			_ = c.Conn.Close()
		}
	}()
	return s
}

// copyBuffers hold what is on its way, with room for the line of a chunk before it and a line end behind.
var copyBuffers = sync.Pool{New: func() any { return new([chunkLineRoom + 32<<10 + 2]byte) }}

const chunkLineRoom = 10

func copyBody(c *conn, r *Request, last *atomic.Bool) error {
	buffer := copyBuffers.Get().(*[chunkLineRoom + 32<<10 + 2]byte)
	defer copyBuffers.Put(buffer)
	room := buffer[chunkLineRoom : len(buffer)-2]
	left := r.Length
	for {
		n, err := r.Source.Read(room)
		if n > 0 {
			if left >= 0 && int64(n) > left {
				return fmt.Errorf("%w: it is longer than was said", ErrSource)
			}
			piece := buffer[chunkLineRoom : chunkLineRoom+n]
			if left < 0 {
				piece = chunkOf(buffer[:], n)
			} else {
				left -= int64(n)
				last.Store(left == 0)
			}
			if err := c.push(piece, r.Timeout); err != nil || left == 0 {
				return err
			}
		}
		switch {
		case err == io.EOF && left > 0:
			return fmt.Errorf("%w: %w", ErrSource, io.ErrUnexpectedEOF)
		case err == io.EOF:
			last.Store(true)
			return finishBody(c, r)
		case err != nil:
			return fmt.Errorf("%w: %w", ErrSource, err)
		}
	}
}

// chunkOf puts the line of a chunk before its n bytes and the line end behind them.
func chunkOf(buffer []byte, n int) []byte {
	line := strconv.FormatInt(int64(n), 16) + "\r\n"
	begin := chunkLineRoom - len(line)
	copy(buffer[begin:], line)
	copy(buffer[chunkLineRoom+n:], "\r\n")
	return buffer[begin : chunkLineRoom+n+2]
}

func finishBody(c *conn, r *Request) error {
	if r.Length >= 0 {
		return nil
	}
	end := []byte("0\r\n")
	if r.Trailer != nil {
		for _, f := range r.Trailer() {
			end = append(end, f.Name+": "+f.Value+"\r\n"...)
		}
	}
	return c.push(append(end, "\r\n"...), r.Timeout)
}

// push writes a piece of the body. As long as the body is on its way the answer is not late.
func (c *conn) push(piece []byte, timeout time.Duration) error {
	now := time.Now()
	_ = c.SetWriteDeadline(now.Add(timeout))
	if _, err := c.Conn.Write(piece); err != nil {
		return transportError(err)
	}
	_ = c.SetReadDeadline(now.Add(2 * timeout))
	return nil
}
