package connect

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

const (
	defaultLease = 45 * time.Second
	minLease     = 3 * time.Second
	maxLease     = 10 * time.Minute
	maxNodeName  = 64
	// OwnerTick is how often a registry looks for sockets whose lease is over.
	OwnerTick = time.Second
)

// OwnerOverlap is how long, at most, two nodes hold the same place in a slot: from when the store gave it to the later one
// until the former one has begun to end its socket, if the two never hear of each other. It is the lease, whose time runs
// from before a node asked for it, and OwnerTick. A node that hears of its loss, as it nearly always does, ends the socket
// at once. The time in which a machine is suspended does not count. See RegistryConfig.Lease for the one combination
// of settings without a bound.
func OwnerOverlap(lease time.Duration) time.Duration { return lease + OwnerTick }

func notInNodeName(r rune) bool {
	return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

// socketClaim is what a socket knows about its slot's claim. It belongs to the registry's lock.
type socketClaim struct {
	state claimState
	fence uint64        // while the claim is wanted: when the socket was admitted, by this node's clock
	epoch string        // "" until it is claimed
	until time.Duration // the end of the lease, on owning's clock
}

// unclaimed is the claim of every socket of a registry without RegistryConfig.Owners. Nobody writes to it.
var unclaimed = new(socketClaim)

type claimState byte

const (
	claimNone   claimState = iota // no Owners
	claimWanted                   // the store was away, or may have the claim all the same
	claimHeld
	claimLost // the store said so: there is nothing to give back
)

// before says which of two sockets for a slot is the first to go.
func (s *Socket) before(other *Socket) bool {
	if s.claim.fence != other.claim.fence {
		return s.claim.fence < other.claim.fence
	}
	return s.id < other.id
}

// fenceNow runs under the registry's lock.
func (s *Socket) fenceNow() uint64 {
	if s.claim.epoch == "" {
		return 0
	}
	return s.claim.fence
}

func (s *Socket) slot() session.OwnedSlot {
	return session.OwnedSlot{Player: s.who.player, Route: s.route.name, Name: s.name}
}

func (s *Socket) claimed() session.Claim {
	return session.Claim{Slot: s.slot(), Number: s.id, Room: s.route.PerSlot, Fence: s.claim.fence, Epoch: s.claim.epoch}
}

// owning is the part of a registry that shares slots with other nodes. Its fields belong to the registry's lock but for
// those that never change.
type owning struct {
	*Registry
	store  session.Cluster
	name   string
	lease  time.Duration
	began  time.Time
	strict bool // refuse what cannot be claimed
	lapses bool
	life   context.Context
	end    context.CancelFunc
	tasks  sync.WaitGroup

	sockets  map[uint64]*Socket // live, and those that wait for their claim
	freed    []freed            // to be given back
	flushing bool               // some of them just now
	flushed  chan struct{}      // closed when freed and flushing were seen empty; nil if nobody waits
	news     chan struct{}      // something is in freed
	due      chan struct{}      // renew now
	soon     bool               // due is going to be poked for a socket that could not be claimed
	first    time.Duration      // no lease is over before
	renewed  time.Time
	joins    int // how often it began to listen
	err      string
}

type freed struct {
	session.Claim
	until time.Duration
}

func newOwning(r *Registry) *owning {
	c, policy := r.config, r.config.Ledger.State().Policy
	name := c.Node
	if name == "" {
		name = "node"
	}
	o := &owning{
		Registry: r, store: c.Owners, name: name + "-" + rand.Text()[:10], lease: c.Lease, began: time.Now(),
		strict: policy == session.Strict, lapses: policy != session.Available || c.Stale != KeepSockets,
		sockets: make(map[uint64]*Socket), news: make(chan struct{}, 1), due: make(chan struct{}, 1), first: maxElapsed,
	}
	o.life, o.end = context.WithCancel(context.Background())
	return o
}

const maxElapsed = time.Duration(1<<63 - 1)

func (o *owning) start() {
	for _, task := range []func(){o.watchLeases, o.renewForever, o.releaseForever, o.listenForever} {
		o.tasks.Go(task)
	}
}

// elapsed is the clock of the leases: no step of the machine's clock changes it.
func (o *owning) elapsed() time.Duration { return time.Since(o.began) }

// poke wakes whoever waits for c.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// admit claims the slot without the lock and takes the socket in. While it waits the socket is known by its number, so
// that the news of its replacement finds it.
func (o *owning) admit(ctx context.Context, s *session.Session, slot Slot, socket *Socket) (*Socket, error) {
	joins, err := o.expect(s, slot, socket)
	if err != nil {
		return nil, err
	}
	began := o.elapsed()
	claim, err := o.claim(ctx, socket)
	o.mu.Lock()
	defer o.mu.Unlock()
	if refusal := o.judge(ctx, s, slot, socket, err); refusal != nil {
		o.forget(socket)
		return nil, refusal
	}
	told := socket.claim.state == claimLost
	*socket.claim = socketClaim{state: claimWanted, fence: uint64(o.config.Now().UnixMicro())}
	if err == nil {
		socket.claim.state, socket.claim.fence, socket.claim.epoch = claimHeld, claim.Fence, claim.Epoch
	}
	o.extend(socket, began)
	o.enter(socket)
	switch {
	case told:
		o.lose(socket, CloseReplaced)
	case joins != o.joins:
		poke(o.due) // the renewal after the gap in the news did not know this socket
	case err != nil && !o.soon:
		o.soon = true
		time.AfterFunc(OwnerTick, func() { poke(o.due) })
	}
	return socket, nil
}

func (o *owning) expect(s *session.Session, slot Slot, socket *Socket) (joins int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.mayEnter(s, slot, socket); err != nil {
		return 0, err
	}
	o.last++
	socket.id = o.last
	o.sockets[socket.id] = socket
	return o.joins, nil
}

// claim asks for the slot, a second time if what refuses is a socket of this node that has ended already.
func (o *owning) claim(ctx context.Context, s *Socket) (session.Claim, error) {
	want := session.Want{
		Slot: s.slot(), Node: o.name, Number: s.id, Room: s.route.PerSlot, Refuse: s.route.Mode == RefuseNewer, Lease: o.lease,
	}
	claim, err := o.store.ClaimSlot(ctx, want)
	if errors.Is(err, session.ErrConflict) && o.flush(ctx) {
		claim, err = o.store.ClaimSlot(ctx, want)
	}
	return claim, err
}

// judge says why a socket may not enter after all. err is that of the claim.
func (o *owning) judge(ctx context.Context, s *session.Session, slot Slot, socket *Socket, err error) error {
	switch {
	case errors.Is(err, session.ErrConflict):
		socket.claim.state = claimLost
		return ErrSlotTaken
	case err != nil && (o.strict || ctx.Err() != nil || !errors.Is(err, session.ErrStoreUnavailable)):
		o.err = err.Error()
		return errNoOwners
	case err != nil:
		o.err = err.Error()
	}
	return o.mayEnter(s, slot, socket)
}

var errNoOwners = &jws.Refusal{
	Check: jws.CheckPolicy, Reason: jws.Unavailable, Verified: true, Want: "contact with the store of owners, which is away",
}

// forget gives back what a socket that was not admitted may have claimed.
func (o *owning) forget(s *Socket) {
	if s.claim.state == claimNone {
		s.claim.state = claimWanted
	}
	o.left(s)
	o.settle()
}

// left is called when a socket is over.
func (o *owning) left(s *Socket) {
	delete(o.sockets, s.id)
	o.free(s)
}

// free lets a claim be given back.
func (o *owning) free(s *Socket) {
	if s.claim.state == claimLost {
		return
	}
	o.freed = append(o.freed, freed{s.claimed(), o.elapsed() + o.lease})
	poke(o.news)
}

// moves is called before a socket gets another player, and so another slot: the claim is wanted again for that.
func (o *owning) moves(s *Socket) {
	o.free(s)
	s.claim.state, s.claim.epoch = claimWanted, ""
	go func() { _ = o.claimOneLate(s) }() // or with the next renewal
}

// extend gives a socket a lease that was asked for at a time.
func (o *owning) extend(s *Socket, asked time.Duration) {
	s.claim.until = max(s.claim.until, asked+o.lease)
	o.first = min(o.first, s.claim.until)
}

// lose ends a socket whose claim the store does not have any more.
func (o *owning) lose(s *Socket, reason CloseReason) {
	s.claim.state = claimLost
	o.Registry.end(s, reason)
}

// watchLeases ends the sockets whose lease is over. It waits for nothing but the clock.
func (o *owning) watchLeases() {
	tick := time.NewTicker(OwnerTick)
	defer tick.Stop()
	for {
		select {
		case <-o.life.Done():
			return
		case <-tick.C:
			o.lapse()
		}
	}
}

func (o *owning) lapse() {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.elapsed()
	if !o.lapses || now < o.first {
		return
	}
	o.first = maxElapsed
	for _, s := range o.sockets {
		switch {
		case s.place == nowhere:
		case s.claim.until <= now:
			o.Registry.end(s, CloseLapsed)
		default:
			o.first = min(o.first, s.claim.until)
		}
	}
}

func (o *owning) describe(state *RegistryState) {
	state.Node, state.OwnersError, state.Renewed = o.name, o.err, o.renewed
	for _, s := range o.sockets {
		if s.place != nowhere && s.claim.state == claimWanted {
			state.Unclaimed++
		}
	}
}

// node is this node's name among the others, "" if there are none.
func (r *Registry) node() string {
	if r.owning == nil {
		return ""
	}
	return r.owning.name
}

// leaveCluster ends what shares the slots, once all are given back or ctx ends.
func (r *Registry) leaveCluster(ctx context.Context) error {
	o := r.owning
	if o == nil {
		return nil
	}
	o.flush(ctx)
	_ = o.call(func(ctx context.Context) error { return o.store.Announce(ctx, o.name, 0) }) // else it is missed by and by
	o.end()
	o.tasks.Wait()
	return ctx.Err()
}
