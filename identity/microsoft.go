package identity

import (
	"github.com/sallyport-auth/sallyport/internal/uuid"
	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

// MicrosoftConsumers is the tenant of personal Microsoft accounts.
const MicrosoftConsumers = "9188040d-6c67-4c5b-b112-36a304b66dad"

// MicrosoftConfig is the configuration of the Microsoft identity platform (Entra ID), version 2.0.
type MicrosoftConfig struct {
	Common
	// ClientIDs are the application (client) ids that ID tokens must be for. Required.
	ClientIDs []string
	// Tenants are the tenants whose members may come here, by their ids: lower-case UUIDs. MicrosoftConsumers stands for
	// personal accounts. It, or AnyTenant, is required.
	Tenants []string
	// AnyTenant takes the members of every tenant, and personal accounts. Anyone can make a tenant, so nothing that a
	// tenant's administrator sets (e-mail address, name, groups) may then decide anything. With Common.Keys, these keys
	// must be for every tenant: the check that a key is not for one alone is made where keys are fetched.
	AnyTenant bool
}

// NewMicrosoft returns an issuer for version 2.0 ID tokens of the Microsoft identity platform (learn.microsoft.com,
// "ID token claims reference" and "Secure applications by validating claims"). iss must name the tenant that tid names.
// The player's subject is "OID.TID", the form of MSAL's home account id, because oid is unique within a tenant only and
// sub within an application. EmailVerified is true only with the optional claim xms_edov. The keys are those that
// Microsoft publishes for the tenant; with AnyTenant, those that it marks as signing for every tenant (section "Validate
// the signing key issuer"), and for personal accounts theirs, so that neither signs for the other.
func NewMicrosoft(c MicrosoftConfig) (*Issuer, error) {
	const config = "MicrosoftConfig"
	err := required(config, "ClientIDs", c.ClientIDs, "the application ids that ID tokens must be for")
	switch {
	case err != nil:
	case len(c.Tenants) == 0 && !c.AnyTenant:
		err = &ConfigError{config, "Tenants", "is empty: list the tenants, or set AnyTenant"}
	case len(c.Tenants) > 0 && c.AnyTenant:
		err = &ConfigError{config, "AnyTenant", "is set besides Tenants: choose one"}
	}
	for _, id := range c.Tenants {
		if canonical, ok := uuid.Canonical(id); !ok || canonical != id {
			err = &ConfigError{config, "Tenants", "must hold tenant ids, lower-case UUIDs, not names such as \"common\""}
		}
	}
	if err != nil {
		return nil, err
	}
	p := idTokens("microsoft", config, c.ClientIDs)
	p.origins, p.fill = c.origins(), fillMicrosoft
	p.check = all(p.check, claimIs("ver", jws.WrongClaim, "2.0"), tenantClaims)
	return newIssuer(c.Common, p)
}

const (
	microsoftHost = "https://login.microsoftonline.com/"
	microsoftV2   = "/v2.0"
)

// microsoftAny is the rule for every tenant's iss but that of personal accounts, which have their own keys.
var microsoftAny = issuerRule{
	kind: tenant, head: microsoftHost, tail: microsoftV2,
	not: microsoftHost + MicrosoftConsumers + microsoftV2,
}

// origins are one for each tenant, with the tenant's own keys. For any tenant they are one for personal accounts and
// one for all others, whose set has keys of both: only those count there whose issuer is the template.
func (c MicrosoftConfig) origins() []origin {
	keys := func(tenant string) jwks.Config {
		return jwks.Config{URL: microsoftHost + tenant + "/discovery/v2.0/keys"}
	}
	tenants := c.Tenants
	if c.AnyTenant {
		tenants = []string{MicrosoftConsumers}
	}
	var origins []origin
	for _, id := range tenants {
		origins = append(origins, origin{iss: exactly(microsoftHost + id + microsoftV2), fetch: keys(id)})
	}
	if c.AnyTenant {
		common := keys("common")
		common.KeyIssuers = []string{microsoftHost + "{tenantid}" + microsoftV2}
		origins = append(origins, origin{iss: microsoftAny, fetch: common})
	}
	return origins
}

// tenantClaims requires oid, and that tid is the tenant in iss.
func tenantClaims(t *jws.Token) error {
	if text(t.Claims, "oid") == "" {
		return missing(t, "oid", "the account's object id")
	}
	return claimIs("tid", jws.WrongClaim, microsoftAny.tenantOf(text(t.Claims, "iss")))(t)
}

func fillMicrosoft(t *jws.Token, id *Identity) {
	c := t.Claims
	id.Player.Subject = text(c, "oid") + "." + text(c, "tid")
	id.EmailVerified = truth(c, "xms_edov") || number(c, "xms_edov") == 1
	id.Roles, _ = c.Strings("roles")
	id.Groups, _ = c.Strings("groups")
}
