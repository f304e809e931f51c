package jws_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
)

func keyVectors(t *testing.T) []vector {
	t.Helper()
	m := maker{t}
	return slices.Concat(m.publicJWKs(), m.weakJWKs(), m.otherJWKs(), m.sets(), m.pems())
}

// members are a JWK's, in the order of writing.
type members []string

// public returns the members of a named key's public JWK, each as JSON.
func (m maker) public(name string) members {
	switch p := testvectors.PrivateKey(m.t, name).Public().(type) {
	case *rsa.PublicKey:
		return members{`"kty":"RSA"`, `"n":"` + b64(string(p.N.Bytes())) + `"`, `"e":"AQAB"`}
	case *ecdsa.PublicKey:
		point, err := p.Bytes()
		if err != nil {
			m.t.Fatal(err)
		}
		x, y := b64(string(point[1:33])), b64(string(point[33:]))
		return members{`"kty":"EC"`, `"crv":"P-256"`, `"x":"` + x + `"`, `"y":"` + y + `"`}
	case ed25519.PublicKey:
		return members{`"kty":"OKP"`, `"crv":"Ed25519"`, `"x":"` + b64(string(p)) + `"`}
	}
	m.t.Fatalf("no such key: %s", name)
	return nil
}

func (j members) json(more ...string) string {
	return "{" + strings.Join(slices.Concat(j, more), ",") + "}"
}

// with returns the members with one exchanged.
func (j members) with(name, value string) members {
	changed := slices.Clone(j)
	for i, member := range changed {
		if strings.HasPrefix(member, `"`+name+`":`) {
			changed[i] = `"` + name + `":"` + value + `"`
		}
	}
	return changed
}

func parsed(name, parse, keys, body string, fields ...string) vector {
	head := []string{"expect: accept", "parse: " + parse, "keys: " + keys}
	return vector{"accept-" + name, append(head, fields...), body}
}

func unparsed(name, parse, text, body string, fields ...string) vector {
	head := []string{"expect: refuse", "parse: " + parse, "error: " + text}
	return vector{"refuse-" + name, append(head, fields...), body}
}

func (m maker) publicJWKs() []vector {
	rsa1, ec, ed := m.public("rsa-1"), m.public("p256-1"), m.public("ed25519-1")
	bad := func(name, text, body string, fields ...string) vector {
		return unparsed("jwk-"+name, "jwk", text, body, fields...)
	}
	return []vector{
		parsed("jwk-rsa", "jwk", "RS256/one", rsa1.json(`"kid":"one"`, `"alg":"RS256"`, `"use":"sig"`)),
		parsed("jwk-rsa-alg-absent", "jwk", "RS256/one", rsa1.json(`"kid":"one"`), "note: Epic publishes keys so"),
		parsed("jwk-ec", "jwk", "ES256/one", ec.json(`"kid":"one"`, `"alg":"ES256"`)),
		parsed("jwk-okp", "jwk", "EdDSA/one", ed.json(`"kid":"one"`, `"alg":"EdDSA"`)),
		parsed("jwk-kid-absent", "jwk", "EdDSA/", ed.json()),
		parsed("jwk-key-ops", "jwk", "EdDSA/", ed.json(`"key_ops":["verify"]`)),
		parsed("jwk-unknown-members", "jwk", "RS256/", rsa1.json(`"x5c":["MIIB"]`, `"x5t":"abc"`, `"issuer":"https://x"`)),
		bad("use-enc", "use", rsa1.json(`"use":"enc"`)),
		bad("use-number", "use", rsa1.json(`"use":1`)),
		bad("key-ops-encrypt", "key_ops", rsa1.json(`"key_ops":["encrypt"]`)),
		bad("key-ops-sign-only", "key_ops", rsa1.json(`"key_ops":["sign"]`)),
		bad("key-ops-empty", "key_ops", rsa1.json(`"key_ops":[]`)),
		bad("key-ops-string", "key_ops", rsa1.json(`"key_ops":"verify"`)),
		bad("alg-mismatch-kind", "alg", rsa1.json(`"alg":"ES256"`)),
		bad("alg-hs256-on-rsa", "alg", rsa1.json(`"alg":"HS256"`)),
		bad("alg-ps256", "alg", rsa1.json(`"alg":"PS256"`)),
		bad("alg-none", "alg", rsa1.json(`"alg":"none"`)),
		bad("alg-number", "alg", rsa1.json(`"alg":256`)),
		bad("kid-number", "kid", rsa1.json(`"kid":1`)),
		bad("kid-too-long", "kid", rsa1.json(`"kid":"`+strings.Repeat("k", 513)+`"`)),
		bad("kty-absent", "another kind", ed[1:].json()),
		bad("kty-unknown", "another kind", ed.with("kty", "AKP").json()),
		bad("kty-other-case", "another kind", ed.with("kty", "okp").json()),
		bad("crv-ed448", "another kind", ed.with("crv", "Ed448").json()),
		bad("crv-x25519", "another kind", ed.with("crv", "X25519").json()),
		bad("crv-p384", "another kind", ec.with("crv", "P-384").json()),
		bad("crv-secp256k1", "another kind", ec.with("crv", "secp256k1").json()),
		bad("oct", "secret", `{"kty":"oct","k":"`+b64(strings.Repeat("k", 32))+`"}`),
		bad("private-rsa", "private", rsa1.json(`"d":"AQAB"`)),
		bad("private-ec", "private", ec.json(`"d":"AQAB"`)),
		bad("private-okp", "private", ed.json(`"d":null`)),
		bad("public-with-k", "private", ed.json(`"k":"AQAB"`)),
		bad("duplicate-member", "once", ed.json(`"kty":"OKP"`)),
		bad("case-pair", "once", ed.json(`"X":"AQAB"`)),
		bad("array", "one JSON object", `[`+ed.json()+`]`),
	}
}

