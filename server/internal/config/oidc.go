package config

import (
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
)

// OIDC is any OpenID Connect issuer (type: oidc).
type OIDC struct {
	IssuerCommon
	// Issuer is the issuer's iss, exactly, a slash at the end included if there is one.
	Issuer string `yaml:"issuer,required"`
	// Audiences are the values of aud that may come here: for ID tokens your client ids, for access tokens your API.
	Audiences []string `yaml:"audiences,required"`
	// Use is what the tokens are.
	Use string `yaml:"use" oneof:"id access" default:"id"`
	// AuthorizedParties are the values that azp may have besides audiences.
	AuthorizedParties []string `yaml:"authorized_parties"`
	// Algorithms are those that the issuer signs with. Without it all three.
	Algorithms []string `yaml:"algorithms" oneof:"RS256 ES256 EdDSA"`
	// Types are the accepted values of the header parameter typ; absent takes tokens without it. Without this list JWT and
	// absent for ID tokens, at+jwt for access tokens.
	Types []string `yaml:"types"`
	// JWKSURL is where the keys are. Without it what the issuer's discovery document says.
	JWKSURL string `yaml:"jwks_url"`
	// UsernameClaim is the claim with the user name.
	UsernameClaim string `yaml:"username_claim" default:"preferred_username"`
	// GroupsClaim is the claim with the groups, a name or a path such as realm_access.groups.
	GroupsClaim string `yaml:"groups_claim" default:"groups"`
	// RolesClaim is the claim with the roles, a name or a path such as realm_access.roles.
	RolesClaim string `yaml:"roles_claim" default:"roles"`
	// SessionClaim is the claim with the issuer's session, the same value as in its logout tokens.
	SessionClaim string `yaml:"session_claim" default:"sid"`
	// Logout says whose logout tokens are taken. Without it none.
	Logout *Logout `yaml:"logout"`
}

// New makes the issuer.
func (c *OIDC) New(common identity.Common) (*identity.Issuer, error) {
	algorithms := make([]jws.Algorithm, len(c.Algorithms))
	for i, alg := range c.Algorithms {
		algorithms[i] = jws.Algorithm(alg)
	}
	return identity.NewOIDC(identity.OIDCConfig{
		Common: c.common(common), Issuer: c.Issuer, Audiences: c.Audiences, Use: identity.Use(c.Use),
		AuthorizedParties: c.AuthorizedParties, Algorithms: algorithms, Types: withAbsent(c.Types), JWKSURL: c.JWKSURL,
		UsernameClaim: c.UsernameClaim, GroupsClaim: c.GroupsClaim, RolesClaim: c.RolesClaim, SessionClaim: c.SessionClaim,
		Logout: c.Logout.config(),
	})
}

// TakesLogouts says whether the issuer's logout tokens are taken.
func (c *OIDC) TakesLogouts() bool { return c.Logout != nil }

// Auth0 is an Auth0 tenant (type: auth0).
type Auth0 struct {
	IssuerCommon
	// Domain is the tenant's domain, TENANT.REGION.auth0.com, or its custom domain, without https:// and slash.
	Domain string `yaml:"domain,required"`
	// Audiences are the API identifiers of access tokens, or the client ids of ID tokens.
	Audiences []string `yaml:"audiences,required"`
	// Use is what the tokens are.
	Use string `yaml:"use" oneof:"access id" default:"access"`
	// ClientIDs are the applications whose tokens are taken. Required for access tokens, unless any_client is set.
	ClientIDs []string `yaml:"client_ids"`
	// AnyClient takes access tokens of every application of the tenant.
	AnyClient bool `yaml:"any_client"`
	// Permissions are permissions of which an access token must have at least one. Without it none is needed.
	Permissions []string `yaml:"permissions"`
	// Logout says whose logout tokens are taken. Without it none.
	Logout *Logout `yaml:"logout"`
}

// New makes the issuer.
func (c *Auth0) New(common identity.Common) (*identity.Issuer, error) {
	return identity.NewAuth0(identity.Auth0Config{
		Common: c.common(common), Domain: c.Domain, Audiences: c.Audiences, Use: identity.Use(c.Use), ClientIDs: c.ClientIDs,
		AnyClient: c.AnyClient, Permissions: c.Permissions, Logout: c.Logout.config(),
	})
}

// TakesLogouts says whether the tenant's logout tokens are taken.
func (c *Auth0) TakesLogouts() bool { return c.Logout != nil }

// Google is Google's sign-in (type: google).
type Google struct {
	IssuerCommon
	// ClientIDs are the OAuth client ids that ID tokens must be for: for Android and iOS apps the server's client id.
	ClientIDs []string `yaml:"client_ids,required"`
	// AuthorizedParties are the client ids that may ask for tokens besides client_ids: those of the Android and iOS apps.
	AuthorizedParties []string `yaml:"authorized_parties"`
	// HostedDomains are the Workspace domains whose members may come here. Without it everyone.
	HostedDomains []string `yaml:"hosted_domains"`
}

// New makes the issuer.
func (c *Google) New(common identity.Common) (*identity.Issuer, error) {
	return identity.NewGoogle(identity.GoogleConfig{
		Common: c.common(common), ClientIDs: c.ClientIDs, AuthorizedParties: c.AuthorizedParties, HostedDomains: c.HostedDomains,
	})
}

// Microsoft is Microsoft's identity platform (type: microsoft).
type Microsoft struct {
	IssuerCommon
	// ClientIDs are the application (client) ids that ID tokens must be for.
	ClientIDs []string `yaml:"client_ids,required"`
	// Tenants are the tenants whose members may come here, lower-case UUIDs; 9188040d-6c67-4c5b-b112-36a304b66dad stands
	// for personal accounts. Required, unless any_tenant is set.
	Tenants []string `yaml:"tenants"`
	// AnyTenant takes the members of every tenant. Anyone can make a tenant, so nothing that a tenant's administrator sets
	// may then decide anything.
	AnyTenant bool `yaml:"any_tenant"`
}

// New makes the issuer.
func (c *Microsoft) New(common identity.Common) (*identity.Issuer, error) {
	return identity.NewMicrosoft(identity.MicrosoftConfig{
		Common: c.common(common), ClientIDs: c.ClientIDs, Tenants: c.Tenants, AnyTenant: c.AnyTenant,
	})
}

// Apple is Sign in with Apple (type: apple).
type Apple struct {
	IssuerCommon
	// ClientIDs are the bundle ids (apps) and Services IDs (web) that identity tokens must be for.
	ClientIDs []string `yaml:"client_ids,required"`
}

// New makes the issuer.
func (c *Apple) New(common identity.Common) (*identity.Issuer, error) {
	return identity.NewApple(identity.AppleConfig{Common: c.common(common), ClientIDs: c.ClientIDs})
}

// Discord is Discord's OpenID Connect issuer (type: discord).
type Discord struct {
	IssuerCommon
	// ClientIDs are the application ids that ID tokens must be for, in quotes.
	ClientIDs []string `yaml:"client_ids,required"`
}

// New makes the issuer.
func (c *Discord) New(common identity.Common) (*identity.Issuer, error) {
	return identity.NewDiscord(identity.DiscordConfig{Common: c.common(common), ClientIDs: c.ClientIDs})
}
