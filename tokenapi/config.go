package tokenapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// LogoutVerifier verifies OpenID Connect logout tokens. *identity.Issuers and *identity.Issuer are such.
type LogoutVerifier interface {
	// VerifyLogout returns what the logout token says, or a *jws.Refusal.
	VerifyLogout(ctx context.Context, logoutToken string) (*identity.SignOut, error)
	// LogoutTaken notes that the sign-out is durable, so that its token is refused from now on.
	LogoutTaken(out *identity.SignOut)
}

// Webhook reads signed messages of an identity provider. *identity.ClerkWebhook is one.
type Webhook interface {
	// Parse returns what the message says, nil if it is of no interest, or a *jws.Refusal for a bad signature.
	Parse(header http.Header, body []byte) (*identity.SignOut, error)
}

// Config says what the API is made of. Issuer, Realms, Verifiers and Ledger are required; every other part that is
// missing leaves its endpoints out.
type Config struct {
	// Issuer is the issuer identifier and the base of the endpoints' URLs: https, without query and fragment
	// (RFC 8414 section 2); http on loopback for development. It is the iss of session tokens. Required.
	Issuer string
	// Realms are the realms that players come from. An operator's request for another one is refused: it would ban
	// nobody. Required.
	Realms []string
	// Verifiers verify session tokens, one verifier for each audience. Required.
	Verifiers []connect.SessionVerifier
	// Ledger takes revocations and serves the feed. Required.
	Ledger *session.Ledger
	// Sessions makes and refreshes sessions: /oauth2/token.
	Sessions *session.Issuer
	// Keys are published: /.well-known/jwks.json.
	Keys *session.Keyring
	// Tickets issues and redeems tickets: /v1/ticket and /v1/ticket/redeem.
	Tickets *session.TicketOffice
	// BindTicketAddress binds each ticket to the client's address, as ClientAddress tells it. Mobile clients change
	// theirs, so it is off by default. The Origin of a browser is always bound.
	BindTicketAddress bool
	// ClientAddress returns the client's address. Default: the host of http.Request.RemoteAddr.
	ClientAddress func(*http.Request) string
	// Forward is for reverse proxies that ask before they let a request pass: /verify.
	Forward *ForwardAuth
	// Logouts verifies logout tokens: /v1/backchannel-logout.
	Logouts LogoutVerifier
	// ClerkWebhooks read Clerk's messages, one for each instance: /v1/clerk/webhook.
	ClerkWebhooks []Webhook
	// Renewed, if set, is told of each session that was refreshed, so that its live sockets go on, see
	// connect.Registry.Renew. It must not block.
	Renewed func(*session.Session)
	// Sockets lists and ends live sockets: /v1/sockets and /v1/sockets/kick.
	Sockets Sockets
	// Callers are the services and operators that may use the endpoints for callers.
	Callers []Caller
	// Origins are the web origins whose pages may use the token, revocation, ticket, key and metadata endpoints (CORS),
	// exactly as a browser writes them. There is no wildcard. Pages of the API's own origin need no entry.
	Origins []string
	// Observe, if set, is told of each decision, for logs, metrics and the audit trail. It must not block.
	Observe func(Decision)
}

// API holds the handlers. It is safe for concurrent use.
type API struct {
	config  Config
	base    string // Issuer without a trailing slash
	path    string // the path of Issuer, "" or "/tenant"
	bearer  *connect.Guard
	callers callers
	polls   atomic.Int64 // requests that wait at /v1/events
}

// New checks the configuration and returns its API. The error names the field to set.
func New(config Config) (*API, error) {
	a := &API{config: config}
	if err := a.checkIssuer(); err != nil {
		return nil, err
	}
	switch {
	case len(config.Realms) == 0:
		return nil, errors.New("tokenapi: Realms is required: name the realms that your players come from")
	case len(config.Verifiers) == 0:
		return nil, errors.New("tokenapi: Verifiers is required: set a session.Verifier for each audience")
	case config.Ledger == nil:
		return nil, errors.New("tokenapi: Ledger is required: set the session.Ledger that revocations go to")
	}
	if config.ClientAddress == nil {
		a.config.ClientAddress = remoteHost
	}
	return a, errors.Join(a.checkForward(), a.checkOrigins(), a.setCallers(), a.setGuard())
}

func (a *API) checkIssuer() error {
	u, err := url.Parse(a.config.Issuer)
	if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(a.config.Issuer, "?#") {
		return errors.New("tokenapi: Issuer is required: set the https URL of this service without query and fragment")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return errors.New("tokenapi: Issuer must be https; http is for loopback only")
	}
	a.base = strings.TrimSuffix(a.config.Issuer, "/")
	a.path = strings.TrimSuffix(u.Path, "/")
	if strings.ContainsAny(a.path, "{} \t") || a.path != "" && path.Clean(a.path) != a.path {
		return errors.New("tokenapi: Issuer: the path must have no braces, spaces, dot segments and empty segments")
	}
	return nil
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

func (a *API) checkForward() error {
	f := a.config.Forward
	switch {
	case f == nil:
		return nil
	case f.Guard == nil:
		return errors.New("tokenapi: Forward.Guard is required: set a connect.Guard with the sources and verifiers of /verify")
	case originalOf[f.Proxy] == nil:
		return errors.New("tokenapi: Forward.Proxy is required: set Nginx, Traefik, Caddy or Envoy, whichever asks")
	}
	return nil
}

func (a *API) checkOrigins() error {
	for _, origin := range a.config.Origins {
		u, err := url.Parse(origin)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || origin != u.Scheme+"://"+strings.ToLower(u.Host) {
			return fmt.Errorf("tokenapi: Origins: %q is not one a browser would send: write scheme://host or scheme://host:port in lower case, nothing more", origin)
		}
	}
	return nil
}

// setGuard makes the guard of /v1/ticket: session tokens as Bearer, nothing else.
func (a *API) setGuard() (err error) {
	a.bearer, err = connect.New(connect.Config{Sessions: anyOf(a.config.Verifiers), Realm: a.config.Issuer})
	return err
}

// Decision is what the API decided about one request. It never holds a token.
type Decision struct {
	// Endpoint is the path: "/oauth2/token".
	Endpoint string
	// Status is the HTTP status of the answer.
	Status int
	// Allowed says that the request got what it asked for. Introspection of a bad token and revocation of an unknown
	// one are answered 200 and not Allowed.
	Allowed bool
	// Err is why not: a *jws.Refusal in all but unforeseen cases. connect.ProblemOf gives its check and reason.
	Err error
	// Caller is the authenticated caller's id, if any.
	Caller string
	// Issuer is the iss of the verified token, if any.
	Issuer string
	// Player is whom the decision is about, once verified or named by a caller.
	Player identity.Player
	// PlayerID is the session's player id, if there is a session.
	PlayerID string
	// Session is the session's id, if there is a session.
	Session string
	// Elapsed is how long the decision took.
	Elapsed time.Duration
}

func (d *Decision) about(s *session.Session) {
	d.Issuer, d.Player, d.PlayerID, d.Session = s.Issuer, s.Player, s.PlayerID, s.ID
}
