package jws

import (
	"strconv"
	"strings"
	"time"
)

const (
	// leeway is how far, in seconds, the issuer's clock may be ahead for nbf and iat.
	leeway = 5
	// maxDate is the end of the year 9999 in Unix seconds, the last time that RFC 3339 can write.
	maxDate = 253402300799
	// maxDateText bounds the digits of a NumericDate.
	maxDateText = 32
)

const wantDate = "seconds since 1970 as a number without exponent (RFC 7519 section 2)"

// checkTime reads exp, nbf and iat and compares them with now.
func (t *Token) checkTime(now time.Time) error {
	if !t.Claims.Has("exp") {
		return t.refuse(CheckTime, MissingClaim, "exp", wantDate, "")
	}
	for _, claim := range [...]struct {
		name string
		to   *int64
		up   bool
	}{{"exp", &t.Expiry, false}, {"nbf", &t.NotBefore, true}, {"iat", &t.IssuedAt, false}} {
		if !t.date(claim.name, claim.to, claim.up) {
			return t.refuse(CheckTime, Malformed, claim.name, wantDate, "")
		}
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

// date reads a NumericDate into to and reports whether the claim is absent or one.
func (t *Token) date(claim string, to *int64, up bool) bool {
	m := t.Claims.find(claim)
	if m == nil {
		return true
	}
	n, ok := numericDate(t.Claims.raw(m), up)
	*to = n
	return ok
}

// numericDate reads a JSON number of seconds from 0 to the year 9999. A fraction is cut off, or rounded up.
func numericDate(raw string, up bool) (int64, bool) {
	whole, fraction, _ := strings.Cut(raw, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || len(raw) > maxDateText || strings.ContainsAny(raw, "-eE") || n > maxDate {
		return 0, false
	}
	if up && strings.Trim(fraction, "0") != "" {
		n++
	}
	return n, true
}
