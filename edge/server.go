package edge

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/sallyport-auth/sallyport/internal/downstream"
)

// Limits of the server in front. A head may have 8 KiB: net/http adds 4 KiB to what it is told.
const (
	headBytes   = 4 << 10
	headSlop    = 4 << 10
	headTimeout = 10 * time.Second
	idleTimeout = 60 * time.Second
	// writeTimeout is how long a client may leave a part of an answer untaken.
	writeTimeout = 30 * time.Second
)

// Server serves a gate. Plaintext connections are read by a parser of the gate's own, which refuses what net/http would repair and
// costs less; those of TLS by net/http, for HTTP/2. Of the fields of http.Server count for both: Addr, Handler,
// ReadHeaderTimeout, IdleTimeout, MaxHeaderBytes and ErrorLog, to be set before Serve. A Handler around the gate must not keep the
// request, nor its headers, after it returned.
type Server struct {
	*http.Server
	plain downstream.Server
}

// Server returns a server with the gate as its handler and the limits that belong to it: 8 KiB of request head, 10 s to send it,
// 60 s idle. Set TLSConfig on it as you like; extended CONNECT stays off.
func (g *Gate) Server() *Server {
	return &Server{Server: &http.Server{
		Handler: g, ReadHeaderTimeout: headTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: headBytes,
		DisableGeneralOptionsHandler: true,
	}}
}

// errSecured says that Serve was given connections of TLS.
var errSecured = errors.New("edge: Server.Serve is for plaintext connections: use ServeTLS")

// Serve accepts plaintext connections until the server is shut down: then it returns http.ErrServerClosed. A listener of TLS is an
// error; see ServeTLS of http.Server.
func (s *Server) Serve(l net.Listener) error {
	s.plain.Handler, s.plain.HeadTimeout, s.plain.IdleTimeout = s.Handler, s.ReadHeaderTimeout, s.IdleTimeout
	s.plain.MaxHead, s.plain.ErrorLog = s.MaxHeaderBytes+headSlop, s.ErrorLog
	return s.plain.Serve(plaintext{l})
}

// ListenAndServe serves plaintext connections to Addr, as Serve does.
func (s *Server) ListenAndServe() error {
	l, err := net.Listen("tcp", cmp.Or(s.Addr, ":http"))
	if err != nil {
		return err
	}
	return s.Serve(l)
}

// plaintext refuses a listener of TLS, whose connections would be taken for plaintext ones by the backend.
type plaintext struct{ net.Listener }

// Accept waits for a connection.
func (l plaintext) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if _, ok := c.(*tls.Conn); ok {
		_ = c.Close()
		return nil, errSecured
	}
	return c, err
}

// Shutdown closes the listeners and idle connections, and waits for the requests that are under way as long as ctx lives. Sockets
// are the gate's: see Gate.Drain.
func (s *Server) Shutdown(ctx context.Context) error {
	return errors.Join(s.plain.Shutdown(ctx), s.Server.Shutdown(ctx))
}

// Close closes the listeners and all connections, sockets aside.
func (s *Server) Close() error {
	return errors.Join(s.plain.Close(), s.Server.Close())
}
