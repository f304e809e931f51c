package upstream

import (
	"strings"

	"github.com/sallyport-auth/sallyport/internal/http1"
)

// Head is the head of an answer.
type Head struct {
	// Minor is the minor version of HTTP/1.
	Minor int
	// Status is the three-digit status code.
	Status int
	// Fields are the header fields in their order. Those of an Answer are good until it is closed.
	Fields []http1.Field
}

// ErrMalformed says that the backend's answer cannot be read in one way only.
var ErrMalformed = http1.ErrMalformed

var (
	errStatusLine = http1.Malformed("the status line is not one")
	errUnasked    = http1.Malformed("the backend sent something that nobody asked for")
)

// parseHead reads a whole head that ends with an empty line. The fields are appended to into, and share text's memory.
func parseHead(text string, into []http1.Field) (Head, error) {
	line, rest, err := http1.CutLine(text)
	if err != nil {
		return Head{}, err
	}
	h, err := parseStatusLine(line)
	if err != nil {
		return Head{}, err
	}
	h.Fields, err = http1.ParseFields(rest, into)
	return h, err
}

// parseStatusLine reads "HTTP/1.1 200 OK" (RFC 9112 section 4). The reason phrase is thrown away.
func parseStatusLine(line string) (Head, error) {
	version, rest, ok := strings.Cut(line, " ")
	if !ok || len(rest) < 3 || len(rest) > 3 && rest[3] != ' ' || !http1.IsFieldValue(rest) {
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
