package config

// Gate stands before the game servers: it lets through what a route names, for whom it names, and ends sockets when their
// session ends. Every other request is refused.
type Gate struct {
	// Listen is the address for game traffic, HOST:PORT, apart from that of the token API.
	Listen string `yaml:"listen,required"`
	// TLS serves https and wss. Without it the gate belongs behind a balancer that ends TLS; sockets then cost a fraction of
	// the memory.
	TLS *TLS `yaml:"tls"`
	// StaleSockets says what becomes of live sockets while it cannot be known what is revoked, see revocation.stale: keep
	// lets them live until they expire, close ends them. New ones are refused in any case.
	StaleSockets string `yaml:"stale_sockets,required" oneof:"keep close"`
	// Servers are the game servers, each with the routes that its kind needs.
	Servers []GameServer `yaml:"servers"`
	// Routes are ways in that are written out. The most specific path wins, also over those of servers.
	Routes []Route `yaml:"routes"`
	// OriginSecret is what the CDN or balancer in front proves itself with. Without it every request is looked at.
	OriginSecret *OriginSecret `yaml:"origin_secret"`
	// Hosts are the values of the Host header that are answered, with the port if it is not the scheme's. Without it all.
	Hosts []string `yaml:"hosts"`
	// TrustedProxies are the addresses (10.0.0.0/8 or 10.1.2.3) of proxies in front whose X-Forwarded-For and
	// X-Forwarded-Proto are believed. Without it none.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// Handshakes bounds the new sockets of one client address.
	Handshakes Handshakes `yaml:"handshakes"`
	// SocketsPerPlayer bounds the live sockets of one player over all routes, at most 1024.
	SocketsPerPlayer int `yaml:"sockets_per_player" default:"64"`
	// Notice is how long before the end of its session a socket gets its route's notice, at most 1h. 0s is never.
	Notice Duration `yaml:"notice" default:"60s"`
	// DrainWindow is the time over which the sockets are closed, spread evenly, when the server is told to end; at most 1h.
	DrainWindow Duration `yaml:"drain_window" default:"30s"`
	// Node names this node to operators, where store.type is redis and several share the players: letters, digits, "-", "_"
	// and ".". Without it the name of the machine.
	Node string `yaml:"node"`
	// Lease is for how long this node holds the sockets' slots after it last reached the store, from 3s to 10m, where
	// store.type is redis. After that its sockets end, because another node may have taken over.
	Lease Duration `yaml:"lease" default:"45s"`
	// TicketAudience is this gate's name for tickets: one that was issued for another is refused.
	TicketAudience string `yaml:"ticket_audience"`
}

// GameServer is a game server with the routes that its kind needs. Its type decides which fields it has.
type GameServer struct {
	// Type is the kind's name.
	Type string
	// Kind holds the fields of the type.
	Kind serverKind
}

// NakamaServer opens what the clients of a Nakama use (type: nakama): sign-in with an identity token as the custom id, session
// refresh and logout, the player API, and /ws. Every other sign-up, link and unlink is blocked. It needs the section nakama.
type NakamaServer struct {
	NakamaBackend
}

// ReferenceOpenServer opens the paths of the AWS reference architecture before a Nakama (type: reference-open): /healthcheck,
// /v2/account/authenticate/*, /v2/*, /v1/* and /ws*. This leaves Nakama's own sign-ups open, by which anybody makes himself an account
// without an identity. Prefer nakama.
type ReferenceOpenServer struct {
	NakamaBackend
}

// NakamaBackend are the fields of both kinds of routes before a Nakama.
type NakamaBackend struct {
	// Backend is Nakama's socket.port, such as http://127.0.0.1:7350.
	Backend string `yaml:"backend,required"`
	// ServerKey is Nakama's socket.server_key. If it is set the gate sends it where Nakama asks for it, so that clients need
	// not have it.
	ServerKey Secret `yaml:"server_key"`
	// RPCs are the ids of the remote procedures that players may call. Without it all of them.
	RPCs []string `yaml:"rpcs"`
	// Username says where a new account's user name comes from: none lets Nakama draw one, verified takes the one in the
	// identity token, client takes the one that the client sends, and lets it change it.
	Username string `yaml:"username" oneof:"none verified client" default:"none"`
	// Plugin says that Sallyport's plugin runs in this Nakama, so that sign-ins go to it as they are.
	Plugin bool `yaml:"plugin"`
	// TokenQuery is the query parameter with the token at /ws. nakama-js has token. "-" takes none.
	TokenQuery string `yaml:"token_query" default:"token"`
	// Ticket is the query parameter with a ticket at /ws. "-" takes none.
	Ticket string `yaml:"ticket" default:"ticket"`
	// Timeout is how long the backend may take to begin its answer.
	Timeout Duration `yaml:"timeout" default:"30s"`
	// Socket says how its sockets live.
	Socket *Socket `yaml:"socket"`
}

