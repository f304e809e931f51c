package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/server/internal/config"
	"github.com/sallyport-auth/sallyport/server/internal/keyfile"
	"github.com/sallyport-auth/sallyport/session"
)

// Doors verify the two kinds of tokens of a configuration.
type Doors struct {
	// Identities verifies identity tokens, without asking whether their player is banned.
	Identities *identity.Issuers
	// Checked is Identities that asks the ledger too.
	Checked identity.Verifier
	// Sessions verifies session tokens of every audience, and Nakama's.
	Sessions connect.SessionVerifier

	verifiers []connect.SessionVerifier
	issuers   []*opened
}

// DoorsConfig is what doors are made of besides the configuration.
type DoorsConfig struct {
	// Ledger knows what is revoked. Nil verifies without one, for a command that looks at a token away from the server.
	Ledger *session.Ledger
	// Keys verify session tokens of audiences without a secret. Nil if there is none such.
	Keys *session.Keyring
	// Client fetches the issuers' keys; nil is the default.
	Client *http.Client
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Logger is told what happens to the issuers' keys; nil tells nobody.
	Logger *slog.Logger
	// Before are doors whose issuers go on where the configuration is the same. Nil has none.
	Before *Doors
}

// NewDoors makes the verifiers of a configuration. Nothing is fetched yet.
func NewDoors(file *config.File, c DoorsConfig) (*Doors, error) {
	d := new(Doors)
	if err := errors.Join(d.addIssuers(file, c), d.addAudiences(file, c), d.addNakama(file, c)); err != nil {
		d.closeBut(c.Before)
		return nil, err
	}
	d.Sessions = anySession(d.verifiers)
	d.Checked = checked{d.Identities, c.Ledger}
	return d, nil
}

func (d *Doors) addIssuers(file *config.File, c DoorsConfig) (err error) {
	list := make([]*identity.Issuer, len(file.Issuers))
	for i, issuer := range file.Issuers {
		made, err := c.open(issuer)
		if err != nil {
			return file.Problem(fmt.Sprintf("issuers[%d]", i), err)
		}
		d.issuers = append(d.issuers, made)
		list[i] = made.Issuer
	}
	if d.Identities, err = identity.NewIssuers(list...); err != nil {
		return file.Problem("issuers", err)
	}
	return nil
}

func (d *Doors) addAudiences(file *config.File, c DoorsConfig) error {
	if file.Sessions == nil {
		return nil
	}
	for i, audience := range file.Sessions.Audiences {
		v, err := audienceVerifier(file, audience, c)
		if err != nil {
			return file.Problem(fmt.Sprintf("sessions.audiences[%d]", i), err)
		}
		d.verifiers = append(d.verifiers, v)
	}
	return nil
}

func audienceVerifier(file *config.File, audience config.Audience, c DoorsConfig) (*session.Verifier, error) {
	vc := session.VerifierConfig{
		Issuer: file.Issuer, Audience: audience.Name, Realms: file.Realms(), Ledger: c.Ledger,
		InsecureNoLedger: c.Ledger == nil, Now: c.Now,
	}
	if audience.Secret == "" {
		vc.Keys = c.Keys
		return session.NewVerifier(vc)
	}
	newKey := jws.NewSecretKey
	if file.InsecureKeys {
		newKey = jws.InsecureSecretKey
	}
	key, err := newKey("", audience.Secret.Bytes())
	if err != nil {
		return nil, err
	}
	vc.Keys, vc.Algorithms = jws.StaticKeys{key}, []jws.Algorithm{jws.HS256}
	return session.NewVerifier(vc)
}

func (d *Doors) addNakama(file *config.File, c DoorsConfig) error {
	n := file.Nakama
	if n == nil {
		return nil
	}
	v, err := session.NewNakamaVerifier(session.NakamaConfig{
		Realm: n.Realm, Realms: file.Realms(), Keys: secrets(n.Keys), RefreshKeys: secrets(n.RefreshKeys),
		InsecureKeys: file.InsecureKeys, Aliases: session.AliasPolicy(n.Aliases), Ledger: c.Ledger,
		InsecureNoLedger: c.Ledger == nil, Now: c.Now,
	})
	if err != nil {
		return file.Problem("nakama", err)
	}
	d.verifiers = append(d.verifiers, v)
	return nil
}

func secrets(list []config.Secret) [][]byte {
	var all [][]byte
	for _, s := range list {
		all = append(all, s.Bytes())
	}
	return all
}

// anySession verifies a session token with the verifier it was made for.
type anySession []connect.SessionVerifier

// Verify returns the session, or the refusal of the verifier that got furthest with the token.
func (v anySession) Verify(ctx context.Context, token string) (*session.Session, error) {
	var furthest error
	for _, verifier := range v {
		s, err := verifier.Verify(ctx, token)
		if err == nil {
			return s, nil
		}
		if furthest == nil || stage(err) > stage(furthest) {
			furthest = err
		}
	}
	return nil, furthest
}

// stages are the checks in their order; WrongAudience comes before what only the right verifier can find.
var stages = []jws.Check{jws.CheckFormat, jws.CheckAlgorithm, jws.CheckSignature, jws.CheckIssuer, jws.CheckTime, jws.CheckPolicy, jws.CheckRevocation}

func stage(err error) int {
	refusal := (*jws.Refusal)(nil)
	if !errors.As(err, &refusal) {
		return len(stages)
	}
	return slices.Index(stages, refusal.Check)
}

// checked verifies identity tokens and asks the ledger about their players.
type checked struct {
	identity.Verifier
	ledger *session.Ledger // nil asks nobody
}

// Verify returns who the token is from, unless they are banned or signed out.
func (c checked) Verify(ctx context.Context, token string) (*identity.Identity, error) {
	id, err := c.Verifier.Verify(ctx, token)
	if err != nil || c.ledger == nil {
		return id, err
	}
	if err := c.ledger.CheckIdentity(id); err != nil {
		return nil, err
	}
	return id, nil
}

// OpenDoors makes the verifiers of a configuration with its key file and without a ledger: what is revoked, only a running
// server knows.
func OpenDoors(file *config.File, now func() time.Time) (*Doors, error) {
	c := DoorsConfig{Now: now}
	if file.Sessions != nil && file.Sessions.KeyFile != "" {
		ring, err := keyfile.Ring(file.Path(file.Sessions.KeyFile), ringConfig(file, now))
		if err != nil {
			return nil, file.Problem("sessions.key_file", err)
		}
		c.Keys = ring
	}
	return NewDoors(file, c)
}
