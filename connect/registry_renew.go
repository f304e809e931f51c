package connect

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/session"
)

const (
	renewals    = 3 // in the time of a lease
	ownersChunk = 1000
	callLimit   = 5 * time.Second // of a store that has no limit of its own
	lateClaims  = 8               // at once
)

// renewForever renews all claims three times in a lease, and claims what is wanted. With a slow store the time that this
// takes is part of the wait. After a failure it tries every OwnerTick, and when the node listens again at once.
func (o *owning) renewForever() {
	for {
		began, wait := o.elapsed(), o.lease/renewals
		wait -= rand.N(wait / 10)
		if o.renewAll() {
			wait -= o.elapsed() - began
		} else {
			wait = OwnerTick
		}
		if !o.wait(o.due, wait) {
			return
		}
	}
}

// wait waits for a poke or the time, and says whether the registry goes on.
func (o *owning) wait(poked <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-o.life.Done():
		return false
	case <-poked:
	case <-timer.C:
	}
	return true
}

// leased is a socket and when its lease was to end: who has the least of it left is renewed first.
type leased struct {
	*Socket
	until time.Duration
}

// renewAll reports whether everything could be asked.
func (o *owning) renewAll() bool {
	o.mu.Lock()
	o.soon = false
	var held []leased
	var wanted []*Socket
	for _, s := range o.sockets {
		switch {
		case s.place == nowhere:
		case s.claim.state == claimHeld:
			held = append(held, leased{s, s.claim.until})
		case s.claim.state == claimWanted:
			wanted = append(wanted, s)
		}
	}
	o.mu.Unlock()
	slices.SortFunc(held, func(a, b leased) int { return cmp.Compare(a.until, b.until) })
	var err error
	for chunk := range slices.Chunk(held, ownersChunk) {
		err = errors.Join(err, o.renewChunk(chunk))
	}
	err = errors.Join(err, o.call(func(ctx context.Context) error { return o.store.Announce(ctx, o.name, o.lease) }))
	if err == nil {
		err = o.claimLate(wanted)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.err = err.Error()
		return false
	}
	o.err, o.renewed = "", o.config.Now().UTC()
	return true
}

func (o *owning) call(f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(o.life, callLimit)
	defer cancel()
	return f(ctx)
}

func (o *owning) renewChunk(sockets []leased) error {
	o.mu.Lock()
	claims := make([]session.Claim, len(sockets))
	for i, s := range sockets {
		claims[i] = s.claimed()
	}
	o.mu.Unlock()
	asked := o.elapsed()
	var results []session.Renewal
	err := o.call(func(ctx context.Context) (err error) {
		results, err = o.store.RenewSlots(ctx, o.name, o.lease, claims)
		return err
	})
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, result := range results {
		o.renewedTo(sockets[i].Socket, claims[i], result, asked)
	}
	return err
}

// renewedTo takes in what became of a claim. Meanwhile the socket may have ended, or moved to another slot: what was
// given back before it was renewed is given back again.
func (o *owning) renewedTo(s *Socket, claim session.Claim, result session.Renewal, asked time.Duration) {
	over := s.place == nowhere || s.slot() != claim.Slot
	switch {
	case result.Standing == session.StandingUnknown, !over && s.claim.state != claimHeld:
	case over:
		if result.Standing == session.StandingHeld {
			o.freed = append(o.freed, freed{claim, o.elapsed() + o.lease})
			poke(o.news)
		}
	case result.Standing == session.StandingHeld:
		s.claim.epoch = result.Epoch
		o.extend(s, asked)
	case result.Standing == session.StandingReplaced:
		o.lose(s, CloseReplaced)
	default:
		o.lose(s, CloseLapsed)
	}
}

