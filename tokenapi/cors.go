package tokenapi

import (
	"net/http"
	"slices"
	"strings"
)

// preflightAge is how long a browser may remember a preflight's answer, in seconds.
const preflightAge = "7200"

// cors adds the headers of the Fetch standard for an allowed origin and answers preflights. It reports whether it has
// answered. Credentials are never allowed: tokens travel in the Authorization header and in the body, not in cookies.
func (a *API) cors(w http.ResponseWriter, r *http.Request, e endpoint, d *Decision) bool {
	header := w.Header()
	header.Add("Vary", "Origin")
	origin := r.Header["Origin"]
	allowed := len(origin) == 1 && slices.Contains(a.config.Origins, origin[0])
	if allowed {
		header.Set("Access-Control-Allow-Origin", origin[0])
		header.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
	}
	if r.Method != http.MethodOptions {
		return false
	}
	if r.Header.Get("Access-Control-Request-Method") != "" && !allowed {
		writeProblem(w, d, http.StatusForbidden, "Pages of this origin may not use this endpoint.")
		return true
	}
	if allowed {
		header.Set("Access-Control-Allow-Methods", strings.Join(e.methods, ", "))
		header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		header.Set("Access-Control-Max-Age", preflightAge)
	}
	header.Set("Allow", strings.Join(e.allowed(), ", "))
	d.Status, d.Allowed = http.StatusNoContent, true
	w.WriteHeader(http.StatusNoContent)
	return true
}
