package jws

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// checkSignature finds the key that signed the token and sets t.Key. It returns the time, taken after it has waited for
// keys and a slot, so that nothing that ended meanwhile passes.
func (v *Verifier) checkSignature(ctx context.Context, s *scratch, t *Token, in signedBytes) (now time.Time, err error) {
	keys, err := v.keys(ctx, t.header)
	if err != nil {
		return now, unavailable(err)
	}
	if t.header.Algorithm != HS256 {
		if err := v.enter(ctx); err != nil {
			return now, unavailable(err)
		}
		defer v.leave()
	}
	now = v.cfg.Now()
	return now, s.tryKeys(t, in, keys, now)
}

// enter takes a slot, waiting in turn for one as long as the context lives.
func (v *Verifier) enter(ctx context.Context) error {
	select {
	case v.slots <- struct{}{}:
		return nil
	default: // a select of two costs more than the rest of a verification's bookkeeping
	}
	select {
	case v.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave gives back the slot that enter took.
func (v *Verifier) leave() { <-v.slots }

func (v *Verifier) keys(ctx context.Context, h *Header) ([]*Key, error) {
	if v.static != nil {
		return v.static.candidates(h)
	}
	return v.cfg.Keys.Keys(ctx, *h)
}

// tryKeys tries the first few keys whose algorithm is the header's.
func (s *scratch) tryKeys(t *Token, in signedBytes, keys []*Key, now time.Time) error {
	var other *Key
	tried := 0
	for _, k := range keys {
		switch {
		case k == nil || !k.Trusted(now):
		case k.alg != t.header.Algorithm:
			other = k
		case tried == maxCandidates:
		case k.verify(s, in.signed, in.signature):
			t.Key = k
			return nil
		default:
			tried++
		}
	}
	switch {
	case tried > 0:
		return &Refusal{Check: CheckSignature, Reason: BadSignature, Want: "a signature by the key that the header names"}
	case other != nil:
		want := string(other.alg) + ", which is what the key is for"
		return &Refusal{Check: CheckAlgorithm, Reason: AlgorithmRefused, Claim: "alg", Want: want}
	}
	return &Refusal{Check: CheckSignature, Reason: UnknownKey, Claim: "kid", Want: "a trusted key"}
}

// unavailable makes a refusal of a key source's error, unless it is one.
func unavailable(err error) error {
	if ReasonOf(err) != "" {
		return err
	}
	return &Refusal{Check: CheckSignature, Reason: Unavailable, Want: "a key source that answers", Err: err}
}

const (
	maxHeaders     = 16
	maxHeaderBytes = 1024
)

// headerMemory holds the last headers that stood under a good signature and passed the policy, by their encoded text, so
// that they need not be parsed again: what a header says is a function of its text alone. It remembers no key: the key
// source is asked every time.
type headerMemory struct {
	seen atomic.Pointer[[]knownHeader] // newest first, never changed once it is here
	mu   sync.Mutex                    // held to replace seen
}

type knownHeader struct {
	encoded string
	header  *Header
}

// find returns the known header that a token begins with and the place of the dot behind it, nil if there is none. What
// stands before a token's first dot is its header, whatever comes after.
func (m *headerMemory) find(token string) (h *Header, dot int) {
	seen := m.seen.Load()
	if seen == nil {
		return nil, 0
	}
	for i := range *seen {
		known := &(*seen)[i]
		if n := len(known.encoded); n < len(token) && token[n] == '.' && token[:n] == known.encoded {
			return known.header, n
		}
	}
	return nil, 0
}

// remember takes in a header, for which the oldest has to go where there are many.
func (m *headerMemory) remember(encoded string, h *Header) {
	if len(encoded) > maxHeaderBytes {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if h, _ := m.find(encoded + "."); h != nil {
		return // it was taken in meanwhile
	}
	next := []knownHeader{{strings.Clone(encoded), h}}
	if seen := m.seen.Load(); seen != nil {
		next = append(next, (*seen)[:min(len(*seen), maxHeaders-1)]...)
	}
	m.seen.Store(&next)
}
