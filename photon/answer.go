package photon

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/jws"
)

// ResultCode is what Photon does with a client. Photon knows a fourth, 0 for a sign-in that goes on, which is never
// sent: it leaves the client waiting without an error.
type ResultCode int

const (
	// OK lets the client in.
	OK ResultCode = 1
	// Failed keeps it out: the token or the secret is not good, or cannot be judged now.
	Failed ResultCode = 2
	// Invalid keeps it out: the request is wrong.
	Invalid ResultCode = 3
)

// Result is one answer, as an observer sees it. It holds no token and no secret.
type Result struct {
	// Code is the ResultCode that Photon got.
	Code ResultCode
	// Message is what the client gets to read, "" for OK.
	Message string
	// UserID is the verified player's UserId, "" unless Code is OK.
	UserID string
	// ExpiresAt is the token's expiry in UTC, zero unless Code is OK.
	ExpiresAt time.Time
	// Err is why a token was refused: a *jws.Refusal, a *PanicError or another error of the verifier. Nil if no token
	// was verified.
	Err error
	// Took is how long the request took.
	Took time.Duration
}

// The texts that clients get to read, in Photon's debug message. They are fixed, so they cannot leak anything.
const (
	badMethod         problem = "Custom authentication wants GET or POST."
	badQuery          problem = "The query is malformed."
	badContentType    problem = "The content type is not supported: send JSON, a form, or the token as text."
	badForm           problem = "The form is malformed."
	badDictionary     problem = "The body is no JSON object."
	bodyTooLong       problem = "The body is too long."
	bodyUnreadable    problem = "The body could not be read."
	parameterTwice    problem = "The token or the secret is there twice."
	parameterNoString problem = "The token and the secret must be strings."
	tokenMissing      problem = "The token is missing: set it as an authentication parameter or as post data."
	secretMissing     problem = "The secret is missing: set it for this AppId in Photon's dashboard."

	secretWrong  = "The secret is wrong: compare Photon's dashboard with the server's configuration."
	tokenRefused = "The token was refused: sign in again."
	noUserID     = "The token was refused: it has no usable user id."
	noExpiry     = "The token was refused: it has no expiry."
	verifierDown = "The token could not be verified because of an internal error."
)

// refusals are the texts for reasons that a client can do something about.
var refusals = map[jws.Reason]string{
	jws.Malformed:   "The token is malformed: send it as it was issued.",
	jws.Expired:     "The token has expired: get a new one.",
	jws.NotYetValid: "The token is not valid yet: try again shortly.",
	jws.Revoked:     "The session has ended: sign in again.",
	jws.Replayed:    "The session has ended: sign in again.",
	jws.Banned:      "The player is banned.",
	jws.Unavailable: "Tokens cannot be verified at the moment: try again shortly.",
}

// explain is what a client gets to read about a refused token.
func explain(err error) string {
	reason := jws.ReasonOf(err)
	if text, found := refusals[reason]; found {
		return text
	}
	if reason == "" {
		return verifierDown
	}
	return tokenRefused
}

const (
	maxUserIDBytes   = 255
	maxNicknameBytes = 64
)

// answer is the response body (Photon's CustomAuthenticationResult).
type answer struct {
	ResultCode ResultCode
	Message    string `json:",omitempty"`
	UserID     string `json:"UserId,omitempty"`
	Nickname   string `json:",omitempty"`
	// ExpireAt is in Unix seconds.
	ExpireAt int64 `json:",omitempty"`
}

// encode writes the answer as JSON, without a byte order mark. Photon takes at most 1000 bytes
// (LimitHttpResponseMaxSize); the bounds of the fields keep the answer below that, even if escaping doubles them.
func (a answer) encode() []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(a) != nil {
		return nil // a struct of strings and numbers always encodes
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
}

// nickname makes a name that other players may see from a username: no address, nothing unprintable, not too long.
func nickname(username string) string {
	if strings.Contains(username, "@") {
		return ""
	}
	clean := strings.TrimSpace(strings.Map(printable, username))
	for len(clean) > maxNicknameBytes {
		_, size := utf8.DecodeLastRuneInString(clean)
		clean = clean[:len(clean)-size]
	}
	return clean
}

func printable(r rune) rune {
	if r == utf8.RuneError || !unicode.IsPrint(r) {
		return -1
	}
	return r
}

// usableUserID says whether an id can be Photon's UserId as it is. One that would have to be changed could become
// another player's.
func usableUserID(id string) bool {
	return id != "" && len(id) <= maxUserIDBytes && utf8.ValidString(id) && strings.IndexFunc(id, unprintable) < 0
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }
