package session

import (
	"slices"
	"sync"
)

// Subscribe calls fn with each event that changes what is in force, once and in the order in which this node took them
// in: those of the store, and its own at once. fn runs on a goroutine of its own, one call at a time; it may take its
// time, as events wait for it in memory (LedgerState.Backlog) and neither the follower nor a write ever waits. Events
// from before the subscription are not told. After cancel no further call begins; one that runs may go on.
func (l *Ledger) Subscribe(fn func(Event)) (cancel func()) {
	s := &subscriber{fn: fn}
	ix := l.index
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.subscribers = append(ix.subscribers, s)
	return func() {
		s.close()
		ix.mu.Lock()
		defer ix.mu.Unlock()
		ix.subscribers = slices.DeleteFunc(ix.subscribers, func(other *subscriber) bool { return other == s })
	}
}

// subscriber is a queue and, while there is something in it, a goroutine that empties it.
type subscriber struct {
	fn func(Event)

	mu      sync.Mutex
	queue   []Event
	running bool
	closed  bool
}

func (s *subscriber) push(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.queue = append(s.queue, e)
	if !s.running {
		s.running = true
		go s.drain()
	}
}

func (s *subscriber) drain() {
	for {
		e, ok := s.next()
		if !ok {
			return
		}
		s.fn(e)
	}
}

func (s *subscriber) next() (Event, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		s.queue, s.running = nil, false
		return Event{}, false
	}
	e := s.queue[0]
	s.queue = s.queue[1:]
	return e, true
}

func (s *subscriber) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue, s.closed = nil, true
}

func (s *subscriber) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}
