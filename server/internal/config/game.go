package config

import "github.com/sallyport-auth/sallyport/identity"

// EpicAccount is Epic Account Services' Auth interface (type: epic-account). A player is an Epic account.
type EpicAccount struct {
	IssuerCommon
	// ClientIDs are the client ids that ID tokens must be for.
	ClientIDs []string `yaml:"client_ids,required"`
}

// New makes the issuer.
func (c *EpicAccount) New(common identity.Common) (*identity.Issuer, error) {
	return identity.NewEpicAccount(identity.EpicAccountConfig{Common: c.common(common), ClientIDs: c.ClientIDs})
}

// EpicConnect is Epic Online Services' Connect interface (type: epic-connect). A player is a product user.
type EpicConnect struct {
	IssuerCommon
	// ClientIDs are the EOS client ids that ID tokens must be for.
	ClientIDs []string `yaml:"client_ids,required"`
	// ProductID is the product that tokens must be for.
	ProductID string `yaml:"product_id,required"`
	// DeploymentIDs are the deployments that may come here: live and staging are two.
	DeploymentIDs []string `yaml:"deployment_ids,required"`
	// SandboxIDs are the sandboxes that may come here. Without it the check of the deployment is enough.
	SandboxIDs []string `yaml:"sandbox_ids"`
}

// New makes the issuer.
func (c *EpicConnect) New(common identity.Common) (*identity.Issuer, error) {
	return identity.NewEpicConnect(identity.EpicConnectConfig{
		Common: c.common(common), ClientIDs: c.ClientIDs, ProductID: c.ProductID, DeploymentIDs: c.DeploymentIDs,
		SandboxIDs: c.SandboxIDs,
	})
}

// Unity is Unity Authentication (type: unity).
type Unity struct {
	IssuerCommon
	// ProjectID is the Unity project's id. All games share Unity's issuer and keys; only this tells them apart.
	ProjectID string `yaml:"project_id,required"`
	// EnvironmentIDs are the environments that may come here. Without it every one of the project.
	EnvironmentIDs []string `yaml:"environment_ids"`
	// EnvironmentNames are the names of environments that may come here, such as production.
	EnvironmentNames []string `yaml:"environment_names"`
}

// New makes the issuer.
func (c *Unity) New(common identity.Common) (*identity.Issuer, error) {
	return identity.NewUnity(identity.UnityConfig{
		Common: c.common(common), ProjectID: c.ProjectID, EnvironmentIDs: c.EnvironmentIDs, EnvironmentNames: c.EnvironmentNames,
	})
}

// Firebase is Firebase Authentication and Google's Identity Platform (type: firebase).
type Firebase struct {
	IssuerCommon
	// ProjectID is the project's id.
	ProjectID string `yaml:"project_id,required"`
	// SessionCookies also takes session cookies, which the project's server makes for up to 14 days.
	SessionCookies bool `yaml:"session_cookies"`
	// Tenants are the Identity Platform tenants whose players may come here; absent stands for players without a tenant.
	// Without this list those alone.
	Tenants []string `yaml:"tenants"`
	// AnyTenant takes every tenant. A tenant's administrator can make any player of that tenant.
	AnyTenant bool `yaml:"any_tenant"`
	// AllowAnonymous takes players who signed in anonymously.
	AllowAnonymous bool `yaml:"allow_anonymous"`
	// X509 fetches the keys of ID tokens as certificates instead of as a JWK Set.
	X509 bool `yaml:"x509"`
}

// New makes the issuer.
func (c *Firebase) New(common identity.Common) (*identity.Issuer, error) {
	return identity.NewFirebase(identity.FirebaseConfig{
		Common: c.common(common), ProjectID: c.ProjectID, SessionCookies: c.SessionCookies, Tenants: withAbsent(c.Tenants),
		AnyTenant: c.AnyTenant, AllowAnonymous: c.AllowAnonymous, X509: c.X509,
	})
}

// Supabase is Supabase Auth (type: supabase). Either project or issuer is required.
type Supabase struct {
	IssuerCommon
	// Project is the project's reference, the REF of https://REF.supabase.co.
	Project string `yaml:"project"`
	// Issuer is the iss of a self-hosted Supabase Auth or a custom domain, such as https://api.example.com/auth/v1.
	Issuer string `yaml:"issuer"`
	// Audiences are the values of aud that may come here. Without it authenticated.
	Audiences []string `yaml:"audiences"`
	// Roles are the database roles that may come here, never those of API keys. Without it authenticated.
	Roles []string `yaml:"roles"`
	// AllowAnonymous takes players who signed in anonymously.
	AllowAnonymous bool `yaml:"allow_anonymous"`
	// RequireAAL2 refuses sessions without a second factor.
	RequireAAL2 bool `yaml:"require_aal2"`
}

// New makes the issuer.
func (c *Supabase) New(common identity.Common) (*identity.Issuer, error) {
	return identity.NewSupabase(identity.SupabaseConfig{
		Common: c.common(common), Project: c.Project, Issuer: c.Issuer, Audiences: c.Audiences, Roles: c.Roles,
		AllowAnonymous: c.AllowAnonymous, RequireAAL2: c.RequireAAL2,
	})
}
