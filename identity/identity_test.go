package identity_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/uuid"
	"github.com/sallyport-auth/sallyport/jws"
)

func TestPlayerID(t *testing.T) {
	const id = "919108f7-52d1-4320-9bac-f847db4148a8"
	for _, row := range []struct {
		name   string
		player identity.Player
		single bool
		want   string
	}{
		{"a UUID in the only realm", identity.Player{Realm: "a", Subject: id}, true, id},
		{"in capitals", identity.Player{Realm: "a", Subject: strings.ToUpper(id)}, true, id},
		{"a UUID among realms", identity.Player{Realm: "a", Subject: id}, false, uuid.V5("a", id)},
		{"no UUID", identity.Player{Realm: "a", Subject: "user_1"}, true, uuid.V5("a", "user_1")},
	} {
		if got := row.player.ID(row.single); got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
	}
	if (identity.Player{Realm: "a", Subject: "bc"}).ID(false) == (identity.Player{Realm: "ab", Subject: "c"}).ID(false) {
		t.Error("realm and subject run together")
	}
}

func TestIdentityHas(t *testing.T) {
	id := &identity.Identity{Groups: []string{"g"}, Scopes: []string{"s"}, Roles: []string{"r"}, Permissions: []string{"p"}}
	if !id.HasGroup("g") || !id.HasScope("s") || !id.HasRole("r") || !id.HasPermission("p") {
		t.Error("something is not found")
	}
	if id.HasGroup("s") || id.HasScope("r") || id.HasRole("p") || id.HasPermission("g") {
		t.Error("something is found that is not there")
	}
}

// TestIdentityCarriesTheToken: what no field has can be read from the claims and the header.
func TestIdentityCarriesTheToken(t *testing.T) {
	id := verify(t, policies(t)["clerk"], token(t, "clerk", "accepted-v2"))
	plan, _ := id.Claims.String("pla")
	cat, _ := id.Header.Params.String("cat")
	if plan != "u:free" || cat != identity.ClerkSessionTokens || id.Header.Algorithm != jws.RS256 {
		t.Errorf("got %q, %q, %q", plan, cat, id.Header.Algorithm)
	}
	if id.IssuedAt.Unix() != 1793534340 || id.Expiry.Unix() != 1793537940 || id.Expiry.Location().String() != "UTC" || !id.AuthTime.IsZero() {
		t.Errorf("got %v, %v, %v", id.IssuedAt, id.Expiry, id.AuthTime)
	}
	if id.Player.Realm != "players" || id.Issuer != clerkIssuer || id.Subject != "user_1" {
		t.Errorf("got %+v", id)
	}
}

