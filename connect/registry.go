package connect

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// SlotMode says what becomes of a socket for a slot that is full.
type SlotMode string

const (
	// ReplaceOlder admits it and ends the slot's oldest socket. It is right where a player who lost his connection must
	// come back at once, which is nearly always.
	ReplaceOlder SlotMode = "replace_older"
	// RefuseNewer refuses it with ErrSlotTaken. A connection that broke unseen holds its slot until it is noticed.
	RefuseNewer SlotMode = "refuse_newer"
)

// StaleSockets says what becomes of the live sockets when the ledger cannot tell any more what is revoked. New ones are
// refused in any case.
type StaleSockets string

const (
	// KeepSockets lets them live until they expire. Revocations that the ledger learns of later end them then.
	KeepSockets StaleSockets = "keep"
	// CloseSockets ends them all within 1 s, as CloseUnavailable. With the ledger's policy session.Strict one failed
	// contact is enough.
	CloseSockets StaleSockets = "close"
)

// RegistryConfig configures a Registry. Ledger, Routes and Stale are required.
type RegistryConfig struct {
	// Ledger knows what is revoked. It must be followed by its Run, or the revocations of other nodes are not seen.
	Ledger *session.Ledger
	// Routes are the routes that have sockets, by name. A socket for another route is refused. SetRoutes changes them.
	Routes map[string]SocketRoute
	// Stale decides about live sockets while the ledger cannot tell what is revoked.
	Stale StaleSockets
	// PerPlayer bounds the live sockets of one player over all slots. More are refused with ErrSlotTaken. Default 64, at
	// most 1,024.
	PerPlayer int
	// Owners is the store by which several nodes know who holds which slot, so that a player has one socket for a slot on
	// all of them together. Nil is this node alone. PerPlayer goes for each node.
	Owners session.Cluster
	// Lease is how long this node holds its slots after it last reached Owners; it tries three times as often. After that
	// it ends their sockets as CloseLapsed, because another node may have taken over unheard; see OwnerOverlap. So the
	// sockets live through an absence of the store of two thirds of it. Default 45 s, the ledger's default grace and the
	// time between two renewals; from 3 s to 10 min. Only with Owners.
	//
	// The sockets do not lapse where two settings say that the game goes on whatever the store does: the ledger's policy
	// is session.Available and Stale is KeepSockets.
	Lease time.Duration
	// Node names this node to operators, with a random ending: up to 64 letters, digits, "-", "_" and ".". Default
	// "node". Only with Owners.
	Node string
	// Notice is how long before the expiry of its session Hooks.Notice of a socket is called, at most 1 h. 0 is never.
	Notice time.Duration
	// Now is the clock; nil is [time.Now]. Whatever it says, waiting goes by the machine's.
	Now func() time.Time
}

const (
	defaultPerPlayer = 64
	maxPerPlayer     = 1024
	maxNotice        = time.Hour
	clockPulse       = 30 * time.Second // a step of the clock is noticed after so long
	stalePulse       = time.Second
)

var (
	// ErrSlotTaken says that there is no room: an older socket holds the slot, or the player has too many sockets.
	ErrSlotTaken = errors.New("connect: not admitted: the slot is taken")
	// ErrDraining says that the registry admits nobody any more.
	ErrDraining = errors.New("connect: not admitted: draining")
	// ErrEnded says that the socket has ended and cannot be renewed.
	ErrEnded = errors.New("connect: the socket has ended")
)

var (
	errNoSession   = errors.New("connect: want a verified session with a player and an id")
	errNoRoute     = errors.New("connect: not admitted: the slot's route is not one of the registry's")
	errNoHook      = errors.New("connect: not admitted: Hooks.Close is missing")
	errTooMany     = fmt.Errorf("%w: the player has RegistryConfig.PerPlayer sockets", ErrSlotTaken)
	errSlotName    = fmt.Errorf("connect: not admitted: the slot's name is longer than %d bytes", maxSlotName)
	errExpired     = &jws.Refusal{Check: jws.CheckTime, Reason: jws.Expired, Claim: "exp", Want: "a session that has not expired", Verified: true}
	errOtherPlayer = &jws.Refusal{Check: jws.CheckPolicy, Reason: jws.WrongUser, Claim: "sub", Want: "the player of the socket", Verified: true}
)

