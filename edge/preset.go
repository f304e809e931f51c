package edge

import "time"

// NakamaConfig configures the routes of [Nakama]. Backend is required.
type NakamaConfig struct {
	// Backend is Nakama's socket.port: http://127.0.0.1:7350.
	Backend string
	// ServerKey is Nakama's socket.server_key. If it is set the gate sends it by itself where Nakama asks for it, so clients
	// need not have it; else the client's own goes on.
	ServerKey string
	// RPCs are the ids of remote procedures that players may call. Default all of them: "*".
	RPCs []string
	// Username says where a new account's username comes from. Default UsernameNone: Nakama draws one.
	Username UsernamePolicy
	// Plugin says that Sallyport's plugin runs in this Nakama. Then the gate passes sign-ins on as they are.
	Plugin bool
	// Socket is how /ws lives. Default: replace older, any origin, ping 10 s by Nakama's own ping, pong wait 20 s.
	Socket *SocketConfig
	// TokenQuery is the query parameter in which nakama-js sends its token to /ws. Default "token"; "-" takes none.
	TokenQuery string
	// Ticket is the query parameter of tickets on /ws. Default "ticket"; "-" takes none.
	Ticket string
	// Timeout is as Route.Timeout.
	Timeout time.Duration
}

// UsernamePolicy says where Nakama's username comes from.
type UsernamePolicy string

const (
	// UsernameNone lets Nakama draw one.
	UsernameNone UsernamePolicy = "none"
	// UsernameVerified takes the one in the identity token, if there is one.
	UsernameVerified UsernamePolicy = "verified"
)

// Nakama returns the routes of a Nakama that needs no plugin: exactly what its clients use once they are signed in, POST
// /v2/account/authenticate/custom with an identity token as the id, session refresh and logout, and /ws. Every other sign-up and
// every link and unlink is blocked. See docs/gate.md.
func Nakama(config NakamaConfig) []Route { return nil }

// ReferenceOpen returns the literal list of paths of the AWS reference architecture: /healthcheck, /v2/account/authenticate/*,
// /v2/*, /v1/* and /ws*. Its Warning says what that leaves open: Nakama's own sign-ups, by which anybody makes himself an account
// without an identity.
func ReferenceOpen(config NakamaConfig) []Route { return nil }

// ColyseusConfig configures the routes of [Colyseus]. Backend is required.
type ColyseusConfig struct {
	// Backend is the Colyseus server: http://127.0.0.1:2567.
	Backend string
	// Who may play. Default Session or Identity, as the configuration of the gate has verifiers for.
	Who Who
	// ForwardToken sends the player's token on, for rooms whose onAuth verifies it again. Default no: they see X-Auth-User.
	ForwardToken bool
	// Socket is how room connections live. Default: replace older, any origin, Colyseus' own pings, pong wait 20 s.
	Socket *SocketConfig
	// Seats is how many seats may wait for their socket. Default 65,536, each for 60 s.
	Seats int
	// Timeout is as Route.Timeout.
	Timeout time.Duration
}

// Colyseus returns the routes of a Colyseus server: POST /matchmake/…, and the sockets /{process}/{room}. A seat that the
// matchmaker reserved is bound to the player who asked for it, so that nobody else can sit down on it; a player may be in several
// rooms at once.
func Colyseus(config ColyseusConfig) []Route { return nil }

// PlainConfig configures the routes of [Plain]. Backend and Path are required.
type PlainConfig struct {
	// Backend is the server: http://127.0.0.1:8080.
	Backend string
	// Path is the path of its sockets, such as "/ws".
	Path string
	// Who may connect. Default Session or Ticket.
	Who Who
	// Forward is as Route.Forward.
	Forward Forward
	// Socket is how its sockets live. Default: replace older, any origin, ping 10 s, pong wait 20 s.
	Socket *SocketConfig
}

// Plain returns the route of a WebSocket server of any kind.
func Plain(config PlainConfig) []Route { return nil }

type special uint8
