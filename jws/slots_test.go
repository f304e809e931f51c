package jws

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// TestSlotsHoldTheirNumber: never more at once than there are slots, and everybody has a turn, also where others give up
// waiting meanwhile.
func TestSlotsHoldTheirNumber(t *testing.T) {
	t.Parallel()
	for _, most := range []int{1, 2, 7} {
		s := newSlots(most)
		var within, served atomic.Int64
		var running sync.WaitGroup
		for worker := range 32 {
			running.Go(func() {
				for turn := range 500 {
					ctx, cancel := context.WithCancel(context.Background())
					if (worker+turn)%3 == 0 {
						go cancel()
					}
					if s.enter(ctx) == nil {
						if n := within.Add(1); n > int64(most) {
							t.Errorf("%d of %d slots taken", n, most)
						}
						served.Add(1)
						within.Add(-1)
						s.leave()
					}
					cancel()
				}
			})
		}
		running.Wait()
		if least := int64(32 * 500 / 3 * 2); served.Load() < least {
			t.Errorf("%d slots: %d were served, want at least the %d who did not give up", most, served.Load(), least)
		}
		if state := s.state.Load(); state != 0 || s.queue.Len() != 0 {
			t.Errorf("%d slots: state %#x and %d waiting at the end", most, state, s.queue.Len())
		}
	}
}

// TestSlotsWake: who waits gets the next slot that is freed, one for each, and who gives up leaves none of them behind.
func TestSlotsWake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(2)
		for range 2 {
			if err := s.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		var given, entered atomic.Int64
		for range 3 {
			go func() {
				if err := s.enter(ctx); errors.Is(err, context.Canceled) {
					given.Add(1)
				}
			}()
		}
		for range 3 {
			go func() {
				if s.enter(t.Context()) == nil {
					entered.Add(1)
				}
			}()
		}
		synctest.Wait()
		if given.Load() != 0 || entered.Load() != 0 {
			t.Fatalf("with all slots taken %d gave up and %d entered", given.Load(), entered.Load())
		}
		cancel()
		synctest.Wait()
		for turn := int64(1); turn <= 3; turn++ {
			s.leave()
			synctest.Wait()
			if given.Load() != 3 || entered.Load() != turn {
				t.Fatalf("after %d slots were freed %d gave up and %d entered", turn, given.Load(), entered.Load())
			}
		}
	})
}

// TestSlotsInTurn: who waits is served in the order of coming, and before anybody who comes when the slot is free.
func TestSlotsInTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1)
		if err := s.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		late, cancel := context.WithCancel(t.Context())
		cancel()
		var served []int
		for i := range 5 {
			go func() {
				if err := s.enter(t.Context()); err != nil {
					t.Error(err)
				}
				served = append(served, i)
				s.leave()
			}()
			synctest.Wait()
		}
		s.leave()
		if err := s.enter(late); err == nil && len(served) < 5 {
			t.Errorf("who came last had a slot after %d of 5", len(served))
		}
		synctest.Wait()
		if !slices.Equal(served, []int{0, 1, 2, 3, 4}) {
			t.Errorf("served in the order %v", served)
		}
	})
}
