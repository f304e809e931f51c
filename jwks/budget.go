package jwks

import (
	"hash/maphash"
	"time"
)

const (
	// budgetBurst is how many fetches lookups can start at once, budgetInterval how long it takes until one more can.
	budgetBurst    = 3
	budgetInterval = 5 * time.Second
	// unknownFor is how long a kid that a fetch did not find starts no other fetch.
	unknownFor = 30 * time.Second
	// maxUnknown bounds the memory of unknown kids. The budget lets only 9 kids start a fetch in unknownFor, so it is
	// reached only by a clock that jumps.
	maxUnknown = 64
)

// bucket is a budget of fetches (a generic cell rate algorithm).
type bucket struct {
	// full is when the whole burst will be there again.
	full time.Time
}

// spend takes one fetch from the bucket and says whether there was one.
func (b *bucket) spend(now time.Time) bool {
	ahead := b.full.Sub(now)
	if ahead < 0 || ahead > budgetBurst*budgetInterval { // idle for long, or the clock went back
		b.full, ahead = now, 0
	}
	if ahead > (budgetBurst-1)*budgetInterval {
		return false
	}
	b.full = b.full.Add(budgetInterval)
	return true
}

// budget decides which lookups may start a fetch. It is not safe for concurrent use.
type budget struct {
	// unknownKids is for lookups that a good set cannot answer, noKeys for those while there is no good set.
	unknownKids, noKeys bucket

	seed    maphash.Seed
	unknown map[uint64]time.Time
	// refused counts lookups since the last report, reported is when that was.
	refused  int
	reported time.Time
}

func newBudget() budget {
	return budget{seed: maphash.MakeSeed(), unknown: make(map[uint64]time.Time)}
}

// knownUnknown says whether a fetch looked for the kid in vain less than unknownFor ago.
func (b *budget) knownUnknown(kid string, now time.Time) bool {
	asked, found := b.unknown[maphash.String(b.seed, kid)]
	age := now.Sub(asked)
	return found && age >= 0 && age < unknownFor
}

// remember notes that a fetch begun at the given time did not find the kid.
func (b *budget) remember(kid string, at time.Time) {
	for digest, asked := range b.unknown {
		if age := at.Sub(asked); age < 0 || age >= unknownFor || len(b.unknown) >= maxUnknown {
			delete(b.unknown, digest)
		}
	}
	b.unknown[maphash.String(b.seed, kid)] = at
}

// forget drops the memory of unknown kids: the issuer has other keys now.
func (b *budget) forget() { clear(b.unknown) }

// refuse counts a lookup that was refused, and returns the count when it is time to report it, else 0.
func (b *budget) refuse(now time.Time) int {
	b.refused++
	if age := now.Sub(b.reported); age >= 0 && age < budgetInterval {
		return 0
	}
	refused := b.refused
	b.refused, b.reported = 0, now
	return refused
}
