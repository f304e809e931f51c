package edge

import (
	"cmp"
	"net/http"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
)

// ColyseusConfig configures the routes of [Colyseus]. Backend is required.
type ColyseusConfig struct {
	// Backend is the Colyseus server: http://127.0.0.1:2567.
	Backend string
	// Who may play. Default Session or Identity, as far as the gate has verifiers for them.
	Who Who
	// ForwardToken sends the player's token on, for rooms whose onAuth verifies it again. Default no: they see X-Auth-User.
	ForwardToken bool
	// Socket is how room connections live. Nil: a newer socket replaces the older of the same room, any origin, pong wait 20 s.
	Socket *SocketConfig
	// Seats is how many seats are remembered. Default 65,536. One that was not taken is forgotten after 60 s.
	Seats int
	// Timeout is as Route.Timeout.
	Timeout time.Duration
}

// Colyseus returns the routes of a Colyseus server: POST /matchmake/…, and the sockets /{process}/{room}. A seat that the
// matchmaker reserved is bound to the player who asked for it, so that nobody else can sit down on it: Colyseus itself asks at
// the upgrade for nothing but its id. A player may be in several rooms at once.
func Colyseus(config ColyseusConfig) []Route {
	seats := newSeats(cmp.Or(config.Seats, 1<<16))
	who := cmp.Or(config.Who, Session|Identity)
	join := Route{
		Name: "colyseus-matchmake", Path: "/matchmake/{method}/*", Methods: []string{http.MethodPost}, Backend: config.Backend,
		Who: who, ifVerified: config.Who == 0, Timeout: config.Timeout, Preflight: true,
		Forward: Forward{Bearer: config.ForwardToken}, special: seatReserving{seats},
	}
	sit := Route{
		Name: "colyseus-room", Path: "/{process}/{room}", Methods: []string{http.MethodGet}, Backend: config.Backend,
		Who: who, ifVerified: config.Who == 0, Timeout: config.Timeout, special: seatTaking{seats},
		Sources: Sources{Bearer: true, Subprotocol: true, Query: "_authToken"},
	}
	if config.ForwardToken {
		sit.Forward.Query = "_authToken"
	}
	s := SocketConfig{Profile: connect.ProfileColyseus, Mode: connect.ReplaceOlder, AnyOrigin: true, Slot: "room"}
	if config.Socket != nil {
		s = *config.Socket
		s.Slot = cmp.Or(s.Slot, "room")
	}
	s.MaxMessage = cmp.Or(s.MaxMessage, colyseusMaxMessage)
	sit.Socket = &s
	return []Route{join, sit}
}

// PlainConfig configures the routes of [Plain]. Backend and Path are required.
type PlainConfig struct {
	// Backend is the server: http://127.0.0.1:8080.
	Backend string
	// Path is the path of its sockets, such as "/ws".
	Path string
	// Who may connect. Default Session or Ticket, as far as the gate has verifiers for them.
	Who Who
	// Forward is as Route.Forward.
	Forward Forward
	// Socket is how its sockets live. Nil: a newer socket replaces the older, any origin, ping 10 s, pong wait 20 s.
	Socket *SocketConfig
}

// Plain returns the route of a WebSocket server of any kind. Tickets come in the query parameter "ticket".
func Plain(config PlainConfig) []Route {
	r := Route{
		Name: "plain", Path: config.Path, Methods: []string{http.MethodGet}, Backend: config.Backend, Forward: config.Forward,
		Who: cmp.Or(config.Who, Session|Ticket), Sources: Sources{Bearer: true, Subprotocol: true},
		ifTickets: config.Who == 0, ifVerified: config.Who == 0,
	}
	if r.Who&Ticket != 0 {
		r.Sources.Ticket = "ticket"
	}
	if r.Who&(Session|Identity) == 0 {
		r.Sources = Sources{Ticket: r.Sources.Ticket}
	}
	s := SocketConfig{Profile: connect.ProfilePlain, Mode: connect.ReplaceOlder, AnyOrigin: true}
	if config.Socket != nil {
		s = *config.Socket
	}
	r.Socket = &s
	return []Route{r}
}
