package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

const (
	// webhookTolerance is how far svix-timestamp may be from now, in either direction (docs.svix.com, "Verifying
	// Webhooks Manually").
	webhookTolerance = 5 * time.Minute
	// webhookHeaderBytes bounds each of the three headers.
	webhookHeaderBytes = 4096
	// webhookSecretBytes is the least that a secret may have after decoding; Svix makes 24.
	webhookSecretBytes = 16
)

// ClerkWebhookConfig is the configuration of a webhook endpoint of a Clerk instance.
type ClerkWebhookConfig struct {
	// Realm is the realm of the instance's players, the same as in ClerkConfig. Required.
	Realm string
	// Issuer is the instance's iss, the same as in ClerkConfig. Required.
	Issuer string
	// Secrets are the endpoint's signing secrets ("whsec_…"): one, or two while one replaces the other. Required.
	Secrets []string
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// ClerkWebhook verifies Clerk's webhooks, which Svix signs and delivers, and reads sign-outs from them. It is safe for
// concurrent use.
type ClerkWebhook struct {
	realm, issuer string
	macs          []func() hash.Hash // one for each secret, so that printing this shows none
	now           func() time.Time
}

// NewClerkWebhook returns a receiver of webhooks.
func NewClerkWebhook(c ClerkWebhookConfig) (*ClerkWebhook, error) {
	const config = "ClerkWebhookConfig"
	if !validRealm(c.Realm) {
		return nil, &ConfigError{config, "Realm", "must be the realm of the Clerk issuer"}
	}
	err := firstOf(
		checkIssuer(config, "Issuer", c.Issuer),
		required(config, "Secrets", c.Secrets, "the endpoint's signing secrets, whsec_…"),
	)
	if err != nil {
		return nil, err
	}
	w := &ClerkWebhook{realm: c.Realm, issuer: c.Issuer, now: c.Now}
	if w.now == nil {
		w.now = time.Now
	}
	for _, s := range c.Secrets {
		encoded, ok := strings.CutPrefix(s, "whsec_")
		secret, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil || len(secret) < webhookSecretBytes {
			return nil, &ConfigError{config, "Secrets", `has an entry that is not "whsec_" and base64 of at least 16 bytes`}
		}
		w.macs = append(w.macs, func() hash.Hash { return hmac.New(sha256.New, secret) })
	}
	return w, nil
}

// Parse verifies a webhook by its headers svix-id, svix-timestamp and svix-signature and its unchanged body
// (docs.svix.com, "Verifying Webhooks Manually") and returns what it says: session.ended, session.removed and
// session.revoked end a session; user.deleted ends all of a player's; user.updated does if the player is now banned.
// Every other event gives nil without an error: answer it with success, or Clerk sends it again. A webhook that does not
// verify is a *jws.Refusal. The caller bounds the body.
//
// Webhooks come late, twice and in any order, and none is remembered. To end a session twice does no harm. A ban can
// come again after it was lifted here, and that Clerk lifted one is not reported: both are for the operator to undo.
func (w *ClerkWebhook) Parse(header http.Header, body []byte) (*SignOut, error) {
	var value [3]string
	for n, name := range []string{"svix-id", "svix-timestamp", "svix-signature"} {
		if value[n] = header.Get(name); value[n] == "" || len(value[n]) > webhookHeaderBytes {
			return nil, &jws.Refusal{Check: jws.CheckFormat, Reason: jws.Malformed, Claim: name, Want: "a Svix header"}
		}
	}
	id, timestamp, signatures := value[0], value[1], value[2]
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return nil, &jws.Refusal{Check: jws.CheckFormat, Reason: jws.Malformed, Claim: "svix-timestamp", Want: "Unix seconds"}
	}
	if !w.signed(id+"."+timestamp+".", body, signatures) {
		return nil, &jws.Refusal{Check: jws.CheckSignature, Reason: jws.BadSignature, Claim: "svix-signature", Want: "a signature by one of Secrets"}
	}
	if err := w.recent(seconds); err != nil {
		return nil, err
	}
	return w.event(id, at(seconds), body)
}

// signed compares every signature with that of every secret, in constant time.
func (w *ClerkWebhook) signed(prefix string, body []byte, signatures string) bool {
	good := false
	for _, newMAC := range w.macs {
		mac := newMAC()
		mac.Write([]byte(prefix))
		mac.Write(body)
		want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for signature := range strings.FieldsSeq(signatures) {
			got, isV1 := strings.CutPrefix(signature, "v1,")
			// The text is compared, not what it decodes to: base64 has many spellings of the same bytes.
			if isV1 && hmac.Equal([]byte(got), []byte(want)) {
				good = true
			}
		}
	}
	return good
}

func (w *ClerkWebhook) recent(seconds int64) error {
	now, tolerance := w.now().Unix(), int64(webhookTolerance/time.Second)
	r := &jws.Refusal{Check: jws.CheckTime, Claim: "svix-timestamp", Want: "at most 5 min from now", Verified: true}
	switch {
	case seconds < now-tolerance:
		r.Reason = jws.Expired
	case seconds > now+tolerance:
		r.Reason = jws.NotYetValid
	default:
		return nil
	}
	r.Got = at(seconds).Format(time.RFC3339)
	return r
}

// webhookEvent is what is read of a webhook (clerk.com/docs, "Webhooks overview"). The body is signed and not parsed as
// strictly as a token, because metadata that players can write is within it.
type webhookEvent struct {
	Type      string          `json:"type"`
	Timestamp int64           `json:"timestamp"` // Unix milliseconds
	Data      json.RawMessage `json:"data"`
}

// webhookData is what is read of a session or a user.
type webhookData struct {
	ID     string `json:"id"`
	UserID string `json:"user_id"` // of a session
	Banned bool   `json:"banned"`  // of a user
}

func (w *ClerkWebhook) event(id string, sent time.Time, body []byte) (*SignOut, error) {
	var e webhookEvent
	if json.Unmarshal(body, &e) != nil || e.Type == "" {
		return nil, malformedWebhook("type", "a JSON object with a type")
	}
	var read func(webhookData, *SignOut) bool
	switch e.Type {
	case "session.ended", "session.removed", "session.revoked":
		read = sessionEnded
	case "user.deleted":
		read = userDeleted
	case "user.updated":
		read = userBanned
	default:
		return nil, nil
	}
	var d webhookData
	if json.Unmarshal(e.Data, &d) != nil || d.ID == "" {
		return nil, malformedWebhook("data.id", "the id of a session or user")
	}
	out := &SignOut{Issuer: w.issuer, Player: Player{Realm: w.realm}, TokenID: id, At: sent}
	if e.Timestamp > 0 {
		out.At = time.UnixMilli(e.Timestamp).UTC()
	}
	if !read(d, out) {
		return nil, nil
	}
	return out, nil
}

// The three readers say whether the event is a sign-out.

func sessionEnded(d webhookData, out *SignOut) bool {
	out.Session, out.Player.Subject = d.ID, d.UserID
	return true
}

func userDeleted(d webhookData, out *SignOut) bool {
	out.Player.Subject, out.All, out.Deleted = d.ID, true, true
	return true
}

func userBanned(d webhookData, out *SignOut) bool {
	out.Player.Subject, out.All, out.Banned = d.ID, true, true
	return d.Banned
}

// malformedWebhook refuses a webhook that verified and cannot be read.
func malformedWebhook(claim, want string) error {
	return &jws.Refusal{Check: jws.CheckFormat, Reason: jws.Malformed, Claim: claim, Want: want, Verified: true}
}
