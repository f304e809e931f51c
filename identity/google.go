package identity

import (
	"slices"

	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

// GoogleConfig is the configuration of Sign in with Google.
type GoogleConfig struct {
	Common
	// ClientIDs are the OAuth client ids that ID tokens must be for (aud): for Android and iOS apps the server's client
	// id. Required.
	ClientIDs []string
	// AuthorizedParties are the client ids that may ask for tokens (azp) besides ClientIDs: those of the Android and iOS
	// apps. Default none.
	AuthorizedParties []string
	// HostedDomains are the Workspace domains whose members may come here (hd). Default: everyone, also without one.
	HostedDomains []string
}

// NewGoogle returns an issuer for ID tokens of Sign in with Google (developers.google.com/identity, "Verify the Google ID
// token on your server side"). Both of its spellings of iss are taken, with and without https. An azp that is present
// must be listed. Play Games Services give a server auth code and no ID token: exchange that first.
func NewGoogle(c GoogleConfig) (*Issuer, error) {
	err := firstOf(
		required("GoogleConfig", "ClientIDs", c.ClientIDs, "the OAuth client ids that ID tokens must be for"),
		noBlank("GoogleConfig", "AuthorizedParties", c.AuthorizedParties),
		noBlank("GoogleConfig", "HostedDomains", c.HostedDomains),
	)
	if err != nil {
		return nil, err
	}
	p := idTokens("google", "GoogleConfig", c.ClientIDs, c.AuthorizedParties...)
	p.origins = []origin{{
		iss:   exactly("https://accounts.google.com", "accounts.google.com"),
		fetch: jwks.Config{URL: "https://www.googleapis.com/oauth2/v3/certs"},
	}}
	if len(c.HostedDomains) > 0 {
		p.check = all(p.check, claimIs("hd", jws.WrongClaim, c.HostedDomains...))
	}
	return newIssuer(c.Common, p)
}

// idTokens is the profile of an issuer of RS256 ID tokens for client ids; parties are further values of azp.
func idTokens(name, config string, clientIDs []string, parties ...string) profile {
	return profile{
		name: name, config: config,
		algorithms: []jws.Algorithm{jws.RS256}, types: []string{"JWT", ""}, use: IDToken,
		check: all(audience(clientIDs...), authorizedParty(slices.Concat(clientIDs, parties)...)),
	}
}
