package jws

import "strings"

// UnverifiedIssuer returns the iss of a token whose signature nobody has checked. Its only use is to select the
// verifier that then checks it: the value is the sender's and must not be logged, shown or compared for anything else.
// The payload is parsed as strictly as by Verify. The error is a *[Refusal]: Malformed or MissingClaim.
func UnverifiedIssuer(token string) (string, error) {
	p, ok := split(token, strings.IndexByte(token, '.'))
	if !ok || strings.Contains(p.signature, ".") || len(token) > maxMaxBytes {
		return "", malformed("", wantParts)
	}
	s := scratches.Get().(*scratch)
	defer s.release()
	text, ok := decode(s.buf[:0], p.payload)
	if !ok {
		return "", malformed("", wantBase64)
	}
	claims, err := s.object(text, 0)
	if err != nil {
		return "", err
	}
	if !claims.Has("iss") {
		return "", &Refusal{Check: CheckIssuer, Reason: MissingClaim, Claim: "iss", Want: "the issuer"}
	}
	issuer, ok := claims.String("iss")
	if !ok {
		return "", &Refusal{Check: CheckIssuer, Reason: Malformed, Claim: "iss", Want: "a string"}
	}
	return strings.Clone(issuer), nil
}
