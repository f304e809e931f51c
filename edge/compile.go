package edge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/upstream"
	"github.com/sallyport-auth/sallyport/internal/wsrelay"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// route is a Route that was checked.
type route struct {
	Route
	pattern  pattern
	guard    *connect.Guard // nil: no token is looked for
	pool     *upstream.Pool
	policy   *wsrelay.Policy
	cookies  []string // that hold a token and end here
	secrets  []string // query parameters that hold a token and end here
	notice   []string // the text around {seconds}
	byClose  bool
	optional bool
}

// compile checks routes and makes their table. Pools of backends that were there before are kept.
func (g *Gate) compile(routes []Route) (*table, map[string]*upstream.Pool, error) {
	if len(routes) == 0 {
		return nil, nil, errors.New("edge: Routes is empty: a gate without a route lets nobody in")
	}
	pools := make(map[string]*upstream.Pool)
	names := make(map[string]bool)
	compiled := make([]*route, 0, len(routes))
	for i := range routes {
		r, err := g.compileRoute(routes[i], pools)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("edge: Routes[%d] (%q): %w", i, routes[i].Name, err)
		case names[r.Name]:
			return nil, nil, fmt.Errorf("edge: Routes[%d]: the name %q is there twice", i, r.Name)
		}
		names[r.Name] = true
		compiled = append(compiled, r)
	}
	t, err := newTable(compiled)
	return t, pools, err
}

// fieldError says what is wrong with a field of a route.
type fieldError struct{ field, text string }

func wrong(field, text string) error { return &fieldError{field, text} }

func (e *fieldError) Error() string { return e.field + e.text }

func (g *Gate) compileRoute(config Route, pools map[string]*upstream.Pool) (*route, error) {
	r := &route{Route: config}
	r.Methods = slices.Clone(r.Methods)
	if r.fail != nil {
		return nil, r.fail
	}
	steps := []func() error{
		r.checkNames,
		func() error { r.settleWho(&g.config); return nil },
		func() error { return r.checkWho(&g.config) },
		func() error { return g.makeGuard(r) },
		func() error { return g.makePool(r, pools) },
		func() error { return r.checkSocket(&g.config) },
		func() error { return g.checkSpecial(r) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	r.fill()
	return r, nil
}

func (r *route) checkNames() (err error) {
	if r.Name == "" {
		return wrong("Name", " is required")
	}
	if r.pattern, err = parsePattern(r.Path); err != nil {
		return wrong("Path", ": "+err.Error())
	}
	if len(r.Methods) == 0 {
		return wrong("Methods", " is required: name each, such as GET")
	}
	for _, method := range r.Methods {
		if method == "" || method != strings.ToUpper(method) || strings.ContainsFunc(method, func(c rune) bool { return c < 'A' || c > 'Z' }) {
			return wrong("Methods", fmt.Sprintf(": %q is not a method in capital letters", method))
		}
		if method == http.MethodConnect || method == http.MethodTrace {
			return wrong("Methods", ": "+method+" cannot be relayed")
		}
	}
	if r.MaxBody < -1 || r.Timeout < 0 || r.BodyTimeout < 0 {
		return wrong("MaxBody", ", Timeout and BodyTimeout: must not be negative (MaxBody -1 is none)")
	}
	return nil
}

// settleWho takes out of a preset's Who what the gate has no verifier for.
func (r *route) settleWho(c *Config) {
	if r.ifTickets && c.Tickets == nil {
		r.Who, r.Sources.Ticket = r.Who&^Ticket, ""
	}
	if r.ifVerified && c.Sessions == nil {
		r.Who &^= Session
	}
	if r.ifVerified && (c.Identities == nil || c.Ledger == nil) {
		r.Who &^= Identity
	}
}

// checkWho holds Who against the places where its tokens are looked for and the verifiers that there are.
func (r *route) checkWho(c *Config) error {
	if r.Sources == (Sources{}) {
		r.Sources.Bearer = true
	}
	tokens := r.Who & (Identity | Session | Ticket)
	switch {
	case r.Who == 0 || r.Who >= Nobody<<1:
		return wrong("Who", " is required: decide between Public, Identity, Session, Ticket and Nobody")
	case r.Who&Nobody != 0 && r.Who != Nobody:
		return wrong("Who", ": Nobody stands alone")
	case r.Who&Identity != 0 && (c.Identities == nil || c.Ledger == nil):
		return wrong("Who", ": Identity needs Config.Identities, and Config.Ledger to know who is banned")
	case r.Who&Session != 0 && c.Sessions == nil:
		return wrong("Who", ": Session needs Config.Sessions")
	case r.Who&Ticket != 0 && c.Tickets == nil:
		return wrong("Who", ": Ticket needs Config.Tickets")
	case (r.Who&Ticket != 0) != (r.Sources.Ticket != ""):
		return wrong("Sources.Ticket", ", the query parameter of tickets, goes with Ticket in Who")
	case tokens == 0 && len(r.Rules) > 0:
		return wrong("Rules", ": there is no token to hold against them: change Who")
	case tokens&(Identity|Session) == 0 && tokens != 0 && (r.Sources.Query != "" || r.Sources.Subprotocol || r.Sources.Cookie != nil || r.Sources.ClerkCookie != nil):
		return wrong("Sources", ": Who lets nobody in with such a token")
	case r.Forward.Authorization && r.Forward.Bearer:
		return wrong("Forward", ": Authorization and Bearer cannot both be the Authorization header")
	}
	r.optional = r.Who&Public != 0
	return nil
}

// noSessions is the verifier of a route that takes tickets alone: connect wants one, and asks it nothing.
type noSessions struct{}

// Verify refuses.
func (noSessions) Verify(context.Context, string) (*session.Session, error) {
	return nil, &jws.Refusal{Check: jws.CheckPolicy, Reason: jws.WrongUse, Want: "a ticket"}
}

func (g *Gate) makeGuard(r *route) (err error) {
	if r.Who&(Identity|Session|Ticket) == 0 {
		return nil
	}
	c := connect.Config{Sources: g.sources(r), Sessions: noSessions{}}
	if r.Who&Session != 0 {
		c.Sessions = g.config.Sessions
	}
	if r.Who&Identity != 0 {
		c.Identities, c.Revocations, c.SessionIssuer = g.config.Identities, g.config.Ledger, g.config.SessionIssuer
		if r.Who&Session == 0 {
			c.Sessions = nil
		}
	}
	r.guard, err = connect.New(c)
	return err
}

func (g *Gate) sources(r *route) []connect.Source {
	var found []connect.Source
	add := func(wanted bool, source func() connect.Source) {
		if wanted {
			found = append(found, source())
		}
	}
	s := &r.Sources
	add(s.Bearer && r.Who&(Identity|Session) != 0, connect.Bearer)
	add(s.Subprotocol, connect.Subprotocol)
	add(s.Ticket != "", func() connect.Source {
		r.secrets = append(r.secrets, s.Ticket)
		return connect.Ticket(connect.TicketConfig{
			Name: s.Ticket, Redeemer: g.config.Tickets, Audience: g.config.TicketAudience,
			Address: func(q *http.Request) string { address, _ := g.trust.client(q); return address.String() },
		})
	})
	add(s.Query != "", func() connect.Source {
		r.secrets = append(r.secrets, s.Query)
		return connect.Query(s.Query)
	})
	add(s.Cookie != nil, func() connect.Source {
		r.cookies = append(r.cookies, s.Cookie.Name)
		return connect.Cookie(*s.Cookie)
	})
	add(s.ClerkCookie != nil, func() connect.Source {
		r.cookies = append(r.cookies, "__session", "__session_*")
		return connect.ClerkCookie(*s.ClerkCookie)
	})
	if r.Forward.Query != "" {
		r.secrets = append(r.secrets, r.Forward.Query)
	}
	return found
}

func (g *Gate) makePool(r *route, pools map[string]*upstream.Pool) error {
	if r.Who == Nobody {
		return nil
	}
	address, err := backendAddress(r.Backend)
	if err != nil {
		return err
	}
	if r.pool = pools[address]; r.pool != nil {
		return nil
	}
	if r.pool = g.pools[address]; r.pool == nil {
		r.pool, err = upstream.New(upstream.Config{Address: address, MaxIdle: g.config.IdleConns, DialTimeout: g.config.DialTimeout})
		if err != nil {
			return err
		}
	}
	pools[address] = r.pool
	return nil
}

func backendAddress(backend string) (string, error) {
	u, err := url.Parse(backend)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return "", wrong("Backend", " must be http://host:port and nothing else")
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "80")), nil
}

