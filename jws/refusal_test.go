package jws_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
)

func TestRefusalText(t *testing.T) {
	t.Parallel()
	cause := errors.New("no route to host")
	for want, r := range map[string]*jws.Refusal{
		`jws: malformed (format check)`: {Check: jws.CheckFormat, Reason: jws.Malformed},
		`jws: expired (time check): exp: want later, got "earlier"`: {
			Check: jws.CheckTime, Reason: jws.Expired, Claim: "exp", Want: "later", Got: "earlier", Verified: true,
		},
		`jws: unknown_key (signature check): kid: want a key`: {
			Check: jws.CheckSignature, Reason: jws.UnknownKey, Claim: "kid", Want: "a key", Got: "not to be shown",
		},
		`jws: unavailable (signature check): no route to host`: {Check: jws.CheckSignature, Reason: jws.Unavailable, Err: cause},
	} {
		if got := r.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		wrapped := fmt.Errorf("door: %w", r)
		if !errors.Is(wrapped, r.Reason) || errors.Is(wrapped, jws.Banned) || jws.ReasonOf(wrapped) != r.Reason {
			t.Errorf("%s: the reason is not found", want)
		}
		if errors.Is(wrapped, cause) != (r.Err != nil) {
			t.Errorf("%s: the cause", want)
		}
	}
	if jws.ReasonOf(cause) != "" || jws.ReasonOf(nil) != "" {
		t.Error("an error that is no refusal has no reason")
	}
	if jws.Banned.Error() != "banned" {
		t.Errorf("got %s", jws.Banned.Error())
	}
}

// TestRequirements covers what the vectors' policy does not: empty lists, long values, and a rule of the caller's own.
func TestRequirements(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 100)
	token := &jws.Token{Claims: object(t, `{"iss":"a","aud":["a","b"],"azp":"`+long+`"}`)}
	for name, c := range map[string]struct {
		err  error
		want jws.Reason
	}{
		"issuer, one of two":   {token.RequireIssuer("b", "a"), ""},
		"issuer, empty list":   {token.RequireIssuer(), jws.WrongIssuer},
		"audience, one of two": {token.RequireAudience("x", "b"), ""},
		"audience, empty list": {token.RequireAudience(), jws.WrongAudience},
		"string":               {token.RequireString("azp", long), ""},
		"string, empty list":   {token.RequireString("azp"), jws.WrongClaim},
		"string, long value":   {token.RequireString("azp", "c"), jws.WrongClaim},
		"present":              {token.RequirePresent("azp"), ""},
		"present, absent":      {token.RequirePresent("nonce"), jws.MissingClaim},
		"the caller's own":     {token.Refuse(jws.CheckPolicy, jws.WrongClient, "azp", "my client", long), jws.WrongClient},
	} {
		if jws.ReasonOf(c.err) != c.want || (c.want == "") != (c.err == nil) {
			t.Errorf("%s: got %v", name, c.err)
			continue
		}
		var r *jws.Refusal
		if errors.As(c.err, &r) && (!r.Verified || r.Want == "" || len(r.Got) > 131 || strings.ContainsRune(r.Got, '\ufffd')) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestSecretsAreNotPrinted prints keys and signers with every verb.
func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"hs-1", "ed25519-1"} {
		s := signer(t, name)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			want := string(s.Key().Algorithm()) + ` "` + name + `")`
			if got := fmt.Sprintf(verb+verb, s, s.Key()); strings.Count(got, want) != 2 || len(got) > 80 {
				t.Errorf("%s prints %s", verb, got)
			}
		}
	}
	for _, name := range []string{"hs-1", "ed25519-1", "rsa-1"} {
		s := signer(t, name)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q", "%t"} {
			want := "jws.Signer(" + string(s.Key().Algorithm()) + ` "` + name + `")`
			if got := fmt.Sprintf(verb, *s) + fmt.Sprintf(verb, s); got != want+want {
				t.Errorf("%s prints %s", verb, got)
			}
		}
	}
	if got := fmt.Sprint(jws.Signer{}, (*jws.Signer)(nil)); strings.Contains(got, "PANIC") {
		t.Errorf("the zero signer prints %s", got)
	}
	_, err := jws.NewSecretKey("", testvectors.Secret("hs-1")[:31])
	if err == nil || strings.Contains(err.Error(), string(testvectors.Secret("hs-1")[:8])) {
		t.Errorf("got %v", err)
	}
}