// TestConfigErrors: every missing or contradictory decision names its field.
func TestConfigErrors(t *testing.T) {
	c := common(t)
	short := "whsec_" + "c2hvcnQ="
	for _, row := range []struct {
		want string // Config.Field
		err  error
	}{
		{"CognitoConfig.Realm", cognitoErr(c, func(x *identity.CognitoConfig) { x.Realm = "" })},
		{"CognitoConfig.Realm", cognitoErr(c, func(x *identity.CognitoConfig) { x.Realm = "a b" })},
		{"CognitoConfig.Realm", cognitoErr(c, func(x *identity.CognitoConfig) { x.Realm = strings.Repeat("r", 65) })},
		{"CognitoConfig.UserPoolID", cognitoErr(c, func(x *identity.CognitoConfig) { x.UserPoolID = "" })},
		{"CognitoConfig.UserPoolID", cognitoErr(c, func(x *identity.CognitoConfig) { x.UserPoolID = "eu-central-1_a/../b" })},
		{"CognitoConfig.UserPoolID", cognitoErr(c, func(x *identity.CognitoConfig) { x.UserPoolID = "local_pool" })},
		{"CognitoConfig.UserPoolID", cognitoErr(c, func(x *identity.CognitoConfig) { x.Endpoint, x.UserPoolID = "http://127.0.0.1:9229", "a/b" })},
		{"CognitoConfig.Region", cognitoErr(c, func(x *identity.CognitoConfig) { x.Region = "us-west-2" })},
		{"CognitoConfig.Regions", cognitoErr(c, func(x *identity.CognitoConfig) { x.Regions = []string{"us-west-2.evil.example/"} })},
		{"CognitoConfig.ClientIDs", cognitoErr(c, func(x *identity.CognitoConfig) { x.ClientIDs = nil })},
		{"CognitoConfig.ClientIDs", cognitoErr(c, func(x *identity.CognitoConfig) { x.ClientIDs = []string{"a", ""} })},
		{"CognitoConfig.Uses", cognitoErr(c, func(x *identity.CognitoConfig) { x.Uses = nil })},
		{"CognitoConfig.Uses", cognitoErr(c, func(x *identity.CognitoConfig) { x.Uses = []identity.Use{identity.SessionToken} })},
		{"CognitoConfig.AnyGroup", cognitoErr(c, func(x *identity.CognitoConfig) { x.AnyGroup = []string{" "} })},
		{"CognitoConfig.Scopes", cognitoErr(c, func(x *identity.CognitoConfig) { x.Scopes = []string{""} })},
		{"CognitoConfig.Endpoint", cognitoErr(c, func(x *identity.CognitoConfig) { x.Endpoint = "http://cognito.example" })},
		{"ClerkConfig.Issuer", clerkErr(c, func(x *identity.ClerkConfig) { x.Issuer = "" })},
		{"ClerkConfig.Issuer", clerkErr(c, func(x *identity.ClerkConfig) { x.Issuer += "/" })},
		{"ClerkConfig.Issuer", clerkErr(c, func(x *identity.ClerkConfig) { x.Issuer = "http://clerk.game.example" })},
		{"ClerkConfig.Issuer", clerkErr(c, func(x *identity.ClerkConfig) { x.Issuer = "https://a@clerk.game.example" })},
		{"ClerkConfig.Issuer", clerkErr(c, func(x *identity.ClerkConfig) { x.Issuer = "https://clerk.game.example?x" })},
		{"ClerkConfig.Issuer", clerkErr(c, func(x *identity.ClerkConfig) { x.Issuer = "clerk.game.example" })},
		{"ClerkConfig.AuthorizedParties", clerkErr(c, func(x *identity.ClerkConfig) { x.AuthorizedParties = nil })},
		{"ClerkConfig.AuthorizedParties", clerkErr(c, func(x *identity.ClerkConfig) { x.AuthorizedParties = []string{""} })},
		{"ClerkConfig.AnyAuthorizedParty", clerkErr(c, func(x *identity.ClerkConfig) { x.AnyAuthorizedParty = true })},
		{"ClerkConfig.Categories", clerkErr(c, func(x *identity.ClerkConfig) { x.Categories = []string{"cl_B7d4PD333AAA"} })},
		{"ClerkConfig.Keys", clerkErr(c, func(x *identity.ClerkConfig) { x.SecretKey = "sk_test" })},
		{"ClerkConfig.BackendURL", clerkErr(c, func(x *identity.ClerkConfig) { x.BackendURL = "https://api.example" })},
		{"ClerkConfig.BackendURL", clerkErr(c, func(x *identity.ClerkConfig) {
			x.Keys, x.SecretKey, x.BackendURL = nil, "sk_test", "http://api.example"
		})},
		{"ClerkConfig.PublicKeyPEM", clerkErr(c, func(x *identity.ClerkConfig) { x.Keys, x.PublicKeyPEM = nil, []byte("no PEM") })},
		{"ClerkConfig.SecretKey", clerkErr(c, func(x *identity.ClerkConfig) { x.PublicKeyPEM, x.SecretKey = []byte("x"), "sk_test" })},
		{"OIDCConfig.Issuer", oidcErr(c, func(x *identity.OIDCConfig) { x.Issuer = "" })},
		{"OIDCConfig.Audiences", oidcErr(c, func(x *identity.OIDCConfig) { x.Audiences = nil })},
		{"OIDCConfig.Algorithms", oidcErr(c, func(x *identity.OIDCConfig) { x.Algorithms = []jws.Algorithm{jws.RS256, jws.HS256} })},
		{"OIDCConfig.Algorithms", oidcErr(c, func(x *identity.OIDCConfig) { x.Algorithms = []jws.Algorithm{"none"} })},
		{"OIDCConfig.Use", oidcErr(c, func(x *identity.OIDCConfig) { x.Use = identity.SessionToken })},
		{"OIDCConfig.JWKSURL", oidcErr(c, func(x *identity.OIDCConfig) { x.JWKSURL = "http://keys.example" })},
		{"OIDCConfig.AuthorizedParties", oidcErr(c, func(x *identity.OIDCConfig) { x.AuthorizedParties = []string{""} })},
		{"OIDCConfig.Logout.ClientIDs", oidcErr(c, func(x *identity.OIDCConfig) { x.Logout.ClientIDs = []string{""} })},
		{"Auth0Config.Domain", auth0Err(c, func(x *identity.Auth0Config) { x.Domain = "https://game.eu.auth0.com/" })},
		{"Auth0Config.ClientIDs", auth0Err(c, func(x *identity.Auth0Config) { x.ClientIDs = nil })},
		{"Auth0Config.AnyClient", auth0Err(c, func(x *identity.Auth0Config) { x.AnyClient = true })},
		{"Auth0Config.Audiences", auth0Err(c, func(x *identity.Auth0Config) { x.Audiences = nil })},
		{"Auth0Config.Use", auth0Err(c, func(x *identity.Auth0Config) { x.Use = identity.SessionToken })},
		{"Auth0Config.Permissions", auth0Err(c, func(x *identity.Auth0Config) { x.Use, x.Permissions = identity.IDToken, []string{"p"} })},
		{"FirebaseConfig.ProjectID", issuerErr(identity.NewFirebase(identity.FirebaseConfig{Common: c}))},
		{"FirebaseConfig.AnyTenant", issuerErr(identity.NewFirebase(identity.FirebaseConfig{Common: c, ProjectID: "p", Tenants: []string{"t"}, AnyTenant: true}))},
		{"SupabaseConfig.Issuer", issuerErr(identity.NewSupabase(identity.SupabaseConfig{Common: c}))},
		{"SupabaseConfig.Project", issuerErr(identity.NewSupabase(identity.SupabaseConfig{Common: c, Project: "ref.evil.example/"}))},
		{"SupabaseConfig.Project", issuerErr(identity.NewSupabase(identity.SupabaseConfig{Common: c, Project: "ref", Issuer: "https://x.example"}))},
		{"SupabaseConfig.Roles", issuerErr(identity.NewSupabase(identity.SupabaseConfig{Common: c, Project: "ref", Roles: []string{"authenticated", "service_role"}}))},
		{"SupabaseConfig.Audiences", issuerErr(identity.NewSupabase(identity.SupabaseConfig{Common: c, Project: "ref", Audiences: []string{""}}))},
		{"GoogleConfig.ClientIDs", issuerErr(identity.NewGoogle(identity.GoogleConfig{Common: c}))},
		{"AppleConfig.ClientIDs", issuerErr(identity.NewApple(identity.AppleConfig{Common: c}))},
		{"DiscordConfig.ClientIDs", issuerErr(identity.NewDiscord(identity.DiscordConfig{Common: c}))},
		{"EpicAccountConfig.ClientIDs", issuerErr(identity.NewEpicAccount(identity.EpicAccountConfig{Common: c}))},
		{"EpicConnectConfig.ClientIDs", issuerErr(identity.NewEpicConnect(identity.EpicConnectConfig{Common: c}))},
		{"EpicConnectConfig.DeploymentIDs", issuerErr(identity.NewEpicConnect(identity.EpicConnectConfig{Common: c, ClientIDs: []string{"a"}, ProductID: "p"}))},
		{"EpicConnectConfig.ProductID", issuerErr(identity.NewEpicConnect(identity.EpicConnectConfig{Common: c, ClientIDs: []string{"a"}, DeploymentIDs: []string{"d"}}))},
		{"UnityConfig.ProjectID", issuerErr(identity.NewUnity(identity.UnityConfig{Common: c, EnvironmentNames: []string{"production"}}))},
		{"UnityConfig.ProjectID", issuerErr(identity.NewUnity(identity.UnityConfig{Common: c, ProjectID: "upid:x"}))},
		{"UnityConfig.EnvironmentIDs", issuerErr(identity.NewUnity(identity.UnityConfig{Common: c, ProjectID: "x", EnvironmentIDs: []string{""}}))},
		{"MicrosoftConfig.ClientIDs", issuerErr(identity.NewMicrosoft(identity.MicrosoftConfig{Common: c, AnyTenant: true}))},
		{"MicrosoftConfig.Tenants", issuerErr(identity.NewMicrosoft(identity.MicrosoftConfig{Common: c, ClientIDs: []string{"a"}}))},
		{"MicrosoftConfig.Tenants", issuerErr(identity.NewMicrosoft(identity.MicrosoftConfig{Common: c, ClientIDs: []string{"a"}, Tenants: []string{"common"}}))},
		{"MicrosoftConfig.AnyTenant", issuerErr(identity.NewMicrosoft(identity.MicrosoftConfig{Common: c, ClientIDs: []string{"a"}, Tenants: []string{tenantA}, AnyTenant: true}))},
		{"ClerkWebhookConfig.Realm", webhookErr(identity.ClerkWebhookConfig{Issuer: clerkIssuer, Secrets: []string{short}})},
		{"ClerkWebhookConfig.Issuer", webhookErr(identity.ClerkWebhookConfig{Realm: "r", Secrets: []string{short}})},
		{"ClerkWebhookConfig.Secrets", webhookErr(identity.ClerkWebhookConfig{Realm: "r", Issuer: clerkIssuer})},
		{"ClerkWebhookConfig.Secrets", webhookErr(identity.ClerkWebhookConfig{Realm: "r", Issuer: clerkIssuer, Secrets: []string{short}})},
		{"ClerkWebhookConfig.Secrets", webhookErr(identity.ClerkWebhookConfig{Realm: "r", Issuer: clerkIssuer, Secrets: []string{"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}})},
	} {
		var got *identity.ConfigError
		if !errors.As(row.err, &got) || got.Config+"."+got.Field != row.want || got.Problem == "" {
			t.Errorf("want an error about %s, got %v", row.want, row.err)
			continue
		}
		if strings.Contains(got.Error(), "sk_test") || !strings.HasPrefix(got.Error(), "identity: "+row.want+" ") {
			t.Errorf("the error reads %q", got)
		}
	}
}

func issuerErr(_ *identity.Issuer, err error) error { return err }

func webhookErr(c identity.ClerkWebhookConfig) error {
	_, err := identity.NewClerkWebhook(c)
	return err
}

// The four below start from a configuration that is right.

func cognitoErr(c identity.Common, change func(*identity.CognitoConfig)) error {
	x := identity.CognitoConfig{Common: c, UserPoolID: pool, ClientIDs: []string{client}, Uses: []identity.Use{identity.AccessToken}}
	change(&x)
	return issuerErr(identity.NewCognito(x))
}

func clerkErr(c identity.Common, change func(*identity.ClerkConfig)) error {
	x := identity.ClerkConfig{Common: c, Issuer: clerkIssuer, AuthorizedParties: []string{"https://game.example"}}
	change(&x)
	return issuerErr(identity.NewClerk(x))
}

func oidcErr(c identity.Common, change func(*identity.OIDCConfig)) error {
	x := identity.OIDCConfig{Common: c, Issuer: oidcIssuer, Audiences: []string{"game"}}
	change(&x)
	return issuerErr(identity.NewOIDC(x))
}

func auth0Err(c identity.Common, change func(*identity.Auth0Config)) error {
	x := identity.Auth0Config{Common: c, Domain: "game.eu.auth0.com", Audiences: []string{"api"}, ClientIDs: []string{"game"}}
	change(&x)
	return issuerErr(identity.NewAuth0(x))
}
