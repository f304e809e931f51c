package jws

import "unicode/utf8"

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
// Its methods take the position of what they scan and return the one behind it, or fault.
//
// members is a stack: an object's names are pushed as they are met and popped at the object's end, but for those of the
// outermost object, which are the result.
type scanner struct {
	data    []byte
	depth   int
	members []member
	want    string
	inner   bool // the text is a part of one that was parsed already
}

// fault is the position where nothing more is scanned.
const fault = -1

// whole scans a text that is one object and nothing else.
func (s *scanner) whole() {
	i := skipSpace(s.data, 0)
	if s.at(i) != '{' {
		s.fail(wantObject)
		return
	}
	if i = s.object(i); i >= 0 && skipSpace(s.data, i) < len(s.data) {
		s.fail(wantNoMore)
	}
}

// nested parses the text of a value within an object that was parsed already.
func nested(raw string) (Object, bool) {
	if raw == "" || raw[0] != '{' {
		return Object{}, false
	}
	s := scratches.Get().(*scratch)
	defer s.release()
	buf := append(s.buf[:0], raw...)
	scan := scanner{data: buf, members: s.members[:0], inner: true}
	scan.object(0)
	o, err := s.seal(&scan, buf, 0)
	return o, err == nil
}

// elements calls visit for each element of an array that was parsed already. It returns false if raw is no array or
// visit returns false.
func elements(raw string, visit func(raw string) bool) bool {
	if raw == "" || raw[0] != '[' {
		return false
	}
	s := scratches.Get().(*scratch)
	defer s.release()
	s.buf = append(s.buf[:0], raw...)
	scan := scanner{data: s.buf, members: s.members[:0], inner: true}
	i := skipSpace(raw, 1)
	for more := raw[i] != ']'; more; i, more = scan.more(i, ']') {
		start := i
		if i = scan.value(i); i < 0 || !visit(raw[start:i]) {
			return false
		}
	}
	return scan.want == ""
}

// stringOf returns the string whose JSON text is raw.
func stringOf(raw string) (string, bool) {
	if raw == "" || raw[0] != '"' {
		return "", false
	}
	return unescape(raw[1 : len(raw)-1]), true
}

func (s *scanner) fail(want string) int {
	if s.want == "" {
		s.want = want
	}
	return fault
}

// at returns the byte at i, 0 at the end. A NUL in the text is refused wherever at is used, so the two need not be told
// apart.
func (s *scanner) at(i int) byte {
	if i < len(s.data) {
		return s.data[i]
	}
	return 0
}

// skipSpace returns the position of the first byte from i on that is no white space (RFC 8259 section 2).
func skipSpace[T string | []byte](data T, i int) int {
	for i < len(data) && data[i] <= ' ' && (data[i] == ' ' || data[i] == '\n' || data[i] == '\r' || data[i] == '\t') {
		i++
	}
	return i
}

// object scans an object whose brace is at i.
func (s *scanner) object(i int) int {
	if s.depth++; s.depth > maxDepth {
		return s.fail(wantShallow)
	}
	base := len(s.members)
	names := nameSet{base: base}
	if i = skipSpace(s.data, i+1); s.at(i) == '}' {
		i++
	} else {
		for more := true; more; {
			if i = s.member(i, &names); i < 0 {
				return fault
			}
			if i+1 < len(s.data) && s.data[i] == ',' && s.data[i+1] == '"' {
				i++
				continue
			}
			if i, more = s.more(i, '}'); i < 0 {
				return fault
			}
		}
	}
	if s.depth--; s.depth > 0 {
		s.members = s.members[:base]
	}
	return i
}

// more reads what comes after an element: a comma, after which there must be another, or the closing bracket.
func (s *scanner) more(i int, closing byte) (next int, more bool) {
	data := s.data
	i = skipSpace(data, i)
	switch {
	case i < len(data) && data[i] == ',':
		return skipSpace(data, i+1), true
	case i < len(data) && data[i] == closing:
		return i + 1, false
	}
	return s.fail(wantObject), false
}

