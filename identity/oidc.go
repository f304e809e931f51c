package identity

import (
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

// OIDCConfig is the configuration of any OpenID Connect issuer: Keycloak, Okta, Ory, Zitadel, your own. Where there is
// a constructor for a provider, use that: it knows the provider's traps.
type OIDCConfig struct {
	Common
	// Issuer is the issuer's iss, byte for byte, a slash at the end included if there is one: https, or http on a
	// loopback address. Required.
	Issuer string
	// Audiences are the values of aud that may come here: for ID tokens your client ids, for access tokens your API. A
	// token must have at least one of them. Required.
	Audiences []string
	// Use is what the tokens are: IDToken (default) or AccessToken.
	Use Use
	// AuthorizedParties are the values that azp may have besides Audiences. For an ID token, an azp that is present must
	// be one of either, and a token with several audiences must have azp (OpenID Connect Core 1.0 section 3.1.3.7). For
	// an access token azp is checked only if this is set.
	AuthorizedParties []string
	// Algorithms are the algorithms that the issuer signs with. Default RS256, ES256 and EdDSA. HS256 is refused: its key
	// is the client's secret and belongs in no verifier that fetches public keys.
	Algorithms []jws.Algorithm
	// Types are the accepted values of the header parameter typ, "" for absent. Default: for ID tokens "JWT" and "", for
	// access tokens "at+jwt" alone (RFC 9068 section 4). For an issuer that sends access tokens as "JWT", list "JWT": its
	// ID tokens can then be told apart only by their aud, or by Keycloak's claim typ, which is checked where it is.
	Types []string
	// JWKSURL is where the keys are. Default: what the issuer's discovery document says (OpenID Connect Discovery 1.0
	// section 4), whose issuer must equal Issuer.
	JWKSURL string
	// UsernameClaim is the claim for Identity.Username. Default "preferred_username".
	UsernameClaim string
	// GroupsClaim and RolesClaim are the claims for Identity.Groups and Identity.Roles: a name, or a path through
	// objects such as "realm_access.roles". Defaults "groups" and "roles".
	GroupsClaim, RolesClaim string
	// SessionClaim is the claim for Identity.Session, the same value as in the issuer's logout tokens. Default "sid".
	SessionClaim string
	// Logout says whose logout tokens are taken. Default none.
	Logout LogoutConfig
}

// publicAlgorithms are those whose keys an issuer can publish.
var publicAlgorithms = []jws.Algorithm{jws.RS256, jws.ES256, jws.EdDSA}

// NewOIDC returns an issuer for any OpenID Connect provider.
func NewOIDC(c OIDCConfig) (*Issuer, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	o := origin{iss: exactly(c.Issuer), fetch: jwks.Config{URL: c.JWKSURL}}
	if c.JWKSURL == "" {
		o.fetch.Discovery = c.Issuer
	}
	return newIssuer(c.Common, profile{
		name: "oidc", config: "OIDCConfig", origins: []origin{o},
		algorithms: c.Algorithms, types: c.Types, use: c.Use,
		check: all(audience(c.Audiences...), c.party(), c.keycloakType), fill: c.fill, logout: c.Logout,
	})
}

func (c OIDCConfig) withDefaults() OIDCConfig {
	if c.Use == "" {
		c.Use = IDToken
	}
	if len(c.Algorithms) == 0 {
		c.Algorithms = publicAlgorithms
	}
	if len(c.Types) == 0 {
		c.Types = []string{"JWT", ""}
		if c.Use == AccessToken {
			c.Types = []string{"at+jwt"}
		}
	}
	c.UsernameClaim = or(c.UsernameClaim, "preferred_username")
	c.GroupsClaim = or(c.GroupsClaim, "groups")
	c.RolesClaim = or(c.RolesClaim, "roles")
	c.SessionClaim = or(c.SessionClaim, "sid")
	return c
}

// or returns value, or otherwise where value is empty.
func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func (c OIDCConfig) validate() error {
	for _, a := range c.Algorithms {
		if !slices.Contains(publicAlgorithms, a) {
			return &ConfigError{"OIDCConfig", "Algorithms", "must hold algorithms of public keys alone: RS256, ES256, EdDSA"}
		}
	}
	if c.Use != IDToken && c.Use != AccessToken {
		return &ConfigError{"OIDCConfig", "Use", "must be IDToken or AccessToken"}
	}
	if c.JWKSURL != "" {
		address, _, _ := strings.Cut(c.JWKSURL, "?")
		if err := checkIssuer("OIDCConfig", "JWKSURL", address); err != nil {
			return err
		}
	}
	return firstOf(
		checkIssuer("OIDCConfig", "Issuer", c.Issuer),
		required("OIDCConfig", "Audiences", c.Audiences, "the client ids or the API that tokens must be for"),
		noBlank("OIDCConfig", "AuthorizedParties", c.AuthorizedParties),
		noBlank("OIDCConfig", "Logout.ClientIDs", c.Logout.ClientIDs),
	)
}

// party is the rule for azp.
func (c OIDCConfig) party() check {
	switch {
	case c.Use == IDToken:
		return authorizedParty(slices.Concat(c.Audiences, c.AuthorizedParties)...)
	case len(c.AuthorizedParties) > 0:
		return claimIs("azp", jws.WrongClient, c.AuthorizedParties...)
	}
	return nil
}

// keycloakUses are the values of Keycloak's claim typ, which tells its tokens apart whose header parameter typ is "JWT".
// Refresh and logout tokens are of no use here. Other issuers may have another typ, which says nothing.
var keycloakUses = map[string]Use{"ID": IDToken, "Bearer": AccessToken, "Refresh": "", "Offline": "", "Logout": ""}

func (c OIDCConfig) keycloakType(t *jws.Token) error {
	typ := text(t.Claims, "typ")
	if use, known := keycloakUses[typ]; known && use != c.Use {
		return t.Refuse(jws.CheckPolicy, jws.WrongUse, "typ", "the claim of a token for the use "+string(c.Use), typ)
	}
	return nil
}

func (c OIDCConfig) fill(t *jws.Token, id *Identity) {
	id.Username = text(t.Claims, c.UsernameClaim)
	id.Groups = lookup(t.Claims, c.GroupsClaim)
	id.Roles = lookup(t.Claims, c.RolesClaim)
	id.Session = text(t.Claims, c.SessionClaim)
}
