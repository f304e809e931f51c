package jws_test

import (
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"strings"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
)

// times are about exp, nbf and iat.
func (m maker) times() []vector {
	signed := func(payload string) string { return m.token("rsa-1", rs(""), payload) }
	wrong := func(claim, name, member string) vector {
		payload := `{` + base + `,` + member + `}`
		if claim != "exp" {
			payload = claims(member)
		}
		return verified("time", "malformed", claim, name, signed(payload))
	}
	expired := func(name, value string) vector {
		return verified("time", "expired", "exp", name, signed(`{`+base+`,"exp":`+value+`}`))
	}
	early := func(claim, name, value string) vector {
		return verified("time", "not_yet_valid", claim, name, signed(claims(`"`+claim+`":`+value)))
	}
	return []vector{
		verified("time", "missing_claim", "exp", "exp-missing", signed(`{`+base+`}`)),
		verified("time", "missing_claim", "exp", "exp-only-as-start-of-name", signed(`{`+base+`,"exp\"":9999999999}`)),
		wrong("exp", "exp-string", `"exp":"1793538000"`),
		wrong("exp", "exp-null", `"exp":null`),
		wrong("exp", "exp-true", `"exp":true`),
		wrong("exp", "exp-array", `"exp":[1793538000]`),
		wrong("exp", "exp-negative", `"exp":-1793538000`),
		wrong("exp", "exp-minus-zero", `"exp":-0`),
		wrong("exp", "exp-exponent", `"exp":1e10`),
		wrong("exp", "exp-fraction-exponent", `"exp":1.793538e9`),
		wrong("exp", "exp-year-10000", `"exp":253402300800`),
		wrong("exp", "exp-over-int64", `"exp":9223372036854775808`),
		wrong("exp", "exp-huge", `"exp":1`+strings.Repeat("0", 400)),
		wrong("exp", "exp-milliseconds-overflow", `"exp":1793538000000000`),
		expired("exp-now", "1793534400"),
		expired("exp-fraction-of-now", "1793534400.9"),
		expired("exp-hour-ago", "1793530800"),
		expired("exp-zero", "0"),
		wrong("nbf", "nbf-string", `"nbf":"0"`),
		wrong("nbf", "nbf-exponent", `"nbf":1E9`),
		early("nbf", "nbf-beyond-leeway", "1793534406"),
		early("nbf", "nbf-fraction-beyond-leeway", "1793534405.1"),
		wrong("iat", "iat-object", `"iat":{}`),
		early("iat", "iat-future", "1793534406"),
		early("iat", "iat-year-9999", "253402300799"),
	}
}

// policies are about issuer, audience and required claims.
func (m maker) policies() []vector {
	signed := func(old, replacement string) string {
		return m.token("rsa-1", rs(""), strings.Replace(good, old, replacement, 1))
	}
	const iss, aud = `"iss":"https://issuer.example"`, `"aud":"game"`
	plain := m.token("rsa-1", rs(""), claims(`"token_use":"id","empty":"","n":1`))
	return []vector{
		verified("issuer", "wrong_issuer", "iss", "iss-other", signed(iss, `"iss":"https://attacker.example"`)),
		verified("issuer", "wrong_issuer", "iss", "iss-slash", signed(iss, `"iss":"https://issuer.example/"`)),
		verified("issuer", "wrong_issuer", "iss", "iss-prefix", signed(iss, `"iss":"https://issuer.example.attacker.example"`)),
		verified("issuer", "missing_claim", "iss", "iss-missing", signed(iss, `"x":1`)),
		verified("issuer", "malformed", "iss", "iss-array", signed(iss, `"iss":["https://issuer.example"]`)),
		verified("issuer", "wrong_audience", "aud", "aud-other", signed(aud, `"aud":"other-game"`)),
		verified("issuer", "wrong_audience", "aud", "aud-others", signed(aud, `"aud":["a","b"]`)),
		verified("issuer", "wrong_audience", "aud", "aud-empty-array", signed(aud, `"aud":[]`), "note: CVE-2020-26160"),
		verified("issuer", "wrong_audience", "aud", "aud-empty", signed(aud, `"aud":""`)),
		verified("issuer", "missing_claim", "aud", "aud-missing", signed(aud, `"x":1`)),
		verified("issuer", "malformed", "aud", "aud-number", signed(aud, `"aud":1`)),
		verified("issuer", "malformed", "aud", "aud-mixed-array", signed(aud, `"aud":["game",1]`)),
		verified("policy", "wrong_claim", "token_use", "claim-wrong", plain, "require: token_use access"),
		verified("policy", "missing_claim", "scope", "claim-missing", plain, "require: scope play"),
		verified("policy", "malformed", "n", "claim-of-another-type", plain, "require: n 1"),
		verified("policy", "missing_claim", "scope", "claim-not-present", plain, "require: scope"),
		verified("policy", "wrong_claim", "empty", "claim-empty", plain, "require: empty"),
		verified("policy", "wrong_claim", "n", "claim-present-as-number", plain, "require: n"),
		verified("policy", "wrong_claim", "", "policy-error", plain, "require: any nothing"),
	}
}

// asn1 returns the DER form of an ECDSA signature, which is not the form of a JWS.
func (m maker) asn1(signature string) []byte {
	var pair struct{ R, S *big.Int }
	pair.R = new(big.Int).SetBytes([]byte(signature[:32]))
	pair.S = new(big.Int).SetBytes([]byte(signature[32:]))
	der, err := asn1.Marshal(pair)
	if err != nil {
		m.t.Fatal(err)
	}
	return der
}

// malleable adds the group's order to the s of an Ed25519 signature.
func (m maker) malleable(signed string) string {
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	signature := []byte(m.sign("ed25519-1", signed))
	s := new(big.Int)
	for i := len(signature) - 1; i >= 32; i-- {
		s.Lsh(s, 8).Or(s, big.NewInt(int64(signature[i])))
	}
	big := s.Add(s, order).FillBytes(make([]byte, 32))
	for i, c := range big {
		signature[63-i] = c
	}
	return string(signature)
}

func (m maker) modulus(name string) string {
	public := testvectors.PrivateKey(m.t, name).Public().(*rsa.PublicKey)
	return base64.RawURLEncoding.EncodeToString(public.N.Bytes())
}
