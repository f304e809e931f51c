package jwks_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

// marker is in every bad answer and must never be in an error.
const marker = "NEVER-IN-AN-ERROR"

// badAnswers are what an issuer's address may say that must not replace a good set.
var badAnswers = map[string]struct {
	handler http.HandlerFunc
	// says is a part of the error.
	says string
}{
	"HTTP 500 with JSON":  {reply(500, `{"keys":[],"m":"`+marker+`"}`), "HTTP 500"},
	"HTTP 404":            {reply(404, marker), "HTTP 404"},
	"HTTP 204":            {reply(204, ""), "HTTP 204"},
	"HTTP 203 with keys":  {reply(203, goodSet), "HTTP 203"},
	"HTML called JSON":    {typed("application/json", "<html>"+marker+"</html>"), "no JWK Set"},
	"truncated JSON":      {reply(200, `{"keys":[{"kty":"OKP","kid":"`+marker), "no JWK Set"},
	"nothing":             {reply(200, ""), "no JWK Set"},
	"null":                {reply(200, "null"), "no JWK Set"},
	"array":               {reply(200, `["`+marker+`"]`), "no JWK Set"},
	"two documents":       {reply(200, goodSet+`{"m":"`+marker+`"}`), "no JWK Set"},
	"no keys member":      {reply(200, `{"m":"`+marker+`"}`), "no JWK Set"},
	"empty set":           {reply(200, `{"keys":[]}`), "empty"},
	"only unusable keys":  {reply(200, `{"keys":[{"kty":"oct","kid":"`+marker+`","k":"AAAA"},{"kty":"new"}]}`), "all 2 were refused"},
	"more than MaxBytes":  {huge, "more than 1048576 bytes"},
	"other host":          {redirect("https://evil.example/keys"), `another origin, which is never followed: "https://evil.example"`},
	"other port":          {redirect("https://issuer.example:8443/keys"), "another origin"},
	"other scheme":        {redirect("http://issuer.example/keys"), "another origin"},
	"loopback":            {redirect("http://127.0.0.1/keys"), "another origin"},
	"redirects for ever":  {redirect("/keys"), "more than 3 times"},
	"redirect to nowhere": {redirect("://" + marker), "no valid HTTP answer"},
}

const goodSet = `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"evil","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func typed(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

// redirect leads elsewhere, where a good set waits for those who follow.
func redirect(location string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Host != "issuer.example" || r.URL.Scheme != "https" {
			_, _ = io.WriteString(w, goodSet)
			return
		}
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusFound)
	}
}

func huge(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"keys":[`+strings.Repeat(" ", 1<<20)+goodSet[len(`{"keys":[`):])
}

func TestBadAnswerNeverReplacesGoodSet(t *testing.T) {
	for name, bad := range badAnswers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				issuer := publishing(t, newSigner(t, "known").Key())
				set := newSet(t, issuer, jwks.Config{})
				expectKey(t, set, "known", "warming")
				issuer.serve(bad.handler)
				err := set.Refresh(context.Background())
				expectFailure(t, err, bad.says)
				expectKey(t, set, "known", "after a bad answer")
				expectRefusal(t, lookup(set, "evil"), jws.Unavailable, "a kid that a bad answer has")
				state := set.State()
				if !state.Ready || state.Keys != 1 || state.Failures != 2 || !strings.Contains(state.LastError, bad.says) {
					t.Errorf("state %+v", state)
				}
			})
		})
	}
}

func TestBadFirstAnswer(t *testing.T) {
	for name, bad := range badAnswers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				issuer := &issuer{handler: bad.handler}
				set := newSet(t, issuer, jwks.Config{})
				err := lookup(set, "evil")
				expectRefusal(t, err, jws.Unavailable, "the first lookup")
				expectFailure(t, err, bad.says)
				if state := set.State(); state.Ready || state.Keys != 0 || !state.FetchedAt.IsZero() {
					t.Errorf("state %+v", state)
				}
			})
		})
	}
}

func expectFailure(t *testing.T, err error, says string) {
	t.Helper()
	switch {
	case err == nil:
		t.Error("no error")
	case !strings.Contains(err.Error(), says):
		t.Errorf("error %q does not say %q", err, says)
	case strings.Contains(err.Error(), marker):
		t.Errorf("error %q holds what was answered", err)
	case !strings.Contains(err.Error(), keysURL):
		t.Errorf("error %q does not name the address", err)
	}
}

