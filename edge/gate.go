package edge

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/upstream"
	"github.com/sallyport-auth/sallyport/internal/wsrelay"
	"github.com/sallyport-auth/sallyport/session"
)

// Config is what a gate is made of. Routes is required; Sessions, Identities, Tickets, Registry and Ledger where a route needs them.
type Config struct {
	// Routes are the ways in. Every other request is refused.
	Routes []Route
	// Sessions verifies session tokens.
	Sessions connect.SessionVerifier
	// Identities verifies identity tokens. Ledger is asked about each besides.
	Identities identity.Verifier
	// SessionIssuer is the iss of session tokens, connect.NoIssuer for Nakama's. Required where a route takes both kinds.
	SessionIssuer string
	// Tickets redeems tickets. Their audience is TicketAudience.
	Tickets connect.Redeemer
	// TicketAudience is what tickets may be bound to, the name of this gate. A ticket that was issued for another is refused.
	TicketAudience string
	// Ledger knows what is revoked. Nakama's routes write to it: aliases and sign-outs.
	Ledger *session.Ledger
	// Registry ends sockets. It must know the routes, see SocketRoutes.
	Registry *connect.Registry
	// Renewed, if set, is told of each refresh of Nakama's, after the sockets here were extended: those at other nodes are to be
	// extended too.
	Renewed func(*session.Session)
	// Realms are all realms that players come from; with one, a subject that is a UUID is the player's id.
	Realms []string
	// OriginSecret is what the balancer or CDN before the gate proves itself with. The zero value asks for none.
	OriginSecret OriginSecret
	// Hosts are the values of the Host header that are answered, exactly, with the port if it is not the scheme's. Others get 421.
	// Empty answers every host.
	Hosts []string
	// TrustedProxies are the addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. Default none: the
	// client is whoever holds the other end of the connection, and what it says about itself is thrown away.
	TrustedProxies []netip.Prefix
	// Handshakes bounds the upgrades of one client address.
	Handshakes HandshakeLimit
	// IdleConns is how many idle connections are kept to each backend. Default 256.
	IdleConns int
	// DialTimeout is for connecting to a backend. Default 5 s.
	DialTimeout time.Duration
	// Observe, if set, is told of each decision, once the answer is over. It must not block. Nothing in it is a secret.
	Observe func(Decision)
	// ObserveSocket, if set, is told of each socket that ended.
	ObserveSocket func(SocketEnd)
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
}

// OriginSecret is a shared secret in a request header, which says that a request came through the CDN or balancer before the gate
// and not around it. It is asked of every request, upgrades among them, compared in constant time, and never sent on.
type OriginSecret struct {
	// Header is its name. Default X-CloudFront-Secret.
	Header string
	// Values are accepted: one, and up to three more while it is rotated. Each has at least 32 bytes, and none may be a
	// placeholder such as "changeme". Empty asks for no secret.
	Values []string
}

// HandshakeLimit bounds the upgrades of one client address, an IPv6 /64 counting as one. Excess is answered 429.
type HandshakeLimit struct {
	// Rate is how many a second in the long run. Default 10; negative does not limit.
	Rate float64
	// Burst is how many at once. Default 50.
	Burst int
	// Concurrent is how many that are not finished yet. Default 50.
	Concurrent int
	// Addresses is how many addresses are remembered. Default 16,384; when it is full the oldest is forgotten.
	Addresses int
}

// Decision is what the gate did with a request, for logs, metrics and the audit trail.
type Decision struct {
	// Route is the route's name, "" where no route named the request.
	Route string
	// Method is the request's, "other" where no route names it.
	Method string
	// Upgrade says that a WebSocket was asked for.
	Upgrade bool
	// Allowed says that the request went to the backend.
	Allowed bool
	// Status is the answer's, 101 for a socket.
	Status int
	// Reason is one word or two for what was refused ("no_route", "expired", …), "" where Allowed.
	Reason string
	// Err is the refusal or failure behind it, if any. It holds no token.
	Err error
	// Player and Session say who it was, zero where nobody was verified.
	Player  identity.Player
	Session string
	// Client is the client's address by the trust rule.
	Client netip.Addr
	// Began is when the request came; Elapsed is until its answer was over, for a socket until it was open.
	Began   time.Time
	Elapsed time.Duration
}

