package connect_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

func TestRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claims := must(jws.ParseObject([]byte(`{"plan":"pro","flags":["a","b"],"level":7,"vip":true,"permissions":["kick"],"null":null}`)))(t)
	verifiers := map[string]connect.Config{
		"session":  {Sessions: fixed{&session.Session{Groups: []string{"mods"}, Scopes: []string{"play"}, Roles: []string{"org:admin"}, Claims: claims}}},
		"identity": {Identities: fixedIdentity{&identity.Identity{Groups: []string{"mods"}, Scopes: []string{"play"}, Roles: []string{"org:admin"}, Permissions: []string{"kick"}, Claims: claims}}},
	}
	tests := []struct {
		name  string
		rules []connect.Rule
		holds bool
	}{
		{"none", nil, true},
		{"group", []connect.Rule{connect.Group("mods")}, true},
		{"group in another case", []connect.Rule{connect.Group("Mods")}, false},
		{"scope", []connect.Rule{connect.Scope("play")}, true},
		{"scope is not a group", []connect.Rule{connect.Scope("mods")}, false},
		{"role", []connect.Rule{connect.Role("org:admin")}, true},
		{"permission", []connect.Rule{connect.Permission("kick")}, true},
		{"permission missing", []connect.Rule{connect.Permission("ban")}, false},
		{"claim string", []connect.Rule{connect.Claim("plan", "free", "pro")}, true},
		{"claim in a list", []connect.Rule{connect.Claim("flags", "b")}, true},
		{"claim number", []connect.Rule{connect.Claim("level", "7")}, true},
		{"claim boolean", []connect.Rule{connect.Claim("vip", "true")}, true},
		{"claim other", []connect.Rule{connect.Claim("plan", "free")}, false},
		{"claim present", []connect.Rule{connect.Claim("plan")}, true},
		{"claim absent", []connect.Rule{connect.Claim("nothing")}, false},
		{"claim null is no value", []connect.Rule{connect.Claim("null", "null")}, false},
		{"all must hold", []connect.Rule{connect.Group("mods"), connect.Scope("admin")}, false},
		{"any of", []connect.Rule{connect.AnyOf(connect.Scope("admin"), connect.Group("mods"))}, true},
		{"any of none", []connect.Rule{connect.AnyOf()}, false},
		{"nested", []connect.Rule{connect.AnyOf(connect.AnyOf(connect.Role("org:admin")), connect.Scope("x"))}, true},
		{"zero rule", []connect.Rule{{}}, false},
		{"empty names", []connect.Rule{connect.AnyOf(connect.Group(""), connect.Scope(""), connect.Claim(""))}, false},
	}
	for kind, config := range verifiers {
		guard := w.guard(config)
		for _, tt := range tests {
			t.Run(kind+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				got := serve(guard.Require(tt.rules...)(hello), request("GET", "/", "Authorization: Bearer x"))
				if want := map[bool]int{true: 200, false: 403}[tt.holds]; got.Code != want {
					t.Fatalf("status %d, want %d: %s", got.Code, want, got.Body)
				}
			})
		}
	}
}

func TestRulesInChallenges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.sessionToken()
	var told error
	guard := w.guard(connect.Config{Realm: "arena", OnRefusal: func(_ *http.Request, err error) { told = err }})
	tests := []struct {
		rule  connect.Rule
		scope string
		want  string
	}{
		{connect.Scope("moderate"), `, scope="moderate"`, "want moderate"},
		{connect.Scope(`a" b`), "", "want a"},
		{connect.Group("admin"), "", "want group admin"},
		{connect.Claim("plan", "pro", "team"), "", "want claim plan = pro or team"},
		{connect.AnyOf(connect.Group("admin"), connect.Claim("vip")), "", "want any of: group admin, claim vip"},
	}
	for _, tt := range tests {
		got := serve(guard.Require(tt.rule)(hello), request("GET", "/", "Authorization: Bearer "+token))
		const challenge = `Bearer realm="arena", error="insufficient_scope", error_description="The token is valid and does not carry what this resource requires."`
		if header := got.Header().Get("WWW-Authenticate"); header != challenge+tt.scope {
			t.Errorf("WWW-Authenticate %s\nwant %s", header, challenge+tt.scope)
		}
		if told == nil || !strings.Contains(told.Error(), tt.want) {
			t.Errorf("the operator reads %v, want %q", told, tt.want)
		}
		if strings.Contains(got.Body.String(), "admin") {
			t.Errorf("the client reads the rule: %s", got.Body)
		}
	}
}
