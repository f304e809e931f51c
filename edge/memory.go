package edge

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// ReturnMemory gives memory back to the system when the process has become quiet, until ctx ends. While there is traffic the runtime
// lets the heap grow to twice what lives in it, which is right then; but a wave of sockets that then only live would leave all of
// that behind. Run it where the gate is what the process is for: it collects the whole process's garbage, once for each wave.
func ReturnMemory(ctx context.Context) {
	ticker := time.NewTicker(memoryPulse)
	defer ticker.Stop()
	w := wave{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if w.isOver(allocated()) {
				debug.FreeOSMemory()
				now, _ := allocated()
				w.returned(now)
			}
		}
	}
}

const (
	memoryPulse = 2 * time.Second
	// stillness is how many bytes may be allocated from one pulse to the next by a process that is quiet.
	stillness = 256 << 10
	// worthwhile is how many bytes make it worth to collect, and at least half of what lives.
	worthwhile = 4 << 20
)

// wave notes how much was allocated, in bytes since the process began.
type wave struct{ before, since uint64 }

// isOver says that much was allocated since memory was returned the last time, and nearly nothing since the last pulse.
func (w *wave) isOver(now, live uint64) bool {
	quiet := now-w.before < stillness
	w.before = now
	return quiet && now-w.since > max(worthwhile, live/2)
}

func (w *wave) returned(now uint64) { w.before, w.since = now, now }

// allocated returns how many bytes were allocated since the process began, and how many lived when garbage was last collected.
func allocated() (total, live uint64) {
	samples := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64(), samples[1].Value.Uint64()
}
