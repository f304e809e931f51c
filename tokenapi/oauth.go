package tokenapi

import (
	"errors"
	"net/http"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// The error codes of RFC 6749 section 5.2 and RFC 8693 section 2.2.2. temporarily_unavailable is borrowed from
// RFC 6749 section 4.1.2.1.
const (
	invalidRequest         = "invalid_request"
	invalidClient          = "invalid_client"
	invalidGrant           = "invalid_grant"
	invalidScope           = "invalid_scope"
	invalidTarget          = "invalid_target"
	unauthorizedClient     = "unauthorized_client"
	unsupportedGrantType   = "unsupported_grant_type"
	temporarilyUnavailable = "temporarily_unavailable"
)

// oauthError is the body of an error under /oauth2 (RFC 6749 section 5.2). Every text in it is fixed.
type oauthError struct {
	Code        string     `json:"error"`
	Description string     `json:"error_description"`
	Check       jws.Check  `json:"check,omitempty"`
	Reason      jws.Reason `json:"reason,omitempty"`
}

// writeOAuthFault answers a request that is wrong in itself.
func writeOAuthFault(w http.ResponseWriter, d *Decision, code string, f error) {
	d.Err = &jws.Refusal{Check: jws.CheckFormat, Reason: connect.InvalidRequest, Want: "a request that the endpoint takes", Err: f}
	status := http.StatusBadRequest
	if f == errTooLarge {
		status = http.StatusRequestEntityTooLarge
	}
	writeJSON(w, d, status, oauthError{Code: code, Description: f.Error(), Check: jws.CheckFormat, Reason: connect.InvalidRequest})
}

// writeOAuthRefusal answers a request whose token was refused; code is the one for a bad token of this kind.
func writeOAuthRefusal(w http.ResponseWriter, d *Decision, code string, err error) {
	d.Err = err
	problem := connect.ProblemOf(err)
	body := oauthError{Code: code, Description: problem.Detail, Check: problem.Check, Reason: problem.Reason}
	status := http.StatusBadRequest
	switch {
	case problem.Status == http.StatusServiceUnavailable:
		status, body.Code = problem.Status, temporarilyUnavailable
		w.Header().Set("Retry-After", retryAfter)
	case errors.Is(err, session.ErrInvalidTarget):
		body.Code, body.Description = invalidTarget, "Sessions are not issued for this audience."
	case errors.Is(err, session.ErrInvalidScope):
		body.Code, body.Description = invalidScope, "A scope was asked for that the token does not have."
	case errors.Is(err, session.ErrInvalidClient) && code != invalidGrant:
		body.Code, body.Description = invalidClient, "The client_id is missing or not well-formed."
	}
	writeJSON(w, d, status, body)
}
