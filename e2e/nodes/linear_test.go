package nodes_test

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/session/storetest"
	"github.com/sallyport-auth/sallyport/store/bolt"
	"github.com/sallyport-auth/sallyport/store/redis"
)

// owner is the state of a slot with room for one: who holds it, and the highest fence so far.
type owner struct {
	who   string
	fence uint64 // 0: made by a call whose answer was lost
	last  uint64
}

// ownerModel is what a slot may do. A call whose answer was lost did it or did not.
var ownerModel = porcupine.NondeterministicModel{
	Partition: partition,
	Init:      func() []any { return []any{owner{}} },
	Step: func(state, input, _ any) []any {
		s, o := state.(owner), input.(storetest.Operation)
		next, possible := stepOwner(s, o)
		switch {
		case o.Unknown && possible && next != s:
			return []any{s, next}
		case o.Unknown:
			return []any{s}
		case possible:
			return []any{next}
		}
		return nil
	},
}

// stepOwner is what a call does to a slot if its answer was o's, and whether that may be.
func stepOwner(s owner, o storetest.Operation) (owner, bool) {
	switch holds := s.who == o.Who; o.Do {
	case "claim":
		refused := o.Refuse && s.who != "" && !holds
		if !o.OK && !o.Unknown || o.Unknown && refused {
			return s, refused
		}
		grown := o.Unknown || o.Fence > s.last
		return owner{o.Who, o.Fence, max(s.last, o.Fence)}, !refused && grown
	case "renew":
		return s, o.Unknown || o.OK == holds
	default:
		if holds {
			s.who, s.fence = "", 0
		}
		return s, true
	}
}

// ticketModel is what a ticket may do: it is there, or it is not.
var ticketModel = porcupine.NondeterministicModel{
	Partition: partition,
	Init:      func() []any { return []any{false} },
	Step: func(state, input, _ any) []any {
		there, o := state.(bool), input.(storetest.Operation)
		does := there == (o.Do == "take") // put where there is none, take where there is one
		switch {
		case o.Unknown && does:
			return []any{there, !there}
		case o.Unknown, !does && !o.OK:
			return []any{there}
		case does && o.OK:
			return []any{!there}
		}
		return nil
	},
}

func partition(history []porcupine.Operation) [][]porcupine.Operation {
	parts := map[string][]porcupine.Operation{}
	var keys []string
	for _, o := range history {
		key := o.Input.(storetest.Operation).Key
		if parts[key] == nil {
			keys = append(keys, key)
		}
		parts[key] = append(parts[key], o)
	}
	var all [][]porcupine.Operation
	for _, key := range keys {
		all = append(all, parts[key])
	}
	return all
}

func check(model porcupine.NondeterministicModel, list []storetest.Operation) porcupine.CheckResult {
	var history []porcupine.Operation
	for _, o := range list {
		ended := o.Return
		if o.Unknown {
			ended = math.MaxInt64 // it may take effect at any time
		}
		history = append(history, porcupine.Operation{ClientId: o.Client, Input: o, Call: o.Call, Return: ended})
	}
	return porcupine.CheckOperationsTimeout(model.ToModel(), history, time.Minute)
}

// TestHistoriesAreLinearizable has clients compete for tickets and slots, of which some answers are lost, and looks for one
// order of their calls that explains everything that they saw.
func TestHistoriesAreLinearizable(t *testing.T) {
	server := startServer(t)
	var opened []*redis.Store
	for range 3 {
		s, err := redis.Open(t.Context(), redis.Config{Addresses: []string{server.address()}})
		must(t, err)
		t.Cleanup(s.Close)
		opened = append(opened, s)
	}
	file, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "store.db")})
	must(t, err)
	t.Cleanup(func() { must(t, file.Close()) })
	memory := session.NewMemoryStore()
	for name, stores := range map[string][]storetest.Stores{
		"memory": {{Tickets: memory, Cluster: memory}},
		"bolt":   {{Tickets: file}},
		"redis":  {{Tickets: opened[0], Cluster: opened[0]}, {Tickets: opened[1], Cluster: opened[1]}, {Tickets: opened[2], Cluster: opened[2]}},
	} {
		t.Run(name, func(t *testing.T) {
			for round := range 3 {
				faults := &storetest.Faults{}
				nodes := wrapAll(faults, stores)
				stop := loseSome(t, faults)
				clients, count, seed := 8, 60, uint64(time.Now().UnixNano())
				tickets := storetest.TicketHistory(t.Context(), anyTickets(nodes), clients, count, seed)
				if got := check(ticketModel, tickets); got != porcupine.Ok {
					t.Errorf("seed %d: the history of tickets: %v", seed, got)
				}
				var owners []storetest.Operation
				if nodes[0].Cluster != nil {
					owners = storetest.OwnerHistory(t.Context(), anyOwners(nodes), clients, count, seed)
					if got := check(ownerModel, owners); got != porcupine.Ok {
						t.Errorf("seed %d: the history of owners: %v", seed, got)
					}
				}
				stop()
				t.Logf("round %d: %d calls for tickets and %d for slots, %d answers lost, are linearizable", round, len(tickets), len(owners), lost(tickets)+lost(owners))
			}
		})
	}
}

