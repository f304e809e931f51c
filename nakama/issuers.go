package nakama

import (
	"fmt"

	"github.com/sallyport-auth/sallyport/identity"
)

// makers are the identity providers that runtime.env can name. Each checks its own keys and says which is wrong.
var makers = map[string]func(*Config) (*identity.Issuer, error){
	"cognito": func(c *Config) (*identity.Issuer, error) {
		return identity.NewCognito(identity.CognitoConfig{
			Common: identity.Common{Realm: c.Realm}, UserPoolID: c.CognitoUserPoolID, ClientIDs: c.CognitoClientIDs, Uses: uses(c.CognitoUses),
			AnyGroup: c.CognitoAnyGroup, Regions: c.CognitoRegions, Endpoint: c.CognitoEndpoint,
		})
	},
	"clerk": func(c *Config) (*identity.Issuer, error) {
		return identity.NewClerk(identity.ClerkConfig{
			Common: identity.Common{Realm: c.Realm}, Issuer: c.ClerkIssuer, AuthorizedParties: c.ClerkAuthorizedParties,
			AnyAuthorizedParty: c.ClerkAnyAuthorizedParty,
		})
	},
	"oidc": func(c *Config) (*identity.Issuer, error) {
		return identity.NewOIDC(identity.OIDCConfig{
			Common: identity.Common{Realm: c.Realm}, Issuer: c.OIDCIssuer, Audiences: c.OIDCAudiences, Use: identity.Use(c.OIDCUse),
			JWKSURL: c.OIDCJWKSURL,
		})
	},
}

func uses(words []string) []identity.Use {
	list := make([]identity.Use, len(words))
	for i, word := range words {
		list[i] = identity.Use(word)
	}
	return list
}

func newIdentities(c *Config) (*identity.Issuers, error) {
	var list []*identity.Issuer
	for _, name := range c.Issuers {
		maker := makers[name]
		if maker == nil {
			return nil, fmt.Errorf("sallyport_issuers: want cognito, clerk or oidc")
		}
		issuer, err := maker(c)
		if err != nil {
			return nil, fmt.Errorf("sallyport_%s_…: %w", name, err)
		}
		list = append(list, issuer)
	}
	return identity.NewIssuers(list...)
}
