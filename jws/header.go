package jws

import "strings"

// Algorithm is the name of a signature algorithm (RFC 7518 section 3.1, RFC 8037 section 3.1).
type Algorithm string

// The algorithms. There is no other, and in particular no "none".
const (
	// RS256 is RSASSA-PKCS1-v1_5 with SHA-256.
	RS256 Algorithm = "RS256"
	// ES256 is ECDSA with P-256 and SHA-256.
	ES256 Algorithm = "ES256"
	// EdDSA is Ed25519.
	EdDSA Algorithm = "EdDSA"
	// HS256 is HMAC with SHA-256.
	HS256 Algorithm = "HS256"
)

func (a Algorithm) known() bool { return a == RS256 || a == ES256 || a == EdDSA || a == HS256 }

// AnyType among Config.Types accepts every typ and its absence. It gives up the protection of RFC 8725 section 3.11:
// a token made for another purpose by the same issuer must then be told apart by its claims.
const AnyType = "*"

const maxKeyID = 512

// Header is a JOSE header (RFC 7515 section 4).
type Header struct {
	// Algorithm is the header's "alg". It selects nothing: it must agree with the key's.
	Algorithm Algorithm
	// KeyID is the header's "kid", "" if absent; at most 512 bytes.
	KeyID string
	// Type is the header's "typ" as written, "" if absent.
	Type string
	// Params is the whole header, for parameters such as Clerk's "cat". jwk, jku, x5u and x5c are the sender's and
	// are never used as keys.
	Params Object
}

// parseHeader reads a header and refuses what every policy refuses.
func parseHeader(data []byte) (Header, error) {
	params, err := ParseObject(data)
	if err != nil {
		return Header{}, err
	}
	h := Header{Params: params}
	alg, ok := params.String("alg")
	if !ok {
		return Header{}, malformed("alg", "a string")
	}
	h.Algorithm = Algorithm(alg)
	if h.KeyID, ok = params.String("kid"); (!ok && params.Has("kid")) || len(h.KeyID) > maxKeyID {
		return Header{}, malformed("kid", "a string of at most 512 bytes")
	}
	if h.Type, ok = params.String("typ"); !ok && params.Has("typ") {
		return Header{}, malformed("typ", "a string")
	}
	if params.Has("crit") {
		return Header{}, malformed("crit", "no critical extension, none is known (RFC 7515 section 4.1.11)")
	}
	if encoded, ok := params.Bool("b64"); params.Has("b64") && !(ok && encoded) {
		return Header{}, malformed("b64", "a base64url payload (RFC 7797 is not supported)")
	}
	return h, nil
}

// mediaType returns the form in which two typ values are compared: in lower case and, where something without another
// slash follows, without "application/" (RFC 7515 section 4.1.9). Case is that of ASCII (RFC 2045 section 5.1): the
// Kelvin sign is no "k".
func mediaType(typ string) string {
	typ = strings.Map(lowerASCII, typ)
	if short, found := strings.CutPrefix(typ, "application/"); found && short != "" && !strings.Contains(short, "/") {
		return short
	}
	return typ
}

func lowerASCII(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}
