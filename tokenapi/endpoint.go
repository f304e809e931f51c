package tokenapi

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// endpoint is one path of the API. serve answers the request and fills in the decision.
type endpoint struct {
	path    string
	methods []string // empty means any: the endpoint is asked with another request's method
	cors    bool
	absent  bool // its part is not configured
	serve   func(w http.ResponseWriter, r *http.Request, d *Decision)
}

func (a *API) endpoints() []endpoint {
	return []endpoint{
		a.token(), a.introspect(), a.revoke(), a.metadata(), a.jwks(), a.ticket(), a.redeem(), a.verify(), a.events(),
		a.logout(), a.clerk(), a.admin("revoke"), a.admin("cutoff"), a.admin("ban"), a.admin("unban"), a.admin("alias"),
		a.sockets(), a.socketsKick(),
	}
}

// Handler returns a handler with every endpoint whose part is configured.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, e := range a.endpoints() {
		if e.absent {
			continue
		}
		mux.Handle(e.path, a.handler(e))
		if e.path == pathMetadata && a.path != "" {
			mux.Handle(e.path+a.path, a.handler(e))
		}
	}
	if a.config.Forward == nil {
		return mux
	}
	verify := a.Verify()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Not by the mux: it redirects paths that it would clean, and Envoy's are somebody else's.
		if r.URL.Path == pathVerify || strings.HasPrefix(r.URL.Path, pathVerify+"/") {
			verify.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// Token returns the handler of /oauth2/token.
func (a *API) Token() http.Handler { return a.handler(a.token()) }

// Introspect returns the handler of /oauth2/introspect.
func (a *API) Introspect() http.Handler { return a.handler(a.introspect()) }

// Revoke returns the handler of /oauth2/revoke.
func (a *API) Revoke() http.Handler { return a.handler(a.revoke()) }

// Metadata returns the handler of /.well-known/oauth-authorization-server.
func (a *API) Metadata() http.Handler { return a.handler(a.metadata()) }

// JWKS returns the handler of /.well-known/jwks.json.
func (a *API) JWKS() http.Handler { return a.handler(a.jwks()) }

// Ticket returns the handler of /v1/ticket.
func (a *API) Ticket() http.Handler { return a.handler(a.ticket()) }

// RedeemTicket returns the handler of /v1/ticket/redeem.
func (a *API) RedeemTicket() http.Handler { return a.handler(a.redeem()) }

// Verify returns the handler of /verify.
func (a *API) Verify() http.Handler { return a.handler(a.verify()) }

// Events returns the handler of /v1/events.
func (a *API) Events() http.Handler { return a.handler(a.events()) }

// BackchannelLogout returns the handler of /v1/backchannel-logout.
func (a *API) BackchannelLogout() http.Handler { return a.handler(a.logout()) }

// ClerkWebhook returns the handler of /v1/clerk/webhook.
func (a *API) ClerkWebhook() http.Handler { return a.handler(a.clerk()) }

// AdminRevoke returns the handler of /v1/admin/revoke.
func (a *API) AdminRevoke() http.Handler { return a.handler(a.admin("revoke")) }

// AdminCutOff returns the handler of /v1/admin/cutoff.
func (a *API) AdminCutOff() http.Handler { return a.handler(a.admin("cutoff")) }

// AdminBan returns the handler of /v1/admin/ban.
func (a *API) AdminBan() http.Handler { return a.handler(a.admin("ban")) }

// AdminUnban returns the handler of /v1/admin/unban.
func (a *API) AdminUnban() http.Handler { return a.handler(a.admin("unban")) }

// AdminAlias returns the handler of /v1/admin/alias.
func (a *API) AdminAlias() http.Handler { return a.handler(a.admin("alias")) }

// ListSockets returns the handler of /v1/sockets.
func (a *API) ListSockets() http.Handler { return a.handler(a.sockets()) }

// KickSockets returns the handler of /v1/sockets/kick.
func (a *API) KickSockets() http.Handler { return a.handler(a.socketsKick()) }

func (a *API) handler(e endpoint) http.Handler {
	if e.absent {
		e.serve = func(w http.ResponseWriter, _ *http.Request, d *Decision) {
			writeProblem(w, d, http.StatusNotFound, "This endpoint is not configured.")
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		d := Decision{Endpoint: e.path}
		a.serve(w, r, e, &d)
		d.Elapsed = time.Since(began)
		if a.config.Observe != nil {
			a.config.Observe(d)
		}
	})
}

func (a *API) serve(w http.ResponseWriter, r *http.Request, e endpoint, d *Decision) {
	// A handler that says nothing of caching must not be cached.
	w.Header().Set("Cache-Control", "no-store")
	if e.cors && a.cors(w, r, e, d) {
		return
	}
	if len(e.methods) > 0 && !slices.Contains(e.methods, r.Method) {
		w.Header().Set("Allow", strings.Join(e.allowed(), ", "))
		writeProblem(w, d, http.StatusMethodNotAllowed, "This endpoint does not take this method.")
		return
	}
	e.serve(w, r, d)
}

func (e *endpoint) allowed() []string {
	if e.cors {
		return append(slices.Clone(e.methods), http.MethodOptions)
	}
	return e.methods
}

// writeJSON answers with a JSON document. Every text of ours is ASCII or JSON-escaped, so HTML escaping is harmless.
func writeJSON(w http.ResponseWriter, d *Decision, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	d.Status = status
	w.WriteHeader(status)
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}

// writeProblem answers with an RFC 9457 body that is about the request and not about a token.
func writeProblem(w http.ResponseWriter, d *Decision, status int, detail string) {
	if d.Err == nil {
		d.Err = &jws.Refusal{Check: jws.CheckFormat, Reason: connect.InvalidRequest, Want: "a request that the endpoint takes"}
	}
	writeProblemBody(w, d, connect.Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail,
		Check: jws.CheckFormat, Reason: connect.InvalidRequest,
	})
}

