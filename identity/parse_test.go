package identity_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
)

func TestClerkPermissions(t *testing.T) {
	for _, row := range []struct{ fea, per, fpm, want string }{
		// The examples of Clerk's page and of its SDKs' tests.
		{"o:dashboard,o:teams", "manage,read", "3,2", "org:dashboard:manage org:dashboard:read org:teams:read"},
		{"o:repositories,o:projects,o:webhooks,o:impersonation", "read,manage", "1,2,3", "org:repositories:read org:projects:manage org:webhooks:read org:webhooks:manage"},
		{
			"o:repositories,o:projects,o:webhooks,o:impersonation", "read,create,update,delete,revoke", "7,21",
			"org:repositories:read org:repositories:create org:repositories:update org:projects:read org:projects:update org:projects:revoke",
		},
		{"", "read", "1", ""},
		{"o:a", "", "1", ""},
		{"o:a", "read", "", ""},
		{"o:a", "read", "0", ""},
		{" o:a , o:b ", " read , write ", " 3 , 1 ", "org:a:read org:a:write org:b:read"},
		{"o:a,o:b", "read", "1", "org:a:read"},
		{"o:a", "read", "1,1", "org:a:read"},
		{"u:a", "read", "1", ""},
		{"x:a,o:b", "read", "1,1", "org:b:read"},
		{"o:", "read", "1", ""},
		{"o", "read", "1", ""},
		{"o:a:b", "read", "1", "org:a:b:read"},
		{"o:a", "read,,write", "7", "org:a:read org:a:write"},
		{"o:a", "read", "2", ""},
		{"o:a", "read,write", "-1", ""},
		{"o:a", "read,write", "0x3", ""},
		{"o:a", "read,write", "1e1", ""},
		{"o:a", "read,write", "99999999999999999999", ""},
		{"u:x,o:a", "read,write", "2,1", ""},
		{"o:wide", strings.TrimSuffix(strings.Repeat("p,", 70), ",") + ",last", "1180591620717411303424", "org:wide:last"},
	} {
		got := strings.Join(identity.ClerkPermissions(row.fea, row.per, row.fpm), " ")
		if got != row.want {
			t.Errorf("%q %q %q: got %q, want %q", row.fea, row.per, row.fpm, got, row.want)
		}
	}
}

func FuzzClerkPermissions(f *testing.F) {
	f.Add("o:dashboard,u:x,uo:y", "manage,read", "3,2,1")
	f.Add("o:a,o:b", "p", "1,18446744073709551616")
	f.Add(",:,o:,::", ",,", ",-1,+1")
	f.Fuzz(func(t *testing.T, fea, per, fpm string) {
		got := identity.ClerkPermissions(fea, per, fpm)
		permissions := strings.Split(per, ",")
		for _, p := range got {
			rest, ok := strings.CutPrefix(p, "org:")
			last := slices.ContainsFunc(permissions, func(q string) bool {
				q = strings.TrimSpace(q)
				feature, found := strings.CutSuffix(rest, ":"+q)
				return q != "" && found && feature != "" && strings.Contains(fea, feature)
			})
			if !ok || !last {
				t.Errorf("%q is no permission of %q and %q", p, fea, per)
			}
		}
		if identity.ClerkPermissions(fea, per, strings.Repeat("0,", strings.Count(fpm, ","))+"0") != nil {
			t.Error("masks of zero give a permission")
		}
	})
}

// FuzzWebhook: no body and no header that was not signed with a secret is taken, and none makes the parser fail
// otherwise than with a refusal.
func FuzzWebhook(f *testing.F) {
	w := webhookReceiver(f)
	for _, v := range testvectors.Load(f, "testdata/vectors/webhook") {
		f.Add(v.Get("svix-id"), v.Get("svix-timestamp"), v.Get("svix-signature"), []byte(v.Body))
	}
	f.Fuzz(func(t *testing.T, id, at, signature string, body []byte) {
		h := http.Header{"Svix-Id": {id}, "Svix-Timestamp": {at}, "Svix-Signature": {signature}}
		out, err := w.Parse(h, body)
		if err != nil && jws.ReasonOf(err) == "" {
			t.Errorf("no refusal: %v", err)
		}
		signed := false
		for _, secret := range []string{"webhook-1", "webhook-2"} {
			mac := hmacSHA256(testvectors.Secret(secret), slices.Concat([]byte(id+"."+at+"."), body))
			signed = signed || strings.Contains(signature, base64.StdEncoding.EncodeToString(mac))
		}
		if err == nil && !signed {
			t.Error("an unsigned webhook was taken")
		}
		if out != nil && out.Session == "" && out.Player.Subject == "" {
			t.Errorf("%s gives a sign-out of nobody: %+v", body, out)
		}
	})
}

// FuzzWebhookBody is the same behind a good signature: whatever Clerk may send.
func FuzzWebhookBody(f *testing.F) {
	w := webhookReceiver(f)
	for _, v := range testvectors.Load(f, "testdata/vectors/webhook") {
		f.Add([]byte(v.Body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		at := strconv.FormatInt(now().Unix(), 10)
		mac := hmacSHA256(testvectors.Secret("webhook-1"), slices.Concat([]byte("msg_1."+at+"."), body))
		h := http.Header{"Svix-Id": {"msg_1"}, "Svix-Timestamp": {at}, "Svix-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac)}}
		out, err := w.Parse(h, body)
		switch {
		case err != nil && jws.ReasonOf(err) != jws.Malformed:
			t.Errorf("refused with %v", err)
		case out != nil && (out.All == (out.Session != "") || out.Session == "" && out.Player.Subject == ""):
			t.Errorf("%s gives %+v", body, out)
		case out != nil && out.Banned && !bytes.Contains(bytes.ToLower(body), []byte("banned")):
			t.Errorf("%s bans", body)
		}
	})
}
