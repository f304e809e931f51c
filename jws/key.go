package jws

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"math"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// minSecret is the shortest HS256 key in bytes (RFC 7518 section 3.2: as long as the hash).
const minSecret = 32

// Key is a verification key. It is bound to one algorithm for its life (RFC 8725 section 3.1): a token's header can
// select a key and never what is done with it. A Key is safe for concurrent use and must not be copied.
type Key struct {
	id     string
	alg    Algorithm
	public crypto.PublicKey
	// verify reports whether signature is that of signed; s is room to work in.
	verify func(s *scratch, signed, signature []byte) bool
	// thumbprint is computed when first asked for.
	thumbprint func() string

	distrusted atomic.Bool
	until      atomic.Int64 // Unix nanoseconds; 0 = no bound
}

// NewKey returns the verification key for a public key, which decides the algorithm: *rsa.PublicKey is for RS256 (2048
// to 8192 bits, an odd exponent of at least 3, no ROCA modulus), *ecdsa.PublicKey on P-256 for ES256, ed25519.PublicKey
// for EdDSA. kid may be "": such a key is tried whatever kid a token names.
func NewKey(kid string, public crypto.PublicKey) (*Key, error) {
	if err := checkID(kid); err != nil {
		return nil, err
	}
	k := &Key{id: kid, public: public}
	var err error
	switch p := public.(type) {
	case *rsa.PublicKey:
		k.alg, k.verify, err = RS256, verifyRSA(p), checkRSA(p)
	case *ecdsa.PublicKey:
		k.alg, k.verify, err = ES256, verifyECDSA(p), checkECDSA(p)
	case ed25519.PublicKey:
		k.alg, k.verify, err = EdDSA, verifyEdDSA(p), checkEdDSA(p)
	default:
		err = fmt.Errorf("jws: a public key of type %T; want *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey", public)
	}
	if err != nil {
		return nil, err
	}
	k.thumbprint = sync.OnceValue(k.computeThumbprint)
	return k, nil
}

// NewSecretKey returns the HS256 verification key for a secret of at least 32 bytes that are not all the same.
func NewSecretKey(kid string, secret []byte) (*Key, error) {
	if len(secret) < minSecret {
		return nil, fmt.Errorf("jws: an HS256 secret of %d bytes; want at least %d random ones", len(secret), minSecret)
	}
	if bytes.Count(secret, secret[:1]) == len(secret) {
		return nil, errors.New("jws: an HS256 secret whose bytes are all the same; want at least 32 random ones")
	}
	return InsecureSecretKey(kid, secret)
}

// InsecureSecretKey is NewSecretKey for a secret that can be guessed: one that is short or publicly known, such as a
// product's default. Whoever guesses it can make any token. The empty secret is refused here, too.
func InsecureSecretKey(kid string, secret []byte) (*Key, error) {
	if len(secret) == 0 {
		return nil, errors.New("jws: an empty HS256 secret; want at least 32 random bytes")
	}
	if err := checkID(kid); err != nil {
		return nil, err
	}
	if err := checkMAC(secret); err != nil {
		return nil, err
	}
	return &Key{
		id:         kid,
		alg:        HS256,
		verify:     verifyHMAC(newMACs(secret)),
		thumbprint: func() string { return "" },
	}, nil
}

func checkID(kid string) error {
	if len(kid) > maxKeyID || !utf8.ValidString(kid) {
		return errors.New("jws: a kid that is no valid UTF-8 of at most 512 bytes")
	}
	return nil
}

// ID returns the key's kid, "" if it has none.
func (k *Key) ID() string { return k.id }

// Algorithm returns the one algorithm that the key is for.
func (k *Key) Algorithm() Algorithm { return k.alg }

// Public returns the public key, nil for HS256.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Thumbprint returns the key's JWK thumbprint with SHA-256 in base64url (RFC 7638). It is "" for HS256: the thumbprint
// of a secret would help to guess it (RFC 7638 section 7).
func (k *Key) Thumbprint() string { return k.thumbprint() }

// String names the key by its algorithm and kid. No part of a secret is in it.
func (k *Key) String() string { return fmt.Sprintf("jws.Key(%s %q)", k.alg, k.id) }

// GoString is String.
func (k *Key) GoString() string { return k.String() }

// Distrust withdraws the key for good: it verifies nothing any more, and verdicts that rest on it fall out of every
// [Cache]. A key source calls it when a key has left its set.
func (k *Key) Distrust() { k.distrusted.Store(true) }

