package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/store/bolt"
)

// contents is all that callers can get from a store, as text.
func contents(t *testing.T, s *bolt.Store, n int) string {
	t.Helper()
	var b strings.Builder
	for _, e := range everything(t, s) {
		fmt.Fprintln(&b, e)
	}
	for i := range n {
		f, err := s.Get(t.Context(), id(i))
		must(t, err)
		fmt.Fprintln(&b, f)
		if i%10 > 0 {
			continue // taking one waits for the disk
		}
		sealed, err := s.Take(t.Context(), [32]byte{byte(i), byte(i >> 8)})
		must(t, err)
		fmt.Fprintln(&b, string(sealed))
	}
	return b.String()
}

// damage changes one page in some way that a disk, a file system or an operator might.
func damage(r *rand.Rand, page, other []byte) string {
	switch r.IntN(5) {
	case 0:
		page[r.IntN(len(page))] ^= 1 << r.IntN(8)
		return "a bit"
	case 1:
		page[r.IntN(96)] = byte(r.Uint32())
		return "a byte of the header"
	case 2:
		clear(page)
		return "zeros"
	case 3:
		copy(page, other)
		return "another page"
	default:
		for i := range page {
			page[i] = byte(r.Uint32())
		}
		return "noise"
	}
}

// A damaged file is refused by name, or every record is as it was: nothing is lost in silence, and nothing crashes.
func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	const n, rounds, page = 60, 12, 4096
	f := newFile(t)
	f.fill(0, n)
	f.shut()
	whole, err := os.ReadFile(f.path)
	must(t, err)
	f.open()
	want := contents(t, f.Store, n)
	pages := bytes.TrimRight(whole, "\x00")
	count := (len(pages) + page - 1) / page
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	refused := 0
	for i := range count * rounds {
		bad := slices.Clone(whole)
		at, other := i%count*page, r.IntN(count)*page
		how := damage(r, bad[at:at+page], whole[other:other+page])
		path := filepath.Join(t.TempDir(), "bad.db")
		must(t, os.WriteFile(path, bad, 0o600))
		s, err := bolt.Open(bolt.Config{Path: path, Now: f.clock.now})
		if err != nil {
			refused++
			if !errors.Is(err, bolt.ErrCorrupt) && !errors.Is(err, bolt.ErrFormat) || !strings.Contains(err.Error(), path) {
				t.Errorf("seed %d: %s in page %d: %v, want the file and that it is damaged", seed, how, i%count, err)
			}
			continue
		}
		if got := contents(t, s, n); got != want {
			t.Errorf("seed %d: %s in page %d: the store opens with other contents", seed, how, i%count)
		}
		must(t, s.Close())
		must(t, os.Remove(path))
	}
	t.Logf("%d pages damaged %d times: %d refused, the others lost nothing", count, count*rounds, refused)
	if refused < count {
		t.Errorf("%d of %d damages were refused, want at least one for each page", refused, count*rounds)
	}
}

// TestPagesBeyondTheEnd: the head of each page in use says how many more follow it. Four thousand million must not be counted.
func TestPagesBeyondTheEnd(t *testing.T) {
	t.Parallel()
	const page, overflow = 4096, 12
	f := newFile(t)
	f.fill(0, 60)
	f.shut()
	whole, err := os.ReadFile(f.path)
	must(t, err)
	for at := 2 * page; at < len(whole) && whole[at] != 0; at += page { // behind the two meta pages, which are checksummed
		bad := slices.Clone(whole)
		copy(bad[at+overflow:], "\xff\xff\xff\xff")
		must(t, os.WriteFile(f.path, bad, 0o600))
		if s, err := bolt.Open(bolt.Config{Path: f.path, Now: f.clock.now}); err == nil {
			must(t, s.Close()) // it was a free page
		} else if !errors.Is(err, bolt.ErrCorrupt) {
			t.Errorf("page %d: %v", at/page, err)
		}
	}
}

// wantRefused checks that Open, Check and Compact refuse the file of the closed store, and leave it as it is.
func (f *file) wantRefused(want error, text string) {
	f.t.Helper()
	before, err := os.ReadFile(f.path)
	must(f.t, err)
	_, opened := bolt.Open(f.config())
	_, checked := bolt.Check(f.ctx(), f.config())
	_, compacted := bolt.Compact(f.ctx(), bolt.CompactConfig{Config: f.config()})
	for what, err := range map[string]error{"Open": opened, "Check": checked, "Compact": compacted} {
		if !errors.Is(err, want) || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), f.path) {
			f.t.Errorf("%s: %v, want %v with %q and the path", what, err, want, text)
		}
	}
	after, err := os.ReadFile(f.path)
	must(f.t, err)
	if !bytes.Equal(before, after) {
		f.t.Error("the refused file was changed")
	}
}

func TestWhatIsNoStoreIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		data []byte
	}{
		"empty":     {"which a store never is", nil},
		"text":      {"not a file of bbolt's", bytes.Repeat([]byte("a text\n"), 5000)},
		"one byte":  {"not a file of bbolt's", []byte{1}},
		"all zeros": {"not a file of bbolt's", make([]byte, 1<<16)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &file{t: t, path: filepath.Join(t.TempDir(), "store.db"), clock: newClock()}
			must(t, os.WriteFile(f.path, c.data, 0o600))
			f.wantRefused(bolt.ErrCorrupt, c.text)
		})
	}
}

