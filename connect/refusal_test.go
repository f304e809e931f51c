package connect_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// fixed takes every token.
type fixed struct{ session *session.Session }

func (f fixed) Verify(context.Context, string) (*session.Session, error) { return f.session, nil }

func (f fixed) Redeem(context.Context, string, session.Binding) (*session.Session, string, error) {
	return f.session, "", nil
}

// fixedIdentity takes every token.
type fixedIdentity struct{ identity *identity.Identity }

func (f fixedIdentity) Verify(context.Context, string) (*identity.Identity, error) {
	return f.identity, nil
}

// The challenges are those of RFC 6750 section 3, the codes those of its section 3.1.
func TestWriteRefusal(t *testing.T) {
	t.Parallel()
	refusal := func(reason jws.Reason) error { return &jws.Refusal{Check: jws.CheckPolicy, Reason: reason} }
	tests := []struct {
		name   string
		err    error
		status int
		code   string
	}{
		{"no token", refusal(connect.MissingToken), 401, "none"},
		{"malformed request", refusal(connect.InvalidRequest), 400, "invalid_request"},
		{"expired", refusal(jws.Expired), 401, "invalid_token"},
		{"revoked", refusal(jws.Revoked), 401, "invalid_token"},
		{"unknown reason", refusal("something_new"), 401, "invalid_token"},
		{"wrapped", fmt.Errorf("edge: %w", refusal(jws.Replayed)), 401, "invalid_token"},
		{"rule", refusal(connect.InsufficientScope), 403, "insufficient_scope"},
		{"origin", refusal(connect.WrongOrigin), 403, ""},
		{"banned", refusal(jws.Banned), 403, ""},
		{"away", refusal(jws.Unavailable), 503, ""},
		{"unforeseen", errors.New("boom"), 503, ""},
		{"cancelled", context.Canceled, 503, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			connect.WriteRefusal(w, request("GET", "/"), tt.err)
			p := problemOf(t, w)
			if w.Code != tt.status || connect.StatusOf(tt.err) != tt.status || p.Status != tt.status {
				t.Errorf("status %d, StatusOf %d, body %d, want %d", w.Code, connect.StatusOf(tt.err), p.Status, tt.status)
			}
			if p.Detail == "" || p.Title != http.StatusText(tt.status) || p.Type != "urn:sallyport:refusal:"+string(p.Reason) {
				t.Errorf("problem %+v", p)
			}
			if w.Header().Get("Cache-Control") != "no-store" {
				t.Error("the refusal may be cached")
			}
			if (w.Header().Get("Retry-After") != "") != (tt.status == 503) {
				t.Errorf("Retry-After %q with %d", w.Header().Get("Retry-After"), tt.status)
			}
			if got, want := w.Header().Get("WWW-Authenticate"), challenge(tt.code, p.Detail); got != want {
				t.Errorf("WWW-Authenticate %s\nwant %s", got, want)
			}
		})
	}
}

func challenge(code, detail string) string {
	switch code {
	case "":
		return ""
	case "none":
		return `Bearer realm="sallyport"`
	}
	return fmt.Sprintf(`Bearer realm="sallyport", error=%q, error_description=%q`, code, detail)
}

func TestStatusOfNil(t *testing.T) {
	t.Parallel()
	if got := connect.StatusOf(nil); got != http.StatusOK {
		t.Fatalf("StatusOf(nil) = %d", got)
	}
}

// Whoever refuses without an error does not answer 200: a proxy that asks would let the request pass.
func TestRefusalOfNil(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	connect.WriteRefusal(w, request("GET", "/"), nil)
	if p := problemOf(t, w); w.Code != 503 || p.Status != 503 || p.Reason != jws.Unavailable {
		t.Fatalf("%d %+v", w.Code, p)
	}
}

func TestHeadHasNoBody(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	connect.WriteRefusal(w, request("HEAD", "/"), &jws.Refusal{Reason: jws.Expired})
	if w.Code != 401 || w.Body.Len() > 0 {
		t.Fatalf("%d with %d bytes", w.Code, w.Body.Len())
	}
}

func TestContexts(t *testing.T) {
	t.Parallel()
	type key struct{}
	outer := context.WithValue(t.Context(), key{}, "outer")
	s, id := &session.Session{ID: "s"}, &identity.Identity{Subject: "i"}
	inSession := connect.ContextWithSession(outer, s)
	if got, ok := connect.SessionFromContext(inSession); !ok || got != s || inSession.Value(key{}) != "outer" {
		t.Error("the session or the value around it is lost")
	}
	if _, ok := connect.IdentityFromContext(inSession); ok {
		t.Error("a session is no identity")
	}
	inner := connect.ContextWithIdentity(context.WithValue(inSession, key{}, "inner"), id)
	if got, ok := connect.IdentityFromContext(inner); !ok || got != id || inner.Value(key{}) != "inner" {
		t.Error("the identity or the value around it is lost")
	}
	if _, ok := connect.SessionFromContext(inner); ok {
		t.Error("the inner principal must hide the outer one")
	}
	if _, ok := connect.SessionFromContext(t.Context()); ok {
		t.Error("an empty context has no session")
	}
}

func TestPrincipal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	guard := w.guard(connect.Config{Sessions: w.verifier, Identities: w.identities, SessionIssuer: service})
	for _, token := range []string{w.sessionToken(), w.identityToken("")} {
		p := must(guard.Authenticate(request("GET", "/", "Authorization: Bearer "+token)))(t)
		if p.Player().Subject != alice || !p.Expiry().After(w.now()) {
			t.Errorf("principal of %v until %v", p.Player(), p.Expiry())
		}
	}
	if (connect.Principal{}).Player() != (identity.Player{}) || !(connect.Principal{}).Expiry().IsZero() {
		t.Error("the empty principal is somebody")
	}
}
