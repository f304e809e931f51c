package tokenapi

import (
	"net/http"
	"strings"

	"github.com/sallyport-auth/sallyport/connect"
)

// refreshPrefix begins every refresh token of package session.
const refreshPrefix = "spr_"

// Who holds a token may end it: the endpoint asks for no client authentication (RFC 7009 section 2.1, public clients).
// A caller that authenticates all the same must be one that may.
func (a *API) revoke() endpoint {
	return endpoint{path: pathRevoke, methods: []string{http.MethodPost}, cors: true, serve: a.serveRevoke}
}

func (a *API) serveRevoke(w http.ResponseWriter, r *http.Request, d *Decision) {
	f, err := readForm(w, r)
	if err == nil && f["token"] == "" {
		err = errNoToken
	}
	if err != nil {
		writeOAuthFault(w, d, invalidRequest, err)
		return
	}
	if _, _, isBasic := basic(r); isBasic {
		if d.Caller, err = a.authenticate(r, MayRevoke); err != nil {
			a.refuseCaller(w, d, err)
			return
		}
	}
	if err := a.revokeToken(r, d, f["token"]); err != nil {
		writeOAuthRefusal(w, d, invalidRequest, err)
		return
	}
	d.Status = http.StatusOK
	w.WriteHeader(http.StatusOK)
}

// revokeToken ends the token's session. A token that is not good is no error (RFC 7009 section 2.2): it is as revoked as
// it can be. One whose player is banned or was cut off is: its session must not come back when the ban is over. An error
// means that nothing was revoked.
func (a *API) revokeToken(r *http.Request, d *Decision, token string) error {
	if strings.HasPrefix(token, refreshPrefix) && a.config.Sessions != nil {
		if err := a.config.Sessions.RevokeRefresh(r.Context(), token); err != nil {
			return unavailable(err)
		}
		d.Allowed = true
		return nil
	}
	s, err := anyOf(a.config.Verifiers).Signed(r.Context(), token)
	if connect.StatusOf(err) == http.StatusServiceUnavailable {
		return err
	}
	if err != nil {
		d.Err = err
		return nil
	}
	d.about(s)
	if err := a.config.Ledger.RevokeSession(r.Context(), s, "signed out"); err != nil {
		return unavailable(err)
	}
	d.Allowed = true
	return nil
}