// SocketEnd is how a socket ended.
type SocketEnd struct {
	// Route is the route's name.
	Route string
	// Reason is why.
	Reason connect.CloseReason
	// Player and Session say whose it was.
	Player  identity.Player
	Session string
	// Elapsed is how long it lived.
	Elapsed time.Duration
	// FromClient and FromBackend count bytes of frames.
	FromClient, FromBackend int64
}

// Gate is an http.Handler that is closed by default. It is safe for concurrent use.
type Gate struct {
	config      Config
	secret      originSecret
	trust       trust
	singleRealm bool
	limits      *handshakes
	loop        *wsrelay.Loop

	table    atomic.Pointer[table]
	changing sync.Mutex // for pools and the table
	pools    map[string]*upstream.Pool

	draining atomic.Bool
	requests atomic.Int64
	sockets  atomic.Int64
}

// New checks the configuration and returns its gate. The error names the field to set.
func New(config Config) (*Gate, error) {
	secret, err := newOriginSecret(config.OriginSecret)
	if err != nil {
		return nil, err
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	g := &Gate{
		config: config, secret: secret, trust: config.TrustedProxies, singleRealm: len(config.Realms) == 1,
		limits: newHandshakes(config.Handshakes),
	}
	if err := g.SetRoutes(config.Routes); err != nil {
		return nil, err
	}
	if g.loop, err = wsrelay.NewLoop(wsrelay.LoopConfig{}); err != nil {
		return nil, fmt.Errorf("edge: %w", err)
	}
	return g, nil
}

// SetRoutes replaces all routes, as when a configuration is read again. Requests and sockets that are under way go on; tell
// the registry with Registry.SetRoutes(SocketRoutes(routes)) before. On an error nothing has changed.
func (g *Gate) SetRoutes(routes []Route) error {
	g.changing.Lock()
	defer g.changing.Unlock()
	t, pools, err := g.compile(routes)
	if err != nil {
		return err
	}
	for address, pool := range g.pools {
		if pools[address] == nil {
			pool.Close()
		}
	}
	g.pools = pools
	t.adoptSeats(g.table.Load())
	g.table.Store(t)
	return nil
}

// Warnings returns the warnings of the routes.
func (g *Gate) Warnings() []string {
	var found []string
	for _, r := range g.table.Load().routes {
		if r.Warning != "" && !slices.Contains(found, r.Warning) {
			found = append(found, r.Warning)
		}
	}
	return found
}

// Drain refuses new requests and sockets with 503, and ends the live sockets over the window: Registry.Drain. Requests that are
// under way go on; Server.Shutdown waits for them.
func (g *Gate) Drain(ctx context.Context, window time.Duration) error {
	g.draining.Store(true)
	if g.config.Registry == nil {
		return nil
	}
	return g.config.Registry.Drain(ctx, window)
}

// Close ends every socket and idle connection at once. The gate cannot be used again.
func (g *Gate) Close() error {
	g.draining.Store(true)
	g.changing.Lock()
	defer g.changing.Unlock()
	for _, pool := range g.pools {
		pool.Close()
	}
	return g.loop.Close()
}

// State is what a Gate knows about itself, for metrics.
type State struct {
	// Requests is how many requests are under way, handshakes too.
	Requests int
	// Sockets is how many sockets are relayed.
	Sockets int
	// IdleConns is how many idle connections to backends there are.
	IdleConns int
	// Draining says that nobody is let in any more.
	Draining bool
}

// State returns the gate's state now.
func (g *Gate) State() State {
	s := State{Requests: int(g.requests.Load()), Sockets: int(g.sockets.Load()), Draining: g.draining.Load()}
	g.changing.Lock()
	defer g.changing.Unlock()
	for _, pool := range g.pools {
		s.IdleConns += pool.Idle()
	}
	return s
}