func TestContentTypeIsNotTrusted(t *testing.T) {
	for _, contentType := range []string{"", "application/jwk-set+json", "text/html", "image/png", "not a type"} {
		synctest.Test(t, func(t *testing.T) {
			set := newSet(t, &issuer{handler: typed(contentType, goodSet)}, jwks.Config{})
			expectKey(t, set, "evil", "a set that is called "+contentType)
		})
	}
}

func TestSlowIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publishing(t, newSigner(t, "known").Key())
		set := newSet(t, issuer, jwks.Config{Timeout: 2 * time.Second})
		expectKey(t, set, "known", "warming")
		issuer.delay = time.Hour
		start := time.Now()
		err := lookup(set, "other")
		expectRefusal(t, err, jws.Unavailable, "a slow issuer")
		expectFailure(t, err, "within 2s")
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("a slow issuer took %v, want the timeout of 2s", took)
		}
		start = time.Now()
		go func() { _ = set.Refresh(context.Background()) }()
		synctest.Wait()
		expectKey(t, set, "known", "while a slow fetch runs")
		if took := time.Since(start); took != 0 {
			t.Errorf("a known key waited %v for a slow fetch", took)
		}
	})
}

func TestRedirectsWithinTheOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler := func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/keys" {
				http.Redirect(w, r, "https://ISSUER.example:443/moved", http.StatusMovedPermanently)
				return
			}
			_, _ = io.WriteString(w, goodSet)
		}
		expectKey(t, newSet(t, &issuer{handler: handler}, jwks.Config{}), "evil", "a redirect within the origin")
	})
}

func TestHeaderGoesToItsHostAlone(t *testing.T) {
	secret := http.Header{"Authorization": {"Bearer sk_test"}}
	for _, c := range []struct {
		name, jwksURI string
		want          string
	}{
		{"same host", "https://issuer.example/keys", "Bearer sk_test"},
		{"other host", "https://keys.example/keys", ""},
		{"other port", "https://issuer.example:8443/keys", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			i := &issuer{handler: func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
					_, _ = fmt.Fprintf(w, `{"issuer":"https://issuer.example","jwks_uri":%q}`, c.jwksURI)
					return
				}
				_, _ = io.WriteString(w, goodSet)
			}}
			set := newSet(t, i, jwks.Config{Discovery: "https://issuer.example", Header: secret})
			expectKey(t, set, "evil", c.name)
			if got := i.requests[0].Header.Get("Authorization"); got != "Bearer sk_test" {
				t.Errorf("%s: the issuer got %q", c.name, got)
			}
			if got := i.requests[1].Header.Get("Authorization"); got != c.want {
				t.Errorf("%s: the host of the keys got %q, want %q", c.name, got, c.want)
			}
		})
	}
}

// manyKeys is a set of some 6,500 keys, half as long as the default bound lets through.
func manyKeys() string {
	var set strings.Builder
	set.WriteString(`{"keys":[`)
	for n := 0; set.Len() < 1<<19; n++ {
		if n > 0 {
			set.WriteByte(',')
		}
		seed := sha256.Sum256([]byte(strconv.Itoa(n)))
		public := ed25519.NewKeyFromSeed(seed[:])[32:]
		set.WriteString(`{"kty":"OKP","crv":"Ed25519","x":"` + base64.RawURLEncoding.EncodeToString(public) + `"}`)
	}
	return set.String() + `]}`
}

// TestManyKeysCostLittle: an issuer that publishes thousands of keys must not keep the processor, and those who wait for
// the set, busy for seconds at every refresh. Comparing each key with each takes 90 times as long as the first fetch.
func TestManyKeysCostLittle(t *testing.T) {
	set := newSet(t, &issuer{handler: reply(200, manyKeys())}, jwks.Config{})
	took := func() time.Duration {
		start := time.Now()
		if err := set.Refresh(context.Background()); err != nil {
			t.Fatal(err)
		}
		return time.Since(start)
	}
	first := took()
	if second := min(took(), took()); second > 40*first {
		t.Errorf("a refresh of %d keys took %v after a first fetch of %v", set.State().Keys, second, first)
	}
}
