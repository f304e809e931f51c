package jws

import (
	"context"
	"sync/atomic"
)

// slots bounds how many verify at once. Who finds a slot free takes it by one atomic step, without a lock; only who has to
// wait does more.
type slots struct {
	most           int64
	taken, waiting atomic.Int64
	freed          chan struct{} // one for each slot that was freed while somebody waited; as many as there are slots
}

func newSlots(most int) *slots {
	return &slots{most: int64(most), freed: make(chan struct{}, most)}
}

// enter takes a slot, waiting for one as long as the context lives.
func (s *slots) enter(ctx context.Context) error {
	if s.take() {
		return nil
	}
	return s.wait(ctx)
}

func (s *slots) take() bool {
	for {
		n := s.taken.Load()
		if n >= s.most {
			return false
		}
		if s.taken.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// wait is announced before it looks again: whoever holds a slot at that look frees it later and sees that somebody waits.
func (s *slots) wait(ctx context.Context) error {
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	for !s.take() {
		select {
		case <-s.freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// leave gives back the slot that enter took, and wakes one of those who wait. Where freed is full, whoever waits has one to take
// already.
func (s *slots) leave() {
	s.taken.Add(-1)
	if s.waiting.Load() == 0 {
		return
	}
	select {
	case s.freed <- struct{}{}:
	default:
	}
}
