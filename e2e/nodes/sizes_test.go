package nodes_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/store/redis"
)

// cpu is the processor time that the server has used.
func (s *server) cpu() time.Duration {
	var total float64
	for _, field := range []string{"used_cpu_user:", "used_cpu_sys:"} {
		_, rest, _ := strings.Cut(s.ask("INFO cpu"), field)
		line, _, _ := strings.Cut(rest, "\r\n")
		seconds, _ := strconv.ParseFloat(line, 64)
		total += seconds
	}
	return time.Duration(total * float64(time.Second))
}

// TestSizes measures what docs/sizing.md calculates with: the server's processor time, which other work on the machine does
// not change much, and its memory. The followers are as many nodes as the page has at most.
func TestSizes(t *testing.T) {
	server := startServer(t, `save ""`)
	ctx := t.Context()
	store, err := redis.Open(ctx, redis.Config{Addresses: []string{server.address()}})
	must(t, err)
	t.Cleanup(store.Close)

	perEvent := map[int]time.Duration{}
	for _, followers := range []int{1, 10, 100} {
		perEvent[followers] = fanOut(t, server, followers, 100, 1)
		together := fanOut(t, server, followers, 1000, 64)
		t.Logf("FIGURE a revocation to %d nodes: %v of the server's time, %v if many come together",
			followers, perEvent[followers].Round(time.Microsecond), together.Round(time.Microsecond))
	}
	t.Logf("FIGURE each more node: %v", ((perEvent[100] - perEvent[10]) / 90).Round(100*time.Nanosecond))

	const slots, lease = 5_000, 45 * time.Second
	claims := make([]session.Claim, slots)
	memory, began := server.info("used_memory"), server.cpu()
	each(slots, 64, func(n int) {
		c, err := store.ClaimSlot(ctx, session.Want{
			Slot: session.OwnedSlot{Player: playerOf(n), Route: "arena"}, Node: "node-ABCDEFGHIJ", Number: uint64(n) + 1, Room: 1, Lease: lease,
		})
		if err != nil {
			t.Error(err)
		}
		claims[n] = c
	})
	took := server.cpu() - began
	t.Logf("FIGURE a claim: %v of the server's time and %d bytes of its memory", (took / slots).Round(100*time.Nanosecond), (server.info("used_memory")-memory)/slots)
	began = server.cpu()
	traffic := server.info("total_net_input_bytes")
	for first := 0; first < slots; first += 1000 {
		renewals, err := store.RenewSlots(ctx, "node-ABCDEFGHIJ", lease, claims[first:first+1000])
		must(t, err)
		for i, r := range renewals {
			if r.Standing != session.StandingHeld {
				t.Fatalf("claim %d: %v", first+i, r.Standing)
			}
		}
	}
	took = server.cpu() - began
	t.Logf("FIGURE a renewal: %v of the server's time and %d bytes on the wire", (took / slots).Round(100*time.Nanosecond), (server.info("total_net_input_bytes")-traffic)/slots)
	if took/slots > 200*time.Microsecond || perEvent[100] > 50*time.Millisecond {
		t.Errorf("a renewal takes %v and an event to 100 nodes %v: the page is wrong by far", took/slots, perEvent[100])
	}
}

// fanOut has followers wait for events that come some at once, and returns the server's time for each.
func fanOut(t *testing.T, server *server, followers, events, together int) time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	config := redis.Config{Addresses: []string{server.address()}, Namespace: fmt.Sprintf("of-%d-%d", followers, together), Timeout: 4 * time.Second}
	from, err := redis.Open(ctx, config)
	must(t, err)
	defer from.Close()
	var group, ready sync.WaitGroup
	var heard sync.WaitGroup
	heard.Add(followers * events)
	for range followers {
		s, err := redis.Open(ctx, config)
		must(t, err)
		defer s.Close()
		ready.Add(1)
		group.Go(func() {
			for ctx.Err() == nil {
				_ = s.Follow(ctx, func(session.Event) {})
			}
		})
		group.Go(func() {
			cursor := ""
			for first := true; ctx.Err() == nil; {
				b, err := s.Since(ctx, cursor)
				if err != nil {
					continue
				}
				cursor = b.Cursor
				for range b.Events {
					if !first {
						heard.Done()
					}
				}
				if first && !b.More {
					first = false
					ready.Done()
				}
			}
		})
	}
	ready.Wait()
	began := server.cpu()
	each(events, together, func(n int) {
		if together == 1 {
			<-time.After(5 * time.Millisecond) // until all listen again
		}
		stored(t, from, session.Event{
			ID: id(rand.IntN(1 << 48)), Kind: session.SessionRevoked, Session: id(n), Player: playerOf(n),
			Upstream: "sid:" + id(n), Expires: time.Now().Add(time.Hour).UTC().Truncate(time.Second),
		})
	})
	heard.Wait()
	took := server.cpu() - began
	cancel()
	group.Wait()
	return took / time.Duration(events)
}
