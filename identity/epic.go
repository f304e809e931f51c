package identity

import (
	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

const (
	epicHost  = "https://api.epicgames.dev"
	epicOAuth = epicHost + "/epic/oauth"
)

// EpicAccountConfig is the configuration of Epic Account Services (the Auth interface).
type EpicAccountConfig struct {
	Common
	// ClientIDs are the client ids that ID tokens must be for. Required.
	ClientIDs []string
}

// NewEpicAccount returns an issuer for ID tokens of Epic's Auth interface, versions 1 and 2 (dev.epicgames.com/docs, "Auth
// Interface", "Validating ID tokens on backend without SDK"). sub is the Epic account id. These are other tokens than
// those of the Connect interface, whose sub is a product user id: see NewEpicConnect.
func NewEpicAccount(c EpicAccountConfig) (*Issuer, error) {
	err := required("EpicAccountConfig", "ClientIDs", c.ClientIDs, "the client ids that ID tokens must be for")
	if err != nil {
		return nil, err
	}
	p := idTokens("epic-account", "EpicAccountConfig", c.ClientIDs)
	p.origins = []origin{wellKnownJWKS(epicOAuth + "/v2"), wellKnownJWKS(epicOAuth + "/v1")}
	p.origins[1].optional = true
	return newIssuer(c.Common, p)
}

// EpicConnectConfig is the configuration of Epic Online Services (the Connect interface).
type EpicConnectConfig struct {
	Common
	// ClientIDs are the EOS client ids that ID tokens must be for (aud). Required.
	ClientIDs []string
	// ProductID is the product that tokens must be for (pfpid): a product user id means nothing in another product.
	// Required.
	ProductID string
	// DeploymentIDs are the deployments that may come here (pfdid): live and staging are two. Required.
	DeploymentIDs []string
	// SandboxIDs are the sandboxes that may come here (pfsid). Default: the check of DeploymentIDs, each of which
	// belongs to one sandbox, is enough.
	SandboxIDs []string
}

// NewEpicConnect returns an issuer for ID tokens of Epic's Connect interface (dev.epicgames.com/docs, "Connect Interface",
// "Validating ID tokens on backend without SDK"). Epic documents iss by how it begins, https://api.epicgames.dev, so the
// rule is that origin and what lies below it in the path, without the Auth interface's /epic/oauth. sub is the product
// user id. The keys have no alg and are used for RS256 alone.
func NewEpicConnect(c EpicConnectConfig) (*Issuer, error) {
	const config = "EpicConnectConfig"
	err := firstOf(
		required(config, "ClientIDs", c.ClientIDs, "the EOS client ids that ID tokens must be for"),
		required(config, "DeploymentIDs", c.DeploymentIDs, "the deployments that may come here"),
		noBlank(config, "SandboxIDs", c.SandboxIDs),
	)
	if err == nil && c.ProductID == "" {
		err = &ConfigError{config, "ProductID", "is not set: give the product that tokens must be for"}
	}
	if err != nil {
		return nil, err
	}
	p := idTokens("epic-connect", config, c.ClientIDs)
	p.check = all(p.check, claimIs("pfpid", jws.WrongClaim, c.ProductID), claimIs("pfdid", jws.WrongClaim, c.DeploymentIDs...))
	if len(c.SandboxIDs) > 0 {
		p.check = all(p.check, claimIs("pfsid", jws.WrongClaim, c.SandboxIDs...))
	}
	p.origins = []origin{{
		iss:   issuerRule{kind: below, head: epicHost, not: epicOAuth},
		fetch: jwks.Config{URL: epicHost + "/auth/v1/oauth/jwks"},
	}}
	return newIssuer(c.Common, p)
}
