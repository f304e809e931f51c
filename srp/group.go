package srp

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"math/big"
)

// primeHex is the 3072-bit MODP group of RFC 3526 section 4 (group 15); its generator is 2.
const primeHex = "" +
	"ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd" +
	"ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed" +
	"ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f" +
	"83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b" +
	"e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510" +
	"15728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7" +
	"abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200c" +
	"bbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a93ad2caffffffffffffffff"

// hkdfInfo is the info parameter with which Cognito derives the session key.
const hkdfInfo = "Caldera Derived Key"

// Sizes of the protocol's numbers.
const (
	// privateBytes is the length of the private values a and b: 1024 bits.
	privateBytes = 128
	// maxPublicDigits is the longest A or B read: 3072 bits and one sign byte.
	maxPublicDigits = len(primeHex) + 2
	// maxSaltDigits is the longest salt read; Cognito's own have 32 digits.
	maxSaltDigits = 128
	// keyBytes is the length of the session key.
	keyBytes = 16
)

var (
	prime, _   = new(big.Int).SetString(primeHex, 16)
	generator  = big.NewInt(2)
	multiplier = hashToInt(padded(prime), padded(generator))
)

// parseHex reads a number in hexadecimal. The length is checked first, so that nobody can make the server parse
// megabytes of digits; signs, prefixes and underscores, which math/big would take, are refused.
func parseHex(parameter, text string, maxDigits int) (*big.Int, error) {
	switch {
	case text == "":
		return nil, &ParameterError{parameter, "is missing or empty"}
	case len(text) > maxDigits:
		return nil, &ParameterError{parameter, fmt.Sprintf("has more than %d digits", maxDigits)}
	}
	for i := range len(text) {
		if !isHexDigit(text[i]) {
			return nil, &ParameterError{parameter, "is not hexadecimal"}
		}
	}
	n, _ := new(big.Int).SetString(text, 16)
	return n, nil
}

func isHexDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// parsePublic reads A or B. RFC 5054 sections 2.5.3 and 2.5.4 demand that neither is 0 modulo N: with such a value
// S is 0 whatever the password. A value above N is never sent by an honest peer.
func parsePublic(parameter, text string) (*big.Int, error) {
	n, err := parseHex(parameter, text, maxPublicDigits)
	if err != nil {
		return nil, err
	}
	if n.Sign() == 0 || n.Cmp(prime) >= 0 {
		return nil, &ParameterError{parameter, "is not between 1 and N-1"}
	}
	return n, nil
}

// padded returns the bytes in which Cognito hashes a number: the shortest big-endian two's complement form, which has
// a zero byte in front when the top bit is set (Java's BigInteger.toByteArray, the SDKs' padHex).
func padded(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) == 0 || b[0]&0x80 != 0 {
		return append([]byte{0}, b...)
	}
	return b
}

func hashToInt(parts ...[]byte) *big.Int {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return new(big.Int).SetBytes(h.Sum(nil))
}

// scrambler returns u = H(A, B) and refuses 0, which would take the password out of S.
func scrambler(a, b *big.Int) (*big.Int, error) {
	return checkScrambler(hashToInt(padded(a), padded(b)))
}

func checkScrambler(u *big.Int) (*big.Int, error) {
	if u.Sign() == 0 {
		return nil, &ParameterError{"SRP_B", "gives a scrambler of 0"}
	}
	return u, nil
}

// deriveKey returns K, the session key, from the shared secret S and the scrambler u.
func deriveKey(s, u *big.Int) (Key, error) {
	var key Key
	derived, err := hkdf.Key(sha256.New, padded(s), padded(u), hkdfInfo, keyBytes)
	if err != nil {
		return key, fmt.Errorf("srp: deriving the session key: %w", err)
	}
	copy(key[:], derived)
	return key, nil
}