// Registry knows the live sockets of a node and ends each when its session does: at its expiry, when the ledger learns of
// a revocation or ban, when a newer socket takes its slot, when an operator or a drain says so. It works for any kind of
// connection, as it only calls hooks.
//
// An idle socket has no goroutine and no timer: there is one timer for all. A goroutine is there only while a hook runs,
// one for each, so that a hook that blocks delays nothing and nobody. All methods may be called concurrently.
type Registry struct {
	config RegistryConfig
	pulse  time.Duration
	cancel func()
	empty  chan struct{} // closed once it is drained

	owning *owning // nil without RegistryConfig.Owners

	mu       sync.Mutex
	routes   map[string]*socketRoute
	indexes  socketIndexes
	queue    socketHeap
	last     uint64
	admitted uint64
	timer    *time.Timer
	wakes    int64 // when the timer fires, 0 if it does not
	closing  int
	ended    map[CloseReason]uint64
	draining bool
}

// NewRegistry checks the configuration and returns a registry that listens to the ledger. The error names the field to
// set. The registry listens until it was drained.
func NewRegistry(config RegistryConfig) (*Registry, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	r := &Registry{
		config: config, routes: routesOf(config.Routes), pulse: clockPulse, empty: make(chan struct{}),
		indexes: newSocketIndexes(), ended: make(map[CloseReason]uint64),
	}
	if config.Stale == CloseSockets {
		r.pulse = stalePulse
	}
	r.cancel = config.Ledger.Subscribe(r.take)
	if config.Owners != nil {
		r.owning = newOwning(r)
		r.owning.start()
	}
	return r, nil
}

