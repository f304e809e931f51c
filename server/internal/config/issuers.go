package config

import (
	"slices"

	"github.com/sallyport-auth/sallyport/identity"
)

// Issuer is one identity provider. Its type decides which fields it has.
type Issuer struct {
	// Type is the preset's name.
	Type string
	// Preset holds the fields of the type.
	Preset Preset
}

// Preset is the configuration of one kind of identity provider.
type Preset interface {
	// New makes the issuer. The fields of the configuration replace those of common; its other fields are the program's.
	New(common identity.Common) (*identity.Issuer, error)
	// RealmName is the realm of its players.
	RealmName() string
	// TakesLogouts says whether its logout tokens are taken.
	TakesLogouts() bool
}

// presets are the kinds of identity providers, in the order of the manual.
var presets = []struct {
	name string
	new  func() Preset
}{
	{"cognito", func() Preset { return new(Cognito) }},
	{"clerk", func() Preset { return new(Clerk) }},
	{"oidc", func() Preset { return new(OIDC) }},
	{"apple", func() Preset { return new(Apple) }},
	{"auth0", func() Preset { return new(Auth0) }},
	{"discord", func() Preset { return new(Discord) }},
	{"epic-account", func() Preset { return new(EpicAccount) }},
	{"epic-connect", func() Preset { return new(EpicConnect) }},
	{"firebase", func() Preset { return new(Firebase) }},
	{"google", func() Preset { return new(Google) }},
	{"microsoft", func() Preset { return new(Microsoft) }},
	{"supabase", func() Preset { return new(Supabase) }},
	{"unity", func() Preset { return new(Unity) }},
}

// Types are the names of the presets.
func (i *Issuer) Types() []string {
	names := make([]string, len(presets))
	for n, p := range presets {
		names[n] = p.name
	}
	return names
}

// Select makes the preset of a type.
func (i *Issuer) Select(name string) any {
	for _, p := range presets {
		if p.name == name {
			i.Type, i.Preset = name, p.new()
			return i.Preset
		}
	}
	return nil
}

// IssuerCommon are the fields that every issuer has.
type IssuerCommon struct {
	// Realm is your name for this user base: 1 to 64 letters, digits, '.', '_' and '-'. It is part of every player's id, so
	// it must never change. Issuers may share a realm only if the same sub is the same player at both. As long as all
	// issuers have one realm, a player whose sub is a UUID has it as his id; a second realm gives each of these players
	// another id, under which a game's own data is not found.
	Realm string `yaml:"realm,required"`
	// CacheEntries is how many accepted tokens are remembered; -1 remembers none.
	CacheEntries int `yaml:"cache_entries" default:"10000"`
}

// RealmName is the realm of the issuer's players.
func (c *IssuerCommon) RealmName() string { return c.Realm }

// TakesLogouts is false for issuers that have no back-channel logout.
func (c *IssuerCommon) TakesLogouts() bool { return false }

func (c *IssuerCommon) common(common identity.Common) identity.Common {
	common.Realm, common.CacheEntries = c.Realm, c.CacheEntries
	return common
}

// Logout says whose logout tokens (OpenID Connect Back-Channel Logout 1.0) are taken, at /v1/backchannel-logout.
type Logout struct {
	// ClientIDs are the client ids that logout tokens must be for: their aud is a client, also where the access tokens are
	// for an API.
	ClientIDs []string `yaml:"client_ids,required"`
	// Untyped also takes logout tokens whose typ is absent or JWT, from issuers older than the final specification.
	Untyped bool `yaml:"untyped"`
}

func (l *Logout) config() identity.LogoutConfig {
	if l == nil {
		return identity.LogoutConfig{}
	}
	return identity.LogoutConfig{ClientIDs: l.ClientIDs, Untyped: l.Untyped}
}

// absent is the word of the file for an empty value in a list, such as a token without typ.
const absent = "absent"

func withAbsent(words []string) []string {
	all := slices.Clone(words)
	for i, word := range all {
		if word == absent {
			all[i] = ""
		}
	}
	return all
}
