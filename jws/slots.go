package jws

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"
)

// slots bounds how many verify at once. Who finds a slot free takes it by one atomic step, without a lock; only who has to
// wait does more. Who waits is served in turn: a slot is handed to the first of them, so that nobody who comes later, as in
// a flood, takes it first.
type slots struct {
	most int64
	// state is how many slots are taken and, in steps of oneWaiting, how many wait. While anybody waits all slots are taken, and
	// so it is at least most. The waiting are counted with mu held.
	state atomic.Int64
	mu    sync.Mutex
	queue list.List // of chan struct{}, closed when the slot is handed over
}

const oneWaiting = 1 << 32

func newSlots(most int) *slots { return &slots{most: min(int64(most), oneWaiting-1)} }

// enter takes a slot, waiting for one as long as the context lives.
func (s *slots) enter(ctx context.Context) error {
	if s.addBelow(s.most, 1) {
		return nil
	}
	return s.wait(ctx)
}

// addBelow adds to the state if it is below a bound.
func (s *slots) addBelow(bound, n int64) bool {
	for {
		state := s.state.Load()
		if state >= bound {
			return false
		}
		if s.state.CompareAndSwap(state, state+n) {
			return true
		}
	}
}

func (s *slots) wait(ctx context.Context) error {
	turn := make(chan struct{})
	place := s.join(turn)
	if place == nil {
		return nil
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-turn: // handed over meanwhile
		return nil
	default:
	}
	s.queue.Remove(place)
	s.state.Add(-oneWaiting)
	return ctx.Err()
}

// join puts turn at the end of the queue. It returns nil if a slot was free by now and is taken instead.
func (s *slots) join(turn chan struct{}) *list.Element {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		state := s.state.Load()
		if state < s.most {
			if s.state.CompareAndSwap(state, state+1) {
				return nil
			}
		} else if s.state.CompareAndSwap(state, state+oneWaiting) {
			return s.queue.PushBack(turn)
		}
	}
}

// leave gives back the slot that enter took: to the first who waits, if anybody does.
func (s *slots) leave() {
	for !s.addBelow(oneWaiting, -1) {
		if s.handOver() {
			return
		}
	}
}

// handOver returns false if those who waited gave up meanwhile.
func (s *slots) handOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.queue.Front()
	if first == nil {
		return false
	}
	close(s.queue.Remove(first).(chan struct{}))
	s.state.Add(-oneWaiting)
	return true
}