func (m maker) weakJWKs() []vector {
	rsa1, ec, ed := m.public("rsa-1"), m.public("p256-1"), m.public("ed25519-1")
	n := testvectors.PrivateKey(m.t, "rsa-1").Public().(*rsa.PublicKey).N
	bad := func(name, text string, j members, fields ...string) vector {
		return unparsed("jwk-"+name, "jwk", text, j.json(), fields...)
	}
	number := func(n *big.Int) string { return b64(string(n.Bytes())) }
	off := []byte(strings.Repeat("\x01", 32))
	p256, _ := testvectors.PrivateKey(m.t, "p256-1").Public().(*ecdsa.PublicKey).Bytes()
	return []vector{
		bad("rsa-1024", "1024 bits", m.public("rsa-1024")),
		bad("rsa-16384", "16384 bits", rsa1.with("n", b64(strings.Repeat("\xff", 2048)))),
		bad("rsa-even-modulus", "odd", rsa1.with("n", number(new(big.Int).Sub(n, big.NewInt(1))))),
		bad("rsa-modulus-zero", "odd", rsa1.with("n", b64("\x00"))),
		bad("rsa-modulus-empty", "n is not there", rsa1.with("n", "")),
		bad("rsa-modulus-padded", "canonical", rsa1.with("n", number(n)+"==")),
		bad("rsa-modulus-line-break", "canonical", rsa1.with("n", number(n)[:8]+`\n`+number(n)[8:])),
		bad("rsa-modulus-absent", "n is not there", members{`"kty":"RSA"`, `"e":"AQAB"`}),
		bad("rsa-exponent-absent", "e is not there", rsa1[:2]),
		bad("rsa-exponent-one", "exponent", rsa1.with("e", b64("\x01")), "note: every message signs itself"),
		bad("rsa-exponent-zero", "exponent", rsa1.with("e", b64("\x00"))),
		bad("rsa-exponent-two", "exponent", rsa1.with("e", b64("\x02"))),
		bad("rsa-exponent-even", "exponent", rsa1.with("e", b64("\x01\x00\x00"))),
		bad("rsa-exponent-huge", "exponent", rsa1.with("e", b64("\x01\x00\x00\x00\x01"))),
		bad("rsa-exponent-number", "e is not there", append(slices.Clone(rsa1[:2]), `"e":65537`)),
		bad("rsa-roca", "ROCA", rsa1.with("n", number(roca())), "note: CVE-2017-15361"),
		bad("ec-off-curve", "no point", ec.with("y", b64(string(off)))),
		bad("ec-zero", "no point", ec.with("x", b64(strings.Repeat("\x00", 32))).with("y", b64(strings.Repeat("\x00", 32)))),
		bad("ec-short-x", "31 bytes", ec.with("x", b64(string(p256[2:33])))),
		bad("ec-long-y", "33 bytes", ec.with("y", b64("\x00"+string(p256[33:])))),
		bad("ec-without-y", "y is not there", ec[:3]),
		bad("okp-short", "31 bytes", ed.with("x", b64(strings.Repeat("x", 31)))),
		bad("okp-long", "33 bytes", ed.with("x", b64(strings.Repeat("x", 33)))),
		bad("okp-zero", "small order", ed.with("x", b64(strings.Repeat("\x00", 32)))),
		bad("okp-identity", "small order", ed.with("x", b64("\x01"+strings.Repeat("\x00", 31)))),
		bad("okp-identity-negative", "small order", ed.with("x", b64("\x01"+strings.Repeat("\x00", 30)+"\x80"))),
	}
}

