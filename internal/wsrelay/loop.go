package wsrelay

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
)

// LoopConfig configures a Loop. The zero value is right for a server.
type LoopConfig struct {
	// Loops is how many event loops share the sockets. Default: GOMAXPROCS.
	Loops int
	// Goroutines has every socket carried by two goroutines, also where an event loop could.
	Goroutines bool
	// Now is the clock by which pings, waits and rates go; nil is [time.Now]. It is looked at every 50 ms of real time.
	Now func() time.Time
}

// Loop carries sockets. It is safe for concurrent use.
type Loop struct {
	config LoopConfig
	epoch  time.Time
	groups []*group

	mu     sync.Mutex
	live   int
	next   int // the group for the next pipe
	ticker *time.Timer
	closed bool
	empty  sync.Cond
}

// Half is one of the two connections of a socket.
type Half struct {
	// Conn is the connection, on which the handshake is over. It is the relay's from then on.
	Conn net.Conn
	// Buffered is what was read from it already, after the handshake.
	Buffered []byte
	// RSV are the reserved bits that frames from it may have: wsframe.RSV1 where permessage-deflate was negotiated.
	RSV byte
}

var (
	// ErrClosed says that the loop is closed.
	ErrClosed = errors.New("wsrelay: the loop is closed")

	errPolicy = errors.New("wsrelay: the policy is not from NewPolicy")
	errHalf   = errors.New("wsrelay: a half has no connection")
	errDone   = errors.New("wsrelay: done is required")
)

// NewLoop starts a loop. End it with Close.
func NewLoop(config LoopConfig) (*Loop, error) {
	if config.Loops < 0 {
		return nil, errors.New("wsrelay: LoopConfig.Loops: must not be negative")
	}
	if config.Loops == 0 {
		config.Loops = runtime.GOMAXPROCS(0)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	l := &Loop{config: config, epoch: config.Now().Add(-time.Hour)} // no time of a socket is 0
	l.empty.L = &l.mu
	for range config.Loops {
		g := &group{loop: l}
		g.lock()
		g.wheel.last = g.now / int64(tickEvery)
		g.unlock()
		l.groups = append(l.groups, g)
		if config.Goroutines {
			continue
		}
		if err := g.poll.start(g); err != nil {
			l.Close()
			return nil, fmt.Errorf("wsrelay: starting an event loop: %w", err)
		}
	}
	return l, nil
}

func (l *Loop) clock() int64 { return int64(l.config.Now().Sub(l.epoch)) }

// Relay carries a WebSocket between a client and a backend. It takes both over and returns at once; done is called once, on a
// goroutine of its own, when both are gone. With an error nothing was taken over, and done is not called.
func (l *Loop) Relay(clientHalf, backendHalf Half, policy *Policy, done func(Outcome)) (*Pipe, error) {
	switch {
	case policy == nil || !policy.checked:
		return nil, errPolicy
	case clientHalf.Conn == nil || backendHalf.Conn == nil:
		return nil, errHalf
	case done == nil:
		return nil, errDone
	}
	g, err := l.enter()
	if err != nil {
		return nil, err
	}
	p := &Pipe{group: g, policy: policy, done: done}
	halves := [2]Half{clientHalf, backendHalf}
	for i := range halves {
		limit(halves[i].Conn, policy.Buffer)
	}
	evented := g.poll.adopt(p, &halves)
	if !evented {
		p.streams(&halves)
	}
	g.lock()
	defer g.unlock()
	g.add(p)
	p.open(&halves)
	if evented {
		g.poll.watch(p)
	} else {
		p.startReading()
	}
	if g.ended {
		p.endNow()
	}
	p.settle()
	return p, nil
}

// open sets the clocks of a new pipe and passes on what was read before.
func (p *Pipe) open(halves *[2]Half) {
	now := p.group.now
	p.alive, p.active, p.ping = now, now, now+int64(p.policy.PingEvery)
	for i, half := range halves {
		s := &p.sides[i]
		s.in = wsframe.Reader{RSV: half.RSV}
		s.bytes = uint64(len(half.Buffered))
	}
	for i, half := range halves {
		p.feed(i, half.Buffered)
	}
	p.group.arm(p, p.due())
}

// enter counts a pipe in and chooses its group.
func (l *Loop) enter() (*group, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ErrClosed
	}
	if l.live++; l.live == 1 {
		l.ticker = time.AfterFunc(tickEvery, l.tick)
	}
	l.next++
	return l.groups[l.next%len(l.groups)], nil
}

// left counts a pipe out.
func (l *Loop) left() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live--; l.live == 0 {
		l.ticker.Stop()
		l.empty.Broadcast()
	}
}

// tick runs every 50 ms while there are pipes.
func (l *Loop) tick() {
	for _, g := range l.groups {
		g.tick()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live > 0 {
		l.ticker.Reset(tickEvery)
	}
}

// Close ends every socket at once, with the close frame of [connect.CloseDraining] where it can be sent without waiting.
// It returns after the last call of done, which must therefore not call it.
func (l *Loop) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	for _, g := range l.groups {
		g.closeAll()
	}
	l.mu.Lock()
	for l.live > 0 {
		l.empty.Wait()
	}
	l.mu.Unlock()
	for _, g := range l.groups {
		g.poll.stop()
	}
	return nil
}

// Live returns the number of sockets.
func (l *Loop) Live() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.live
}

func (g *group) closeAll() {
	g.lock()
	defer g.unlock()
	g.ended = true
	for _, p := range g.pipes {
		if p == nil {
			continue
		}
		p.endNow()
	}
}

// endNow ends a pipe without waiting for anybody.
func (p *Pipe) endNow() {
	p.endFor(connect.CloseDraining)
	p.closeSide(client, false)
	p.closeSide(backend, false)
	p.settle()
}
