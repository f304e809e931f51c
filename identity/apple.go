package identity

import "github.com/sallyport-auth/sallyport/jwks"

// AppleConfig is the configuration of Sign in with Apple.
type AppleConfig struct {
	Common
	// ClientIDs are the bundle ids (apps) and Services IDs (web) that identity tokens must be for. Required.
	ClientIDs []string
}

// NewApple returns an issuer for identity tokens of Sign in with Apple (developer.apple.com, "Verifying a user"). sub is
// the same in all apps of one developer team and different in another team's, so use a realm for each team. Game Center
// is not OpenID Connect and gives no such token. The nonce, if your client sends one, is in Identity.Claims.
func NewApple(c AppleConfig) (*Issuer, error) {
	err := required("AppleConfig", "ClientIDs", c.ClientIDs, "the bundle ids and Services IDs that tokens must be for")
	if err != nil {
		return nil, err
	}
	p := idTokens("apple", "AppleConfig", c.ClientIDs)
	p.origins = []origin{{
		iss:   exactly("https://appleid.apple.com"),
		fetch: jwks.Config{URL: "https://appleid.apple.com/auth/keys"},
	}}
	return newIssuer(c.Common, p)
}
