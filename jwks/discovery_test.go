package jwks_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

// discoverable serves a provider's configuration and, everywhere else, a good set.
func discoverable(document string) *issuer {
	return &issuer{handler: func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
			_, _ = io.WriteString(w, document)
			return
		}
		_, _ = io.WriteString(w, goodSet)
	}}
}

func TestDiscovery(t *testing.T) {
	for _, c := range []struct{ issuer, discovered, wantAt string }{
		{"https://issuer.example", "", "https://issuer.example/.well-known/openid-configuration"},
		{"https://issuer.example/", "", "https://issuer.example/.well-known/openid-configuration"},
		{"https://issuer.example/a%2Fb", "", "https://issuer.example/a%2Fb/.well-known/openid-configuration"},
		{
			"https://login.example/common/v2.0", "https://login.example/{tenantid}/v2.0",
			"https://login.example/common/v2.0/.well-known/openid-configuration",
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			named := c.issuer
			if c.discovered != "" {
				named = c.discovered
			}
			issuer := discoverable(fmt.Sprintf(`{"issuer":%q,"jwks_uri":"https://keys.example/k?v=1"}`, named))
			set := newSet(t, issuer, jwks.Config{Discovery: c.issuer, DiscoveredIssuer: c.discovered})
			expectKey(t, set, "evil", "a discovered set")
			if got := issuer.requests[0].URL.String(); got != c.wantAt {
				t.Errorf("asked %s, want %s", got, c.wantAt)
			}
			if got := issuer.requests[1].URL.String(); got != "https://keys.example/k?v=1" {
				t.Errorf("fetched the keys from %s", got)
			}
			_ = lookup(set, "unknown")
			issuer.expectFetches(t, 3, "an unknown kid asks for the keys alone")
			if err := set.Refresh(context.Background()); err != nil {
				t.Error(err)
			}
			issuer.expectFetches(t, 2, "a refresh reads the configuration again")
		})
	}
}

func TestDiscoveryOnLoopback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := discoverable(`{"issuer":"http://localhost:9229","jwks_uri":"http://127.0.0.1:9229/keys"}`)
		set := newSet(t, issuer, jwks.Config{Discovery: "http://localhost:9229"})
		expectKey(t, set, "evil", "a set discovered on loopback")
	})
}

func TestDiscoveryRefuses(t *testing.T) {
	for name, c := range map[string]struct{ document, says string }{
		"other issuer":     {`{"issuer":"https://evil.example/` + marker + `","jwks_uri":"https://issuer.example/k"}`, "not of the issuer"},
		"trailing slash":   {`{"issuer":"https://issuer.example/","jwks_uri":"https://issuer.example/k"}`, "not of the issuer"},
		"no issuer":        {`{"jwks_uri":"https://issuer.example/k"}`, "not of the issuer"},
		"two issuers":      {`{"issuer":"https://issuer.example","issuer":"https://issuer.example","jwks_uri":"https://issuer.example/k"}`, "no provider configuration"},
		"no jwks_uri":      {`{"issuer":"https://issuer.example"}`, "no jwks_uri"},
		"jwks_uri array":   {`{"issuer":"https://issuer.example","jwks_uri":["https://issuer.example/k"]}`, "no jwks_uri"},
		"http jwks_uri":    {`{"issuer":"https://issuer.example","jwks_uri":"http://issuer.example/` + marker + `"}`, "not https"},
		"loopback":         {`{"issuer":"https://issuer.example","jwks_uri":"http://127.0.0.1/k"}`, "not https"},
		"user information": {`{"issuer":"https://issuer.example","jwks_uri":"https://a:b@issuer.example/k"}`, "user information"},
		"relative":         {`{"issuer":"https://issuer.example","jwks_uri":"/k"}`, "no host"},
		"no JSON":          {marker, "no provider configuration"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				issuer := discoverable(c.document)
				err := lookup(newSet(t, issuer, jwks.Config{Discovery: "https://issuer.example"}), "evil")
				expectRefusal(t, err, jws.Unavailable, name)
				if !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), marker) {
					t.Errorf("error %q, want one that says %q and nothing of the document", err, c.says)
				}
				issuer.expectFetches(t, 1, "a bad configuration: the keys are not asked for")
			})
		})
	}
}

// TestUnknownKidsDoNotPutDiscoveryOff: somebody who asks for bogus kids all the time makes every fetch come before the
// scheduled one. An issuer that moves its keys meanwhile must be followed all the same.
func TestUnknownKidsDoNotPutDiscoveryOff(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusNotFound} {
		t.Run(fmt.Sprintf("the old address answers %d", status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := discoverable(`{"issuer":"https://issuer.example","jwks_uri":"https://old.example/keys"}`)
				set := newSet(t, i, jwks.Config{Discovery: "https://issuer.example"})
				expectKey(t, set, "evil", "warming")
				moved := discoverable(`{"issuer":"https://issuer.example","jwks_uri":"https://new.example/keys"}`).handler
				i.serve(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Host == "old.example" {
						w.WriteHeader(status)
					}
					moved(w, r)
				})
				for n := range 1440 {
					for _, kid := range []string{"a", "b", "c"} {
						_ = lookup(set, fmt.Sprint(kid, n))
					}
					time.Sleep(5 * time.Second)
				}
				if last := i.requests[len(i.requests)-1].URL.Host; last != "new.example" {
					t.Errorf("two hours after the keys moved they are fetched from %s", last)
				}
			})
		})
	}
}
