package metrics

import (
	"context"
	"time"

	"github.com/sallyport-auth/sallyport/session"
)

// The calls of a store, by its methods.
const (
	callAppend = "append"
	callSince  = "since"
	callCreate = "create"
	callGet    = "get"
	callRotate = "rotate"
	callPut    = "put"
	callTake   = "take"
)

var calls = []string{callAppend, callSince, callCreate, callGet, callRotate, callPut, callTake}

// Store is what a server needs of a store.
type Store interface {
	session.Revocations
	session.Families
	session.Tickets
}

// Counted returns a store whose calls are counted.
func (m *Metrics) Counted(s Store) Store {
	c := counted{s, m}
	if p, ok := s.(session.Pusher); ok {
		return pushing{c, p}
	}
	return c
}

// pushing is a store that pushes, which is no call of it.
type pushing struct {
	counted
	session.Pusher
}

type counted struct {
	store   Store
	metrics *Metrics
}

// Append is that of the store.
func (c counted) Append(ctx context.Context, e session.Event) (stored session.Event, err error) {
	defer c.count(ctx, callAppend)(&err)
	return c.store.Append(ctx, e)
}

// Since is that of the store.
func (c counted) Since(ctx context.Context, cursor string) (b session.Batch, err error) {
	defer c.count(ctx, callSince)(&err)
	return c.store.Since(ctx, cursor)
}

// Create is that of the store.
func (c counted) Create(ctx context.Context, f session.Family) (err error) {
	defer c.count(ctx, callCreate)(&err)
	return c.store.Create(ctx, f)
}

// Get is that of the store.
func (c counted) Get(ctx context.Context, id string) (f session.Family, err error) {
	defer c.count(ctx, callGet)(&err)
	return c.store.Get(ctx, id)
}

// Rotate is that of the store.
func (c counted) Rotate(ctx context.Context, id string, from uint64) (f session.Family, err error) {
	defer c.count(ctx, callRotate)(&err)
	return c.store.Rotate(ctx, id, from)
}

// Put is that of the store.
func (c counted) Put(ctx context.Context, digest [32]byte, sealed []byte, expires time.Time) (err error) {
	defer c.count(ctx, callPut)(&err)
	return c.store.Put(ctx, digest, sealed, expires)
}

// Take is that of the store.
func (c counted) Take(ctx context.Context, digest [32]byte) (sealed []byte, err error) {
	defer c.count(ctx, callTake)(&err)
	return c.store.Take(ctx, digest)
}

func (c counted) count(ctx context.Context, call string) func(*error) {
	began := time.Now()
	return func(err *error) { c.metrics.callDone(ctx, call, began, *err) }
}
