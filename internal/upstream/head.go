package upstream

import (
	"errors"
	"strings"
)

// Field is one header field, the value without the white space around it.
type Field struct{ Name, Value string }

// Head is the head of an answer.
type Head struct {
	// Minor is the minor version of HTTP/1.
	Minor int
	// Status is the three-digit status code.
	Status int
	// Fields are the header fields in their order.
	Fields []Field
}

// The reasons why an answer is not HTTP/1.1 as RFC 9112 has it. All are wrapped by ErrMalformed.
var (
	errStatusLine = malformed("the status line is not one")
	errField      = malformed("a header field is not one")
	errLineEnd    = malformed("a line does not end with CR LF")
	errLength     = malformed("the length of the body has more than one reading")
	errCoding     = malformed("the transfer coding is not chunked alone")
	errChunk      = malformed("a chunk is not one")
	errHeadSize   = malformed("the head is too large")
	errUnasked    = malformed("the backend sent something that nobody asked for")
)

// ErrMalformed says that the backend's answer cannot be read in one way only.
var ErrMalformed = errors.New("upstream: malformed answer")

func malformed(text string) error { return &malformedError{text} }

type malformedError struct{ text string }

func (e *malformedError) Error() string { return "upstream: malformed answer: " + e.text }

func (e *malformedError) Is(target error) bool { return target == ErrMalformed }

// parseHead reads a whole head that ends with an empty line. The fields are appended to into, and share text's memory.
func parseHead(text string, into []Field) (Head, error) {
	line, rest, err := cutLine(text)
	if err != nil {
		return Head{}, err
	}
	h, err := parseStatusLine(line)
	if err != nil {
		return Head{}, err
	}
	h.Fields, err = parseFields(rest, into)
	return h, err
}

// parseStatusLine reads "HTTP/1.1 200 OK" (RFC 9112 section 4). The reason phrase is thrown away.
func parseStatusLine(line string) (Head, error) {
	version, rest, ok := strings.Cut(line, " ")
	if !ok || len(rest) < 3 || len(rest) > 3 && rest[3] != ' ' || !isFieldValue(rest) {
		return Head{}, errStatusLine
	}
	h := Head{Minor: 1}
	switch version {
	case "HTTP/1.1":
	case "HTTP/1.0":
		h.Minor = 0
	default:
		return Head{}, errStatusLine
	}
	for i := range 3 {
		if rest[i] < '0' || rest[i] > '9' {
			return Head{}, errStatusLine
		}
		h.Status = h.Status*10 + int(rest[i]-'0')
	}
	if h.Status < 100 || h.Status > 599 {
		return Head{}, errStatusLine
	}
	return h, nil
}

// parseFields reads header or trailer fields up to the empty line, which must be the end of the text.
func parseFields(text string, into []Field) ([]Field, error) {
	for {
		line, rest, err := cutLine(text)
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
		if !ok || !isToken(name) || !isFieldValue(value) {
			return nil, errField
		}
		into = append(into, Field{name, value})
		text = rest
	}
}

func cutLine(text string) (line, rest string, err error) {
	end := strings.IndexByte(text, '\n')
	if end < 1 || text[end-1] != '\r' {
		return "", "", errLineEnd
	}
	return text[:end-1], text[end+1:], nil
}

// isToken says whether text is a token (RFC 9110 section 5.6.2).
func isToken(text string) bool {
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

// isFieldValue says whether text has no control characters but the tab (RFC 9110 section 5.5).
func isFieldValue(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// framing says how the body of an answer ends (RFC 9112 section 6.3).
type framing struct {
	length  int64 // -1 if unknown
	chunked bool
	close   bool // the connection cannot be used again
}

func framingOf(h *Head) (framing, error) {
	f := framing{length: -1, close: h.Minor == 0}
	for _, field := range h.Fields {
		switch {
		case strings.EqualFold(field.Name, "Content-Length"):
			n, ok := parseLength(field.Value)
			if !ok || f.length >= 0 {
				return f, errLength
			}
			f.length = n
		case strings.EqualFold(field.Name, "Transfer-Encoding"):
			if f.chunked || !strings.EqualFold(field.Value, "chunked") || h.Minor == 0 {
				return f, errCoding
			}
			f.chunked = true
		case strings.EqualFold(field.Name, "Connection"):
			f.close = f.close || HasToken(field.Value, "close")
		}
	}
	if f.chunked && f.length >= 0 {
		return f, errLength
	}
	return f, nil
}

// parseLength reads a Content-Length: digits alone.
func parseLength(text string) (n int64, ok bool) {
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

// HasToken says whether a comma-separated list has a token, by the case of ASCII.
func HasToken(list, token string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.Trim(item, " \t"), token) {
			return true
		}
	}
	return false
}
