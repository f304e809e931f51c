package bolt_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/store/bolt"
)

var start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// clock stands still until it is moved.
type clock struct{ nanos atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.nanos.Store(start.UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.nanos.Load()) }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

// file is a store that is closed and opened again in a test.
type file struct {
	*bolt.Store
	t     testing.TB
	path  string
	clock *clock
}

func newFile(t testing.TB) *file {
	t.Helper()
	f := &file{t: t, path: filepath.Join(t.TempDir(), "store.db"), clock: newClock()}
	f.open()
	return f
}

func (f *file) config() bolt.Config {
	return bolt.Config{Path: f.path, LockTimeout: 50 * time.Millisecond, Now: f.clock.now}
}

func (f *file) open() {
	f.t.Helper()
	s, err := bolt.Open(f.config())
	must(f.t, err)
	f.Store = s
	f.t.Cleanup(func() { _ = s.Close() })
}

func (f *file) shut() {
	f.t.Helper()
	must(f.t, f.Close())
}

func (f *file) ctx() context.Context { return f.t.Context() }

func (f *file) append(e session.Event) session.Event {
	f.t.Helper()
	stored, err := f.Append(f.ctx(), e)
	must(f.t, err)
	return stored
}

// all returns every live event.
func (f *file) all() []session.Event {
	f.t.Helper()
	return everything(f.t, f.Store)
}

func everything(t testing.TB, s *bolt.Store) (events []session.Event) {
	t.Helper()
	for cursor := ""; ; {
		b, err := s.Since(t.Context(), cursor)
		must(t, err)
		events, cursor = append(events, b.Events...), b.Cursor
		if !b.More {
			return events
		}
	}
}

func (f *file) check() bolt.Report {
	f.t.Helper()
	r, err := bolt.Check(f.ctx(), f.config())
	must(f.t, err)
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var player = identity.Player{Realm: "main", Subject: "player"}

func id(n int) string { return fmt.Sprintf("01900000-0000-7000-8000-%012x", n) }

// event is the nth test event, a revoked session.
func event(n int) session.Event {
	return session.Event{
		ID: id(n), Kind: session.SessionRevoked, Player: player, Session: id(1_000_000 + n), Upstream: "sid:" + id(n),
		Reason: "test", Expires: start.Add(time.Hour),
	}
}

func family(n int) session.Family {
	return session.Family{
		ID: id(n), Secret: []byte("a secret of thirty-two bytes    "), CreatedAt: start, Expires: start.Add(time.Hour), Player: player, PlayerID: id(0),
	}
}
