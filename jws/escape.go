package jws

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// escape decodes the escape sequence at the start of s and returns its length, 0 if it is none. A surrogate must be
// the first of a pair.
func escape[T string | []byte](s T) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	switch s[1] {
	case '"', '\\', '/':
		return rune(s[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		return escapeUnicode(s)
	}
	return 0, 0
}

func escapeUnicode[T string | []byte](s T) (rune, int) {
	r, ok := hex4(s)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	low, ok := hex4(s[6:])
	if r = utf16.DecodeRune(r, low); !ok || r == unicode.ReplacementChar {
		return 0, 0
	}
	return r, 12
}

// hex4 decodes \uXXXX at the start of s.
func hex4[T string | []byte](s T) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for _, c := range []byte(s[2:6]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape decodes the inside of a string that was scanned already.
func unescape(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for ; i >= 0; i = strings.IndexByte(s, '\\') {
		b.WriteString(s[:i])
		r, n := escape(s[i:])
		b.WriteRune(r)
		s = s[i+max(n, 1):]
	}
	b.WriteString(s)
	return b.String()
}
