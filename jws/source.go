package jws

import "context"

// maxCandidates is the most keys that one token is tried with.
const maxCandidates = 3

// KeySource finds the keys that may have signed a token. A user's own key store implements it.
//
// Keys returns the candidates for a header that nobody has verified yet; at most 3 are tried, and only those whose
// algorithm is the header's. No candidate is an error: a *[Refusal] with reason UnknownKey, or Unavailable if the
// source cannot tell now. It may be called by many goroutines at once, and the slice stays the source's.
type KeySource interface {
	Keys(ctx context.Context, h Header) ([]*Key, error)
}

// StaticKeys is a KeySource of keys that do not change.
//
// A token with a kid is tried with the keys of exactly that ID, and if there is none with the keys that have no ID. A
// token without a kid is tried with the keys of its algorithm. Both are tried with 3 keys at most.
type StaticKeys []*Key

// Keys returns the candidates for a header or a *[Refusal] with reason UnknownKey.
func (s StaticKeys) Keys(_ context.Context, h Header) ([]*Key, error) { return s.candidates(&h) }

// candidates is Keys without the copies of a header that a call through an interface makes.
func (s StaticKeys) candidates(h *Header) ([]*Key, error) {
	if h.KeyID != "" {
		if found := s.pick(h, (*Key).hasID); len(found) > 0 {
			return found, nil
		}
	}
	found := s.pick(h, (*Key).takesAnyID)
	if len(found) == 0 {
		return nil, &Refusal{Check: CheckSignature, Reason: UnknownKey, Claim: "kid", Want: "a key of this verifier"}
	}
	return found, nil
}

// hasID reports whether a header names the key.
func (k *Key) hasID(h *Header) bool { return k.id == h.KeyID }

// takesAnyID reports whether the key is for a header's algorithm where no key is named, or none that there is.
func (k *Key) takesAnyID(h *Header) bool {
	return k.alg == h.Algorithm && (h.KeyID == "" || k.id == "")
}

// pick returns the first few keys that fit. It allocates only if they are not neighbours.
func (s StaticKeys) pick(h *Header, fits func(*Key, *Header) bool) []*Key {
	if len(s) == 1 && s[0] != nil && fits(s[0], h) {
		return s[:1:1]
	}
	var found []*Key
	for i, k := range s {
		switch {
		case len(found) == maxCandidates:
			return found
		case k == nil || !fits(k, h):
		case found == nil:
			found = s[i : i+1 : i+1]
		case &s[i-1] == &found[len(found)-1]:
			found = s[i-len(found) : i+1 : i+1]
		default:
			found = append(found, k)
		}
	}
	return found
}
