package devidp

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

// sdkScope is the scope of access tokens that come from the API and not from the hosted UI.
const sdkScope = "aws.cognito.signin.user.admin"

// authenticationResult is Cognito's AuthenticationResultType.
type authenticationResult struct {
	AccessToken  string
	ExpiresIn    int64  // seconds
	IDToken      string `json:"IdToken"`
	RefreshToken string `json:",omitempty"`
	TokenType    string
}

// startSession begins a sign-in for a user and returns its first tokens. The caller holds the lock.
func (p *Provider) startSession(u *user, clientID string) (*authenticationResult, error) {
	started := &session{Sub: u.Sub, ClientID: clientID, AuthTime: p.now(), Expires: p.now().Add(p.cfg.RefreshLifetime)}
	var err error
	if started.ID, err = p.newUUID(); err != nil {
		return nil, err
	}
	if started.EventID, err = p.newUUID(); err != nil {
		return nil, err
	}
	refresh, err := p.newOpaque()
	if err != nil {
		return nil, err
	}
	started.addRefresh(digestOf(refresh))
	p.state.addSession(started, p.cfg.MaxSessions, p.now())
	result, err := p.mint(u, started)
	if err != nil {
		return nil, err
	}
	result.RefreshToken = refresh
	return result, p.save()
}

// mint signs an ID and an access token of a session.
func (p *Provider) mint(u *user, s *session) (*authenticationResult, error) {
	idClaims, err := p.sharedClaims(u, s)
	if err != nil {
		return nil, err
	}
	accessClaims, err := p.sharedClaims(u, s)
	if err != nil {
		return nil, err
	}
	addIDClaims(idClaims, u, s)
	accessClaims["token_use"] = "access"
	accessClaims["client_id"] = s.ClientID
	accessClaims["scope"] = sdkScope
	accessClaims["username"] = u.Username
	id, err := sign(p.keys[0].id, idClaims)
	if err != nil {
		return nil, err
	}
	access, err := sign(p.keys[0].access, accessClaims)
	return &authenticationResult{
		AccessToken: access,
		ExpiresIn:   int64(p.cfg.TokenLifetime / time.Second),
		IDToken:     id,
		TokenType:   "Bearer",
	}, err
}

// sharedClaims are those of both tokens. auth_time, origin_jti and event_id are the session's and stay over refreshes.
func (p *Provider) sharedClaims(u *user, s *session) (map[string]any, error) {
	jti, err := p.newUUID()
	claims := map[string]any{
		"sub":        u.Sub,
		"iss":        p.Issuer(),
		"origin_jti": s.ID,
		"event_id":   s.EventID,
		"auth_time":  s.AuthTime.Unix(),
		"iat":        p.now().Unix(),
		"exp":        p.now().Add(p.cfg.TokenLifetime).Unix(),
		"jti":        jti,
	}
	if len(u.Groups) > 0 {
		claims["cognito:groups"] = u.Groups
	}
	return claims, err
}

func addIDClaims(claims map[string]any, u *user, s *session) {
	for name, value := range u.Attributes {
		claims[name] = value
	}
	for _, name := range []string{"email_verified", "phone_number_verified"} {
		if value, ok := u.Attributes[name]; ok {
			claims[name] = value == "true"
		}
	}
	claims["token_use"] = "id"
	claims["aud"] = s.ClientID
	claims["cognito:username"] = u.Username
}

// sign leaves typ out: Cognito's header is kid and alg.
func sign(signer *jws.Signer, claims map[string]any) (string, error) {
	data, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return signer.Sign("", data)
}

func digestOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (p *Provider) newAccessVerifier() (*jws.Verifier, error) {
	return jws.NewVerifier(jws.Config{
		Keys:       accessKeys{p},
		Algorithms: []jws.Algorithm{jws.RS256},
		Types:      []string{""},
		Now:        p.cfg.Now,
		Accept: func(t *jws.Token) error {
			if err := t.RequireIssuer(p.Issuer()); err != nil {
				return err
			}
			return t.RequireString("token_use", "access")
		},
	})
}

// authorized returns the user and the session of an access token. The caller does not hold the lock; the answer is a
// copy of what was true then, except that the user may be changed under the lock.
func (p *Provider) authorized(accessToken string) (*user, *session, error) {
	if accessToken == "" {
		return nil, nil, missing("accessToken")
	}
	t, err := p.access.Verify(context.Background(), accessToken)
	switch {
	case errors.Is(err, jws.Expired):
		return nil, nil, refuse("NotAuthorized", "Access Token has expired")
	case errors.Is(err, jws.BadSignature), errors.Is(err, jws.UnknownKey):
		return nil, nil, refuse("NotAuthorized", "Could not verify signature for Access Token")
	case err != nil:
		return nil, nil, refuse("NotAuthorized", "Invalid Access Token")
	}
	origin, _ := t.Claims.String("origin_jti")
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.state.sessions[origin]
	if s == nil || s.Revoked || p.state.users[s.Sub] == nil {
		return nil, nil, refuse("NotAuthorized", "Access Token has been revoked")
	}
	return p.state.users[s.Sub], s, nil
}

type getUserInput struct{ AccessToken string }

type getUserOutput struct {
	Username       string
	UserAttributes []attribute
}

func (p *Provider) getUser(in *getUserInput) (*getUserOutput, error) {
	u, _, err := p.authorized(in.AccessToken)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	out := &getUserOutput{Username: u.Username, UserAttributes: []attribute{{"sub", u.Sub}}}
	for _, name := range slices.Sorted(maps.Keys(u.Attributes)) {
		out.UserAttributes = append(out.UserAttributes, attribute{name, u.Attributes[name]})
	}
	return out, nil
}
