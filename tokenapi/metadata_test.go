package tokenapi_test

import (
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/sallyport-auth/sallyport/jws"
)

type metadata struct {
	Issuer                   string   `json:"issuer"`
	TokenEndpoint            string   `json:"token_endpoint"`
	JWKSURI                  string   `json:"jwks_uri"`
	ResponseTypes            []string `json:"response_types_supported"`
	GrantTypes               []string `json:"grant_types_supported"`
	RevocationEndpoint       string   `json:"revocation_endpoint"`
	IntrospectionEndpoint    string   `json:"introspection_endpoint"`
	IntrospectionAuthMethods []string `json:"introspection_endpoint_auth_methods_supported"`
}

// By RFC 8414 sections 2 and 3.
func TestMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.do(newGet("/.well-known/oauth-authorization-server"))
	m := decode[metadata](t, got, 200)
	if m.Issuer != service || m.TokenEndpoint != service+"/oauth2/token" || m.JWKSURI != service+"/.well-known/jwks.json" ||
		m.RevocationEndpoint != service+"/oauth2/revoke" || m.IntrospectionEndpoint != service+"/oauth2/introspect" {
		t.Errorf("metadata %+v", m)
	}
	if m.ResponseTypes == nil || !slices.Contains(m.GrantTypes, grantExchange) || !slices.Contains(m.GrantTypes, "refresh_token") {
		t.Errorf("metadata %+v: response_types_supported is required", m)
	}
	if got.Header().Get("Cache-Control") != "public, max-age=3600" {
		t.Errorf("Cache-Control %q", got.Header().Get("Cache-Control"))
	}
}

func TestMetadataOfAnIssuerWithPath(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Issuer, w.config.Sessions, w.config.Keys = service+"/tenant/", nil, nil
	w.build()
	m := decode[metadata](t, w.do(newGet("/.well-known/oauth-authorization-server/tenant")), 200)
	if m.Issuer != service+"/tenant/" || m.RevocationEndpoint != service+"/tenant/oauth2/revoke" || m.TokenEndpoint != "" || m.JWKSURI != "" {
		t.Errorf("metadata %+v", m)
	}
	for _, path := range []string{"/oauth2/token", "/.well-known/jwks.json"} {
		if got := w.do(newGet(path)); got.Code != 404 {
			t.Errorf("%s is not configured and answers %d", path, got.Code)
		}
	}
}

func TestJWKS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.do(newGet("/.well-known/jwks.json"))
	if got.Code != 200 || got.Header().Get("Content-Type") != "application/jwk-set+json" || got.Header().Get("Cache-Control") != "public, max-age=3600" {
		t.Errorf("%d %v", got.Code, got.Header())
	}
	keys, skipped, err := jws.ParseJWKSet(got.Body.Bytes())
	if err != nil || len(skipped) > 0 || len(keys) != 1 || keys[0].ID() != "service-1" {
		t.Errorf("keys %v, skipped %v, %v", keys, skipped, err)
	}
	if head := w.do(httptest.NewRequest("HEAD", "/.well-known/jwks.json", nil)); head.Code != 200 {
		t.Errorf("HEAD: %d", head.Code)
	}
}
