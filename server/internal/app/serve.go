package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

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

// Listen opens the addresses of a configuration. Close the listeners, also after Serve.
func Listen(file *config.File) (l Listeners, err error) {
	if l.API, err = listen(file, "listen", file.Listen); err != nil {
		return l, err
	}
	if file.Metrics != nil {
		l.Metrics, err = listen(file, "metrics.listen", file.Metrics.Listen)
	}
	return l, err
}

func listen(file *config.File, path, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
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

// Serve answers requests until ctx ends, and then lets what has begun end: see shutdown. With a certificate in the
// configuration the token API speaks TLS.
func (a *App) Serve(ctx context.Context, l Listeners) error {
	api := NewHTTPServer(a, a.log)
	api.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: a.getCertificate}
	failed := make(chan error, 3)
	go func() { failed <- a.serveAPI(api, l.API) }()
	a.log.Info("serving", "address", l.API.Addr().String(), "issuer", a.current.Load().file.Issuer)
	if l.Metrics != nil {
		numbers := NewHTTPServer(a.metrics.Handler(), a.log)
		defer numbers.Close()
		go func() { failed <- numbers.Serve(l.Metrics) }()
		a.log.Info("serving metrics", "address", l.Metrics.Addr().String())
	}
	select {
	case err := <-failed:
		return errors.Join(err, api.Close())
	case <-ctx.Done():
	}
	return a.shutdown(context.WithoutCancel(ctx), api)
}

func (a *App) serveAPI(server *http.Server, listener net.Listener) error {
	if a.certificate.Load() != nil {
		return server.ServeTLS(listener, "", "")
	}
	return server.Serve(listener)
}

// shutdown lets requests that have begun finish for up to 10 s.
func (a *App) shutdown(ctx context.Context, api *http.Server) error {
	a.drain()
	a.log.Info("shutting down")
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	err := api.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		a.log.Warn("some requests did not finish in time and were cut off")
		err = api.Close()
	}
	return err
}

// untilDrained ends the wait of a request that may wait for long when the server begins to shut down.
func (a *App) untilDrained(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(a.drained, cancel)()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (a *App) getCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return a.certificate.Load(), nil
}

// readCertificate reads the certificate of a file, nil if it has none. Its private key must be its owner's alone.
func readCertificate(file *config.File) (*tls.Certificate, error) {
	if file.TLS == nil {
		return nil, nil
	}
	chain, err := os.ReadFile(file.Path(file.TLS.Certificate))
	if err != nil {
		return nil, file.Problem("tls.certificate", err)
	}
	key, err := keyfile.ReadPrivate(file.Path(file.TLS.Key))
	if err != nil {
		return nil, file.Problem("tls.key", err)
	}
	certificate, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, file.Problem("tls", err)
	}
	return &certificate, nil
}
