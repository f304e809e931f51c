package edge

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/internal/downstream"
)

// Limits of the server in front.
const (
	headBytes   = 8 << 10
	headTimeout = 10 * time.Second
	idleTimeout = 60 * time.Second
	// headSlop is what net/http adds to the head that it is told.
	headSlop = 4 << 10
	// writeTimeout is how long a client may leave a part of an answer untaken.
	writeTimeout = 30 * time.Second
)

// Server serves a gate. HTTP/1.1, plaintext or over TLS, is read by a parser of the gate's own, which refuses what net/http would
// repair and costs less; HTTP/2, which there is over TLS alone, by net/http. Extended CONNECT is not offered. Make one with Gate.Server;
// the fields may be changed before the first Serve.
type Server struct {
	// Handler answers requests: the gate, or something around it. The memory of a request is used again for others if it is the Gate
	// itself or has a method KeepsNothing(), by which it promises to keep nothing of a request once it returned, in no goroutine either.
	Handler http.Handler
	// ReadHeaderTimeout is how long the head of a request may take, and the handshake of TLS. Default 10 s.
	ReadHeaderTimeout time.Duration
	// IdleTimeout is how long a connection is kept between two requests. Default 60 s.
	IdleTimeout time.Duration
	// MaxHeaderBytes bounds the head of a request. Default 8 KiB.
	MaxHeaderBytes int
	// TLSConfig is for ServeTLS, and has its certificates. Where its NextProtos are empty, HTTP/2 is offered.
	TLSConfig *tls.Config
	// ErrorLog is told of handlers that panic and handshakes that fail; nil is the standard logger.
	ErrorLog *log.Logger

	once   sync.Once
	first  downstream.Server
	second http.Server // HTTP/2
}

// Server returns a server with the gate as its handler.
func (g *Gate) Server() *Server { return &Server{Handler: g} }

// KeepsNothing says that the gate keeps nothing of a request that it answered: see Server.Handler.
func (g *Gate) KeepsNothing() {}

func (s *Server) prepare() {
	s.once.Do(func() {
		_, reuse := s.Handler.(interface{ KeepsNothing() })
		head, idle := cmp.Or(s.ReadHeaderTimeout, headTimeout), cmp.Or(s.IdleTimeout, idleTimeout)
		size := cmp.Or(s.MaxHeaderBytes, headBytes)
		f, h := &s.first, &s.second
		f.Handler, f.Reuse, f.HeadTimeout, f.IdleTimeout, f.MaxHead, f.ErrorLog = s.Handler, reuse, head, idle, size, s.ErrorLog
		h.Handler, h.ReadHeaderTimeout, h.IdleTimeout, h.MaxHeaderBytes, h.ErrorLog = s.Handler, head, idle, max(size-headSlop, 1), s.ErrorLog
		h.DisableGeneralOptionsHandler = true
	})
}

var (
	errSecured     = errors.New("edge: Server.Serve is for plaintext connections: use ServeTLS")
	errCertificate = errors.New("edge: Server.TLSConfig has no certificate: set Certificates or GetCertificate")
)

// Serve accepts plaintext connections until the server is shut down: then it returns http.ErrServerClosed. A listener of TLS is an
// error.
func (s *Server) Serve(l net.Listener) error {
	s.prepare()
	return s.first.Serve(plaintext{l})
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

// ServeTLS is Serve for connections that come plain and are to speak TLS.
func (s *Server) ServeTLS(l net.Listener) error {
	if s.TLSConfig == nil || len(s.TLSConfig.Certificates) == 0 && s.TLSConfig.GetCertificate == nil && s.TLSConfig.GetConfigForClient == nil {
		_ = l.Close()
		return errCertificate
	}
	s.prepare()
	config := s.TLSConfig.Clone()
	if len(config.NextProtos) == 0 {
		config.NextProtos = []string{"h2", "http/1.1"}
	}
	if slices.Contains(config.NextProtos, "h2") {
		agreed := &handover{address: l.Addr(), conns: make(chan net.Conn), done: make(chan struct{})}
		s.second.TLSConfig, s.first.HTTP2 = config, agreed.give
		go func() { _ = s.second.Serve(agreed) }()
		defer func() { _ = agreed.Close() }()
	}
	return s.first.Serve(tls.NewListener(l, config))
}

// handover is the listener through which connections on which HTTP/2 was agreed come to the server that speaks it.
type handover struct {
	address net.Addr
	conns   chan net.Conn
	done    chan struct{}
	once    sync.Once
}

func (h *handover) give(c *tls.Conn) {
	select {
	case h.conns <- c:
	case <-h.done:
		_ = c.Close()
	}
}

// Accept waits for a connection.
func (h *handover) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (h *handover) Close() error {
	h.once.Do(func() { close(h.done) })
	return nil
}

// Addr returns the address that the connections came to.
func (h *handover) Addr() net.Addr { return h.address }

// Shutdown closes the listeners and idle connections, and waits for the requests that are under way as long as ctx lives. Sockets
// are the gate's: see Gate.Drain.
func (s *Server) Shutdown(ctx context.Context) error {
	return errors.Join(s.first.Shutdown(ctx), s.second.Shutdown(ctx))
}

// Close closes the listeners and all connections, sockets aside.
func (s *Server) Close() error {
	return errors.Join(s.first.Close(), s.second.Close())
}
