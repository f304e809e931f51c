// Package app makes the server of a configuration: it gives the packages of the root module to each other and adds no
// decision of its own.
//
//	a, err := app.New(ctx, file, app.Options{Logger: logger, Secrets: secrets})
//	…
//	err = a.Serve(ctx, listeners)
//
// [App.Reload] puts another configuration in place of the first while requests go on; what it cannot change, it names.
// What must live as long as the process – the store, the ledger of revocations, the key ring – is made once.
package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/server/internal/config"
	"github.com/sallyport-auth/sallyport/server/internal/keyfile"
	"github.com/sallyport-auth/sallyport/server/internal/logging"
	"github.com/sallyport-auth/sallyport/server/internal/metrics"
	"github.com/sallyport-auth/sallyport/session"
)

// Options are what a server needs besides its configuration.
type Options struct {
	// Logger takes the log. Required.
	Logger *slog.Logger
	// Secrets are told every secret of the configuration, so that the logger knows them. Required.
	Secrets *logging.Secrets
	// Routes returns further routes by their patterns, given what verifies session tokens and an observer that logs
	// each decision. Nil has none.
	Routes func(sessions connect.SessionVerifier, observe Observer) (map[string]http.Handler, error)
	// Client fetches keys. Nil is the default of package jwks.
	Client *http.Client
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
}

// App is a server. It is safe for concurrent use.
type App struct {
	options Options
	log     *slog.Logger

	// These live as long as the process.
	store      metrics.Store
	closeStore func() error
	cluster    session.Cluster // nil if the store has no other nodes
	ledger     *session.Ledger
	keys       *session.Keyring // nil if every audience has a secret
	done       context.CancelFunc
	tasks      sync.WaitGroup

	ledgerWatch ledgerWatch
	metrics     *metrics.Metrics

	gate *gate // nil without one

	reloading       sync.Mutex
	current         atomic.Pointer[generation]
	certificate     atomic.Pointer[tls.Certificate] // of the token API
	gateCertificate atomic.Pointer[tls.Certificate]

	// drained ends when the server begins to shut down, ended when the token API does, once there are no sockets any more.
	drained, ended context.Context
	drain, end     context.CancelFunc
}

// New makes a server and starts what it does in the background, until Close. Nothing is listened on yet. Errors about the
// configuration are strictyaml.Problems.
func New(ctx context.Context, file *config.File, options Options) (_ *App, err error) {
	if options.Logger == nil || options.Secrets == nil {
		return nil, errors.New("app: Options.Logger and Options.Secrets are required")
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	options.Secrets.Set(file.Secrets()...)
	a := &App{options: options, log: options.Logger, metrics: metrics.New()}
	if err := a.openStore(ctx, file); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = a.closeStore() // err is what matters
		}
	}()
	if err := a.makeLasting(file); err != nil {
		return nil, err
	}
	if err := a.ledger.Load(ctx); err != nil {
		return nil, file.Problem("store", fmt.Errorf("cannot be read: %w", err))
	}
	files, err := readCertificates(file)
	if err != nil {
		return nil, err
	}
	a.drained, a.drain = context.WithCancel(context.Background())
	a.ended, a.end = context.WithCancel(context.Background())
	a.use(files)
	if err := a.makeGate(file, a.cluster); err != nil {
		return nil, err
	}
	g, err := a.generation(file, nil)
	if err != nil {
		a.closeGate()
		return nil, err
	}
	a.current.Store(g)
	a.watchMetrics()
	a.start()
	a.warn(file)
	return a, nil
}

// makeLasting makes what a reload keeps.
func (a *App) makeLasting(file *config.File) (err error) {
	a.ledger, err = session.NewLedger(session.LedgerConfig{
		Store:            a.store,
		Policy:           session.StalePolicy(file.Revocation.Stale),
		Grace:            time.Duration(file.Revocation.Grace),
		SessionLifetime:  sessionLifetime(file),
		UpstreamLifetime: time.Duration(file.Revocation.UpstreamLifetime),
		Observe:          func(session.LedgerState) { a.ledgerWatch.look(a.log, a.ledger) },
	})
	if err != nil {
		return file.Problem("revocation", err)
	}
	if file.Sessions == nil || file.Sessions.KeyFile == "" {
		return nil
	}
	a.keys, err = keyfile.Ring(file.Path(file.Sessions.KeyFile), ringConfig(file, a.options.Now))
	if err == nil {
		_, err = a.keys.Signer()
	}
	if err != nil {
		return file.Problem("sessions.key_file", err)
	}
	return nil
}

