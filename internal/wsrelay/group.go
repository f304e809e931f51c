package wsrelay

import (
	"sync"
	"time"
)

// group is a share of a loop's pipes under one lock: an event loop's, with its buffer and its timers.
type group struct {
	loop *Loop
	poll poller

	mu      sync.Mutex
	now     int64 // nanoseconds of the loop's clock, as of the last entry
	pipes   []*Pipe
	free    []uint32 // places in pipes
	stashes []*stash
	ended   bool
	wheel   wheel
}

// lock is taken by every entry into a pipe.
func (g *group) lock() {
	g.mu.Lock()
	g.now = g.loop.clock()
}

func (g *group) unlock() { g.mu.Unlock() }

// add gives a pipe its place.
func (g *group) add(p *Pipe) {
	if n := len(g.free); n > 0 {
		p.number = g.free[n-1]
		g.free = g.free[:n-1]
		g.pipes[p.number] = p
		return
	}
	p.number = uint32(len(g.pipes))
	g.pipes = append(g.pipes, p)
}

// remove forgets a pipe whose connections are gone and says so.
func (g *group) remove(p *Pipe) {
	g.wheel.remove(p)
	g.pipes[p.number] = nil
	g.free = append(g.free, p.number)
	go p.finished(p.outcome())
}

// finished runs without the lock.
func (p *Pipe) finished(o Outcome) {
	for i := range p.sides {
		if stream := p.sides[i].stream; stream != nil {
			stream.work.Wait()
		}
	}
	p.done(o)
	p.group.loop.left()
}

func (g *group) newStash() *stash {
	n := len(g.stashes)
	if n == 0 {
		return new(stash)
	}
	s := g.stashes[n-1]
	g.stashes = g.stashes[:n-1]
	return s
}

// arm has the pipe looked at by then.
func (g *group) arm(p *Pipe, due int64) {
	if !p.timer.armed || due < p.timer.due {
		g.wheel.remove(p)
		g.wheel.add(p, due, g.now)
	}
}

// tick looks at the pipes that are due.
func (g *group) tick() {
	g.lock()
	defer g.unlock()
	for p := range g.wheel.due(g.now) {
		if p.timer.due > g.now { // its place in the wheel comes round before its time
			g.wheel.add(p, p.timer.due, g.now)
			continue
		}
		if next := p.tick(g.now); !p.over {
			g.arm(p, next)
		}
	}
}

const (
	// tickEvery is the precision of all timers.
	tickEvery  = 50 * time.Millisecond
	wheelTicks = 512
)

// wheel is a timer for each pipe, at the price of two pointers. What is due later than one turn is looked at every turn.
type wheel struct {
	slots [wheelTicks]*Pipe
	last  int64 // the last tick that was looked at
}

type timer struct {
	next, prev *Pipe
	due        int64
	slot       uint16
	armed      bool
}

func (w *wheel) add(p *Pipe, due, now int64) {
	first := max(w.last, now/int64(tickEvery)) + 1
	at := min(max((due+int64(tickEvery)-1)/int64(tickEvery), first), w.last+wheelTicks)
	slot := uint16(at % wheelTicks)
	next := w.slots[slot]
	p.timer = timer{next: next, due: due, slot: slot, armed: true}
	if next != nil {
		next.timer.prev = p
	}
	w.slots[slot] = p
}

func (w *wheel) remove(p *Pipe) {
	t := &p.timer
	if !t.armed {
		return
	}
	if t.prev == nil {
		w.slots[t.slot] = t.next
	} else {
		t.prev.timer.next = t.next
	}
	if t.next != nil {
		t.next.timer.prev = t.prev
	}
	*t = timer{due: t.due}
}

// due takes out the pipes whose place has come.
func (w *wheel) due(now int64) func(yield func(*Pipe) bool) {
	return func(yield func(*Pipe) bool) {
		current := now / int64(tickEvery)
		from := max(w.last, current-wheelTicks)
		w.last = max(w.last, current)
		for t := from + 1; t <= current; t++ {
			list := w.take(int(t % wheelTicks))
			for _, p := range list {
				if !yield(p) {
					return
				}
			}
		}
	}
}

func (w *wheel) take(slot int) []*Pipe {
	var list []*Pipe
	for p := w.slots[slot]; p != nil; p = w.slots[slot] {
		w.remove(p)
		list = append(list, p)
	}
	return list
}
