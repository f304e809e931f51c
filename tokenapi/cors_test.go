package tokenapi_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestCORS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	open := map[string]string{
		"/oauth2/token": "POST", "/oauth2/revoke": "POST", "/v1/ticket": "POST",
		"/.well-known/jwks.json": "GET", "/.well-known/oauth-authorization-server": "GET",
	}
	for path, method := range open {
		got := w.do(httptest.NewRequest("OPTIONS", path, nil), "Origin: "+page, "Access-Control-Request-Method: "+method)
		h := got.Header()
		if got.Code != 204 || h.Get("Access-Control-Allow-Origin") != page || !strings.Contains(h.Get("Access-Control-Allow-Methods"), method) ||
			!strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") || !slices.Contains(h.Values("Vary"), "Origin") {
			t.Errorf("preflight of %s: %d %v", path, got.Code, h)
		}
		foreign := w.do(httptest.NewRequest("OPTIONS", path, nil), "Origin: https://evil.example", "Access-Control-Request-Method: "+method)
		if foreign.Code != 403 || foreign.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("foreign preflight of %s: %d %v", path, foreign.Code, foreign.Header())
		}
		for origin, want := range map[string]string{page: page, "https://evil.example": "", "null": "", page + "/": ""} {
			got := w.do(httptest.NewRequest(method, path, nil), "Origin: "+origin)
			if h := got.Header(); h.Get("Access-Control-Allow-Origin") != want || h.Get("Access-Control-Allow-Credentials") != "" || !slices.Contains(h.Values("Vary"), "Origin") {
				t.Errorf("%s from %s: %v", path, origin, h)
			}
		}
	}
	for _, path := range []string{"/oauth2/introspect", "/v1/ticket/redeem", "/v1/events", "/v1/admin/ban", "/v1/backchannel-logout"} {
		got := w.do(httptest.NewRequest("OPTIONS", path, nil), "Origin: "+page, "Access-Control-Request-Method: POST")
		if got.Code != 405 || got.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("preflight of %s: %d %v", path, got.Code, got.Header())
		}
	}
}

func TestOptionsWithoutOrigin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.do(httptest.NewRequest("OPTIONS", "/oauth2/token", nil))
	if got.Code != 204 || got.Header().Get("Allow") != "POST, OPTIONS" {
		t.Errorf("%d Allow %q", got.Code, got.Header().Get("Allow"))
	}
}
