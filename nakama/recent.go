package nakama

import "sync"

// recent remembers a bounded number of entries and forgets the oldest first. The zero value is not usable.
type recent[V any] struct {
	mu      sync.Mutex
	entries map[string]V
	order   []string // a ring of the keys, as they came
	next    int
}

func newRecent[V any](size int) *recent[V] {
	return &recent[V]{entries: make(map[string]V), order: make([]string, size)}
}

func (r *recent[V]) put(key string, v V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, found := r.entries[key]; !found {
		delete(r.entries, r.order[r.next])
		r.order[r.next] = key
		r.next = (r.next + 1) % len(r.order)
	}
	r.entries[key] = v
}

func (r *recent[V]) get(key string) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, found := r.entries[key]
	return v, found
}

// take returns an entry and forgets it. Its place in the ring is used again in its turn.
func (r *recent[V]) take(key string) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, found := r.entries[key]
	delete(r.entries, key)
	return v, found
}

// clear forgets everything.
func (r *recent[V]) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.entries)
}

// each returns the entries for which keep is true.
func (r *recent[V]) each(keep func(V) bool) map[string]V {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := make(map[string]V)
	for key, v := range r.entries {
		if keep(v) {
			found[key] = v
		}
	}
	return found
}
