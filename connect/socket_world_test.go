package connect_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// door is a registry with its ledger. Its clock is the one of package synctest, so it lives within one bubble.
type door struct {
	tb       testing.TB
	ledger   *session.Ledger
	registry *connect.Registry
}

// newDoor opens a door with the route "arena", which replaces, and "lobby", which refuses, unless config names others.
func newDoor(tb testing.TB, config connect.RegistryConfig) *door {
	tb.Helper()
	d := &door{tb: tb, ledger: config.Ledger}
	if d.ledger == nil {
		d.ledger = must(session.NewLedger(session.LedgerConfig{Store: session.NewMemoryStore(), Policy: session.Available}))(tb)
		if err := d.ledger.Load(context.Background()); err != nil {
			tb.Fatal(err)
		}
	}
	config.Ledger = d.ledger
	if config.Routes == nil {
		config.Routes = map[string]connect.SocketRoute{
			"arena": {Mode: connect.ReplaceOlder, Profile: connect.ProfilePlain},
			"lobby": {Mode: connect.RefuseNewer, Profile: connect.ProfileColyseus},
		}
	}
	if config.Stale == "" {
		config.Stale = connect.KeepSockets
	}
	d.registry = must(connect.NewRegistry(config))(tb)
	return d
}

func player(n int) identity.Player {
	return identity.Player{Realm: "players", Subject: "player-" + strconv.Itoa(n)}
}

// sessionOf makes a session of a player, issued now and good for 10 min.
func sessionOf(n int) *session.Session {
	now := time.Now().UTC().Truncate(time.Second)
	return &session.Session{
		Player: player(n), ID: fmt.Sprintf("session-%d", n), Issuer: service, Upstream: fmt.Sprintf("sid:upstream-%d", n),
		IssuedAt: now, Expiry: now.Add(10 * time.Minute),
	}
}

// peer is the other side of a socket: it notes what it is told, and when.
type peer struct {
	mu      sync.Mutex
	closed  []connect.Closing
	at      []time.Time
	notices []time.Time
}

func (p *peer) hooks() connect.Hooks { return connect.Hooks{Close: p.close, Notice: p.notice} }

func (p *peer) close(c connect.Closing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed, p.at = append(p.closed, c), append(p.at, time.Now())
}

func (p *peer) notice(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notices = append(p.notices, at)
}

// reasons waits until all is quiet and returns what the peer was told.
func (p *peer) reasons() []connect.CloseReason {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	reasons := []connect.CloseReason{}
	for _, c := range p.closed {
		reasons = append(reasons, c.Reason)
	}
	return reasons
}

// want fails the test unless the peer was told exactly these reasons; none means that its socket lives.
func (p *peer) want(tb testing.TB, reasons ...connect.CloseReason) {
	tb.Helper()
	if got := p.reasons(); !slices.Equal(got, reasons) {
		tb.Errorf("the peer was told %v, want %v", got, reasons)
	}
}

// admit lets a peer in, or fails the test.
func (d *door) admit(s *session.Session, route, name string) (*connect.Socket, *peer) {
	d.tb.Helper()
	p := &peer{}
	socket, err := d.registry.Admit(context.Background(), s, connect.Slot{Route: route, Name: name}, p.hooks())
	if err != nil {
		d.tb.Fatal(err)
	}
	return socket, p
}

// refuse fails the test unless a new socket is refused for the reason.
func (d *door) refuse(s *session.Session, route, name string, reason connect.CloseReason) {
	d.tb.Helper()
	p := &peer{}
	socket, err := d.registry.Admit(context.Background(), s, connect.Slot{Route: route, Name: name}, p.hooks())
	if socket != nil || err == nil || connect.CloseReasonOf(err) != reason {
		d.tb.Errorf("got the error %v, want one that is %s", err, reason)
	}
	p.want(d.tb)
}

func (d *door) live() int { return d.registry.State().Live }

// moody is a feed that can be taken away.
type moody struct {
	*session.MemoryStore
	mu   sync.Mutex
	away bool
}

func (m *moody) set(away bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away = away
}

func (m *moody) Since(ctx context.Context, cursor string) (session.Batch, error) {
	m.mu.Lock()
	away := m.away
	m.mu.Unlock()
	if away {
		return session.Batch{}, fmt.Errorf("%w: %w", session.ErrStoreUnavailable, errors.New("away"))
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	batch, err := m.MemoryStore.Since(ctx, cursor)
	if err != nil {
		return session.Batch{Cursor: cursor}, nil // no news within a second
	}
	return batch, nil
}
