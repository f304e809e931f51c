package identity_test

import (
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
)

// The fixed names of the vectors' world.
const (
	pool        = "eu-central-1_Example12"
	client      = "1example23456789"
	clerkIssuer = "https://clerk.game.example"
	oidcIssuer  = "https://idp.example"
	tenantA     = "11111111-2222-4333-8444-555555555555"
	tenantB     = "66666666-7777-4888-9999-aaaaaaaaaaaa"
	unityGame   = "0a1b2c3d-0000-4000-8000-00000000cafe"
)

func now() time.Time { return testvectors.Now }

// key returns a fixed key's public half; the kid is the key's name.
func key(tb testing.TB, name string) *jws.Key {
	tb.Helper()
	k, err := jws.NewKey(name, testvectors.PrivateKey(tb, name).Public())
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// common is a Common that fetches nothing and knows rsa-1, p256-1 and ed25519-1.
func common(tb testing.TB) identity.Common {
	return identity.Common{
		Realm: "players", Now: now,
		Keys: jws.StaticKeys{key(tb, "rsa-1"), key(tb, "p256-1"), key(tb, "ed25519-1")},
	}
}

// policies are the issuers that vectors name in their header "policy".
func policies(tb testing.TB) map[string]*identity.Issuer {
	tb.Helper()
	all := make(map[string]*identity.Issuer)
	add := func(name string) func(*identity.Issuer, error) {
		return func(i *identity.Issuer, err error) {
			if err != nil {
				tb.Fatalf("policy %s: %v", name, err)
			}
			all[name] = i
		}
	}
	cognitoPolicies(common(tb), add)
	clerkPolicies(common(tb), add)
	oidcPolicies(common(tb), add)
	consumerPolicies(common(tb), add)
	gamePolicies(common(tb), add)
	return all
}

type adder func(name string) func(*identity.Issuer, error)

func cognitoPolicies(c identity.Common, add adder) {
	base := identity.CognitoConfig{
		Common: c, UserPoolID: pool, ClientIDs: []string{client, "other-client"}, Uses: []identity.Use{identity.AccessToken},
	}
	add("cognito-access")(identity.NewCognito(base))
	id := base
	id.Uses = []identity.Use{identity.IDToken}
	add("cognito-id")(identity.NewCognito(id))
	both := base
	both.Uses = []identity.Use{identity.AccessToken, identity.IDToken}
	add("cognito-both")(identity.NewCognito(both))
	group := base
	group.AnyGroup = []string{"players", "admins"}
	add("cognito-group")(identity.NewCognito(group))
	scope := base
	scope.Scopes = []string{"game/play"}
	add("cognito-scope")(identity.NewCognito(scope))
	replica := base
	replica.Regions = []string{"us-west-2"}
	add("cognito-replica")(identity.NewCognito(replica))
	china := base
	china.UserPoolID = "cn-north-1_Example12"
	add("cognito-china")(identity.NewCognito(china))
	europe := base
	europe.UserPoolID = "eusc-de-east-1_Example12"
	add("cognito-eusc")(identity.NewCognito(europe))
	local := base
	local.UserPoolID, local.Endpoint = "local_pool", "http://127.0.0.1:9229"
	add("cognito-endpoint")(identity.NewCognito(local))
}

func clerkPolicies(c identity.Common, add adder) {
	base := identity.ClerkConfig{Common: c, Issuer: clerkIssuer, AuthorizedParties: []string{"https://game.example", "https://www.game.example"}}
	add("clerk")(identity.NewClerk(base))
	strict := base
	strict.RequireAuthorizedParty = true
	add("clerk-strict")(identity.NewClerk(strict))
	anyParty := base
	anyParty.AuthorizedParties, anyParty.AnyAuthorizedParty = nil, true
	add("clerk-any-party")(identity.NewClerk(anyParty))
	pending := base
	pending.AllowPending = true
	add("clerk-pending")(identity.NewClerk(pending))
	templates := base
	templates.Categories = []string{identity.ClerkSessionTokens, identity.ClerkTemplateTokens, ""}
	add("clerk-templates")(identity.NewClerk(templates))
}

func oidcPolicies(c identity.Common, add adder) {
	logout := identity.LogoutConfig{ClientIDs: []string{"game"}}
	base := identity.OIDCConfig{Common: c, Issuer: oidcIssuer, Audiences: []string{"game"}, Logout: logout}
	add("oidc")(identity.NewOIDC(base))
	keycloak := base
	keycloak.RolesClaim, keycloak.GroupsClaim, keycloak.UsernameClaim = "realm_access.roles", "https://game.example/groups", "nickname"
	keycloak.AuthorizedParties = []string{"launcher"}
	add("oidc-keycloak")(identity.NewOIDC(keycloak))
	access := base
	access.Use, access.Audiences, access.AuthorizedParties = identity.AccessToken, []string{"https://api.game.example"}, []string{"game"}
	add("oidc-access")(identity.NewOIDC(access))
	access.AuthorizedParties = nil
	add("oidc-access-any-client")(identity.NewOIDC(access))
	access.Types = []string{"JWT"}
	add("oidc-keycloak-access")(identity.NewOIDC(access))
	untyped := base
	untyped.Logout.Untyped = true
	add("oidc-untyped-logout")(identity.NewOIDC(untyped))
	none := base
	none.Logout = identity.LogoutConfig{}
	add("oidc-no-logout")(identity.NewOIDC(none))

	auth0 := identity.Auth0Config{
		Common: c, Domain: "game.eu.auth0.com", Audiences: []string{"https://api.game.example"}, ClientIDs: []string{"game"},
		Logout: logout,
	}
	add("auth0")(identity.NewAuth0(auth0))
	permission := auth0
	permission.Permissions = []string{"play:ranked"}
	add("auth0-permission")(identity.NewAuth0(permission))
	anyClient := auth0
	anyClient.ClientIDs, anyClient.AnyClient = nil, true
	add("auth0-any-client")(identity.NewAuth0(anyClient))
	auth0.Use, auth0.Audiences = identity.IDToken, []string{"game"}
	add("auth0-id")(identity.NewAuth0(auth0))
}

func consumerPolicies(c identity.Common, add adder) {
	google := identity.GoogleConfig{Common: c, ClientIDs: []string{"server.apps.googleusercontent.com"}}
	add("google")(identity.NewGoogle(google))
	google.AuthorizedParties = []string{"android.apps.googleusercontent.com"}
	add("google-android")(identity.NewGoogle(google))
	google.HostedDomains = []string{"studio.example"}
	add("google-workspace")(identity.NewGoogle(google))
	add("apple")(identity.NewApple(identity.AppleConfig{Common: c, ClientIDs: []string{"example.game.ios"}}))
	add("discord")(identity.NewDiscord(identity.DiscordConfig{Common: c, ClientIDs: []string{"157730590492196864"}}))
	microsoft := identity.MicrosoftConfig{Common: c, ClientIDs: []string{"game"}, Tenants: []string{tenantA, identity.MicrosoftConsumers}}
	add("microsoft")(identity.NewMicrosoft(microsoft))
	microsoft.Tenants, microsoft.AnyTenant = nil, true
	add("microsoft-any")(identity.NewMicrosoft(microsoft))

	firebase := identity.FirebaseConfig{Common: c, ProjectID: "game-1234"}
	add("firebase")(identity.NewFirebase(firebase))
	firebase.SessionCookies, firebase.AllowAnonymous, firebase.Tenants = true, true, []string{"", "tenant-a"}
	add("firebase-open")(identity.NewFirebase(firebase))
	firebase.Tenants, firebase.AnyTenant = nil, true
	add("firebase-any-tenant")(identity.NewFirebase(firebase))

	supabase := identity.SupabaseConfig{Common: c, Project: "abcdefghijklmnopqrst"}
	add("supabase")(identity.NewSupabase(supabase))
	supabase.AllowAnonymous, supabase.RequireAAL2 = true, true
	add("supabase-aal2")(identity.NewSupabase(supabase))
}

func gamePolicies(c identity.Common, add adder) {
	add("epic-account")(identity.NewEpicAccount(identity.EpicAccountConfig{Common: c, ClientIDs: []string{"xyza7891game"}}))
	connect := identity.EpicConnectConfig{
		Common: c, ClientIDs: []string{"xyza7891eos"}, ProductID: "product-1", DeploymentIDs: []string{"live-1", "live-2"},
	}
	add("epic-connect")(identity.NewEpicConnect(connect))
	connect.SandboxIDs = []string{"sandbox-1"}
	add("epic-connect-sandbox")(identity.NewEpicConnect(connect))
	unity := identity.UnityConfig{Common: c, ProjectID: unityGame}
	add("unity")(identity.NewUnity(unity))
	unity.EnvironmentIDs, unity.EnvironmentNames = []string{"env-1"}, []string{"production"}
	add("unity-production")(identity.NewUnity(unity))
}
