package edge

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
)

// NakamaConfig configures the routes of [Nakama]. Backend is required, and SessionKeys and RefreshKeys without the plugin.
type NakamaConfig struct {
	// Backend is Nakama's socket.port: http://127.0.0.1:7350.
	Backend string
	// ServerKey is Nakama's socket.server_key. If it is set the gate sends it by itself where Nakama asks for it, so clients
	// need not have it; else the client's own goes on.
	ServerKey string
	// SessionKeys and RefreshKeys are the values of session.encryption_key and session.refresh_encryption_key: one each, and
	// former ones while they are replaced. With them the gate reads the tokens that Nakama hands out, to learn whose they are.
	SessionKeys, RefreshKeys [][]byte
	// InsecureKeys allows keys that are short or Nakama's defaults, see session.NakamaConfig.
	InsecureKeys bool
	// RPCs are the ids of remote procedures that players may call over HTTP, in lower case. Nil is all of them. What they call over
	// their socket is between them and Nakama: a procedure that is for servers must look at its caller.
	RPCs []string
	// Username says where a new account's username comes from. Default UsernameNone.
	Username UsernamePolicy
	// Plugin says that Sallyport's plugin runs in this Nakama. Then sign-in, refresh and logout are the plugin's business and pass
	// as they are.
	Plugin bool
	// Socket is how /ws lives. Nil: a newer socket replaces the older, any origin, pong wait 20 s.
	Socket *SocketConfig
	// TokenQuery is the query parameter in which Nakama's clients send their token to /ws. Default "token"; "-" takes none.
	TokenQuery string
	// TicketQuery is the query parameter of tickets on /ws. Default "ticket"; "-" takes none.
	TicketQuery string
	// Timeout is as Route.Timeout.
	Timeout time.Duration
}

// UsernamePolicy says where a Nakama account's username comes from.
type UsernamePolicy string

const (
	// UsernameNone lets Nakama draw one, and lets nobody change it.
	UsernameNone UsernamePolicy = "none"
	// UsernameVerified takes the one in the identity token, if there is one that fits, and lets nobody change it.
	UsernameVerified UsernamePolicy = "verified"
	// UsernameClient takes the one that the client sends, and lets it change it.
	UsernameClient UsernamePolicy = "client"
)

// nakamaPlayerAPI are the paths that a signed-in player uses, as Nakama 3.40 has them. What is for servers alone is not among
// them: it goes by http_key, which is refused in the query of every route.
var nakamaPlayerAPI = []struct{ name, path, methods string }{
	{"account", "/v2/account", "GET DELETE"},
	{"channel", "/v2/channel/*", "GET"},
	{"event", "/v2/event", "POST"},
	{"friends", "/v2/friend", "GET POST DELETE"},
	{"friend", "/v2/friend/*", "GET POST"},
	{"groups", "/v2/group", "GET POST"},
	{"group", "/v2/group/*", "GET POST PUT DELETE"},
	{"purchase", "/v2/iap/*", "GET POST"},
	{"leaderboard", "/v2/leaderboard/*", "GET POST DELETE"},
	{"matches", "/v2/match", "GET"},
	{"matchmaker", "/v2/matchmaker/stats", "GET"},
	{"notifications", "/v2/notification", "GET DELETE"},
	{"parties", "/v2/party", "GET"},
	{"storage", "/v2/storage", "POST PUT"},
	{"storage-of", "/v2/storage/*", "GET PUT"},
	{"tournaments", "/v2/tournament", "GET"},
	{"tournament", "/v2/tournament/*", "GET POST PUT DELETE"},
	{"users", "/v2/user", "GET"},
	{"user", "/v2/user/*", "GET"},
}

// nakamaClosed are the side doors: other ways to an account than a verified identity.
var nakamaClosed = []struct{ name, path string }{
	{"other-sign-ups", "/v2/account/authenticate/*"},
	{"link", "/v2/account/link/*"},
	{"unlink", "/v2/account/unlink/*"},
}

// Nakama returns the routes of a Nakama that needs no plugin: exactly what its clients use once they are signed in, POST
// /v2/account/authenticate/custom with an identity token as the id, session refresh and logout, and /ws. Every other sign-up and
// every link and unlink is blocked. See docs/gate.md.
func Nakama(config NakamaConfig) []Route {
	p := newNakamaPreset(config)
	routes := []Route{p.healthcheck(), p.signIn(), p.refresh(), p.logout(), p.update(), p.socket("nakama-ws", "/ws")}
	for _, door := range nakamaClosed {
		routes = append(routes, Route{
			Name: "nakama-" + door.name, Path: door.path, Who: Nobody,
			Methods: []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete},
		})
	}
	for _, api := range nakamaPlayerAPI {
		routes = append(routes, p.player("nakama-"+api.name, api.path, strings.Fields(api.methods)...))
	}
	return append(routes, p.rpcs()...)
}

