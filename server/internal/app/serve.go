package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/sallyport-auth/sallyport/edge"
	"github.com/sallyport-auth/sallyport/server/internal/config"
	"github.com/sallyport-auth/sallyport/server/internal/keyfile"
)

// Bounds of a connection. The feed of revocations is held open for longer than drainTimeout, so it ends when the server
// begins to shut down.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
	drainTimeout      = 10 * time.Second
)

// NewHTTPServer returns a server of a handler with the bounds above.
func NewHTTPServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// Listeners are where a server is reached. Those that the configuration does not have are nil.
type Listeners struct {
	// API is for the token API, Gate for the gate, and Metrics for Prometheus.
	API, Gate, Metrics net.Listener
}

// Listen opens the addresses of a configuration, all or none. Close the listeners, also after Serve.
func Listen(file *config.File) (l Listeners, err error) {
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	if l.API, err = listen(file, "listen", file.Listen); err != nil {
		return l, err
	}
	if file.Gate != nil {
		if l.Gate, err = listen(file, "gate.listen", file.Gate.Listen); err != nil {
			return l, err
		}
	}
	if file.Metrics != nil {
		l.Metrics, err = listen(file, "metrics.listen", file.Metrics.Listen)
	}
	return l, err
}

func listen(file *config.File, path, address string) (net.Listener, error) {
	// Without TCP keep-alive: idle connections are closed, and sockets are pinged, long before it would tell anything.
	quiet := net.ListenConfig{KeepAlive: -1}
	listener, err := quiet.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, file.Problem(path, fmt.Errorf("%w; set listen to another address, or end what listens there", err))
	}
	return listener, nil
}

// Close closes the listeners that are there.
func (l Listeners) Close() {
	for _, listener := range []net.Listener{l.API, l.Gate, l.Metrics} {
		if listener != nil {
			_ = listener.Close() // the servers may have closed it already
		}
	}
}

// Serve answers requests until ctx ends, and then lets what has begun end: first the sockets, then the token API, so that
// their players can still ask it. With certificates in the configuration it speaks TLS.
func (a *App) Serve(ctx context.Context, l Listeners) error {
	var all servers
	defer all.close()
	failed := make(chan error, 3)
	serve := func(s io.Closer, listener net.Listener, what string, run func() error) {
		all = append(all, s)
		a.log.Info(what, "address", listener.Addr().String(), "issuer", a.current.Load().file.Issuer)
		go func() { failed <- run() }()
	}
	api := NewHTTPServer(a, a.log)
	serve(api, l.API, "serving", func() error { return a.serveAPI(api, l.API) })
	var games *edge.Server
	if l.Gate != nil {
		games = a.gateServer()
		go edge.ReturnMemory(ctx)
		serve(games, l.Gate, "serving the gate", func() error { return a.serveGate(games, l.Gate) })
	}
	if l.Metrics != nil {
		metrics := NewHTTPServer(a.metrics.Handler(), a.log)
		serve(metrics, l.Metrics, "serving metrics", func() error { return metrics.Serve(l.Metrics) })
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	a.drain()
	a.log.Info("shutting down")
	if games != nil {
		a.drainGate(context.WithoutCancel(ctx), games)
	}
	return a.shutdown(context.WithoutCancel(ctx), api)
}

// servers are closed at the end, whatever they have left.
type servers []io.Closer

func (s *servers) close() {
	for _, server := range *s {
		_ = server.Close()
	}
}

func (a *App) serveAPI(server *http.Server, listener net.Listener) error {
	if a.certificate.Load() != nil {
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: a.getCertificate}
		return server.ServeTLS(listener, "", "")
	}
	return server.Serve(listener)
}

// shutdown lets requests that have begun finish for up to 10 s.
func (a *App) shutdown(ctx context.Context, api *http.Server) error {
	a.end()
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	err := api.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		a.log.Warn("some requests did not finish in time and were cut off")
		err = api.Close()
	}
	return err
}

// untilEnded ends the wait of a request that may wait for long when the token API begins to shut down.
func (a *App) untilEnded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(a.ended, cancel)()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (a *App) getCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return a.certificate.Load(), nil
}

// certificates are those of the listeners, nil where there is none.
type certificates struct {
	api, gate *tls.Certificate
}

// use puts them in place of those before.
func (a *App) use(c certificates) {
	a.certificate.Store(c.api)
	a.gateCertificate.Store(c.gate)
}

func readCertificates(file *config.File) (c certificates, err error) {
	if c.api, err = readCertificate(file, "tls", file.TLS); err != nil || file.Gate == nil {
		return c, err
	}
	c.gate, err = readCertificate(file, "gate.tls", file.Gate.TLS)
	return c, err
}

// readCertificate reads a certificate, nil if there is none. Its private key must be its owner's alone.
func readCertificate(file *config.File, path string, t *config.TLS) (*tls.Certificate, error) {
	if t == nil {
		return nil, nil
	}
	chain, err := os.ReadFile(file.Path(t.Certificate))
	if err != nil {
		return nil, file.Problem(path+".certificate", err)
	}
	key, err := keyfile.ReadPrivate(file.Path(t.Key))
	if err != nil {
		return nil, file.Problem(path+".key", err)
	}
	certificate, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, file.Problem(path, err)
	}
	return &certificate, nil
}
