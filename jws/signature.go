package jws

import (
	"context"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// checkSignature finds the key that signed the token and sets t.Key. It returns the time, taken after it has waited for
// keys and a slot, so that nothing that ended meanwhile passes.
func (v *Verifier) checkSignature(ctx context.Context, s *scratch, t *Token, in signedBytes) (now time.Time, err error) {
	keys, err := v.keys(ctx, &t.Header)
	if err != nil {
		return now, unavailable(err)
	}
	if t.Header.Algorithm == HS256 {
		now = v.cfg.Now()
		return now, s.tryKeys(t, in, keys, now)
	}
	if err := v.enter(ctx); err != nil {
		return now, unavailable(err)
	}
	defer func() { <-v.slots }()
	now = v.cfg.Now()
	return now, s.tryKeys(t, in, keys, now)
}

func (v *Verifier) keys(ctx context.Context, h *Header) ([]*Key, error) {
	if v.static != nil {
		return v.static.candidates(h)
	}
	return v.cfg.Keys.Keys(ctx, *h)
}

// enter takes a slot, waiting for one as long as the context lives.
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

// tryKeys tries the first few keys whose algorithm is the header's.
func (s *scratch) tryKeys(t *Token, in signedBytes, keys []*Key, now time.Time) error {
	var other *Key
	tried := 0
	for _, k := range keys {
		switch {
		case k == nil || !k.Trusted(now):
		case k.alg != t.Header.Algorithm:
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
	maxHeaders     = 32
	maxHeaderBytes = 1024
)

// headerMemory holds headers that stood under a good signature and passed the policy, by their encoded text, so that
// they need not be parsed again. It remembers no key: the key source is asked every time.
type headerMemory struct {
	seen atomic.Pointer[map[string]*Header]
	mu   sync.Mutex // held to replace seen
}

// lookup returns nil for a header that was not seen.
func (m *headerMemory) lookup(encoded string) *Header {
	seen := m.seen.Load()
	if seen == nil {
		return nil
	}
	return (*seen)[encoded]
}

func (m *headerMemory) remember(encoded string, h Header) {
	if seen := m.seen.Load(); len(encoded) > maxHeaderBytes || (seen != nil && len(*seen) >= maxHeaders) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	next := map[string]*Header{strings.Clone(encoded): &h}
	if seen := m.seen.Load(); seen != nil {
		maps.Copy(next, *seen)
	}
	if len(next) <= maxHeaders {
		m.seen.Store(&next)
	}
}
