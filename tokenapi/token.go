package tokenapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport-auth/sallyport/session"
)

// The names of RFC 8693 sections 2.1 and 3.
const (
	grantExchange   = "urn:ietf:params:oauth:grant-type:token-exchange"
	grantRefresh    = "refresh_token"
	typeAccessToken = "urn:ietf:params:oauth:token-type:access_token"
	typeIDToken     = "urn:ietf:params:oauth:token-type:id_token"
	typeJWT         = "urn:ietf:params:oauth:token-type:jwt"
)

const (
	pathToken = "/oauth2/token"

	errNoGrant      fault = "grant_type is required."
	errGrant        fault = "grant_type must be token exchange or refresh_token."
	errNoSubject    fault = "subject_token and subject_token_type are required."
	errSubjectType  fault = "subject_token_type must be id_token, access_token or jwt."
	errWantedType   fault = "requested_token_type must be access_token or jwt."
	errActor        fault = "actor_token is not supported."
	errResource     fault = "resource is not supported. Name the audience."
	errNoRefresh    fault = "refresh_token is required."
	errTwoClients   fault = "The client_id of the body is not the one of the Authorization header."
	errClientSecret fault = "Clients of this endpoint are public and have no secret. Send client_id in the body."
)

func (a *API) token() endpoint {
	return endpoint{
		path: pathToken, methods: []string{http.MethodPost}, cors: true,
		absent: a.config.Sessions == nil, serve: a.serveToken,
	}
}

// grantResponse is the body of RFC 6749 section 5.1 and RFC 8693 section 2.2.1.
type grantResponse struct {
	AccessToken     string `json:"access_token"`
	IssuedTokenType string `json:"issued_token_type,omitempty"`
	TokenType       string `json:"token_type"`
	ExpiresIn       int64  `json:"expires_in"`
	Scope           string `json:"scope,omitempty"`
	RefreshToken    string `json:"refresh_token,omitempty"`
}

func (a *API) serveToken(w http.ResponseWriter, r *http.Request, d *Decision) {
	f, err := readForm(w, r)
	if err != nil {
		writeOAuthFault(w, d, invalidRequest, err)
		return
	}
	client, err := clientOf(r, f)
	if err != nil {
		a.refuseClient(w, d, err)
		return
	}
	switch f["grant_type"] {
	case grantExchange:
		a.exchange(w, r, d, f, client)
	case grantRefresh:
		a.refresh(w, r, d, f, client)
	case "":
		writeOAuthFault(w, d, invalidRequest, errNoGrant)
	default:
		writeOAuthFault(w, d, unsupportedGrantType, errGrant)
	}
}

// clientOf returns the client_id, from the body or, form-encoded, from a Basic header with an empty secret (RFC 6749
// section 2.3.1). A client that thinks it authenticates is told that it does not.
func clientOf(r *http.Request, f form) (string, error) {
	if f["client_secret"] != "" || f["client_assertion"] != "" {
		return "", errClientSecret
	}
	if len(r.Header["Authorization"]) == 0 {
		return f["client_id"], nil
	}
	encoded, secret, ok := basic(r)
	id, err := url.QueryUnescape(encoded)
	switch {
	case !ok || err != nil || secret != "":
		return "", errClientSecret
	case f["client_id"] != "" && f["client_id"] != id:
		return "", errTwoClients
	}
	return id, nil
}

func (a *API) refuseClient(w http.ResponseWriter, d *Decision, err error) {
	if err == errTwoClients {
		writeOAuthFault(w, d, invalidRequest, err)
		return
	}
	d.Err = errBadCaller
	w.Header().Set("WWW-Authenticate", `Basic realm="sallyport", charset="UTF-8"`)
	writeJSON(w, d, http.StatusUnauthorized, oauthError{Code: invalidClient, Description: err.Error(), Reason: BadCaller})
}

func (a *API) exchange(w http.ResponseWriter, r *http.Request, d *Decision, f form, client string) {
	issued, code, err := checkExchange(f)
	if err != nil {
		writeOAuthFault(w, d, code, err)
		return
	}
	grant, err := a.config.Sessions.Exchange(r.Context(), session.ExchangeRequest{
		SubjectToken: f["subject_token"], Audience: f["audience"], ClientID: client, Scopes: strings.Fields(f["scope"]),
	})
	if err != nil {
		writeOAuthRefusal(w, d, invalidRequest, err)
		return
	}
	writeGrant(w, d, grant, issued)
}

// checkExchange holds the parameters to RFC 8693 section 2.1 and returns the type of the token to issue, or the error
// and its code.
func checkExchange(f form) (issued, code string, err error) {
	issued = typeAccessToken
	switch {
	case f["subject_token"] == "" || f["subject_token_type"] == "":
		return "", invalidRequest, errNoSubject
	case f["actor_token"] != "" || f["actor_token_type"] != "":
		return "", invalidRequest, errActor
	case f["resource"] != "":
		return "", invalidTarget, errResource
	}
	switch f["subject_token_type"] {
	case typeIDToken, typeAccessToken, typeJWT:
	default:
		return "", invalidRequest, errSubjectType
	}
	switch f["requested_token_type"] {
	case "", typeAccessToken:
	case typeJWT:
		issued = typeJWT
	default:
		return "", invalidRequest, errWantedType
	}
	return issued, "", nil
}

func (a *API) refresh(w http.ResponseWriter, r *http.Request, d *Decision, f form, client string) {
	if f["refresh_token"] == "" {
		writeOAuthFault(w, d, invalidRequest, errNoRefresh)
		return
	}
	grant, err := a.config.Sessions.Refresh(r.Context(), session.RefreshRequest{
		RefreshToken: f["refresh_token"], ClientID: client, Scopes: strings.Fields(f["scope"]),
	})
	if err != nil {
		writeOAuthRefusal(w, d, invalidGrant, err)
		return
	}
	if a.config.Renewed != nil {
		a.config.Renewed(grant.Session)
	}
	writeGrant(w, d, grant, "")
}

func writeGrant(w http.ResponseWriter, d *Decision, grant *session.Grant, issued string) {
	d.about(grant.Session)
	d.Allowed = true
	w.Header().Set("Pragma", "no-cache")
	writeJSON(w, d, http.StatusOK, grantResponse{
		AccessToken: grant.AccessToken, IssuedTokenType: issued, TokenType: "Bearer",
		ExpiresIn: int64(grant.ExpiresIn.Seconds()), Scope: strings.Join(grant.Scopes, " "), RefreshToken: grant.RefreshToken,
	})
}
