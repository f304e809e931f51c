package session

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"
)

func (t *table) init() *table {
	t.seeds = newSeeds()
	return t
}

// The table against a map, over growth, removal, expiry and sweeps.
func TestTableIsAMap(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	tab, want := new(table).init(), map[name]mark{}
	for now := uint32(1); now < 200; now++ {
		for range 100 {
			n := name{strconv.Itoa(random.IntN(3)), strconv.Itoa(random.IntN(2_000))}
			m := makeMark(random.Uint32(), now+random.Uint32N(50))
			if random.IntN(10) == 0 {
				m = 0
			}
			tab.set(n, m, now)
			want[n] = m
		}
		tab.sweep(int(now), now)
		for n, m := range want {
			if got := tab.get(n); m.live(now) && got != m || !m.live(now) && got.live(now) {
				t.Fatalf("second %d: %v has mark %x, want %x", now, n, got, m)
			}
		}
	}
	checkTableShrinks(t, tab)
}

func checkTableShrinks(t *testing.T, tab *table) {
	t.Helper()
	for i := range shardCount {
		tab.sweep(i, never-1)
	}
	slots := 0
	for i := range tab.shards {
		slots += len(tab.shards[i].Load().slots)
	}
	if !tab.empty() || tab.len() != 0 || slots > shardCount*shardMin {
		t.Errorf("%d names and %d slots are left after all has expired", tab.len(), slots)
	}
}

// Names whose first digests are equal are told apart by the second, and names that meet at one place by probing.
func TestTableTellsCollisionsApart(t *testing.T) {
	t.Parallel()
	s := newShard(8)
	for i := range uint64(5) {
		s.put(7, i, makeMark(uint32(i), never))
		s.put(7+8, i, makeMark(uint32(100+i), never))
		s = func() *shard { // what rebuild does
			bigger := newShard(2 * len(s.slots))
			s.copyLive(bigger, 0)
			return bigger
		}()
	}
	if s.used != 10 {
		t.Fatalf("%d names, want 10", s.used)
	}
	if s.put(7, 3, 0); s.used != 10 || s.live(0) != 9 {
		t.Errorf("removing a name took %d places and left %d alive, want 10 and 9", s.used, s.live(0))
	}
}

// Readers see a name from the moment that its set has returned, through every rebuild.
func TestTableUnderReaders(t *testing.T) {
	t.Parallel()
	tab := new(table).init()
	const names = 20_000
	var written sync.Map
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for i := 0; ; i = (i + 7919) % names {
				_, must := written.Load(i)
				got := tab.get(name{id: strconv.Itoa(i)})
				if must && got != makeMark(uint32(i), never) || !must && got != 0 && got != makeMark(uint32(i), never) {
					t.Errorf("name %d has mark %x", i, got)
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for i := range names {
		tab.set(name{id: strconv.Itoa(i)}, makeMark(uint32(i), never), 0)
		written.Store(i, true)
		if i%100 == 0 {
			tab.sweep(i/100, 0)
		}
	}
	close(stop)
	readers.Wait()
}

func TestSecondsStayWithinTheTable(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 1, 12, 0, 0, 1, time.UTC)
	second := uint32(at.Unix())
	for what, got := range map[string][2]uint32{
		"floor":                    {floorSecond(at), second},
		"ceiling":                  {ceilSecond(at), second + 1},
		"ceiling of a full second": {ceilSecond(at.Truncate(time.Second)), second},
		"floor before 1970":        {floorSecond(time.Unix(-5, 0)), 0},
		"floor after 2106":         {floorSecond(time.Unix(1<<33, 0)), never},
		"ceiling after 2106":       {ceilSecond(time.Unix(1<<33, 5)), never},
		"ceiling of no time":       {ceilSecond(time.Time{}), never},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %d, want %d", what, got[0], got[1])
		}
	}
}
