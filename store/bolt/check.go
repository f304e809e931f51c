package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"go.etcd.io/bbolt"
)

// Report is what a store holds, by [Check].
type Report struct {
	// Format is the number of the file's format.
	Format int
	// Events counts the events, with those that have expired and were not removed yet.
	Events int
	// Void counts those of them that a later one made void; they are kept for an hour.
	Void int
	// Families counts the refresh families, with expired ones.
	Families int
	// Tickets counts the tickets that were not used, with expired ones.
	Tickets int
	// Bytes is the size of the file.
	Bytes int64
	// FreeBytes is how much of it is not in use: about what [Compact] would give back.
	FreeBytes int64
}

// Check reads a store that no process has open, every page and record of it, and changes nothing. The error wraps ErrInUse,
// ErrCorrupt or ErrFormat, or it is the file system's or the context's. With an error the report is of what was read.
func Check(ctx context.Context, c Config) (Report, error) {
	c, err := c.withDefaults()
	if err != nil {
		return Report{}, err
	}
	db, _, err := openFile(c, true, false)
	if err != nil {
		return Report{}, err
	}
	report, err := audit(ctx, db, c.Path)
	return report, errors.Join(err, db.Close())
}

// audit reads all of a store. It does not trust any page.
func audit(ctx context.Context, db *bbolt.DB, path string) (Report, error) {
	a := &auditor{ctx: ctx}
	err := guard(func() error { return db.View(a.run) })
	if err != nil {
		return a.report, fmt.Errorf("%s: %w", path, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return a.report, err
	}
	a.report.Bytes = info.Size()
	free := int64(db.Stats().FreePageN+db.Stats().PendingPageN) * pageSize
	a.report.FreeBytes = info.Size() - a.used + free
	return a.report, nil
}

type auditor struct {
	ctx             context.Context
	tx              *bbolt.Tx
	report          Report
	used            int64 // bytes up to the last page ever used
	forgets, expiry int   // records to be forgotten, and entries of the index that say so
	ids             int
	topics, led     int // entries of the index of topics, and events that one leads to
	seen            int
}

func (a *auditor) run(tx *bbolt.Tx) error {
	a.tx, a.used = tx, tx.Size()
	if err := a.format(); err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return a.table(events, &a.report.Events, a.event) },
		func() error { return a.table(families, &a.report.Families, a.family) },
		func() error { return a.table(tickets, &a.report.Tickets, nil) },
		func() error { return a.each(idBucket, a.id) },
		func() error { return a.each(topicBucket, a.topic) },
		func() error { return a.each(expiryBucket, a.due) },
		a.counts,
		a.spans,
		a.pages,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (a *auditor) format() error {
	meta := a.tx.Bucket(metaBucket)
	if meta == nil {
		return fmt.Errorf("%w: a file of bbolt's, but not a store of Sallyport's", ErrFormat)
	}
	text := string(meta.Get(formatKey))
	n, err := strconv.Atoi(text)
	switch {
	case err != nil || n < 1:
		return fmt.Errorf("%w: %q", ErrFormat, text)
	case n > format:
		return fmt.Errorf("%w: %d is newer than this program, which knows %d: use the version that wrote it, or a newer one", ErrFormat, n, format)
	}
	a.report.Format = n
	for _, name := range buckets() {
		if a.tx.Bucket(name) == nil {
			return fmt.Errorf("%w: bucket %s is missing", ErrCorrupt, name)
		}
	}
	return nil
}

// each calls see with every entry of a bucket.
func (a *auditor) each(bucket []byte, see func(k, v []byte) error) error {
	return a.tx.Bucket(bucket).ForEach(func(k, v []byte) error {
		if a.seen++; a.seen%1024 == 0 && a.ctx.Err() != nil {
			return a.ctx.Err()
		}
		if v == nil {
			return fmt.Errorf("%w: bucket %s holds a bucket %x", ErrCorrupt, bucket, k)
		}
		return see(k, v)
	})
}

func (a *auditor) table(of table, count *int, see func(record) error) error {
	return a.each(of.bucket, func(k, v []byte) error {
		r, err := decodeRecord(of.tag, k, v)
		if err != nil {
			return err
		}
		*count++
		if r.forget != 0 {
			a.forgets++
			if a.tx.Bucket(expiryBucket).Get(expiryKey(of, r)) == nil {
				return fmt.Errorf("%w: record %q %x would never be forgotten", ErrCorrupt, of.tag, k)
			}
		}
		if see == nil {
			return nil
		}
		return see(r)
	})
}

func (a *auditor) event(r record) error {
	e, err := decodeEvent(r)
	if err != nil {
		return err
	}
	if err := e.Validate(); err != nil || e.At.IsZero() || e.number > a.tx.Bucket(events.bucket).Sequence() {
		return fmt.Errorf("%w: event %d is none that could have been stored", ErrCorrupt, e.number)
	}
	if !bytes.Equal(a.tx.Bucket(idBucket).Get(rawID(e.ID)), r.key) {
		return fmt.Errorf("%w: event %d is not found by its id", ErrCorrupt, e.number)
	}
	switch {
	case e.void:
		a.report.Void++
	case bytes.Equal(a.tx.Bucket(topicBucket).Get(topicKey(e.Event)), r.key):
		a.led++
	}
	return nil
}

func (a *auditor) family(r record) error {
	_, err := decodeFamily(r)
	return err
}

func (a *auditor) id(_, _ []byte) error {
	a.ids++
	return nil
}

func (a *auditor) topic(_, _ []byte) error {
	a.topics++
	return nil
}

func (a *auditor) due(_, _ []byte) error {
	a.expiry++
	return nil
}

func (a *auditor) counts() error {
	switch {
	case a.ids != a.report.Events:
		return fmt.Errorf("%w: %d events have %d ids", ErrCorrupt, a.report.Events, a.ids)
	case a.topics != a.led:
		return fmt.Errorf("%w: %d topics lead to %d live events", ErrCorrupt, a.topics, a.led)
	case a.expiry != a.forgets:
		return fmt.Errorf("%w: %d records to be forgotten have %d dates", ErrCorrupt, a.forgets, a.expiry)
	}
	return nil
}

// spans looks at how many pages everything says to take: a number of 32 bits in the head of its first one, up to which bbolt's own check
// would count, and remember each.
func (a *auditor) spans() error {
	for id := 0; ; id++ {
		info, err := a.tx.Page(id)
		if err != nil || info == nil {
			return err
		}
		if info.Type == "free" {
			continue
		}
		if last, err := a.tx.Page(id + info.OverflowCount); err != nil || last == nil {
			return fmt.Errorf("%w: page %d: it says to take %d pages more", ErrCorrupt, id, info.OverflowCount)
		}
		id += info.OverflowCount
	}
}

// pages looks at what a walk over the entries does not: the order of keys, and that no page is used twice or lost.
func (a *auditor) pages() error {
	var first error
	for err := range a.tx.Check() {
		if first == nil {
			first = fmt.Errorf("%w: %v", ErrCorrupt, err)
		}
	}
	return first
}
