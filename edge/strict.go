package edge

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
)

// strictListener watches what comes in on plaintext connections, see strictConn.
type strictListener struct{ net.Listener }

// Accept waits for a connection. One of TLS is left alone: net/http has to see it.
func (l strictListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if _, ok := c.(*tls.Conn); ok {
		return c, nil
	}
	return &strictConn{Conn: c}, nil
}

// strictConn refuses what net/http would repair in an HTTP/1 request, since every repair is a second reading: line feeds without
// carriage return, folded lines (RFC 9112 section 5.2), a length beside chunks, or twice (section 6.3). It follows the requests on
// a connection, and where it finds such a thing it puts bytes in place of the rest that net/http answers with 400.
type strictConn struct {
	net.Conn
	scan    scanner
	poison  string
	refused bool
}

// poison is not a header field, nor the end of a line, nor a chunk.
const poison = "\x00: \r\n\r\n"

// Read reads, and looks at what it read.
func (c *strictConn) Read(p []byte) (int, error) {
	if c.refused {
		n := copy(p, c.poison)
		if c.poison = c.poison[n:]; n == 0 && len(p) > 0 {
			return 0, io.EOF
		}
		return n, nil
	}
	n, err := c.Conn.Read(p)
	good := c.scan.take(p[:n])
	if good == n {
		return n, err
	}
	c.refused, c.poison = true, poison
	if good == 0 {
		return c.Read(p)
	}
	return good, nil
}

// CloseWrite ends the writing side, as net/http does before it closes a connection that it answered in the middle of a request.
func (c *strictConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// scanner follows the framing of requests, byte by byte.
type scanner struct {
	state   scanState
	left    int64  // bytes of a body or chunk
	tail    uint64 // the last 8 bytes of the line
	length  int    // of the line
	colon   int    // how many bytes are before its first colon, 0 if there is none
	cr      bool   // the byte before was a carriage return
	size    int64  // of a chunk, while its line comes
	digits  int
	lengths int // how many Content-Length
	codings int // how many Transfer-Encoding
	body    int64
	tunnel  bool // the request asks for an upgrade
	old     bool // it is HTTP/1.0
	line    [48]byte
}

type scanState uint8

const (
	inRequestLine scanState = iota
	inHeader
	inBody
	inChunkLine
	inChunk
	inTrailer
	inTunnel
)

// take returns how many bytes are good.
func (s *scanner) take(p []byte) int {
	for i := 0; i < len(p); {
		switch s.state {
		case inTunnel:
			return len(p)
		case inBody, inChunk:
			n := min(s.left, int64(len(p)-i))
			i += int(n)
			if s.left -= n; s.left == 0 {
				s.bodyEnds()
			}
		default:
			if !s.byte(p[i]) {
				return i
			}
			i++
		}
	}
	return len(p)
}

func (s *scanner) bodyEnds() {
	if s.state == inBody {
		*s = scanner{}
		return
	}
	s.state, s.size, s.digits = inChunkLine, 0, 0
}

// byte takes one byte of a line.
func (s *scanner) byte(c byte) bool {
	switch {
	case c == '\n':
		if !s.cr {
			return false
		}
		s.cr = false
		good := s.lineEnds()
		s.length, s.colon, s.tail = 0, 0, 0
		return good
	case s.cr:
		return false
	case c == '\r':
		s.cr = true
		return s.length > 0 || s.state != inHeader || s.headHolds()
	case s.length == 0 && (c == ' ' || c == '\t') && (s.state == inHeader || s.state == inTrailer):
		return false
	}
	if s.length < len(s.line) {
		s.line[s.length] = c
	}
	if c == ':' && s.colon == 0 {
		s.colon = s.length
	}
	s.length++
	s.tail = s.tail<<8 | uint64(c)
	return s.state != inChunkLine || s.chunkDigit(c)
}

func (s *scanner) chunkDigit(c byte) bool {
	if s.digits < 0 {
		return true // an extension
	}
	digit, ok := unhex(c)
	if !ok {
		ok, s.digits = c == ';' && s.digits > 0, -1
		return ok
	}
	s.size = s.size<<4 | int64(digit)
	s.digits++
	return s.digits < 16
}

// headHolds is asked at the end of a head, before net/http sees that it ends.
func (s *scanner) headHolds() bool {
	return s.lengths+s.codings <= 1 && (s.codings == 0 || !s.old)
}

func (s *scanner) lineEnds() bool {
	switch s.state {
	case inRequestLine:
		const http10 = 0x485454502f312e30 // "HTTP/1.0"
		s.old = s.tail == http10
		if s.length > 0 {
			s.state = inHeader
		}
	case inHeader:
		if s.length == 0 {
			s.headEnds()
			return true
		}
		return s.field()
	case inChunkLine:
		if s.digits == 0 {
			return false
		}
		s.state, s.left = inChunk, s.size+2
		if s.size == 0 {
			s.state = inTrailer
		}
	case inTrailer:
		if s.length == 0 {
			*s = scanner{}
		}
	}
	return true
}

func (s *scanner) headEnds() {
	switch {
	case s.tunnel:
		s.state = inTunnel
	case s.codings > 0:
		s.state = inChunkLine
	case s.body > 0:
		s.state, s.left = inBody, s.body
	default:
		*s = scanner{}
	}
}

// field looks at a header field that decides about what follows.
func (s *scanner) field() bool {
	switch s.colon {
	case len("Upgrade"):
		s.tunnel = s.tunnel || s.is("Upgrade")
	case len("Content-Length"):
		if s.is("Content-Length") {
			s.lengths++
			return s.length <= len(s.line) && s.number(s.value())
		}
	case len("Transfer-Encoding"):
		if s.is("Transfer-Encoding") {
			s.codings++
			return s.length <= len(s.line) && strings.EqualFold(s.value(), "chunked")
		}
	}
	return true
}

func (s *scanner) is(name string) bool { return strings.EqualFold(string(s.line[:s.colon]), name) }

func (s *scanner) value() string {
	return strings.Trim(string(s.line[s.colon+1:min(s.length, len(s.line))]), " \t")
}

func (s *scanner) number(text string) bool {
	if text == "" || len(text) > 18 {
		return false
	}
	s.body = 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
		s.body = s.body*10 + int64(text[i]-'0')
	}
	return true
}
