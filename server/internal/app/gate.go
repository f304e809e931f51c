package app

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/edge"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/server/internal/config"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/tokenapi"
)

// gate is the gate with its sockets, which live over reloads.
type gate struct {
	registry *connect.Registry
	// sockets are those of all nodes, as far as they know each other.
	sockets  tokenapi.Sockets
	renewals renewals
	// edge lets in what comes now.
	edge atomic.Pointer[edge.Gate]

	mu      sync.Mutex
	fixed   edge.Config  // what edge was made of, besides its routes
	retired []*edge.Gate // that still have requests or sockets
}

// makeGate makes the gate of a configuration that has one. What it verifies with is that of the moment. With a cluster the
// nodes share the players' slots; nil is this node alone.
func (a *App) makeGate(file *config.File, cluster session.Cluster) error {
	if file.Gate == nil {
		return nil
	}
	routes := file.GateRoutes()
	c := connect.RegistryConfig{
		Ledger: a.ledger, Routes: edge.SocketRoutes(routes), Stale: connect.StaleSockets(file.Gate.StaleSockets),
		PerPlayer: file.Gate.SocketsPerPlayer, Notice: time.Duration(file.Gate.Notice), Now: a.options.Now,
	}
	if cluster != nil {
		c.Owners, c.Node, c.Lease = cluster, nodeName(file), time.Duration(file.Gate.Lease)
	}
	registry, err := connect.NewRegistry(c)
	if err != nil {
		return file.Problem("gate", err)
	}
	g := &gate{registry: registry, fixed: gateConfig(file), sockets: localSockets{registry}, renewals: renewals{registry: registry}}
	if cluster != nil {
		g.sockets, g.renewals.nodes = clusterSockets{cluster}, cluster
	}
	made, err := a.newEdge(g, g.fixed, routes)
	if err != nil {
		g.drainNow()
		return gateProblem(file, err)
	}
	g.edge.Store(made)
	a.gate = g
	return nil
}

// gateConfig is what of a file decides about the gate, besides its routes.
func gateConfig(file *config.File) edge.Config {
	g := file.Gate
	c := edge.Config{
		TicketAudience: g.TicketAudience, Realms: realms(file), Hosts: g.Hosts, TrustedProxies: g.Proxies(), SessionIssuer: sessionIssuer(file),
		Handshakes: edge.HandshakeLimit{Rate: float64(g.Handshakes.Rate), Burst: g.Handshakes.Burst, Concurrent: g.Handshakes.Concurrent},
	}
	if g.OriginSecret != nil {
		c.OriginSecret.Header = g.OriginSecret.Header
		for _, value := range g.OriginSecret.Values {
			c.OriginSecret.Values = append(c.OriginSecret.Values, string(value.Bytes()))
		}
	}
	return c
}

// realms begin with that of Nakama's players, if there are any: it is the one that package edge takes them to be of.
func realms(file *config.File) []string {
	all := file.Realms()
	if n := file.Nakama; n != nil {
		all = append([]string{n.Realm}, slices.DeleteFunc(all, func(realm string) bool { return realm == n.Realm })...)
	}
	return all
}

func (a *App) newEdge(g *gate, c edge.Config, routes []edge.Route) (*edge.Gate, error) {
	c.Routes, c.Registry, c.Ledger, c.Now = routes, g.registry, a.ledger, a.options.Now
	c.Sessions, c.Identities, c.Tickets = sessionsNow{a}, identitiesNow{a}, ticketsNow{a}
	c.Observe, c.ObserveSocket, c.Renewed = a.gateDecided, a.socketEnded, g.renewals.announce
	return edge.New(c)
}

// sessionIssuer tells session tokens from identity tokens. Where both Nakama and this server make session tokens, no one word
// does, and a route that takes both kinds is refused.
func sessionIssuer(file *config.File) string {
	switch {
	case file.Nakama == nil:
		return file.Issuer
	case file.Sessions == nil:
		return connect.NoIssuer
	default:
		return ""
	}
}

// checkGate makes the gate of a configuration and throws it away, so that a later change cannot fail.
func (a *App) checkGate(file *config.File) error {
	probe := &App{options: a.options, log: a.log, ledger: a.ledger}
	if err := probe.makeGate(file, nil); err != nil {
		return err
	}
	probe.closeGate()
	return nil
}

// changeGate gives the gate what is new in a configuration. Where more has changed than its routes, another one lets in what
// comes from now on; the one before goes on with what it has.
func (a *App) changeGate(file, before *config.File) error {
	g := a.gate
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	fixed := gateConfig(file)
	if reflect.DeepEqual(file.Gate, before.Gate) && reflect.DeepEqual(file.Nakama, before.Nakama) && reflect.DeepEqual(fixed, g.fixed) {
		return nil // what the routes remember, such as seats, stays
	}
	routes := file.GateRoutes()
	if err := g.registry.SetRoutes(edge.SocketRoutes(routes)); err != nil {
		return err
	}
	if reflect.DeepEqual(fixed, g.fixed) {
		return g.edge.Load().SetRoutes(routes)
	}
	made, err := a.newEdge(g, fixed, routes)
	if err != nil {
		return err
	}
	g.retired = append(g.retired, g.edge.Swap(made))
	g.fixed = fixed
	return nil
}

