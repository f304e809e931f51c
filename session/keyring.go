package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

// clockMargin is how far the clocks of two nodes that share a ring may differ. A retired key stays this much longer
// than the last token that it can have signed.
const clockMargin = time.Minute

// KeyEntry is one key of a ring and its three times. A key file holds entries; see [ParseKeyFile].
type KeyEntry struct {
	// Signer is the private key. Required, with a key id, EdDSA, ES256 or RS256: an HS256 key cannot be published.
	Signer *jws.Signer
	// Published is when the key first was in the JWK Set. Required.
	Published time.Time
	// Signs is when the key begins to sign. Required, not before Published, and unless another key has yet to sign, at
	// least one cache lifetime after it. Two keys cannot begin at the same time.
	Signs time.Time
	// Retired is when the key stops to sign. Zero means when the next key begins, which is what it should be: an earlier
	// time leaves a gap in which nothing signs.
	Retired time.Time
}

// KeyringConfig configures a [Keyring].
type KeyringConfig struct {
	// Keys are the ring's keys in any order, usually from [ParseKeyFile]. None makes an empty ring, which signs nothing
	// until [Keyring.Rotate] gives it a key.
	Keys []KeyEntry
	// CacheLifetime is the longest time for which a verifier may use a JWK Set without asking again. A new key is published
	// that much before it signs; the handler that serves the set should send it as max-age. Default 1 h, from 1 s to 24 h.
	CacheLifetime time.Duration
	// TokenLifetime is the longest lifetime of a token that the ring signs. A retired key can be verified with for that
	// much longer, and a minute for clocks that differ. Default 2 h, from 1 s to 24 h.
	TokenLifetime time.Duration
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
}

// Keyring holds the keys that sign access tokens and the ones that have. Each key goes from published to signing to
// retired by the clock alone, so every node that reads the same key file does the same at the same time. It is safe for
// concurrent use, and a [jws.KeySource] for verifiers in the same process.
type Keyring struct {
	cacheLifetime time.Duration
	tokenLifetime time.Duration
	now           func() time.Time

	mu   sync.Mutex // held to replace the ring
	ring atomic.Pointer[[]ringKey]
}

// ringKey is an entry with what follows from it and its neighbours. Rings are sorted by the time at which keys sign.
type ringKey struct {
	KeyEntry
	public  []*jws.Key // the one public key, as Keys returns it
	retires time.Time  // zero while no key follows
	gone    time.Time  // when the last token signed has expired; zero while no key follows
}

// NewKeyring makes a ring. It returns an error that names the key and what is wrong with its times.
func NewKeyring(config KeyringConfig) (*Keyring, error) {
	r := &Keyring{
		cacheLifetime: cmp.Or(config.CacheLifetime, time.Hour),
		tokenLifetime: cmp.Or(config.TokenLifetime, defaultTokenLifetime),
		now:           config.Now,
	}
	if r.now == nil {
		r.now = time.Now
	}
	if err := checkDuration("KeyringConfig.CacheLifetime", r.cacheLifetime, time.Second, 24*time.Hour); err != nil {
		return nil, err
	}
	if err := checkDuration("KeyringConfig.TokenLifetime", r.tokenLifetime, time.Second, maxTokenLifetime); err != nil {
		return nil, err
	}
	ring, err := r.build(config.Keys)
	if err != nil {
		return nil, err
	}
	r.ring.Store(&ring)
	return r, nil
}

// CacheLifetime returns how long verifiers may keep the JWK Set.
func (r *Keyring) CacheLifetime() time.Duration { return r.cacheLifetime }

// Signer returns the key that signs now. When there is none it refuses with [jws.Unavailable].
func (r *Keyring) Signer() (*jws.Signer, error) {
	now := r.now()
	for _, k := range slices.Backward(*r.ring.Load()) {
		if k.stage(now) == KeySigning {
			return k.Signer, nil
		}
	}
	return nil, unavailable(errors.New("no key of the ring signs now: rotate the keyring"))
}

// Keys returns the key with the header's key id, whether it is published, signing or retired: a token counts until it
// expires. It implements [jws.KeySource] and refuses any other key id with [jws.UnknownKey].
func (r *Keyring) Keys(_ context.Context, h jws.Header) ([]*jws.Key, error) {
	now := r.now()
	for _, k := range *r.ring.Load() {
		if k.Signer.Key().ID() == h.KeyID && !k.isGone(now) {
			return k.public, nil
		}
	}
	return nil, &jws.Refusal{Check: jws.CheckSignature, Reason: jws.UnknownKey, Claim: "kid", Want: "a key of the keyring"}
}

// JWKS returns the JWK Set (RFC 7517 section 5) of every key that a token may be verified with now or soon.
func (r *Keyring) JWKS() ([]byte, error) {
	now := r.now()
	var keys []*jws.Key
	for _, k := range *r.ring.Load() {
		if !k.isGone(now) {
			keys = append(keys, k.public...)
		}
	}
	return jws.MarshalJWKSet(keys...)
}

