package identity

import (
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/jws"
)

// Auth0Config is the configuration of an Auth0 tenant.
type Auth0Config struct {
	Common
	// Domain is the tenant's domain, "TENANT.REGION.auth0.com", or its custom domain, without "https://" and slash.
	// Tokens carry the domain at which they were asked for. Required.
	Domain string
	// Audiences are the API identifiers of access tokens, or the client ids of ID tokens. Required. (Without an
	// audience Auth0 issues opaque access tokens, which nobody but Auth0 can verify.)
	Audiences []string
	// Use is what the tokens are: AccessToken (default) or IDToken.
	Use Use
	// ClientIDs are the applications whose tokens are taken (azp, or client_id in Auth0's RFC 9068 profile). It, or
	// AnyClient, is required for access tokens, because any application of the tenant may ask for a token to your API.
	ClientIDs []string
	// AnyClient takes access tokens of every application of the tenant.
	AnyClient bool
	// Permissions are permissions (RBAC) of which an access token must have at least one. Default: none is needed.
	Permissions []string
	// Logout says whose logout tokens are taken; their aud is a client id. Default none.
	Logout LogoutConfig
}

// NewAuth0 returns an issuer for an Auth0 tenant (auth0.com/docs, "Validate Access Tokens" and "Access Token Profiles").
// iss is "https://DOMAIN/", with the slash. Access tokens are taken in both of Auth0's profiles, with typ "JWT" and
// "at+jwt"; machine tokens (gty=client-credentials) are refused, because they are from no player.
func NewAuth0(c Auth0Config) (*Issuer, error) {
	c.Use = Use(or(string(c.Use), string(AccessToken)))
	if err := c.validate(); err != nil {
		return nil, err
	}
	p := profile{
		name: "auth0", config: "Auth0Config", origins: []origin{wellKnownJWKS("https://" + c.Domain + "/")},
		algorithms: []jws.Algorithm{jws.RS256}, types: []string{"JWT"}, use: c.Use, logout: c.Logout,
		check: all(audience(c.Audiences...), authorizedParty(slices.Concat(c.ClientIDs, c.Audiences)...)),
	}
	if c.Use == AccessToken {
		p.types = []string{"JWT", "at+jwt"}
		p.check = all(audience(c.Audiences...), noMachine, c.client, anyOf("permissions", c.Permissions))
		p.fill = func(t *jws.Token, id *Identity) { id.Permissions, _ = t.Claims.Strings("permissions") }
	}
	return newIssuer(c.Common, p)
}

func (c Auth0Config) validate() error {
	access := c.Use == AccessToken
	switch {
	case c.Domain == "" || strings.ContainsAny(c.Domain, "/:@?# "):
		return &ConfigError{"Auth0Config", "Domain", `must be a bare domain such as "game.eu.auth0.com"`}
	case !access && c.Use != IDToken:
		return &ConfigError{"Auth0Config", "Use", "must be AccessToken or IDToken"}
	case access && len(c.ClientIDs) == 0 && !c.AnyClient:
		return &ConfigError{"Auth0Config", "ClientIDs", "is empty: list the applications, or set AnyClient"}
	case len(c.ClientIDs) > 0 && c.AnyClient:
		return &ConfigError{"Auth0Config", "AnyClient", "is set besides ClientIDs: choose one"}
	case !access && len(c.Permissions) > 0:
		return &ConfigError{"Auth0Config", "Permissions", "is set for ID tokens, which have none"}
	}
	return firstOf(
		required("Auth0Config", "Audiences", c.Audiences, "the API identifiers or client ids that tokens must be for"),
		noBlank("Auth0Config", "ClientIDs", c.ClientIDs),
		noBlank("Auth0Config", "Permissions", c.Permissions),
		noBlank("Auth0Config", "Logout.ClientIDs", c.Logout.ClientIDs),
	)
}

// client checks azp, or client_id where the token has that instead.
func (c Auth0Config) client(t *jws.Token) error {
	switch {
	case c.AnyClient:
		return nil
	case t.Claims.Has("azp"):
		return claimIs("azp", jws.WrongClient, c.ClientIDs...)(t)
	}
	return claimIs("client_id", jws.WrongClient, c.ClientIDs...)(t)
}

// noMachine refuses tokens of the client credentials grant: gty says so, and sub ends in "@clients".
func noMachine(t *jws.Token) error {
	if text(t.Claims, "gty") == "client-credentials" || strings.HasSuffix(text(t.Claims, "sub"), "@clients") {
		return t.Refuse(jws.CheckPolicy, jws.WrongUse, "sub", "a user's token, not a machine's", text(t.Claims, "sub"))
	}
	return nil
}
