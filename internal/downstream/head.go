package downstream

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/internal/http1"
)

var (
	errRequestLine = http1.Malformed("the request line is not one")
	errHost        = http1.Malformed("there is not one Host")
	errTarget      = http1.Malformed("the request target is not one")
	errTrailer     = http1.Malformed("the trailer names what may be none")

	errVersion = errors.New("downstream: another version of HTTP")
	errExpect  = errors.New("downstream: an unknown expectation")
)

// parse makes the request of a whole head.
func (c *conn) parse(text string) error {
	r := &c.request
	*r = c.blank
	r.RemoteAddr = c.remote
	line, rest, err := http1.CutLine(text)
	if err != nil {
		return err
	}
	if err = c.parseLine(line); err != nil {
		return err
	}
	if c.fields, err = http1.ParseFields(rest, c.fields[:0]); err != nil {
		return err
	}
	framing, err := http1.FramingOf(c.fields, r.ProtoMinor)
	if err != nil {
		return err
	}
	if err = c.takeFields(); err != nil {
		return err
	}
	return c.takeBody(framing)
}

// parseLine reads the request line (RFC 9112 section 3). Its parts are separated by one space each.
func (c *conn) parseLine(line string) error {
	r := &c.request
	method, rest, _ := strings.Cut(line, " ")
	target, version, ok := strings.Cut(rest, " ")
	if !ok || !http1.IsToken(method) || !isTarget(target) {
		return errRequestLine
	}
	switch version {
	case "HTTP/1.1":
		r.ProtoMinor = 1
	case "HTTP/1.0":
	default:
		if strings.HasPrefix(version, "HTTP/") {
			return errVersion
		}
		return errRequestLine
	}
	r.Method, r.Proto, r.ProtoMajor, r.RequestURI = method, version, 1, target
	return c.parseTarget(target)
}

func isTarget(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] == 0x7f {
			return false
		}
	}
	return text != ""
}

// parseTarget makes the URL. A plain path is taken apart here; net/url judges the others. CONNECT has an authority for a target, as
// net/http reads it.
func (c *conn) parseTarget(target string) error {
	path, query, asked := strings.Cut(target, "?")
	if isPlainPath(path) {
		c.url = url.URL{Path: path, RawQuery: query, ForceQuery: asked && query == ""}
		c.request.URL = &c.url
		return nil
	}
	authority := c.request.Method == http.MethodConnect && target[0] != '/'
	if authority {
		target = "http://" + target
	}
	parsed, err := url.ParseRequestURI(target)
	if err != nil {
		return errTarget
	}
	if authority {
		parsed.Scheme = ""
	}
	c.request.URL = parsed
	return nil
}

// isPlainPath says whether a path has no other spelling for net/url, which keeps a URL.RawPath of those that have.
func isPlainPath(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	for i := range len(path) {
		if !plainChars[path[i]] {
			return false
		}
	}
	return true
}

var plainChars = func() (t [256]bool) {
	for c := range 256 {
		text := string(rune(c))
		t[c] = c < 0x80 && (&url.URL{Path: "/" + text}).EscapedPath() == "/"+text
	}
	return t
}()

// takeFields makes the header map, from which go what net/http takes out too: Host, Transfer-Encoding and Trailer.
func (c *conn) takeFields() error {
	r := &c.request
	clear(c.header)
	c.values = c.values[:0]
	if cap(c.values) < len(c.fields) {
		c.values = make([]string, 0, 2*len(c.fields)) // not to grow while slices of it are in use
	}
	hosts := 0
	var trailers []string
	for i := range c.fields {
		f := &c.fields[i]
		switch name := canonical(f.Name); name {
		case "Host":
			hosts++
			r.Host = f.Value
		case "Transfer-Encoding":
		case "Trailer":
			trailers = append(trailers, f.Value)
		default:
			c.add(name, f.Value)
		}
	}
	if hosts > 1 || hosts == 0 && r.ProtoMinor > 0 {
		return errHost
	}
	if r.URL.Host != "" {
		r.Host = r.URL.Host // RFC 9112 section 3.2.2
	}
	r.Header = c.header
	return c.takeTrailer(trailers)
}

func (c *conn) add(name, value string) {
	if before, ok := c.header[name]; ok {
		c.header[name] = append(before, value)
		return
	}
	c.values = append(c.values, value)
	n := len(c.values)
	c.header[name] = c.values[n-1 : n : n]
}

// canonical is http.CanonicalHeaderKey of a token, at less cost where it is canonical.
func canonical(name string) string {
	upper := true
	for i := range len(name) {
		b := name[i]
		if upper && b >= 'a' && b <= 'z' || !upper && b >= 'A' && b <= 'Z' {
			return http.CanonicalHeaderKey(name)
		}
		upper = b == '-'
	}
	return name
}

// takeTrailer announces the trailer fields, as net/http does: those that the client names, with no values yet.
func (c *conn) takeTrailer(lists []string) error {
	c.trailer = nil
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			name = http.CanonicalHeaderKey(strings.Trim(name, " \t"))
			switch name {
			case "":
				continue
			case "Transfer-Encoding", "Trailer", "Content-Length":
				return errTrailer
			}
			if c.trailer == nil {
				c.trailer = make(http.Header)
			}
			c.trailer[name] = nil
		}
	}
	return nil
}

func (c *conn) takeBody(framing http1.Framing) error {
	r := &c.request
	c.last, r.Close = framing.Close, framing.Close
	switch {
	case framing.Chunked:
		r.ContentLength, r.TransferEncoding, r.Trailer = -1, chunkedCoding, c.trailer
	case framing.Length < 0:
		framing.Length = 0 // a request without either has no body (RFC 9112 section 6.3)
	default:
		r.ContentLength = framing.Length
	}
	expect := c.header["Expect"]
	c.body.begin(framing, len(expect) > 0 && r.ProtoMinor > 0) // HTTP/1.0 has none (RFC 9110 section 10.1.1)
	if r.Body = http.NoBody; r.ContentLength != 0 {
		r.Body = &c.body
	}
	if len(expect) > 1 || len(expect) == 1 && !strings.EqualFold(expect[0], "100-continue") {
		return errExpect
	}
	return nil
}

var chunkedCoding = []string{"chunked"}

// refuse answers a head that is none, in words that tell nothing of it.
func (c *conn) refuse(err error) {
	status := http.StatusBadRequest
	switch {
	case errors.Is(err, http1.ErrHeadSize):
		status = http.StatusRequestHeaderFieldsTooLarge
	case errors.Is(err, errVersion):
		status = http.StatusHTTPVersionNotSupported
	case errors.Is(err, errExpect):
		status = http.StatusExpectationFailed
	}
	text := http.StatusText(status)
	_ = c.net.SetWriteDeadline(time.Now().Add(lingerTime))
	_, err = fmt.Fprintf(c.net, "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s\n",
		status, text, len(text)+1, text)
	if err == nil {
		c.linger()
	}
}
