package tokenapi

import (
	"net/http"
	"strings"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/session"
)

const (
	pathIntrospect = "/oauth2/introspect"
	pathRevoke     = "/oauth2/revoke"

	errNoToken fault = "token is required."
)

func (a *API) introspect() endpoint {
	return endpoint{
		path: pathIntrospect, methods: []string{http.MethodPost},
		serve: a.withCaller(MayIntrospect, a.serveIntrospect),
	}
}

// introspection is the body of RFC 7662 section 2.2, with the members of a session besides.
type introspection struct {
	Active    bool              `json:"active"`
	Scope     string            `json:"scope,omitempty"`
	ClientID  string            `json:"client_id,omitempty"`
	Username  string            `json:"username,omitempty"`
	TokenType string            `json:"token_type,omitempty"`
	Expiry    int64             `json:"exp,omitempty"`
	IssuedAt  int64             `json:"iat,omitempty"`
	Subject   string            `json:"sub,omitempty"`
	Audience  []string          `json:"aud,omitempty"`
	Issuer    string            `json:"iss,omitempty"`
	TokenID   string            `json:"jti,omitempty"`
	Session   string            `json:"sid,omitempty"`
	UserID    string            `json:"user_id,omitempty"`
	Realm     string            `json:"realm,omitempty"`
	Player    string            `json:"player,omitempty"`
	Groups    []string          `json:"groups,omitempty"`
	Roles     []string          `json:"roles,omitempty"`
	Vars      map[string]string `json:"vars,omitempty"`
}

// describe says of a session what a game server may know. Times are Unix seconds.
func describe(s *session.Session) introspection {
	doc := introspection{
		Active: true, Scope: strings.Join(s.Scopes, " "), ClientID: s.ClientID, Username: s.Username, TokenType: "Bearer",
		Subject: s.PlayerID, Audience: s.Audience, Issuer: s.Issuer, TokenID: s.TokenID, Session: s.ID, UserID: s.UserID,
		Realm: s.Player.Realm, Player: s.Player.Subject, Groups: s.Groups, Roles: s.Roles, Vars: s.Vars,
	}
	if !s.Expiry.IsZero() {
		doc.Expiry = s.Expiry.Unix()
	}
	if !s.IssuedAt.IsZero() {
		doc.IssuedAt = s.IssuedAt.Unix()
	}
	return doc
}

// serveIntrospect answers active: false without a reason for every token that is not good (RFC 7662 section 2.2), and 503
// where nobody can say.
func (a *API) serveIntrospect(w http.ResponseWriter, r *http.Request, d *Decision) {
	f, err := readForm(w, r)
	if err == nil && f["token"] == "" {
		err = errNoToken
	}
	if err != nil {
		writeOAuthFault(w, d, invalidRequest, err)
		return
	}
	s, err := anyOf(a.config.Verifiers).Verify(r.Context(), f["token"])
	switch {
	case err == nil:
		d.about(s)
		d.Allowed = true
		writeJSON(w, d, http.StatusOK, describe(s))
	case connect.StatusOf(err) == http.StatusServiceUnavailable:
		writeOAuthRefusal(w, d, invalidRequest, err)
	default:
		d.Err = err
		writeJSON(w, d, http.StatusOK, introspection{})
	}
}
