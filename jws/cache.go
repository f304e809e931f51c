package jws

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

const (
	ways = 8
	kept = 16
	// maxHeat bounds how often an entry survives others that want its place.
	maxHeat = 3
	// maxCached is the longest token that is looked up, in bytes.
	maxCached = 64 << 10
)

// Cache remembers the verdicts of one policy: what a caller made of an accepted token, such as an identity. It must
// never be shared between two policies.
//
// Refused tokens never enter it, so a flood of bad ones evicts nobody. An accepted one enters when it is accepted for the
// second time: many are used once, at an exchange or for a socket that then lives for hours, and what was made of them
// would only take memory. Of those that enter, the ones that are used again outlive the others.
//
// No token is kept, only 16 bytes made from it under a key that lives as long as the process. Every hit checks exp, nbf
// and the trust of the key that verified the token; revocation is for the caller to check, again at every hit.
//
// A Cache is safe for concurrent use and takes no lock. A nil *Cache remembers nothing.
type Cache[T any] struct {
	sets []set[T]
	mask uint64
}

// set is the eight places that a token can have, and what is left of those that have none.
type set[T any] struct {
	ways [ways]atomic.Pointer[entry[T]]
	lost tags // of the last evicted entries: who comes back soon enters with some heat
	seen tags // of the last tokens that came once
}

// tags are parts of the digests of the last tokens of a kind.
type tags struct {
	last [kept]atomic.Uint32
	next atomic.Uint32
}

func (t *tags) add(tag uint32) { t.last[t.next.Add(1)%kept].Store(tag) }

// forget reports whether a tag is among them, and takes it away.
func (t *tags) forget(tag uint32) bool {
	for i := range t.last {
		if t.last[i].Load() == tag {
			return t.last[i].CompareAndSwap(tag, 0)
		}
	}
	return false
}

type entry[T any] struct {
	digest         digest
	key            *Key
	expiry, before int64 // Unix seconds
	value          *T
	heat           atomic.Uint32
}

// NewCache returns a cache for about that many tokens (rounded up to a power of two, at least 8), or nil, which
// remembers nothing, if entries is not positive.
func NewCache[T any](entries int) *Cache[T] {
	if entries <= 0 {
		return nil
	}
	n := 1 << bits.Len(uint((entries-1)/ways))
	return &Cache[T]{sets: make([]set[T], n), mask: uint64(n - 1)}
}

// Get returns what Put remembered for exactly this token, if it holds at now.
func (c *Cache[T]) Get(token string, now time.Time) (*T, bool) {
	if c == nil || len(token) > maxCached {
		return nil, false
	}
	d := digestOf(token)
	s := c.set(d)
	for i := range s.ways {
		e := s.ways[i].Load()
		if e == nil || e.digest != d {
			continue
		}
		if !e.holds(now) {
			s.ways[i].CompareAndSwap(e, nil)
			return nil, false
		}
		if heat := e.heat.Load(); heat < maxHeat {
			e.heat.Store(heat + 1)
		}
		return e.value, true
	}
	return nil, false
}

// Put remembers v for a token that a Verifier accepted as t, unless this is the first time. It copies the bounds exp and
// nbf and refers to t.Key.
func (c *Cache[T]) Put(token string, t *Token, v *T) {
	if c == nil || len(token) > maxCached || t == nil || t.Key == nil {
		return
	}
	d := digestOf(token)
	s, heat := c.set(d), uint32(0)
	switch tag := d.tag(); {
	case s.lost.forget(tag):
		heat = 1
	case !s.seen.forget(tag) && !s.has(d):
		s.seen.add(tag)
		return
	}
	e := &entry[T]{digest: d, key: t.Key, expiry: t.Expiry, before: t.NotBefore, value: v}
	e.heat.Store(heat)
	if old := s.ways[s.place(d)].Swap(e); old != nil && old.digest != d {
		s.lost.add(old.digest.tag())
	}
}

func (s *set[T]) has(d digest) bool {
	for i := range s.ways {
		if e := s.ways[i].Load(); e != nil && e.digest == d {
			return true
		}
	}
	return false
}

func (c *Cache[T]) set(d digest) *set[T] {
	// The digest is linear in the token's bits; a product is not, so similar tokens spread over the sets.
	low, high := binary.LittleEndian.Uint64(d[:8]), binary.LittleEndian.Uint64(d[8:])
	mixed, carry := bits.Mul64(low^0x9e3779b97f4a7c15, high|1)
	return &c.sets[(mixed^carry)&c.mask]
}

func (e *entry[T]) holds(now time.Time) bool {
	unix := now.Unix()
	return unix < e.expiry && e.before <= unix+leeway && e.key.Trusted(now)
}

// place returns the way for a digest: its own, else a free one, else that of the coldest entry. If none is cold, all
// lose heat: who is not used any more makes room in the end.
func (s *set[T]) place(d digest) int {
	coldest, least := 0, uint32(maxHeat+2)
	for i := range s.ways {
		e := s.ways[i].Load()
		if e != nil && e.digest == d {
			return i
		}
		heat := uint32(0)
		if e != nil {
			heat = e.heat.Load() + 1
		}
		if heat < least {
			coldest, least = i, heat
		}
	}
	if least > 1 {
		s.cool()
	}
	return coldest
}

func (s *set[T]) cool() {
	for i := range s.ways {
		if e := s.ways[i].Load(); e != nil {
			if heat := e.heat.Load(); heat > 0 {
				e.heat.Store(heat - 1)
			}
		}
	}
}

// digest stands for a token.
type digest [16]byte

// tag returns a part of the digest that does not select the set.
func (d digest) tag() uint32 { return binary.LittleEndian.Uint32(d[8:]) | 1 }

// digester is the process's key for digests.
type digester struct {
	aead cipher.AEAD // nil where GCM with a fixed nonce is not to be had (FIPS 140-only mode)
	key  [32]byte
	// nonce is always the same, which is safe as long as nobody sees a tag.
	nonce [12]byte
}

// processDigester makes the key when first used. A GMAC under a secret key and one nonce is a universal hash: nobody
// who does not see its values can find two tokens with the same one.
var processDigester = sync.OnceValue(func() *digester {
	d := new(digester)
	rand.Read(d.key[:])
	if block, err := aes.NewCipher(d.key[:16]); err == nil {
		if aead, err := cipher.NewGCM(block); err == nil {
			d.aead = aead
		}
	}
	return d
})

func digestOf(token string) digest { return processDigester().digest(token) }

func (d *digester) digest(token string) digest {
	s := scratches.Get().(*scratch)
	defer s.release()
	if d.aead == nil {
		s.buf = append(append(s.buf[:0], d.key[:]...), token...)
		s.sum = sha256.Sum256(s.buf)
		return digest(s.sum[:16])
	}
	s.buf = append(s.buf[:0], token...)
	return digest(d.aead.Seal(s.der[:0], d.nonce[:], nil, s.buf))
}
