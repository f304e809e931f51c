package bolt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-auth/sallyport/session"
)

const maxFamilyID = 1024 // bytes

// Create stores a new family, see [session.Families].
func (s *Store) Create(ctx context.Context, f session.Family) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	r, err := familyRecord(f)
	if err != nil {
		return unavailable(err)
	}
	return s.add(ctx, families, r)
}

// Get returns a family, see [session.Families].
func (s *Store) Get(ctx context.Context, id string) (session.Family, error) {
	var f session.Family
	found := false
	err := s.view(ctx, func(t *txn) (err error) {
		f, found, err = t.family(id)
		return err
	})
	switch {
	case err != nil:
		return session.Family{}, err
	case !found:
		return session.Family{}, session.ErrNotFound
	}
	return f, nil
}

// Rotate moves a family to its next number, see [session.Families]. When ctx ends while the commit is under way the family
// may be rotated, and the error says so: Get tells.
func (s *Store) Rotate(ctx context.Context, id string, from uint64) (session.Family, error) {
	var f session.Family
	var outcome error
	err := s.write(ctx, func(t *txn) (err error) {
		f, outcome, err = t.rotate(id, from)
		return err
	})
	if err != nil {
		return session.Family{}, err
	}
	return f, outcome
}

func (t *txn) rotate(id string, from uint64) (f session.Family, outcome, err error) {
	f, found, err := t.family(id)
	switch {
	case err != nil:
		return f, nil, err
	case !found:
		return f, session.ErrNotFound, nil
	case f.Number != from:
		return f, session.ErrConflict, nil
	}
	f.Number, f.RotatedAt = from+1, t.now
	r, err := familyRecord(f)
	if err != nil {
		return f, nil, err
	}
	return f, nil, t.put(families, r)
}

func (t *txn) family(id string) (session.Family, bool, error) {
	r, ok, err := t.live(families, []byte(id))
	if err != nil || !ok {
		return session.Family{}, false, err
	}
	f, err := decodeFamily(r)
	return f, err == nil, err
}

func familyRecord(f session.Family) (record, error) {
	if f.ID == "" || len(f.ID) > maxFamilyID {
		return record{}, fmt.Errorf("bolt: family id: want 1 to %d bytes", maxFamilyID)
	}
	for _, t := range []*time.Time{&f.RotatedAt, &f.CreatedAt, &f.Expires, &f.AuthTime} {
		*t = t.Round(0).UTC()
	}
	payload, err := json.Marshal(f)
	if err != nil {
		return record{}, errors.New("bolt: family: its times must be in years 1 to 9999")
	}
	return record{[]byte(f.ID), nanos(f.Expires), payload}, nil
}

func decodeFamily(r record) (session.Family, error) {
	var f session.Family
	if err := json.Unmarshal(r.payload, &f); err != nil || f.ID != string(r.key) {
		return session.Family{}, fmt.Errorf("%w: family %q: unreadable", ErrCorrupt, r.key)
	}
	return f, nil
}

// Put stores a sealed ticket, see [session.Tickets].
func (s *Store) Put(ctx context.Context, digest [32]byte, sealed []byte, expires time.Time) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	return s.add(ctx, tickets, record{digest[:], nanos(expires), bytes.Clone(sealed)})
}

// Take returns a sealed ticket once, see [session.Tickets]. When ctx ends while the commit is under way the ticket may be
// gone, and the error says so.
func (s *Store) Take(ctx context.Context, digest [32]byte) ([]byte, error) {
	sealed := []byte{}
	found := false
	err := s.write(ctx, func(t *txn) error {
		r, ok, err := t.live(tickets, digest[:])
		if err != nil || !ok {
			return err
		}
		found, sealed = true, bytes.Clone(r.payload)
		return t.remove(tickets, digest[:])
	})
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, session.ErrNotFound
	}
	return sealed, nil
}

// add stores a record whose key must be free, or ErrConflict.
func (s *Store) add(ctx context.Context, in table, r record) error {
	conflict := false
	err := s.write(ctx, func(t *txn) (err error) {
		_, conflict, err = t.live(in, r.key)
		if err != nil || conflict {
			return err
		}
		return t.put(in, r)
	})
	if err == nil && conflict {
		return session.ErrConflict
	}
	return err
}