// ReferenceOpen returns the literal list of paths of the AWS reference architecture: /healthcheck, /v2/account/authenticate/*,
// /v2/*, /v1/* and /ws*. Its Warning says what that leaves open. A verified session is asked for everywhere but at the first two.
func ReferenceOpen(config NakamaConfig) []Route {
	p := newNakamaPreset(config)
	const warning = "Nakama's own sign-ups are open (device, email, social, links): anybody makes himself an account without a verified identity, and takes over one by linking. Use the nakama preset."
	all := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}
	open := p.public("reference-authenticate", "/v2/account/authenticate/*", http.MethodPost)
	open.Forward.Authorization, open.Warning = true, warning
	refresh := p.public("reference-refresh", "/v2/account/session/refresh", http.MethodPost)
	refresh.Forward.Authorization = true
	routes := []Route{p.healthcheck(), open, refresh, p.player("reference-v2", "/v2/*", all...), p.player("reference-v1", "/v1/*", all...)}
	return append(routes, p.socket("reference-ws", "/ws"), p.socket("reference-ws-below", "/ws/*"))
}

type nakamaPreset struct {
	config NakamaConfig
	basic  string
	shared *nakama
	fail   error
}

func newNakamaPreset(c NakamaConfig) *nakamaPreset {
	c.Username = cmp.Or(c.Username, UsernameNone)
	c.TokenQuery, c.TicketQuery = cmp.Or(c.TokenQuery, "token"), cmp.Or(c.TicketQuery, "ticket")
	p := &nakamaPreset{config: c, shared: &nakama{config: c}}
	if c.ServerKey != "" {
		p.basic = "Basic " + base64.StdEncoding.EncodeToString([]byte(c.ServerKey+":"))
	}
	if !slices.Contains([]UsernamePolicy{UsernameNone, UsernameVerified, UsernameClient}, c.Username) {
		p.fail = errors.New("NakamaConfig.Username: decide between none, verified and client")
	}
	return p
}

func (p *nakamaPreset) route(name, path string, who Who, methods ...string) Route {
	return Route{
		Name: name, Path: path, Methods: methods, Backend: p.config.Backend, Who: who, Timeout: p.config.Timeout, MaxBody: nakamaBody,
		Preflight: true, refuseQuery: []string{"http_key", "httpKey"}, fail: p.fail,
	}
}

// nakamaBody is Nakama's socket.max_request_size_bytes.
const nakamaBody = 256 << 10

func (p *nakamaPreset) public(name, path string, methods ...string) Route {
	r := p.route(name, path, Public, methods...)
	r.basicUser = p.basic
	r.Forward.Authorization = p.basic == ""
	return r
}

func (p *nakamaPreset) player(name, path string, methods ...string) Route {
	r := p.route(name, path, Session, methods...)
	r.Forward.Bearer = true
	return r
}

func (p *nakamaPreset) healthcheck() Route {
	r := p.route("nakama-healthcheck", "/healthcheck", Public, http.MethodGet)
	r.MaxBody = -1
	return r
}

func (p *nakamaPreset) signIn() Route {
	r := p.public("nakama-sign-in", "/v2/account/authenticate/custom", http.MethodPost)
	if !p.config.Plugin {
		r.special = nakamaSignIn{p.shared}
	}
	return r
}

func (p *nakamaPreset) refresh() Route {
	r := p.public("nakama-refresh", "/v2/account/session/refresh", http.MethodPost)
	if !p.config.Plugin {
		r.special = nakamaRefresh{p.shared}
	}
	return r
}

func (p *nakamaPreset) logout() Route {
	r := p.player("nakama-logout", "/v2/session/logout", http.MethodPost)
	if !p.config.Plugin {
		r.special = nakamaLogout{p.shared}
	}
	return r
}

func (p *nakamaPreset) update() Route {
	r := p.player("nakama-update", "/v2/account", http.MethodPut)
	if !p.config.Plugin && p.config.Username != UsernameClient {
		r.special = nakamaUpdate{}
	}
	return r
}

func (p *nakamaPreset) rpcs() []Route {
	methods := []string{http.MethodGet, http.MethodPost}
	if p.config.RPCs == nil {
		return []Route{p.player("nakama-rpc", "/v2/rpc/*", methods...)}
	}
	var routes []Route
	for _, id := range p.config.RPCs {
		routes = append(routes, p.player("nakama-rpc-"+id, "/v2/rpc/"+id, methods...))
	}
	return routes
}

func (p *nakamaPreset) socket(name, path string) Route {
	r := p.player(name, path, http.MethodGet)
	r.Sources = Sources{Bearer: true, Subprotocol: true}
	if p.config.TokenQuery != "-" {
		r.Sources.Query = p.config.TokenQuery
	}
	if p.config.TicketQuery != "-" {
		r.Who, r.Sources.Ticket, r.ifTickets = Session|Ticket, p.config.TicketQuery, true
	}
	s := SocketConfig{Profile: connect.ProfileNakama, Mode: connect.ReplaceOlder, AnyOrigin: true}
	if p.config.Socket != nil {
		s = *p.config.Socket
	}
	s.MaxMessage = cmp.Or(s.MaxMessage, nakamaMaxMessage)
	s.scrub = scrubAddresses
	r.Socket, r.Preflight = &s, false
	return r
}

// scrubAddresses overwrites a close text of Nakama's that tells of its network ("read tcp 127.0.0.1:7350->127.0.0.1:5: i/o
// timeout"): a text with a colon is never one of those that Nakama writes for clients.
func scrubAddresses(text []byte) {
	if strings.IndexByte(string(text), ':') < 0 {
		return
	}
	n := copy(text, "connection lost")
	for i := n; i < len(text); i++ {
		text[i] = ' '
	}
}
