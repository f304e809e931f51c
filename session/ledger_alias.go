package session

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
)

// aliases maps the ids that backends have for players to the players. It is cut into parts, so that readers seldom
// meet a writer.
type aliases struct {
	seed  maphash.Seed
	parts [shardCount]aliasPart
}

type aliasPart struct {
	mu    sync.RWMutex
	known map[string]alias
	size  atomic.Int64 // of known; who finds 0 needs no lock
}

type alias struct {
	player  identity.Player
	at      time.Time
	expires uint32
}

func (a *aliases) part(name string) *aliasPart {
	return &a.parts[maphash.String(a.seed, name)>>shardShift]
}

func (a *aliases) get(name string) (alias, bool) {
	p := a.part(name)
	if p.size.Load() == 0 {
		return alias{}, false
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	known, ok := p.known[name]
	return known, ok
}

// learn returns whether the event is later than what is known. A later event wins, so that an id that a backend gave
// to another player follows.
func (a *aliases) learn(e Event, now uint32) bool {
	p := a.part(e.Alias)
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.known[e.Alias]
	if ok && known.expires > now && !e.At.After(known.at) {
		return false
	}
	if p.known == nil {
		p.known = map[string]alias{}
	}
	p.known[e.Alias] = alias{e.Player, e.At, ceilSecond(e.Expires)}
	p.size.Store(int64(len(p.known)))
	return true
}

func (a *aliases) len() (n int) {
	for i := range a.parts {
		n += int(a.parts[i].size.Load())
	}
	return n
}

func (a *aliases) sweep(i int, now uint32) {
	p := &a.parts[i%shardCount]
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, known := range p.known {
		if known.expires <= now {
			delete(p.known, name)
		}
	}
	p.size.Store(int64(len(p.known)))
}