func (c *RegistryConfig) check() error {
	if c.PerPlayer == 0 {
		c.PerPlayer = defaultPerPlayer
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Owners != nil && c.Lease == 0 {
		c.Lease = defaultLease
	}
	switch {
	case c.Ledger == nil:
		return errors.New("connect: RegistryConfig.Ledger is required: set the ledger that knows what is revoked")
	case c.Routes == nil:
		return errors.New("connect: RegistryConfig.Routes is required: name the routes that have sockets, or give an empty map")
	case c.Stale != KeepSockets && c.Stale != CloseSockets:
		return fmt.Errorf("connect: RegistryConfig.Stale: decide between %q and %q", KeepSockets, CloseSockets)
	case c.PerPlayer < 0 || c.PerPlayer > maxPerPlayer:
		return fmt.Errorf("connect: RegistryConfig.PerPlayer: want 1 to %d", maxPerPlayer)
	case c.Owners == nil && (c.Lease != 0 || c.Node != ""):
		return errors.New("connect: RegistryConfig.Lease, RegistryConfig.Node: set them only with Owners")
	case c.Owners != nil && (c.Lease < minLease || c.Lease > maxLease):
		return fmt.Errorf("connect: RegistryConfig.Lease: want %v to %v", minLease, maxLease)
	case len(c.Node) > maxNodeName || strings.ContainsFunc(c.Node, notInNodeName):
		return errors.New(`connect: RegistryConfig.Node: want up to 64 letters, digits, "-", "_" and "."`)
	case c.Notice < 0 || c.Notice > maxNotice:
		return fmt.Errorf("connect: RegistryConfig.Notice: want 0 to %v", maxNotice)
	}
	return c.checkRoutes(c.Routes)
}

// Admit takes in the connection of a session that a verifier returned, and ends it from now on when the session ends.
// The session is checked against the ledger once more, in one step with taking it in, so that no revocation falls
// between the two. Of several calls for one slot the last to get in is the later one.
//
// With RegistryConfig.Owners the slot is claimed in the store meanwhile. If that fails, the ledger's policy decides: with
// session.Strict the socket is refused as Unavailable; with the others it is admitted by what this node knows, for as long
// as its ledger lets it pass and no longer than a lease, unless the slot can be claimed by then.
//
// Errors: a *jws.Refusal (Expired, Revoked, Banned, Unavailable), ErrSlotTaken, ErrDraining, the end of ctx, or the
// caller's mistake. The connection is then still the caller's to close; CloseReasonOf says how. ctx does not bound the
// socket's life. Call Release when the connection ends by itself.
func (r *Registry) Admit(ctx context.Context, s *session.Session, slot Slot, hooks Hooks) (*Socket, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("connect: not admitted: %w", err)
	}
	socket, err := r.prepare(s, slot, hooks)
	if err != nil {
		return nil, err
	}
	if r.owning != nil {
		return r.owning.admit(ctx, s, slot, socket)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.mayEnter(s, slot, socket); err != nil {
		return nil, err
	}
	r.last++
	socket.id = r.last
	r.enter(socket)
	return socket, nil
}

// mayEnter says whether there is a way in for a socket now, and sets its route.
func (r *Registry) mayEnter(s *session.Session, slot Slot, socket *Socket) error {
	route := r.routes[slot.Route]
	if route == nil {
		return errNoRoute
	}
	socket.route = route
	if r.draining {
		return ErrDraining
	}
	if err := r.admissible(s, r.now()); err != nil {
		return err
	}
	return r.hasRoom(socket)
}

// enter takes a socket in and ends those that it replaces here.
func (r *Registry) enter(s *Socket) {
	now := r.now()
	r.admitted++
	s.admitted = now
	r.indexes.add(s)
	s.due = r.dueOf(s)
	heap.Push(&r.queue, s)
	for {
		_, mates, first := r.matesOf(s)
		if mates < s.route.PerSlot {
			break
		}
		if s.before(first) {
			first = s
		}
		r.end(first, CloseReplaced)
		if first == s {
			break
		}
	}
	r.arm(now)
}

func (r *Registry) prepare(s *session.Session, slot Slot, hooks Hooks) (*Socket, error) {
	switch {
	case s == nil || s.Player.Realm == "" || s.Player.Subject == "" || s.ID == "":
		return nil, errNoSession
	case len(slot.Name) > maxSlotName:
		return nil, errSlotName
	case hooks.Close == nil:
		return nil, errNoHook
	}
	socket := &Socket{registry: r, hooks: hooks, expires: nanos(s.Expiry), place: nowhere, claim: unclaimed}
	if r.owning != nil {
		socket.claim = new(socketClaim)
	}
	socket.who, socket.name = holderOf(s, slot.Name)
	return socket, nil
}

// admissible says whether the session holds now. It runs under the lock: the ledger applies an event before it tells
// its subscribers, so an event that this check does not see finds the socket that follows it.
func (r *Registry) admissible(s *session.Session, now int64) error {
	if nanos(s.Expiry) <= now {
		return errExpired
	}
	return r.config.Ledger.CheckSession(s)
}

// hasRoom says whether the mode of the slot and the limit of the player let a socket in.
func (r *Registry) hasRoom(s *Socket) error {
	all, mates, _ := r.matesOf(s)
	full := mates >= s.route.PerSlot
	switch {
	case full && s.route.Mode == RefuseNewer:
		return ErrSlotTaken
	case !full && all >= r.config.PerPlayer:
		return errTooMany
	}
	return nil
}

// matesOf counts the player's other sockets and those of them in the same slot, and returns the first of these. There
// are at most PerPlayer to look at.
func (r *Registry) matesOf(s *Socket) (all, mates int, first *Socket) {
	for other := range r.indexes.players.all(s.who.player) {
		if other == s {
			continue
		}
		all++
		if other.route.name != s.route.name || other.name != s.name {
			continue
		}
		mates++
		if first == nil || other.before(first) {
			first = other
		}
	}
	return all, mates, first
}

// Renew extends the live sockets of a session, found by its id and player, to the expiry of its refreshed token, and
// returns how many there are. s is what a verifier returned for that token, and is checked as Admit does. No socket's
// expiry is brought forward. Errors: a *jws.Refusal (Expired, Revoked, Banned, Unavailable), or the caller's mistake.
func (r *Registry) Renew(s *session.Session) (int, error) {
	if s == nil || s.ID == "" {
		return 0, errNoSession
	}
	who, _ := holderOf(s, "")
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if err := r.admissible(s, now); err != nil {
		return 0, err
	}
	count := 0
	for socket := range r.indexes.sessions.all(who.session) {
		if socket.who.player == who.player {
			r.renew(socket, who, nanos(s.Expiry))
			count++
		}
	}
	r.arm(now)
	return count, nil
}

func (r *Registry) renew(s *Socket, who holder, expires int64) {
	if s.who.session == who.session && s.who.upstream == who.upstream && s.who.user == who.user {
		s.who.oldest = who.oldest
	} else {
		r.indexes.remove(s)
		s.who = who
		r.indexes.add(s)
	}
	if expires > s.expires {
		s.expires, s.noticed = expires, false
	}
	r.reschedule(s)
}
