package jws_test

import (
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
)

func verifyVectors(t *testing.T) []vector {
	t.Helper()
	m := maker{t}
	return slices.Concat(
		m.accepted(), m.spelling(), m.payloads(), m.headers(), m.types(), m.algorithms(), m.keys(), m.signatures(),
		m.times(), m.policies(),
	)
}

func (m maker) accepted() []vector {
	jwk := `,"jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	deep := strings.Repeat(`{"a":`, 7) + `1` + strings.Repeat(`}`, 7)
	return []vector{
		accept("rs256", m.token("rsa-1", rs(""), good)),
		accept("es256", m.token("p256-1", header("ES256", "p256-1", ""), good)),
		accept("es256-high-s", m.highS(), "note: RFC 7518 section 3.4 does not ask for the lower s"),
		accept("eddsa", m.token("ed25519-1", header("EdDSA", "ed25519-1", ""), good)),
		accept("hs256", m.token("hs-1", header("HS256", "hs-1", ""), good)),
		accept("typ-jwt", m.token("rsa-1", rs(`,"typ":"JWT"`), good)),
		accept("typ-other-case", m.token("rsa-1", rs(`,"typ":"jwt"`), good)),
		accept("typ-media-type", m.token("rsa-1", rs(`,"typ":"application/JWT"`), good), "note: RFC 7515 section 4.1.9"),
		accept("typ-at-jwt", m.token("rsa-1", rs(`,"typ":"at+jwt"`), good), "types: at+jwt"),
		accept("typ-application-at-jwt", m.token("rsa-1", rs(`,"typ":"application/at+jwt"`), good), "types: at+jwt"),
		accept("typ-any", m.token("rsa-1", rs(`,"typ":"whatever"`), good), "types: *"),
		accept("without-kid", m.token("ed25519-1", `{"alg":"EdDSA"}`, good)),
		accept("key-without-id", m.token("hs-1", header("HS256", "other", ""), good), "keys: rsa-1 anon/hs-1"),
		accept("third-key", m.token("hs-1", `{"alg":"HS256"}`, good), "keys: hs-3 hs-2 hs-1"),
		accept("inline-jwk-ignored", m.token("rsa-1", rs(jwk), good), "note: CVE-2018-0114; the named key signed"),
		accept("jku-ignored", m.token("rsa-1", rs(`,"jku":"https://attacker.example/jwks"`), good)),
		accept("b64-true", m.token("rsa-1", rs(`,"b64":true`), good), "note: RFC 7797 section 3, the default written out"),
		accept("aud-array", m.token("rsa-1", rs(""), strings.Replace(good, `"game"`, `["other","game"]`, 1))),
		accept("escaped-name", m.token("rsa-1", rs(""), strings.Replace(good, `"iss"`, `"\u0069ss"`, 1))),
		accept("escaped-exp", m.token("rsa-1", rs(""), strings.Replace(good, `"exp"`, `"\u0065\u0078p"`, 1))),
		accept("surrogate-pair", m.token("rsa-1", rs(""), claims(`"name":"\ud83c\udfae 🎮"`))),
		accept("white-space", m.token("rsa-1", " {\"alg\" :\t\"RS256\",\r\n\"kid\":\"rsa-1\"}\n", " "+good+"\n")),
		accept("eight-levels", m.token("rsa-1", rs(""), claims(`"x":`+deep))),
		accept("forty-claims", m.token("rsa-1", rs(""), claims(manyMembers(37)))),
		accept("exp-fraction", m.token("rsa-1", rs(""), `{`+base+`,"exp":1793534401.9}`)),
		accept("exp-one-second", m.token("rsa-1", rs(""), `{`+base+`,"exp":1793534401}`)),
		accept("exp-year-9999", m.token("rsa-1", rs(""), `{`+base+`,"exp":253402300799}`)),
		accept("nbf-within-leeway", m.token("rsa-1", rs(""), claims(`"nbf":1793534405`))),
		accept("iat-within-leeway", m.token("rsa-1", rs(""), claims(`"iat":1793534405.9`))),
		accept("required-claim", m.token("rsa-1", rs(""), claims(`"token_use":"access"`)), "require: token_use access"),
	}
}

func manyMembers(n int) string {
	var list []string
	for i := range n {
		list = append(list, `"claim-`+string(rune('a'+i/26))+string(rune('a'+i%26))+`":`+strings.Repeat("1", i%9+1))
	}
	return strings.Join(list, ",")
}

// highS turns s into n-s, which verifies as well.
func (m maker) highS() string {
	signed := b64(header("ES256", "p256-1", "")) + "." + b64(good)
	signature := m.sign("p256-1", signed)
	s := new(big.Int).SetBytes([]byte(signature[32:]))
	s.Sub(elliptic.P256().Params().N, s)
	return signed + "." + b64(signature[:32]+fixed32(s))
}

// spelling is about parts and base64url.
func (m maker) spelling() []vector {
	token := m.token("rsa-1", rs(""), good)
	part := strings.Split(token, ".")
	join := func(parts ...string) string { return strings.Join(parts, ".") }
	lf := part[2][:100] + "\n" + part[2][100:]
	return []vector{
		format("", "empty", ""),
		format("", "one-part", part[0]),
		format("", "two-parts", join(part[0], part[1])),
		format("", "four-parts", token+"."),
		format("", "five-parts", join(part[0], "", part[1], part[2], "AA"), "note: a JWE"),
		format("", "only-dots", ".."),
		format("", "empty-header", join("", part[1], part[2])),
		format("", "empty-payload", join(part[0], "", part[2])),
		format("", "too-large", m.token("rsa-1", rs(""), claims(`"x":"`+strings.Repeat("x", 16<<10)+`"`)), "note: over 16 KiB"),
		format("", "padded-header", join(part[0]+"=", part[1], part[2])),
		format("", "padded-payload", join(part[0], base64.URLEncoding.EncodeToString([]byte(good+" ")), part[2])),
		format("", "padded-signature", token+"=="),
		format("", "lf-in-signature", join(part[0], part[1], lf), "note: encoding/base64 skips CR and LF even when strict"),
		format("", "cr-at-end", token+"\r"),
		format("", "crlf-at-end", token+"\r\n"),
		format("", "lf-in-header", join(part[0][:8]+"\n"+part[0][8:], part[1], part[2])),
		format("", "lf-in-payload", join(part[0], part[1][:8]+"\n"+part[1][8:], part[2])),
		format("", "space-in-signature", join(part[0], part[1], part[2][:9]+" "+part[2][9:])),
		format("", "leading-space", " "+token),
		format("", "plus-and-slash", join(part[0], part[1], strings.NewReplacer("-", "+", "_", "/").Replace(part[2]))),
		format("", "question-mark", join(part[0], part[1], "?"+part[2][1:])),
		format("", "beyond-ascii", join(part[0], part[1], "ä"+part[2][2:])),
		format("", "stray-bits-signature", join(part[0], part[1], nextDigit(part[2])), "note: the same 256 bytes, spelled differently"),
		format("", "stray-bits-header", m.stray(`{"alg":"RS256", "kid":"rsa-1" }`, good)),
		format("", "stray-bits-payload", m.stray(rs(""), good+" ")),
		format("", "length-one-over", join(part[0], part[1], part[2]+"AAA")),
		format("", "bearer-prefix", "Bearer "+token),
	}
}

// nextDigit changes the unused bits of the last digit.
func nextDigit(s string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(digits, s[len(s)-1])
	return s[:len(s)-1] + digits[last+1:last+2]
}

// stray signs a token whose header or payload, whichever has unused bits, has them set.
func (m maker) stray(header, payload string) string {
	h, p := b64(header), b64(payload)
	if len(h)%4 == 0 && len(p)%4 == 0 {
		m.t.Fatal("neither part has unused bits")
	}
	if len(h)%4 != 0 && strings.HasSuffix(header, " }") {
		h = nextDigit(h)
	} else {
		p = nextDigit(p)
	}
	return h + "." + p + "." + b64(m.sign("rsa-1", h+"."+p))
}

// payloads are about strict JSON under a good signature; more of it is in the vectors of ParseObject.
func (m maker) payloads() []vector {
	bad := func(name, payload string, fields ...string) vector {
		return format("", "payload-"+name, m.token("rsa-1", rs(""), payload), fields...)
	}
	return []vector{
		bad("array", `[`+good+`]`),
		bad("string", `"`+b64(good)+`"`),
		bad("nested-jwt", m.token("rsa-1", rs(""), good), "note: RFC 7519 appendix A.2 is not supported"),
		bad("two-objects", good+good),
		bad("trailing-byte", good+"x"),
		bad("byte-order-mark", "\ufeff"+good),
		bad("duplicate-sub", `{`+base+`,"sub":"admin",`+exp+`}`),
		bad("duplicate-iss", `{"iss":"https://attacker.example",`+base+`,`+exp+`}`),
		bad("duplicate-escaped", `{`+base+`,"su\u0062":"admin",`+exp+`}`),
		bad("duplicate-nested", claims(`"x":{"a":1,"a":2}`)),
		bad("duplicate-in-array", claims(`"x":[{"a":1},{"b":1,"b":2}]`)),
		bad("duplicate-at-depth-eight", claims(`"x":`+strings.Repeat(`[`, 6)+`{"a":1,"a":2}`+strings.Repeat(`]`, 6))),
		bad("SUB-and-sub", `{`+base+`,"SUB":"admin",`+exp+`}`, "note: encoding/json takes SUB for sub"),
		bad("SUB-alone", `{"iss":"https://issuer.example","aud":"game","SUB":"player-1",`+exp+`}`),
		bad("Exp-alone", `{`+base+`,"Exp":1793538000}`),
		bad("case-pair-of-a-private-claim", claims(`"level":1,"Level":2`)),
		bad("case-pair-nested", claims(`"x":{"level":1,"leVel":2}`)),
		bad("long-s-in-sub", claims(`"ſub":"admin"`), "note: U+017F folds to s"),
		bad("invalid-utf-8", claims("\"x\":\"\xff\"")),
		bad("invalid-utf-8-name", claims("\"\xc3(\":1")),
		bad("overlong-utf-8", claims("\"x\":\"\xc0\xaf\"")),
		bad("surrogate-in-utf-8", claims("\"x\":\"\xed\xa0\x80\"")),
		bad("lone-high-surrogate", claims(`"x":"\ud83c"`)),
		bad("lone-low-surrogate", claims(`"x":"\udfae"`)),
		bad("swapped-surrogates", claims(`"x":"\udfae\ud83c"`)),
		bad("nine-levels", claims(`"x":`+strings.Repeat(`[`, 8)+strings.Repeat(`]`, 8))),
		bad("five-thousand-levels", claims(`"x":`+strings.Repeat(`[`, 5000)+strings.Repeat(`]`, 5000))),
		bad("control-character", claims("\"x\":\"\x01\"")),
		bad("nul", claims("\"x\":\"\x00\"")),
		bad("truncated", good[:len(good)-1]),
	}
}

func (m maker) headers() []vector {
	bad := func(claim, name, header string, fields ...string) vector {
		return format(claim, "header-"+name, m.token("rsa-1", header, good), fields...)
	}
	return []vector{
		bad("", "no-json", `alg=RS256`),
		bad("", "array", `["RS256"]`),
		bad("", "trailing-byte", rs("")+"x"),
		bad("", "duplicate-alg", `{"alg":"none","alg":"RS256","kid":"rsa-1"}`),
		bad("", "duplicate-kid", rs(`,"kid":"rsa-2"`)),
		bad("", "ALG", `{"ALG":"RS256","kid":"rsa-1"}`),
		bad("", "Kid", `{"alg":"RS256","Kid":"rsa-1"}`),
		bad("", "kelvin-sign-in-kid", "{\"alg\":\"RS256\",\"\u212aid\":\"rsa-1\"}", "note: U+212A folds to k"),
		bad("", "nested-duplicate", rs(`,"jwk":{"kty":"RSA","kty":"oct"}`)),
		bad("alg", "without-alg", `{"kid":"rsa-1"}`),
		bad("alg", "alg-null", `{"alg":null,"kid":"rsa-1"}`),
		bad("alg", "alg-array", `{"alg":["RS256"],"kid":"rsa-1"}`),
		bad("kid", "kid-number", `{"alg":"RS256","kid":1}`),
		bad("kid", "kid-null", `{"alg":"RS256","kid":null}`),
		bad("kid", "kid-513-bytes", header("RS256", strings.Repeat("k", 513), "")),
		bad("typ", "typ-number", rs(`,"typ":1`)),
		bad("crit", "crit", rs(`,"crit":["exp"],"exp":1793538000`), "note: RFC 7515 section 4.1.11; CVE-2025-59420"),
		bad("crit", "crit-unknown", rs(`,"crit":["x-policy"],"x-policy":"deny"`)),
		bad("crit", "crit-empty", rs(`,"crit":[]`)),
		bad("crit", "crit-b64", rs(`,"crit":["b64"],"b64":true`)),
		bad("b64", "b64-false", rs(`,"b64":false`), "note: RFC 7797"),
		bad("b64", "b64-string", rs(`,"b64":"true"`)),
	}
}

func (m maker) types() []vector {
	wrong := func(name, typ string, fields ...string) vector {
		return refuse("format", "wrong_type", "typ", "typ-"+name, m.token("rsa-1", rs(typ), good), fields...)
	}
	return []vector{
		wrong("missing", "", "types: at+jwt"),
		wrong("jwt-for-at-jwt", `,"typ":"JWT"`, "types: at+jwt"),
		wrong("at-jwt-for-jwt", `,"typ":"at+jwt"`),
		wrong("application-at-jwt-for-jwt", `,"typ":"application/at+jwt"`),
		wrong("logout-jwt", `,"typ":"logout+jwt"`, "types: at+jwt JWT -"),
		wrong("two-slashes", `,"typ":"application/jwt/x"`),
		wrong("other-tree", `,"typ":"text/jwt"`),
		wrong("star", `,"typ":"*"`),
	}
}

// algorithms are about what a header may ask for.
func (m maker) algorithms() []vector {
	wrong := func(name, token string, fields ...string) vector {
		return refuse("algorithm", "algorithm_refused", "alg", "alg-"+name, token, fields...)
	}
	unsigned := func(alg string) string { return b64(header(alg, "rsa-1", "")) + "." + b64(good) + "." }
	confused := func(kid string, secret []byte) string {
		signed := b64(header("HS256", kid, "")) + "." + b64(good)
		return signed + "." + b64(mac(secret, signed))
	}
	var list []vector
	for name, alg := range map[string]string{
		"none": "none", "none-capital": "None", "none-capitals": "NONE", "none-mixed": "nOnE", "empty": "", "lower-case": "rs256",
		"rs384": "RS384", "hs512": "HS512", "ps256": "PS256", "es256k": "ES256K", "with-space": "RS256 ", "ed25519": "Ed25519",
	} {
		list = append(list, wrong(name, unsigned(alg), "note: CVE-2015-2951 and its like"))
	}
	return append(
		list,
		wrong("none-signed", m.token("rsa-1", header("none", "rsa-1", ""), good)),
		wrong("not-listed", m.token("hs-1", header("HS256", "hs-1", ""), good), "algorithms: RS256"),
		wrong("rs-to-hs-pem", confused("rsa-1", m.pem("rsa-1")), "note: CVE-2016-10555, keyed with the public key's PEM"),
		wrong("rs-to-hs-der", confused("rsa-1", m.der("rsa-1")), "note: CVE-2016-10555, keyed with its DER"),
		wrong("es-to-hs-pem", confused("p256-1", m.pem("p256-1"))),
		wrong("rs-key-for-es", m.token("p256-1", header("ES256", "rsa-1", ""), good)),
		wrong("hs-key-for-rs", m.token("rsa-1", header("RS256", "hs-1", ""), good)),
	)
}

func (m maker) der(name string) []byte {
	der, err := x509.MarshalPKIXPublicKey(testvectors.PrivateKey(m.t, name).Public())
	if err != nil {
		m.t.Fatal(err)
	}
	return der
}

func (m maker) pem(name string) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: m.der(name)})
}

// keys are about which key a header selects.
func (m maker) keys() []vector {
	unknown := func(name, token string, fields ...string) vector {
		return refuse("signature", "unknown_key", "kid", "kid-"+name, token, fields...)
	}
	named := func(kid string) string { return m.token("rsa-1", header("RS256", kid, ""), good) }
	return []vector{
		unknown("unknown", named("rsa-9")),
		unknown("other-case", named("RSA-1")),
		unknown("path", named("../../../../dev/null"), "note: kid injection"),
		unknown("sql", named("x' UNION SELECT 'secret"), "note: kid injection"),
		unknown("command", named("key.pem;id"), "note: kid injection"),
		unknown("nul", named(`rsa-1\u0000`)),
		unknown("url", named("https://attacker.example/key")),
		unknown("jku", m.token("rsa-2", header("RS256", "mine", `,"jku":"https://attacker.example/jwks"`), good)),
		unknown("x5u", m.token("rsa-2", header("RS256", "mine", `,"x5u":"https://attacker.example/x5u"`), good)),
		unknown("retired", m.token("rsa-2", header("RS256", "rsa-2", ""), good), "note: CVE-2025-22149, a key that left its set"),
		unknown("stale", m.token("p256-2", header("ES256", "p256-2", ""), good)),
		unknown("absent-no-key", m.token("p256-1", `{"alg":"ES256"}`, good), "keys: rsa-1 hs-1"),
		unknown("absent-retired", m.token("rsa-2", `{"alg":"RS256"}`, good), "keys: retired/rsa-2"),
	}
}

// signatures are about signatures that do not hold under the key that the header names.
func (m maker) signatures() []vector {
	bad := func(name, token string, fields ...string) vector {
		return refuse("signature", "bad_signature", "", "signature-"+name, token, fields...)
	}
	with := func(header, signature string) string { return b64(header) + "." + b64(good) + "." + b64(signature) }
	es := header("ES256", "p256-1", "")
	ed, hs := header("EdDSA", "ed25519-1", ""), header("HS256", "hs-1", "")
	signedES := m.sign("p256-1", b64(es)+"."+b64(good))
	signedRS := m.sign("rsa-1", b64(rs(""))+"."+b64(good))
	zero, order := strings.Repeat("\x00", 32), fixed32(elliptic.P256().Params().N)
	token := strings.Split(m.token("rsa-1", rs(""), good), ".")
	inline := `,"jwk":{"kty":"RSA","e":"AQAB","n":"` + m.modulus("rsa-2") + `"}`
	return []vector{
		bad("empty-rs256", with(rs(""), ""), "note: CVE-2020-28042"),
		bad("empty-es256", with(es, "")),
		bad("empty-eddsa", with(ed, "")),
		bad("empty-hs256", with(hs, "")),
		bad("other-rsa-key", m.token("rsa-2", rs(""), good)),
		bad("other-secret", m.token("hs-2", hs, good)),
		bad("blank-secret", m.token("", hs, good), "note: CVE-2019-20933"),
		bad("inline-jwk", m.token("rsa-2", rs(inline), good), "note: CVE-2018-0114"),
		bad("payload-changed", token[0]+"."+b64(strings.Replace(good, "player-1", "player-2", 1))+"."+token[2]),
		bad("header-changed", b64(rs(`,"typ":"JWT"`))+"."+token[1]+"."+token[2]),
		bad("es256-zero", with(es, zero+zero), "note: CVE-2022-21449"),
		bad("es256-zero-r", with(es, zero+signedES[32:])),
		bad("es256-zero-s", with(es, signedES[:32]+zero)),
		bad("es256-order", with(es, order+order), "note: CVE-2022-21449, r and s are zero modulo the order"),
		bad("es256-der", with(es, string(m.asn1(signedES)))),
		bad("es256-63-bytes", with(es, signedES[:63])),
		bad("es256-65-bytes", with(es, signedES+"\x00")),
		bad("rs256-truncated", with(rs(""), signedRS[:255])),
		bad("rs256-leading-zero", with(rs(""), "\x00"+signedRS)),
		bad("rs256-one", with(rs(""), strings.Repeat("\x00", 255)+"\x01")),
		bad("eddsa-plus-order", with(ed, m.malleable(b64(ed)+"."+b64(good))), "note: RFC 8032 section 5.1.7, s is not below the order"),
		bad("hs256-truncated", with(hs, m.sign("hs-1", b64(hs)+"."+b64(good))[:16])),
		bad("fourth-key", m.token("hs-1", `{"alg":"HS256"}`, good), "keys: hs-4 hs-3 hs-2 hs-1", "note: three keys are tried"),
		bad("expired-too", m.token("rsa-2", rs(""), `{`+base+`,"exp":1}`), "note: the signature comes before the time"),
	}
}
