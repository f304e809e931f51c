package edge

import "testing"

func TestMemoryIsReturnedAfterAWave(t *testing.T) {
	const mb = 1 << 20
	w, total := wave{}, uint64(0)
	for i, pulse := range []struct {
		allocated uint64
		over      bool
	}{
		{3 * mb, false}, {0, false}, // not worth it
		{2 * mb, false}, {stillness, false}, {stillness - 1, false}, // less than half of what lives
		{6 * mb, false}, {0, true}, // much, then quiet
		{0, false}, {1000, false}, // nothing new
		{40 * mb, false}, {40 * mb, false}, {0, true},
	} {
		total += pulse.allocated
		over := w.isOver(total, 20*mb)
		if over != pulse.over {
			t.Errorf("pulse %d: over is %t", i, over)
		}
		if over {
			w.returned(total)
		}
	}
}

func TestAllocationsAreCounted(t *testing.T) {
	before, _ := allocated()
	kept := make([][]byte, 64)
	for i := range kept {
		kept[i] = make([]byte, 64<<10)
	}
	if now, _ := allocated(); now-before < 64*64<<10 {
		t.Errorf("%d bytes were counted for %d slices", now-before, len(kept))
	}
}