func lost(list []storetest.Operation) (n int) {
	for _, o := range list {
		if o.Unknown {
			n++
		}
	}
	return n
}

func wrapAll(f *storetest.Faults, stores []storetest.Stores) (wrapped []storetest.Stores) {
	for _, s := range stores {
		wrapped = append(wrapped, f.Wrap(s))
	}
	return wrapped
}

// loseSome loses answers now and then until stop is called.
func loseSome(t *testing.T, f *storetest.Faults) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			f.LoseAnswers(n%20 == 7)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() {
		cancel()
		<-done
		f.LoseAnswers(false)
	}
}

// manyTickets sends each call to another node.
type manyTickets struct{ ways chan session.Tickets }

func anyTickets(nodes []storetest.Stores) session.Tickets {
	m := manyTickets{make(chan session.Tickets, len(nodes))}
	for _, n := range nodes {
		m.ways <- n.Tickets
	}
	return m
}

func (m manyTickets) next() session.Tickets {
	way := <-m.ways
	m.ways <- way
	return way
}

func (m manyTickets) Put(ctx context.Context, d [32]byte, sealed []byte, expires time.Time) error {
	return m.next().Put(ctx, d, sealed, expires)
}

func (m manyTickets) Take(ctx context.Context, d [32]byte) ([]byte, error) {
	return m.next().Take(ctx, d)
}

// manyOwners sends each call to another node.
type manyOwners struct{ ways chan session.Owners }

func anyOwners(nodes []storetest.Stores) session.Owners {
	m := manyOwners{make(chan session.Owners, len(nodes))}
	for _, n := range nodes {
		m.ways <- n.Cluster
	}
	return m
}

func (m manyOwners) next() session.Owners {
	way := <-m.ways
	m.ways <- way
	return way
}

func (m manyOwners) ClaimSlot(ctx context.Context, w session.Want) (session.Claim, error) {
	return m.next().ClaimSlot(ctx, w)
}

func (m manyOwners) RenewSlots(ctx context.Context, node string, lease time.Duration, claims []session.Claim) ([]session.Renewal, error) {
	return m.next().RenewSlots(ctx, node, lease, claims)
}

func (m manyOwners) ReleaseSlots(ctx context.Context, node string, claims []session.Claim) error {
	return m.next().ReleaseSlots(ctx, node, claims)
}

// TestTheCheckerFindsWhatIsWrong shows histories that no order explains.
func TestTheCheckerFindsWhatIsWrong(t *testing.T) {
	at := func(call, ret int64, o storetest.Operation) storetest.Operation {
		o.Key, o.Call, o.Return = "k", call, ret
		return o
	}
	put := storetest.Operation{Do: "put", OK: true}
	take := storetest.Operation{Do: "take", OK: true}
	claim := func(who string, fence uint64) storetest.Operation {
		return storetest.Operation{Do: "claim", Who: who, OK: true, Fence: fence}
	}
	renew := func(who string, held bool) storetest.Operation {
		return storetest.Operation{Do: "renew", Who: who, OK: held}
	}
	for name, c := range map[string]struct {
		model porcupine.NondeterministicModel
		list  []storetest.Operation
		want  porcupine.CheckResult
	}{
		"a ticket is taken twice":         {ticketModel, []storetest.Operation{at(0, 1, put), at(2, 5, take), at(3, 6, take)}, porcupine.Illegal},
		"a ticket is taken before":        {ticketModel, []storetest.Operation{at(0, 1, take), at(2, 3, put)}, porcupine.Illegal},
		"a ticket is taken while it came": {ticketModel, []storetest.Operation{at(0, 5, put), at(2, 3, take)}, porcupine.Ok},
		"two hold a slot":                 {ownerModel, []storetest.Operation{at(0, 1, claim("a", 1)), at(2, 3, claim("b", 2)), at(4, 5, renew("a", true))}, porcupine.Illegal},
		"a fence falls":                   {ownerModel, []storetest.Operation{at(0, 1, claim("a", 2)), at(2, 3, claim("b", 1))}, porcupine.Illegal},
		"a holder is told that he is not": {ownerModel, []storetest.Operation{at(0, 1, claim("a", 1)), at(2, 3, renew("a", false))}, porcupine.Illegal},
		"the later one holds":             {ownerModel, []storetest.Operation{at(0, 9, claim("a", 1)), at(0, 9, claim("b", 2)), at(10, 11, renew("a", false)), at(10, 11, renew("b", true))}, porcupine.Ok},
		"a lost answer was a claim":       {ownerModel, []storetest.Operation{at(0, 1, claim("a", 1)), at(2, 3, storetest.Operation{Do: "claim", Who: "b", Unknown: true}), at(4, 5, renew("a", false))}, porcupine.Ok},
	} {
		for i := range c.list {
			c.list[i].Client = i
		}
		if got := check(c.model, slices.Clone(c.list)); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
