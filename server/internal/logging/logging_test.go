package logging_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/server/internal/logging"
)

func logged(secrets *logging.Secrets, log func(*slog.Logger)) string {
	var out bytes.Buffer
	log(logging.New(&out, slog.LevelInfo, secrets))
	return out.String()
}

func TestCredentialsAreTakenOut(t *testing.T) {
	const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
	var secrets logging.Secrets
	secrets.Set("first secret", "short")
	secrets.Set("second/secret", "second/secret and more")
	for name, text := range map[string]string{
		"a token":                  token,
		"a token in a sentence":    "refused " + token + "!",
		"a token of other JSON":    "IHsiYWxnIjoiSFMyNTYifQ.IHsic3ViIjoieCJ9c2ln.c2lnbmF0dXJlc2lnbmF0dXJl",
		"a token without an end":   "eyJhbGciOiJIUzI1NiJ9",
		"a refresh token":          "x=spr_c2VjcmV0LXJlZnJlc2g",
		"a ticket":                 "/play?ticket=spt_c2VjcmV0LXRpY2tldA&x=1",
		"a header":                 "Authorization: Bearer c2lnbmF0dXJl",
		"a header, lower case":     "basic c2lnbmF0dXJlOnNlY3JldA==",
		"a secret":                 "with first secret inside",
		"a secret that came later": "second/secret",
		"the longer secret":        "second/secret and more",
	} {
		for form, log := range map[string]func(*slog.Logger){
			"message": func(l *slog.Logger) { l.Info(text) },
			"value":   func(l *slog.Logger) { l.Info("m", "v", text) },
			"error":   func(l *slog.Logger) { l.Info("m", "err", fmt.Errorf("wrapped: %w", errors.New(text))) },
			"group":   func(l *slog.Logger) { l.Info("m", slog.Group("g", slog.Group("h", "v", text))) },
			"list":    func(l *slog.Logger) { l.Info("m", "v", []string{"a", text}) },
			"struct":  func(l *slog.Logger) { l.Info("m", "v", struct{ S string }{text}) },
			"with":    func(l *slog.Logger) { l.With("v", text).Info("m") },
		} {
			out := logged(&secrets, log)
			for _, part := range []string{"c2ln", "c2Vj", "first secret", "second/secret", "and more", "eyJ", "IHsi"} {
				if strings.Contains(out, part) {
					t.Errorf("%s as a %s is in %s", name, form, out)
				}
			}
			if !strings.Contains(out, logging.Redacted) {
				t.Errorf("%s as a %s: nothing says that it was taken out: %s", name, form, out)
			}
		}
	}
}

func TestNamesOfCredentials(t *testing.T) {
	out := logged(nil, func(l *slog.Logger) {
		l.Info("m", "Password", "plain", slog.Group("g", "token", "opaque", "key", 17.5e30))
	})
	for _, part := range []string{"plain", "opaque", "e+31"} {
		if strings.Contains(out, part) {
			t.Errorf("%q is in %s", part, out)
		}
	}
}

func TestTheRestStays(t *testing.T) {
	var secrets logging.Secrets
	secrets.Set("short")
	out := logged(&secrets, func(l *slog.Logger) {
		l.Info("a short bearer of news", "player", "3f0c", "n", 5, "list", []string{"a", "b"}, "err", errors.New("jwks: timeout"), "host", "cognito-idp.eu-central-1.amazonaws.com")
		l.Debug("left out")
	})
	want := `"level":"INFO","msg":"a short bearer of news","player":"3f0c","n":5,"list":["a","b"],"err":"jwks: timeout","host":"cognito-idp.eu-central-1.amazonaws.com"}` + "\n"
	if !strings.HasSuffix(out, want) {
		t.Errorf("got %s want …%s", out, want)
	}
}
