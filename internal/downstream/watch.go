package downstream

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// life is the context of a connection and of its requests. It is an upstream.Binder, and can be ended by whoever serves it.
type life struct {
	context.Context
	cancel context.CancelFunc
	mu     sync.Mutex
	bound  io.Closer
}

func newLife() *life {
	l := new(life)
	l.Context, l.cancel = context.WithCancel(context.Background())
	return l
}

// End ends the context before the request is over, and closes what is bound to it. The connection itself stays, for an answer.
func (l *life) End() {
	l.cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bound != nil {
		_ = l.bound.Close()
		l.bound = nil
	}
}

// Bind has something closed when the connection ends.
func (l *life) Bind(c io.Closer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.Err() != nil {
		_ = c.Close()
		return
	}
	l.bound = c
}

// Unbind undoes Bind, and reports whether nothing was closed.
func (l *life) Unbind() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := l.bound != nil
	l.bound = nil
	return held
}

// watchEvery is how often requests that take long are looked at: whether anybody still waits for their answer. Most requests are
// answered before and cost nothing for it.
const watchEvery = 500 * time.Millisecond

// watch ends the contexts of requests whose client is gone.
func (s *Server) watch(ctx context.Context) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			s.look(now)
		}
	}
}

func (s *Server) look(now time.Time) {
	for _, w := range s.waiting(now.Add(-watchEvery).UnixNano()) {
		if isGone(w.net) {
			w.life.End()
		}
	}
}

// waiting is who waits for an answer since before a time. They are looked at without the lock, since each costs a system call.
func (s *Server) waiting(before int64) (all []waiting) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if since := c.busy.Load(); since > idle && since < before {
			all = append(all, waiting{c.net, c.life})
		}
	}
	return all
}

type waiting struct {
	net  net.Conn
	life *life
}