func TestAFileCutOffIsRefused(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	f.fill(0, 100)
	f.shut()
	for _, size := range []int64{64 << 10, 32 << 10, 12 << 10, 10_000} {
		must(t, os.Truncate(f.path, size))
		f.wantRefused(bolt.ErrCorrupt, "cut off")
	}
}

// change edits the closed store with bbolt itself.
func (f *file) change(edit func(*bbolt.Tx) error) {
	f.t.Helper()
	f.shut()
	db, err := bbolt.Open(f.path, 0o600, nil)
	must(f.t, err)
	must(f.t, db.Update(edit))
	must(f.t, db.Close())
}

func TestOtherFormatsAreRefused(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	f.change(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("format"), []byte("2")) })
	f.wantRefused(bolt.ErrFormat, "2 is newer than this program, which knows 1")
	f = newFile(t)
	f.change(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("meta")) })
	f.wantRefused(bolt.ErrFormat, "not a store of Sallyport's")
}

// An index that disagrees with its records is damage too: bbolt finds nothing wrong with such a file.
func TestIndexesMustAgree(t *testing.T) {
	t.Parallel()
	remove := func(bucket string) func(tx *bbolt.Tx) error {
		return func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte(bucket))
			k, _ := b.Cursor().First()
			return b.Delete(k)
		}
	}
	t.Run("topics", func(t *testing.T) {
		t.Parallel()
		f := newFile(t)
		f.fill(0, 5)
		f.change(func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("topics")).Put([]byte("sixteen bytes ok"), []byte("\x00\x00\x00\x00\x00\x00\x00\x01"))
		})
		f.wantRefused(bolt.ErrCorrupt, "6 topics lead to 5 live events")
	})
	for bucket, text := range map[string]string{
		"events": "4 events have 5 ids", "ids": "is not found by its id", "expiry": "would never be forgotten", "families": "have 14 dates",
	} {
		t.Run(bucket, func(t *testing.T) {
			t.Parallel()
			f := newFile(t)
			f.fill(0, 5)
			f.change(remove(bucket))
			want := strings.ReplaceAll(text, "have 14 dates", "14 records to be forgotten have 15 dates")
			f.wantRefused(bolt.ErrCorrupt, want)
		})
	}
}

// The page that names the last commit is damaged: the state before it is not taken for the last one unless one says so.
func TestTheLastCommitIsNotLostInSilence(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	var want []session.Event
	for n := range 10 {
		want = append(want, f.append(event(n)))
	}
	f.shut()
	whole, err := os.ReadFile(f.path)
	must(t, err)
	older := 0
	for page := range 2 {
		bad := slices.Clone(whole)
		bad[page*4096+64] ^= 1 // in the number of the transaction
		must(t, os.WriteFile(f.path, bad, 0o600))
		f.wantRefused(bolt.ErrCorrupt, "AcceptOlderState")
		_, err := bolt.Compact(t.Context(), bolt.CompactConfig{Config: f.config(), AcceptOlderState: true})
		must(t, err)
		f.open()
		got := f.all()
		f.shut()
		if !slices.Equal(got, want[:len(got)]) || len(got) < 9 {
			t.Errorf("page %d: %d events are left, want all or all but the last", page, len(got))
		}
		older += len(want) - len(got)
	}
	if older != 1 {
		t.Errorf("%d events were lost with one page and the other, want 1: the test damages the wrong place", older)
	}
}

// A file that is cut off under a running store stops the store, not the process.
func TestDamageWhileOpenClosesTheStore(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	f.fill(0, 100)
	must(t, os.Truncate(f.path, 0))
	_, err := f.Since(t.Context(), "")
	if !errors.Is(err, session.ErrStoreUnavailable) || !errors.Is(err, bolt.ErrCorrupt) {
		t.Errorf("Since of a file that was cut off: %v, want ErrStoreUnavailable and ErrCorrupt", err)
	}
	if _, err := f.Append(t.Context(), event(1000)); !errors.Is(err, bolt.ErrCorrupt) {
		t.Errorf("Append after that: %v, want ErrCorrupt", err)
	}
}

// After a commit that failed nobody knows what is on the disk: the store acknowledges nothing any more.
func TestFailedCommitClosesTheStore(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	want := f.append(event(1))
	must(t, bolt.BreakDisk(f.Store))
	_, first := f.Append(t.Context(), event(2))
	_, second := f.Append(t.Context(), event(3))
	_, read := f.Since(t.Context(), "")
	for what, err := range map[string]error{"the commit": first, "the next Append": second, "Since": read} {
		if !errors.Is(err, session.ErrStoreUnavailable) || !strings.Contains(err.Error(), "until it is opened again") {
			t.Errorf("%s: %v, want that the store refuses everything", what, err)
		}
	}
	if got := f.Stats().Writes; got != 1 {
		t.Errorf("%d writes are counted as stored, want 1", got)
	}
	copied := &file{t: t, path: f.path + ".copy", clock: f.clock}
	data, err := os.ReadFile(f.path)
	must(t, err)
	must(t, os.WriteFile(copied.path, data, 0o600))
	copied.open()
	if got := copied.all(); !slices.Equal(got, []session.Event{want}) {
		t.Errorf("the file has %+v, want what was acknowledged: %+v", got, want)
	}
}
