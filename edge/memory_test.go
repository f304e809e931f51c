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
		{2 * mb, false}, {stillness, false}, {stillness - 1, true}, // much, then quiet
		{0, false}, {1000, false}, // nothing new
		{40 * mb, false}, {40 * mb, false}, {0, true},
	} {
		total += pulse.allocated
		over := w.isOver(total)
		if over != pulse.over {
			t.Errorf("pulse %d: over is %t", i, over)
		}
		if over {
			w.returned(total)
		}
	}
}

func TestAllocationsAreCounted(t *testing.T) {
	before := allocated()
	kept := make([][]byte, 64)
	for i := range kept {
		kept[i] = make([]byte, 64<<10)
	}
	if grown := allocated() - before; grown < 64*64<<10 {
		t.Errorf("%d bytes were counted for %d slices", grown, len(kept))
	}
}
