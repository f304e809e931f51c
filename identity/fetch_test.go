package identity_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

// web stands for the whole internet: a transport that answers by URL and notes what was asked.
type web struct {
	mu     sync.Mutex
	bodies map[string]string
	asked  []string
	header http.Header // of the last request
}

func (w *web) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, r.URL.String())
	w.header = r.Header
	body, found := w.bodies[r.URL.String()]
	status := http.StatusOK
	if !found {
		status = http.StatusForbidden
	}
	return &http.Response{
		StatusCode: status, Request: r, ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

func (w *web) requests() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.asked)
}

// online is a Common that fetches from w.
func (w *web) online() identity.Common {
	return identity.Common{Realm: "players", Now: now, Client: &http.Client{Transport: w}}
}

// jwkSet is a JWK Set of fixed keys, each under its own name or under the kid that is given.
func jwkSet(tb testing.TB, kid string, names ...string) string {
	tb.Helper()
	var keys []*jws.Key
	for _, name := range names {
		k, err := jws.NewKey(cmpOr(kid, name), testvectors.PrivateKey(tb, name).Public())
		if err != nil {
			tb.Fatal(err)
		}
		keys = append(keys, k)
	}
	set, err := jws.MarshalJWKSet(keys...)
	if err != nil {
		tb.Fatal(err)
	}
	return string(set)
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// certificates is Google's form of keys: an object from kid to a PEM certificate.
func certificates(t *testing.T, name string) string {
	t.Helper()
	private := testvectors.PrivateKey(t, name)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now(), NotAfter: now().AddDate(0, 0, 14)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{name: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// token is the vector's token: the tests below need the same tokens as the vectors.
func token(tb testing.TB, family, name string) string {
	tb.Helper()
	for _, v := range testvectors.Load(tb, "testdata/vectors/"+family) {
		if v.Name == name {
			return v.Body
		}
	}
	tb.Fatalf("no vector %s/%s", family, name)
	return ""
}

// resign is a token with the base claims of a family, under another header or key.
func resign(tb testing.TB, family, key, header, claims string) string {
	tb.Helper()
	f := vectorFamilies()[family]
	return mint(tb, key, merge(tb, f.header, header), merge(tb, f.claims, claims))
}

// TestKeysAreFetchedWhereTheyAre shows for every family the one address that a token makes it ask.
func TestKeysAreFetchedWhereTheyAre(t *testing.T) {
	const google = "https://www.googleapis.com/"
	w := &web{bodies: make(map[string]string)}
	c := w.online()
	firebase := identity.FirebaseConfig{Common: c, ProjectID: "game-1234", SessionCookies: true}
	x509 := firebase
	x509.X509 = true
	cognito := identity.CognitoConfig{Common: c, UserPoolID: pool, Regions: []string{"us-west-2"}, ClientIDs: []string{client}, Uses: []identity.Use{identity.AccessToken}}
	for _, row := range []struct {
		name          string
		issuer        func() (*identity.Issuer, error)
		family, token string
		url           string
		x509          bool
	}{
		{"cognito", func() (*identity.Issuer, error) { return identity.NewCognito(cognito) }, "cognito", "accepted-access", idpHost + pool + "/.well-known/jwks.json", false},
		{"cognito updated", func() (*identity.Issuer, error) { return identity.NewCognito(cognito) }, "cognito", "accepted-updated-issuer", "https://issuer-cognito-idp.eu-central-1.amazonaws.com/" + pool + "/.well-known/jwks.json", false},
		{"cognito replica", func() (*identity.Issuer, error) { return identity.NewCognito(cognito) }, "cognito", "accepted-replica-region", "https://cognito-idp.us-west-2.amazonaws.com/" + pool + "/.well-known/jwks.json", false},
		{"clerk", func() (*identity.Issuer, error) {
			return identity.NewClerk(identity.ClerkConfig{Common: c, Issuer: clerkIssuer, AnyAuthorizedParty: true})
		}, "clerk", "accepted-v2", clerkIssuer + "/.well-known/jwks.json", false},
		{"clerk by secret key", func() (*identity.Issuer, error) {
			return identity.NewClerk(identity.ClerkConfig{Common: c, Issuer: clerkIssuer, SecretKey: "sk_test_x", AnyAuthorizedParty: true})
		}, "clerk", "accepted-v2", "https://api.clerk.com/v1/jwks", false},
		{"firebase", func() (*identity.Issuer, error) { return identity.NewFirebase(firebase) }, "firebase", "accepted", google + "service_accounts/v1/jwk/securetoken@system.gserviceaccount.com", false},
		{"firebase x509", func() (*identity.Issuer, error) { return identity.NewFirebase(x509) }, "firebase", "accepted", google + "robot/v1/metadata/x509/securetoken@system.gserviceaccount.com", true},
		{"firebase cookie", func() (*identity.Issuer, error) { return identity.NewFirebase(firebase) }, "firebase", "accepted-session-cookie", google + "identitytoolkit/v3/relyingparty/publicKeys", true},
		{"auth0", func() (*identity.Issuer, error) {
			return identity.NewAuth0(identity.Auth0Config{Common: c, Domain: "game.eu.auth0.com", Audiences: []string{"https://api.game.example"}, AnyClient: true})
		}, "auth0", "accepted-access", "https://game.eu.auth0.com/.well-known/jwks.json", false},
		{"supabase", func() (*identity.Issuer, error) {
			return identity.NewSupabase(identity.SupabaseConfig{Common: c, Project: "abcdefghijklmnopqrst"})
		}, "supabase", "accepted-es256", "https://abcdefghijklmnopqrst.supabase.co/auth/v1/.well-known/jwks.json", false},
		{"google", func() (*identity.Issuer, error) {
			return identity.NewGoogle(identity.GoogleConfig{Common: c, ClientIDs: []string{"server.apps.googleusercontent.com"}})
		}, "google", "accepted-issuer-without-scheme", google + "oauth2/v3/certs", false},
		{"apple", func() (*identity.Issuer, error) {
			return identity.NewApple(identity.AppleConfig{Common: c, ClientIDs: []string{"example.game.ios"}})
		}, "apple", "accepted", "https://appleid.apple.com/auth/keys", false},
		{"discord", func() (*identity.Issuer, error) {
			return identity.NewDiscord(identity.DiscordConfig{Common: c, ClientIDs: []string{"157730590492196864"}})
		}, "discord", "accepted", "https://discord.com/api/oauth2/keys", false},
		{"epic account", func() (*identity.Issuer, error) {
			return identity.NewEpicAccount(identity.EpicAccountConfig{Common: c, ClientIDs: []string{"xyza7891game"}})
		}, "epic-account", "accepted-v1", "https://api.epicgames.dev/epic/oauth/v1/.well-known/jwks.json", false},
		{"epic connect", func() (*identity.Issuer, error) {
			return identity.NewEpicConnect(identity.EpicConnectConfig{Common: c, ClientIDs: []string{"xyza7891eos"}, ProductID: "product-1", DeploymentIDs: []string{"live-1"}})
		}, "epic-connect", "accepted-path", "https://api.epicgames.dev/auth/v1/oauth/jwks", false},
		{"unity", func() (*identity.Issuer, error) {
			return identity.NewUnity(identity.UnityConfig{Common: c, ProjectID: unityGame})
		}, "unity", "accepted", "https://player-auth.services.api.unity.com/.well-known/jwks.json", false},
		{"microsoft", func() (*identity.Issuer, error) {
			return identity.NewMicrosoft(identity.MicrosoftConfig{Common: c, ClientIDs: []string{"game"}, Tenants: []string{tenantB, tenantA}})
		}, "microsoft", "accepted", "https://login.microsoftonline.com/" + tenantA + "/discovery/v2.0/keys", false},
		{"microsoft any, personal", func() (*identity.Issuer, error) {
			return identity.NewMicrosoft(identity.MicrosoftConfig{Common: c, ClientIDs: []string{"game"}, AnyTenant: true})
		}, "microsoft", "accepted-personal", "https://login.microsoftonline.com/" + identity.MicrosoftConsumers + "/discovery/v2.0/keys", false},
		{"microsoft any", func() (*identity.Issuer, error) {
			return identity.NewMicrosoft(identity.MicrosoftConfig{Common: c, ClientIDs: []string{"game"}, AnyTenant: true})
		}, "microsoft", "accepted-any-tenant", "https://login.microsoftonline.com/common/discovery/v2.0/keys", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			w.asked, w.bodies = nil, map[string]string{row.url: jwkSet(t, "", "rsa-1", "p256-1")}
			if strings.Contains(row.url, "/common/") {
				w.bodies[row.url] = microsoftKeys(t, microsoftTemplate, "rsa-1")
			}
			if row.x509 {
				w.bodies[row.url] = certificates(t, "rsa-1")
			}
			i, err := row.issuer()
			if err != nil {
				t.Fatal(err)
			}
			defer i.Close()
			for range 2 {
				if _, err := i.Verify(t.Context(), token(t, row.family, row.token)); err != nil {
					t.Fatal(err)
				}
			}
			if got := w.requests(); !slices.Equal(got, []string{row.url}) {
				t.Errorf("asked %v, want %s once", got, row.url)
			}
		})
	}
}

// microsoftTemplate is the issuer of keys that sign for every tenant.
const microsoftTemplate = "https://login.microsoftonline.com/{tenantid}/v2.0"

// microsoftKeys is a JWK Set whose keys name an issuer, as Microsoft's do.
func microsoftKeys(t *testing.T, issuer string, names ...string) string {
	t.Helper()
	return strings.ReplaceAll(jwkSet(t, "", names...), `"use":"sig"`, `"use":"sig","issuer":"`+issuer+`"`)
}

// TestMicrosoftKeysSignForTheirIssuerAlone: the common set also has the key of personal accounts, or of one tenant. With
// such a key, stolen, tokens of every organisation were made in 2023, as Microsoft reported under the name Storm-0558.
func TestMicrosoftKeysSignForTheirIssuerAlone(t *testing.T) {
	const (
		host     = "https://login.microsoftonline.com/"
		common   = host + "common/discovery/v2.0/keys"
		personal = host + identity.MicrosoftConsumers + "/discovery/v2.0/keys"
	)
	consumers := host + identity.MicrosoftConsumers + "/v2.0"
	for name, keys := range map[string]string{
		"of personal accounts": microsoftKeys(t, consumers, "rsa-1"),
		"of another tenant":    microsoftKeys(t, host+tenantA+"/v2.0", "rsa-1"),
		"of nobody":            jwkSet(t, "", "rsa-1"),
	} {
		both := strings.TrimSuffix(keys, "]}") + "," + strings.TrimPrefix(microsoftKeys(t, microsoftTemplate, "rsa-2"), `{"keys":[`)
		w := &web{bodies: map[string]string{common: both, personal: microsoftKeys(t, consumers, "rsa-1")}}
		i, err := identity.NewMicrosoft(identity.MicrosoftConfig{Common: w.online(), ClientIDs: []string{"game"}, AnyTenant: true})
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		if _, err := i.Verify(t.Context(), token(t, "microsoft", "accepted-any-tenant")); !errors.Is(err, jws.UnknownKey) {
			t.Errorf("a tenant's token with a key %s: %v", name, err)
		}
		tenantB := resign(t, "microsoft", "rsa-2", "", `{"iss":"`+host+tenantB+`/v2.0","tid":"`+tenantB+`"}`)
		if _, err := i.Verify(t.Context(), tenantB); err != nil {
			t.Errorf("a tenant's token with the key for every tenant: %v", err)
		}
		// And the key for every tenant is not one of personal accounts, whose own key is.
		player := `{"iss":"` + consumers + `","tid":"` + identity.MicrosoftConsumers + `"}`
		if _, err := i.Verify(t.Context(), resign(t, "microsoft", "rsa-2", "", player)); !errors.Is(err, jws.UnknownKey) {
			t.Errorf("a personal account's token with the key for every tenant: %v", err)
		}
		verify(t, i, resign(t, "microsoft", "rsa-1", "", player))
	}
}

func TestDiscovery(t *testing.T) {
	w := &web{bodies: map[string]string{
		oidcIssuer + "/.well-known/openid-configuration": `{"issuer":"` + oidcIssuer + `","jwks_uri":"https://keys.example/jwks"}`,
		"https://keys.example/jwks":                      jwkSet(t, "", "rsa-1"),
	}}
	i, err := identity.NewOIDC(identity.OIDCConfig{Common: w.online(), Issuer: oidcIssuer, Audiences: []string{"game"}})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if _, err := i.Verify(t.Context(), token(t, "oidc", "accepted-id")); err != nil {
		t.Fatal(err)
	}
	if got := w.requests(); len(got) != 2 {
		t.Errorf("asked %v", got)
	}
	if s, fetched := i.State(); !fetched || !s.Ready || s.Keys != 1 {
		t.Errorf("state %+v, %v", s, fetched)
	}
}

// TestDiscoveryOfAnotherIssuer: a document that names another issuer gives no keys.
func TestDiscoveryOfAnotherIssuer(t *testing.T) {
	w := &web{bodies: map[string]string{
		oidcIssuer + "/.well-known/openid-configuration": `{"issuer":"https://foreign.example","jwks_uri":"https://keys.example/jwks"}`,
		"https://keys.example/jwks":                      jwkSet(t, "", "rsa-1"),
	}}
	i, err := identity.NewOIDC(identity.OIDCConfig{Common: w.online(), Issuer: oidcIssuer, Audiences: []string{"game"}})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if _, err := i.Verify(t.Context(), token(t, "oidc", "accepted-id")); !errors.Is(err, jws.Unavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
}

func TestJWKSURL(t *testing.T) {
	const address = "https://keys.example/jwks?tenant=game"
	w := &web{bodies: map[string]string{address: jwkSet(t, "", "p256-1")}}
	i, err := identity.NewOIDC(identity.OIDCConfig{Common: w.online(), Issuer: oidcIssuer, Audiences: []string{"game"}, JWKSURL: address})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if _, err := i.Verify(t.Context(), token(t, "oidc", "accepted-es256")); err != nil || len(w.requests()) != 1 {
		t.Errorf("got %v after %v", err, w.requests())
	}
}

// TestNoFetchForTheWrongToken: neither an unknown issuer nor any other unverified text reaches the network.
func TestNoFetchForTheWrongToken(t *testing.T) {
	w := &web{bodies: make(map[string]string)}
	i, err := identity.NewClerk(identity.ClerkConfig{Common: w.online(), Issuer: clerkIssuer, AnyAuthorizedParty: true})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	set, err := identity.NewIssuers(i)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range testvectors.Load(t, "testdata/vectors/cognito") {
		for _, verifier := range []identity.Verifier{i, set} {
			if _, err := verifier.Verify(t.Context(), v.Body); err == nil {
				t.Errorf("%s was accepted", v.Name)
			}
		}
		if _, err := set.VerifyLogout(t.Context(), v.Body); err == nil {
			t.Errorf("%s was accepted as a logout token", v.Name)
		}
	}
	for _, name := range []string{"refused-typ-absent", "refused-oauth-token", "refused-issuer-longer-host"} {
		if _, err := set.Verify(t.Context(), token(t, "clerk", name)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if got := w.requests(); len(got) != 0 {
		t.Errorf("asked %v", got)
	}
}

// TestNoFetchForABadSignature: once the keys are there, 100 bad signatures under a known kid ask for nothing.
func TestNoFetchForABadSignature(t *testing.T) {
	w := &web{bodies: map[string]string{clerkIssuer + "/.well-known/jwks.json": jwkSet(t, "", "rsa-1")}}
	i, err := identity.NewClerk(identity.ClerkConfig{Common: w.online(), Issuer: clerkIssuer, AnyAuthorizedParty: true})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if err := i.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		bad := resign(t, "clerk", "rsa-2", `{"kid":"rsa-1"}`, fmt.Sprintf(`{"jti":"%d"}`, n))
		if _, err := i.Verify(t.Context(), bad); !errors.Is(err, jws.BadSignature) {
			t.Fatalf("got %v", err)
		}
	}
	if got := w.requests(); len(got) != 1 {
		t.Errorf("asked %d times, want once", len(got))
	}
}

// TestClerkInstancesShareNoKeys: two instances use the same kid for different keys, and each is judged by its own. The
// public Go SDK once kept all keys in one map by kid, so that one instance's tokens passed for another's.
func TestClerkInstancesShareNoKeys(t *testing.T) {
	const other = "https://clerk.other.example"
	w := &web{bodies: map[string]string{
		clerkIssuer + "/.well-known/jwks.json": jwkSet(t, "ins_1", "rsa-1"),
		other + "/.well-known/jwks.json":       jwkSet(t, "ins_1", "rsa-2"),
	}}
	var issuers []*identity.Issuer
	for _, iss := range []string{clerkIssuer, other} {
		i, err := identity.NewClerk(identity.ClerkConfig{Common: w.online(), Issuer: iss, AnyAuthorizedParty: true})
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		issuers = append(issuers, i)
	}
	set, err := identity.NewIssuers(issuers...)
	if err != nil {
		t.Fatal(err)
	}
	for n, row := range []struct {
		key, iss string
		ok       bool
	}{{"rsa-1", clerkIssuer, true}, {"rsa-2", other, true}, {"rsa-2", clerkIssuer, false}, {"rsa-1", other, false}} {
		shown := resign(t, "clerk", row.key, `{"kid":"ins_1"}`, fmt.Sprintf(`{"iss":"%s","jti":"%d"}`, row.iss, n))
		for _, v := range []identity.Verifier{set, set} {
			if _, err := v.Verify(t.Context(), shown); (err == nil) != row.ok || !row.ok && !errors.Is(err, jws.BadSignature) {
				t.Errorf("%s for %s: %v", row.key, row.iss, err)
			}
		}
	}
}

func TestClerkByPEM(t *testing.T) {
	der, err := x509.MarshalPKIXPublicKey(testvectors.PrivateKey(t, "rsa-1").Public())
	if err != nil {
		t.Fatal(err)
	}
	w := &web{}
	i, err := identity.NewClerk(identity.ClerkConfig{
		Common: w.online(), Issuer: clerkIssuer, AnyAuthorizedParty: true,
		PublicKeyPEM: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.Verify(t.Context(), resign(t, "clerk", "rsa-1", `{"kid":"ins_any"}`, "")); err != nil {
		t.Errorf("the PEM has no kid and must serve every one: %v", err)
	}
	if _, err := i.Verify(t.Context(), resign(t, "clerk", "rsa-2", `{"kid":"ins_any"}`, "")); !errors.Is(err, jws.BadSignature) {
		t.Errorf("another key: %v", err)
	}
	if _, fetched := i.State(); fetched || len(w.requests()) != 0 || i.Refresh(t.Context()) != nil {
		t.Errorf("a PEM needs no fetch, but asked %v", w.requests())
	}
}

// TestClerkBySecretKey: the secret goes to the backend API as a bearer token, and nothing prints it.
func TestClerkBySecretKey(t *testing.T) {
	const secret = "sk_test_0123456789abcdef"
	var header string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header.Get("Authorization") + " " + r.URL.Path
		io.WriteString(w, jwkSet(t, "", "rsa-1"))
	}))
	defer server.Close()
	events := make(chan jwks.Event, 1)
	c := identity.Common{Realm: "players", Now: now, Observe: func(e jwks.Event) { events <- e }}
	i, err := identity.NewClerk(identity.ClerkConfig{Common: c, Issuer: clerkIssuer, SecretKey: secret, BackendURL: server.URL + "/v1/", AnyAuthorizedParty: true})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if err := i.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Verify(t.Context(), token(t, "clerk", "accepted-v2")); err != nil {
		t.Fatal(err)
	}
	if want := "Bearer " + secret + " /v1/jwks"; header != want {
		t.Errorf("sent %q, want %q", header, want)
	}
	state, _ := i.State()
	shown := fmt.Sprintf("%+v %#v %+v %+v", i, i, state, <-events)
	if strings.Contains(shown, secret) {
		t.Error("the secret key can be printed")
	}
}

// TestUnavailable: without keys nothing passes, and the refusal says whose fault it is.
func TestUnavailable(t *testing.T) {
	w := &web{}
	cognito := identity.CognitoConfig{Common: w.online(), UserPoolID: pool, ClientIDs: []string{client}, Uses: []identity.Use{identity.AccessToken}}
	i, err := identity.NewCognito(cognito)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if _, err := i.Verify(t.Context(), token(t, "cognito", "accepted-access")); !errors.Is(err, jws.Unavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
	if s, fetched := i.State(); !fetched || s.Ready || s.Failures == 0 {
		t.Errorf("state %+v", s)
	}
}

// TestRefreshLeavesOptionalKeysAlone: the UPDATED host answers 403 for pools that did not opt in, which is no failure.
func TestRefreshLeavesOptionalKeysAlone(t *testing.T) {
	home := idpHost + pool + "/.well-known/jwks.json"
	w := &web{bodies: map[string]string{home: jwkSet(t, "", "rsa-1")}}
	cognito := identity.CognitoConfig{Common: w.online(), UserPoolID: pool, Regions: []string{"us-west-2"}, ClientIDs: []string{client}, Uses: []identity.Use{identity.AccessToken}}
	i, err := identity.NewCognito(cognito)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if err := i.Refresh(t.Context()); err != nil || !slices.Equal(w.requests(), []string{home}) {
		t.Errorf("%v after %v", err, w.requests())
	}
	// A token of the other spelling cannot be judged; the one that works is not touched by that.
	if _, err := i.Verify(t.Context(), token(t, "cognito", "accepted-updated-issuer")); !errors.Is(err, jws.Unavailable) {
		t.Errorf("got %v", err)
	}
	if s, _ := i.State(); !s.Ready {
		t.Errorf("state %+v", s)
	}
	w.bodies = nil
	err = i.Refresh(t.Context())
	if err == nil || !strings.Contains(err.Error(), "cognito") || bytes.Contains([]byte(err.Error()), []byte("rsa-1")) {
		t.Errorf("got %v", err)
	}
}

// TestOwnKeysStayTheOperators: a set of keys that the operator made is neither refreshed nor closed by an issuer.
func TestOwnKeysStayTheOperators(t *testing.T) {
	const address = "https://keys.example/jwks"
	w := &web{bodies: map[string]string{address: jwkSet(t, "", "rsa-1")}}
	keys, err := jwks.New(jwks.Config{URL: address, Client: &http.Client{Transport: w}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	c := w.online()
	c.Keys = keys
	i, err := identity.NewClerk(identity.ClerkConfig{Common: c, Issuer: clerkIssuer, AnyAuthorizedParty: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, fetched := i.State(); fetched || i.Refresh(t.Context()) != nil || len(w.requests()) != 0 {
		t.Errorf("the issuer took the keys for its own and asked %v", w.requests())
	}
	i.Close()
	if _, err := i.Verify(t.Context(), token(t, "clerk", "accepted-v2")); err != nil {
		t.Errorf("after Close: %v", err)
	}
}
