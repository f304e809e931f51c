package tokenapi

import (
	"errors"
	"net/http"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
)

const (
	pathLogout = "/v1/backchannel-logout"
	pathClerk  = "/v1/clerk/webhook"

	errNoLogout fault = "logout_token is required."
)

func (a *API) logout() endpoint {
	return endpoint{
		path: pathLogout, methods: []string{http.MethodPost},
		absent: a.config.Logouts == nil, serve: a.serveLogout,
	}
}

func (a *API) clerk() endpoint {
	return endpoint{
		path: pathClerk, methods: []string{http.MethodPost},
		absent: len(a.config.ClerkWebhooks) == 0, serve: a.serveClerk,
	}
}

// serveLogout answers 200, or 400 if the logout token is not good or the logout failed (OpenID Connect Back-Channel
// Logout 1.0 section 2.8).
func (a *API) serveLogout(w http.ResponseWriter, r *http.Request, d *Decision) {
	f, err := readForm(w, r)
	if err == nil && f["logout_token"] == "" {
		err = errNoLogout
	}
	if err != nil {
		writeOAuthFault(w, d, invalidRequest, err)
		return
	}
	out, err := a.config.Logouts.VerifyLogout(r.Context(), f["logout_token"])
	if err == nil {
		err = a.signOut(r, d, out)
	}
	if err == nil {
		a.config.Logouts.LogoutTaken(out)
	}
	if err != nil {
		d.Err = err
		body := oauthError{Code: invalidRequest, Description: "The logout token was refused.", Reason: jws.ReasonOf(err)}
		if body.Reason == jws.Unavailable {
			body.Code, body.Description = temporarilyUnavailable, "The logout could not be carried out. Send it again."
		}
		writeJSON(w, d, http.StatusBadRequest, body)
		return
	}
	d.Status, d.Allowed = http.StatusOK, true
	w.WriteHeader(http.StatusOK)
}

// signOut carries an issuer's message out. Only then may it be acknowledged.
func (a *API) signOut(r *http.Request, d *Decision, out *identity.SignOut) error {
	d.Issuer, d.Player = out.Issuer, out.Player
	if err := a.config.Ledger.SignOut(r.Context(), out); err != nil {
		return unavailable(err)
	}
	return nil
}

// serveClerk answers 204 for every message with a good signature, of interest or not; 400 for a bad one; and 503 if
// the ledger could not take it, so that the message comes again.
func (a *API) serveClerk(w http.ResponseWriter, r *http.Request, d *Decision) {
	body, err := readBody(w, r, maxWebhook)
	if err != nil {
		writeProblem(w, d, statusOf(err), err.Error())
		return
	}
	out, err := a.parseWebhook(r.Header, body)
	if err == nil && out != nil {
		err = a.signOut(r, d, out)
	}
	if err != nil {
		writeRefusal(w, d, err)
		return
	}
	d.Status, d.Allowed = http.StatusNoContent, true
	w.WriteHeader(http.StatusNoContent)
}

// parseWebhook reads the message with the instance whose secret signed it.
func (a *API) parseWebhook(header http.Header, body []byte) (*identity.SignOut, error) {
	var refused error
	for _, hook := range a.config.ClerkWebhooks {
		out, err := hook.Parse(header, body)
		if err == nil || !errors.Is(err, jws.BadSignature) {
			return out, err
		}
		refused = err
	}
	return nil, refused
}
