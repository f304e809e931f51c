package jws

import (
	"slices"
	"strings"
)

// Token is a token whose signature and times held.
type Token struct {
	// Claims is the payload.
	Claims Object
	// Key is the key that the signature was verified with.
	Key *Key
	// Expiry, NotBefore and IssuedAt are exp, nbf and iat in Unix seconds; 0 if absent (exp never is). A fraction of a
	// second is rounded towards the shorter life: exp and iat down, nbf up.
	Expiry, NotBefore, IssuedAt int64

	header *Header // shared with other tokens that have the same one
}

// Header returns the JOSE header.
func (t *Token) Header() Header {
	if t.header == nil {
		return Header{}
	}
	return *t.header
}

// RequireIssuer requires that iss is exactly one of want. Like all these helpers it returns a *[Refusal], and nothing
// passes if want is empty.
func (t *Token) RequireIssuer(want ...string) error {
	return t.require(CheckIssuer, WrongIssuer, "iss", want)
}

// RequireAudience requires that aud, a string or an array of strings, names at least one of want (RFC 7519 section
// 4.1.3).
func (t *Token) RequireAudience(want ...string) error {
	if !t.Claims.Has("aud") {
		return t.missing(CheckIssuer, "aud", want)
	}
	got, ok := t.Claims.Strings("aud")
	if !ok {
		return t.refuse(CheckIssuer, Malformed, "aud", "a string or an array of strings", "")
	}
	if !slices.ContainsFunc(got, func(s string) bool { return slices.Contains(want, s) }) {
		return t.refuse(CheckIssuer, WrongAudience, "aud", anyOf(want), strings.Join(got, " "))
	}
	return nil
}

// RequireString requires that a claim is a string and exactly one of want. The reason is WrongClaim.
func (t *Token) RequireString(claim string, want ...string) error {
	return t.require(CheckPolicy, WrongClaim, claim, want)
}

// RequirePresent requires that a claim is a string and not empty.
func (t *Token) RequirePresent(claim string) error {
	if got, ok := t.Claims.String(claim); t.Claims.Has(claim) && (!ok || got == "") {
		return t.refuse(CheckPolicy, WrongClaim, claim, "a string that is not empty", "")
	}
	if !t.Claims.Has(claim) {
		return t.refuse(CheckPolicy, MissingClaim, claim, "a string that is not empty", "")
	}
	return nil
}

// Refuse returns a refusal by the caller's own rule about a verified claim: for Accept functions whose reason the other
// helpers do not give. want is the operator's words, got what was found.
func (t *Token) Refuse(check Check, reason Reason, claim, want, got string) *Refusal {
	return t.refuse(check, reason, claim, want, got)
}

func (t *Token) require(check Check, wrong Reason, claim string, want []string) error {
	raw := t.Claims.value(claim)
	if raw == "" {
		return t.missing(check, claim, want)
	}
	got, ok := stringOf(raw)
	if !ok {
		return t.refuse(check, Malformed, claim, "a string", "")
	}
	if !slices.Contains(want, got) {
		return t.refuse(check, wrong, claim, anyOf(want), got)
	}
	return nil
}

func (t *Token) missing(check Check, claim string, want []string) *Refusal {
	return t.refuse(check, MissingClaim, claim, anyOf(want), "")
}

// maxGot bounds what a refusal quotes of a token, in bytes.
const maxGot = 128

func (t *Token) refuse(check Check, reason Reason, claim, want, got string) *Refusal {
	if len(got) > maxGot {
		got = strings.ToValidUTF8(got[:maxGot], "") + "…"
	}
	return &Refusal{Check: check, Reason: reason, Claim: claim, Want: want, Got: strings.Clone(got), Verified: true}
}

func anyOf(want []string) string {
	if len(want) == 0 {
		return "nothing passes: the policy lists no value"
	}
	return strings.Join(want, " or ")
}