// claimLate claims the slots of sockets that were admitted while the store was away, a few at a time. It gives up with the
// first that fails.
func (o *owning) claimLate(sockets []*Socket) error {
	for chunk := range slices.Chunk(sockets, lateClaims) {
		errs := make(chan error, len(chunk))
		for _, s := range chunk {
			go func() { errs <- o.claimOneLate(s) }()
		}
		var err error
		for range chunk {
			err = errors.Join(err, <-errs)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lateReasons tell a socket that came too late, by whether its slot refuses newer ones.
var lateReasons = map[bool]CloseReason{false: CloseReplaced, true: CloseSlotTaken}

func (o *owning) claimOneLate(s *Socket) error {
	asked := o.elapsed()
	o.mu.Lock()
	refuse := s.route.Mode == RefuseNewer
	want := session.Want{
		Slot: s.slot(), Node: o.name, Number: s.id, Room: s.route.PerSlot, Refuse: refuse, Lease: o.lease,
		Age: max(1, time.Duration(o.now()-s.admitted)),
	}
	o.mu.Unlock()
	var claim session.Claim
	err := o.call(func(ctx context.Context) (err error) {
		claim, err = o.store.ClaimSlot(ctx, want)
		return err
	})
	o.mu.Lock()
	defer o.mu.Unlock()
	over := s.place == nowhere || s.slot() != want.Slot
	switch {
	case errors.Is(err, session.ErrConflict):
		if !over && s.claim.state == claimWanted {
			o.lose(s, lateReasons[refuse])
		}
		return nil
	case over:
		claim.Slot, claim.Number = want.Slot, want.Number // an error may hide that it was stored
		o.freed = append(o.freed, freed{claim, o.elapsed() + o.lease})
		poke(o.news)
		return err
	case err != nil:
		return err
	case s.claim.state != claimWanted:
		return nil // another goroutine was first
	}
	s.claim.state, s.claim.fence, s.claim.epoch = claimHeld, claim.Fence, claim.Epoch
	o.extend(s, asked)
	return nil
}

// releaseForever gives claims back as soon as there are some. What cannot be given back is tried again until its lease is
// over.
func (o *owning) releaseForever() {
	pause := time.Duration(maxElapsed)
	for o.wait(o.news, pause) {
		pause = maxElapsed
		if !o.releaseAll() {
			pause = OwnerTick
		}
	}
}

func (o *owning) releaseAll() bool {
	for {
		o.mu.Lock()
		chunk := slices.Clone(o.freed[:min(len(o.freed), ownersChunk)])
		o.freed = o.freed[len(chunk):]
		if len(o.freed) == 0 {
			o.freed = nil
		}
		o.flushing = len(chunk) > 0
		if !o.flushing && o.flushed != nil {
			close(o.flushed)
			o.flushed = nil
		}
		o.mu.Unlock()
		if len(chunk) == 0 {
			return true
		}
		if err := o.release(chunk); err != nil {
			o.keepFreed(chunk, err)
			return false
		}
	}
}

func (o *owning) release(chunk []freed) error {
	claims := make([]session.Claim, len(chunk))
	for i, f := range chunk {
		claims[i] = f.Claim
	}
	return o.call(func(ctx context.Context) error { return o.store.ReleaseSlots(ctx, o.name, claims) })
}

func (o *owning) keepFreed(chunk []freed, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err.Error()
	now := o.elapsed()
	o.freed = slices.DeleteFunc(append(o.freed, chunk...), func(f freed) bool { return f.until <= now })
}

// flush waits until what was given up so far is given back, though not for ever, and says whether something was.
func (o *owning) flush(ctx context.Context) bool {
	o.mu.Lock()
	if len(o.freed) == 0 && !o.flushing {
		o.mu.Unlock()
		return false
	}
	if o.flushed == nil {
		o.flushed = make(chan struct{})
	}
	flushed := o.flushed
	o.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	select {
	case <-flushed:
		return true
	case <-ctx.Done():
		return false
	}
}

// listenForever hears of take-overs and of what operators ask. Whenever it listens anew everything is renewed, as news may
// have been missed.
func (o *owning) listenForever() {
	for failures := 0; ; failures++ {
		err := o.store.Listen(o.life, o.name, func(m session.Message) {
			failures = 0
			o.told(m)
		})
		if o.life.Err() != nil {
			return
		}
		o.mu.Lock()
		o.err = err.Error()
		o.mu.Unlock()
		pause := min(100*time.Millisecond<<min(failures, 6), 2*time.Second)
		if !o.wait(nil, pause/2+rand.N(pause/2)) {
			return
		}
	}
}

func (o *owning) told(m session.Message) {
	switch {
	case m.Joined:
		o.mu.Lock()
		defer o.mu.Unlock()
		o.joins++
		poke(o.due)
	case m.Lost != 0:
		o.mu.Lock()
		defer o.mu.Unlock()
		s := o.sockets[m.Lost]
		switch {
		case s == nil:
		case s.place == nowhere:
			s.claim.state = claimLost // it waits for its claim
		default:
			o.lose(s, CloseReplaced)
		}
	default:
		o.asked(m.Body)
	}
}
