package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

var ownerCases = []testCase{
	{"OwnerIsReplacedByTheLater", ownerIsReplacedByTheLater},
	{"OwnerRefusesTheNewer", ownerRefusesTheNewer},
	{"OwnerRepeats", ownerRepeats},
	{"OwnersShareRoom", ownersShareRoom},
	{"OwnerLapses", ownerLapses},
	{"OwnerIsReleased", ownerIsReleased},
	{"OwnerSlotsAreApart", ownerSlotsAreApart},
	{"OwnerComesLate", ownerComesLate},
	{"OwnerOfAnotherEpoch", ownerOfAnotherEpoch},
	{"OwnerFencesGrow", ownerFencesGrow},
	{"OwnersRenewInBulk", ownersRenewInBulk},
	{"OwnerRace", ownerRace},
	{"OwnerContext", ownerContext},
	{"NodesAreMembers", nodesAreMembers},
	{"NodesHearEachOther", nodesHearEachOther},
	{"NodeHearsOfItsLoss", nodeHearsOfItsLoss},
}

const lease = 10 * time.Second

func slot(n int) session.OwnedSlot {
	return session.OwnedSlot{Player: identity.Player{Realm: "main", Subject: fmt.Sprintf("player-%d", n)}, Route: "arena", Name: "red:1"}
}

func want(n int, node string, number uint64) session.Want {
	return session.Want{Slot: slot(n), Node: node, Number: number, Room: 1, Lease: lease}
}

func (s suite) claim(w session.Want) session.Claim {
	s.Helper()
	c, err := s.Cluster.ClaimSlot(s.ctx(), w)
	s.must(err)
	if c.Slot != w.Slot || c.Number != w.Number || c.Room != w.Room || c.Fence == 0 || c.Epoch == "" {
		s.Errorf("wanted %+v, got %+v", w, c)
	}
	return c
}

func (s suite) standing(node string, claims ...session.Claim) []session.Standing {
	s.Helper()
	renewals, err := s.Cluster.RenewSlots(s.ctx(), node, lease, claims)
	s.must(err)
	var standings []session.Standing
	for i, r := range renewals {
		standings = append(standings, r.Standing)
		if r.Standing == session.StandingHeld && r.Epoch == "" {
			s.Errorf("claim %d is held in no epoch", i)
		}
	}
	return standings
}

func (s suite) wantStanding(node string, claim session.Claim, want session.Standing) {
	s.Helper()
	if got := s.standing(node, claim); len(got) != 1 || got[0] != want {
		s.Errorf("%s number %d: standing %v, want %v", node, claim.Number, got, want)
	}
}

func ownerIsReplacedByTheLater(s suite) {
	a := s.claim(want(1, "a", 1))
	s.wantStanding("a", a, session.StandingHeld)
	b := s.claim(want(1, "b", 1))
	if b.Fence <= a.Fence {
		s.Errorf("fence %d after %d", b.Fence, a.Fence)
	}
	s.wantStanding("a", a, session.StandingReplaced)
	s.wantStanding("b", b, session.StandingHeld)
	same := s.claim(want(1, "b", 2))
	s.wantStanding("b", b, session.StandingReplaced)
	s.wantStanding("b", same, session.StandingHeld)
	s.must(s.Cluster.ReleaseSlots(s.ctx(), "b", []session.Claim{same}))
	s.wantStanding("a", a, session.StandingReplaced)
}

func ownerRefusesTheNewer(s suite) {
	a := s.claim(want(1, "a", 1))
	newer := want(1, "b", 1)
	newer.Refuse = true
	_, err := s.Cluster.ClaimSlot(s.ctx(), newer)
	s.wantErr("a claim to a full slot", err, session.ErrConflict)
	s.wantStanding("a", a, session.StandingHeld)
	s.must(s.Cluster.ReleaseSlots(s.ctx(), "a", []session.Claim{a}))
	s.claim(newer)
}

