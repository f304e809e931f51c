package tokenapi_test

import (
	"context"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/tokenapi"
)

// away is a verifier whose ledger is away.
type away struct{}

func (away) Verify(context.Context, string) (*session.Session, error) {
	return nil, &jws.Refusal{Check: jws.CheckRevocation, Reason: jws.Unavailable, Want: "the store"}
}

func TestNewIsClosedByDefault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	caller := func(c tokenapi.Caller) func(*tokenapi.Config) {
		return func(config *tokenapi.Config) { config.Callers = append(config.Callers, c) }
	}
	may := []tokenapi.Permission{tokenapi.MayBan}
	guard := must(connect.New(connect.Config{Sessions: away{}}))(t)
	tests := []struct {
		name   string
		change func(*tokenapi.Config)
		want   string
	}{
		{"no issuer", func(c *tokenapi.Config) { c.Issuer = "" }, "Issuer is required"},
		{"issuer over http", func(c *tokenapi.Config) { c.Issuer = "http://auth.example" }, "Issuer must be https"},
		{"issuer with query", func(c *tokenapi.Config) { c.Issuer += "?x" }, "Issuer is required"},
		{"issuer with password", func(c *tokenapi.Config) { c.Issuer = "https://a:b@auth.example" }, "Issuer is required"},
		{"issuer with braces", func(c *tokenapi.Config) { c.Issuer += "/%7Btenant" }, "the path must have no braces"},
		{"issuer with a space", func(c *tokenapi.Config) { c.Issuer += "/a%20b" }, "spaces"},
		{"issuer with an empty segment", func(c *tokenapi.Config) { c.Issuer += "/a//b" }, "empty segments"},
		{"issuer with a dot segment", func(c *tokenapi.Config) { c.Issuer += "/a/../b" }, "dot segments"},
		{"no realms", func(c *tokenapi.Config) { c.Realms = nil }, "Realms is required"},
		{"no verifiers", func(c *tokenapi.Config) { c.Verifiers = nil }, "Verifiers is required"},
		{"no ledger", func(c *tokenapi.Config) { c.Ledger = nil }, "Ledger is required"},
		{"any origin", func(c *tokenapi.Config) { c.Origins = []string{"*"} }, `Origins: "*"`},
		{"origin with a slash", func(c *tokenapi.Config) { c.Origins = []string{page + "/"} }, "nothing more"},
		{"forward without guard", func(c *tokenapi.Config) { c.Forward = &tokenapi.ForwardAuth{Proxy: tokenapi.Nginx} }, "Forward.Guard is required"},
		{"forward without proxy", func(c *tokenapi.Config) { c.Forward = &tokenapi.ForwardAuth{Guard: guard} }, "Forward.Proxy is required"},
		{"forward for an unknown proxy", func(c *tokenapi.Config) { c.Forward = &tokenapi.ForwardAuth{Guard: guard, Proxy: "apache"} }, "Forward.Proxy is required"},
		{"caller without id", caller(tokenapi.Caller{Secrets: []string{gameSecret}, May: may}), "Callers[3]: set ID"},
		{"caller without secret", caller(tokenapi.Caller{ID: "x", May: may}), "set Secrets or SecretHashes"},
		{"caller without permission", caller(tokenapi.Caller{ID: "x", Secrets: []string{gameSecret}}), "set May"},
		{"caller with an unknown permission", caller(tokenapi.Caller{ID: "x", Secrets: []string{gameSecret}, May: []tokenapi.Permission{"all"}}), `"all" is no permission`},
		{"caller with a short secret", caller(tokenapi.Caller{ID: "x", Secrets: []string{"short"}, May: may}), "Secrets[0] is shorter"},
		{"caller with a bad hash", caller(tokenapi.Caller{ID: "x", SecretHashes: []string{"abc"}, May: may}), "SecretHashes[0] is not"},
		{"caller twice", caller(tokenapi.Caller{ID: "operator", Secrets: []string{gameSecret}, May: may}), `ID "operator" is there twice`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			config := w.newConfig()
			tt.change(&config)
			_, err := tokenapi.New(config)
			if err == nil || !strings.HasPrefix(err.Error(), "tokenapi: ") || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("New: %v, want %q", err, tt.want)
			}
			if strings.Contains(err.Error(), gameSecret) {
				t.Fatalf("the secret is in the error: %v", err)
			}
		})
	}
	config := w.newConfig()
	config.Issuer = "http://127.0.0.1:8080"
	if _, err := tokenapi.New(config); err != nil {
		t.Errorf("http on loopback: %v", err)
	}
}
