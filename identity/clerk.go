package identity

import (
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

// Values of Clerk's "cat" header parameter, which tells apart the kinds of token that one instance signs with one key
// (Clerk's @clerk/backend, JWT categories).
const (
	// ClerkSessionTokens are the short-lived tokens of a user's session.
	ClerkSessionTokens = "cl_B7d4PD111AAA"
	// ClerkTemplateTokens are tokens of custom JWT templates: they have no sid, and their sub is a user. Nothing tells
	// templates apart: who takes them takes those too that were made for another service.
	ClerkTemplateTokens = "cl_B7d4PD222AAA"
	// ClerkAnyCategory is what instances that do not tell kinds apart put into every token.
	ClerkAnyCategory = "cl_I7d4PD111III"
)

// ClerkConfig is the configuration of a Clerk instance. Keys come from the issuer unless PublicKeyPEM, SecretKey or
// Common.Keys is set; set at most one of them.
type ClerkConfig struct {
	Common
	// Issuer is the instance's iss, byte for byte: its Frontend API URL, "https://clerk.example.com" in production,
	// "https://SLUG.clerk.accounts.dev" in development. Required.
	Issuer string
	// PublicKeyPEM is the instance's "JWKS Public Key" from the dashboard, for verification without any fetch. A key
	// that Clerk rotates in must then be put here.
	PublicKeyPEM []byte
	// SecretKey is the instance's secret key ("sk_live_…"). Keys are then fetched from the backend API.
	SecretKey string
	// BackendURL is the backend API's base URL. Default "https://api.clerk.com/v1".
	BackendURL string
	// AuthorizedParties are the values of azp that may come here: the origins of your web pages, such as
	// "https://game.example". It, or AnyAuthorizedParty, is required: without it, a page on any origin that the instance
	// serves can use its players' tokens here.
	AuthorizedParties []string
	// RequireAuthorizedParty refuses tokens without azp. By default they are taken, as Clerk's documentation has it,
	// because native game clients send no Origin and so get no azp. Set it if all players come from web pages: a page
	// can also make the browser send Origin: null.
	RequireAuthorizedParty bool
	// AnyAuthorizedParty takes every azp.
	AnyAuthorizedParty bool
	// AllowPending takes sessions whose sts is "pending": signed in, but a task such as choosing an organisation is
	// still to be done. Clerk treats them as signed out by default, and so does this.
	AllowPending bool
	// Categories are the values of the header parameter cat that are taken; "" takes tokens without cat, which
	// instances made before 2024 may send. Machine tokens (M2M) are never taken: they are from no player. Default:
	// ClerkSessionTokens alone.
	Categories []string
}

// clerkMachine is the category of machine-to-machine tokens.
const clerkMachine = "cl_B7d4PD333AAA"

// NewClerk returns an issuer for a Clerk instance, for session tokens of versions 1 and 2 (clerk.com/docs, "Session
// tokens" and "Manual JWT verification"). typ must be "JWT", which keeps OAuth access tokens (at+jwt) out. The upstream
// session is sid. Groups holds the id of the active organisation, Roles the role in it ("org:admin") and Permissions
// what the role may do there ("org:FEATURE:PERMISSION").
func NewClerk(c ClerkConfig) (*Issuer, error) {
	if len(c.Categories) == 0 {
		c.Categories = []string{ClerkSessionTokens}
	}
	o, err := c.origin()
	if err = firstOf(c.validate(), err); err != nil {
		return nil, err
	}
	return newIssuer(c.Common, profile{
		name: "clerk", config: "ClerkConfig", origins: []origin{o},
		algorithms: []jws.Algorithm{jws.RS256}, types: []string{"JWT"}, use: SessionToken,
		check: all(c.category, c.party(), c.status(), clerkVersion),
		fill:  fillClerk,
	})
}

func (c ClerkConfig) validate() error {
	field, problem := "", ""
	switch {
	case strings.HasSuffix(c.Issuer, "/"):
		field, problem = "Issuer", "must not end in a slash: Clerk's iss has none"
	case len(c.PublicKeyPEM) > 0 && c.SecretKey != "":
		field, problem = "SecretKey", "is set besides PublicKeyPEM: choose one source of keys"
	case c.Keys != nil && (len(c.PublicKeyPEM) > 0 || c.SecretKey != ""):
		field, problem = "Keys", "is set besides PublicKeyPEM or SecretKey: choose one source of keys"
	case c.BackendURL != "" && c.SecretKey == "":
		field, problem = "BackendURL", "is set without SecretKey"
	case len(c.AuthorizedParties) == 0 && !c.AnyAuthorizedParty:
		field, problem = "AuthorizedParties", "is empty: list the origins of your pages, or set AnyAuthorizedParty"
	case len(c.AuthorizedParties) > 0 && c.AnyAuthorizedParty:
		field, problem = "AnyAuthorizedParty", "is set besides AuthorizedParties: choose one"
	case slices.Contains(c.Categories, clerkMachine):
		field, problem = "Categories", "holds the category of machine tokens, which are from no player"
	}
	if problem != "" {
		return &ConfigError{"ClerkConfig", field, problem}
	}
	if c.BackendURL != "" {
		if err := checkIssuer("ClerkConfig", "BackendURL", c.BackendURL); err != nil {
			return err
		}
	}
	return firstOf(
		checkIssuer("ClerkConfig", "Issuer", c.Issuer),
		noBlank("ClerkConfig", "AuthorizedParties", c.AuthorizedParties),
	)
}

// origin says where the instance's keys are. They belong to this issuer alone, whatever their key ids.
func (c ClerkConfig) origin() (origin, error) {
	switch {
	case len(c.PublicKeyPEM) > 0:
		key, err := jws.ParsePublicPEM("", c.PublicKeyPEM)
		if err != nil {
			return origin{}, &ConfigError{"ClerkConfig", "PublicKeyPEM", "holds no usable public key: " + err.Error()}
		}
		return origin{iss: exactly(c.Issuer), keys: jws.StaticKeys{key}}, nil
	case c.SecretKey != "":
		if c.BackendURL == "" {
			c.BackendURL = "https://api.clerk.com/v1"
		}
		header := http.Header{"Authorization": {"Bearer " + c.SecretKey}}
		url := strings.TrimSuffix(c.BackendURL, "/") + "/jwks"
		return origin{iss: exactly(c.Issuer), fetch: jwks.Config{URL: url, Header: header}}, nil
	}
	return wellKnownJWKS(c.Issuer), nil
}

// category checks cat, and that a session token names its session.
func (c ClerkConfig) category(t *jws.Token) error {
	cat, _ := t.Header().Params.String("cat")
	if !slices.Contains(c.Categories, cat) || strings.HasPrefix(text(t.Claims, "sub"), "mch_") {
		return t.Refuse(jws.CheckPolicy, jws.WrongUse, "cat", "a user's token with cat "+strings.Join(c.Categories, " or "), cat)
	}
	if cat == ClerkSessionTokens && text(t.Claims, "sid") == "" {
		return missing(t, "sid", "the session's id")
	}
	return nil
}

// party checks azp.
func (c ClerkConfig) party() check {
	listed := claimIs("azp", jws.WrongClient, c.AuthorizedParties...)
	if c.AnyAuthorizedParty {
		listed = func(t *jws.Token) error { return t.RequirePresent("azp") }
	}
	if c.RequireAuthorizedParty {
		return listed
	}
	return ifPresent("azp", listed)
}

// status checks sts, which only version 2 has.
func (c ClerkConfig) status() check {
	if c.AllowPending {
		return ifPresent("sts", claimIs("sts", jws.WrongClaim, "active", "pending"))
	}
	return ifPresent("sts", claimIs("sts", jws.WrongClaim, "active"))
}

// clerkVersion refuses versions whose claims are not known here.
func clerkVersion(t *jws.Token) error {
	if v, ok := t.Claims.Int64("v"); t.Claims.Has("v") && (!ok || v != 1 && v != 2) {
		return t.Refuse(jws.CheckPolicy, jws.WrongClaim, "v", "1, 2 or absent", string(t.Claims.Raw("v")))
	}
	return nil
}

func fillClerk(t *jws.Token, id *Identity) {
	c := t.Claims
	id.Username = text(c, "username")
	org := text(c, "org_id")
	role := text(c, "org_role")
	if number(c, "v") == 2 {
		o, _ := c.Object("o")
		org, role = text(o, "id"), text(o, "rol")
		if role != "" {
			role = "org:" + role
		}
		id.Permissions = clerkPermissions(text(c, "fea"), text(o, "per"), text(o, "fpm"))
	} else {
		id.Permissions, _ = c.Strings("org_permissions")
	}
	if org == "" {
		id.Permissions = nil
		return
	}
	id.Groups = []string{org}
	if role != "" {
		id.Roles = []string{role}
	}
}
