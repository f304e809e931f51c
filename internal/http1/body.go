package http1

import (
	"bytes"
	"io"
)

// maxTrailer bounds a trailer section, maxChunkLine the line before a chunk with its extensions, and maxExcess what all lines
// together may have beyond 16 bytes each and twice the data: the sum that net/http has.
const (
	maxTrailer   = 8 << 10
	maxChunkLine = 256
	maxExcess    = 16 << 10
)

// Body reads the body of one message and knows when it is over.
type Body struct {
	in      *Reader
	chunked bool
	left    int64 // of the body or the chunk, -1 if only the end of the connection ends it
	begun   bool  // a chunk was read
	excess  int64 // of the chunks' lines over their data
	trailer []Field
	err     error // sticky; io.EOF when the body is whole
}

// NewBody returns the body that comes next. One with neither a length nor chunks ends with the connection.
func NewBody(in *Reader, f Framing) Body {
	b := Body{in: in, chunked: f.Chunked, left: f.Length}
	if f.Chunked {
		b.left = 0
	} else if f.Length == 0 {
		b.err = io.EOF
	}
	return b
}

// Whole says that the body was read to its end.
func (b *Body) Whole() bool { return b.err == io.EOF }

// Trailer returns the trailer fields, once the body is whole.
func (b *Body) Trailer() []Field { return b.trailer }

// Read reads some of the body. io.EOF says that it is whole; the end of the connection before is io.ErrUnexpectedEOF. It takes the
// chunks that are there already together: each alone would cost whoever hands them on as much as a large one.
func (b *Body) Read(p []byte) (int, error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	n := b.readPiece(p)
	for n > 0 && n < len(p) && b.chunked && b.err == nil && b.More() {
		n += b.readPiece(p[n:])
	}
	if n > 0 {
		return n, nil
	}
	return 0, b.err
}

// readPiece reads from one chunk, or a body without any. It notes the error.
func (b *Body) readPiece(p []byte) int {
	if b.chunked && b.left == 0 {
		if b.err = b.nextChunk(); b.err != nil {
			return 0
		}
	}
	if b.left >= 0 && int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.in.Read(p)
	if b.left >= 0 {
		b.left -= int64(n)
		switch {
		case b.left == 0 && !b.chunked:
			err = io.EOF // whatever came with the last byte, such as the end of a connection of TLS
		case err == io.EOF:
			err = io.ErrUnexpectedEOF
		}
	}
	b.err = err
	return n
}

// More says that a Read will return without waiting. Of chunks it says so only if the next one has begun to come: the end of the
// last one and the line of the next are no news.
func (b *Body) More() bool {
	if b.err != nil {
		return true
	}
	have := b.in.Buffered()
	if !b.chunked || b.left > 0 {
		return len(have) > 0
	}
	if b.begun {
		have = have[min(len(have), len("\r\n")):]
	}
	if line := bytes.IndexByte(have, '\n'); line < 0 || len(have) == line+1 {
		return false
	}
	return have[0] != '0' || bytes.Contains(have, []byte("\r\n\r\n")) // the last chunk is read with the trailer section
}

// nextChunk reads the line before a chunk (RFC 9112 section 7.1), after the last chunk the trailer section: then it returns
// io.EOF.
func (b *Body) nextChunk() error {
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
	if b.left, err = parseChunkLine(line); err != nil {
		return err
	}
	if b.excess = max(0, b.excess+int64(len(line))+4-16-2*b.left); b.excess > maxExcess {
		return errChunk
	}
	if b.left > 0 {
		return nil
	}
	return b.readTrailer()
}

func (b *Body) line(limit int) (string, error) {
	text, err := b.in.Block("\n", limit)
	if err != nil {
		return "", unexpected(err)
	}
	line, _, err := CutLine(text)
	return line, err
}

func (b *Body) readTrailer() error {
	var fields []Field
	for size := 0; ; {
		line, err := b.line(maxTrailer)
		if err != nil {
			return err
		}
		if size += len(line) + 2; size > maxTrailer {
			return ErrHeadSize
		}
		if line == "" {
			b.trailer = fields
			return io.EOF
		}
		if fields, err = ParseFields(line+"\r\n\r\n", fields); err != nil {
			return err
		}
	}
}

// parseChunkLine reads a chunk's size; extensions are thrown away but must be printable.
func parseChunkLine(line string) (size int64, err error) {
	digits := 0
	for ; digits < len(line); digits++ {
		digit, ok := HexDigit(line[digits])
		if !ok {
			break
		}
		if digits == 15 {
			return 0, errChunk
		}
		size = size<<4 | int64(digit)
	}
	rest := line[digits:]
	if digits == 0 || rest != "" && rest[0] != ';' || !IsFieldValue(rest) {
		return 0, errChunk
	}
	return size, nil
}

// HexDigit returns the value of a hexadecimal digit of either case.
func HexDigit(c byte) (value byte, ok bool) {
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
