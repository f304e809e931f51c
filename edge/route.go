package edge

import (
	"net/http"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
)

// Who says who may use a route: one or several of the values below, joined by |. The zero value is an error, so that a route
// that somebody forgot to decide about is open to nobody.
type Who uint8

const (
	// Public is everybody. No token is looked for, unless another value is joined to it: then a token that is there must be
	// good, and one that is not there is no reason to refuse.
	Public Who = 1 << iota
	// Identity is a player with a verified identity token, of Config.Identities.
	Identity
	// Session is a player with a verified session token, of Config.Sessions.
	Session
	// Ticket is a player with a one-time ticket, of Config.Tickets.
	Ticket
	// Nobody blocks the path: it takes a piece out of what a wider route opens, and shows in the table. It stands alone.
	Nobody
)

// String returns the words of a configuration file, joined by "or".
func (w Who) String() string {
	var words []string
	for i, word := range []string{"public", "identity", "session", "ticket", "nobody"} {
		if w&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	return strings.Join(words, " or ")
}

// Route is one way in. Name, Path, Methods and Who are required, and Backend unless Who is Nobody.
type Route struct {
	// Name names the route in decisions, metrics and the table, and its sockets in the registry.
	Name string
	// Path is what the request's path must be: "/v2/account" exactly; "/v2/storage/*" everything below, but not
	// "/v2/storage" itself; "/{process}/{room}" one segment for each name, of letters, digits, - and _. It is compared byte for
	// byte with the canonical path.
	Path string
	// Methods are accepted, exactly as written: GET does not bring HEAD with it. An upgrade is a GET.
	Methods []string
	// Backend is the server behind: http://host:port, without a path. Nothing but plain HTTP/1.1 is spoken to it.
	Backend string
	// Who may use it.
	Who Who
	// Rules must hold for the token, see package connect.
	Rules []connect.Rule
	// Sources are the places where a token is looked for. The zero value is Bearer alone.
	Sources Sources
	// Forward says how the accepted session token goes on to the backend. The zero value is not at all.
	Forward Forward
	// MaxBody is the largest request body in bytes. Default 1 MiB; negative allows none.
	MaxBody int64
	// Timeout is how long the backend may take to begin its answer, and how long it may pause within one. Default 30 s.
	Timeout time.Duration
	// BodyTimeout is how long the client may pause while it sends its body. Default 30 s.
	BodyTimeout time.Duration
	// Preflight lets browsers ask (Fetch section 4.8): OPTIONS with an Origin and Access-Control-Request-Method goes to the backend,
	// which knows the answer, without a token. Refusals of the gate's own can then be read by the page that asked.
	Preflight bool
	// StreamBody sends a body on from its first byte. Without it the first 16 KiB are waited for, which is wrong only for clients
	// that want an answer to the beginning of a body before they send its end.
	StreamBody bool
	// Socket allows upgrades to a WebSocket on this path, and nothing else. Nil refuses them.
	Socket *SocketConfig
	// Warning is for the operator: the table shows it, and Gate.Warnings returns it.
	Warning string

	// special is what a preset does besides relaying.
	special special
	// basicUser, if set, is the Authorization header, in place of whatever the client sent.
	basicUser string
	// ifTickets takes Ticket out of Who where the gate has no Tickets; ifVerified does so with Session and Identity.
	ifTickets, ifVerified bool
	// fail is a mistake in a preset's configuration, for New to tell.
	fail error
	// refuseQuery are query parameters that are refused whoever sends them.
	refuseQuery []string
}

// Sources are the places where a request may carry its token. Two that disagree are refused (package connect).
type Sources struct {
	// Bearer is "Authorization: Bearer".
	Bearer bool
	// Subprotocol is a Sec-WebSocket-Protocol offer that begins with connect.SubprotocolPrefix.
	Subprotocol bool
	// Ticket is the query parameter of a one-time ticket, "" for none.
	Ticket string
	// Query is the query parameter of a token, "" for none: for clients that know nothing better, since such a token is in
	// the access logs of everything between them and the gate.
	Query string
	// Cookie and ClerkCookie read a cookie, with an allow-list of origins.
	Cookie      *connect.CookieConfig
	ClerkCookie *connect.ClerkCookieConfig
}

// Forward says how an accepted token goes on to the backend. Wherever it came from, it is taken out of there.
type Forward struct {
	// Authorization sends the client's own Authorization header on as it came. For public routes whose backend asks for
	// credentials of its own.
	Authorization bool
	// Bearer sends it as "Authorization: Bearer": Nakama needs it. For a ticket it is the session token behind it.
	Bearer bool
	// Query sends it as this query parameter.
	Query string
}

// SocketConfig says how the sockets of a route live. Profile and Mode are required, and Origins or AnyOrigin.
type SocketConfig struct {
	// Profile says which close codes the clients understand and who pings: with nakama and colyseus the backend, with plain
	// the gate.
	Profile connect.Profile
	// Mode decides about a player who has a socket for the slot already.
	Mode connect.SlotMode
	// PerSlot is how many sockets a slot has room for. Default 1.
	PerSlot int
	// Slot is the name of the path's segment that tells a player's sockets apart, such as "room" in "/{process}/{room}". "" is
	// one slot for each player.
	Slot string
	// Origins are the origins whose pages may open a socket, exactly as a browser writes them: "https://play.example". A
	// client without an Origin header is no browser and passes.
	Origins []string
	// AnyOrigin lets every page open a socket. Without a cookie in Sources a page needs a token that it got by itself.
	AnyOrigin bool
	// PingEvery is how often the gate pings where it is the one who does. Default 10 s.
	PingEvery time.Duration
	// PongWait is how long a client may leave pings unanswered, the backend's too. Default 20 s.
	PongWait time.Duration
	// Idle ends a socket whose client sent no message for so long. 0 is never.
	Idle time.Duration
	// MaxMessage is the largest message of a client in bytes. Default 1 MiB; a Nakama takes 4 KiB.
	MaxMessage int64
	// MaxRate and Burst bound a client's messages: so many a second, and so many at once. Default 200 and 400.
	MaxRate float64
	Burst   int
	// Heartbeat, if set, is a text message of at most 125 bytes that clients send which cannot answer pings. The gate answers it
	// with the same text and does not pass it on. Who pings is then the gate, whatever the profile.
	Heartbeat string
	// Notice, if set, is a text message that tells the client to refresh its session, RegistryConfig.Notice before it ends. The
	// word {seconds} in it becomes the seconds that are left.
	Notice string
	// RefuseByClose answers a refused upgrade by opening the socket and closing it with the code of docs/close-codes.md, as
	// browsers show a script nothing of a refused handshake. Only refusals about which the player can do something are told so: a
	// bad or spent token, a ban, a taken slot, a drain. Default: for clients that send no Authorization header, since one that
	// can set headers can read a status.
	RefuseByClose Choice

	scrub func([]byte) // see wsrelay.Policy
}

// Choice is a setting with a default of its own.
type Choice uint8

// The choices.
const (
	Default Choice = iota
	Yes
	No
)

// Defaults of a route.
const (
	defaultMaxBody     = 1 << 20
	defaultTimeout     = 30 * time.Second
	defaultPingEvery   = 10 * time.Second
	defaultPongWait    = 20 * time.Second
	defaultMaxMessage  = 1 << 20
	defaultMaxRate     = 200
	defaultBurst       = 400
	nakamaMaxMessage   = 4 << 10
	colyseusMaxMessage = 4 << 10
)

// SocketRoutes returns what connect.RegistryConfig.Routes must be for these routes.
func SocketRoutes(routes []Route) map[string]connect.SocketRoute {
	found := make(map[string]connect.SocketRoute)
	for _, r := range routes {
		if r.Socket != nil {
			found[r.Name] = connect.SocketRoute{Mode: r.Socket.Mode, PerSlot: r.Socket.PerSlot, Profile: r.Socket.Profile}
		}
	}
	return found
}

// TableRow is a line of the table of who may reach what.
type TableRow struct {
	// Route, Path and Backend are the route's.
	Route, Path, Backend string
	// Methods are the methods, joined by commas; WS stands for an upgrade.
	Methods string
	// Who may use it, with the rules' count where there are some.
	Who string
	// Note says what else happens here, and the warning.
	Note string
}

// Table returns the routes as rows, the most specific paths first. Everything that is in no row is refused.
func Table(routes []Route) []TableRow {
	rows := make([]TableRow, 0, len(routes))
	for _, r := range inOrder(routes) {
		methods := strings.Join(r.Methods, ",")
		if r.Socket != nil {
			methods = "WS"
		}
		rows = append(rows, TableRow{
			Route: r.Name, Path: r.Path, Backend: r.Backend, Methods: methods, Who: r.whoText(), Note: r.note(),
		})
	}
	return rows
}

var _ http.Handler = (*Gate)(nil)
