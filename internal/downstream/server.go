package downstream

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Server serves connections. Handler is required; nothing may be changed after the first Serve.
type Server struct {
	// Handler answers requests. It may panic with http.ErrAbortHandler to break an answer off.
	Handler http.Handler
	// HeadTimeout is how long a head may take from its first byte, and the first one of a connection from its beginning. A body has
	// at least as long, unless the handler sets a deadline. Default 10 s.
	HeadTimeout time.Duration
	// IdleTimeout is how long a connection is kept between two requests. Default 60 s.
	IdleTimeout time.Duration
	// MaxHead is the largest head in bytes. Default 8 KiB.
	MaxHead int
	// Reuse has the memory of a request used again for others once the handler returned, which must then keep nothing of it: neither
	// request, headers, body nor writer, in no goroutine. http.TimeoutHandler keeps them, for one. Without it each request has its own.
	Reuse bool
	// HTTP2 takes over connections of TLS on which HTTP/2 was agreed, after their handshake. Nil closes them.
	HTTP2 func(*tls.Conn)
	// ErrorLog is told of handlers that panic and of handshakes that fail; nil is the standard logger.
	ErrorLog *log.Logger

	mu        sync.Mutex
	listeners map[net.Listener]bool
	conns     map[*conn]bool
	closing   atomic.Bool
	workers   workers
	date      atomic.Pointer[date]
}

const (
	defaultHeadTimeout = 10 * time.Second
	defaultIdleTimeout = 60 * time.Second
	defaultMaxHead     = 8 << 10
)

// Serve serves the connections of a listener. It returns http.ErrServerClosed after Shutdown or Close, and the listener's error
// if that ends otherwise.
func (s *Server) Serve(l net.Listener) error {
	if !s.track(l) {
		_ = l.Close()
		return http.ErrServerClosed
	}
	defer s.untrack(l)
	watching, stop := context.WithCancel(context.Background())
	defer stop()
	go s.watch(watching)
	for failures := 0; ; {
		c, err := l.Accept()
		if s.closing.Load() {
			if err == nil {
				_ = c.Close()
			}
			return http.ErrServerClosed
		}
		if err != nil {
			var passing interface{ Temporary() bool } // out of descriptors, for one
			if !errors.As(err, &passing) || !passing.Temporary() {
				return err
			}
			failures++
			time.Sleep(min(5*time.Millisecond<<min(failures, 8), time.Second))
			continue
		}
		failures = 0
		s.take(c)
	}
}

// take serves one connection, in a goroutine of its own.
func (s *Server) take(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		_ = c.Close()
		return
	}
	made := newConn(s, c)
	s.conns[made] = true
	s.workers.serve(made)
}

func (s *Server) track(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return false
	}
	if s.listeners == nil {
		s.listeners, s.conns = make(map[net.Listener]bool), make(map[*conn]bool)
		s.workers.start()
	}
	s.listeners[l] = true
	return true
}

func (s *Server) untrack(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
	_ = l.Close()
}

// forget lets go of a connection that ended or was taken over.
func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// Shutdown closes the listeners and idle connections and waits until the others have answered, or ctx ends: its error is
// returned then. Connections that were taken over are not its business.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopListening()
	watching, stop := context.WithCancel(ctx) // Serve returned, and no longer does
	defer stop()
	go s.watch(watching)
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	for !s.closeIdle() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-pause.C:
		}
	}
	return nil
}

// Close closes the listeners and all connections at once, and ends the contexts of their requests.
func (s *Server) Close() error {
	err := s.stopListening()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.net.Close()
		c.life.End() // with no connection left for what a handler would answer then
	}
	return err
}

func (s *Server) stopListening() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing.Swap(true) {
		s.workers.stop()
	}
	for l := range s.listeners {
		err = errors.Join(err, l.Close())
	}
	clear(s.listeners)
	return err
}

// closeIdle closes the idle connections and says whether there are no others.
func (s *Server) closeIdle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if c.busy.CompareAndSwap(idle, ended) || c.busy.Load() == ended {
			_ = c.net.Close()
			delete(s.conns, c)
		}
	}
	return len(s.conns) == 0
}

func (s *Server) logf(format string, args ...any) {
	if s.ErrorLog != nil {
		s.ErrorLog.Printf(format, args...)
		return
	}
	log.Printf(format, args...)
}

// date is the Date header of one second.
type date struct {
	second int64
	text   string
}

// dateAt returns the Date header (RFC 9110 section 6.6.1).
func (s *Server) dateAt(now time.Time) string {
	second := now.Unix()
	if d := s.date.Load(); d != nil && d.second == second {
		return d.text
	}
	d := &date{second, now.UTC().Format(http.TimeFormat)}
	s.date.Store(d)
	return d.text
}
