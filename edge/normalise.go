package edge

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/internal/http1"
)

// maxPath is the longest path in bytes. The whole head is bounded by the server.
const maxPath = 4 << 10

// target returns the one path and query of a request. ok is false where the request target has more than one reading, or is no
// path at all: then nothing of it may be matched or sent on.
//
// There is no normal form to bring a target into. Whatever two servers could read in two ways is refused, so that what is left
// is its own normal form: it is compared with the routes byte for byte, and sent to the backend byte for byte.
func target(r *http.Request) (path, query string, ok bool) {
	path, query, asked := strings.Cut(r.RequestURI, "?")
	if r.Method == http.MethodConnect || !isCanonicalPath(path) || asked && !isCanonicalQuery(query) {
		return "", "", false
	}
	return path, query, true
}

// isCanonicalPath says whether a path has one reading: it is absolute, of unreserved characters, sub-delims but ";", ":", "@"
// and percent-encodings (RFC 3986 section 3.3), without empty segments and dot segments. What must be encoded may be, and nothing
// else: no unreserved character, and neither "/", "\", "%", "?", "#" and ";" nor any control character hides behind a percent sign.
func isCanonicalPath(path string) bool {
	if path == "" || path[0] != '/' || len(path) > maxPath {
		return false
	}
	begin, decoded := 1, false
	for i := 1; i <= len(path); i++ {
		switch {
		case i == len(path) || path[i] == '/':
			last := i == len(path)
			if !isSegment(path[begin:i], last) {
				return false
			}
			begin = i + 1
		case path[i] == '%':
			if !isEncoded(path[i:]) {
				return false
			}
			decoded = true
			i += 2
		case !pathChars[path[i]]:
			return false
		}
	}
	return !decoded || isText(path)
}

// isSegment refuses "", "." and "..". The last segment may be empty: that is a path that ends with a slash.
func isSegment(segment string, last bool) bool {
	return segment != "." && segment != ".." && (segment != "" || last)
}

var pathChars = charSet("!$&'()*+,-.:=@_~", true)

// hiddenChars are those that may not stand behind a percent sign in a path: unreserved ones, which need no encoding, and those
// that would mean something else without it.
var hiddenChars = charSet("-._~/\\%?#;", true)

func charSet(others string, alphanumeric bool) (set [256]bool) {
	for c := range 256 {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		set[c] = alphanumeric && letter || c < 0x80 && strings.IndexByte(others, byte(c)) >= 0
	}
	return set
}

// isEncoded says whether text begins with an encoding that a path may have.
func isEncoded(text string) bool {
	c, ok := percent(text)
	return ok && c >= ' ' && c != 0x7f && !hiddenChars[c]
}

// percent decodes the "%XX" at the beginning of text.
func percent(text string) (byte, bool) {
	if len(text) < 3 {
		return 0, false
	}
	high, ok1 := http1.HexDigit(text[1])
	low, ok2 := http1.HexDigit(text[2])
	return high<<4 | low, ok1 && ok2
}

// isText says whether a path whose encodings are well-formed is UTF-8 without the control characters from U+0080 on.
func isText(path string) bool {
	decoded := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' {
			c, _ = percent(path[i:])
			i += 2
		}
		decoded = append(decoded, c)
	}
	for rest := decoded; len(rest) > 0; {
		char, size := utf8.DecodeRune(rest)
		if char == utf8.RuneError && size == 1 || char >= 0x80 && char < 0xa0 {
			return false
		}
		rest = rest[size:]
	}
	return true
}

// isCanonicalQuery is more lenient than a path, since nothing is decided by a query but what connect reads from it: printable
// ASCII but "#", percent signs only before two hexadecimal digits that are not 00.
func isCanonicalQuery(query string) bool {
	for i := 0; i < len(query); i++ {
		switch c := query[i]; {
		case c <= ' ' || c >= 0x7f || c == '#':
			return false
		case c == '%':
			if decoded, ok := percent(query[i:]); !ok || decoded == 0 {
				return false
			}
			i += 2
		}
	}
	return true
}

// stripQuery takes the parameters of these names out of a query, in whatever spelling, and leaves the others as they are.
func stripQuery(query string, names []string) string {
	if query == "" || len(names) == 0 {
		return query
	}
	var kept []string
	all := true
	for pair := range strings.SplitSeq(query, "&") {
		if hasName(pair, names) {
			all = false
			continue
		}
		kept = append(kept, pair)
	}
	if all {
		return query
	}
	return strings.Join(kept, "&")
}

// hasParameter says whether a query has a parameter of one of the names, in whatever spelling. A semicolon counts as a separator
// too, as some servers have it.
func hasParameter(query string, names []string) bool {
	if query == "" || len(names) == 0 {
		return false
	}
	for pair := range strings.SplitSeq(query, "&") {
		for part := range strings.SplitSeq(pair, ";") {
			if hasName(part, names) {
				return true
			}
		}
	}
	return false
}

func hasName(pair string, names []string) bool {
	name, _, _ := strings.Cut(pair, "=")
	name = decodeName(name)
	for _, n := range names {
		if strings.EqualFold(name, n) {
			return true
		}
	}
	return false
}

// decodeName decodes a parameter's name as a form does, "+" being a space. Malformed encodings stay as they are.
func decodeName(name string) string {
	if strings.IndexByte(name, '%') < 0 {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if c, ok := percent(name[i:]); name[i] == '%' && ok {
			b.WriteByte(c)
			i += 2
			continue
		}
		b.WriteByte(name[i])
	}
	return b.String()
}
