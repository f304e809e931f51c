package http1

import (
	"errors"
	"strings"
)

// Field is one header field, the value without the white space around it.
type Field struct{ Name, Value string }

// ErrMalformed says that a message cannot be read in one way only.
var ErrMalformed = errors.New("http1: malformed message")

// The reasons, all of which are ErrMalformed.
var (
	ErrHeadSize = malformed("the head is too large")

	errField   = malformed("a header field is not one")
	errLineEnd = malformed("a line does not end with CR LF")
	errLength  = malformed("the length of the body has more than one reading")
	errCoding  = malformed("the transfer coding is not chunked alone")
	errChunk   = malformed("a chunk is not one")
)

// Malformed makes an error that is ErrMalformed.
func Malformed(text string) error { return malformed(text) }

func malformed(text string) error { return &malformedError{text} }

type malformedError struct{ text string }

func (e *malformedError) Error() string { return "http1: malformed message: " + e.text }

func (e *malformedError) Is(target error) bool { return target == ErrMalformed }

// CutLine cuts the first line off, without its end, which must be CR LF.
func CutLine(text string) (line, rest string, err error) {
	end := strings.IndexByte(text, '\n')
	if end < 1 || text[end-1] != '\r' {
		return "", "", errLineEnd
	}
	return text[:end-1], text[end+1:], nil
}

// ParseFields reads header or trailer fields up to the empty line, which must be the end of the text. They are appended to into,
// and share the text's memory.
func ParseFields(text string, into []Field) ([]Field, error) {
	for {
		line, rest, err := CutLine(text)
		if err != nil {
			return nil, err
		}
		if line == "" {
			if rest != "" {
				return nil, errField
			}
			return into, nil
		}
		name, value, ok := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		// A line that begins with white space, the folded line of RFC 9112 section 5.2, has no token for a name.
		if !ok || !IsToken(name) || !IsFieldValue(value) {
			return nil, errField
		}
		into = append(into, Field{name, value})
		text = rest
	}
}

// IsToken says whether text is a token (RFC 9110 section 5.6.2).
func IsToken(text string) bool {
	for i := range len(text) {
		if !tokenChars[text[i]] {
			return false
		}
	}
	return text != ""
}

var tokenChars = func() (t [256]bool) {
	for c := byte('a'); c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = true, true
	}
	for c := byte('0'); c <= '9'; c++ {
		t[c] = true
	}
	for _, c := range []byte("!#$%&'*+-.^_`|~") {
		t[c] = true
	}
	return t
}()

// IsFieldValue says whether text has no control characters but the tab (RFC 9110 section 5.5).
func IsFieldValue(text string) bool {
	for len(text) >= 8 && isPlain(text) {
		text = text[8:]
	}
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// isPlain says whether none of the first eight bytes is below the space, or DEL. They are looked at all at once: the highest bit
// of a byte tells.
func isPlain(text string) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	_ = text[7]
	x := uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
		uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
	del := x ^ 0x7f*ones
	return ((x-' '*ones)&^x|(del-ones)&^del)&highs == 0
}

// HasToken says whether a comma-separated list has a token, by the case of ASCII.
func HasToken(list, token string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if equalFold(strings.Trim(item, " \t"), token) {
			return true
		}
	}
	return false
}

// equalFold is strings.EqualFold for ASCII alone: for Unicode the sign for kelvin is a k, and the long s an s.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// Framing says how a body ends (RFC 9112 section 6.3).
type Framing struct {
	// Length is that of Content-Length, -1 if there is none.
	Length int64
	// Chunked says that the body comes in chunks.
	Chunked bool
	// Close says that the connection cannot be used again.
	Close bool
}

// FramingOf reads the framing off the fields of a message of HTTP/1.minor.
func FramingOf(fields []Field, minor int) (Framing, error) {
	f := Framing{Length: -1, Close: minor == 0}
	for i := range fields {
		field := &fields[i]
		switch len(field.Name) {
		case len("Content-Length"):
			if strings.EqualFold(field.Name, "Content-Length") {
				n, ok := ParseLength(field.Value)
				if !ok || f.Length >= 0 {
					return f, errLength
				}
				f.Length = n
			}
		case len("Transfer-Encoding"):
			if strings.EqualFold(field.Name, "Transfer-Encoding") {
				if f.Chunked || !equalFold(field.Value, "chunked") || minor == 0 {
					return f, errCoding
				}
				f.Chunked = true
			}
		case len("Connection"):
			if strings.EqualFold(field.Name, "Connection") {
				f.Close = f.Close || HasToken(field.Value, "close")
			}
		}
	}
	if f.Chunked && f.Length >= 0 {
		return f, errLength
	}
	return f, nil
}

// ParseLength reads a Content-Length: digits alone.
func ParseLength(text string) (n int64, ok bool) {
	if text == "" || len(text) > 18 {
		return 0, false
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(text[i]-'0')
	}
	return n, true
}
