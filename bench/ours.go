package main

import (
	"context"

	"github.com/sallyport-auth/sallyport/jws"
)

// sallyportJWS is our verifier at the level of the peers: signature, times, issuer and audience.
func sallyportJWS(p policy, types []string) (verifyFunc, error) {
	keys, err := sallyportKey(p)
	if err != nil {
		return nil, err
	}
	subject := "sub"
	if p.issuer == "" {
		subject = "uid"
	}
	verifier, err := jws.NewVerifier(jws.Config{
		Keys: jws.StaticKeys{keys}, Algorithms: []jws.Algorithm{jws.Algorithm(p.algorithm)},
		Types: types, Now: p.now,
		Accept: func(t *jws.Token) error { return acceptClaims(&p, t) },
	})
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	return func(token string) (string, error) {
		t, err := verifier.Verify(ctx, token)
		if err != nil {
			return "", err
		}
		s, _ := t.Claims.String(subject)
		return s, nil
	}, nil
}

func sallyportKey(p policy) (*jws.Key, error) {
	if p.public != nil {
		return jws.NewKey(p.kid, p.public)
	}
	return jws.NewSecretKey(p.kid, p.secret)
}

func acceptClaims(p *policy, t *jws.Token) error {
	if p.issuer != "" {
		if err := t.RequireIssuer(p.issuer); err != nil {
			return err
		}
	}
	if p.audience != "" {
		return t.RequireAudience(p.audience)
	}
	return nil
}
