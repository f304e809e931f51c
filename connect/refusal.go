package connect

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/sallyport-auth/sallyport/jws"
)

// Reasons that only the door has; those of the token itself are in package jws.
const (
	// MissingToken: the request has no token where one is required.
	MissingToken jws.Reason = "missing_token"
	// InvalidRequest: the request is malformed, or has two tokens (RFC 6750 section 3.1, invalid_request).
	InvalidRequest jws.Reason = "invalid_request"
	// InsufficientScope: the token is good, and a rule of the route does not hold.
	InsufficientScope jws.Reason = "insufficient_scope"
	// WrongOrigin: a cookie came with a request from a site that is not in the allow-list.
	WrongOrigin jws.Reason = "wrong_origin"
)

var (
	errNoToken              = door(MissingToken, "", "a token")
	errTwoTokens            = door(InvalidRequest, "", "one token: two different ones were sent")
	errDuplicateHeader      = door(InvalidRequest, "Authorization", "one Authorization header")
	errMalformedHeader      = door(InvalidRequest, "Authorization", "Bearer, a space and one token")
	errDuplicateParameter   = door(InvalidRequest, "", "the query parameter once")
	errLoneSubprotocol      = door(InvalidRequest, "Sec-WebSocket-Protocol", "a second subprotocol beside the token")
	errMalformedSubprotocol = door(InvalidRequest, "Sec-WebSocket-Protocol", "the token in unpadded base64url")
	errTwoCookies           = door(InvalidRequest, "Cookie", "one session cookie: two different ones were sent")
	errNobody               = door(jws.Unavailable, "", "a verifier that says who it is or why not")
	errWrongOrigin          = door(WrongOrigin, "Origin", "an origin of the allow-list")
)

// door makes a refusal that is about the request and not about a token. Its address is its identity.
func door(reason jws.Reason, claim, want string) error {
	check := jws.CheckPolicy
	if reason == InvalidRequest {
		check = jws.CheckFormat
	}
	return &jws.Refusal{Check: check, Reason: reason, Claim: claim, Want: want}
}

// retryAfter is the Retry-After of a 503, in seconds.
const retryAfter = "5"

var noStore = []string{"no-store"}

// StatusOf returns the HTTP status for an error of a verifier: 400, 401, 403 or 503 for a *jws.Refusal as the package
// comment lists them, 503 for any other error, 200 for nil.
func StatusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	switch jws.ReasonOf(err) {
	case "", jws.Unavailable:
		return http.StatusServiceUnavailable
	case InvalidRequest:
		return http.StatusBadRequest
	case InsufficientScope, WrongOrigin, jws.Banned:
		return http.StatusForbidden
	}
	return http.StatusUnauthorized
}

// WriteRefusal answers a refused request: the RFC 6750 challenge and the RFC 9457 body, under DefaultRealm.
func WriteRefusal(w http.ResponseWriter, r *http.Request, err error) {
	writeRefusal(w, r, DefaultRealm, err)
}

// WriteRefusal answers a refused request as the guard's middleware does, under its realm.
func (g *Guard) WriteRefusal(w http.ResponseWriter, r *http.Request, err error) {
	writeRefusal(w, r, g.config.Realm, err)
}

// Problem is the body of a refusal (RFC 9457). Every text in it is fixed.
type Problem struct {
	// Type is a URN that ends in the reason: urn:sallyport:refusal:expired.
	Type string `json:"type"`
	// Title is the status in words.
	Title string `json:"title"`
	// Status is the HTTP status.
	Status int `json:"status"`
	// Detail says in a sentence what was wrong and what would pass.
	Detail string `json:"detail"`
	// Check is the check that failed, empty where the refusal has none.
	Check jws.Check `json:"check,omitempty"`
	// Reason is the refusal's reason, for programs.
	Reason jws.Reason `json:"reason"`
}

