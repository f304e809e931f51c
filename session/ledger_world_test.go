package session_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

var (
	ann = identity.Player{Realm: "main", Subject: "ann"}
	bob = identity.Player{Realm: "main", Subject: "bob"}
)

// node is a loaded ledger, its store, and the clock of both, which stands still. A ledger that does not run is stale
// after its grace, so a test that turns the clock by more takes the policy Available.
type node struct {
	*session.Ledger
	t     *testing.T
	store *session.MemoryStore
	nanos atomic.Int64
}

func newNode(t *testing.T) *node {
	t.Helper()
	n := &node{t: t}
	n.nanos.Store(testvectors.Now.UnixNano())
	n.store = session.NewMemoryStoreAt(n.now)
	n.Ledger = n.ledger(session.LedgerConfig{Store: n.store, Policy: session.Available, Now: n.now})
	n.must(n.Load(t.Context()))
	return n
}

func (n *node) ledger(c session.LedgerConfig) *session.Ledger {
	n.t.Helper()
	l, err := session.NewLedger(c)
	n.must(err)
	return l
}

func (n *node) now() time.Time          { return time.Unix(0, n.nanos.Load()) }
func (n *node) advance(d time.Duration) { n.nanos.Add(int64(d)) }
func (n *node) ctx() context.Context    { return n.t.Context() }

func (n *node) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

// wants checks the answer to a check: "" is accepted.
func wants(t *testing.T, what string, err error, want jws.Reason) {
	t.Helper()
	if got := jws.ReasonOf(err); got != want || (err == nil) != (want == "") {
		t.Errorf("%s: got %v, want reason %q", what, err, want)
	}
}

// session is a session of the player's that was issued now.
func (n *node) session(p identity.Player, id string) *session.Session {
	return &session.Session{Player: p, ID: id, IssuedAt: n.now().Truncate(time.Second), Started: n.now()}
}

// identity is an identity of the player's whose token was issued now within an upstream session.
func (n *node) identity(p identity.Player, upstream string) *identity.Identity {
	return &identity.Identity{Player: p, Subject: p.Subject, Session: upstream, IssuedAt: n.now().Truncate(time.Second)}
}

func eventID(n int) string { return fmt.Sprintf("01900000-0000-7000-8000-%012x", n) }

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// faulty is a store that fails on demand: away answers at once with an error, hangs does not answer at all, lies
// acknowledges nothing that it was given.
type faulty struct {
	session.Revocations
	away, hangs atomic.Bool
	lies        bool
	calls       atomic.Int64
}

func (f *faulty) Append(ctx context.Context, e session.Event) (session.Event, error) {
	if f.away.Load() {
		return session.Event{}, session.ErrStoreUnavailable
	}
	if f.lies {
		return session.Event{}, nil
	}
	return f.Revocations.Append(ctx, e)
}

func (f *faulty) Since(ctx context.Context, cursor string) (session.Batch, error) {
	f.calls.Add(1)
	if f.hangs.Load() {
		<-ctx.Done()
		return session.Batch{}, ctx.Err()
	}
	if f.away.Load() {
		return session.Batch{}, session.ErrStoreUnavailable
	}
	return f.Revocations.Since(ctx, cursor)
}
