package jwks

import (
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

// keySet is one good answer of the issuer, indexed. It never changes once it is published.
type keySet struct {
	keys      []*jws.Key
	byWhat    map[keyIdentity]*jws.Key
	byID      map[string][]*jws.Key
	anonymous map[jws.Algorithm][]*jws.Key
	skipped   int
	fetchedAt time.Time
	staleAt   time.Time
}

// keyIdentity is what makes two keys the same one.
type keyIdentity struct {
	id         string
	algorithm  jws.Algorithm
	thumbprint string
}

func identify(key *jws.Key) keyIdentity {
	return keyIdentity{key.ID(), key.Algorithm(), key.Thumbprint()}
}

// newKeySet indexes keys. A key that the set before has already keeps its identity, so that cached verdicts that
// rest on it hold.
func newKeySet(keys []*jws.Key, before *keySet) *keySet {
	set := &keySet{
		byWhat: make(map[keyIdentity]*jws.Key), byID: make(map[string][]*jws.Key), anonymous: make(map[jws.Algorithm][]*jws.Key),
	}
	for _, key := range keys {
		if known := before.same(key); known != nil {
			key = known
		}
		set.keys = append(set.keys, key)
		set.byWhat[identify(key)] = key
		if key.ID() != "" {
			set.byID[key.ID()] = append(set.byID[key.ID()], key)
		}
		set.anonymous[key.Algorithm()] = append(set.anonymous[key.Algorithm()], key)
	}
	for algorithm, candidates := range set.anonymous {
		if len(candidates) != 1 {
			delete(set.anonymous, algorithm)
		}
	}
	return set
}

// same returns the set's key that equals key in everything, nil if there is none.
func (set *keySet) same(key *jws.Key) *jws.Key {
	if set == nil {
		return nil
	}
	return set.byWhat[identify(key)]
}

// missing returns the set's keys that other does not have.
func (set *keySet) missing(other *keySet) []*jws.Key {
	if set == nil {
		return nil
	}
	var gone []*jws.Key
	for _, key := range set.keys {
		if other.same(key) == nil {
			gone = append(gone, key)
		}
	}
	return gone
}

// serves says whether the set's keys may be used now.
func (set *keySet) serves(now time.Time) bool { return set != nil && now.Before(set.staleAt) }

// size is how many keys there are.
func (set *keySet) size() int {
	if set == nil {
		return 0
	}
	return len(set.keys)
}

// find returns the keys for a header: those of its kid, or without a kid the only key of its algorithm.
func (set *keySet) find(h jws.Header) []*jws.Key {
	if h.KeyID != "" {
		return set.byID[h.KeyID]
	}
	return set.anonymous[h.Algorithm]
}
