package jws

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

const (
	maxDepth  = 8
	maxObject = 16 << 20
	// manyMembers is the number of members from which on names are compared through a map, so that an object made of
	// nothing but names costs no more than its length.
	manyMembers = 32
)

// Want texts of refused JSON.
const (
	wantObject   = "one JSON object (RFC 8259)"
	wantOnce     = "member names that are there once and differ by more than case"
	wantExact    = "registered names in their own spelling"
	wantUTF8     = "valid UTF-8 without control characters or lone surrogates"
	wantShallow  = "at most 8 levels of nesting"
	wantSmall    = "at most 16 MiB of JSON"
	wantNoMore   = "nothing after the JSON object"
	wantGoodName = "a string as member name"
)

// scanner reads one JSON text from left to right, once. It stops at the first fault, which is then in want.
//
// members is a stack: an object's names are pushed as they are met and popped at the object's end, but for those of the
// outermost object, which are the result.
type scanner struct {
	data    string
	pos     int
	depth   int
	members []member
	want    string
	inner   bool // the text is a part of one that was parsed already
}

// parseObject scans data; members is room for the result (nil allocates).
func parseObject(data string, members []member) (Object, error) {
	if len(data) > maxObject {
		return Object{}, malformed("", wantSmall)
	}
	if members == nil {
		members = make([]member, 0, 16)
	}
	s := scanner{data: data, members: members[:0]}
	s.space()
	if s.peek() != '{' {
		return Object{}, malformed("", wantObject)
	}
	s.object()
	s.space()
	if s.want == "" && s.pos < len(s.data) {
		s.want = wantNoMore
	}
	if s.want != "" {
		return Object{}, malformed("", s.want)
	}
	return Object{data: data, members: s.members}, nil
}

// nested parses the text of a value within an object that was parsed already.
func nested(raw string) (Object, bool) {
	if raw[0] != '{' {
		return Object{}, false
	}
	s := scanner{data: raw, inner: true}
	s.object()
	return Object{data: raw, members: s.members}, s.want == ""
}

// elements calls visit for each element of an array that was parsed already. It returns false if raw is no array or
// visit returns false.
func elements(raw string, visit func(raw string) bool) bool {
	if raw[0] != '[' {
		return false
	}
	s := scanner{data: raw, pos: 1, inner: true}
	for s.space(); s.want == "" && s.peek() != ']'; s.space() {
		start := s.pos
		s.value()
		if s.want != "" || !visit(raw[start:s.pos]) {
			return false
		}
		s.space()
		if s.peek() == ',' {
			s.pos++
		}
	}
	return s.want == ""
}

// stringOf returns the string whose JSON text is raw.
func stringOf(raw string) (string, bool) {
	if raw[0] != '"' {
		return "", false
	}
	return unescape(raw[1 : len(raw)-1]), true
}

func (s *scanner) fail(want string) bool {
	if s.want == "" {
		s.want = want
	}
	return false
}

// peek returns the next byte, 0 at the end. A NUL in the text is refused wherever peek is used, so the two need not be
// told apart.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) space() { s.pos = skipSpace(s.data, s.pos) }

// skipSpace returns the position of the first byte from i on that is no white space (RFC 8259 section 2).
func skipSpace(data string, i int) int {
	for i < len(data) && data[i] <= ' ' && (data[i] == ' ' || data[i] == '\n' || data[i] == '\r' || data[i] == '\t') {
		i++
	}
	return i
}

func (s *scanner) enter() bool {
	s.pos++
	s.depth++
	return s.depth <= maxDepth || s.fail(wantShallow)
}

// object scans an object whose brace is next.
func (s *scanner) object() bool {
	base := len(s.members)
	if !s.enter() {
		return false
	}
	names := nameSet{base: base}
	for more := s.begun('}'); more; more = s.more('}') {
		if !s.member(&names) {
			return false
		}
	}
	s.depth--
	if s.depth > 0 {
		s.members = s.members[:base]
	}
	return s.want == ""
}

// begun reports whether an object or array has a first element, and else reads its closing bracket.
func (s *scanner) begun(closing byte) bool {
	s.space()
	if s.peek() != closing {
		return true
	}
	s.pos++
	return false
}

// more reads what comes after an element: a comma, after which there must be another, or the closing bracket.
func (s *scanner) more(closing byte) bool {
	data, i := s.data, skipSpace(s.data, s.pos)
	switch {
	case i < len(data) && data[i] == ',':
		s.pos = skipSpace(data, i+1)
		return true
	case i < len(data) && data[i] == closing:
		s.pos = i + 1
		return false
	}
	return s.fail(wantObject)
}

