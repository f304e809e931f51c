package tokenapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/jws"
)

const pathVerify = "/verify"

// Proxy is the reverse proxy that asks /verify. It decides the one place where the original request is read from: what
// another proxy would use is a header that the client may have sent.
type Proxy string

// The proxies.
const (
	// Nginx asks with auth_request. Its configuration must set X-Original-URI to $request_uri and X-Original-Method to
	// $request_method.
	Nginx Proxy = "nginx"
	// Traefik asks with forwardAuth and sets X-Forwarded-Uri and X-Forwarded-Method. Leave its trustForwardHeader off:
	// with it, these are whatever the client sent.
	Traefik Proxy = "traefik"
	// Caddy asks with forward_auth and sets X-Forwarded-Uri and X-Forwarded-Method.
	Caddy Proxy = "caddy"
	// Envoy asks with ext_authz over HTTP: the request itself has the original method, and the original path behind the
	// path_prefix /verify.
	Envoy Proxy = "envoy"
)

// ForwardAuth configures /verify.
type ForwardAuth struct {
	// Proxy is the proxy that asks. Required.
	Proxy Proxy
	// Guard finds and verifies the token of the original request. Identity tokens are held to Config.Ledger besides.
	// Required.
	Guard *connect.Guard
	// Rules must hold.
	Rules []connect.Rule
	// AllowAnonymous lets a request without a token pass, with every identity header empty. A bad token is refused.
	AllowAnonymous bool
}

// IdentityHeaders returns the names of all headers that /verify sets, for a proxy's configuration: those of package connect. It
// sets every one of them in every 200, empty where there is nothing to say; have the proxy copy all of them, so that what a client
// sent under these names is overwritten.
func IdentityHeaders() []string { return connect.IdentityHeaders() }

// original is how a proxy tells of the request that it asks about.
type original func(r *http.Request) (method, uri string, ok bool)

var originalOf = map[Proxy]original{
	Nginx:   fromHeaders("X-Original-Method", "X-Original-Uri"),
	Traefik: fromHeaders("X-Forwarded-Method", "X-Forwarded-Uri"),
	Caddy:   fromHeaders("X-Forwarded-Method", "X-Forwarded-Uri"),
	Envoy:   fromRequestLine,
}

// fromHeaders wants each header exactly once: a second one would be the client's.
func fromHeaders(method, uri string) original {
	return func(r *http.Request) (string, string, bool) {
		methods, uris := r.Header[method], r.Header[uri]
		if len(methods) != 1 || len(uris) != 1 {
			return "", "", false
		}
		return methods[0], uris[0], true
	}
}

func fromRequestLine(r *http.Request) (string, string, bool) {
	uri, ok := strings.CutPrefix(r.URL.RequestURI(), pathVerify)
	if uri == "" || uri[0] == '?' {
		uri = "/" + uri
	}
	return r.Method, uri, ok
}

var errProxy = &jws.Refusal{
	Check: jws.CheckFormat, Reason: connect.InvalidRequest,
	Want: "the original method and URI, once each, from the proxy that is configured",
}

func (a *API) verify() endpoint {
	e := endpoint{path: pathVerify, absent: a.config.Forward == nil, serve: a.serveVerify}
	if a.config.Forward != nil && a.config.Forward.Proxy != Envoy {
		e.methods = []string{http.MethodGet, http.MethodHead}
	}
	return e
}

// serveVerify answers exactly 200, or 401 or 403: nginx knows no other. Only 503 says that nobody can tell, which every
// proxy takes as a refusal.
func (a *API) serveVerify(w http.ResponseWriter, r *http.Request, d *Decision) {
	asked, err := a.originalRequest(r)
	if err != nil {
		a.refuseForward(w, r, d, err)
		return
	}
	principal, err := a.config.Forward.Guard.Authenticate(asked, a.config.Forward.Rules...)
	if err == nil && principal.Identity != nil {
		err = a.config.Ledger.CheckIdentity(principal.Identity)
	}
	anonymous := err != nil && a.config.Forward.AllowAnonymous && jws.ReasonOf(err) == connect.MissingToken
	if err != nil && !anonymous {
		a.refuseForward(w, r, d, err)
		return
	}
	d.Allowed, d.Status = true, http.StatusOK
	a.setIdentity(w.Header(), d, principal)
	w.WriteHeader(http.StatusOK)
}

// originalRequest makes the request that the proxy asks about, with the client's own headers.
func (a *API) originalRequest(r *http.Request) (*http.Request, error) {
	method, uri, ok := originalOf[a.config.Forward.Proxy](r)
	if !ok {
		return nil, errProxy
	}
	target, err := url.ParseRequestURI(uri)
	if err != nil || !strings.HasPrefix(uri, "/") {
		return nil, errProxy
	}
	asked := r.Clone(r.Context())
	asked.Method, asked.URL, asked.RequestURI, asked.Body = method, target, uri, http.NoBody
	return asked, nil
}

func (a *API) refuseForward(w http.ResponseWriter, r *http.Request, d *Decision, err error) {
	d.Err = err
	answer := &forwardAnswer{ResponseWriter: w}
	a.config.Forward.Guard.WriteRefusal(answer, r, err)
	d.Status = answer.status
}

// forwardAnswer turns 400 into 401: nginx makes 500 of it. The body goes, because it has the status in it (RFC 9457
// section 3.1.3); the challenge says the same.
type forwardAnswer struct {
	http.ResponseWriter
	status   int
	bodiless bool
}

// WriteHeader sends the status, 401 in place of 400.
func (f *forwardAnswer) WriteHeader(status int) {
	if f.bodiless = status == http.StatusBadRequest; f.bodiless {
		status = http.StatusUnauthorized
		f.Header().Del("Content-Type")
	}
	f.status = status
	f.ResponseWriter.WriteHeader(status)
}

// Write sends the body of other refusals.
func (f *forwardAnswer) Write(body []byte) (int, error) {
	if f.bodiless {
		return len(body), nil
	}
	return f.ResponseWriter.Write(body)
}

func (a *API) setIdentity(header http.Header, d *Decision, p connect.Principal) {
	switch {
	case p.Session != nil:
		d.about(p.Session)
	case p.Identity != nil:
		d.Issuer, d.Player, d.Session = p.Identity.Issuer, p.Identity.Player, p.Identity.Session
	}
	connect.SetIdentityHeaders(header, p, len(a.config.Realms) == 1)
}
