package app

import (
	"context"
	"crypto/tls"
	"errors"
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

// Serve answers requests on a listener until ctx ends, then lets those that have begun finish for up to 10 s. With a
// certificate in the configuration it speaks TLS.
func (a *App) Serve(ctx context.Context, listener net.Listener) error {
	server := NewHTTPServer(a, a.log)
	server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: a.getCertificate}
	served := make(chan error, 1)
	go func() {
		if a.certificate.Load() != nil {
			served <- server.ServeTLS(listener, "", "")
			return
		}
		served <- server.Serve(listener)
	}()
	a.log.Info("serving", "address", listener.Addr().String(), "issuer", a.current.Load().file.Issuer)
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	a.drain()
	a.log.Info("shutting down")
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	err := server.Shutdown(drain)
	if errors.Is(err, context.DeadlineExceeded) {
		a.log.Warn("some requests did not finish in time and were cut off")
		err = server.Close()
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
