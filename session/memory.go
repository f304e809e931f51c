package session

import (
	"container/heap"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// MemoryStore is the store of one process: all interfaces of stores, in memory, forgotten at the end. It is for a single
// node whose restart may end all revocations, for development, and for tests. What has expired is removed a few entries
// at a time with each write.
type MemoryStore struct {
	now      func() time.Time
	events   eventLog
	families guarded[string, Family]
	tickets  guarded[[32]byte, []byte]
	owners   owners
}

var (
	_ Revocations = (*MemoryStore)(nil)
	_ Families    = (*MemoryStore)(nil)
	_ Tickets     = (*MemoryStore)(nil)
)

// NewMemoryStore returns an empty store by the machine's clock.
func NewMemoryStore() *MemoryStore { return NewMemoryStoreAt(time.Now) }

// NewMemoryStoreAt returns an empty store by another clock, for tests. Only the wait of Since goes by real time.
func NewMemoryStoreAt(now func() time.Time) *MemoryStore {
	return &MemoryStore{now: now, events: newEventLog(), owners: newOwners()}
}

// Append stores an event, see [Revocations].
func (m *MemoryStore) Append(ctx context.Context, e Event) (Event, error) {
	if err := available(ctx); err != nil {
		return Event{}, err
	}
	if err := e.Validate(); err != nil {
		return Event{}, err
	}
	return m.events.append(e.normal(), m.now().Round(0).UTC()), nil
}

// Since returns what was stored after cursor, see [Feed].
func (m *MemoryStore) Since(ctx context.Context, cursor string) (Batch, error) {
	if err := available(ctx); err != nil {
		return Batch{}, err
	}
	timer := time.NewTimer(feedWait)
	defer timer.Stop()
	for {
		batch, news := m.events.since(cursor, m.now())
		if news == nil {
			return batch, nil
		}
		select {
		case <-news:
		case <-timer.C:
			return batch, nil
		case <-ctx.Done():
			return Batch{}, available(ctx)
		}
	}
}

// Create stores a new family, see [Families].
func (m *MemoryStore) Create(ctx context.Context, f Family) error {
	if err := available(ctx); err != nil {
		return err
	}
	return m.families.add(f.ID, f.Clone(), f.Expires, m.now())
}

// Get returns a family, see [Families].
func (m *MemoryStore) Get(ctx context.Context, id string) (Family, error) {
	if err := available(ctx); err != nil {
		return Family{}, err
	}
	f, err := m.families.get(id, m.now(), nil)
	return f.Clone(), err
}

// Rotate moves a family to its next number, see [Families].
func (m *MemoryStore) Rotate(ctx context.Context, id string, from uint64) (Family, error) {
	if err := available(ctx); err != nil {
		return Family{}, err
	}
	now := m.now()
	f, err := m.families.get(id, now, func(f *Family) error {
		if f.Number != from {
			return ErrConflict
		}
		f.Number, f.RotatedAt = from+1, now.Round(0).UTC()
		return nil
	})
	return f.Clone(), err
}

// Put stores a sealed ticket, see [Tickets].
func (m *MemoryStore) Put(ctx context.Context, digest [32]byte, sealed []byte, expires time.Time) error {
	if err := available(ctx); err != nil {
		return err
	}
	return m.tickets.add(digest, append([]byte(nil), sealed...), expires, m.now())
}

// Take returns a sealed ticket once, see [Tickets].
func (m *MemoryStore) Take(ctx context.Context, digest [32]byte) ([]byte, error) {
	if err := available(ctx); err != nil {
		return nil, err
	}
	return m.tickets.take(digest, m.now())
}

// available is where a store that is reached by network would fail.
func available(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrStoreUnavailable, err)
	}
	return nil
}

// guarded is an expiring map with a lock.
type guarded[K comparable, V any] struct {
	mu   sync.Mutex
	held expiring[K, V]
}

func (g *guarded[K, V]) add(k K, v V, expires, now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held.prune(now, nil)
	if _, ok := g.held.get(k, now); ok {
		return ErrConflict
	}
	g.held.put(k, v, expires)
	return nil
}

// get returns the value as change, if there is one, leaves it. When change fails the value is as it was.
func (g *guarded[K, V]) get(k K, now time.Time, change func(*V) error) (V, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e, ok := g.held.get(k, now)
	if !ok {
		return e.value, ErrNotFound
	}
	if change != nil {
		if err := change(&e.value); err != nil {
			return e.value, err
		}
		g.held.entries[k] = e
	}
	return e.value, nil
}

func (g *guarded[K, V]) take(k K, now time.Time) (V, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e, ok := g.held.get(k, now)
	if !ok {
		return e.value, ErrNotFound
	}
	delete(g.held.entries, k)
	return e.value, nil
}

// expiring is a map whose entries have an end; the zero time is none.
type expiring[K comparable, V any] struct {
	entries map[K]entry[V]
	due     deadlines[K]
}

type entry[V any] struct {
	value   V
	expires time.Time
}

func (x *expiring[K, V]) get(k K, now time.Time) (entry[V], bool) {
	e, ok := x.entries[k]
	if !ok || e.over(now) {
		return entry[V]{}, false
	}
	return e, true
}

func (e entry[V]) over(now time.Time) bool { return !e.expires.IsZero() && !now.Before(e.expires) }

func (x *expiring[K, V]) put(k K, v V, expires time.Time) {
	if x.entries == nil {
		x.entries = map[K]entry[V]{}
	}
	x.entries[k] = entry[V]{v, expires}
	if !expires.IsZero() {
		heap.Push(&x.due, deadline[K]{expires, k})
	}
	if len(x.due) > 2*len(x.entries)+pruneAtOnce {
		x.forgetDeadlines()
	}
}

// forgetDeadlines drops the deadlines of entries that were removed before their end.
func (x *expiring[K, V]) forgetDeadlines() {
	x.due = x.due[:0]
	for k, e := range x.entries {
		if !e.expires.IsZero() {
			x.due = append(x.due, deadline[K]{e.expires, k})
		}
	}
	x.due = slices.Clone(x.due)
	heap.Init(&x.due)
}

// pruneAtOnce is more than the one entry that comes with each write, so that what is over is gone in the end.
const pruneAtOnce = 8

// prune removes a few of the entries that are over and calls removed, if there is one, with each.
func (x *expiring[K, V]) prune(now time.Time, removed func(V)) {
	for range pruneAtOnce {
		if len(x.due) == 0 || now.Before(x.due[0].at) {
			return
		}
		k := heap.Pop(&x.due).(deadline[K]).key
		e, ok := x.entries[k]
		if !ok || !e.over(now) {
			continue
		}
		delete(x.entries, k)
		if removed != nil {
			removed(e.value)
		}
	}
}

// deadlines is a heap of keys with the soonest end first.
type deadlines[K comparable] []deadline[K]

type deadline[K comparable] struct {
	at  time.Time
	key K
}

// Len is for container/heap, as are the methods below.
func (d deadlines[K]) Len() int { return len(d) }

// Less orders by time.
func (d deadlines[K]) Less(i, j int) bool { return d[i].at.Before(d[j].at) }

// Swap exchanges two deadlines.
func (d deadlines[K]) Swap(i, j int) { d[i], d[j] = d[j], d[i] }

// Push adds a deadline[K].
func (d *deadlines[K]) Push(x any) { *d = append(*d, x.(deadline[K])) }

// Pop removes the last deadline.
func (d *deadlines[K]) Pop() any {
	last := len(*d) - 1
	x := (*d)[last]
	(*d)[last] = deadline[K]{}
	*d = (*d)[:last]
	return x
}
