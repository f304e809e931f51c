package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/edge"
)

// serverKind is the configuration of one kind of game server.
type serverKind interface {
	// routes makes its routes, given the whole configuration.
	routes(c *Config) []edge.Route
	// backend is the URL of the server, and sockets how its sockets live, nil if that is left out.
	backend() string
	sockets() *Socket
}

var serverKinds = []struct {
	name string
	new  func() serverKind
}{
	{"nakama", func() serverKind { return new(NakamaServer) }},
	{"colyseus", func() serverKind { return new(ColyseusServer) }},
	{"plain", func() serverKind { return new(PlainServer) }},
	{"reference-open", func() serverKind { return new(ReferenceOpenServer) }},
}

// Types are the kinds of game servers.
func (s *GameServer) Types() []string {
	names := make([]string, len(serverKinds))
	for i, k := range serverKinds {
		names[i] = k.name
	}
	return names
}

// Select makes the fields of a type.
func (s *GameServer) Select(name string) any {
	for _, k := range serverKinds {
		if k.name == name {
			s.Type, s.Kind = name, k.new()
			return s.Kind
		}
	}
	return nil
}

// GateRoutes are the routes of the gate: first those that are written out, then those of the servers.
func (c *Config) GateRoutes() []edge.Route {
	var all []edge.Route
	for _, r := range c.Gate.Routes {
		all = append(all, r.route())
	}
	for _, s := range c.Gate.Servers {
		all = append(all, s.Kind.routes(c)...)
	}
	return all
}

// GateRoutePath is the path in the file of the n-th of GateRoutes.
func (c *Config) GateRoutePath(n int) string {
	if n < len(c.Gate.Routes) {
		return fmt.Sprintf("gate.routes[%d]", n)
	}
	n -= len(c.Gate.Routes)
	for i, s := range c.Gate.Servers {
		made := len(s.Kind.routes(c))
		if n < made {
			return fmt.Sprintf("gate.servers[%d]", i)
		}
		n -= made
	}
	return "gate"
}

// GateWords puts the file's words in place of the names that package edge has for the same things.
func GateWords(text string) string {
	names := map[string]string{"PingEvery": "ping"}
	for _, s := range []any{Gate{}, Route{}, RouteSocket{}, Sources{}, Forward{}, NakamaBackend{}, ColyseusServer{}, OriginSecret{}} {
		maps.Copy(names, yamlNames(reflect.TypeOf(s)))
	}
	for word := range whoWords {
		names[strings.ToUpper(word[:1])+word[1:]] = cmp.Or(names[strings.ToUpper(word[:1])+word[1:]], word)
	}
	text = strings.Replace(text, "wsrelay: Policy.", "socket.", 1)
	return goName.ReplaceAllStringFunc(text, func(word string) string { return cmp.Or(names[word], word) })
}

func (s *NakamaServer) routes(c *Config) []edge.Route { return edge.Nakama(s.config(c)) }

func (s *ReferenceOpenServer) routes(c *Config) []edge.Route { return edge.ReferenceOpen(s.config(c)) }

func (s *NakamaBackend) backend() string  { return s.Backend }
func (s *NakamaBackend) sockets() *Socket { return s.Socket }

func (s *NakamaBackend) plugin() bool { return s.Plugin }

func (s *NakamaBackend) config(c *Config) edge.NakamaConfig {
	made := edge.NakamaConfig{
		Backend: s.Backend, ServerKey: s.ServerKey.reveal(), InsecureKeys: c.InsecureKeys, RPCs: s.RPCs, Username: edge.UsernamePolicy(s.Username),
		Plugin: s.Plugin, TokenQuery: s.TokenQuery, TicketQuery: s.Ticket, Timeout: time.Duration(s.Timeout), Socket: s.Socket.config(connect.ProfileNakama),
	}
	if c.Nakama != nil {
		made.SessionKeys, made.RefreshKeys = secrets(c.Nakama.Keys), secrets(c.Nakama.RefreshKeys)
	}
	return made
}

func secrets(list []Secret) [][]byte {
	var all [][]byte
	for _, s := range list {
		all = append(all, s.Bytes())
	}
	return all
}

func (s *ColyseusServer) backend() string  { return s.Backend }
func (s *ColyseusServer) sockets() *Socket { return s.Socket }

func (s *ColyseusServer) routes(*Config) []edge.Route {
	return edge.Colyseus(edge.ColyseusConfig{
		Backend: s.Backend, Who: whoOf(s.Who), ForwardToken: s.ForwardToken, Seats: s.Seats, Timeout: time.Duration(s.Timeout),
		Socket: s.Socket.config(connect.ProfileColyseus),
	})
}

func (s *PlainServer) backend() string  { return s.Backend }
func (s *PlainServer) sockets() *Socket { return s.Socket }

