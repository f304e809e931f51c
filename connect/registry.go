package connect

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
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

	mu       sync.Mutex
	routes   map[string]*socketRoute
	indexes  socketIndexes
	queue    socketHeap
	last     uint64
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
	return r, nil
}

func (c *RegistryConfig) check() error {
	if c.PerPlayer == 0 {
		c.PerPlayer = defaultPerPlayer
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	switch {
	case c.Ledger == nil:
		return errors.New("connect: RegistryConfig.Ledger is required: set the ledger that knows what is revoked")
	case len(c.Routes) == 0:
		return errors.New("connect: RegistryConfig.Routes is required: name the routes that have sockets")
	case c.Stale != KeepSockets && c.Stale != CloseSockets:
		return fmt.Errorf("connect: RegistryConfig.Stale: decide between %q and %q", KeepSockets, CloseSockets)
	case c.PerPlayer < 0 || c.PerPlayer > maxPerPlayer:
		return fmt.Errorf("connect: RegistryConfig.PerPlayer: want 1 to %d", maxPerPlayer)
	case c.Notice < 0 || c.Notice > maxNotice:
		return fmt.Errorf("connect: RegistryConfig.Notice: want 0 to %v", maxNotice)
	}
	return c.checkRoutes(c.Routes)
}

// Admit takes in the connection of a session that a verifier returned, and ends it from now on when the session ends.
// The session is checked against the ledger once more, in one step with taking it in, so that no revocation falls
// between the two. Of several calls for one slot the last to get in is the later one.
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
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if socket.route = r.routes[slot.Route]; socket.route == nil {
		return nil, errNoRoute
	}
	if r.draining {
		return nil, ErrDraining
	}
	if err := r.admissible(s, now); err != nil {
		return nil, err
	}
	if err := r.makeRoom(socket); err != nil {
		return nil, err
	}
	r.last++
	socket.id, socket.admitted = r.last, now
	r.indexes.add(socket)
	socket.due = r.dueOf(socket)
	heap.Push(&r.queue, socket)
	r.arm(now)
	return socket, nil
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
	socket := &Socket{registry: r, hooks: hooks, expires: nanos(s.Expiry), place: nowhere}
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

// makeRoom applies the mode of the slot.
func (r *Registry) makeRoom(s *Socket) error {
	all, mates, oldest := r.matesOf(s)
	full := mates >= s.route.PerSlot
	switch {
	case full && s.route.Mode == RefuseNewer:
		return ErrSlotTaken
	case !full && all >= r.config.PerPlayer:
		return errTooMany
	}
	for mates >= s.route.PerSlot { // more than once only after SetRoutes
		r.end(oldest, CloseReplaced)
		_, mates, oldest = r.matesOf(s)
	}
	return nil
}

// matesOf counts the player's other sockets and those of them in the same slot, and returns the oldest of these. There
// are at most PerPlayer to look at.
func (r *Registry) matesOf(s *Socket) (all, mates int, oldest *Socket) {
	for other := range r.indexes.players.all(s.who.player) {
		if other == s {
			continue
		}
		all++
		if other.route.name != s.route.name || other.name != s.name {
			continue
		}
		mates++
		if oldest == nil || other.id < oldest.id {
			oldest = other
		}
	}
	return all, mates, oldest
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
