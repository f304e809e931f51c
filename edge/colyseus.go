package edge

import (
	"container/list"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
)

// seatReserving passes on what the matchmaker answers, and remembers whose seat it is.
type seatReserving struct{ seats *seats }

func (seatReserving) check(*Config) error { return nil }

func (seatReserving) note() string { return "binds the seat to the player" }

func (s seatReserving) serve(x *exchange) {
	body, ok := x.readAll()
	if !ok {
		return
	}
	answer, data, ok := x.fetch(body)
	if !ok {
		return
	}
	if answer.Status == http.StatusOK {
		if at, ok := seatIn(data); ok {
			s.seats.reserve(at, x.principal.Player(), x.now())
		}
	}
	x.reply(answer, data)
}

// seat is a place in a room.
type seat struct{ room, session string }

// seatIn reads a matchmaker's answer: {"roomId", "sessionId", …} from 0.17 on, {"room": {"roomId", …}, "sessionId"} in 0.16.
func seatIn(answer []byte) (at seat, ok bool) {
	object, err := jws.ParseObject(answer)
	if err != nil {
		return at, false
	}
	at.session, _ = object.String("sessionId")
	if room, nested := object.Object("room"); nested {
		at.room, _ = room.String("roomId")
	} else {
		at.room, _ = object.String("roomId")
	}
	return at, isNameSegment(at.session) && isNameSegment(at.room)
}

// seatTaking lets a player sit down on his own seat alone. It is asked before the socket is opened.
type seatTaking struct{ seats *seats }

func (seatTaking) check(*Config) error { return nil }

func (seatTaking) note() string { return "the player's own seat alone" }

// serve is never asked: the route has sockets and nothing else.
func (seatTaking) serve(x *exchange) { x.refuse(needsUpgrade) }

// opener is a special that is asked before a socket is opened.
type opener interface {
	mayOpen(x *exchange) (because refusal, ok bool)
}

func (s seatTaking) mayOpen(x *exchange) (refusal, bool) {
	query, err := url.ParseQuery(x.query)
	sessions := query["sessionId"]
	if err != nil || len(sessions) != 1 {
		return noSeat, false
	}
	at := seat{room: x.route.pattern.segmentOf(x.path, "room"), session: sessions[0]}
	return noSeat, s.seats.take(at, x.principal.Player(), x.now())
}

const (
	seatWait = time.Minute    // for a seat that nobody took yet
	seatLife = 24 * time.Hour // for one that was taken, because SDKs come back to it after a broken connection
)

// seats remembers whose a seat is. Its memory is bounded: the seat that was used the longest ago is forgotten, and its player has
// to join again.
type seats struct {
	limit int

	mu    sync.Mutex
	by    map[seat]*list.Element
	order list.List // of *reservation, the latest first
}

type reservation struct {
	seat    seat
	player  identity.Player
	expires time.Time
}

func newSeats(limit int) *seats { return &seats{limit: limit, by: make(map[seat]*list.Element)} }

// adopt takes the seats of other routes over, as when a configuration is read again while players are on their way to them.
func (s *seats) adopt(others *seats) {
	others.mu.Lock()
	var all []reservation
	for e := others.order.Back(); e != nil; e = e.Prev() {
		all = append(all, *e.Value.(*reservation))
	}
	others.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range all {
		if s.by[r.seat] == nil {
			s.put(r)
		}
	}
}

func (s *seats) reserve(at seat, p identity.Player, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.by[at]; e != nil {
		// The same seat again is a reconnect: of its player, or the matchmaker gave it to another one.
		s.order.MoveToFront(e)
		*e.Value.(*reservation) = reservation{at, p, now.Add(seatWait)}
		return
	}
	s.put(reservation{at, p, now.Add(seatWait)})
}

// put remembers a seat that is new. The lock is held.
func (s *seats) put(r reservation) {
	for s.order.Len() >= s.limit {
		oldest := s.order.Back()
		s.order.Remove(oldest)
		delete(s.by, oldest.Value.(*reservation).seat)
	}
	s.by[r.seat] = s.order.PushFront(&r)
}

func (s *seats) take(at seat, p identity.Player, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.by[at]
	if e == nil {
		return false
	}
	r := e.Value.(*reservation)
	if r.player != p || !now.Before(r.expires) {
		return false
	}
	r.expires = now.Add(seatLife)
	s.order.MoveToFront(e)
	return true
}

// adoptSeats keeps the seats of the routes that were there before and have the same name and backend.
func (t *table) adoptSeats(old *table) {
	if old == nil {
		return
	}
	for _, r := range t.routes {
		to, ok := r.special.(seatTaking)
		for _, before := range old.routes {
			if from, was := before.special.(seatTaking); ok && was && from.seats != to.seats && before.Name == r.Name && before.Backend == r.Backend {
				to.seats.adopt(from.seats)
			}
		}
	}
}
