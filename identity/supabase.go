package identity

import (
	"strings"

	"github.com/sallyport-auth/sallyport/jws"
)

// SupabaseConfig is the configuration of a Supabase project.
type SupabaseConfig struct {
	Common
	// Project is the project's reference, the REF of https://REF.supabase.co. Either it or Issuer is required.
	Project string
	// Issuer is the iss of a self-hosted Supabase Auth or a custom domain, such as "https://api.example.com/auth/v1".
	Issuer string
	// Audiences are the values of aud that may come here. Default "authenticated".
	Audiences []string
	// Roles are the database roles that may come here. Default "authenticated". The roles of API keys, "anon" and
	// "service_role", are never taken.
	Roles []string
	// AllowAnonymous takes players who signed in anonymously (is_anonymous).
	AllowAnonymous bool
	// RequireAAL2 refuses sessions without a second factor (aal other than "aal2").
	RequireAAL2 bool
}

// NewSupabase returns an issuer for a Supabase project that signs with asymmetric keys (supabase.com/docs, "JWT Signing
// Keys" and "JWT Claims Reference"). HS256 is refused: the legacy secret also signs the anon and service_role API keys,
// which are in every client. Move the project to asymmetric signing keys. The upstream session is session_id.
func NewSupabase(c SupabaseConfig) (*Issuer, error) {
	if len(c.Audiences) == 0 {
		c.Audiences = []string{"authenticated"}
	}
	if len(c.Roles) == 0 {
		c.Roles = []string{"authenticated"}
	}
	if c.Project != "" {
		if c.Issuer != "" || strings.Trim(c.Project, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return nil, &ConfigError{"SupabaseConfig", "Project", "must be a project reference, and Issuer empty"}
		}
		c.Issuer = "https://" + c.Project + ".supabase.co/auth/v1"
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	return newIssuer(c.Common, profile{
		name: "supabase", config: "SupabaseConfig", origins: []origin{wellKnownJWKS(c.Issuer)},
		hint:       "Supabase's legacy anon and service_role keys are no players' tokens",
		algorithms: publicAlgorithms, types: []string{"JWT"}, use: AccessToken,
		check: all(audience(c.Audiences...), claimIs("role", jws.WrongClaim, c.Roles...), c.anonymous, c.assurance),
		fill:  fillSupabase,
	})
}

func (c SupabaseConfig) validate() error {
	for _, role := range c.Roles {
		if role == "anon" || role == "service_role" {
			return &ConfigError{"SupabaseConfig", "Roles", "holds a role of API keys, which are no players"}
		}
	}
	return firstOf(
		checkIssuer("SupabaseConfig", "Issuer", c.Issuer),
		noBlank("SupabaseConfig", "Audiences", c.Audiences),
		noBlank("SupabaseConfig", "Roles", c.Roles),
	)
}

func (c SupabaseConfig) anonymous(t *jws.Token) error {
	if c.AllowAnonymous || !t.Claims.Has("is_anonymous") {
		return nil
	}
	if anonymous, ok := t.Claims.Bool("is_anonymous"); anonymous || !ok {
		return t.Refuse(jws.CheckPolicy, jws.WrongClaim, "is_anonymous", "false", string(t.Claims.Raw("is_anonymous")))
	}
	return nil
}

func (c SupabaseConfig) assurance(t *jws.Token) error {
	if !c.RequireAAL2 {
		return nil
	}
	return claimIs("aal", jws.WrongClaim, "aal2")(t)
}

// fillSupabase leaves EmailVerified false: the claim of that name is within user_metadata, which players can write.
func fillSupabase(t *jws.Token, id *Identity) {
	id.Session = text(t.Claims, "session_id")
	id.Roles = []string{text(t.Claims, "role")}
	id.EmailVerified = false
}
