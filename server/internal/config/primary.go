package config

import "github.com/sallyport-auth/sallyport/identity"

// Cognito is an Amazon Cognito user pool (type: cognito).
type Cognito struct {
	IssuerCommon
	// UserPoolID is the pool's id, such as eu-central-1_Example12.
	UserPoolID string `yaml:"user_pool_id,required"`
	// Region is the pool's home region, which the pool's id begins with.
	Region string `yaml:"region"`
	// Regions are the other regions of a pool with multi-Region replication.
	Regions []string `yaml:"regions"`
	// ClientIDs are the app clients whose tokens are taken.
	ClientIDs []string `yaml:"client_ids,required"`
	// Uses are the tokens that are taken.
	Uses []string `yaml:"uses,required" oneof:"access id"`
	// AnyGroup are groups of which the player must be in at least one. Without it no group is needed.
	AnyGroup []string `yaml:"any_group"`
	// Scopes are scopes of which an access token must have at least one. Without it none is needed.
	Scopes []string `yaml:"scopes"`
	// Endpoint is the base URL of an emulator: https, or http on a loopback address. Without it AWS is meant.
	Endpoint string `yaml:"endpoint"`
}

// New makes the issuer.
func (c *Cognito) New(common identity.Common) (*identity.Issuer, error) {
	return identity.NewCognito(identity.CognitoConfig{
		Common: c.common(common), UserPoolID: c.UserPoolID, Region: c.Region, Regions: c.Regions, ClientIDs: c.ClientIDs,
		Uses: uses(c.Uses), AnyGroup: c.AnyGroup, Scopes: c.Scopes, Endpoint: c.Endpoint,
	})
}

func uses(words []string) []identity.Use {
	all := make([]identity.Use, len(words))
	for i, word := range words {
		all[i] = identity.Use(word)
	}
	return all
}

// Clerk is a Clerk instance (type: clerk). Its keys come from the issuer unless public_key_pem or secret_key is set.
type Clerk struct {
	IssuerCommon
	// Issuer is the instance's iss, exactly: https://clerk.example.com in production, https://SLUG.clerk.accounts.dev in
	// development.
	Issuer string `yaml:"issuer,required"`
	// PublicKeyPEM is the "JWKS Public Key" of the dashboard, for verification without fetching. Give it with ${file:…}.
	PublicKeyPEM string `yaml:"public_key_pem"`
	// SecretKey is the instance's secret key (sk_live_…). Keys are then fetched from the backend API.
	SecretKey Secret `yaml:"secret_key"`
	// BackendURL is the backend API's base URL, https://api.clerk.com/v1 unless set; only with secret_key.
	BackendURL string `yaml:"backend_url"`
	// AuthorizedParties are the values of azp that may come here: the origins of your pages. Required, unless
	// any_authorized_party is set.
	AuthorizedParties []string `yaml:"authorized_parties"`
	// RequireAuthorizedParty refuses tokens without azp, which native game clients have. Set it if all players come from
	// web pages.
	RequireAuthorizedParty bool `yaml:"require_authorized_party"`
	// AnyAuthorizedParty takes every azp.
	AnyAuthorizedParty bool `yaml:"any_authorized_party"`
	// AllowPending takes sessions that are signed in while a task, such as choosing an organisation, is still to be done.
	AllowPending bool `yaml:"allow_pending"`
	// Categories are the values of the header parameter cat that are taken; absent takes tokens without cat. Without this
	// list those of session tokens alone.
	Categories []string `yaml:"categories"`
}

// New makes the issuer.
func (c *Clerk) New(common identity.Common) (*identity.Issuer, error) {
	return identity.NewClerk(identity.ClerkConfig{
		Common: c.common(common), Issuer: c.Issuer, PublicKeyPEM: []byte(c.PublicKeyPEM), SecretKey: c.SecretKey.reveal(),
		BackendURL: c.BackendURL, AuthorizedParties: c.AuthorizedParties, RequireAuthorizedParty: c.RequireAuthorizedParty,
		AnyAuthorizedParty: c.AnyAuthorizedParty, AllowPending: c.AllowPending, Categories: withAbsent(c.Categories),
	})
}
