package identity_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
)

// webhookCase is one webhook vector before it is signed. Its file has the Svix headers beside the others.
type webhookCase struct {
	name, expect string
	body         string
	secret       string              // "" means "webhook-1"
	id, time     string              // "" mean "msg_1" and testvectors.Now
	sign         func(string) string // makes svix-signature of the base64 signature; nil puts "v1," before it
	fields, note string
}

func webhookCases() []webhookCase {
	const (
		session = `{"data":{"id":"sess_1","object":"session","status":"ended","user_id":"user_1"},"object":"event","timestamp":1793534390123,"type":"session.ended"}`
		user    = `{"data":{"id":"user_1","banned":true,"locked":false,"public_metadata":{"Banned":false,"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}},"object":"event","type":"user.updated"}`
		deleted = `{"data":{"deleted":true,"id":"user_1","object":"user"},"object":"event","type":"user.deleted"}`
	)
	ofType := func(t string) string { return strings.Replace(session, "session.ended", t, 1) }
	return []webhookCase{
		{name: "accepted-session-ended", expect: "accept", body: session, fields: "player: user_1\nsession: sess_1\nall: false\nbanned: false\ntoken-id: msg_1\nat: 1793534390"},
		{name: "accepted-session-removed", expect: "accept", body: ofType("session.removed"), fields: "session: sess_1"},
		{name: "accepted-session-revoked", expect: "accept", body: ofType("session.revoked"), fields: "session: sess_1"},
		{name: "accepted-user-deleted", expect: "accept", body: deleted, fields: "player: user_1\nsession: -\nall: true\ndeleted: true\nbanned: false\nat: 1793534400"},
		{name: "accepted-user-banned", expect: "accept", body: user, fields: "player: user_1\nall: true\nbanned: true\ndeleted: false", note: "a player's own metadata may be deep and have any names"},
		{name: "accepted-user-updated", expect: "accept", body: strings.Replace(user, `"banned":true`, `"banned":false`, 1), fields: "nothing: true"},
		{name: "accepted-session-created", expect: "accept", body: ofType("session.created"), fields: "nothing: true"},
		{name: "accepted-other-event", expect: "accept", body: `{"type":"email.created","data":null}`, fields: "nothing: true"},
		{name: "accepted-second-secret", expect: "accept", body: session, secret: "webhook-2", fields: "session: sess_1"},
		{name: "accepted-several-signatures", expect: "accept", body: session, sign: func(s string) string { return "v1,AAAA v1a,xyz v1," + s + " v1,=" }, fields: "session: sess_1"},
		{name: "accepted-oldest", expect: "accept", body: session, time: "1793534100", fields: "session: sess_1"},
		{name: "accepted-newest", expect: "accept", body: session, time: "1793534700", fields: "session: sess_1"},
		{name: "refused-too-old", expect: "refuse time expired svix-timestamp", body: session, time: "1793534099"},
		{name: "refused-too-new", expect: "refuse time not_yet_valid svix-timestamp", body: session, time: "1793534701"},
		{name: "refused-foreign-secret", expect: "refuse signature bad_signature svix-signature", body: session, secret: "webhook-3"},
		{name: "refused-version-of-signature", expect: "refuse signature bad_signature svix-signature", body: session, sign: func(s string) string { return "v2," + s }},
		{name: "refused-bare-signature", expect: "refuse signature bad_signature svix-signature", body: session, sign: func(s string) string { return s }},
		{name: "refused-half-a-signature", expect: "refuse signature bad_signature svix-signature", body: session, sign: func(s string) string { return "v1," + s[:20] }},
		{name: "refused-empty-signature", expect: "refuse signature bad_signature svix-signature", body: session, sign: func(string) string { return "v1," }},
		{name: "refused-signature-absent", expect: "refuse format malformed svix-signature", body: session, sign: func(string) string { return "" }},
		{name: "refused-timestamp-text", expect: "refuse format malformed svix-timestamp", body: session, time: "2026-11-01T12:00:00Z"},
		{name: "refused-timestamp-huge", expect: "refuse time not_yet_valid svix-timestamp", body: session, time: "9223372036854775807"},
		{name: "refused-timestamp-lowest", expect: "refuse time expired svix-timestamp", body: session, time: "-9223372036854775808"},
		{name: "refused-header-long", expect: "refuse format malformed svix-id", body: session, id: strings.Repeat("m", 4097)},
		{name: "refused-body-no-json", expect: "refuse format malformed type", body: "session.ended"},
		{name: "refused-body-type-absent", expect: "refuse format malformed type", body: `{"data":{"id":"sess_1"}}`},
		{name: "refused-body-id-absent", expect: "refuse format malformed data.id", body: `{"type":"session.ended","data":{"user_id":"user_1"}}`},
		{name: "refused-body-data-absent", expect: "refuse format malformed data.id", body: `{"type":"user.deleted"}`},
		{name: "refused-body-banned-text", expect: "refuse format malformed data.id", body: `{"type":"user.updated","data":{"id":"user_1","banned":"true"}}`},
	}
}

func (c webhookCase) file() string {
	secret, id, at := c.secret, c.id, c.time
	if secret == "" {
		secret = "webhook-1"
	}
	if id == "" {
		id = "msg_1"
	}
	if at == "" {
		at = "1793534400"
	}
	signature := base64.StdEncoding.EncodeToString(hmacSHA256(testvectors.Secret(secret), []byte(id+"."+at+"."+c.body)))
	if c.sign == nil {
		signature = "v1," + signature
	} else {
		signature = c.sign(signature)
	}
	text := header(c.expect, c.fields, c.note)
	return text + "svix-id: " + id + "\nsvix-timestamp: " + at + "\nsvix-signature: " + signature + "\n\n" + c.body + "\n"
}

func webhookReceiver(tb testing.TB) *identity.ClerkWebhook {
	tb.Helper()
	encoded := func(name string) string {
		return "whsec_" + base64.StdEncoding.EncodeToString(testvectors.Secret(name))
	}
	w, err := identity.NewClerkWebhook(identity.ClerkWebhookConfig{
		Realm: "players", Issuer: clerkIssuer, Secrets: []string{encoded("webhook-1"), encoded("webhook-2")}, Now: now,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

func judgeWebhook(t *testing.T, v testvectors.Vector) (map[string]string, error) {
	t.Helper()
	h := http.Header{}
	for _, name := range []string{"svix-id", "svix-timestamp", "svix-signature"} {
		h.Set(name, v.Get(name))
	}
	out, err := webhookReceiver(t).Parse(h, []byte(v.Body))
	if err != nil {
		return nil, err
	}
	if out == nil {
		return map[string]string{"nothing": "true"}, nil
	}
	if out.Issuer != clerkIssuer || out.Player.Realm != "players" {
		t.Errorf("got issuer %q and realm %q", out.Issuer, out.Player.Realm)
	}
	return signOutFields(out), nil
}
