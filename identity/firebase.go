package identity

import (
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

// FirebaseConfig is the configuration of a Firebase (or Google Identity Platform) project.
type FirebaseConfig struct {
	Common
	// ProjectID is the project's id: aud and the end of iss. Required.
	ProjectID string
	// SessionCookies also takes session cookies, which the project's server makes for 5 minutes to 14 days. They have
	// another issuer and other keys.
	SessionCookies bool
	// Tenants are the Identity Platform tenants (firebase.tenant) whose players may come here; "" stands for players
	// without a tenant. Default: players without a tenant alone.
	Tenants []string
	// AnyTenant takes every tenant, and none. A tenant's administrator can make any player of that tenant.
	AnyTenant bool
	// AllowAnonymous takes players who signed in anonymously (firebase.sign_in_provider is "anonymous").
	AllowAnonymous bool
	// X509 fetches the keys of ID tokens as certificates instead of as a JWK Set. Session cookies' keys always are.
	X509 bool
}

// The addresses of Google's keys for Firebase (firebase.google.com/docs/auth/admin, "Verify ID tokens using a third-party
// JWT library" and "Manage Session Cookies").
const (
	firebaseJWKS    = "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com"
	firebaseX509    = "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"
	firebaseCookies = "https://www.googleapis.com/identitytoolkit/v3/relyingparty/publicKeys"

	firebaseCookieIssuer = "https://session.firebase.google.com/"
)

// NewFirebase returns an issuer for a Firebase project: aud is the project, sub has 1 to 128 characters, auth_time is
// not in the future. Tokens of the Firebase emulator, which are not signed, are never taken. Within a tenant the
// player's subject is TENANT + "/" + sub, because two tenants can have the same sub. Where tenants are taken, a sub of
// no tenant has no '/': a project's server chooses the sub of its custom tokens, and it could name a tenant's player.
func NewFirebase(c FirebaseConfig) (*Issuer, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	tokens := origin{iss: exactly("https://securetoken.google.com/" + c.ProjectID), fetch: jwks.Config{URL: firebaseJWKS}}
	if c.X509 {
		tokens.fetch = jwks.Config{URL: firebaseX509, Format: jwks.X509Map}
	}
	origins := []origin{tokens}
	if c.SessionCookies {
		origins = append(origins, origin{
			iss:   exactly(firebaseCookieIssuer + c.ProjectID),
			fetch: jwks.Config{URL: firebaseCookies, Format: jwks.X509Map},
		})
	}
	return newIssuer(c.Common, profile{
		name: "firebase", config: "FirebaseConfig", origins: origins,
		algorithms: []jws.Algorithm{jws.RS256}, types: []string{"JWT", ""},
		check: all(audience(c.ProjectID), c.subject, authTime(c.clock()), c.tenant, c.provider),
		fill:  fillFirebase,
	})
}

func (c FirebaseConfig) validate() error {
	switch {
	case c.ProjectID == "" || strings.ContainsAny(c.ProjectID, "/?# "):
		return &ConfigError{"FirebaseConfig", "ProjectID", "must be the project's id"}
	case len(c.Tenants) > 0 && c.AnyTenant:
		return &ConfigError{"FirebaseConfig", "AnyTenant", "is set besides Tenants: choose one"}
	}
	return nil
}

func (c FirebaseConfig) subject(t *jws.Token) error {
	sub := text(t.Claims, "sub")
	if len(sub) > 128 {
		return t.Refuse(jws.CheckPolicy, jws.WrongClaim, "sub", "1 to 128 characters", sub)
	}
	tenants := c.AnyTenant || strings.Join(c.Tenants, "") != ""
	if tenants && firebaseClaim(t, "tenant") == "" && strings.Contains(sub, "/") {
		return t.Refuse(jws.CheckPolicy, jws.WrongClaim, "sub", "no '/' without a tenant, as it could name a tenant's player", sub)
	}
	return nil
}

// firebaseClaim returns a text within the claim firebase.
func firebaseClaim(t *jws.Token, name string) string {
	claims, _ := t.Claims.Object("firebase")
	return text(claims, name)
}

func (c FirebaseConfig) tenant(t *jws.Token) error {
	claims, ok := t.Claims.Object("firebase")
	got, named := claims.String("tenant")
	switch {
	case !ok:
		return missing(t, "firebase", "an object that says how the player signed in")
	case claims.Has("tenant") && (!named || got == "" || strings.Contains(got, "/")):
		return t.Refuse(jws.CheckPolicy, jws.WrongClaim, "firebase.tenant", "a tenant's id or nothing", got)
	case c.AnyTenant || slices.Contains(c.Tenants, got) || len(c.Tenants) == 0 && got == "":
		return nil
	}
	want := "no tenant"
	if len(c.Tenants) > 0 {
		want = strings.Join(c.Tenants, " or ")
	}
	return t.Refuse(jws.CheckPolicy, jws.WrongClaim, "firebase.tenant", want, got)
}

func (c FirebaseConfig) provider(t *jws.Token) error {
	if c.AllowAnonymous {
		return nil
	}
	switch firebaseClaim(t, "sign_in_provider") {
	case "":
		return missing(t, "firebase.sign_in_provider", "how the player signed in, and not as \"anonymous\"")
	case "anonymous":
		return t.Refuse(jws.CheckPolicy, jws.WrongClaim, "firebase.sign_in_provider", "a player who is not anonymous", "anonymous")
	}
	return nil
}

func fillFirebase(t *jws.Token, id *Identity) {
	id.Use = IDToken
	if strings.HasPrefix(id.Issuer, firebaseCookieIssuer) {
		id.Use = SessionToken
	}
	if tenant := firebaseClaim(t, "tenant"); tenant != "" {
		id.Player.Subject = tenant + "/" + id.Subject
	}
}
