package bolt_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/session/storetest"
	"github.com/sallyport-auth/sallyport/store/bolt"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Stores {
		s, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "store.db"), Now: now})
		must(t, err)
		t.Cleanup(func() { must(t, s.Close()) })
		return storetest.Stores{Revocations: s, Families: s, Tickets: s}
	})
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for field, c := range map[string]bolt.Config{
		"Config.Path":        {},
		"Config.LockTimeout": {Path: filepath.Join(t.TempDir(), "store.db"), LockTimeout: time.Hour},
	} {
		if _, err := bolt.Open(c); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("Open: %v, want an error that names %s", err, field)
		}
		if _, err := bolt.Check(t.Context(), c); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("Check: %v, want an error that names %s", err, field)
		}
	}
	nowhere := bolt.Config{Path: filepath.Join(t.TempDir(), "no", "store.db")}
	if _, err := bolt.Open(nowhere); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v, want the file system's error", err)
	}
	if _, err := bolt.Check(t.Context(), nowhere); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Check of no file: %v, want the file system's error", err)
	}
}

func TestRestartForgetsNothing(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	want := []session.Event{f.append(event(1)), f.append(event(2))}
	ban := session.Event{ID: id(3), Kind: session.PlayerBanned, Player: player, Reason: "ünfair", Until: start.Add(time.Hour), Expires: start.Add(2 * time.Hour)}
	alias := session.Event{ID: id(4), Kind: session.PlayerAlias, Player: player, Alias: "nakama-id", Expires: start.Add(time.Hour)}
	want = append(want, f.append(ban), f.append(alias))
	must(t, f.Create(t.Context(), family(1)))
	rotated, err := f.Rotate(t.Context(), id(1), 0)
	must(t, err)
	must(t, f.Put(t.Context(), [32]byte{1}, []byte("sealed"), start.Add(time.Minute)))
	must(t, f.Put(t.Context(), [32]byte{2}, []byte("used"), start.Add(time.Minute)))
	_, err = f.Take(t.Context(), [32]byte{2})
	must(t, err)

	f.shut()
	f.open()
	if got := f.all(); !slices.Equal(got, want) {
		t.Errorf("after a restart\n%+v, want\n%+v", got, want)
	}
	if got := f.append(event(1)); got != want[0] {
		t.Errorf("an event that was stored before the restart is now\n%+v, want\n%+v", got, want[0])
	}
	if got, err := f.Get(t.Context(), id(1)); err != nil || !reflect.DeepEqual(got, rotated) {
		t.Errorf("family %+v, %v, want %+v", got, err, rotated)
	}
	if got, err := f.Take(t.Context(), [32]byte{1}); err != nil || string(got) != "sealed" {
		t.Errorf("ticket %q, %v, want the sealed one", got, err)
	}
	if _, err := f.Take(t.Context(), [32]byte{2}); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("a ticket that was used before the restart: %v, want ErrNotFound", err)
	}
}

// The clock of a machine may go back over a restart; the times of events do not.
func TestTimesGoOnAfterARestart(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	before := f.append(event(1))
	f.shut()
	f.clock.advance(-time.Minute)
	f.open()
	if after := f.append(event(2)); !after.At.After(before.At) {
		t.Errorf("an event after the restart is of %v, want later than %v", after.At, before.At)
	}
}

// A cursor of before a restart starts again: the file may be a backup with other events under the same numbers.
func TestCursorEndsWithARestart(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	want := f.append(event(1))
	b, err := f.Since(t.Context(), "")
	must(t, err)
	f.shut()
	f.open()
	b, err = f.Since(t.Context(), b.Cursor)
	must(t, err)
	if !b.Reset || !slices.Equal(b.Events, []session.Event{want}) {
		t.Errorf("got %+v, want a reset with the event", b)
	}
}

func TestClosedStoreRefuses(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	b, err := f.Since(t.Context(), "")
	must(t, err)
	waiting := make(chan error)
	go func() {
		_, err := f.Since(t.Context(), b.Cursor)
		waiting <- err
	}()
	f.shut()
	f.shut() // again, which is allowed
	errs := map[string]error{"a waiting Since": <-waiting}
	_, errs["Append"] = f.Append(t.Context(), event(1))
	_, errs["Get"] = f.Get(t.Context(), id(1))
	errs["Put"] = f.Put(t.Context(), [32]byte{}, nil, start.Add(time.Hour))
	for what, err := range errs {
		if !errors.Is(err, session.ErrStoreUnavailable) {
			t.Errorf("%s: %v, want ErrStoreUnavailable", what, err)
		}
	}
}

func TestFileIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	mode := func() os.FileMode {
		info, err := os.Stat(f.path)
		must(t, err)
		return info.Mode().Perm()
	}
	if mode() != 0o600 {
		t.Errorf("a new file has mode %o, want 600", mode())
	}
	f.shut()
	must(t, os.Chmod(f.path, 0o664)) //nolint:gosec // what Open is to undo
	f.open()
	if mode() != 0o600 {
		t.Errorf("a file of mode 664 has %o after Open, want 600", mode())
	}
	entries, err := os.ReadDir(filepath.Dir(f.path))
	must(t, err)
	if len(entries) != 1 {
		t.Errorf("the folder has %v, want the store alone", entries)
	}
}

func TestFamilyIDHasBounds(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	for _, id := range []string{"", strings.Repeat("x", 1025)} {
		bad := family(1)
		bad.ID = id
		if err := f.Create(t.Context(), bad); !errors.Is(err, session.ErrStoreUnavailable) {
			t.Errorf("a family with an id of %d bytes: %v, want a refusal", len(id), err)
		}
		if _, err := f.Get(t.Context(), id); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("Get of an id of %d bytes: %v, want ErrNotFound", len(id), err)
		}
	}
}

// gate is a clock that stops whoever reads it, which a commit does once, until it is opened.
type gate struct {
	shut   chan bool // whether the next reader waits
	opened chan struct{}
}

func newGate() *gate { return &gate{make(chan bool, 1), make(chan struct{})} }

func (g *gate) now() time.Time {
	select {
	case <-g.shut:
		<-g.opened
	default:
	}
	return start
}

// stopped returns a store whose committer holds the given event and waits.
func stopped(ctx context.Context, t *testing.T, first session.Event) (*bolt.Store, *gate, <-chan error) {
	t.Helper()
	g := newGate()
	s, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "store.db"), Now: g.now})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	synctest.Wait() // the first sweep is over
	g.shut <- true
	done := make(chan error, 1)
	go func() {
		_, err := s.Append(ctx, first)
		done <- err
	}()
	synctest.Wait()
	return s, g, done
}

func TestWritersShareACommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const writers = 300
		s, g, first := stopped(t.Context(), t, event(writers))
		var all sync.WaitGroup
		for n := range writers {
			all.Go(func() {
				if _, err := s.Append(t.Context(), event(n)); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(g.opened)
		must(t, <-first)
		all.Wait()
		if got, want := s.Stats(), (bolt.Stats{Commits: 2, Writes: writers + 1}); got != want {
			t.Errorf("%+v, want %+v: one for the first and one for all who came meanwhile", got, want)
		}
	})
}

func TestContextEndsDuringACommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s, g, done := stopped(ctx, t, event(1))
		cancel()
		err := <-done
		if !errors.Is(err, session.ErrStoreUnavailable) || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "may be stored") {
			t.Errorf("a caller who left during the commit is told %v, want that it may be stored", err)
		}
		close(g.opened)
		again, err := s.Append(t.Context(), event(1))
		must(t, err)
		if got := everything(t, s); !slices.Equal(got, []session.Event{again}) {
			t.Errorf("asked again there is %+v, want once %+v", got, again)
		}
		if got := s.Stats().Commits; got != 1 {
			t.Errorf("%d commits, want 1: the event was stored by the first call", got)
		}
	})
}

func TestContextEndsBeforeACommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, g, first := stopped(t.Context(), t, event(1))
		ctx, cancel := context.WithCancel(t.Context())
		second := make(chan error)
		go func() {
			_, err := s.Append(ctx, event(2))
			second <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-second; !errors.Is(err, session.ErrStoreUnavailable) || !strings.Contains(err.Error(), "not stored") {
			t.Errorf("a caller who left before the commit is told %v, want that it is not stored", err)
		}
		close(g.opened)
		must(t, <-first)
		if got := everything(t, s); len(got) != 1 || got[0].ID != id(1) {
			t.Errorf("stored are %+v, want the first event alone", got)
		}
	})
}

func TestFeedIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "store.db")})
		must(t, err)
		defer func() { must(t, s.Close()) }()
		b, err := s.Since(t.Context(), "")
		must(t, err)
		began := time.Now()
		b, err = s.Since(t.Context(), b.Cursor)
		must(t, err)
		if took := time.Since(began); took != 10*time.Second || b.Reset || len(b.Events) > 0 {
			t.Errorf("without news Since returned %+v after %v, want an empty batch after 10s", b, took)
		}
	})
}
