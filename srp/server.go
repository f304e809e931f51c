package srp

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"math/big"
)

// saltBytes is the length of a new salt, as Cognito's.
const saltBytes = 16

// Verifier is what a server keeps instead of a password. Whoever steals it can guess passwords at one modular
// exponentiation each, so it is a secret all the same.
type Verifier struct {
	// Salt is 16 random bytes; it is a big-endian number, and leading zeros carry no meaning.
	Salt []byte `json:"salt"`
	// Value is v = g^x mod N, big-endian, at most 384 bytes.
	Value []byte `json:"value"`
}

// NewVerifier makes the verifier of a new password with a fresh salt from random; nil stands for crypto/rand.
func NewVerifier(random io.Reader, c Credentials) (Verifier, error) {
	salt := make([]byte, saltBytes)
	if err := read(random, salt); err != nil {
		return Verifier{}, err
	}
	return Verifier{Salt: salt, Value: value(c, salt).Bytes()}, nil
}

// SimulatedVerifier makes up a verifier for a user who does not exist, so that the sign-in of an unknown user looks
// and costs the same as one with a wrong password (RFC 5054 section 2.5.1.3). The same secret, pool and user
// always give the same one, and nobody knows a password for it. The secret must have at least 16 random bytes.
func SimulatedVerifier(secret []byte, poolName, userID string) (Verifier, error) {
	if len(secret) < 16 {
		return Verifier{}, &ParameterError{"the secret of simulated verifiers", "has fewer than 16 bytes"}
	}
	// 16 bytes more than N keep the reduction modulo N from showing.
	length := saltBytes + len(primeHex)/2 + 16
	b, err := hkdf.Key(sha256.New, secret, []byte(poolName), "simulated verifier\x00"+userID, length)
	if err != nil {
		return Verifier{}, fmt.Errorf("srp: simulating a verifier: %w", err)
	}
	v := new(big.Int).SetBytes(b[saltBytes:])
	return Verifier{Salt: b[:saltBytes], Value: v.Mod(v, prime).Bytes()}, nil
}

// SaltHex returns the salt as the SALT challenge parameter: hexadecimal without leading zeros.
func (v Verifier) SaltHex() string { return new(big.Int).SetBytes(v.Salt).Text(16) }

// Matches reports whether a password that was sent in the clear is the verifier's. The values are compared in constant
// time.
func (v Verifier) Matches(c Credentials) bool {
	var want, got [len(primeHex) / 2]byte
	if len(v.Value) > len(want) {
		return false
	}
	copy(want[len(want)-len(v.Value):], v.Value)
	value(c, v.Salt).FillBytes(got[:])
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// value returns v = g^x mod N.
func value(c Credentials, salt []byte) *big.Int {
	x := c.privateExponent(new(big.Int).SetBytes(salt))
	return x.Exp(generator, x, prime)
}

// Answer is the server's half: it takes SRP_A and returns SRP_B, in hexadecimal without leading zeros, and the
// session key with which [Key.Check] judges the client's response. The private value b, 128 bytes from random (nil stands
// for crypto/rand), is not needed again. The error is a *[ParameterError] for SRP_A, or that of random.
func Answer(random io.Reader, v Verifier, srpA string) (srpB string, key Key, err error) {
	a, err := parsePublic("SRP_A", srpA)
	if err != nil {
		return "", Key{}, err
	}
	b, err := privateValue(random)
	if err != nil {
		return "", Key{}, err
	}
	verifier := new(big.Int).SetBytes(v.Value)
	public := publicValue(verifier, b)
	// B = 0 and u = 0 have a chance of 2^-256 and less; the client would refuse them.
	u, err := scrambler(a, public)
	if err != nil {
		return "", Key{}, err
	}
	key, err = deriveKey(serverSecret(a, verifier, u, b), u)
	return public.Text(16), key, err
}

// publicValue returns B = k·v + g^b mod N.
func publicValue(verifier, b *big.Int) *big.Int {
	n := new(big.Int).Exp(generator, b, prime)
	n.Add(n, new(big.Int).Mul(multiplier, verifier))
	return n.Mod(n, prime)
}

// serverSecret returns S = (A·v^u)^b mod N.
func serverSecret(a, verifier, u, b *big.Int) *big.Int {
	n := new(big.Int).Exp(verifier, u, prime)
	n.Mul(n, a).Mod(n, prime)
	return n.Exp(n, b, prime)
}
