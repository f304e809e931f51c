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

// Issuers verifies the tokens of several identity providers. It is safe for concurrent use.
type Issuers struct {
	issuers []*Issuer
	// cache is the whole set's. A token's bytes fix its iss and so the one issuer whose policy judged it: a hit can never
	// be another policy's verdict.
	cache *jws.Cache[Identity]
	want  string // what iss should have been
	now   func() time.Time
}

// IssuerState is what /readyz and an operator want to know of one issuer.
type IssuerState struct {
	// Name is the family, such as "cognito".
	Name string `json:"name"`
	// Realm is the realm of its players.
	Realm string `json:"realm"`
	// Issuers are the values of iss that it takes.
	Issuers []string `json:"issuers"`
	// Ready says that at least one set of keys can serve, or that the keys are not fetched.
	Ready bool `json:"ready"`
	// Keys are the states of its sets of keys, empty if the keys are not fetched.
	Keys []jwks.State `json:"keys,omitempty"`
}

// NewIssuers makes one verifier of several issuers. A token is given to the issuer whose rule its iss matches, so two
// rules that a single iss could match are an error. The set has one verdict cache, as large as those of its members
// together; its clock is the first member's.
func NewIssuers(issuers ...*Issuer) (*Issuers, error) {
	if len(issuers) == 0 {
		return nil, errors.New("identity: NewIssuers has no issuer: give at least one")
	}
	set := &Issuers{issuers: slices.Clone(issuers), now: issuers[0].now}
	entries := 0
	var wants []string
	for n, i := range issuers {
		wants = append(wants, i.want)
		entries += max(i.entries, 0)
		for _, other := range issuers[:n] {
			if err := overlap(i, other); err != nil {
				return nil, err
			}
		}
	}
	set.want = strings.Join(wants, " or ")
	set.cache = jws.NewCache[Identity](entries)
	return set, nil
}

func overlap(a, b *Issuer) error {
	for _, x := range a.sources {
		for _, y := range b.sources {
			if x.iss.overlaps(y.iss) {
				return fmt.Errorf("identity: %s (%s) and %s (%s) both take %v: one iss must lead to one issuer",
					a.Name(), a.realm, b.Name(), b.realm, x.iss)
			}
		}
	}
	return nil
}

// Verify returns who the token is from, or a *jws.Refusal. The issuer is picked by the token's iss before any key is
// fetched. The identity is shared: do not change it.
func (s *Issuers) Verify(ctx context.Context, token string) (*Identity, error) {
	if id, ok := s.cache.Get(token, s.now()); ok {
		return id, nil
	}
	i, from, err := pick(token, s.want, s.issuers...)
	if err != nil {
		return nil, err
	}
	id, t, err := i.verify(ctx, from, token)
	if err == nil && i.entries > 0 {
		s.cache.Put(token, t, id)
	}
	return id, err
}

// VerifyLogout is Issuer.VerifyLogout of the issuer that the logout token's iss leads to.
func (s *Issuers) VerifyLogout(ctx context.Context, logoutToken string) (*SignOut, error) {
	i, from, err := pick(logoutToken, s.want, s.issuers...)
	if err != nil {
		return nil, err
	}
	return i.verifyLogout(ctx, from, logoutToken)
}

// Realms returns the realms of all issuers, sorted, each once. A single realm is what Player.ID asks for.
func (s *Issuers) Realms() []string {
	var realms []string
	for _, i := range s.issuers {
		realms = append(realms, i.realm)
	}
	slices.Sort(realms)
	return slices.Compact(realms)
}

// State reports on every issuer, in the order of NewIssuers. It does not fetch.
func (s *Issuers) State() []IssuerState {
	states := make([]IssuerState, 0, len(s.issuers))
	for _, i := range s.issuers {
		states = append(states, i.issuerState())
	}
	return states
}

func (i *Issuer) issuerState() IssuerState {
	state := IssuerState{Name: i.Name(), Realm: i.realm, Keys: i.keyStates()}
	for _, s := range i.sources {
		state.Issuers = append(state.Issuers, s.iss.String())
	}
	state.Ready = len(state.Keys) == 0 || slices.ContainsFunc(state.Keys, func(k jwks.State) bool { return k.Ready })
	return state
}

// Refresh is Issuer.Refresh of every issuer. The errors of all that failed are joined.
func (s *Issuers) Refresh(ctx context.Context) error {
	var failed []error
	for _, i := range s.issuers {
		failed = append(failed, i.Refresh(ctx))
	}
	return errors.Join(failed...)
}

// Close closes every issuer.
func (s *Issuers) Close() {
	for _, i := range s.issuers {
		i.Close()
	}
}
