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
	dates := t.dates()
	for i, to := range [...]*int64{&t.Expiry, &t.NotBefore, &t.IssuedAt} {
		if dates[i] == nil {
			continue
		}
		var ok bool
		if *to, ok = numericDate(t.Claims.raw(dates[i]), to == &t.NotBefore); !ok {
			return t.refuse(CheckTime, Malformed, t.Claims.name(dates[i]), wantDate, "")
		}
	}
	if dates[0] == nil {
		return t.refuse(CheckTime, MissingClaim, "exp", wantDate, "")
	}
	unix := now.Unix()
	switch {
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

// dates finds exp, nbf and iat in one pass.
func (t *Token) dates() (found [3]*member) {
	for i := range t.Claims.members {
		m := &t.Claims.members[i]
		if m.name.last-m.name.start != uint32(len("exp")) && !m.name.escaped() {
			continue
		}
		switch t.Claims.name(m) {
		case "exp":
			found[0] = m
		case "nbf":
			found[1] = m
		case "iat":
			found[2] = m
		}
	}
	return found
}

// numericDate reads a JSON number of seconds from 0 to the year 9999. A fraction is cut off, or rounded up.
func numericDate(raw string, up bool) (n int64, ok bool) {
	i := 0
	for ; i < len(raw) && raw[i] != '.'; i++ {
		c := raw[i] - '0'
		if n = n*10 + int64(c); c > 9 || n > maxDate {
			return 0, false
		}
	}
	if i == len(raw) {
		return n, true
	}
	fraction := strings.TrimRight(raw[i+1:], "0")
	if strings.ContainsAny(fraction, "eE") {
		return 0, false
	}
	if up && fraction != "" {
		n++
	}
	return n, true
}
