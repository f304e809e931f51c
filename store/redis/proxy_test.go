package redis_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy is a TCP link between a node and a server that can be slow, silent or cut.
type proxy struct {
	listener net.Listener
	target   string

	mu     sync.Mutex
	delay  time.Duration // of each piece, both ways
	trip   bool          // the next piece closes all connections instead
	silent chan struct{} // nothing passes until it is closed; nil is an open link
	conns  map[net.Conn]bool
	ended  chan struct{}
}

func startProxy(t testing.TB, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: target, conns: map[net.Conn]bool{}, ended: make(chan struct{})}
	go p.accept()
	t.Cleanup(func() {
		l.Close()
		close(p.ended)
		p.cut()
	})
	return p
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) setDelay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// silence lets nothing pass and closes nothing, as a partition does.
func (p *proxy) silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = make(chan struct{})
}

// restore opens the link again: what was sent meanwhile arrives now.
func (p *proxy) restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.silent)
	p.silent = nil
}

// cut closes all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

// cutNext closes all connections when the next piece comes, which is lost.
func (p *proxy) cutNext() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trip = true
}

func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.target)
		if err != nil {
			near.Close()
			continue
		}
		p.mu.Lock()
		p.conns[near], p.conns[far] = true, true
		p.mu.Unlock()
		go p.carry(near, far)
		go p.carry(far, near)
	}
}

type piece struct {
	data []byte
	due  time.Time
}

// carry moves data one way, each piece after the delay that was set when it came.
func (p *proxy) carry(from, to net.Conn) {
	pieces := make(chan piece, 1024)
	go func() {
		defer to.Close()
		for x := range pieces {
			if p.hold(x.due); write(to, x.data) != nil {
				from.Close()
			}
		}
	}()
	defer close(pieces)
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		due, trip := time.Now().Add(p.delay), p.trip
		p.trip = false
		p.mu.Unlock()
		if trip {
			p.cut()
			return
		}
		pieces <- piece{append([]byte(nil), buffer[:n]...), due}
	}
}

func write(to io.Writer, data []byte) error {
	_, err := to.Write(data)
	return err
}

func (p *proxy) hold(until time.Time) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.ended:
	}
	p.mu.Lock()
	silent := p.silent
	p.mu.Unlock()
	if silent == nil {
		return
	}
	select {
	case <-silent:
	case <-p.ended:
	}
}
