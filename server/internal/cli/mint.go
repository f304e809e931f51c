package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/server/internal/config"
	"github.com/sallyport-auth/sallyport/server/internal/keyfile"
	"github.com/sallyport-auth/sallyport/session"
)

// mintFlags say what a session token is to hold.
type mintFlags struct {
	keyFile, issuer, audience string
	client, realm, subject    string
	username                  string
	groups, scopes, roles     []string
	lifetime                  config.Duration
}

func newMint(p Process) *cobra.Command {
	var flags mintFlags
	cmd := &cobra.Command{
		Use:   "mint",
		Short: "Make a session token with a key file, for development and tests",
		Long: "Mint makes a session token as the server would, for a player who need not exist. Whoever has the key file can do\n" +
			"so: guard it. The token is not known to any server, so it cannot be refreshed; it can be revoked.",
		Example: "  sallyport token mint --key-file keys.json --issuer https://auth.example.com --audience game --realm players --subject alice",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return mint(cmd.Context(), p, flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.keyFile, "key-file", "", "the key file")
	f.StringVar(&flags.issuer, "issuer", "", "the server's URL, the token's iss")
	f.StringVar(&flags.audience, "audience", "", "the backend that it is for, its aud")
	f.StringVar(&flags.realm, "realm", "", "the player's realm; taken to be the only one")
	f.StringVar(&flags.subject, "subject", "", "the player's subject")
	f.StringVar(&flags.client, "client-id", "sallyport-cli", "its client_id")
	f.StringVar(&flags.username, "username", "", "the player's name")
	f.StringSliceVar(&flags.groups, "group", nil, "a group of the player; may be repeated")
	f.StringSliceVar(&flags.roles, "role", nil, "a role of the player; may be repeated")
	f.StringSliceVar(&flags.scopes, "scope", nil, "a scope; may be repeated")
	flags.lifetime = config.Duration(time.Hour)
	f.TextVar(&flags.lifetime, "lifetime", flags.lifetime, "its lifetime, from 1s to 24h")
	return cmd
}

// someone is an identity verifier that takes any token for one identity: that of the command line.
type someone struct{ identity.Identity }

// Verify returns the identity.
func (s *someone) Verify(context.Context, string) (*identity.Identity, error) {
	return &s.Identity, nil
}

func mint(ctx context.Context, p Process, flags mintFlags) error {
	for _, f := range []struct{ name, value string }{
		{"--key-file", flags.keyFile},
		{"--issuer", flags.issuer},
		{"--audience", flags.audience},
		{"--realm", flags.realm},
		{"--subject", flags.subject},
	} {
		if f.value == "" {
			return usage("%s is missing", f.name)
		}
	}
	issuer, err := flags.sessions(ctx, p)
	if err != nil {
		return err
	}
	grant, err := issuer.Exchange(ctx, session.ExchangeRequest{SubjectToken: "-", Audience: flags.audience, ClientID: flags.client})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.Out, grant.AccessToken)
	return err
}

// sessions makes the very issuer that a server has, over a store that is forgotten at the end.
func (f mintFlags) sessions(ctx context.Context, p Process) (*session.Issuer, error) {
	ring, err := keyfile.Ring(f.keyFile, session.KeyringConfig{TokenLifetime: time.Duration(f.lifetime), Now: p.Now})
	if err != nil {
		return nil, err
	}
	store := session.NewMemoryStoreAt(p.Now)
	ledger, err := session.NewLedger(session.LedgerConfig{Store: store, Policy: session.Strict})
	if err != nil {
		return nil, err
	}
	if err := ledger.Load(ctx); err != nil {
		return nil, err
	}
	now := p.Now()
	return session.NewIssuer(session.IssuerConfig{
		Issuer: f.issuer, Audiences: []session.Audience{{Name: f.audience}}, Keys: ring, Ledger: ledger, Families: store,
		Identities: &someone{identity.Identity{
			Player: identity.Player{Realm: f.realm, Subject: f.subject}, Subject: f.subject, Username: f.username,
			Groups: f.groups, Roles: f.roles, Scopes: f.scopes, IssuedAt: now, Expiry: now.Add(time.Duration(f.lifetime)), AuthTime: now,
		}},
		Realms: []string{f.realm}, TokenLifetime: time.Duration(f.lifetime), Now: p.Now,
	})
}