func ownerRepeats(s suite) {
	w := want(1, "a", 1)
	w.Refuse = true
	first := s.claim(w)
	s.clock.advance(lease)
	if again := s.claim(w); again != first {
		s.Errorf("claimed twice: %+v, then %+v", first, again)
	}
	s.clock.advance(lease)
	s.wantStanding("a", first, session.StandingHeld)
}

func ownersShareRoom(s suite) {
	var claims []session.Claim
	for n := range uint64(5) {
		w := want(1, []string{"a", "b"}[n%2], n+1)
		w.Room = 3
		claims = append(claims, s.claim(w))
		s.clock.advance(time.Millisecond)
	}
	for i, c := range claims {
		expect := session.StandingHeld
		if i < 2 {
			expect = session.StandingReplaced
		}
		s.wantStanding([]string{"a", "b"}[i%2], c, expect)
	}
}

func ownerLapses(s suite) {
	w := want(1, "a", 1)
	a := s.claim(w)
	newer := want(1, "b", 1)
	newer.Refuse = true
	s.clock.advance(lease + session.OwnerGuard - time.Millisecond)
	_, err := s.Cluster.ClaimSlot(s.ctx(), newer)
	s.wantErr("a claim just before the lease is over", err, session.ErrConflict)
	s.clock.advance(time.Millisecond)
	b := s.claim(newer)
	s.wantStanding("a", a, session.StandingReplaced)
	s.clock.advance(lease)
	s.wantStanding("b", b, session.StandingHeld)
	s.clock.advance(lease + session.OwnerGuard)
	s.wantStanding("b", b, session.StandingGone)
	s.clock.advance(time.Hour)
	s.wantStanding("b", b, session.StandingGone)
}

func ownerIsReleased(s suite) {
	a := s.claim(want(1, "a", 1))
	other := a
	other.Number = 2
	s.must(s.Cluster.ReleaseSlots(s.ctx(), "a", []session.Claim{other}))
	s.must(s.Cluster.ReleaseSlots(s.ctx(), "b", []session.Claim{a}))
	s.wantStanding("a", a, session.StandingHeld)
	s.must(s.Cluster.ReleaseSlots(s.ctx(), "a", []session.Claim{other, a}))
	s.wantStanding("a", a, session.StandingGone)
	s.must(s.Cluster.ReleaseSlots(s.ctx(), "a", nil))
}

func ownerSlotsAreApart(s suite) {
	base := slot(1)
	slots := []session.OwnedSlot{base, base, base, base, base}
	slots[1].Player.Realm = "main2"
	slots[2].Player = identity.Player{Realm: "mainp", Subject: "layer-1"}
	slots[3].Route, slots[3].Name = "arenared", ":1"
	slots[4].Name = ""
	var claims []session.Claim
	for n, name := range slots {
		w := want(1, "a", uint64(n)+1)
		w.Slot, w.Refuse = name, true
		claims = append(claims, s.claim(w))
	}
	for _, standing := range s.standing("a", claims...) {
		if standing != session.StandingHeld {
			s.Errorf("standing %v of a slot of its own", standing)
		}
	}
}

// ownerComesLate claims for sockets that were admitted while the store was away.
func ownerComesLate(s suite) {
	first := s.claim(want(1, "a", 1))
	s.clock.advance(5 * time.Second)
	late := want(1, "b", 1)
	late.Age = 6 * time.Second
	_, err := s.Cluster.ClaimSlot(s.ctx(), late)
	s.wantErr("a socket that was there before the owner", err, session.ErrConflict)
	s.wantStanding("a", first, session.StandingHeld)
	late.Age = 4 * time.Second
	after := s.claim(late)
	s.wantStanding("a", first, session.StandingReplaced)
	if newest := s.claim(want(1, "a", 2)); newest.Fence <= after.Fence {
		s.Errorf("fence %d after %d", newest.Fence, after.Fence)
	}
	empty := want(2, "b", 2)
	empty.Age = time.Hour
	s.claim(empty)
}