func (r *route) fill() {
	switch {
	case r.MaxBody == 0:
		r.MaxBody = defaultMaxBody
	case r.MaxBody < 0:
		r.MaxBody = 0
	}
	r.Timeout = cmp.Or(r.Timeout, defaultTimeout)
	r.BodyTimeout = cmp.Or(r.BodyTimeout, defaultTimeout)
}

// checkSocket makes the policy of a route's sockets.
func (r *route) checkSocket(c *Config) (err error) {
	s := r.Socket
	if s == nil {
		return nil
	}
	switch {
	case c.Registry == nil:
		return wrong("Socket", " needs Config.Registry")
	case r.Who&(Public|Nobody) != 0:
		return wrong("Socket", ": Who must be Session, Ticket or Identity: a socket lives as long as its session")
	case !slices.Equal(r.Methods, []string{http.MethodGet}):
		return wrong("Socket", ": Methods must be GET alone")
	case s.AnyOrigin == (len(s.Origins) > 0):
		return wrong("Socket", ": set Origins or AnyOrigin, and not both")
	case (r.Sources.Cookie != nil || r.Sources.ClerkCookie != nil) && s.AnyOrigin:
		return wrong("Socket", ": a cookie needs Origins: a browser sends it for any page")
	case s.Slot != "" && !r.pattern.hasName(s.Slot):
		return wrong("Socket.Slot", ": the path has no {"+s.Slot+"}")
	}
	r.byClose = s.RefuseByClose != No
	if s.Notice != "" {
		r.notice = strings.Split(s.Notice, "{seconds}")
	}
	r.policy, err = wsrelay.NewPolicy(s.relayPolicy())
	return err
}

func (s *SocketConfig) relayPolicy() wsrelay.Policy {
	p := wsrelay.Policy{
		Profile: s.Profile, Pinger: wsrelay.BackendPings, PingEvery: s.PingEvery, PongWait: s.PongWait, Idle: s.Idle,
		MaxMessage: s.MaxMessage, MaxRate: s.MaxRate, Burst: s.Burst, Heartbeat: []byte(s.Heartbeat),
		ScrubReason: s.scrub,
	}
	if s.Profile == connect.ProfilePlain || s.Heartbeat != "" {
		p.Pinger = wsrelay.RelayPings
	}
	return p
}

// originMay says whether a page of the origin may open a socket. Without an origin it is no page.
func (s *SocketConfig) originMay(r *http.Request) bool {
	values := r.Header["Origin"]
	return len(values) == 0 || len(values) == 1 && (s.AnyOrigin || slices.Contains(s.Origins, values[0]))
}

// settle is how long a gate waits for what should be there at once.
const settle = time.Second
