package bolt

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

const (
	maxBatch   = 1000        // writes in a commit
	sweepEvery = time.Minute // how often to look for what has expired when nobody writes
	sweepSize  = 2000        // records that one sweep removes
	sweepPause = 50 * time.Millisecond
)

// write is one caller's change. apply runs within a transaction that others share: an error, which is the store's and not
// the caller's, undoes the changes of all.
type write struct {
	apply func(*txn) error
	done  chan error
}

// write applies a change and returns when it is on the disk. What apply sets may be read only if the error is nil.
func (s *Store) write(ctx context.Context, apply func(*txn) error) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	w := &write{apply, make(chan error, 1)}
	select {
	case s.writes <- w:
	case <-ctx.Done():
		return unavailable(fmt.Errorf("bolt: not stored: %w", ctx.Err()))
	case <-s.quit:
		return unavailable(errClosed)
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return unavailable(fmt.Errorf("bolt: the commit goes on without its caller, it may be stored or not: %w", ctx.Err()))
	}
}

// run is the one goroutine that writes. While it commits, the next callers gather at the channel, and then share a commit:
// nobody waits for company, and the slower the disk is the more share.
func (s *Store) run() {
	sweep := time.NewTimer(0)
	defer sweep.Stop()
	for {
		select {
		case w := <-s.writes:
			s.commit(s.gather(w))
		case <-sweep.C:
			sweep.Reset(s.sweep())
		case <-s.quit:
			return
		}
	}
}

func (s *Store) gather(first *write) []*write {
	batch := []*write{first}
	runtime.Gosched() // whom the last commit woke may write again at once
	for len(batch) < maxBatch {
		select {
		case w := <-s.writes:
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}

// commit answers each caller once its change is on the disk, or is not.
func (s *Store) commit(batch []*write) {
	wrote, err := s.transact(func(t *txn) error {
		for _, w := range batch {
			if err := w.apply(t); err != nil {
				return err
			}
		}
		if !t.dirty {
			return nil
		}
		_, err := t.prune(2 * len(batch)) // more than comes in
		return err
	})
	if err != nil {
		err = unavailable(err)
	} else if wrote {
		s.stored.Add(uint64(len(batch)))
	}
	for _, w := range batch {
		w.done <- err
	}
}

// sweep removes what has expired and returns when to look again.
func (s *Store) sweep() time.Duration {
	removed := 0
	_, err := s.transact(func(t *txn) (err error) {
		removed, err = t.prune(sweepSize)
		return err
	})
	if err == nil && removed == sweepSize {
		return sweepPause
	}
	return sweepEvery
}

// transact commits what change did, if it did anything. A commit that fails leaves it open what is on the disk, and so
// does a damaged page: both end the store. Any other error of change undoes it.
func (s *Store) transact(change func(*txn) error) (wrote bool, err error) {
	if failed := s.failure.Load(); failed != nil {
		return false, *failed
	}
	committing, news := false, false
	err = guard(func() error {
		tx, err := s.db.Begin(true)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // says that it is closed after a commit
		t := newTxn(tx, s.now())
		if err := change(t); err != nil || !t.dirty {
			return err
		}
		if err := t.finish(); err != nil {
			return err
		}
		committing, news = true, t.news
		return tx.Commit()
	})
	if err != nil {
		if committing || errors.Is(err, ErrCorrupt) {
			err = s.fail(err)
		}
		return false, err
	}
	if committing {
		s.commits.Add(1)
	}
	if news {
		s.news.wake()
	}
	return committing, nil
}
