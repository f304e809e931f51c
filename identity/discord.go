package identity

import "github.com/sallyport-auth/sallyport/jwks"

// DiscordConfig is the configuration of Discord as an OpenID Connect provider.
type DiscordConfig struct {
	Common
	// ClientIDs are the application ids that ID tokens must be for. Required.
	ClientIDs []string
}

// NewDiscord returns an issuer for Discord's ID tokens. An application gets one only if it asks for the scope openid;
// Discord's access tokens are opaque and cannot be verified here. sub is the Discord user id.
func NewDiscord(c DiscordConfig) (*Issuer, error) {
	err := required("DiscordConfig", "ClientIDs", c.ClientIDs, "the application ids that ID tokens must be for")
	if err != nil {
		return nil, err
	}
	p := idTokens("discord", "DiscordConfig", c.ClientIDs)
	p.origins = []origin{{
		iss:   exactly("https://discord.com"),
		fetch: jwks.Config{URL: "https://discord.com/api/oauth2/keys"},
	}}
	return newIssuer(c.Common, p)
}
