package jws_test

import (
	"context"
	"encoding/base64"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

// The examples of RFC 7515 appendix A.1 to A.3: one payload with exp 1300819380, three algorithms.
const (
	rfcClaims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

	rfcHS256  = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + rfcClaims + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	rfcSecret = `{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}`

	rfcRS256 = "eyJhbGciOiJSUzI1NiJ9." + rfcClaims + "." +
		"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5" +
		"jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb" +
		"1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO" +
		"YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
	rfcRSA = `{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR` +
		`T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV` +
		`MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}`

	rfcES256 = "eyJhbGciOiJFUzI1NiJ9." + rfcClaims + "." +
		"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
	rfcEC = `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`
)

// TestKnownAnswers verifies the examples of RFC 7515 at a time when they were valid.
func TestKnownAnswers(t *testing.T) {
	t.Parallel()
	parse := map[jws.Algorithm]func([]byte) (*jws.Key, error){jws.HS256: jws.ParseSecretJWK}
	for _, c := range []struct {
		alg        jws.Algorithm
		key, token string
	}{{jws.HS256, rfcSecret, rfcHS256}, {jws.RS256, rfcRSA, rfcRS256}, {jws.ES256, rfcEC, rfcES256}} {
		parseKey := parse[c.alg]
		if parseKey == nil {
			parseKey = jws.ParseJWK
		}
		key, err := parseKey([]byte(c.key))
		if err != nil {
			t.Fatalf("%s: %v", c.alg, err)
		}
		v, err := jws.NewVerifier(jws.Config{
			Keys:       jws.StaticKeys{key},
			Algorithms: []jws.Algorithm{c.alg},
			Types:      []string{"", "JWT"},
			Accept:     func(t *jws.Token) error { return t.RequireIssuer("joe") },
			Now:        func() time.Time { return time.Unix(1300819379, 0) },
		})
		if err != nil {
			t.Fatalf("%s: %v", c.alg, err)
		}
		token, err := v.Verify(context.Background(), c.token)
		if err != nil {
			t.Fatalf("%s: %v", c.alg, err)
		}
		if root, ok := token.Claims.Bool("http://example.com/is_root"); !root || !ok || token.Expiry != 1300819380 {
			t.Errorf("%s: claims %s", c.alg, base64.StdEncoding.EncodeToString(token.Claims.Raw("exp")))
		}
	}
}
