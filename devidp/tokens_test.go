package devidp_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/devidp"
	"github.com/sallyport-auth/sallyport/jws"
)

// verify checks a token against the key set that the pool publishes and returns it.
func (p *pool) verify(token string) (*jws.Token, error) {
	p.t.Helper()
	set := p.do(httptest.NewRequest(http.MethodGet, "/"+poolID+"/.well-known/jwks.json", http.NoBody))
	keys, skipped, err := jws.ParseJWKSet(set.Body.Bytes())
	if err != nil || len(skipped) > 0 {
		p.t.Fatalf("key set %s: %v %v", set.Body, skipped, err)
	}
	verifier, err := jws.NewVerifier(jws.Config{
		Keys: jws.StaticKeys(keys), Algorithms: []jws.Algorithm{jws.RS256}, Types: []string{""}, Now: p.now,
		Accept: func(t *jws.Token) error { return t.RequireIssuer(p.Issuer()) },
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return verifier.Verify(context.Background(), token)
}

func (p *pool) verified(token string) *jws.Token {
	p.t.Helper()
	t, err := p.verify(token)
	if err != nil {
		p.t.Fatalf("a token is refused: %v", err)
	}
	return t
}

func claims(t *testing.T, token *jws.Token) map[string]any {
	t.Helper()
	decoded := map[string]any{}
	if err := token.Claims.Decode(&decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

func TestTokensAreCognitos(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	r := p.signedIn("alice", password).AuthenticationResult
	id, access := p.verified(r.IDToken), p.verified(r.AccessToken)
	if id.Header().KeyID == access.Header().KeyID {
		t.Error("one key signed both tokens; Cognito uses two")
	}
	header, err := base64.RawURLEncoding.DecodeString(strings.Split(r.IDToken, ".")[0])
	if err != nil || !strings.HasPrefix(string(header), `{"`) || strings.Contains(string(header), "typ") || id.Header().Params.Len() != 2 {
		t.Errorf("header is %s, want kid and alg alone", header)
	}
	checkNames(t, "ID", claims(t, id), "sub", "email_verified", "iss", "cognito:username", "cognito:groups", "origin_jti", "aud", "event_id",
		"token_use", "auth_time", "exp", "iat", "jti", "email", "name", "custom:rank")
	checkNames(t, "access", claims(t, access), "sub", "iss", "client_id", "cognito:groups", "origin_jti", "event_id", "token_use", "scope",
		"auth_time", "exp", "iat", "jti", "username")
	for name, want := range map[string]any{
		"iss": endpoint + "/" + poolID, "aud": "game", "token_use": "id", "cognito:username": "alice", "email_verified": true,
		"custom:rank": "7", "auth_time": 1793534400.0, "exp": 1793538000.0,
	} {
		if got := claims(t, id)[name]; got != want {
			t.Errorf("ID token: %s is %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]any{
		"client_id": "game", "token_use": "access", "username": "alice", "scope": "aws.cognito.signin.user.admin",
	} {
		if got := claims(t, access)[name]; got != want {
			t.Errorf("access token: %s is %v, want %v", name, got, want)
		}
	}
	if groups, _ := access.Claims.Strings("cognito:groups"); !slices.Equal(groups, []string{"admin", "players"}) {
		t.Errorf("groups are %v", groups)
	}
}

func checkNames(t *testing.T, which string, got map[string]any, want ...string) {
	t.Helper()
	slices.Sort(want)
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
		t.Errorf("%s token has the claims\n%v, want\n%v", which, names, want)
	}
}

func TestRefreshKeepsTheSession(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	first := p.signedIn("alice", password).AuthenticationResult
	before := claims(t, p.verified(first.AccessToken))
	p.pass(30 * time.Minute)
	second := p.must("GetTokensFromRefreshToken", m{"ClientId": "game", "RefreshToken": first.RefreshToken}).AuthenticationResult
	after := claims(t, p.verified(second.AccessToken))
	for _, name := range []string{"sub", "origin_jti", "event_id", "auth_time"} {
		if before[name] != after[name] {
			t.Errorf("%s changed from %v to %v", name, before[name], after[name])
		}
	}
	for _, name := range []string{"jti", "iat", "exp"} {
		if before[name] == after[name] {
			t.Errorf("%s stayed %v", name, before[name])
		}
	}
	other := claims(t, p.verified(p.signedIn("alice", password).AuthenticationResult.IDToken))
	if other["origin_jti"] == before["origin_jti"] {
		t.Error("two sign-ins share an origin_jti")
	}
}

func TestRotateKeys(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	old := p.signedIn("alice", password).AuthenticationResult.AccessToken
	if err := p.RotateKeys(false); err != nil {
		t.Fatal(err)
	}
	fresh := p.signedIn("alice", password).AuthenticationResult.AccessToken
	if p.verified(old).Header().KeyID == p.verified(fresh).Header().KeyID {
		t.Error("the new key does not sign")
	}
	p.must("GetUser", m{"AccessToken": old})
	if kids := p.kids(); len(kids) != 4 {
		t.Errorf("the key set has %d keys after a rotation, want 4", len(kids))
	}
	p.pass(time.Hour + 2*time.Second)
	if kids := p.kids(); len(kids) != 2 {
		t.Errorf("the key set has %d keys after the old tokens have expired, want 2", len(kids))
	}
}

func (p *pool) kids() []string {
	p.t.Helper()
	data, err := p.JWKS()
	if err != nil {
		p.t.Fatal(err)
	}
	var set struct {
		Keys []struct{ Kid, Alg, Kty, Use, E, N string }
	}
	if err := json.Unmarshal(data, &set); err != nil {
		p.t.Fatal(err)
	}
	var kids []string
	for _, k := range set.Keys {
		if k.Alg != "RS256" || k.Kty != "RSA" || k.Use != "sig" || k.E != "AQAB" || len(k.N) < 342 {
			p.t.Errorf("key %+v is not like Cognito's", k)
		}
		kids = append(kids, k.Kid)
	}
	return kids
}

func TestRotateKeysOverHTTP(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	old := p.signedIn("alice", password).AuthenticationResult.AccessToken
	w := p.do(httptest.NewRequest(http.MethodPost, "/devidp/rotate-keys?drop=true", http.NoBody))
	var out struct{ Kids []string }
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || len(out.Kids) != 2 || !slices.Equal(out.Kids, p.kids()) {
		t.Fatalf("rotation answers %d %s (%v); the set has %v", w.Code, w.Body, err, p.kids())
	}
	if _, err := p.verify(old); !errors.Is(err, jws.UnknownKey) {
		t.Errorf("a token of a dropped key gives %v", err)
	}
	p.refused("GetUser", m{"AccessToken": old}, "NotAuthorized", "Could not verify signature for Access Token")
	for _, bad := range []*http.Request{
		httptest.NewRequest(http.MethodGet, "/devidp/rotate-keys", http.NoBody),
		httptest.NewRequest(http.MethodPost, "/devidp/rotate-keys?drop=perhaps", http.NoBody),
	} {
		if w := p.do(bad); w.Code < 400 {
			t.Errorf("%s %s answers %d", bad.Method, bad.URL, w.Code)
		}
	}
	if got := p.kids(); !slices.Equal(got, out.Kids) {
		t.Error("a refused request rotated the keys")
	}
}

func TestManyRotationsAreBounded(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	for range 6 {
		if err := p.RotateKeys(false); err != nil {
			t.Fatal(err)
		}
	}
	if kids := p.kids(); len(kids) != 10 {
		t.Errorf("the key set has %d keys, want 10: the current pair and four old ones", len(kids))
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	w := p.do(httptest.NewRequest(http.MethodGet, "/"+poolID+"/.well-known/openid-configuration", http.NoBody))
	var document map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"issuer": endpoint + "/" + poolID, "jwks_uri": endpoint + "/" + poolID + "/.well-known/jwks.json",
	} {
		if document[name] != want {
			t.Errorf("%s is %v, want %s", name, document[name], want)
		}
	}
	if w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("headers are %v", w.Header())
	}
}

func TestKeysMustDiffer(t *testing.T) {
	t.Parallel()
	cfg := devidp.Config{Endpoint: endpoint, UserPoolID: poolID, Clients: []devidp.Client{{ID: "game"}}}
	p := newPool(t, func(c *devidp.Config) { cfg.IDKey, cfg.AccessKey = c.IDKey, c.IDKey })
	if _, err := devidp.New(cfg); err == nil {
		t.Error("one key for both tokens is taken")
	}
	if kids := p.kids(); len(kids) != 2 || kids[0] == kids[1] {
		t.Errorf("kids are %v", kids)
	}
}