func (s *scanner) member(names *nameSet) bool {
	data, start := s.data, s.pos+1
	end, seen, hash, ok := s.name()
	if !ok || (!names.plain(seen, hash) && !names.add(s, data[start:end], seen, hash)) {
		return false
	}
	colon := skipSpace(data, end+1)
	if colon >= len(data) || data[colon] != ':' {
		return s.fail(wantObject)
	}
	name, value := newSpan(start, end, seen&markEscape != 0), skipSpace(data, colon+1)
	if end = quick(data, value); end > value {
		s.members = append(s.members, member{name, newSpan(value, end, false)})
		s.pos = end
		return true
	}
	// An object within pushes its names above this member.
	at := len(s.members)
	s.members, s.pos = append(s.members, member{name: name}), value
	escaped, ok := s.value()
	if !ok {
		return false
	}
	s.members[at].value = newSpan(value, s.pos, escaped)
	return true
}

// name scans a member's name. It returns where its closing quote is, the marks of what it is made of, and its foldHash
// unless a mark says that it is no plain ASCII.
func (s *scanner) name() (end int, seen, hash byte, ok bool) {
	data, i := s.data, s.pos
	if i >= len(data) || data[i] != '"' {
		return 0, 0, 0, s.fail(wantGoodName)
	}
	for i++; i < len(data); i++ {
		c := data[i]
		mark := marks[c]
		if mark&markStop != 0 {
			break
		}
		seen, hash = seen|mark, foldByte(hash, c)
	}
	if i < len(data) && data[i] == '"' {
		return i, seen, hash, true
	}
	escaped, ok := s.text()
	if escaped {
		return s.pos - 1, markRare | markEscape, 0, ok
	}
	return s.pos - 1, markRare, 0, ok
}

// quick returns the end of a value at i that is a string without escapes in ASCII or an integer that does not begin
// with 0, which is what most values are; for any other it returns i.
func quick(data string, i int) int {
	if i >= len(data) || data[i] != '"' {
		return integer(data, i)
	}
	if end := skipPlain(data, i+1); end < len(data) && data[end] == '"' {
		return end + 1
	}
	return i
}

// integer is quick for numbers.
func integer(data string, i int) int {
	end := i
	for end < len(data) && data[end]-'0' <= 9 {
		end++
	}
	if end == i || data[i] == '0' || end == len(data) || data[end] == '.' || data[end]|0x20 == 'e' {
		return i
	}
	return end
}

// value scans any value; escaped says that it is a string with escapes.
func (s *scanner) value() (escaped, ok bool) {
	switch c := s.peek(); {
	case c == '"':
		return s.text()
	case c == '{':
		return false, s.object()
	case c == '[':
		return false, s.array()
	case c == '-' || (c >= '0' && c <= '9'):
		return false, s.number()
	default:
		return false, s.literal()
	}
}

func (s *scanner) array() bool {
	if !s.enter() {
		return false
	}
	for more := s.begun(']'); more; more = s.more(']') {
		if _, ok := s.value(); !ok {
			return false
		}
	}
	s.depth--
	return s.want == ""
}

func (s *scanner) literal() bool {
	for _, word := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(s.data[s.pos:], word) {
			s.pos += len(word)
			return true
		}
	}
	return s.fail(wantObject)
}

// number scans RFC 8259 section 6: no leading zero, no plus, digits on both sides of the point.
func (s *scanner) number() bool {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !s.digits() {
		return false
	}
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			return false
		}
	}
	if c := s.peek(); c != 'e' && c != 'E' {
		return true
	}
	s.pos++
	if c := s.peek(); c == '+' || c == '-' {
		s.pos++
	}
	return s.digits()
}

func (s *scanner) digits() bool {
	start := s.pos
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.pos++
	}
	return s.pos > start || s.fail(wantObject)
}

// text scans a string whose quote is next and leaves pos behind the closing one.
func (s *scanner) text() (escaped, ok bool) {
	data := s.data
	for i := skipPlain(data, s.pos+1); ; i = skipPlain(data, i) {
		if i >= len(data) {
			return false, s.fail(wantObject)
		}
		n := 0
		switch c := data[i]; {
		case c == '"':
			s.pos = i + 1
			return escaped, true
		case c == '\\':
			escaped = true
			_, n = escape(data[i:])
		case c >= utf8.RuneSelf:
			if r, size := utf8.DecodeRuneInString(data[i:]); r != utf8.RuneError || size == 3 {
				n = size
			}
		}
		if n == 0 {
			return false, s.fail(wantUTF8)
		}
		i += n
	}
}

// skipPlain returns the position of the first byte from i on that does not stand for itself within a string: a quote, a
// backslash, a control character, or one beyond ASCII. It looks at eight bytes at once.
func skipPlain(data string, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(data); i += 8 {
		x := eightBytes(data[i : i+8])
		quote, slash := x^(ones*'"'), x^(ones*'\\')
		// A byte's high bit is set for a hit. A borrow can set it falsely only above the first true one.
		hits := ((quote-ones)&^quote | (slash-ones)&^slash | (x-ones*0x20)&^x | x) & highs
		if hits != 0 {
			return i + bits.TrailingZeros64(hits)/8
		}
	}
	for i < len(data) && data[i] >= 0x20 && data[i] < utf8.RuneSelf && data[i] != '"' && data[i] != '\\' {
		i++
	}
	return i
}

// eightBytes returns the first eight bytes of s, the first one lowest. It compiles to one load.
func eightBytes(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
