package upstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// Config is what a pool is made of. Address is required.
type Config struct {
	// Address is the backend's host:port.
	Address string
	// MaxIdle is how many idle connections are kept. Default 256.
	MaxIdle int
	// IdleTimeout is how long one is kept. Default 4 s: Node closes its side after 5 s, and the race of a request against that
	// close is lost by whatever cannot be sent twice.
	IdleTimeout time.Duration
	// DialTimeout is for connecting. Default 5 s.
	DialTimeout time.Duration
	// MaxHead is the largest head of an answer in bytes. Default 64 KiB.
	MaxHead int
}

// Errors of a pool. The cause is wrapped beside them.
var (
	// ErrDial says that the backend cannot be reached. Nothing was sent.
	ErrDial = errors.New("upstream: cannot connect to the backend")
	// ErrLost says that the connection ended before the answer did.
	ErrLost = errors.New("upstream: the backend ended the connection")
	// ErrTimeout says that the backend took too long.
	ErrTimeout = errors.New("upstream: the backend did not answer in time")
	// ErrSource says that the body that was to be sent could not be read: the client's fault.
	ErrSource = errors.New("upstream: the request body could not be read")
)

// Pool holds the idle connections to one backend. It is safe for concurrent use.
type Pool struct {
	config  Config
	dialer  net.Dialer
	lasting net.Dialer // for upgrades: a backend's machine that is gone shows by TCP keep-alive

	mu     sync.Mutex
	idle   []*conn // the one used last is last
	timer  *time.Timer
	closed bool
}

// New returns a pool without connections.
func New(c Config) (*Pool, error) {
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		return nil, fmt.Errorf("upstream: Config.Address: %v", err)
	}
	c.MaxIdle = cmp.Or(c.MaxIdle, 256)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 4*time.Second)
	c.DialTimeout = cmp.Or(c.DialTimeout, 5*time.Second)
	c.MaxHead = cmp.Or(c.MaxHead, 64<<10)
	return &Pool{
		config: c, dialer: net.Dialer{Timeout: c.DialTimeout, KeepAlive: -1}, lasting: net.Dialer{Timeout: c.DialTimeout},
	}, nil
}

// Idle returns how many idle connections there are.
func (p *Pool) Idle() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}

// Close closes the idle connections; those in use are closed when they are done.
func (p *Pool) Close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	if p.timer != nil {
		p.timer.Stop()
	}
	p.mu.Unlock()
	for _, c := range idle {
		_ = c.Conn.Close()
	}
}

// get returns an idle connection that still lives, else a new one.
func (p *Pool) get(ctx context.Context, r *Request) (*conn, error) {
	for c := p.pop(); c != nil; c = p.pop() {
		if time.Since(c.idle) < p.config.IdleTimeout && c.isAlive() {
			c.reused, c.in.Got = true, false
			return c, nil
		}
		_ = c.Conn.Close()
	}
	dialer, size := &p.dialer, bufferSize
	if r.Upgrade {
		dialer, size = &p.lasting, upgradeSize
	}
	c, err := dialer.DialContext(ctx, "tcp", p.config.Address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDial, err)
	}
	return newConn(c, size), nil
}

func (p *Pool) pop() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	c := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return c
}

// put takes a connection back whose answer is whole.
func (p *Pool) put(c *conn) {
	c.idle = time.Now()
	clear(c.out) // there may be a token in it
	p.mu.Lock()
	full := p.closed || len(p.idle) >= p.config.MaxIdle
	if !full {
		p.idle = append(p.idle, c)
		if len(p.idle) == 1 {
			p.arm()
		}
	}
	p.mu.Unlock()
	if full {
		_ = c.Conn.Close()
	}
}

// arm lets the timer sweep when the oldest connection may be due. The lock is held.
func (p *Pool) arm() {
	if p.timer == nil {
		p.timer = time.AfterFunc(p.config.IdleTimeout, p.sweep)
		return
	}
	p.timer.Reset(p.config.IdleTimeout)
}

func (p *Pool) sweep() {
	p.mu.Lock()
	fresh := slices.IndexFunc(p.idle, func(c *conn) bool { return time.Since(c.idle) < p.config.IdleTimeout })
	if fresh < 0 {
		fresh = len(p.idle)
	}
	old := slices.Clone(p.idle[:fresh])
	p.idle = slices.Delete(p.idle, 0, fresh)
	if len(p.idle) > 0 && !p.closed {
		p.arm()
	}
	p.mu.Unlock()
	for _, c := range old {
		_ = c.Conn.Close()
	}
}
