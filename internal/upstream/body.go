package upstream

import (
	"io"
)

// maxTrailer bounds the trailer section of an answer, and maxChunkLine the line before a chunk with its extensions.
const (
	maxTrailer   = 8 << 10
	maxChunkLine = 256
)

// bodyReader reads the body of one answer and knows when it is over.
type bodyReader struct {
	conn    *conn
	framing framing
	left    int64 // of the body or the chunk
	begun   bool  // a chunk was read
	trailer []Field
	err     error // sticky; io.EOF when the body is whole
}

func newBody(c *conn, f framing) *bodyReader {
	b := &bodyReader{conn: c, framing: f, left: f.length}
	if f.chunked {
		b.left = 0
	} else if f.length == 0 {
		b.err = io.EOF
	}
	return b
}

// read reads some of the body. io.EOF says that it is whole.
func (b *bodyReader) read(p []byte) (int, error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	if b.framing.chunked && b.left == 0 {
		if b.err = b.nextChunk(); b.err != nil {
			return 0, b.err
		}
	}
	if b.left >= 0 && int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.conn.Read(p)
	if b.left >= 0 {
		b.left -= int64(n)
		switch {
		case err == io.EOF:
			err = io.ErrUnexpectedEOF
		case err == nil && b.left == 0 && !b.framing.chunked:
			err = io.EOF
		}
	}
	b.err = err
	if n > 0 {
		return n, nil
	}
	return n, err
}

// nextChunk reads the line before a chunk (RFC 9112 section 7.1), after the last chunk the trailer section: then it returns
// io.EOF.
func (b *bodyReader) nextChunk() error {
	if b.begun {
		end, err := b.line(maxChunkLine)
		if err != nil {
			return err
		}
		if end != "" {
			return errChunk
		}
	}
	line, err := b.line(maxChunkLine)
	if err != nil {
		return err
	}
	b.begun = true
	if b.left, err = parseChunkLine(line); err != nil || b.left > 0 {
		return err
	}
	return b.readTrailer()
}

func (b *bodyReader) line(limit int) (string, error) {
	text, err := b.conn.block("\n", limit)
	if err != nil {
		return "", unexpected(err)
	}
	line, _, err := cutLine(text)
	return line, err
}

func (b *bodyReader) readTrailer() error {
	line, size := "", 0
	for text := ""; ; text += line + "\r\n" {
		var err error
		if line, err = b.line(maxTrailer); err != nil {
			return err
		}
		if size += len(line) + 2; size > maxTrailer {
			return errHeadSize
		}
		if line == "" {
			if b.trailer, err = parseFields(text+"\r\n", nil); err != nil {
				return err
			}
			return io.EOF
		}
	}
}

// parseChunkLine reads a chunk's size; extensions are thrown away but must be printable.
func parseChunkLine(line string) (size int64, err error) {
	digits := 0
	for ; digits < len(line); digits++ {
		digit, ok := hexDigit(line[digits])
		if !ok {
			break
		}
		if digits == 15 {
			return 0, errChunk
		}
		size = size<<4 | int64(digit)
	}
	rest := line[digits:]
	if digits == 0 || rest != "" && rest[0] != ';' || !isFieldValue(rest) {
		return 0, errChunk
	}
	return size, nil
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
