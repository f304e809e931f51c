package bolt_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/store/bolt"
)

// fill stores n events, families and tickets that expire an hour after start.
func (f *file) fill(from, n int) {
	f.t.Helper()
	for i := range n {
		f.append(event(from + i))
		must(f.t, f.Create(f.ctx(), family(from+i)))
		must(f.t, f.Put(f.ctx(), [32]byte{byte(i), byte(i >> 8)}, []byte("sealed"), start.Add(time.Hour)))
	}
}

// What has expired leaves the file with the commits that come after, a few more than come in.
func TestWritesRemoveWhatExpired(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	const n = 50
	f.fill(0, n)
	f.shut()
	if r := f.check(); r.Events != n || r.Families != n || r.Tickets != n {
		t.Fatalf("the store holds %+v, want %d of each", r, n)
	}
	f.open()
	f.clock.advance(time.Hour)
	for i := range 3 * n {
		late := event(1000 + i)
		late.Expires = f.clock.now().Add(time.Hour)
		f.append(late)
	}
	f.shut()
	if r := f.check(); r.Events != 3*n || r.Families != 0 || r.Tickets != 0 {
		t.Errorf("the store holds %+v, want the %d new events alone", r, 3*n)
	}
}

// What has expired leaves the file also when nobody writes.
func TestTimeRemovesWhatExpired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := bolt.Config{Path: filepath.Join(t.TempDir(), "store.db")}
		s, err := bolt.Open(c)
		must(t, err)
		for i := range 100 {
			must(t, s.Put(t.Context(), [32]byte{byte(i)}, nil, time.Now().Add(time.Second)))
		}
		time.Sleep(2 * time.Minute) // of the bubble's time
		synctest.Wait()
		must(t, s.Close())
		r, err := bolt.Check(t.Context(), c)
		must(t, err)
		if r.Tickets != 0 {
			t.Errorf("%d tickets are left, want none", r.Tickets)
		}
	})
}

// An id whose event has expired is free, and so is a key.
func TestExpiredKeysAreFree(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	f.fill(1, 1)
	f.clock.advance(time.Hour)
	again := event(1)
	again.Expires = f.clock.now().Add(time.Hour)
	stored := f.append(again)
	if got := f.all(); !slices.Equal(got, []session.Event{stored}) {
		t.Errorf("there is %+v, want %+v", got, stored)
	}
	renewed := family(1)
	renewed.Expires = f.clock.now().Add(time.Hour)
	must(t, f.Create(f.ctx(), renewed))
	must(t, f.Put(f.ctx(), [32]byte{}, []byte("new"), f.clock.now().Add(time.Hour)))
	f.shut()
	if r := f.check(); r.Events != 1 || r.Families != 1 || r.Tickets != 1 {
		t.Errorf("the store holds %+v, want one of each", r)
	}
}

// An event whose expiry is past is answered, and not stored.
func TestExpiredEventIsNotStored(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	f.clock.advance(2 * time.Hour)
	f.append(event(1))
	if got := f.all(); len(got) != 0 {
		t.Errorf("stored %+v, want nothing", got)
	}
}

// A player who is cut off again and again takes one place in the feed, and an hour later one in the file.
func TestVoidEventsLeave(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	const n = 40
	var last session.Event
	for i := range n {
		last = f.append(session.Event{ID: id(i), Kind: session.PlayerCutOff, Player: player, Expires: start.Add(24 * time.Hour)})
	}
	if got := f.all(); !slices.Equal(got, []session.Event{last}) {
		t.Errorf("the feed has %d events, want the last", len(got))
	}
	f.shut()
	if r := f.check(); r.Events != n || r.Void != n-1 {
		t.Errorf("the store holds %+v, want %d events of which all but one are void", r, n)
	}
	f.clock.advance(time.Hour)
	done, err := bolt.Compact(t.Context(), bolt.CompactConfig{Config: f.config()})
	must(t, err)
	if r := f.check(); done.Forgotten != n-1 || r.Events != 1 || r.Void != 0 {
		t.Errorf("after an hour %+v and %+v, want one event", done, r)
	}
}

// A call that is made again because its answer was lost does not undo what came after it.
func TestRetryDoesNotUndo(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	unban := session.Event{ID: id(1), Kind: session.PlayerUnbanned, Player: player, Expires: start.Add(24 * time.Hour)}
	first := f.append(unban)
	ban := f.append(session.Event{ID: id(2), Kind: session.PlayerBanned, Player: player})
	f.clock.advance(59 * time.Minute)
	if got := f.append(unban); got != first {
		t.Errorf("the retry is answered with %+v, want %+v", got, first)
	}
	if got := f.all(); !slices.Equal(got, []session.Event{ban}) {
		t.Errorf("the feed has %+v, want the ban", got)
	}
}

func TestCompact(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	f.fill(0, 300)
	kept := event(1000)
	kept.Expires = start.Add(10 * time.Hour)
	want := f.append(kept)
	f.shut()
	f.clock.advance(time.Hour)
	must(t, os.WriteFile(f.path+".compact", []byte("left by one that was killed"), 0o600))
	before := f.check()
	done, err := bolt.Compact(t.Context(), bolt.CompactConfig{Config: f.config()})
	must(t, err)
	after := f.check()
	if done.Forgotten != 900 || done.Before != before.Bytes || done.After != after.Bytes || 4*done.After > done.Before {
		t.Errorf("%+v, want 900 forgotten and the file from %d to %d bytes, less than a quarter", done, before.Bytes, after.Bytes)
	}
	info, err := os.Stat(f.path)
	must(t, err)
	if _, err := os.Stat(f.path + ".compact"); !errors.Is(err, os.ErrNotExist) || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o, second file %v; want 600 and none", info.Mode().Perm(), err)
	}
	f.open()
	if got := f.all(); !slices.Equal(got, []session.Event{want}) {
		t.Errorf("the compact store has %+v, want %+v", got, want)
	}
	if next := f.append(event(2000)); next.ID != id(2000) {
		t.Errorf("the compact store answers %+v", next)
	}
	if _, err := bolt.Compact(t.Context(), bolt.CompactConfig{Config: f.config()}); !errors.Is(err, bolt.ErrInUse) {
		t.Errorf("compacting a store that is open: %v, want ErrInUse", err)
	}
}