// ownerOfAnotherEpoch has two owners store their claims again at a store that forgot both.
func ownerOfAnotherEpoch(s suite) {
	for n, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		claims := map[string]session.Claim{
			"a": {Slot: slot(n), Number: 1, Room: 1, Fence: 1_000, Epoch: "an epoch that is over"},
			"b": {Slot: slot(n), Number: 1, Room: 1, Fence: 2_000, Epoch: "an epoch that is over"},
		}
		for _, node := range order {
			s.standing(node, claims[node])
		}
		s.wantStanding("a", claims["a"], session.StandingReplaced)
		renewals, err := s.Cluster.RenewSlots(s.ctx(), "b", lease, []session.Claim{claims["b"]})
		s.must(err)
		if renewals[0].Standing != session.StandingHeld || renewals[0].Epoch == claims["b"].Epoch {
			s.Errorf("the later owner: %+v, want it held in the present epoch", renewals[0])
		}
		if next := s.claim(want(n, "c", 1)); next.Fence <= 2_000 {
			s.Errorf("fence %d after 2000", next.Fence)
		}
	}
}

func ownerFencesGrow(s suite) {
	last := uint64(0)
	for n := range uint64(100) {
		c := s.claim(want(1, "a", n+1))
		if c.Fence <= last {
			s.Fatalf("fence %d after %d", c.Fence, last)
		}
		last = c.Fence
		if n%2 == 0 {
			s.must(s.Cluster.ReleaseSlots(s.ctx(), "a", []session.Claim{c}))
		}
		if n%10 == 0 {
			s.clock.advance(time.Hour)
		}
	}
}

func ownersRenewInBulk(s suite) {
	const count = 1500
	var claims []session.Claim
	for n := range count {
		claims = append(claims, s.claim(want(n, "a", uint64(n)+1)))
	}
	s.claim(want(700, "b", 1))
	s.clock.advance(lease)
	for n, standing := range s.standing("a", claims...) {
		if (standing == session.StandingHeld) != (n != 700) {
			s.Errorf("claim %d: standing %v", n, standing)
		}
	}
	s.must(s.Cluster.ReleaseSlots(s.ctx(), "a", claims[:count/2]))
	for n, standing := range s.standing("a", claims...) {
		if (standing == session.StandingHeld) != (n >= count/2 && n != 700) {
			s.Errorf("claim %d: standing %v", n, standing)
		}
	}
}

