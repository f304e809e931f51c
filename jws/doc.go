// Package jws reads, verifies and signs JSON Web Tokens in the compact form (RFC 7515, RFC 7519), following the best
// current practices of RFC 8725.
//
// A [Verifier] holds one policy, made once and used by every request:
//
//	key, err := jws.ParsePublicPEM("key-1", pem)
//	verifier, err := jws.NewVerifier(jws.Config{
//		Keys:       jws.StaticKeys{key},
//		Algorithms: []jws.Algorithm{jws.RS256},
//		Types:      []string{"JWT", ""},
//		Accept: func(t *jws.Token) error {
//			if err := t.RequireIssuer("https://issuer.example"); err != nil {
//				return err
//			}
//			return t.RequireAudience("my-game")
//		},
//	})
//	token, err := verifier.Verify(ctx, text)
//	subject, _ := token.Claims.String("sub")
//
// A [Signer] makes tokens: NewSigner(kid, private), then Sign("JWT", claims).
//
// # Order of the checks
//
// Format, algorithm, signature, time, then the Accept function: issuer, audience and whatever else is the issuer's own.
// The first check that fails ends the verification with a [*Refusal], which errors.Is compares with a [Reason].
// Nothing of the payload is compared, returned or put in an error before the signature holds.
//
// # What is refused
//
//   - any spelling but the canonical one: padding, CR or LF, stray bits in a last character, a part too many; so a
//     signed token has one spelling. (Of an ES256 signature there are two, s and n-s, as RFC 7518 allows: what must be
//     met once, such as a revocation, goes by jti or sid and never by the token's text.)
//   - JSON that two parsers could read in two ways: names that are there twice or differ only by case, a case variant
//     of a registered name, invalid UTF-8, lone surrogates, a second value, deep nesting
//   - an algorithm that is not the key's own: each [Key] has one. "none" does not exist
//   - crit, b64 other than true, a typ that is not in the list; jwk, jku, x5u and x5c are never used as keys
//   - RSA keys below 2048 bits, bad exponents, ROCA moduli, points off the curve, HMAC keys below 32 bytes
//   - tokens without exp
//
// exp has no leeway; nbf and iat have 5 seconds.
//
// # Seeing the same token again
//
// A [Cache] remembers what a policy accepted twice. It holds no token, checks exp, nbf and the key's trust at every hit,
// and is never shared between two policies.
package jws
