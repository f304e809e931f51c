package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"go.etcd.io/bbolt"
)

// CompactConfig configures [Compact].
type CompactConfig struct {
	// Config names the file.
	Config
	// AcceptOlderState takes a file of which one of the two pages that name the last commit is damaged. If it is the page
	// of the last commit itself, that commit is lost, with whatever was acknowledged by it.
	AcceptOlderState bool
}

// Compaction is what [Compact] did.
type Compaction struct {
	// Before and After are the sizes of the file in bytes.
	Before, After int64
	// Forgotten counts the records that had expired.
	Forgotten int
}

// Compact removes what has expired and writes the rest to a new file, which takes the place of the old one when it is
// whole, was checked and is on the disk: kill -9 at any moment leaves the one or the other. No process may have the store
// open, and there must be room for both files. Errors are as with [Check]; then the old file is in place.
func Compact(ctx context.Context, c CompactConfig) (done Compaction, err error) {
	if c.Config, err = c.withDefaults(); err != nil {
		return done, err
	}
	old, _, err := openFile(c.Config, false, c.AcceptOlderState)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	report, err := audit(ctx, old, c.Path)
	if err != nil {
		return done, err
	}
	done.Before = report.Bytes
	if done.Forgotten, err = forgetAll(ctx, old, c.Config); err != nil {
		return done, err
	}
	done.After, err = replace(ctx, old, c.Path)
	return done, err
}

func forgetAll(ctx context.Context, db *bbolt.DB, c Config) (int, error) {
	total := 0
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		removed := 0
		err := guard(func() error {
			return db.Update(func(tx *bbolt.Tx) (err error) {
				removed, err = newTxn(tx, c.Now()).prune(sweepSize)
				return err
			})
		})
		total += removed
		if err != nil || removed < sweepSize {
			return total, err
		}
	}
}

// replace puts a compact copy in the place of a file that is locked. Whoever waits for that lock finds that the path has
// another file by then.
func replace(ctx context.Context, old *bbolt.DB, path string) (size int64, err error) {
	fresh := path + ".compact"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) { // one that was killed left it
		return 0, err
	}
	if err := copyTo(ctx, fresh, old); err != nil {
		return 0, errors.Join(err, os.Remove(fresh))
	}
	info, err := os.Stat(fresh)
	if err != nil {
		return 0, err
	}
	if err := os.Rename(fresh, path); err != nil {
		return 0, err
	}
	return info.Size(), syncFolder(path)
}

func copyTo(ctx context.Context, fresh string, old *bbolt.DB) (err error) {
	db, err := bbolt.Open(fresh, 0o600, &bbolt.Options{PageSize: pageSize, FreelistType: bbolt.FreelistMapType, NoSync: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	const transaction = 4 << 20 // bytes
	err = guard(func() error { return bbolt.Compact(db, old, transaction) })
	if err != nil {
		return fmt.Errorf("bolt: compacting: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := audit(ctx, db, fresh); err != nil {
		return err
	}
	return db.Sync()
}