// ownerRace has many claim one slot: in the end exactly the one with the highest fence holds it.
func ownerRace(s suite) {
	for round := range 10 {
		var mu sync.Mutex
		claims := map[string]session.Claim{}
		race(func(i int) {
			node := fmt.Sprintf("node-%d", i)
			c, err := s.Cluster.ClaimSlot(s.ctx(), want(round, node, 1))
			if err != nil {
				s.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			claims[node] = c
		})
		highest, fences := "", map[uint64]bool{}
		for node, c := range claims {
			fences[c.Fence] = true
			if highest == "" || c.Fence > claims[highest].Fence {
				highest = node
			}
		}
		if len(fences) != racers {
			s.Errorf("%d distinct fences for %d claims", len(fences), racers)
		}
		for node, c := range claims {
			if held := s.standing(node, c)[0] == session.StandingHeld; held != (node == highest) {
				s.Errorf("fence %d of %d: held is %v", c.Fence, claims[highest].Fence, held)
			}
		}
	}
}

func ownerContext(s suite) {
	a := s.claim(want(1, "a", 1))
	ctx, cancel := context.WithCancel(s.ctx())
	cancel()
	_, err := s.Cluster.ClaimSlot(ctx, want(2, "a", 2))
	s.wantErr("ClaimSlot with an ended context", err, session.ErrStoreUnavailable)
	renewals, err := s.Cluster.RenewSlots(ctx, "a", lease, []session.Claim{a})
	s.wantErr("RenewSlots with an ended context", err, session.ErrStoreUnavailable)
	if len(renewals) != 1 || renewals[0].Standing != session.StandingUnknown {
		s.Errorf("renewals %+v, want one that is unknown", renewals)
	}
	for what, err := range map[string]error{
		"ReleaseSlots": s.Cluster.ReleaseSlots(ctx, "a", []session.Claim{a}), "Announce": s.Cluster.Announce(ctx, "a", lease),
		"Send": s.Cluster.Send(ctx, "a", nil), "Listen": s.Cluster.Listen(ctx, "a", func(session.Message) {}),
	} {
		s.wantErr(what+" with an ended context", err, session.ErrStoreUnavailable)
	}
	_, err = s.Cluster.Members(ctx)
	s.wantErr("Members with an ended context", err, session.ErrStoreUnavailable)
}

func nodesAreMembers(s suite) {
	members := func(want ...string) {
		s.Helper()
		got, err := s.Cluster.Members(s.ctx())
		s.must(err)
		if !slices.Equal(got, want) {
			s.Errorf("members %v, want %v", got, want)
		}
	}
	members()
	s.must(s.Cluster.Announce(s.ctx(), "b", 2*lease))
	s.must(s.Cluster.Announce(s.ctx(), "a", lease))
	s.must(s.Cluster.Announce(s.ctx(), "c", lease))
	s.must(s.Cluster.Announce(s.ctx(), "c", 0))
	members("a", "b")
	s.clock.advance(lease)
	members("b")
	s.must(s.Cluster.Announce(s.ctx(), "b", lease))
	s.clock.advance(lease)
	members()
}

// listen returns what a node hears, from when it has joined.
func (s suite) listen(node string) <-chan session.Message {
	s.Helper()
	heard := make(chan session.Message, 1000)
	ctx, cancel := context.WithCancel(s.ctx())
	ended := make(chan error, 1)
	go func() { ended <- s.Cluster.Listen(ctx, node, func(m session.Message) { heard <- m }) }()
	s.Cleanup(func() {
		cancel()
		s.wantErr("Listen whose context ends", <-ended, session.ErrStoreUnavailable)
	})
	if m := <-heard; !m.Joined {
		s.Errorf("the first message is %+v", m)
	}
	return heard
}

func nodesHearEachOther(s suite) {
	a, b := s.listen("a"), s.listen("b")
	const count = 100
	for n := range count {
		s.must(s.Cluster.Send(s.ctx(), "a", fmt.Appendf(nil, "number %d\n\x00", n)))
	}
	s.must(s.Cluster.Send(s.ctx(), "nobody", []byte("lost")))
	s.must(s.Cluster.Send(s.ctx(), "", []byte("to all")))
	for n := range count {
		if m := <-a; string(m.Body) != fmt.Sprintf("number %d\n\x00", n) {
			s.Fatalf("message %d is %q", n, m.Body)
		}
	}
	for _, heard := range []<-chan session.Message{a, b} {
		if m := <-heard; string(m.Body) != "to all" || m.Lost != 0 || m.Joined {
			s.Errorf("got %+v", m)
		}
	}
}

func nodeHearsOfItsLoss(s suite) {
	a := s.listen("a")
	s.claim(want(1, "a", 7))
	s.claim(want(2, "a", 8))
	s.claim(want(1, "b", 1))
	if m := <-a; m.Lost != 7 || m.Joined || len(m.Body) != 0 {
		s.Errorf("got %+v, want the loss of number 7", m)
	}
	// A claim of another epoch that takes a place is told of, too.
	earlier := session.Claim{Slot: slot(2), Number: 9, Room: 1, Fence: ^uint64(0) >> 12, Epoch: "another"}
	s.wantStanding("b", earlier, session.StandingHeld)
	if m := <-a; m.Lost != 8 {
		s.Errorf("got %+v, want the loss of number 8", m)
	}
}
