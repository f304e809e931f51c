package connect

import (
	"math"
	"time"
	"unique"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// Slot names what a player has one socket for. With the player it is the key of ownership: a Colyseus client holds a
// socket in each of several rooms, so its slot has the room in Name; where a player has one connection Name is empty.
type Slot struct {
	// Route is one of RegistryConfig.Routes.
	Route string `json:"route"`
	// Name tells the slots of a route apart. Take it from what was checked, such as a room id, at most 255 bytes.
	Name string `json:"name,omitempty"`
}

const maxSlotName = 255

// Hooks is how the registry reaches a connection. Each call runs on a goroutine of its own and holds no lock, so it may
// block and may call the registry.
type Hooks struct {
	// Close ends the connection: it sends what Closing says in the connection's own protocol, and returns once the
	// connection is gone. It is called exactly once if the registry ends the socket, and not at all if Release came first.
	// Required. It should bound its own time: a close handshake with a client that is gone does not end by itself.
	Close func(Closing)
	// Notice, if set, is told RegistryConfig.Notice before the session expires (at, UTC), so that the client can refresh in
	// time. It is called again for the new expiry after a renewal. It may run beside Close and just after Release.
	Notice func(at time.Time)
}

// Socket is an admitted connection. All methods may be called concurrently.
type Socket struct {
	registry *Registry
	id       uint64
	route    *socketRoute
	name     string
	hooks    Hooks
	admitted int64 // Unix nanoseconds, as all times here

	// All of the following belongs to the registry's lock.
	who     holder
	expires int64
	drains  int64 // 0: not draining
	noticed bool
	reason  CloseReason  // "" while the socket is live
	claim   *socketClaim // with RegistryConfig.Owners, else unclaimed

	due   int64 // when something is to be done
	place int   // in the heap
	links [listCount]link
}

// holder is what must be known about a session to end its sockets. A session is many times as large.
type holder struct {
	player   identity.Player
	session  string
	upstream string
	user     string // the backend's own id, where an alias may change the player
	oldest   int64  // the oldest of the session's times, in Unix seconds
}

func (w *holder) upstreamKey() upstreamKey { return upstreamKey{w.player.Realm, w.upstream} }

// holderOf copies what is needed into one piece of memory, so that no token is kept alive, and the slot's name with it.
func holderOf(s *session.Session, slot string) (holder, string) {
	user := s.UserID
	if s.Issuer != "" {
		user = "" // only a backend that mints its own tokens has ids of its own
	}
	text := s.Player.Subject + s.ID + s.Upstream + user + slot
	cut := func(n int) (part string) {
		part, text = text[:n], text[n:]
		return part
	}
	w := holder{oldest: oldestOf(s)}
	w.player = identity.Player{Realm: unique.Make(s.Player.Realm).Value(), Subject: cut(len(s.Player.Subject))}
	w.session, w.upstream, w.user = cut(len(s.ID)), cut(len(s.Upstream)), cut(len(user))
	return w, text
}

// oldestOf is the time that a cut-off is compared with, as Ledger.CheckSession does. A session without iat has the zero
// time, which is before every cut-off.
func oldestOf(s *session.Session) int64 {
	oldest := s.IssuedAt
	for _, t := range [...]time.Time{s.Started, s.AuthTime, s.IdentityIssuedAt} {
		if !t.IsZero() && t.Before(oldest) {
			oldest = t
		}
	}
	return oldest.Unix()
}

// judged is what a ledger must see of the holder to judge it.
func (w *holder) judged() *session.Session {
	return &session.Session{
		Player: w.player, UserID: w.user, ID: w.session, Upstream: w.upstream, IssuedAt: time.Unix(w.oldest, 0),
	}
}

// ID returns the socket's number, which no other socket of this registry has or had. Later sockets have higher ones.
func (s *Socket) ID() uint64 { return s.id }

// Slot returns the slot that the socket was admitted to.
func (s *Socket) Slot() Slot { return Slot{s.route.name, s.name} }

// Fence returns the fencing number of the socket's slot: of two sockets for a slot the one with the higher number is the
// later one, wherever it is. Tell it to the backend, which then knows whom to believe while two nodes disagree. It is 0
// without RegistryConfig.Owners, and while the slot could not be claimed because the store was away.
func (s *Socket) Fence() uint64 {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	return s.fenceNow()
}

// Expiry returns when the socket ends unless its session is renewed, in UTC.
func (s *Socket) Expiry() time.Time {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	return utc(s.expires)
}

// Ended returns why the socket ended, and false while it is live.
func (s *Socket) Ended() (CloseReason, bool) {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	return s.reason, s.reason != ""
}

// Close ends the socket for a reason: Hooks.Close is called, unless the socket had ended already. It reports whether
// this call ended it. It does not wait for the hook.
func (s *Socket) Close(reason CloseReason) bool {
	r := s.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.end(s, reason)
}

// Release says that the connection is over: its slot is free, and if the registry has not ended it, Hooks.Close is never
// called. Whoever admitted a socket calls it when the connection ends by itself; a deferred call is right in any case.
func (s *Socket) Release() { s.ReleaseFor(CloseFinished) }

// ReleaseFor is Release by who has ended the connection and knows why, as a relay whose client was silent: Ended and
// RegistryState.Ended tell that reason. One that the registry gave before stays.
func (s *Socket) ReleaseFor(reason CloseReason) {
	r := s.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.remove(s, s.route.Profile.Closing(reason).Reason) {
		r.settle()
	}
}

// Renew goes on with another verified session of the same player, such as one that the client sent in band: the socket
// ends with that session from now on, and not before it did. Errors are those of Registry.Renew, a refusal WrongUser for
// another player, and ErrEnded.
func (s *Socket) Renew(renewed *session.Session) error {
	if renewed == nil || renewed.ID == "" {
		return errNoSession
	}
	who, _ := holderOf(renewed, "")
	r := s.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if err := r.admissible(renewed, now); err != nil {
		return err
	}
	switch {
	case s.reason != "":
		return ErrEnded
	case s.who.player != who.player:
		return errOtherPlayer
	}
	r.renew(s, who, nanos(renewed.Expiry))
	r.arm(now)
	return nil
}

func utc(nanos int64) time.Time { return time.Unix(0, nanos).UTC() }

// nanos is t in Unix nanoseconds, within what they can hold: the years 1970 to 2262.
func nanos(t time.Time) int64 {
	switch seconds := t.Unix(); {
	case seconds < 0:
		return 0
	case seconds >= math.MaxInt64/int64(time.Second):
		return math.MaxInt64
	}
	return t.UnixNano()
}
