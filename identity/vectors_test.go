package identity_test

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
)

// vectorReasons are the reasons that some vector must show. Replayed, Revoked, Banned, WrongUser and Unavailable are
// not about a token's text.
var vectorReasons = []jws.Reason{
	jws.Malformed, jws.AlgorithmRefused, jws.UnknownKey, jws.BadSignature, jws.Expired, jws.NotYetValid, jws.WrongIssuer,
	jws.WrongAudience, jws.WrongUse, jws.WrongType, jws.WrongClient, jws.MissingClaim, jws.WrongClaim,
}

func TestVectors(t *testing.T) {
	seen := make(map[string]bool)
	all := policies(t)
	for _, family := range vectorFolders(t) {
		for _, v := range testvectors.Load(t, filepath.Join("testdata", "vectors", family)) {
			seen[v.Get("reason")] = true
			t.Run(family+"/"+v.Name, func(t *testing.T) { judge(t, all, family, v) })
		}
	}
	for _, reason := range vectorReasons {
		if !seen[string(reason)] {
			t.Errorf("no vector is refused with %s", reason)
		}
	}
}

func vectorFolders(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join("testdata", "vectors"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// judge verifies a vector and compares what comes back, an identity or a sign-out, with the vector's headers; "-" there
// means that nothing may come back.
func judge(t *testing.T, all map[string]*identity.Issuer, family string, v testvectors.Vector) {
	var got map[string]string
	var err error
	switch family {
	case "webhook":
		got, err = judgeWebhook(t, v)
	case "logout":
		var out *identity.SignOut
		// A new issuer for each, because the same jti is taken once.
		if out, err = policies(t)[v.Get("policy")].VerifyLogout(t.Context(), v.Body); err == nil {
			got = signOutFields(out)
		}
	default:
		var id *identity.Identity
		if id, err = all[v.Get("policy")].Verify(t.Context(), v.Body); err == nil {
			got = identityFields(id)
		}
	}
	if v.Get("expect") == "refuse" {
		judgeRefusal(t, v, err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range got {
		if want := v.Get(name); want != "" && want != cmp.Or(value, "-") {
			t.Errorf("%s is %q, want %q", name, value, want)
		}
	}
}

func judgeRefusal(t *testing.T, v testvectors.Vector, err error) {
	t.Helper()
	var r *jws.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("error %v, want a refusal", err)
	}
	got := fmt.Sprintf("%s %s %s", r.Check, r.Reason, r.Claim)
	if want := fmt.Sprintf("%s %s %s", v.Get("check"), v.Get("reason"), v.Get("claim")); got != want {
		t.Errorf("refused with %q, want %q (%v)", got, want, err)
	}
	if !r.Verified && r.Got != "" {
		t.Errorf("a token that did not verify is quoted: %q", r.Got)
	}
	if r.Want == "" && r.Claim != "" {
		t.Errorf("the refusal does not say what would pass: %v", err)
	}
}

func identityFields(id *identity.Identity) map[string]string {
	return map[string]string{
		"player": id.Player.Subject, "use": string(id.Use), "session": id.Session, "username": id.Username, "name": id.Name,
		"email": id.Email, "email-verified": strconv.FormatBool(id.EmailVerified), "client": id.ClientID, "token-id": id.TokenID,
		"groups": list(id.Groups), "scopes": list(id.Scopes), "roles": list(id.Roles), "permissions": list(id.Permissions),
		"auth-time": unix(id.AuthTime),
	}
}

func signOutFields(out *identity.SignOut) map[string]string {
	return map[string]string{
		"player": out.Player.Subject, "session": out.Session, "all": strconv.FormatBool(out.All), "token-id": out.TokenID,
		"banned": strconv.FormatBool(out.Banned), "deleted": strconv.FormatBool(out.Deleted), "at": unix(out.At),
	}
}

// list joins with spaces, or with commas where a member has a space in it.
func list(members []string) string {
	if strings.Contains(strings.Join(members, ""), " ") {
		return strings.Join(members, ",")
	}
	return strings.Join(members, " ")
}

func unix(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return strconv.FormatInt(at.Unix(), 10)
}

func hmacSHA256(secret, data []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(data)
	return mac.Sum(nil)
}