// TrustUntil sets the time from which on the key is not trusted; the zero time means no bound. A key source that cannot
// reach its issuer bounds with it how long it goes by old knowledge. A distrusted key stays distrusted.
func (k *Key) TrustUntil(t time.Time) {
	if t.IsZero() {
		k.until.Store(0)
		return
	}
	k.until.Store(unixNano(t))
}

// Trusted reports whether the key may be relied on at a time.
func (k *Key) Trusted(now time.Time) bool {
	until := k.until.Load()
	return !k.distrusted.Load() && (until == 0 || unixNano(now) < until)
}

// unixNano is t in nanoseconds since 1970, held within what the type can say and never 0, which means no bound.
func unixNano(t time.Time) int64 {
	switch s := t.Unix(); {
	case s >= math.MaxInt64/int64(time.Second):
		return math.MaxInt64
	case s < 0:
		return 1
	default:
		return max(t.UnixNano(), 1)
	}
}

func verifyRSA(p *rsa.PublicKey) func(*scratch, []byte, []byte) bool {
	return func(s *scratch, signed, signature []byte) bool {
		s.sum = sha256.Sum256(signed)
		return rsa.VerifyPKCS1v15(p, crypto.SHA256, s.sum[:], signature) == nil
	}
}

func checkECDSA(p *ecdsa.PublicKey) error {
	if p == nil || p.X == nil || p.Y == nil {
		return errors.New("jws: an EC key without a point")
	}
	if p.Curve != elliptic.P256() {
		return errors.New("jws: an EC key on another curve than P-256")
	}
	if _, err := p.ECDH(); err != nil {
		return errors.New("jws: an EC key that is no point of P-256")
	}
	return nil
}

func verifyECDSA(p *ecdsa.PublicKey) func(*scratch, []byte, []byte) bool {
	return func(s *scratch, signed, signature []byte) bool {
		der, ok := appendDER(s.der[:0], signature)
		if !ok {
			return false
		}
		s.sum = sha256.Sum256(signed)
		return ecdsa.VerifyASN1(p, s.sum[:], der)
	}
}

// appendDER turns the 64 bytes of r and s (RFC 7518 section 3.4) into an ASN.1 SEQUENCE of two INTEGERs. Zero is refused
// here, whatever the library does with it (CVE-2022-21449).
func appendDER(dst, signature []byte) ([]byte, bool) {
	if len(signature) != 64 {
		return nil, false
	}
	dst = append(dst, 0x30, 0)
	for _, n := range [][]byte{signature[:32], signature[32:]} {
		n = bytes.TrimLeft(n, "\x00")
		if len(n) == 0 {
			return nil, false
		}
		if n[0] >= 0x80 {
			dst = append(dst, 0x02, byte(len(n)+1), 0)
		} else {
			dst = append(dst, 0x02, byte(len(n)))
		}
		dst = append(dst, n...)
	}
	dst[1] = byte(len(dst) - 2)
	return dst, true
}

func verifyEdDSA(p ed25519.PublicKey) func(*scratch, []byte, []byte) bool {
	return func(_ *scratch, signed, signature []byte) bool { return ed25519.Verify(p, signed, signature) }
}

// checkMAC makes an HMAC once: in FIPS 140-only mode a short key panics, which must not wait for the first token.
func checkMAC(secret []byte) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("jws: an HS256 secret that FIPS 140-only mode does not take; want at least 14 bytes")
		}
	}()
	hmac.New(sha256.New, secret)
	return nil
}

// macs is a pool of HMAC-SHA-256 states that hold one secret: to reset one costs half of what a new one does.
type macs struct{ pool sync.Pool }

func newMACs(secret []byte) *macs {
	secret = bytes.Clone(secret)
	return &macs{sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }}}
}

// appendSum appends the HMAC of message to dst.
func (m *macs) appendSum(dst, message []byte) []byte {
	h := m.pool.Get().(hash.Hash)
	defer m.pool.Put(h)
	return sum(h, dst, message)
}

// sum appends the HMAC of message to dst and leaves h as it was.
func sum(h hash.Hash, dst, message []byte) []byte {
	h.Write(message)
	dst = h.Sum(dst)
	h.Reset()
	return dst
}

// macFor returns the HMAC of the scratch, which is one of m.
func (s *scratch) macFor(m *macs) hash.Hash {
	if s.macOf == m {
		return s.mac
	}
	if s.macOf != nil {
		s.macOf.pool.Put(s.mac)
	}
	s.mac, s.macOf = m.pool.Get().(hash.Hash), m
	return s.mac
}

func verifyHMAC(m *macs) func(*scratch, []byte, []byte) bool {
	return func(s *scratch, signed, signature []byte) bool {
		return hmac.Equal(sum(s.macFor(m), s.der[:0], signed), signature)
	}
}
