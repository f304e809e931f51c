package main

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/clerk/clerk-sdk-go/v2"
	clerkjwt "github.com/clerk/clerk-sdk-go/v2/jwt"
	cristalhq "github.com/cristalhq/jwt/v5"
	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	golangjwt "github.com/golang-jwt/jwt/v5"
)

// verifyFunc verifies a token as its library's documentation says, with the issuer and audience checks that the
// library offers, and returns the subject.
type verifyFunc func(token string) (subject string, err error)

// policy is what every verifier of a table is told to check.
type policy struct {
	algorithm string // RS256 or HS256
	public    *rsa.PublicKey
	secret    []byte
	kid       string
	issuer    string // "" where tokens have none (Nakama)
	audience  string // "" where tokens have none
	now       func() time.Time
}

func (p policy) key() any {
	if p.public != nil {
		return p.public
	}
	return p.secret
}

type peerClaims struct {
	golangjwt.RegisteredClaims
	UserID string `json:"uid"`
}

func (c *peerClaims) user() string {
	if c.UserID != "" {
		return c.UserID
	}
	return c.Subject
}

// golangJWT is golang-jwt with typed claims and its options for method, expiry, issuer and audience.
func golangJWT(p policy) verifyFunc {
	options := []golangjwt.ParserOption{
		golangjwt.WithValidMethods([]string{p.algorithm}), golangjwt.WithExpirationRequired(),
		golangjwt.WithTimeFunc(p.now), golangjwt.WithIssuedAt(), golangjwt.WithStrictDecoding(),
	}
	if p.issuer != "" {
		options = append(options, golangjwt.WithIssuer(p.issuer))
	}
	if p.audience != "" {
		options = append(options, golangjwt.WithAudience(p.audience))
	}
	parser := golangjwt.NewParser(options...)
	return func(token string) (string, error) {
		var claims peerClaims
		_, err := parser.ParseWithClaims(token, &claims, func(*golangjwt.Token) (any, error) { return p.key(), nil })
		return claims.user(), err
	}
}

// goJose is go-jose's jwt package.
func goJose(p policy) verifyFunc {
	algorithms := []jose.SignatureAlgorithm{jose.SignatureAlgorithm(p.algorithm)}
	return func(token string) (string, error) {
		parsed, err := josejwt.ParseSigned(token, algorithms)
		if err != nil {
			return "", err
		}
		var claims struct {
			josejwt.Claims
			UserID string `json:"uid"`
		}
		if err := parsed.Claims(p.key(), &claims); err != nil {
			return "", err
		}
		want := josejwt.Expected{Issuer: p.issuer, Time: p.now()}
		if p.audience != "" {
			want.AnyAudience = josejwt.Audience{p.audience}
		}
		if claims.UserID != "" {
			claims.Subject = claims.UserID
		}
		return claims.Subject, claims.ValidateWithLeeway(want, 0)
	}
}

// cristal is cristalhq/jwt, which leaves the claims to its caller.
func cristal(p policy) (verifyFunc, error) {
	var verifier cristalhq.Verifier
	var err error
	if p.public != nil {
		verifier, err = cristalhq.NewVerifierRS(cristalhq.RS256, p.public)
	} else {
		verifier, err = cristalhq.NewVerifierHS(cristalhq.HS256, p.secret)
	}
	if err != nil {
		return nil, err
	}
	return func(token string) (string, error) {
		parsed, err := cristalhq.Parse([]byte(token), verifier)
		if err != nil {
			return "", err
		}
		var claims struct {
			cristalhq.RegisteredClaims
			UserID string `json:"uid"`
		}
		if err := json.Unmarshal(parsed.Claims(), &claims); err != nil {
			return "", err
		}
		return checkCristal(p, &claims.RegisteredClaims, claims.UserID)
	}, nil
}

func checkCristal(p policy, claims *cristalhq.RegisteredClaims, user string) (string, error) {
	switch {
	case claims.ExpiresAt == nil || !claims.IsValidAt(p.now()):
		return "", errors.New("expired")
	case p.issuer != "" && claims.Issuer != p.issuer:
		return "", errors.New("issuer")
	case p.audience != "" && !slices.Contains(claims.Audience, p.audience):
		return "", errors.New("audience")
	case user == "":
		user = claims.Subject
	}
	return user, nil
}

type clock func() time.Time

// Now returns the clock's time.
func (c clock) Now() time.Time { return c() }

// clerkSDK is clerk-sdk-go's Verify with the key at hand, so that it fetches nothing.
func clerkSDK(p policy) verifyFunc {
	jwk := &clerk.JSONWebKey{Key: p.public, KeyID: p.kid, Algorithm: p.algorithm, Use: "sig"}
	return func(token string) (string, error) {
		claims, err := clerkjwt.Verify(context.Background(), &clerkjwt.VerifyParams{Token: token, JWK: jwk, Clock: clock(p.now)})
		if err != nil {
			return "", err
		}
		return claims.Subject, nil
	}
}
