package jws

import (
	"errors"
	"strconv"
	"strings"
)

// Check names the step of a verification that a token failed. The steps run in the order of the constants below and
// the first that fails ends the verification.
type Check string

// The checks, in the order in which they run.
const (
	// CheckFormat is about the token's spelling: three parts, canonical base64url, strict JSON, header members, typ.
	CheckFormat Check = "format"
	// CheckAlgorithm is about the header's "alg" against the verifier's list and the key's own algorithm.
	CheckAlgorithm Check = "algorithm"
	// CheckSignature is about finding a key and the signature itself.
	CheckSignature Check = "signature"
	// CheckTime is about exp, nbf and iat (RFC 7519 sections 4.1.4 to 4.1.6).
	CheckTime Check = "time"
	// CheckIssuer is about iss and aud.
	CheckIssuer Check = "issuer"
	// CheckPolicy is about rules of one issuer or one route.
	CheckPolicy Check = "policy"
	// CheckRevocation is about sessions revoked, players banned and tokens used twice.
	CheckRevocation Check = "revocation"
)

// Reason says why a token was refused, as a word that programs may store and compare. It is an error, so that
// errors.Is(err, jws.Expired) works on whatever a verifier returns.
type Reason string

// The reasons of every refusal in Sallyport.
const (
	// Malformed: the token or one of its members is not spelled as the standards say.
	Malformed Reason = "malformed"
	// AlgorithmRefused: the header names an algorithm that the verifier or the key does not take.
	AlgorithmRefused Reason = "algorithm_refused"
	// UnknownKey: no trusted key fits the header.
	UnknownKey Reason = "unknown_key"
	// BadSignature: the key fits and the signature does not hold.
	BadSignature Reason = "bad_signature"
	// Expired: exp has come.
	Expired Reason = "expired"
	// NotYetValid: nbf or iat lies in the future.
	NotYetValid Reason = "not_yet_valid"
	// WrongIssuer: iss is another issuer's.
	WrongIssuer Reason = "wrong_issuer"
	// WrongAudience: aud names nobody that may take the token here.
	WrongAudience Reason = "wrong_audience"
	// WrongUse: the token was made for another use, such as an ID token shown as an access token.
	WrongUse Reason = "wrong_use"
	// WrongType: the header's typ is not one that the verifier takes.
	WrongType Reason = "wrong_type"
	// WrongClient: azp or client_id names a client that may not come here.
	WrongClient Reason = "wrong_client"
	// MissingClaim: a required claim is absent.
	MissingClaim Reason = "missing_claim"
	// WrongClaim: a claim has a value that the policy does not take.
	WrongClaim Reason = "wrong_claim"
	// WrongUser: the token is good and belongs to another user than the caller said.
	WrongUser Reason = "wrong_user"
	// Revoked: the session, or everything of the player before some time, was revoked.
	Revoked Reason = "revoked"
	// Banned: the player is banned.
	Banned Reason = "banned"
	// Replayed: a single-use token was used a second time.
	Replayed Reason = "replayed"
	// Unavailable: keys or a store cannot be had now. It is the one reason that is not the token's fault; over HTTP
	// it is status 503.
	Unavailable Reason = "unavailable"
)

// Error returns the reason's word.
func (r Reason) Error() string { return string(r) }

// Refusal is the error of every token that is not accepted.
type Refusal struct {
	// Check is the step that failed.
	Check Check
	// Reason is why, for programs.
	Reason Reason
	// Claim is the claim or header parameter that the refusal is about, "" if none.
	Claim string
	// Want says what would pass, in the operator's words. It never holds text from the token.
	Want string
	// Got is what was found. It is set only if Verified: before that the text is the sender's, not the issuer's.
	Got string
	// Verified says that the signature held.
	Verified bool
	// Err is the cause, if there is one that is no rule of a token: a failed fetch, an ended context.
	Err error
}

// Error returns a line for an operator's log: the reason, the check, and what would pass. It holds text from the
// token only if the signature held.
func (r *Refusal) Error() string {
	var b strings.Builder
	b.WriteString("jws: ")
	b.WriteString(string(r.Reason))
	b.WriteString(" (")
	b.WriteString(string(r.Check))
	b.WriteString(" check)")
	if r.Claim != "" {
		b.WriteString(": ")
		b.WriteString(r.Claim)
	}
	if r.Want != "" {
		b.WriteString(": want ")
		b.WriteString(r.Want)
	}
	if r.Verified && r.Got != "" {
		b.WriteString(", got ")
		b.WriteString(strconv.Quote(r.Got))
	}
	if r.Err != nil {
		b.WriteString(": ")
		b.WriteString(r.Err.Error())
	}
	return b.String()
}

// Is reports whether target is the refusal's Reason, for errors.Is.
func (r *Refusal) Is(target error) bool {
	reason, ok := target.(Reason)
	return ok && reason == r.Reason
}

// Unwrap returns Err.
func (r *Refusal) Unwrap() error { return r.Err }

// ReasonOf returns the reason of the *Refusal in err's chain, "" if there is none.
func ReasonOf(err error) Reason {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Reason
	}
	return ""
}

// malformed returns a refusal of the format check about a header parameter or claim ("" for the token as a whole).
func malformed(claim, want string) *Refusal {
	return &Refusal{Check: CheckFormat, Reason: Malformed, Claim: claim, Want: want}
}
