package redis_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/store/redis"
)

// node is a store and a ledger that follows it.
type node struct {
	store  *redis.Store
	ledger *session.Ledger
}

// startNode starts a node that runs until the test ends.
func startNode(t testing.TB, c redis.Config) node {
	t.Helper()
	store := open(t, c)
	ledger, err := session.NewLedger(session.LedgerConfig{Store: store, Policy: session.Available})
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ledger.Run(ctx)
	}()
	t.Cleanup(func() {
		end()
		<-ended
	})
	return node{store, ledger}
}

func id(n int) string { return fmt.Sprintf("01900000-0000-7000-8000-%012x", n) }

func sessionOf(n int) *session.Session {
	return &session.Session{ID: id(n), Player: identity.Player{Realm: "main", Subject: "ann"}, IssuedAt: time.Now()}
}

// refuses says whether the node knows that the nth session is revoked.
func (n node) refuses(session int) bool {
	return jws.ReasonOf(n.ledger.CheckSession(sessionOf(session))) == jws.Revoked
}

func (n node) revoke(t testing.TB, session int) {
	t.Helper()
	if err := n.ledger.RevokeSession(context.Background(), sessionOf(session), "test"); err != nil {
		t.Fatal(err)
	}
}

// event is the revocation of the nth session.
func event(n int) session.Event {
	return session.Event{
		ID: id(n), Kind: session.SessionRevoked, Session: id(n), Expires: time.Now().Add(time.Hour).UTC().Truncate(time.Second),
	}
}

func appendEvent(t testing.TB, s *redis.Store, n int) session.Event {
	t.Helper()
	e, err := s.Append(context.Background(), event(n))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// all reads the whole set.
func all(t testing.TB, s *redis.Store) (events []session.Event, cursor string) {
	t.Helper()
	for {
		b, err := s.Since(context.Background(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		events, cursor = append(events, b.Events...), b.Cursor
		if !b.More {
			return events, cursor
		}
	}
}

// has says whether the server has exactly these events, in any order.
func has(t testing.TB, s *redis.Store, want []session.Event) bool {
	t.Helper()
	got, _ := all(t, s)
	byID := func(a, b session.Event) int { return slices.Compare([]byte(a.ID), []byte(b.ID)) }
	slices.SortFunc(got, byID)
	return slices.Equal(got, slices.SortedFunc(slices.Values(want), byID))
}

func family(n int) session.Family {
	now := time.Now().UTC().Truncate(time.Second)
	return session.Family{
		ID: id(n), Secret: make([]byte, 32), CreatedAt: now, Expires: now.Add(time.Hour), PlayerID: id(0),
		Player: identity.Player{Realm: "main", Subject: "ann"},
	}
}

func digest(n int) [32]byte { return [32]byte{31: byte(n), 30: byte(n >> 8)} }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}
