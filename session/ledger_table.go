package session

import (
	"hash/maphash"
	"math"
	"sync/atomic"
	"time"
)

// name is what a table is keyed by: a realm and an id within it, or a globally unique id without a realm.
type name struct{ realm, id string }

// seeds makes the two 64-bit digests of a name. They are random per process, so nobody can choose names that collide,
// and 128 bits are enough to keep only the digest of a name: a million entries meet by accident with odds of 2^-89.
type seeds [2]maphash.Seed

func newSeeds() *seeds { return &seeds{maphash.MakeSeed(), maphash.MakeSeed()} }

// first is never 0, which marks an empty slot.
func (s *seeds) first(n name) uint64  { return max(1, maphash.Comparable(s[0], n)) }
func (s *seeds) second(n name) uint64 { return maphash.Comparable(s[1], n) }

// mark is what a table holds for a name, in one word that can be read and written at once: a stamp and the second from
// which the mark is void, both in Unix seconds. 0 is no mark.
type mark uint64

// never is the second that does not come. The table's seconds are 32 bits wide and end in the year 2106.
const never = math.MaxUint32

func makeMark(stamp, expires uint32) mark { return mark(stamp)<<32 | mark(expires) }

func (m mark) stamp() uint32        { return uint32(m >> 32) }
func (m mark) expires() uint32      { return uint32(m) }
func (m mark) live(now uint32) bool { return m.expires() > now }
func (m mark) later(other mark) mark {
	return makeMark(max(m.stamp(), other.stamp()), max(m.expires(), other.expires()))
}

// table maps names to marks. Readers take no lock and never wait; writers must exclude each other. A name takes 24.5
// bytes at a load between 5/16 and 3/4, 33 to 78 bytes in all. Its place is never given to another name before the shard is rebuilt.
type table struct {
	seeds  *seeds
	used   atomic.Int64
	shards [shardCount]atomic.Pointer[shard]
}

// Shards keep a rebuild short: a writer copies only one of them.
const (
	shardCount = 64
	shardShift = 64 - 6
	shardMin   = 8
)

type shard struct {
	slots  []slot
	filter []atomic.Uint64
	used   int // written under the writers' exclusion, never by readers
}

type slot struct{ first, second, mark atomic.Uint64 }

// slotsPerWord makes a filter of 4 bits a slot. Almost every name that is asked for is not there, and 19 of 20 of those
// end at the filter, which for a million names is 1 MB and stays in a core's cache where 50 MB of slots do not.
const slotsPerWord = 16

func newShard(slots int) *shard {
	return &shard{slots: make([]slot, slots), filter: make([]atomic.Uint64, max(1, slots/slotsPerWord))}
}

// bits returns the word of the filter and the two bits in it that a name sets.
func (s *shard) bits(first uint64) (*atomic.Uint64, uint64) {
	return &s.filter[first&uint64(len(s.filter)-1)], 1<<(first>>40&63) | 1<<(first>>46&63)
}

func (s *shard) mayHold(first uint64) bool {
	word, bits := s.bits(first)
	return word.Load()&bits == bits
}

// get returns the mark of a name, or 0.
func (t *table) get(n name) mark {
	if t.empty() {
		return 0
	}
	first := t.seeds.first(n)
	s := t.shards[first>>shardShift].Load()
	if s == nil || !s.mayHold(first) {
		return 0
	}
	for i := first; ; i++ {
		at := &s.slots[i&uint64(len(s.slots)-1)]
		switch found := at.first.Load(); {
		case found == 0:
			return 0
		case found == first && at.second.Load() == t.seeds.second(n):
			return mark(at.mark.Load())
		}
	}
}

// set replaces the mark of a name. Setting 0 removes it. now is for what a rebuild may leave out.
func (t *table) set(n name, m mark, now uint32) {
	first, second := t.seeds.first(n), t.seeds.second(n)
	at := &t.shards[first>>shardShift]
	s := at.Load()
	if s == nil || 4*(s.used+1) > 3*len(s.slots) {
		s = t.rebuild(at, now)
	}
	if s.put(first, second, m) {
		t.used.Add(1)
	}
}

// put returns whether the name took a new slot. The first word is written after the others,
// and the filter last: they are what makes a slot visible.
func (s *shard) put(first, second uint64, m mark) bool {
	for i := first; ; i++ {
		at := &s.slots[i&uint64(len(s.slots)-1)]
		switch found := at.first.Load(); {
		case found == 0:
			at.second.Store(second)
			at.mark.Store(uint64(m))
			at.first.Store(first)
			word, bits := s.bits(first)
			word.Store(word.Load() | bits)
			s.used++
			return true
		case found == first && at.second.Load() == second:
			at.mark.Store(uint64(m))
			return false
		}
	}
}

// rebuild replaces a shard by one of the right size without the marks that are void.
func (t *table) rebuild(at *atomic.Pointer[shard], now uint32) *shard {
	old := at.Load()
	live := old.live(now)
	size := shardMin
	for 8*(live+1) > 5*size {
		size *= 2
	}
	fresh := newShard(size)
	if old != nil {
		old.copyLive(fresh, now)
		t.used.Add(int64(fresh.used - old.used))
	}
	at.Store(fresh)
	return fresh
}

func (s *shard) live(now uint32) (n int) {
	if s == nil {
		return 0
	}
	for i := range s.slots {
		if mark(s.slots[i].mark.Load()).live(now) {
			n++
		}
	}
	return n
}

func (s *shard) copyLive(to *shard, now uint32) {
	for i := range s.slots {
		at := &s.slots[i]
		if m := mark(at.mark.Load()); m.live(now) {
			to.put(at.first.Load(), at.second.Load(), m)
		}
	}
}

// sweep rebuilds one shard if at least half of its names are void, so that memory is given back when no more come.
func (t *table) sweep(i int, now uint32) {
	at := &t.shards[i%shardCount]
	if s := at.Load(); s != nil && s.used > 0 && 2*s.live(now) <= s.used {
		t.rebuild(at, now)
	}
}

// floorSecond is the second that t lies in, as a table holds it.
func floorSecond(t time.Time) uint32 { return uint32(min(max(t.Unix(), 0), never)) }

// ceilSecond is the first second that does not begin before t; the zero time is never.
func ceilSecond(t time.Time) uint32 {
	if t.IsZero() {
		return never
	}
	s := floorSecond(t)
	if t.Nanosecond() > 0 && s < never {
		s++
	}
	return s
}

func (t *table) empty() bool { return t.used.Load() == 0 }

// len is how many names are there, with those whose mark is void and not swept.
func (t *table) len() int { return int(t.used.Load()) }