// ColyseusServer opens a Colyseus server (type: colyseus): the matchmaker, and the rooms' sockets, each for the player alone to
// whom the matchmaker gave the seat.
type ColyseusServer struct {
	// Backend is the server, such as http://127.0.0.1:2567.
	Backend string `yaml:"backend,required"`
	// Who may play: players with a session token, with an identity token, or both.
	Who []string `yaml:"who" oneof:"session identity"`
	// ForwardToken sends the player's token on, for rooms whose onAuth verifies it again.
	ForwardToken bool `yaml:"forward_token"`
	// Seats is how many seats may wait for their socket, each for 60 s.
	Seats int `yaml:"seats" default:"65536"`
	// Timeout is how long the backend may take to begin its answer.
	Timeout Duration `yaml:"timeout" default:"30s"`
	// Socket says how its sockets live.
	Socket *Socket `yaml:"socket"`
}

// PlainServer opens one path of a WebSocket server of any kind (type: plain).
type PlainServer struct {
	// Backend is the server, such as http://127.0.0.1:9000.
	Backend string `yaml:"backend,required"`
	// Name is the name of its route, where there are several such servers.
	Name string `yaml:"name" default:"plain"`
	// Path is the path of its sockets, such as /ws.
	Path string `yaml:"path,required"`
	// Who may connect. Without it players with a session token or a ticket.
	Who []string `yaml:"who" oneof:"identity session ticket"`
	// Forward says how the player's token goes on to the server. Without it not at all.
	Forward Forward `yaml:"forward"`
	// Socket says how its sockets live.
	Socket *Socket `yaml:"socket"`
}

// Forward says how an accepted token goes on to the backend.
type Forward struct {
	// Bearer sends it as Authorization: Bearer. For a ticket it is the session token behind it.
	Bearer bool `yaml:"bearer"`
	// Query sends it as this query parameter.
	Query string `yaml:"query"`
	// Authorization sends the client's own Authorization header on as it came, for public routes whose backend asks for
	// credentials of its own.
	Authorization bool `yaml:"authorization"`
}

// Route is one way in.
type Route struct {
	// Name names it in the log, in the metrics and for its sockets.
	Name string `yaml:"name,required"`
	// Path is what the request's path must be: /v2/account exactly; /v2/storage/* everything below it; /rooms/{room} one
	// segment.
	Path string `yaml:"path,required"`
	// Methods are the methods, such as GET. HEAD does not come with GET.
	Methods []string `yaml:"methods,required"`
	// Backend is the server behind, such as http://127.0.0.1:9000, without a path. Required, unless who is nobody.
	Backend string `yaml:"backend"`
	// Who may use it: public is everybody, nobody blocks a path that a wider route opens.
	Who []string `yaml:"who,required" oneof:"public identity session ticket nobody"`
	// AnyGroup are groups of which the player must be in at least one. Without it no group is needed.
	AnyGroup []string `yaml:"any_group"`
	// AnyScope are scopes of which the token must have at least one. Without it none is needed.
	AnyScope []string `yaml:"any_scope"`
	// Sources say where a token is looked for. Without it in Authorization: Bearer, and a ticket in the query parameter
	// ticket.
	Sources *Sources `yaml:"sources"`
	// Forward says how the token goes on to the backend. Without it not at all.
	Forward Forward `yaml:"forward"`
	// MaxBody is the largest request body in bytes.
	MaxBody int `yaml:"max_body" default:"1048576"`
	// Timeout is how long the backend may take to begin its answer, and how long it may pause within it.
	Timeout Duration `yaml:"timeout" default:"30s"`
	// BodyTimeout is how long the client may pause while it sends its body.
	BodyTimeout Duration `yaml:"body_timeout" default:"30s"`
	// Socket makes this a route for WebSockets, and for nothing else.
	Socket *RouteSocket `yaml:"socket"`
}

