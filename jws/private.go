package jws

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// MarshalJWK returns the PRIVATE JWK, for a key file. A private key that another service holds is an error.
func (s *Signer) MarshalJWK() ([]byte, error) {
	w := s.key.jwk()
	switch p := s.private.(type) {
	case nil:
		w.K = encoding.EncodeToString(s.secret)
	case *rsa.PrivateKey:
		if err := w.setRSA(p); err != nil {
			return nil, err
		}
	case *ecdsa.PrivateKey:
		d, err := p.Bytes()
		if err != nil {
			return nil, errors.New("jws: the EC private key is not valid")
		}
		w.D = encoding.EncodeToString(d)
	case ed25519.PrivateKey:
		w.D = encoding.EncodeToString(p.Seed())
	default:
		return nil, fmt.Errorf("jws: a private key of type %T cannot be written as a JWK", p)
	}
	return json.Marshal(w)
}

func (w *jwk) setRSA(p *rsa.PrivateKey) error {
	if len(p.Primes) != 2 {
		return errors.New("jws: an RSA key of other than two primes cannot be written as a JWK")
	}
	if p.Validate() != nil {
		return errors.New("jws: the RSA private key is not valid")
	}
	own := *p // Precompute writes, and the key may be signing
	p = &own
	p.Precompute()
	w.D, w.P, w.Q = encodeInt(p.D), encodeInt(p.Primes[0]), encodeInt(p.Primes[1])
	w.DP, w.DQ, w.QI = encodeInt(p.Precomputed.Dp), encodeInt(p.Precomputed.Dq), encodeInt(p.Precomputed.Qinv)
	return nil
}

// ParsePrivateJWK parses a PRIVATE JWK: RSA with two primes, EC P-256, OKP Ed25519, or oct of at least 32 bytes. The
// public members must be those of the private key. An alg, use or key_ops that does not say "signs with that" is an
// error. No error holds a member's value.
func ParsePrivateJWK(data []byte) (*Signer, error) {
	o, err := ParseObject(data)
	if err != nil {
		return nil, within("the private JWK", err)
	}
	if kty, _ := o.String("kty"); kty == "oct" {
		kid, secret, err := secretMembers(o, "sign")
		if err != nil {
			return nil, err
		}
		return NewSecretSigner(kid, secret)
	}
	public, err := publicMembers(o)
	if err != nil {
		return nil, err
	}
	private, err := privateMember(o, public)
	if err != nil {
		return nil, err
	}
	kid, err := jwkUse(o, "sign")
	if err != nil {
		return nil, err
	}
	s, err := NewSigner(kid, private)
	if err == nil {
		err = jwkAlgorithm(o, s.key.alg)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

var errPair = errors.New("jws: the JWK's private members do not belong to its public ones")

func privateMember(o Object, public crypto.PublicKey) (crypto.Signer, error) {
	switch p := public.(type) {
	case *rsa.PublicKey:
		return rsaPrivate(o, p)
	case *ecdsa.PublicKey:
		d, err := fixed(o, "d", 32)
		if err != nil {
			return nil, err
		}
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
		if err != nil || !private.PublicKey.Equal(p) {
			return nil, errPair
		}
		return private, nil
	default:
		seed, err := fixed(o, "d", ed25519.SeedSize)
		if err != nil {
			return nil, err
		}
		private := ed25519.NewKeyFromSeed(seed)
		if !bytes.Equal(private[32:], public.(ed25519.PublicKey)) {
			return nil, errPair
		}
		return private, nil
	}
}

func rsaPrivate(o Object, public *rsa.PublicKey) (crypto.Signer, error) {
	if o.Has("oth") {
		return nil, errors.New("jws: a JWK of an RSA key of more than two primes")
	}
	if err := checkRSA(public); err != nil {
		return nil, err
	}
	var numbers [3]*big.Int
	for i, name := range [...]string{"d", "p", "q"} {
		value, err := octets(o, name)
		if err != nil {
			return nil, err
		}
		numbers[i] = new(big.Int).SetBytes(value)
	}
	private := &rsa.PrivateKey{PublicKey: *public, D: numbers[0], Primes: numbers[1:]}
	if private.Validate() != nil {
		return nil, errPair
	}
	private.Precompute()
	return private, nil
}
