package jws

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"unicode/utf8"
)

// Signer makes tokens with one key and its one algorithm. It is safe for concurrent use if its crypto.Signer is.
type Signer struct {
	key     *Key
	sign    func(signed []byte) (signature []byte, err error)
	private crypto.Signer // nil for HS256
	secret  []byte        // nil unless HS256
}

// NewSigner returns a signer for a private key, held in memory or by a key service. The kind of its public key decides
// the algorithm as in [NewKey].
func NewSigner(kid string, private crypto.Signer) (*Signer, error) {
	if private == nil {
		return nil, errors.New("jws: no private key")
	}
	key, err := NewKey(kid, private.Public())
	if err != nil {
		return nil, err
	}
	s := &Signer{key: key, private: private}
	switch key.alg {
	case RS256:
		s.sign = s.signRSA
	case ES256:
		s.sign = s.signECDSA
	default:
		s.sign = s.signEdDSA
	}
	return s, nil
}

// NewSecretSigner returns an HS256 signer for a secret as [NewSecretKey] takes it.
func NewSecretSigner(kid string, secret []byte) (*Signer, error) {
	key, err := NewSecretKey(kid, secret)
	return newSecretSigner(key, secret, err)
}

// InsecureSecretSigner returns an HS256 signer for a secret as [InsecureSecretKey] takes it.
func InsecureSecretSigner(kid string, secret []byte) (*Signer, error) {
	key, err := InsecureSecretKey(kid, secret)
	return newSecretSigner(key, secret, err)
}

func newSecretSigner(key *Key, secret []byte, err error) (*Signer, error) {
	if err != nil {
		return nil, err
	}
	m := newMACs(secret)
	sign := func(signed []byte) ([]byte, error) { return m.appendSum(nil, signed), nil }
	return &Signer{key: key, sign: sign, secret: append([]byte(nil), secret...)}, nil
}

// Key returns the verification key.
func (s *Signer) Key() *Key { return s.key }

// String names the signer by its algorithm and kid. No part of the private key is in it.
func (s Signer) String() string {
	if s.key == nil {
		return "jws.Signer(none)"
	}
	return fmt.Sprintf("jws.Signer(%s %q)", s.key.alg, s.key.id)
}

// GoString is String.
func (s Signer) GoString() string { return s.String() }

// Format prints String whatever the verb, of a copy too: %d would write the private key's numbers.
func (s Signer) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// Sign returns the compact token over claims, the text of a JSON object that [ParseObject] takes. The header has alg,
// and kid and typ where they are not empty. The error is about the claims, typ or the key service.
func (s *Signer) Sign(typ string, claims []byte) (string, error) {
	if _, err := ParseObject(claims); err != nil {
		return "", within("the claims to sign", err)
	}
	if !utf8.ValidString(typ) {
		return "", errors.New("jws: the typ to sign is no valid UTF-8")
	}
	header, err := json.Marshal(struct {
		Algorithm Algorithm `json:"alg"`
		KeyID     string    `json:"kid,omitempty"`
		Type      string    `json:"typ,omitempty"`
	}{s.key.alg, s.key.id, typ})
	if err != nil {
		return "", fmt.Errorf("jws: the header to sign: %w", err)
	}
	text := make([]byte, 0, encoding.EncodedLen(len(header)+len(claims)+maxModulus/8)+4)
	text = encoding.AppendEncode(text, header)
	text = append(text, '.')
	text = encoding.AppendEncode(text, claims)
	signature, err := s.sign(text)
	if err != nil {
		return "", fmt.Errorf("jws: signing with %s key %q: %w", s.key.alg, s.key.id, err)
	}
	text = append(text, '.')
	return string(encoding.AppendEncode(text, signature)), nil
}

func (s *Signer) signRSA(signed []byte) ([]byte, error) {
	sum := sha256.Sum256(signed)
	return s.private.Sign(rand.Reader, sum[:], crypto.SHA256)
}

func (s *Signer) signEdDSA(signed []byte) ([]byte, error) {
	return s.private.Sign(rand.Reader, signed, crypto.Hash(0))
}

// signECDSA turns the ASN.1 of crypto.Signer into the 64 bytes of RFC 7518 section 3.4.
func (s *Signer) signECDSA(signed []byte) ([]byte, error) {
	sum := sha256.Sum256(signed)
	der, err := s.private.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &pair); err != nil || len(rest) > 0 || !fits(pair.R) || !fits(pair.S) {
		return nil, errors.New("the signature is no ECDSA signature on P-256")
	}
	signature := make([]byte, 64)
	pair.R.FillBytes(signature[:32])
	pair.S.FillBytes(signature[32:])
	return signature, nil
}

func fits(n *big.Int) bool { return n.Sign() > 0 && n.BitLen() <= 256 }
