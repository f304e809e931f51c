package clock

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestNowIsBetween: the monotonic reading of what Now says, which is there, lies between two of the machine's clock and
// never runs back.
func TestNowIsBetween(t *testing.T) {
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			before := time.Now()
			for range 100_000 {
				now := Now()
				if now == now.Round(0) {
					t.Errorf("%v has no monotonic reading", now)
					return
				}
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
			if now := Now(); !same(now, time.Now()) {
				t.Errorf("%s: %v, want %v", c.name, now, time.Now())
			}
			if !last.Load().Equal(time.Now()) {
				t.Errorf("%s: the reading was kept", c.name)
			}
		}
	})
}

// same compares the wall's time, by which tokens are judged, and the monotonic reading.
func same(a, b time.Time) bool { return a.Equal(b) && a.Round(0).Equal(b.Round(0)) }

// TestFresh: within the time that a reading is fresh no other is made, and what passed meanwhile is added.
func TestFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		last.Store(nil)
		first := Now()
		reading := last.Load()
		time.Sleep(Fresh - 1)
		if now := Now(); now.Sub(first) != Fresh-1 || !same(now, time.Now()) || last.Load() != reading {
			t.Errorf("after %v: %v, another reading: %v", Fresh-1, now.Sub(first), last.Load() != reading)
		}
		time.Sleep(time.Nanosecond)
		if now := Now(); now.Sub(first) != Fresh || !same(now, time.Now()) || last.Load() == reading {
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
