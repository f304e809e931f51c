package clock

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestNowIsBetween: what Now says lies between two readings of the machine's clock, and never runs back.
func TestNowIsBetween(t *testing.T) {
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			before := time.Now()
			for range 100_000 {
				now := Now()
				if now.Before(before) {
					t.Errorf("%v, after %v had been", now, before)
					return
				}
				before = now
			}
			if after := time.Now(); before.After(after) {
				t.Errorf("%v is not yet: %v", before, after)
			}
		})
	}
	running.Wait()
}

// TestStale: a reading that is no longer fresh is not built upon, nor one of a clock that has nothing to do with this one.
func TestStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			name string
			age  time.Duration
		}{
			{"read in the future", -time.Hour},
			{"read just too long ago", Fresh},
			{"read long ago", 24 * time.Hour},
		} {
			at := time.Now().Add(-c.age)
			last.Store(&at)
			if now := Now(); !now.Equal(time.Now()) {
				t.Errorf("%s: %v, want %v", c.name, now, time.Now())
			}
			if !last.Load().Equal(time.Now()) {
				t.Errorf("%s: the reading was kept", c.name)
			}
		}
	})
}

// TestFresh: within the time that a reading is fresh no other is made, and what passed meanwhile is added.
func TestFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		last.Store(nil)
		first := Now()
		reading := last.Load()
		time.Sleep(Fresh - 1)
		if now := Now(); now.Sub(first) != Fresh-1 || last.Load() != reading {
			t.Errorf("after %v: %v, another reading: %v", Fresh-1, now.Sub(first), last.Load() != reading)
		}
		time.Sleep(time.Nanosecond)
		if now := Now(); now.Sub(first) != Fresh || last.Load() == reading {
			t.Errorf("after %v: %v, another reading: %v", Fresh, now.Sub(first), last.Load() != reading)
		}
	})
}

func BenchmarkNow(b *testing.B) {
	for b.Loop() {
		Now()
	}
}

func BenchmarkTimeNow(b *testing.B) {
	for b.Loop() {
		time.Now()
	}
}
