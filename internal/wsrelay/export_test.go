package wsrelay

import (
	"time"
	"unsafe"
)

// Quiesce gives the writers of the goroutine form the time to say that they are done, if they can be.
func (l *Loop) Quiesce() {
	for range 20 {
		busy := false
		for _, g := range l.groups {
			g.lock()
			for _, p := range g.pipes {
				busy = busy || p != nil && p.sides[client].stream != nil && (p.sides[client].out != nil || p.sides[backend].out != nil)
			}
			g.unlock()
		}
		if !busy {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Kept is the memory of what the loop's pipes keep, in bytes.
func (l *Loop) Kept() int {
	sum := 0
	for _, g := range l.groups {
		g.lock()
		for _, p := range g.pipes {
			for i := range 2 {
				if p != nil && p.sides[i].out != nil {
					sum += cap(p.sides[i].out.b)
				}
			}
		}
		g.unlock()
	}
	return sum
}

// Settle does at once what is due by the loop's clock, as the loop does every 50 ms.
func (l *Loop) Settle() {
	for _, g := range l.groups {
		g.tick()
	}
}

// PingText is the payload of our pings.
const PingText = pingText

// BoundaryWait is how long a side may be in the middle of a frame when a socket ends.
const BoundaryWait = boundaryWait

// PartingWait bounds a close handshake of the two ends.
const PartingWait = partingWait

// PipeSize is the memory of an idle pipe, in bytes.
const PipeSize = unsafe.Sizeof(Pipe{})
