package devidp

import (
	"crypto/subtle"
	"strings"
	"time"
)

func (p *Provider) refreshAuth(client Client, parameters map[string]string) (*authOutput, error) {
	if client.Rotation {
		return nil, invalidParameter("REFRESH_TOKEN_AUTH flow not enabled for this client")
	}
	if err := require(parameters, "REFRESH_TOKEN"); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s, _, err := p.refreshable(client, parameters["REFRESH_TOKEN"])
	if err != nil {
		return nil, err
	}
	u := p.state.users[s.Sub]
	names := []string{u.Username, u.Sub, u.Attributes["email"]}
	if err := checkSecretHash(client, parameters["SECRET_HASH"], names...); err != nil {
		return nil, err
	}
	result, err := p.mint(u, s)
	if err != nil {
		return nil, err
	}
	return &authOutput{ChallengeParameters: map[string]string{}, AuthenticationResult: result}, nil
}

type getTokensInput struct {
	ClientID     string `json:"ClientId"`
	ClientSecret string
	RefreshToken string
}

type getTokensOutput struct {
	AuthenticationResult *authenticationResult
}

func (p *Provider) getTokensFromRefreshToken(in *getTokensInput) (*getTokensOutput, error) {
	client, err := p.client(in.ClientID)
	switch {
	case err != nil:
		return nil, err
	case in.RefreshToken == "":
		return nil, missing("refreshToken")
	case !secretIs(client, in.ClientSecret):
		return nil, refuse("NotAuthorized", "Unable to verify the secret of client "+client.ID)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s, i, err := p.refreshable(client, in.RefreshToken)
	if err != nil {
		return nil, err
	}
	result, err := p.mint(p.state.users[s.Sub], s)
	if err != nil {
		return nil, err
	}
	if client.Rotation {
		if result.RefreshToken, err = p.rotate(s, i, client.RotationGrace); err != nil {
			return nil, err
		}
	}
	return &getTokensOutput{result}, nil
}

// rotate replaces the refresh token at place i of a session. Its successor ends when the sign-in ends.
func (p *Provider) rotate(s *session, i int, grace time.Duration) (string, error) {
	refresh, err := p.newOpaque()
	if err != nil {
		return "", err
	}
	if s.Refresh[i].Until.IsZero() {
		s.Refresh[i].Until = p.cfg.Now().Add(grace)
	}
	s.addRefresh(digestOf(refresh))
	return refresh, p.save()
}

// refreshable finds the session of a refresh token that still works. The caller holds the lock.
func (p *Provider) refreshable(client Client, token string) (*session, int, error) {
	s, i := p.state.byRefresh(digestOf(token))
	switch {
	case s == nil, s.ClientID != client.ID, p.state.users[s.Sub] == nil:
		return nil, 0, refuse("NotAuthorized", "Invalid Refresh Token")
	case s.Revoked:
		return nil, 0, refuse("NotAuthorized", "Refresh Token has been revoked")
	case !s.Expires.After(p.cfg.Now()):
		return nil, 0, refuse("NotAuthorized", "Refresh Token has expired")
	case p.replaced(s.Refresh[i]):
		return nil, 0, refuse("RefreshTokenReuse", "Refresh token has been invalidated by rotation")
	}
	return s, i, nil
}

// replaced reports whether a token was rotated out and its grace is over.
func (p *Provider) replaced(t refreshToken) bool {
	return !t.Until.IsZero() && !p.cfg.Now().Before(t.Until)
}

// secretIs checks the client secret where it is sent as such.
func secretIs(client Client, secret string) bool {
	return subtle.ConstantTimeCompare([]byte(client.Secret), []byte(secret)) == 1
}

type revokeTokenInput struct {
	ClientID     string `json:"ClientId"`
	ClientSecret string
	Token        string
}

// revokeToken ends the session of a refresh token: its refresh tokens, and its access tokens at this API. A token that
// nobody knows is no error (RFC 7009 section 2.2).
func (p *Provider) revokeToken(in *revokeTokenInput) (empty, error) {
	client, known := p.clients[in.ClientID]
	switch {
	case in.ClientID == "":
		return empty{}, missing("clientId")
	case in.Token == "":
		return empty{}, missing("token")
	case !known || !secretIs(client, in.ClientSecret):
		return empty{}, refuse("Unauthorized", "Invalid client id or secret")
	case strings.Count(in.Token, ".") == 2:
		return empty{}, refuse("UnsupportedTokenType", "Unsupported token type")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s, _ := p.state.byRefresh(digestOf(in.Token))
	if s == nil {
		return empty{}, nil
	}
	if s.ClientID != client.ID {
		return empty{}, refuse("Unauthorized", "The token was issued to another client")
	}
	s.Revoked = true
	return empty{}, p.save()
}

type globalSignOutInput struct{ AccessToken string }

func (p *Provider) globalSignOut(in *globalSignOutInput) (empty, error) {
	u, _, err := p.authorized(in.AccessToken)
	if err != nil {
		return empty{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.state.sessions {
		if s.Sub == u.Sub {
			s.Revoked = true
		}
	}
	return empty{}, p.save()
}