// writeRefusal answers with the RFC 9457 body of a refusal that is about something in the request's body: 400 where the
// request's own token would have got 401.
func writeRefusal(w http.ResponseWriter, d *Decision, err error) {
	d.Err = err
	problem := connect.ProblemOf(err)
	if problem.Status == http.StatusUnauthorized {
		problem.Status, problem.Title = http.StatusBadRequest, http.StatusText(http.StatusBadRequest)
	}
	writeProblemBody(w, d, problem)
}

func writeProblemBody(w http.ResponseWriter, d *Decision, problem connect.Problem) {
	if problem.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	d.Status = problem.Status
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(problem.Status)
	_ = json.NewEncoder(w).Encode(problem)
}

// retryAfter is the Retry-After of a 503, in seconds.
const retryAfter = "5"

// unavailable is the refusal for a ledger or store that could not take a change.
func unavailable(err error) error {
	if jws.ReasonOf(err) != "" {
		return err
	}
	return &jws.Refusal{Check: jws.CheckRevocation, Reason: jws.Unavailable, Want: "a store that takes the change", Err: err}
}

func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// anyOf verifies with the first verifier that the token was made for.
type anyOf []connect.SessionVerifier

// Verify returns the session, or the refusal that says most: one that is not about the token being for another
// verifier.
func (v anyOf) Verify(ctx context.Context, token string) (*session.Session, error) {
	return v.first(func(verifier connect.SessionVerifier) (*session.Session, error) { return verifier.Verify(ctx, token) })
}

// Signed is Verify that does not ask what is revoked, where the verifier can do without, as a session.Verifier can.
func (v anyOf) Signed(ctx context.Context, token string) (*session.Session, error) {
	return v.first(func(verifier connect.SessionVerifier) (*session.Session, error) {
		if signed, ok := verifier.(interface {
			Signed(ctx context.Context, token string) (*session.Session, error)
		}); ok {
			return signed.Signed(ctx, token)
		}
		return verifier.Verify(ctx, token)
	})
}

func (v anyOf) first(verify func(connect.SessionVerifier) (*session.Session, error)) (*session.Session, error) {
	var refused error
	for _, verifier := range v {
		s, err := verify(verifier)
		if err == nil {
			return s, nil
		}
		if refused == nil || isForAnother(refused) {
			refused = err
		}
		if !isForAnother(err) {
			break
		}
	}
	return nil, refused
}

func isForAnother(err error) bool {
	for _, reason := range []jws.Reason{jws.WrongAudience, jws.WrongIssuer, jws.WrongType, jws.UnknownKey, jws.AlgorithmRefused, jws.BadSignature} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}
