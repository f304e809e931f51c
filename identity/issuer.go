package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

// maxTokenBytes is the longest token that is looked into, the same as package jws's own default.
const maxTokenBytes = 16 << 10

// Issuer verifies the tokens of one identity provider under one policy. It is made by the New functions of this
// package and safe for concurrent use.
type Issuer struct {
	profile profile
	realm   string
	sources []*source
	want    string // what iss should have been
	cache   *jws.Cache[Identity]
	entries int
	now     func() time.Time
	logouts *memory // logout tokens that were taken
}

// profile is what makes one family of issuers different from another.
type profile struct {
	name       string // of the family, for states
	config     string // of the configuration's type, for errors
	hint       string // appended to what a refused iss should have been
	origins    []origin
	algorithms []jws.Algorithm
	types      []string
	use        Use
	check      check                       // the family's own rules, after iss, sub and time
	fill       func(*jws.Token, *Identity) // the family's own claims, after describe; may be nil
	logout     LogoutConfig
}

// origin is one rule for iss and where the keys are that sign under it.
type origin struct {
	iss issuerRule
	// keys is used instead of fetching.
	keys jws.KeySource
	// fetch says where the keys are. Client, Now and Observe come from Common.
	fetch jwks.Config
	// optional marks keys that Refresh leaves alone, because most installations never need them.
	optional bool
}

// source is an origin at work.
type source struct {
	iss      issuerRule
	set      *jwks.Set // nil if the keys are not fetched
	optional bool
	verifier *jws.Verifier
	logout   *jws.Verifier // nil if logout tokens are not taken
}

func newIssuer(c Common, p profile) (*Issuer, error) {
	if !validRealm(c.Realm) {
		return nil, &ConfigError{p.config, "Realm", "must name the user base with 1 to 64 letters, digits, '.', '_' or '-'"}
	}
	c.Now = c.clock()
	i := &Issuer{profile: p, realm: c.Realm, now: c.Now, entries: c.CacheEntries, logouts: newMemory()}
	if i.entries == 0 {
		i.entries = defaultCacheEntries
	}
	i.cache = jws.NewCache[Identity](i.entries)
	for _, o := range p.origins {
		if slices.ContainsFunc(i.sources, func(s *source) bool { return s.iss.overlaps(o.iss) }) {
			continue // a region or a tenant that is listed twice: no token would lead to the second
		}
		s, err := newSource(c, p, o)
		if err != nil {
			i.Close()
			return nil, fmt.Errorf("identity: %s: %w", p.config, err)
		}
		i.sources = append(i.sources, s)
	}
	i.profile.origins = nil // a secret key may be in one, and printing an issuer must not show it
	i.want = i.wanted()
	return i, nil
}

func newSource(c Common, p profile, o origin) (*source, error) {
	s := &source{iss: o.iss, optional: o.optional}
	keys, err := o.keySource(c)
	if err != nil {
		return nil, err
	}
	if c.Keys == nil {
		s.set, _ = keys.(*jwks.Set) // a set that the operator made is the operator's to refresh and close
	}
	s.verifier, err = jws.NewVerifier(jws.Config{
		Keys: keys, Algorithms: p.algorithms, Types: p.types, Now: c.Now,
		Accept: all(o.iss.check, subject, notLogoutToken, p.check),
	})
	if err != nil {
		return nil, err
	}
	if len(p.logout.ClientIDs) > 0 {
		s.logout, err = p.logout.verifier(keys, p.algorithms, o.iss, c.Now)
	}
	return s, err
}

// keySource returns the operator's own keys, the origin's fixed ones, or a set that fetches.
func (o origin) keySource(c Common) (jws.KeySource, error) {
	switch {
	case c.Keys != nil:
		return c.Keys, nil
	case o.keys != nil:
		return o.keys, nil
	}
	o.fetch.Client, o.fetch.Now, o.fetch.Observe = c.Client, c.Now, c.Observe
	return jwks.New(o.fetch)
}