// KeepsNothing is as true of it as of the gate of the moment: see edge.Server.
func (g *gate) KeepsNothing() {}

// ServeHTTP answers a request with the gate of the moment.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.edge.Load().ServeHTTP(w, r) }

// retire closes the gates that were replaced and have nothing left.
func (g *gate) retire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.retired = slices.DeleteFunc(g.retired, func(old *edge.Gate) bool {
		state := old.State()
		return state.Requests+state.Sockets == 0 && old.Close() == nil
	})
}

// drainNow ends the registry and what it has, and waits for nothing.
func (g *gate) drainNow() {
	ended, end := context.WithCancel(context.Background())
	end()
	_ = g.registry.Drain(ended, 0)
}

// close ends everything at once.
func (g *gate) close() error {
	g.drainNow()
	g.mu.Lock()
	defer g.mu.Unlock()
	errs := []error{g.edge.Load().Close()}
	for _, old := range g.retired {
		errs = append(errs, old.Close())
	}
	g.retired = nil
	return errors.Join(errs...)
}

// nodeName is the name of this node for operators: the configured one, or that of the machine.
func nodeName(file *config.File) string {
	if file.Gate.Node != "" {
		return file.Gate.Node
	}
	name, _ := os.Hostname() // without one the registry has a word of its own
	return config.NodeName(name)
}

// sessionsNow, identitiesNow and ticketsNow are the verifiers of the configuration of the moment.
type (
	sessionsNow   struct{ app *App }
	identitiesNow struct{ app *App }
	ticketsNow    struct{ app *App }
)

// Verify verifies a session token.
func (n sessionsNow) Verify(ctx context.Context, token string) (*session.Session, error) {
	return n.app.current.Load().doors.Sessions.Verify(ctx, token)
}

// Verify verifies an identity token.
func (n identitiesNow) Verify(ctx context.Context, token string) (*identity.Identity, error) {
	return n.app.current.Load().doors.Identities.Verify(ctx, token)
}

// Redeem redeems a ticket.
func (n ticketsNow) Redeem(ctx context.Context, ticket string, binding session.Binding) (*session.Session, string, error) {
	return n.app.current.Load().tickets.Redeem(ctx, ticket, binding)
}

func (a *App) gateServer() *edge.Server {
	server := a.gate.edge.Load().Server()
	server.Handler, server.ErrorLog = a.gate, slog.NewLogLogger(a.log.Handler(), slog.LevelWarn)
	return server
}

// closeGate ends what is left of the gate.
func (a *App) closeGate() {
	if a.gate == nil {
		return
	}
	if err := a.gate.close(); err != nil {
		a.log.Warn("the gate did not close in order", "error", err)
	}
}

// serveGate lets game traffic in on a listener.
func (a *App) serveGate(server *edge.Server, listener net.Listener) error {
	if a.gateCertificate.Load() != nil {
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return a.gateCertificate.Load(), nil
		}}
		return server.ServeTLS(listener)
	}
	return server.Serve(listener)
}

// drainGate stops accepting game traffic and closes the sockets over the window of the configuration.
func (a *App) drainGate(ctx context.Context, server *edge.Server) {
	window := time.Duration(a.current.Load().file.Gate.DrainWindow)
	ctx, cancel := context.WithTimeout(ctx, window+drainTimeout)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- server.Shutdown(ctx) }()
	a.log.Info("closing the sockets", "sockets", a.gate.registry.State().Live, "window", window.String())
	if err := a.gate.edge.Load().Drain(ctx, window); err != nil {
		a.log.Warn("some sockets did not end in time and were cut off", "error", err)
	}
	if err := <-stopped; err != nil {
		a.log.Warn("some requests through the gate did not finish in time and were cut off", "error", err)
	}
}

// gateDoor is the name of a route in the log and in the metrics. It begins with a word that no path of the API begins with.
func gateDoor(route string) string {
	return strings.TrimSuffix("gate "+route, " ")
}

// gateDecided logs and counts what the gate decided: sockets and refusals as info, and the many requests that pass as debug.
func (a *App) gateDecided(d edge.Decision) {
	level := slog.LevelInfo
	if d.Allowed && !d.Upgrade {
		level = slog.LevelDebug
	}
	about := append(player(d.Player, ""), text("session", d.Session), text("method", d.Method), slog.Int("status", d.Status), slog.Bool("upgrade", d.Upgrade))
	if d.Client.IsValid() {
		about = append(about, slog.String("client", d.Client.String()))
	}
	a.decision(level, decision{door: gateDoor(d.Route), allowed: d.Allowed, reason: d.Reason, err: d.Err, took: d.Elapsed}, about...)
}

// socketEnded logs and counts the end of a socket.
func (a *App) socketEnded(e edge.SocketEnd) {
	a.metrics.SocketEnded(e.Route, e.Reason, e.FromClient, e.FromBackend)
	attrs := []slog.Attr{
		slog.String("door", gateDoor(e.Route)), slog.String("reason", string(e.Reason)), slog.Float64("seconds", e.Elapsed.Seconds()),
		slog.Int64("bytes_from_client", e.FromClient), slog.Int64("bytes_from_backend", e.FromBackend), text("session", e.Session),
	}
	a.log.LogAttrs(context.Background(), slog.LevelInfo, "socket ended", present(append(attrs, player(e.Player, "")...)...)...)
}