// ProblemOf returns the body for an error of a verifier. Nil is no refusal and is answered as one that nobody foresaw.
func ProblemOf(err error) Problem {
	if err == nil {
		err = errNobody
	}
	status := StatusOf(err)
	p := Problem{Title: http.StatusText(status), Status: status, Reason: jws.Unavailable}
	var refusal *jws.Refusal
	if errors.As(err, &refusal) {
		p.Check, p.Reason = refusal.Check, refusal.Reason
	}
	p.Type = "urn:sallyport:refusal:" + string(p.Reason)
	p.Detail = detail(p.Reason)
	return p
}

func writeRefusal(w http.ResponseWriter, r *http.Request, realm string, err error) {
	problem := ProblemOf(err)
	header := w.Header()
	header["Cache-Control"] = noStore
	header.Set("Content-Type", "application/problem+json")
	if c := challenge(realm, problem, err); c != "" {
		header.Set("WWW-Authenticate", c)
	}
	if problem.Status == http.StatusServiceUnavailable {
		header.Set("Retry-After", retryAfter)
	}
	w.WriteHeader(problem.Status)
	if r.Method == http.MethodHead {
		return
	}
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(problem)
}

// challenge follows RFC 6750 section 3: no error code if no token was sent, and no challenge where another token
// would not help.
func challenge(realm string, p Problem, err error) string {
	base := `Bearer realm="` + realm + `"`
	code := ""
	switch {
	case p.Reason == MissingToken:
		return base
	case p.Status == http.StatusBadRequest:
		code = "invalid_request"
	case p.Status == http.StatusUnauthorized:
		code = "invalid_token"
	case p.Reason == InsufficientScope:
		code = "insufficient_scope"
	default:
		return ""
	}
	base += `, error="` + code + `", error_description="` + p.Detail + `"`
	if scope := missingScope(err); scope != "" {
		base += `, scope="` + scope + `"`
	}
	return base
}

func missingScope(err error) string {
	var refusal *jws.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != InsufficientScope || refusal.Claim != "scope" || !isQuotable(refusal.Want) {
		return ""
	}
	return refusal.Want
}

// isQuotable reports whether the text can stand in a quoted string as it is (RFC 6749 appendix A.4 and A.8).
func isQuotable(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// details are the only texts that a refused caller sees.
var details = map[jws.Reason]string{
	MissingToken:         "The request has no access token. Send one as Authorization: Bearer.",
	InvalidRequest:       "The request is malformed or carries more than one token. Send exactly one.",
	InsufficientScope:    "The token is valid and does not carry what this resource requires.",
	WrongOrigin:          "The session cookie may not be used from this origin.",
	jws.Malformed:        "The token is not a well-formed signed token.",
	jws.AlgorithmRefused: "The signature algorithm of the token is not accepted.",
	jws.UnknownKey:       "The key of the token is not one of its issuer.",
	jws.BadSignature:     "The signature of the token does not hold.",
	jws.Expired:          "The token has expired. Get a new one.",
	jws.NotYetValid:      "The token is not valid yet. Check the clock of its issuer.",
	jws.WrongIssuer:      "The issuer of the token is not accepted here.",
	jws.WrongAudience:    "The token was issued for another audience.",
	jws.WrongUse:         "This kind of token is not accepted here.",
	jws.WrongType:        "This type of token is not accepted here.",
	jws.WrongClient:      "The token was issued to a client that is not accepted here.",
	jws.MissingClaim:     "The token lacks a claim that is required here.",
	jws.WrongClaim:       "The token has a claim that is not accepted here.",
	jws.WrongUser:        "The token is not that of this user.",
	jws.Revoked:          "The token was revoked. Sign in again.",
	jws.Banned:           "The player is banned.",
	jws.Replayed:         "The token or ticket was used before.",
	jws.Unavailable:      "The token cannot be judged at the moment. Try again.",
}

func detail(reason jws.Reason) string {
	if text, ok := details[reason]; ok {
		return text
	}
	return "The token is not accepted."
}