// roca returns a number with the fingerprint of the faulty generator: a power of 65537 modulo every small prime.
func roca() *big.Int {
	product := big.NewInt(2)
	for prime := int64(3); prime <= 167; prime += 2 {
		if p := big.NewInt(prime); p.ProbablyPrime(0) {
			product.Mul(product, p)
		}
	}
	n := new(big.Int).Exp(big.NewInt(65537), big.NewInt(12345), product)
	high := new(big.Int).Lsh(big.NewInt(1), 2047)
	high.Sub(high, new(big.Int).Mod(high, product))
	return n.Add(n, high.Add(high, product))
}

func (m maker) otherJWKs() []vector {
	secret := `"k":"` + b64(string(testvectors.Secret("hs-1"))) + `"`
	ed := testvectors.PrivateKey(m.t, "ed25519-1").(ed25519.PrivateKey)
	ec := testvectors.PrivateKey(m.t, "p256-1").(*ecdsa.PrivateKey)
	d, err := ec.Bytes()
	if err != nil {
		m.t.Fatal(err)
	}
	key := testvectors.PrivateKey(m.t, "rsa-1").(*rsa.PrivateKey)
	number := func(name string, n *big.Int) string { return `"` + name + `":"` + b64(string(n.Bytes())) + `"` }
	dd, p, q := number("d", key.D), number("p", key.Primes[0]), number("q", key.Primes[1])
	seed := `"d":"` + b64(string(ed.Seed())) + `"`
	oct := members{`"kty":"oct"`, secret}
	return []vector{
		parsed("secret", "secret", "HS256/one", oct.json(`"kid":"one"`, `"alg":"HS256"`)),
		parsed("private-oct", "private", "HS256/", oct.json(`"key_ops":["sign","verify"]`)),
		parsed("private-okp", "private", "EdDSA/one", m.public("ed25519-1").json(seed, `"kid":"one"`)),
		parsed("private-ec", "private", "ES256/", m.public("p256-1").json(`"d":"`+b64(string(d))+`"`)),
		parsed("private-rsa", "private", "RS256/", m.public("rsa-1").json(dd, p, q)),
		unparsed("secret-short", "secret", "31 bytes", `{"kty":"oct","k":"`+b64(strings.Repeat("ab", 16)[1:])+`"}`),
		unparsed("secret-all-the-same", "secret", "all the same", `{"kty":"oct","k":"`+b64(strings.Repeat("k", 32))+`"}`),
		unparsed("secret-empty", "secret", "k is not there", `{"kty":"oct","k":""}`, "note: CVE-2020-28637, the blank HMAC key"),
		unparsed("secret-alg-rs256", "secret", "alg", oct.json(`"alg":"RS256"`)),
		unparsed("secret-use-enc", "secret", "use", oct.json(`"use":"enc"`)),
		unparsed("secret-of-a-public-kind", "secret", "kty", m.public("ed25519-1").json()),
		unparsed("private-without-d", "private", "d is not there", m.public("ed25519-1").json()),
		unparsed("private-okp-pair", "private", "do not belong", m.public("ed25519-2").json(seed)),
		unparsed("private-ec-pair", "private", "do not belong", m.public("p256-2").json(`"d":"`+b64(string(d))+`"`)),
		unparsed("private-ec-zero", "private", "do not belong", m.public("p256-1").json(`"d":"`+b64(strings.Repeat("\x00", 32))+`"`)),
		unparsed("private-rsa-pair", "private", "do not belong", m.public("rsa-2").json(dd, p, q)),
		unparsed("private-rsa-without-primes", "private", "p is not there", m.public("rsa-1").json(dd)),
		unparsed("private-rsa-three-primes", "private", "two primes", m.public("rsa-1").json(dd, p, q, `"oth":[]`)),
		unparsed("private-verify-only", "private", "key_ops", m.public("ed25519-1").json(seed, `"key_ops":["verify"]`)),
		unparsed("private-alg", "private", "alg", m.public("ed25519-1").json(seed, `"alg":"ES256"`)),
		unparsed("private-oct-short", "private", "want at least 32", `{"kty":"oct","k":"AQAB"}`),
	}
}