func (s *scanner) member(i int, names *nameSet) int {
	data, start := s.data, i+1
	if i >= len(data) || data[i] != '"' {
		return s.fail(wantGoodName)
	}
	end, seen, hash := plainName(data, start)
	if end >= len(data) || data[end] != '"' {
		if i, seen = s.rareName(i); i < 0 {
			return fault
		}
		end = i - 1
	}
	if !names.plain(seen, hash) && !names.add(s, data[start:end], seen, hash) {
		return fault
	}
	if i = skipSpace(data, end+1); i >= len(data) || data[i] != ':' {
		return s.fail(wantObject)
	}
	m := member(start)
	if seen&markEscape != 0 {
		m |= escaped
	}
	s.members = append(s.members, m)
	i = skipSpace(data, i+1)
	if i < len(data) && data[i] == '"' {
		if end = skipPlain(data, i+1); end < len(data) && data[end] == '"' {
			return end + 1
		}
	} else if end = integer(data, i); end > i {
		return end
	}
	return s.value(i)
}

// rareName scans a name, whose quote is at i, that is no plain ASCII.
func (s *scanner) rareName(i int) (next int, seen byte) {
	next, escaped := s.text(i)
	if escaped {
		return next, markRare | markEscape
	}
	return next, markRare
}

// plainName returns where plain ASCII ends that begins at i, the marks of what it is made of, and its foldHash.
func plainName(data []byte, i int) (end int, seen, hash byte) {
	for ; i < len(data); i++ {
		c := data[i]
		mark := marks[c]
		if mark&markStop != 0 {
			break
		}
		seen, hash = seen|mark, foldByte(hash, c)
	}
	return i, seen, hash
}

// integer returns the end of an integer at i that does not begin with 0, which is what most numbers are; for any other
// it returns i.
func integer(data []byte, i int) int {
	end := i
	for end < len(data) && data[end]-'0' <= 9 {
		end++
	}
	if end == i || data[i] == '0' || end == len(data) || data[end] == '.' || data[end]|0x20 == 'e' {
		return i
	}
	return end
}

// value scans any value.
func (s *scanner) value(i int) int {
	switch c := s.at(i); {
	case c == '"':
		next, _ := s.text(i)
		return next
	case c == '{':
		return s.object(i)
	case c == '[':
		return s.array(i)
	case c == '-' || (c >= '0' && c <= '9'):
		return s.number(i)
	default:
		return s.literal(i)
	}
}

func (s *scanner) array(i int) int {
	if s.depth++; s.depth > maxDepth {
		return s.fail(wantShallow)
	}
	if i = skipSpace(s.data, i+1); s.at(i) == ']' {
		i++
	} else {
		for more := true; more; {
			if i = s.value(i); i < 0 {
				return fault
			}
			if i, more = s.more(i, ']'); i < 0 {
				return fault
			}
		}
	}
	s.depth--
	return i
}

func (s *scanner) literal(i int) int {
	for _, word := range [...]string{"true", "false", "null"} {
		if end := i + len(word); end <= len(s.data) && string(s.data[i:end]) == word {
			return end
		}
	}
	return s.fail(wantObject)
}

// number scans RFC 8259 section 6: no leading zero, no plus, digits on both sides of the point.
func (s *scanner) number(i int) int {
	if s.at(i) == '-' {
		i++
	}
	if s.at(i) == '0' {
		i++
	} else if i = s.digits(i); i < 0 {
		return fault
	}
	if s.at(i) == '.' {
		if i = s.digits(i + 1); i < 0 {
			return fault
		}
	}
	if s.at(i)|0x20 != 'e' {
		return i
	}
	if c := s.at(i + 1); c == '+' || c == '-' {
		i++
	}
	return s.digits(i + 1)
}

func (s *scanner) digits(i int) int {
	start := i
	for c := s.at(i); c >= '0' && c <= '9'; c = s.at(i) {
		i++
	}
	if i == start {
		return s.fail(wantObject)
	}
	return i
}

// text scans a string whose quote is at i.
func (s *scanner) text(i int) (next int, escaped bool) {
	data := s.data
	for i = skipPlain(data, i+1); ; i = skipPlain(data, i) {
		if i >= len(data) {
			return s.fail(wantObject), false
		}
		n := 0
		switch c := data[i]; {
		case c == '"':
			return i + 1, escaped
		case c == '\\':
			escaped = true
			_, n = escape(data[i:])
		case c >= utf8.RuneSelf:
			if r, size := utf8.DecodeRune(data[i:]); r != utf8.RuneError || size == 3 {
				n = size
			}
		}
		if n == 0 {
			return s.fail(wantUTF8), false
		}
		i += n
	}
}