// Rotate publishes a new key now. It will sign after one cache lifetime, and the key that signs now retires then. In a
// ring where nothing signs it signs at once. Rotate returns an error when the key has no id of its own or when a key
// that was published before has yet to sign.
func (r *Keyring) Rotate(key *jws.Signer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now().UTC()
	entry := KeyEntry{Signer: key, Published: now, Signs: now}
	for _, k := range *r.ring.Load() {
		switch k.stage(now) {
		case KeyPublished:
			return fmt.Errorf("session: keyring: key %q has yet to sign, at %s: rotate after that", k.Signer.Key().ID(), k.Signs.Format(time.RFC3339))
		case KeySigning:
			entry.Signs = now.Add(r.cacheLifetime)
		}
	}
	ring, err := r.build(append(r.entries(now), entry))
	if err != nil {
		return err
	}
	r.ring.Store(&ring)
	return nil
}

// Replace puts other keys in place of the ring's, after the key file changed. Keys that were in the ring before stay as
// they are; keys that are not there any more lose all trust at once, also for verdicts that are cached: that is how a
// stolen key is removed. On an error the ring is as it was.
func (r *Keyring) Replace(keys []KeyEntry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := *r.ring.Load()
	keys = slices.Clone(keys)
	for n := range keys {
		if i := indexOf(old, keys[n].Signer); i >= 0 {
			keys[n].Signer = old[i].Signer
		}
	}
	ring, err := r.build(keys)
	if err != nil {
		return err
	}
	r.ring.Store(&ring)
	for _, k := range old {
		if indexOf(ring, k.Signer) < 0 {
			k.public[0].Distrust()
		}
	}
	return nil
}

// indexOf finds the entry with the same key id and the same key.
func indexOf(ring []ringKey, s *jws.Signer) int {
	return slices.IndexFunc(ring, func(k ringKey) bool {
		return s != nil && k.Signer.Key().ID() == s.Key().ID() && k.Signer.Key().Thumbprint() == s.Key().Thumbprint()
	})
}

// entries returns the entries that still matter.
func (r *Keyring) entries(now time.Time) []KeyEntry {
	var entries []KeyEntry
	for _, k := range *r.ring.Load() {
		if !k.isGone(now) {
			entries = append(entries, k.KeyEntry)
		}
	}
	return entries
}

// build sorts and checks entries and works out when each retires.
func (r *Keyring) build(entries []KeyEntry) ([]ringKey, error) {
	ring := make([]ringKey, 0, len(entries))
	for n, e := range entries {
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("session: keyring: key %d: %v", n, err)
		}
		e.Published, e.Signs, e.Retired = e.Published.UTC(), e.Signs.UTC(), e.Retired.UTC()
		ring = append(ring, ringKey{KeyEntry: e, public: []*jws.Key{e.Signer.Key()}})
	}
	slices.SortStableFunc(ring, func(a, b ringKey) int { return a.Signs.Compare(b.Signs) })
	for n := range ring {
		if err := r.checkPlace(ring, n); err != nil {
			return nil, fmt.Errorf("session: keyring: key %q: %v", ring[n].Signer.Key().ID(), err)
		}
		ring[n].retire(ring[n+1:], r.tokenLifetime)
	}
	return ring, nil
}

func (e KeyEntry) check() error {
	switch {
	case e.Signer == nil:
		return errors.New("field Signer is missing")
	case e.Signer.Key().ID() == "":
		return errors.New("it has no key id (kid)")
	case e.Signer.Key().Algorithm() == jws.HS256:
		return errors.New("an HS256 key cannot be published: use EdDSA, ES256 or RS256")
	case e.Published.IsZero():
		return errors.New("field Published is missing")
	case e.Signs.IsZero():
		return errors.New("field Signs is missing")
	case e.Signs.Before(e.Published):
		return errors.New("it signs before it is published")
	case !e.Retired.IsZero() && e.Retired.Before(e.Signs):
		return errors.New("it retires before it signs")
	}
	return nil
}

// checkPlace checks a key against the ones that sign before it.
func (r *Keyring) checkPlace(ring []ringKey, n int) error {
	k := ring[n]
	for _, other := range ring[:n] {
		if other.Signer.Key().ID() == k.Signer.Key().ID() {
			return errors.New("the key id is there twice")
		}
		if other.Signs.Equal(k.Signs) {
			return fmt.Errorf("it begins to sign at the same time as key %q", other.Signer.Key().ID())
		}
	}
	// What has begun to sign cannot be taken back; only what is still to come is held to the rule.
	if n > 0 && k.Signs.After(r.now()) && k.Signs.Sub(k.Published) < r.cacheLifetime {
		return fmt.Errorf("it must sign at least the cache lifetime of %s after it was published, so not before %s",
			r.cacheLifetime, k.Published.Add(r.cacheLifetime).Format(time.RFC3339))
	}
	return nil
}

// retire works out when the key stops to sign, given the keys that follow, and when its last token has expired.
func (k *ringKey) retire(later []ringKey, tokenLifetime time.Duration) {
	k.retires = k.Retired
	if len(later) > 0 && (k.retires.IsZero() || later[0].Signs.Before(k.retires)) {
		k.retires = later[0].Signs
	}
	if !k.retires.IsZero() {
		k.gone = k.retires.Add(tokenLifetime + clockMargin)
	}
}

func (k *ringKey) isGone(now time.Time) bool { return !k.gone.IsZero() && !now.Before(k.gone) }