func (s *PlainServer) routes(*Config) []edge.Route {
	routes := edge.Plain(edge.PlainConfig{
		Backend: s.Backend, Path: s.Path, Who: whoOf(s.Who), Forward: s.Forward.config(), Socket: s.Socket.config(connect.ProfilePlain),
	})
	for i := range routes {
		routes[i].Name = s.Name
	}
	return routes
}

var whoWords = map[string]edge.Who{
	"public": edge.Public, "identity": edge.Identity, "session": edge.Session, "ticket": edge.Ticket, "nobody": edge.Nobody,
}

func whoOf(words []string) (who edge.Who) {
	for _, word := range words {
		who |= whoWords[word]
	}
	return who
}

// config is nil for nil, which stands for the preset's own.
func (s *Socket) config(profile connect.Profile) *edge.SocketConfig {
	if s == nil {
		return nil
	}
	c := &edge.SocketConfig{
		Profile: profile, Mode: connect.SlotMode(s.Mode), PerSlot: s.PerSlot, Origins: s.Origins, AnyOrigin: len(s.Origins) == 0,
		PingEvery: time.Duration(s.Ping), PongWait: time.Duration(s.PongWait), Idle: time.Duration(s.Idle), MaxMessage: int64(s.MaxMessage),
		MaxRate: float64(s.MaxRate), Burst: s.Burst, Heartbeat: s.Heartbeat, Notice: s.Notice, RefuseByClose: edge.Yes,
	}
	if s.RefuseBy == "status" {
		c.RefuseByClose = edge.No
	}
	return c
}

func (r *Route) route() edge.Route {
	made := edge.Route{
		Name: r.Name, Path: r.Path, Methods: r.Methods, Backend: r.Backend, Who: whoOf(r.Who), Rules: r.rules(), Sources: r.sources(),
		Forward: r.Forward.config(), MaxBody: int64(r.MaxBody), Timeout: time.Duration(r.Timeout), BodyTimeout: time.Duration(r.BodyTimeout),
	}
	if r.Socket != nil {
		made.Socket = r.Socket.config(connect.Profile(r.Socket.Profile))
		made.Socket.Slot = r.Socket.Slot
	}
	return made
}

func (r *Route) rules() []connect.Rule {
	var all []connect.Rule
	if len(r.AnyGroup) > 0 {
		all = append(all, anyOf(r.AnyGroup, connect.Group))
	}
	if len(r.AnyScope) > 0 {
		all = append(all, anyOf(r.AnyScope, connect.Scope))
	}
	return all
}

func anyOf(names []string, rule func(string) connect.Rule) connect.Rule {
	rules := make([]connect.Rule, len(names))
	for i, name := range names {
		rules[i] = rule(name)
	}
	return connect.AnyOf(rules...)
}

func (f Forward) config() edge.Forward {
	return edge.Forward{Bearer: f.Bearer, Query: f.Query, Authorization: f.Authorization}
}

func (r *Route) sources() edge.Sources {
	s := r.Sources
	if s == nil {
		s = &Sources{Bearer: true}
		if slices.Contains(r.Who, "ticket") {
			s.Ticket = "ticket"
		}
	}
	c := edge.Sources{Bearer: s.Bearer, Subprotocol: s.Subprotocol, Ticket: s.Ticket, Query: s.Query}
	if s.Cookie != nil {
		c.Cookie = &connect.CookieConfig{Name: s.Cookie.Name, Origins: s.Cookie.Origins}
	}
	return c
}

// Proxies are the trusted proxies, which have been checked.
func (g *Gate) Proxies() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range g.TrustedProxies {
		if prefix, err := parsePrefix(text); err == nil {
			all = append(all, prefix)
		}
	}
	return all
}

func parsePrefix(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		return netip.ParsePrefix(text)
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return addr.Prefix(addr.BitLen())
}

// NodeName makes a name of a node out of a text, by leaving out what one cannot have.
func NodeName(text string) string {
	name := strings.Map(func(r rune) rune {
		if namespaceForm.MatchString(string(r)) {
			return r
		}
		return -1
	}, text)
	return name[:min(len(name), 64)]
}