// Verify returns who the token is from, or a *jws.Refusal. A token of another issuer is refused before any key is
// fetched; a bad signature never causes a fetch. The identity is shared: do not change it.
func (i *Issuer) Verify(ctx context.Context, token string) (*Identity, error) {
	if id, ok := i.cache.Get(token, i.now()); ok {
		return id, nil
	}
	_, s, err := pick(token, i.want, i)
	if err != nil {
		return nil, err
	}
	id, t, err := i.verify(ctx, s, token)
	if err == nil {
		i.cache.Put(token, t, id)
	}
	return id, err
}

// verify is Verify without the cache, once the source is known.
func (i *Issuer) verify(ctx context.Context, s *source, token string) (*Identity, *jws.Token, error) {
	t, err := s.verifier.Verify(ctx, token)
	if err != nil {
		return nil, nil, err
	}
	id := describe(t, i.realm, i.profile.use)
	if i.profile.fill != nil {
		i.profile.fill(t, id)
	}
	return id, t, nil
}

// pick selects the issuer and the source for a token by its unverified iss and by nothing else.
func pick(token, want string, issuers ...*Issuer) (*Issuer, *source, error) {
	if len(token) > maxTokenBytes {
		return nil, nil, &jws.Refusal{Check: jws.CheckFormat, Reason: jws.Malformed, Want: "at most 16 KiB"}
	}
	iss, err := jws.UnverifiedIssuer(token)
	if err != nil {
		return nil, nil, err
	}
	for _, i := range issuers {
		if s := i.source(iss); s != nil {
			return i, s, nil
		}
	}
	return nil, nil, &jws.Refusal{Check: jws.CheckIssuer, Reason: jws.WrongIssuer, Claim: "iss", Want: want}
}

func (i *Issuer) source(iss string) *source {
	for _, s := range i.sources {
		if s.iss.matches(iss) {
			return s
		}
	}
	return nil
}

// wanted says which values of iss the issuer takes, for refusals.
func (i *Issuer) wanted() string {
	var want []string
	for _, s := range i.sources {
		want = append(want, s.iss.String())
	}
	text := strings.Join(want, " or ")
	if i.profile.hint != "" {
		text += " (" + i.profile.hint + ")"
	}
	return text
}

// Matches says whether the issuer takes tokens with this iss.
func (i *Issuer) Matches(iss string) bool { return i.source(iss) != nil }

// Realm returns the realm of the players that the issuer names.
func (i *Issuer) Realm() string { return i.realm }

// Name returns the family, in lower case: "cognito", "clerk", "oidc", "epic-connect", …
func (i *Issuer) Name() string { return i.profile.name }

// State reports on the issuer's keys and says whether they are fetched at all. Where there are several sets (Cognito's
// spellings of iss, Microsoft's tenants) it is a set that is ready, or else the first. It does not fetch.
func (i *Issuer) State() (jwks.State, bool) {
	states := i.keyStates()
	for _, s := range states {
		if s.Ready {
			return s, true
		}
	}
	if len(states) == 0 {
		return jwks.State{}, false
	}
	return states[0], true
}

func (i *Issuer) keyStates() []jwks.State {
	var states []jwks.State
	for _, s := range i.sources {
		if s.set != nil {
			states = append(states, s.set.State())
		}
	}
	return states
}

// Refresh fetches the keys now, so that the first player need not wait and a wrong address shows at the start. Sets
// that most installations never use are left alone. The errors of all sets that failed are joined.
func (i *Issuer) Refresh(ctx context.Context) error {
	var failed []error
	for _, s := range i.sources {
		if s.set == nil || s.optional {
			continue
		}
		if err := s.set.Refresh(ctx); err != nil {
			failed = append(failed, fmt.Errorf("identity: %s: %w", i.profile.name, err))
		}
	}
	return errors.Join(failed...)
}

// Close ends the background refresh of the issuer's keys.
func (i *Issuer) Close() {
	for _, s := range i.sources {
		if s.set != nil {
			s.set.Close()
		}
	}
}
