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
		name, quote := claims.short(i)
		switch name {
		case "exp":
			t.Expiry, exp = numericDate(claims.raw(i, quote), false)
		case "nbf":
			t.NotBefore, nbf = numericDate(claims.raw(i, quote), true)
		case "iat":
			t.IssuedAt, iat = numericDate(claims.raw(i, quote), false)
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

// short returns the name of a member that is three characters long, and the place of its closing quote; "" for others.
func (o *Object) short(i int) (name string, quote int) {
	m := o.at(i)
	if m&escaped != 0 {
		as := written(o.text, m)
		return unescape(as), m.start() + len(as)
	}
	if quote = m.start() + 3; quote < int(o.size) && o.text[quote] == '"' {
		return o.text[m.start():quote], quote
	}
	return "", 0
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
