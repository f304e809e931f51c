package jwks_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/jwks"
)

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		says   string
		config jwks.Config
	}{
		{"neither Config.URL nor Config.Discovery", jwks.Config{}},
		{"both set", jwks.Config{URL: keysURL, Discovery: "https://a.example"}},
		{"without Config.Discovery", jwks.Config{URL: keysURL, DiscoveredIssuer: "https://a.example"}},
		{"Config.URL is not https", jwks.Config{URL: "http://issuer.example/keys"}},
		{"is not https", jwks.Config{URL: "http://128.0.0.1/keys"}},
		{"is not https", jwks.Config{URL: "http://[::2]/keys"}},
		{"is not https", jwks.Config{URL: "http://localhost.evil.example/keys"}},
		{"is not https", jwks.Config{URL: "http://127.0.0.1.evil.example/keys"}},
		{"is not https", jwks.Config{URL: "ftp://127.0.0.1/keys"}},
		{"has no host", jwks.Config{URL: "issuer.example/keys"}},
		{"has no host", jwks.Config{URL: "https:issuer.example"}},
		{"has no host", jwks.Config{URL: "file:///keys"}},
		{"is no URL", jwks.Config{URL: "https://issuer.example/%zz"}},
		{"user information", jwks.Config{URL: "https://user:secret@issuer.example/keys"}},
		{"fragment", jwks.Config{URL: keysURL + "#a"}},
		{"Config.Discovery is not https", jwks.Config{Discovery: "http://issuer.example"}},
		{"has a query", jwks.Config{Discovery: "https://issuer.example?a=b"}},
		{"Config.Format 7", jwks.Config{URL: keysURL, Format: 7}},
		{"KeyIssuers is set for certificates", jwks.Config{URL: keysURL, Format: jwks.X509Map, KeyIssuers: []string{"https://a.example"}}},
		{"KeyIssuers has an empty entry", jwks.Config{URL: keysURL, KeyIssuers: []string{"https://a.example", ""}}},
		{"negative", jwks.Config{URL: keysURL, Timeout: -1}},
		{"negative", jwks.Config{URL: keysURL, MaxBytes: -1}},
		{"Config.TTL or MinTTL is 3.6µs: want at least 1s", jwks.Config{URL: keysURL, TTL: 3600}},
		{"want at least 1s", jwks.Config{URL: keysURL, MinTTL: 300}},
		{"MinTTL ≤ TTL", jwks.Config{URL: keysURL, MinTTL: 2 * time.Hour}},
		{"TTL ≤ MaxTTL", jwks.Config{URL: keysURL, MaxTTL: time.Minute}},
		{"MaxTTL ≤ StaleLimit", jwks.Config{URL: keysURL, TTL: 48 * time.Hour}},
		{"MaxTTL ≤ StaleLimit", jwks.Config{URL: keysURL, StaleLimit: time.Minute}},
	} {
		_, err := jwks.New(c.config)
		if err == nil || !strings.HasPrefix(err.Error(), "jwks: ") || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: error %v, want one that says %q", c.config, err, c.says)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error %q holds a secret", err)
		}
	}
}

func TestNewAccepts(t *testing.T) {
	for _, config := range []jwks.Config{
		{URL: keysURL},
		{URL: "http://127.0.0.1:9229/keys"},
		{URL: "http://127.255.0.1/keys"},
		{URL: "http://[::1]:80/keys"},
		{URL: "http://LOCALHOST/keys"},
		{Discovery: "https://issuer.example/tenant/"},
		{URL: keysURL, TTL: time.Second},
		{URL: keysURL, TTL: 12 * time.Hour},
		{URL: keysURL, StaleLimit: 2 * time.Hour},
	} {
		set, err := jwks.New(config)
		if err != nil {
			t.Errorf("%+v: %v", config, err)
			continue
		}
		if state := set.State(); state.Ready || !state.NextFetch.IsZero() {
			t.Errorf("%+v: a new set has the state %+v", config, state)
		}
		set.Close()
	}
}

// TestSetCanBePrinted: a secret of Config.Header or in the query gets into no log with the set.
func TestSetCanBePrinted(t *testing.T) {
	set, err := jwks.New(jwks.Config{
		URL: keysURL + "?key=sk_query", Header: http.Header{"Authorization": {"Bearer sk_header"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(verb, set); !strings.Contains(got, keysURL) || strings.Contains(got, "sk_") {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}
