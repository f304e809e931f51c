package jws

import (
	"strings"
	"time"
)

const (
	// leeway is how far, in seconds, the issuer's clock may be ahead for nbf and iat.
	leeway = 5
	// maxDate is the end of the year 9999 in Unix seconds, the last time that RFC 3339 can write.
	maxDate = 253402300799
)

const wantDate = "seconds since 1970 as a number without exponent (RFC 7519 section 2)"

// checkTime reads exp, nbf and iat and compares them with now.
func (t *Token) checkTime(now time.Time) error {
	if wrong := t.readDates(); wrong != "" {
		return t.refuse(CheckTime, Malformed, wrong, wantDate, "")
	}
	unix := now.Unix()
	switch {
	case t.Expiry == 0 && !t.Claims.Has("exp"):
		return t.refuse(CheckTime, MissingClaim, "exp", wantDate, "")
	case t.Expiry <= unix:
		return t.refuseTime(Expired, "exp", "a time after "+dateText(unix), t.Expiry)
	case t.NotBefore > unix+leeway:
		return t.refuseTime(NotYetValid, "nbf", "a time before "+dateText(unix+leeway), t.NotBefore)
	case t.IssuedAt > unix+leeway:
		return t.refuseTime(NotYetValid, "iat", "a time before "+dateText(unix+leeway), t.IssuedAt)
	}
	return nil
}

func (t *Token) refuseTime(reason Reason, claim, want string, got int64) error {
	return t.refuse(CheckTime, reason, claim, want, dateText(got))
}

func dateText(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

// readDates sets Expiry, NotBefore and IssuedAt in one pass over the claims. It returns the first of exp, nbf and iat
// that is no date, "" if none is wrong.
func (t *Token) readDates() (wrong string) {
	var exp, nbf, iat bool
	claims := &t.Claims
	for i := range claims.Len() {
		m := claims.at(i)
		name := fourBytes(claims.text[m.start():])
		if m&escaped != 0 {
			name = shortName(unescape(written(claims.text, m)))
		}
		switch name {
		case nameExp:
			t.Expiry, exp = claims.date(i, m, false)
		case nameNbf:
			t.NotBefore, nbf = claims.date(i, m, true)
		case nameIat:
			t.IssuedAt, iat = claims.date(i, m, false)
		}
	}
	switch {
	case exp:
		return "exp"
	case nbf:
		return "nbf"
	case iat:
		return "iat"
	}
	return ""
}

// Names of three characters with the quote behind them as words, of which the first byte is the lowest: what fourBytes
// returns of them.
const (
	nameExp = 'e' | 'x'<<8 | 'p'<<16 | '"'<<24
	nameNbf = 'n' | 'b'<<8 | 'f'<<16 | '"'<<24
	nameIat = 'i' | 'a'<<8 | 't'<<16 | '"'<<24
)

// shortName returns a name of three characters as such a word, 0 for any other. A name with escapes can have a quote within:
// without a look at its length one that goes on after exp and a quote would pass for exp.
func shortName(name string) uint32 {
	if len(name) != 3 {
		return 0
	}
	return fourBytes(name + `"`)
}

// date reads the member of that number, m, as a date.
func (o *Object) date(i int, m member, up bool) (n int64, bad bool) {
	quote := m.start() + len(written(o.text, m))
	if n, ok := plainDate(o.text[quote+1:]); ok {
		return n, false
	}
	return numericDate(o.raw(i, quote), up)
}

// plainDate reads what dates from 2001 to 2286 look like: a colon, ten digits, and the comma or brace behind them. It
// leaves any other to numericDate. The colon needs no look: if white space stood there, it or the colon
// would be among what must be digits.
func plainDate(s string) (n int64, ok bool) {
	if len(s) < 12 || (s[11] != ',' && s[11] != '}') {
		return 0, false
	}
	n, ok = eightDigits(s[1:])
	ninth, tenth := s[9]-'0', s[10]-'0'
	return n*100 + int64(ninth)*10 + int64(tenth), ok && ninth <= 9 && tenth <= 9
}

// maxDateDigits is the number of digits of maxDate.
const maxDateDigits = 12

// numericDate reads a JSON number of seconds from 0 to the year 9999. A fraction is cut off, or rounded up.
func numericDate(raw string, up bool) (n int64, bad bool) {
	i := 0
	if len(raw) >= 8 {
		if eight, ok := eightDigits(raw); ok {
			n, i = eight, 8
		}
	}
	for i < len(raw) && i <= maxDateDigits && raw[i]-'0' <= 9 {
		n = n*10 + int64(raw[i]-'0')
		i++
	}
	if n > maxDate || i == 0 {
		return 0, true
	}
	if i == len(raw) {
		return n, false
	}
	fraction, found := strings.CutPrefix(raw[i:], ".")
	if fraction = strings.TrimRight(fraction, "0"); !found || strings.ContainsAny(fraction, "eE") {
		return 0, true
	}
	if up && fraction != "" {
		n++
	}
	return n, false
}

// eightDigits returns the number that the first eight bytes of s write if all are digits. It adds up neighbours, in all
// lanes of a word at once: first digits, then pairs, then fours.
func eightDigits(s string) (n int64, ok bool) {
	x := eightBytes(s) ^ 0x3030303030303030
	if (x|(x+0x7676767676767676))&0x8080808080808080 != 0 {
		return 0, false
	}
	x = x*10 + x>>8
	x = x&0x00ff00ff00ff00ff*100 + x>>16&0x00ff00ff00ff00ff
	x = x&0x0000ffff0000ffff*10000 + x>>32&0x0000ffff0000ffff
	return int64(x & 0xffffffff), true
}
