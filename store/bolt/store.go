package bolt

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/sallyport-auth/sallyport/session"
)

var (
	// ErrInUse says that another process, or another Store of this one, has the file open.
	ErrInUse = errors.New("bolt: the store is in use by another process")
	// ErrCorrupt says that the file is damaged. The text around it says where. Restore a backup; where only the last
	// commit is in doubt the text names [CompactConfig].AcceptOlderState.
	ErrCorrupt = errors.New("bolt: the store is damaged")
	// ErrFormat says that the file has a format that this program does not know, or is no store.
	ErrFormat = errors.New("bolt: unknown format")
)

var errClosed = errors.New("bolt: the store is closed")

// Config configures a store.
type Config struct {
	// Path is the file, on a local disk. Its folder must exist. Required. Open makes a file that does not exist, with mode
	// 0600, and takes from others what they may do with one that does.
	Path string
	// LockTimeout is how long to wait while another process has the file open, as the one before a restart may. Default
	// 2 s, from 50 ms to 1 min.
	LockTimeout time.Duration
	// Now is the clock that stamps events and by which entries expire; nil is [time.Now].
	Now func() time.Time
}

func (c Config) withDefaults() (Config, error) {
	if c.Path == "" {
		return c, errors.New("bolt: Config.Path is missing: set the file to keep the store in")
	}
	c.LockTimeout = cmp.Or(c.LockTimeout, 2*time.Second)
	if c.LockTimeout < 50*time.Millisecond || c.LockTimeout > time.Minute {
		return c, errors.New("bolt: Config.LockTimeout: want 50ms to 1m")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

// Store is an open store. Its methods may be called concurrently.
type Store struct {
	now    func() time.Time
	db     *bbolt.DB
	file   *os.File // the one that db works on
	epoch  string   // of the cursors given since it was opened
	news   signal
	writes chan *write
	quit   chan struct{}
	close  func() error

	failure         atomic.Pointer[error] // why nothing works any more
	commits, stored atomic.Uint64
}

var (
	_ session.Revocations = (*Store)(nil)
	_ session.Families    = (*Store)(nil)
	_ session.Tickets     = (*Store)(nil)
)

// Open opens the store of a file, or makes it, after reading all of it. The error wraps ErrInUse, ErrCorrupt or ErrFormat,
// or it is the file system's. Close the store at the end.
func Open(c Config) (*Store, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := create(c.Path); err != nil {
		return nil, err
	}
	db, file, err := openFile(c, false, false)
	if err != nil {
		return nil, err
	}
	if _, err := audit(context.Background(), db, c.Path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s := &Store{
		now: c.Now, db: db, file: file, epoch: rand.Text()[:13],
		news: signal{ch: make(chan struct{})}, writes: make(chan *write), quit: make(chan struct{}),
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.run()
	}()
	s.close = sync.OnceValue(func() error {
		close(s.quit)
		<-stopped
		if s.failure.Load() != nil {
			return release(s.file) // bbolt may hold locks of its own for ever after a damaged page
		}
		return s.db.Close()
	})
	return s, nil
}

// Close waits for the commit that is under way, refuses all further calls and lets another process open the file. It
// returns the error of closing the file, and the same again when it is called again.
func (s *Store) Close() error { return s.close() }

// Stats is what a store did since it was opened.
type Stats struct {
	// Commits counts the transactions written to disk. Each waited twice for the disk: for the data, then for the page
	// that makes them valid.
	Commits uint64
	// Writes counts the calls whose changes were stored by these commits.
	Writes uint64
}

// Stats returns the counters, for metrics. Writes over Commits is how many callers share a commit.
func (s *Store) Stats() Stats { return Stats{Commits: s.commits.Load(), Writes: s.stored.Load()} }

// unavailable is any failure to the callers of the interfaces of package session.
func unavailable(err error) error { return fmt.Errorf("%w: %w", session.ErrStoreUnavailable, err) }

// usable returns why a call cannot even begin.
func (s *Store) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	if err := s.failure.Load(); err != nil {
		return unavailable(*err)
	}
	select {
	case <-s.quit:
		return unavailable(errClosed)
	default:
		return nil
	}
}

// fail closes the store to all callers: what is on the disk is not known any more, or is not what was written.
func (s *Store) fail(err error) error {
	err = fmt.Errorf("%w (the store refuses everything until it is opened again)", err)
	s.failure.CompareAndSwap(nil, &err)
	return err
}

// view runs a transaction that only reads.
func (s *Store) view(ctx context.Context, read func(*txn) error) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	err := guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error { return read(newTxn(tx, s.now())) })
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrCorrupt):
		err = s.fail(err)
	}
	return unavailable(err)
}

// guard turns into an error what bbolt does when it meets a damaged page: it panics, or it reads memory where no file is.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrCorrupt, p)
		}
	}()
	return f()
}

// signal wakes all who wait.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ch
}

func (s *signal) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ch)
	s.ch = make(chan struct{})
}
