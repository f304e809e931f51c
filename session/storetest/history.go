package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/session"
)

// Operation is a call as a client saw it, for a checker of linearizability: between Call and Return, in nanoseconds of one
// clock, it took effect at one moment. If the answer was lost (Unknown) it may have, then or later, or not at all.
type Operation struct {
	// Client is who called; a client has one call at a time.
	Client int
	// Key is what the call was about. Calls for other keys have nothing to do with it.
	Key string
	// Do is what was called: put, take, claim, renew or release.
	Do string
	// Who tells the claims of a slot apart, for those of an owner.
	Who string
	// Refuse is Want.Refuse of a claim.
	Refuse bool
	// OK says that the call did what it was to do: it put or took the ticket, got or renewed the claim, or released.
	OK bool
	// Unknown says that nothing is known about the outcome.
	Unknown bool
	// Fence is that of a claim that was made.
	Fence uint64
	// Call and Return are when the call began and ended.
	Call, Return int64
}

// recorder collects operations.
type recorder struct {
	began time.Time
	mu    sync.Mutex
	list  []Operation
}

// do records one call, whose outcome call writes into the operation.
func (r *recorder) do(o Operation, call func(*Operation) error) {
	o.Call = time.Since(r.began).Nanoseconds()
	err := call(&o)
	o.Return = time.Since(r.began).Nanoseconds()
	o.OK, o.Unknown = err == nil, errors.Is(err, session.ErrStoreUnavailable)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, o)
}

// history lets clients make count random calls each and returns them all.
func history(clients, count int, seed uint64, call func(r *recorder, client int, dice *rand.Rand)) []Operation {
	r := &recorder{began: time.Now()}
	var group sync.WaitGroup
	for client := range clients {
		dice := rand.New(rand.NewPCG(seed, uint64(client)))
		group.Go(func() {
			for range count {
				call(r, client, dice)
			}
		})
	}
	group.Wait()
	return r.list
}

// TicketHistory has clients put and take a few tickets at random, count times each, and returns what they saw. The same
// digest is put again and again, which no ticket office does, so that there is something to be seen. Another seed has other
// tickets.
func TicketHistory(ctx context.Context, tickets session.Tickets, clients, count int, seed uint64) []Operation {
	return history(clients, count, seed, func(r *recorder, client int, dice *rand.Rand) {
		key := fmt.Sprintf("ticket-%d-%d", seed, dice.IntN(8))
		o := Operation{Client: client, Key: key, Do: []string{"put", "take", "take"}[dice.IntN(3)]}
		r.do(o, func(*Operation) error {
			if o.Do == "put" {
				return tickets.Put(ctx, sha256.Sum256([]byte(key)), []byte(key), time.Now().Add(time.Hour))
			}
			_, err := tickets.Take(ctx, sha256.Sum256([]byte(key)))
			return err
		})
	})
}

// OwnerHistory has clients, each a node, claim, renew and release a few slots at random, count times each, and returns what
// they saw. No lease is over and no epoch changes meanwhile. Another seed has other slots.
func OwnerHistory(ctx context.Context, owners session.Owners, clients, count int, seed uint64) []Operation {
	held := make([]map[int]session.Claim, clients)
	numbers := make([]uint64, clients)
	for i := range held {
		held[i] = map[int]session.Claim{}
	}
	return history(clients, count, seed, func(r *recorder, client int, dice *rand.Rand) {
		n, node := dice.IntN(6), fmt.Sprint("node-", client)
		c, has := held[client][n]
		o := Operation{Client: client, Key: fmt.Sprintf("slot-%d-%d", seed, n), Do: "claim", Refuse: dice.IntN(3) == 0}
		if has {
			o.Do = []string{"claim", "renew", "renew", "release"}[dice.IntN(4)]
		}
		if o.Do == "claim" {
			numbers[client]++
			c = session.Claim{Slot: session.OwnedSlot{Player: player, Route: "arena", Name: o.Key}, Number: numbers[client], Room: 1}
		}
		o.Who = fmt.Sprint(node, "/", c.Number)
		r.do(o, func(o *Operation) (err error) {
			switch o.Do {
			case "claim":
				w := session.Want{Slot: c.Slot, Node: node, Number: c.Number, Room: 1, Refuse: o.Refuse, Lease: time.Hour}
				if c, err = owners.ClaimSlot(ctx, w); err == nil {
					held[client][n], o.Fence = c, c.Fence
				}
				return err
			case "renew":
				return renewOne(ctx, owners, node, c)
			default:
				delete(held[client], n)
				return owners.ReleaseSlots(ctx, node, []session.Claim{c})
			}
		})
	})
}

var errNotHeld = errors.New("storetest: the claim is not held")

func renewOne(ctx context.Context, owners session.Owners, node string, c session.Claim) error {
	renewals, err := owners.RenewSlots(ctx, node, time.Hour, []session.Claim{c})
	if err == nil && renewals[0].Standing != session.StandingHeld {
		return errNotHeld
	}
	return err
}
