package http1

import (
	"bytes"
	"io"
)

// Reader reads from a connection into a buffer. A head that is larger than the buffer gets a larger one for as long as it needs it.
type Reader struct {
	// Got says that a byte came since it was last set to false.
	Got bool

	src   io.Reader
	small []byte
	buf   []byte
	r, w  int
}

// NewReader returns a reader with this buffer.
func NewReader(src io.Reader, buffer []byte) *Reader {
	b := new(Reader)
	b.Reset(src, buffer)
	return b
}

// Reset makes a reader a new one.
func (b *Reader) Reset(src io.Reader, buffer []byte) {
	*b = Reader{src: src, small: buffer, buf: buffer}
}

// Buffered returns what was read and not used. It is good until the next call.
func (b *Reader) Buffered() []byte { return b.buf[b.r:b.w] }

// Fill waits for more, and reads it into the buffer, which has room.
func (b *Reader) Fill() error {
	if b.r == b.w {
		b.r, b.w = 0, 0
	}
	n, err := b.src.Read(b.buf[b.w:])
	b.w += n
	if n > 0 {
		b.Got = true
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// Block reads until the buffer has end, and returns everything up to and with it as text of its own. limit bounds it.
func (b *Reader) Block(end string, limit int) (string, error) {
	searched := 0
	for {
		have := b.Buffered()
		if at := bytes.Index(have[searched:], []byte(end)); at >= 0 {
			size := searched + at + len(end)
			if size > limit {
				return "", ErrHeadSize
			}
			b.r += size
			text := string(have[:size])
			b.shrink()
			return text, nil
		}
		searched = max(0, len(have)-len(end)+1)
		if len(have) >= limit {
			return "", ErrHeadSize
		}
		b.makeRoom()
		if err := b.Fill(); err != nil {
			return "", err
		}
	}
}

// Holds says whether what was read and not used has this text.
func (b *Reader) Holds(text string) bool { return bytes.Contains(b.Buffered(), []byte(text)) }

func (b *Reader) makeRoom() {
	if b.w < len(b.buf) {
		return
	}
	if b.r > 0 {
		b.w = copy(b.buf, b.Buffered())
		b.r = 0
		return
	}
	larger := make([]byte, 2*len(b.buf))
	b.w = copy(larger, b.buf[:b.w])
	b.buf = larger
}

// shrink gives a large buffer back once what is left fits into the small one.
func (b *Reader) shrink() {
	if len(b.buf) > len(b.small) && b.w-b.r <= len(b.small) {
		b.w = copy(b.small, b.Buffered())
		b.r, b.buf = 0, b.small
	}
}

// Read takes what is buffered, then reads into p itself.
func (b *Reader) Read(p []byte) (int, error) {
	if b.r < b.w {
		n := copy(p, b.Buffered())
		b.r += n
		return n, nil
	}
	n, err := b.src.Read(p)
	if n > 0 {
		b.Got = true
	}
	return n, err
}