func (f *File) checkGate() {
	g := f.Gate
	if g == nil {
		return
	}
	if len(g.Servers)+len(g.Routes) == 0 {
		f.report("gate", "has neither servers nor routes: nothing would get through")
	}
	f.bounds("gate.notice", g.Notice, 0, time.Hour)
	f.bounds("gate.drain_window", g.DrainWindow, 0, time.Hour)
	f.bounds("gate.lease", g.Lease, 3*time.Second, 10*time.Minute)
	if g.Node != "" && g.Node != NodeName(g.Node) {
		f.report("gate.node", `want up to 64 letters, digits, "-", "_" and "."`)
	}
	f.within("gate.sockets_per_player", g.SocketsPerPlayer, 1, 1024)
	for i, text := range g.TrustedProxies {
		if prefix, err := parsePrefix(text); text != "" && (err != nil || prefix != prefix.Masked()) {
			f.report(fmt.Sprintf("gate.trusted_proxies[%d]", i), "want an address or a range, such as 10.1.2.3 or 10.0.0.0/8")
		}
	}
	f.checkOriginSecret(g.OriginSecret)
	for i, s := range g.Servers {
		f.checkServer(fmt.Sprintf("gate.servers[%d]", i), s)
	}
	for i, r := range g.Routes {
		f.checkRoute(fmt.Sprintf("gate.routes[%d]", i), i, r)
	}
}

func (f *File) within(path string, n, least, most int) {
	if (n < least || n > most) && !f.yaml.Reported(path) {
		f.report(path, "want %d to %d", least, most)
	}
}

func (f *File) checkOriginSecret(s *OriginSecret) {
	if s == nil {
		return
	}
	for i, value := range s.Values {
		f.strong(fmt.Sprintf("gate.origin_secret.values[%d]", i), value)
	}
	if len(s.Values) > 4 {
		f.report("gate.origin_secret.values", "has %d entries, want at most 4: one, and more while it is replaced", len(s.Values))
	}
}

func (f *File) checkServer(path string, s GameServer) {
	if s.Kind == nil {
		return
	}
	f.checkBackend(path+".backend", s.Kind.backend())
	f.checkSocket(path+".socket", s.Kind.sockets())
	if n, ok := s.Kind.(interface{ plugin() bool }); ok {
		f.checkBeforeNakama(path, n.plugin())
	}
	if p, ok := s.Kind.(*PlainServer); ok {
		f.checkPath(path+".path", p.Path)
	}
}

// checkBeforeNakama wants what the tokens of a Nakama are read with.
func (f *File) checkBeforeNakama(path string, plugin bool) {
	switch {
	case f.Nakama == nil:
		f.report(path, "needs the section nakama, which verifies the session tokens that Nakama makes")
	case !plugin && len(f.Nakama.RefreshKeys) == 0:
		f.report(path, "needs refresh_keys in the section nakama, to read the refresh tokens that Nakama makes (or plugin: true)")
	}
}

func (f *File) checkBackend(path, text string) {
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" || u.Path != "" || u.User != nil || strings.ContainsAny(text, "?#") {
		f.report(path, "want http://HOST:PORT without a path, such as http://127.0.0.1:7350")
	}
}

func (f *File) checkPath(path, text string) {
	if text != "" && !strings.HasPrefix(text, "/") {
		f.report(path, "want a path that begins with a slash")
	}
}

func (f *File) checkRoute(path string, i int, r Route) {
	f.once(path+".name", r.Name, i, func(j int) string { return f.Gate.Routes[j].Name })
	f.checkPath(path+".path", r.Path)
	f.checkBackend(path+".backend", r.Backend)
	nobody := slices.Contains(r.Who, "nobody")
	switch {
	case nobody && len(r.Who) > 1:
		f.report(path+".who", "has nobody beside others: it stands alone")
	case !nobody && r.Backend == "" && len(r.Who) > 0:
		f.report(path, "backend is missing: the server behind this route")
	}
	for j, method := range r.Methods {
		if method != strings.ToUpper(method) {
			f.report(fmt.Sprintf("%s.methods[%d]", path, j), "want a method in capitals, such as GET")
		}
	}
	if r.Sources != nil && r.Sources.Cookie != nil {
		f.checkOrigins(path+".sources.cookie.origins", r.Sources.Cookie.Origins)
	}
	f.checkRouteSocket(path+".socket", r.Socket)
}

func (f *File) checkRouteSocket(path string, s *RouteSocket) {
	if s == nil {
		return
	}
	if s.AnyOrigin == (len(s.Origins) > 0) {
		f.report(path, "wants one of origins and any_origin: true, which says which web pages may open a socket")
	}
	f.checkSocket(path, &s.Socket)
}

func (f *File) checkSocket(path string, s *Socket) {
	if s == nil {
		return
	}
	f.checkOrigins(path+".origins", s.Origins)
	f.bounds(path+".ping", s.Ping, time.Second, 5*time.Minute)
	f.bounds(path+".pong_wait", s.PongWait, time.Second, 10*time.Minute)
	f.bounds(path+".idle", s.Idle, time.Second, 24*time.Hour)
	f.within(path+".per_slot", s.PerSlot, 1, 1024)
	f.within(path+".max_rate", s.MaxRate, 1, 1_000_000)
	f.within(path+".burst", s.Burst, 1, 1_000_000)
	f.notNegative(path+".max_message", s.MaxMessage)
}