func (m maker) sets() []vector {
	rsa1, rsa2 := m.public("rsa-1"), m.public("rsa-2")
	ed, ec := m.public("ed25519-1"), m.public("p256-1")
	set := func(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }
	oct := `{"kty":"oct","kid":"h","k":"` + b64(string(testvectors.Secret("hs-1"))) + `"}`
	return []vector{
		parsed("set", "set", "RS256/a ES256/b EdDSA/c", set(rsa1.json(`"kid":"a"`), ec.json(`"kid":"b"`), ed.json(`"kid":"c"`))),
		parsed("set-empty", "set", "", set()),
		parsed("set-other-members", "set", "EdDSA/c", `{"x":[1],"keys":[`+ed.json(`"kid":"c"`)+`],"y":{}}`),
		parsed("set-without-kids", "set", "RS256/ EdDSA/", set(rsa1.json(), ed.json())),
		parsed("set-mixed", "set", "RS256/a", set(rsa1.json(`"kid":"a"`), oct), "skipped: 1", "error: secret"),
		parsed(
			"set-duplicate-kid", "set", "EdDSA/c", set(rsa1.json(`"kid":"a"`), ed.json(`"kid":"c"`), rsa2.json(`"kid":"a"`)),
			"skipped: 2", "error: several keys",
		),
		parsed(
			"set-duplicate-kid-of-a-bad-key", "set", "", set(rsa1.json(`"kid":"a"`), rsa2.json(`"kid":"a"`, `"use":"enc"`)),
			"skipped: 2", "error: several keys",
		),
		parsed("set-weak-key", "set", "EdDSA/c", set(m.public("rsa-1024").json(`"kid":"a"`), ed.json(`"kid":"c"`)), "skipped: 1", "error: 1024"),
		parsed("set-unknown-kind", "set", "EdDSA/c", set(`{"kty":"AKP","kid":"pq"}`, ed.json(`"kid":"c"`)), "skipped: 1", "error: pq"),
		parsed("set-empty-key", "set", "EdDSA/c", set(`{}`, ed.json(`"kid":"c"`)), "skipped: 1", "error: another kind"),
		parsed("set-private", "set", "RS256/a", set(rsa1.json(`"kid":"a"`), ed.json(`"kid":"c"`, `"d":"AQAB"`)), "skipped: 1", "error: private"),
		parsed("set-enc", "set", "RS256/a", set(rsa1.json(`"kid":"a"`), rsa2.json(`"kid":"b"`, `"use":"enc"`)), "skipped: 1", "error: use"),
		unparsed("set-no-keys", "set", "no array", `{}`),
		unparsed("set-keys-object", "set", "no array", `{"keys":{}}`),
		unparsed("set-keys-of-strings", "set", "no array", `{"keys":["a"]}`),
		unparsed("set-null-key", "set", "no array", `{"keys":[null]}`),
		unparsed("set-keys-twice", "set", "once", `{"keys":[],"keys":[]}`),
		unparsed("set-bare-array", "set", "one JSON object", `[]`),
		unparsed("set-html", "set", "one JSON object", `<html></html>`),
	}
}

// certificate returns a self-signed certificate in PEM; an Ed25519 signature needs no randomness.
func (m maker) certificate() string {
	key := testvectors.PrivateKey(m.t, "ed25519-1")
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "issuer.example"},
		NotBefore:    testvectors.Now,
		NotAfter:     testvectors.Now.Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(bytes.NewReader(nil), template, template, key.Public(), key)
	if err != nil {
		m.t.Fatal(err)
	}
	return block("CERTIFICATE", der)
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func (m maker) pems() []vector {
	pkix := block("PUBLIC KEY", m.der("p256-1"))
	pkcs1 := block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(testvectors.PrivateKey(m.t, "rsa-1").Public().(*rsa.PublicKey)))
	certificate := m.certificate()
	private, err := x509.MarshalPKCS8PrivateKey(testvectors.PrivateKey(m.t, "ed25519-1"))
	if err != nil {
		m.t.Fatal(err)
	}
	quote := func(s string) string {
		text, _ := json.Marshal(s)
		return string(text)
	}
	return []vector{
		parsed("pem-pkix", "pem", "ES256/pem", pkix),
		parsed("pem-pkcs1", "pem", "RS256/pem", pkcs1),
		parsed("pem-certificate", "pem", "EdDSA/pem", certificate),
		unparsed("pem-private", "pem", "private key", block("PRIVATE KEY", private)),
		unparsed("pem-two", "pem", "exactly one", pkix+pkcs1),
		unparsed("pem-none", "pem", "no PEM block", "MIIB"),
		unparsed("pem-escaped-line-breaks", "pem", "no PEM block", strings.ReplaceAll(pkix, "\n", `\n`)),
		unparsed("pem-other-type", "pem", "another type", block("CERTIFICATE REQUEST", []byte{1})),
		unparsed("pem-not-der", "pem", "does not parse", block("PUBLIC KEY", []byte{1})),
		unparsed("pem-rsa-1024", "pem", "1024 bits", block("PUBLIC KEY", m.der("rsa-1024"))),
		parsed("x509", "x509", "EdDSA/a ES256/b", `{"a":`+quote(certificate)+`,"b":`+quote(pkix)+`}`),
		parsed("x509-one-bad", "x509", "EdDSA/a", `{"a":`+quote(certificate)+`,"b":"x","c":1}`, "skipped: 2", "error: no PEM block"),
		parsed("x509-empty", "x509", "", `{}`),
		unparsed("x509-duplicate-kid", "x509", "once", `{"a":`+quote(certificate)+`,"a":`+quote(certificate)+`}`),
		unparsed("x509-array", "x509", "one JSON object", `[]`),
	}
}
