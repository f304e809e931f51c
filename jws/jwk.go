package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// privateMembers are the JWK members that hold secrets (RFC 7518 sections 6.2.2, 6.3.2 and 6.4, RFC 8037 section 2).
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// ParseJWK parses one public JWK (RFC 7517): RSA, EC on P-256, or OKP with Ed25519 (RFC 8037). Without alg the kind of
// the key decides; an alg, use or key_ops that does not say "verifies with that" is an error, and so is a private member
// or a secret key (for those see [ParsePrivateJWK] and [ParseSecretJWK]).
func ParseJWK(data []byte) (*Key, error) {
	o, err := ParseObject(data)
	if err != nil {
		return nil, within("the JWK", err)
	}
	return publicJWK(o)
}

func publicJWK(o Object) (*Key, error) {
	if kty, _ := o.String("kty"); kty == "oct" {
		return nil, errors.New("jws: a secret key (kty oct) where a public one belongs")
	}
	for _, name := range privateMembers {
		if o.Has(name) {
			return nil, errors.New("jws: a private key where a public one belongs")
		}
	}
	public, err := publicMembers(o)
	if err != nil {
		return nil, err
	}
	kid, err := jwkUse(o, "verify")
	if err != nil {
		return nil, err
	}
	key, err := NewKey(kid, public)
	if err == nil {
		err = jwkAlgorithm(o, key.alg)
	}
	if err != nil {
		return nil, err
	}
	return key, nil
}

// ParseSecretJWK parses a JWK of kty oct (RFC 7518 section 6.4) as an HS256 verification key of at least 32 bytes.
func ParseSecretJWK(data []byte) (*Key, error) {
	o, err := ParseObject(data)
	if err != nil {
		return nil, within("the JWK", err)
	}
	kid, secret, err := secretMembers(o, "verify")
	if err != nil {
		return nil, err
	}
	return NewSecretKey(kid, secret)
}

// secretMembers reads an oct JWK for one use.
func secretMembers(o Object, use string) (kid string, secret []byte, err error) {
	if kty, _ := o.String("kty"); kty != "oct" {
		return "", nil, errors.New("jws: the JWK's kty is not oct")
	}
	if secret, err = octets(o, "k"); err != nil {
		return "", nil, err
	}
	if kid, err = jwkUse(o, use); err != nil {
		return "", nil, err
	}
	return kid, secret, jwkAlgorithm(o, HS256)
}

// jwkUse returns the kid if use and key_ops (RFC 7517 sections 4.2 and 4.3) allow an operation: "sign" or "verify".
func jwkUse(o Object, operation string) (kid string, err error) {
	kid, ok := o.String("kid")
	if o.Has("kid") && !ok {
		return "", errors.New("jws: the JWK's kid is no string")
	}
	if use, _ := o.String("use"); o.Has("use") && use != "sig" {
		return "", errors.New("jws: the JWK's use is not sig")
	}
	if !o.Has("key_ops") {
		return kid, nil
	}
	operations, ok := o.Strings("key_ops")
	if !ok || o.Raw("key_ops")[0] != '[' || !slices.Contains(operations, operation) {
		return "", fmt.Errorf("jws: the JWK's key_ops do not list %s", operation)
	}
	return kid, nil
}

func jwkAlgorithm(o Object, want Algorithm) error {
	if alg, _ := o.String("alg"); o.Has("alg") && Algorithm(alg) != want {
		return fmt.Errorf("jws: the JWK's alg is not %s, which is what this kind of key is for", want)
	}
	return nil
}

// publicMembers reads the public key of any kind.
func publicMembers(o Object) (crypto.PublicKey, error) {
	kty, _ := o.String("kty")
	crv, _ := o.String("crv")
	switch {
	case kty == "RSA":
		return rsaMembers(o)
	case kty == "EC" && crv == "P-256":
		return ecMembers(o)
	case kty == "OKP" && crv == "Ed25519":
		x, err := fixed(o, "x", ed25519.PublicKeySize)
		return ed25519.PublicKey(x), err
	}
	return nil, errors.New("jws: a JWK of another kind than RSA, EC P-256 or OKP Ed25519")
}

