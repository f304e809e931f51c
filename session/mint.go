package session

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/internal/uuid"
	"github.com/sallyport-auth/sallyport/jws"
)

// accessTokenType is the typ of access tokens, RFC 9068 section 2.1.
const accessTokenType = "at+jwt"

// maxAccessToken is the most bytes of an access token: verifiers read no more.
const maxAccessToken = 16 << 10

// accessClaims are the claims of an access token: those of RFC 9068 section 2.2 and, for our own verifiers, the session,
// the player and the upstream session that revocations name.
type accessClaims struct {
	Issuer   string   `json:"iss"`
	Audience string   `json:"aud"`
	PlayerID string   `json:"sub"`
	Session  string   `json:"sid"`
	ClientID string   `json:"client_id"`
	IssuedAt int64    `json:"iat"`
	Expiry   int64    `json:"exp"`
	TokenID  string   `json:"jti"`
	AuthTime int64    `json:"auth_time,omitempty"`
	Scope    string   `json:"scope,omitempty"`
	Groups   []string `json:"groups,omitempty"`
	Roles    []string `json:"roles,omitempty"`
	Username string   `json:"username,omitempty"`
	Realm    string   `json:"realm"`
	Subject  string   `json:"idp_sub"`
	Upstream string   `json:"upstream,omitempty"`
	Bought   int64    `json:"idp_iat,omitempty"` // when the identity token was issued
}

// grant mints an access token for a family and the refresh token that comes after the family's number.
func (i *Issuer) grant(f Family) (*Grant, error) {
	now := i.config.Now().UTC()
	claims, err := i.claims(f, now)
	if err != nil {
		return nil, err
	}
	signer, err := i.audiences[f.Audience[0]]()
	if err != nil {
		return nil, err
	}
	token, err := signer.Sign(accessTokenType, claims)
	if err != nil {
		return nil, unavailable(err)
	}
	if len(token) > maxAccessToken {
		return nil, fmt.Errorf("session: the access token has %d bytes, verifiers read %d: the identity has too many groups, roles or scopes", len(token), maxAccessToken)
	}
	s, err := mintedSession(claims, signer)
	if err != nil {
		return nil, err
	}
	return &Grant{
		AccessToken:  token,
		RefreshToken: f.refreshToken(f.Number),
		Session:      s,
		ExpiresIn:    s.Expiry.Sub(now).Truncate(time.Second),
		Audience:     f.Audience[0],
		Scopes:       f.Scopes,
	}, nil
}

// claims returns the JSON of a new access token. It never outlives its family.
func (i *Issuer) claims(f Family, now time.Time) ([]byte, error) {
	jti, err := uuid.NewV7(now, i.config.Rand)
	if err != nil {
		return nil, unavailable(err)
	}
	claims := accessClaims{
		Issuer: i.config.Issuer, Audience: f.Audience[0], PlayerID: f.PlayerID, Session: f.ID, ClientID: f.ClientID,
		IssuedAt: now.Unix(), Expiry: min(now.Add(i.config.TokenLifetime).Unix(), f.Expires.Unix()), TokenID: jti,
		Scope: strings.Join(f.Scopes, " "), Groups: f.Groups, Roles: f.Roles,
		Username: f.Username, Realm: f.Player.Realm, Subject: f.Player.Subject, Upstream: f.Upstream,
	}
	if !f.AuthTime.IsZero() {
		claims.AuthTime = f.AuthTime.Unix()
	}
	if !f.IdentityIssuedAt.IsZero() {
		claims.Bought = f.IdentityIssuedAt.Unix()
	}
	data, err := json.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("session: claims: %v", err)
	}
	return data, nil
}

// mintedSession reads claims back the way a verifier does, so that a grant and a verified token never differ.
func mintedSession(claims []byte, signer *jws.Signer) (*Session, error) {
	object, err := jws.ParseObject(claims)
	if err != nil {
		return nil, fmt.Errorf("session: the claims that were minted do not parse: %w", err)
	}
	iat, _ := object.Int64("iat")
	exp, _ := object.Int64("exp")
	return accessSession(&jws.Token{Claims: object, Key: signer.Key(), IssuedAt: iat, Expiry: exp})
}
