package jwks

import (
	"testing"
)

func FuzzDiscovery(f *testing.F) {
	const issuer = "https://issuer.example"
	for _, seed := range []string{
		`{"issuer":"https://issuer.example","jwks_uri":"https://issuer.example/keys"}`,
		`{"issuer":"https://issuer.example","jwks_uri":"http://localhost/keys"}`,
		`{"issuer":"https://issuer.example","jwks_uri":"https://a@b/keys#f"}`,
		`{"issuer":"https://issuer.example/","jwks_uri":"//issuer.example/keys"}`,
		`{"issuer":["https://issuer.example"],"jwks_uri":null}`,
		`{"issuer":"https://issuer.example","jwks_uri":"https://\u0000/"}`,
		`{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		u, err := parseDiscovery(body, issuer, false)
		if err == nil && (u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "") {
			t.Errorf("keys may come from %q", u)
		}
		u, err = parseDiscovery(body, issuer, true)
		if err == nil && u.Scheme != "https" && !isLoopbackHTTP(u) {
			t.Errorf("keys may come from %q", u)
		}
	})
}

func FuzzKeys(f *testing.F) {
	for _, seed := range []string{
		`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		`{"keys":[]}`, `{"keys":[{}]}`, `{"a":"-----BEGIN CERTIFICATE-----"}`, `{}`, `[`,
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, certificates bool) {
		config := Config{}
		if certificates {
			config.Format = X509Map
		}
		got, err := config.parseKeys(body)
		if (err == nil) != (len(got.keys) > 0) {
			t.Errorf("%d keys and the error %v", len(got.keys), err)
		}
		if err == nil && newKeySet(got.keys, newKeySet(got.keys, nil)).missing(newKeySet(got.keys, nil)) != nil {
			t.Error("a set differs from itself")
		}
	})
}