// Sources say where a request may carry its token.
type Sources struct {
	// Bearer is Authorization: Bearer.
	Bearer bool `yaml:"bearer"`
	// Subprotocol is an offer in Sec-WebSocket-Protocol that begins with base64url.bearer.authorization.k8s.io.
	Subprotocol bool `yaml:"subprotocol"`
	// Ticket is the query parameter of a ticket.
	Ticket string `yaml:"ticket"`
	// Query is the query parameter of a token, for clients that can do no better: such tokens end up in the access logs of
	// everything between them and the gate.
	Query string `yaml:"query"`
	// Cookie takes the token from a cookie.
	Cookie *Cookie `yaml:"cookie"`
}

// RouteSocket says how the sockets of a route live.
type RouteSocket struct {
	// Profile says which close codes the clients understand, and who pings: with nakama and colyseus the backend, with plain
	// the gate.
	Profile string `yaml:"profile,required" oneof:"nakama colyseus plain"`
	// Slot is the name of the path's segment that tells a player's sockets apart, such as room in /rooms/{room}. Without it
	// each player has one slot here.
	Slot string `yaml:"slot"`
	// AnyOrigin lets every web page open a socket, with a token that it got by itself. Either this or origins is required.
	AnyOrigin bool `yaml:"any_origin"`
	Socket
}

// Socket says how the sockets of a game server live.
type Socket struct {
	// Mode decides about a player who has a socket already: replace_older ends it, refuse_newer refuses the new one.
	Mode string `yaml:"mode" oneof:"replace_older refuse_newer" default:"replace_older"`
	// PerSlot is how many sockets a player may have at once, in each slot.
	PerSlot int `yaml:"per_slot" default:"1"`
	// Origins are the web origins whose pages may open a socket; clients that are no browser always may. Without it every
	// page may at a server's routes, and needs a token that it got by itself; a route that is written out says any_origin.
	Origins []string `yaml:"origins"`
	// Ping is how often the gate pings, where it is the one who does.
	Ping Duration `yaml:"ping" default:"10s"`
	// PongWait is how long a client may leave a ping unanswered, the backend's too, before it counts as gone.
	PongWait Duration `yaml:"pong_wait" default:"20s"`
	// Idle ends a socket whose client sent no message for so long. Without it never.
	Idle Duration `yaml:"idle"`
	// MaxMessage is the largest message of a client in bytes. Without it 4096 for nakama and colyseus, else 1048576.
	MaxMessage int `yaml:"max_message"`
	// MaxRate is how many messages a second a client may send in the long run.
	MaxRate int `yaml:"max_rate" default:"200"`
	// Burst is how many of them may come at once.
	Burst int `yaml:"burst" default:"400"`
	// Heartbeat is a text message that clients send which cannot answer pings. The gate answers it with the same text and does
	// not pass it on; who pings is then the gate.
	Heartbeat string `yaml:"heartbeat"`
	// Notice is a text that tells the client to refresh its session, see the gate's notice; {seconds} in it is the time left.
	Notice string `yaml:"notice"`
	// RefuseBy says how a browser learns that it was refused: close opens the socket and closes it with a code that a page
	// can read, status answers the handshake with the HTTP status.
	RefuseBy string `yaml:"refuse_by" oneof:"close status" default:"close"`
}

// OriginSecret is what the CDN or balancer in front of the gate proves itself with, so that nobody goes around it.
type OriginSecret struct {
	// Header is the request header that it comes in.
	Header string `yaml:"header" default:"X-CloudFront-Secret"`
	// Values are those that are accepted, two while it is replaced. Each at least 32 bytes.
	Values []Secret `yaml:"values,required"`
}

// Handshakes bounds the new sockets of one client address; an IPv6 /64 counts as one. Behind a proxy set trusted_proxies, or
// all players are one address.
type Handshakes struct {
	// Rate is how many a second in the long run; -1 does not limit.
	Rate int `yaml:"rate" default:"10"`
	// Burst is how many at once.
	Burst int `yaml:"burst" default:"50"`
	// Concurrent is how many may be unfinished.
	Concurrent int `yaml:"concurrent" default:"50"`
}