func rsaMembers(o Object) (*rsa.PublicKey, error) {
	n, err := octets(o, "n")
	if err != nil {
		return nil, err
	}
	e, err := octets(o, "e")
	if err != nil {
		return nil, err
	}
	exponent := new(big.Int).SetBytes(e)
	if exponent.BitLen() > 31 {
		return nil, errors.New("jws: an RSA exponent above 2^31-1")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, nil
}

func ecMembers(o Object) (*ecdsa.PublicKey, error) {
	x, err := fixed(o, "x", 32)
	if err != nil {
		return nil, err
	}
	y, err := fixed(o, "y", 32)
	if err != nil {
		return nil, err
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, errors.New("jws: an EC key that is no point of P-256")
	}
	return public, nil
}

// octets reads a base64url member that is not empty.
func octets(o Object, name string) ([]byte, error) {
	text, _ := o.String(name)
	value, ok := decode(nil, text)
	if !ok || len(value) == 0 {
		return nil, fmt.Errorf("jws: the JWK's %s is not there or no canonical base64url", name)
	}
	return value, nil
}

// fixed reads a base64url member of a fixed length in bytes (RFC 7518 section 6.2.1.2: leading zeros stay).
func fixed(o Object, name string, size int) ([]byte, error) {
	value, err := octets(o, name)
	if err == nil && len(value) != size {
		err = fmt.Errorf("jws: the JWK's %s has %d bytes; want %d", name, len(value), size)
	}
	return value, err
}

// jwk is a JWK to be written. The order of the members is the order in the output.
type jwk struct {
	KeyType   string    `json:"kty"`
	KeyID     string    `json:"kid,omitempty"`
	Use       string    `json:"use"`
	Algorithm Algorithm `json:"alg"`
	Curve     string    `json:"crv,omitempty"`
	N         string    `json:"n,omitempty"`
	E         string    `json:"e,omitempty"`
	X         string    `json:"x,omitempty"`
	Y         string    `json:"y,omitempty"`
	D         string    `json:"d,omitempty"`
	P         string    `json:"p,omitempty"`
	Q         string    `json:"q,omitempty"`
	DP        string    `json:"dp,omitempty"`
	DQ        string    `json:"dq,omitempty"`
	QI        string    `json:"qi,omitempty"`
	K         string    `json:"k,omitempty"`
}

// jwk returns the public members.
func (k *Key) jwk() jwk {
	w := jwk{KeyID: k.id, Use: "sig", Algorithm: k.alg}
	switch p := k.public.(type) {
	case *rsa.PublicKey:
		w.KeyType, w.N, w.E = "RSA", encodeInt(p.N), encodeInt(big.NewInt(int64(p.E)))
	case *ecdsa.PublicKey:
		// NewKey has seen that this is a point, whose 65 bytes are 4, x and y.
		point, _ := p.Bytes()
		w.KeyType, w.Curve = "EC", "P-256"
		w.X, w.Y = encoding.EncodeToString(point[1:33]), encoding.EncodeToString(point[33:])
	case ed25519.PublicKey:
		w.KeyType, w.Curve, w.X = "OKP", "Ed25519", encoding.EncodeToString(p)
	default:
		w.KeyType = "oct"
	}
	return w
}

func encodeInt(n *big.Int) string { return encoding.EncodeToString(n.Bytes()) }

// computeThumbprint hashes the required members in the order of their names (RFC 7638 section 3.2, RFC 8037 appendix
// A.3). None of the values needs an escape.
func (k *Key) computeThumbprint() string {
	w := k.jwk()
	var text string
	switch w.KeyType {
	case "RSA":
		text = `{"e":"` + w.E + `","kty":"RSA","n":"` + w.N + `"}`
	case "EC":
		text = `{"crv":"P-256","kty":"EC","x":"` + w.X + `","y":"` + w.Y + `"}`
	default:
		text = `{"crv":"Ed25519","kty":"OKP","x":"` + w.X + `"}`
	}
	sum := sha256.Sum256([]byte(text))
	return encoding.EncodeToString(sum[:])
}