func ringConfig(file *config.File, now func() time.Time) session.KeyringConfig {
	return session.KeyringConfig{
		CacheLifetime: time.Duration(file.Sessions.KeyCacheLifetime),
		TokenLifetime: time.Duration(file.Sessions.TokenLifetime),
		Now:           now,
	}
}

func sessionLifetime(file *config.File) time.Duration {
	if file.Sessions == nil {
		return 0 // Nakama's sessions: the ledger's default is far above theirs
	}
	return time.Duration(file.Sessions.SessionLifetime)
}

// start runs the ledger and the watch over what can fail.
func (a *App) start() {
	ctx, cancel := context.WithCancel(context.Background())
	a.done = cancel
	a.tasks.Go(func() { _ = a.ledger.Run(ctx) }) // ends with ctx alone; its failures are in its state
	a.tasks.Go(func() { a.watch(ctx) })
	if a.gate != nil {
		a.tasks.Go(func() { a.gate.renewals.follow(ctx) })
	}
}

// Close ends what New started.
func (a *App) Close() {
	a.drain()
	a.end()
	a.closeGate()
	a.done()
	a.tasks.Wait()
	a.current.Load().closeBut(nil)
	if err := a.closeStore(); err != nil {
		a.log.Error("the store could not be closed", "error", err)
	}
}

// watchMetrics lets the metrics read the states.
func (a *App) watchMetrics() {
	s := metrics.State{
		Ledger:   a.ledger.State,
		Issuers:  func() []identity.IssuerState { return a.current.Load().doors.Identities.State() },
		Draining: func() bool { return a.drained.Err() != nil },
	}
	if a.gate != nil {
		s.Sockets = a.gate.registry.State
	}
	if a.keys != nil {
		s.Signs = func() bool {
			_, err := a.keys.Signer()
			return err == nil
		}
	}
	a.metrics.Watch(s)
}

// ServeHTTP answers a request with the configuration of the moment.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.current.Load().handler.ServeHTTP(w, r)
}

// warn says at the start what an operator must know about the configuration.
func (a *App) warn(file *config.File) {
	if file.Store.Type == "memory" {
		a.log.Warn("store.type is memory: revocations, bans and refresh tokens do not survive a restart")
	}
	a.warnOfKeys(file)
	a.warnOfGate(file)
	switch {
	case file.TLS != nil:
	case loopback(file.Listen):
		a.log.Info("tls is not configured: serving plain HTTP, to be put behind something that ends TLS")
	default:
		a.log.Warn("tls is not configured: whoever is between the players and this server reads their tokens, unless something in front of it ends TLS", "listen", file.Listen)
	}
}

// warnOfKeys also speaks up at a reload.
func (a *App) warnOfKeys(file *config.File) {
	if file.InsecureKeys {
		a.log.Warn("insecure_keys is set: whoever guesses a key makes tokens for any player")
	}
}

// warnOfGate speaks up at a reload too.
func (a *App) warnOfGate(file *config.File) {
	if a.gate == nil {
		return
	}
	for _, warning := range a.gate.edge.Load().Warnings() {
		a.log.Warn(warning)
	}
	if file.Gate.TLS == nil && !loopback(file.Gate.Listen) && file.Gate.OriginSecret == nil {
		a.log.Warn("gate.origin_secret is not configured: whoever reaches the gate's address goes around the balancer in front of it", "listen", file.Gate.Listen)
	}
}

// loopback says whether an address to listen on is reached from this machine alone.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	addr, bad := netip.ParseAddr(host)
	return err == nil && (host == "localhost" || bad == nil && addr.IsLoopback())
}

// Check makes everything that New makes of a configuration, files included, and throws it away.
func Check(file *config.File, now func() time.Time) error {
	a := &App{options: Options{Now: now}, log: slog.New(slog.DiscardHandler), store: session.NewMemoryStoreAt(now)}
	if err := checkStore(file); err != nil {
		return err
	}
	if err := a.makeLasting(file); err != nil {
		return err
	}
	if _, err := readCertificates(file); err != nil {
		return err
	}
	g, err := a.generation(file, nil)
	if err != nil {
		return err
	}
	defer g.closeBut(nil)
	return a.checkGate(file)
}
