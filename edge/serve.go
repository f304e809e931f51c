package edge

import (
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/upstream"
	"github.com/sallyport-auth/sallyport/jws"
)

// exchange is one request on its way through the gate.
type exchange struct {
	gate     *Gate
	w        http.ResponseWriter
	r        *http.Request
	route    *route
	path     string // canonical
	query    string // without what ends here
	client   netip.Addr
	proto    string
	upgrade  bool
	limited  bool // it counts as a handshake that is under way
	decision Decision
	writing  time.Time // when the client was given time to read

	principal connect.Principal
	token     string // that was accepted; for a ticket the session token

	buffer  []byte // of the head for the backend
	relayed upstream.Request
}

// exchanges are used again: nothing of one is kept beyond its answer.
var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// ServeHTTP answers a request.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.requests.Add(1)
	x := exchanges.Get().(*exchange)
	*x = exchange{gate: g, w: w, r: r, upgrade: r.Header["Upgrade"] != nil, buffer: x.buffer[:0]}
	x.decision.Began = g.config.Now()
	x.decision.Method, x.decision.Upgrade = "other", x.upgrade
	defer x.finish()
	if x.enter() && x.find() && x.authenticate() {
		x.pass()
	}
}

// finish is told of every decision, that of a request which was broken off among them.
func (x *exchange) finish() {
	x.gate.requests.Add(-1)
	if x.limited {
		x.gate.limits.end(x.client)
	}
	if x.gate.config.Observe != nil {
		x.decision.Client = x.client
		x.decision.Elapsed = x.gate.config.Now().Sub(x.decision.Began)
		x.gate.config.Observe(x.decision)
	}
	clear(x.buffer[:cap(x.buffer)]) // there are tokens in it
	*x = exchange{buffer: x.buffer}
	exchanges.Put(x)
}

// enter asks what is asked of every request.
func (x *exchange) enter() bool {
	g := x.gate
	x.client, x.proto = g.trust.client(x.r)
	var ok bool
	switch x.path, x.query, ok = target(x.r); {
	case g.draining.Load():
		x.w.Header().Set("Connection", "close")
		x.refuse(drained)
	case x.r.ProtoMajor == 1 && x.r.ProtoMinor > 1:
		x.refuse(badVersion)
	case !g.secret.holds(x.r):
		x.refuse(noOriginProof)
	case !ok:
		x.refuse(badTarget)
	case !isHost(x.r.Host):
		x.refuse(badHost)
	case len(g.config.Hosts) > 0 && !slices.Contains(g.config.Hosts, x.r.Host):
		x.refuse(wrongHost)
	default:
		return true
	}
	return false
}

// find finds the route, and refuses what it does not take.
func (x *exchange) find() bool {
	found, place := x.gate.table.Load().find(x.r.Method, x.path)
	if found == nil && place != nil && x.isPreflight() {
		found = place.preflight
	}
	switch {
	case place == nil:
		x.refuse(noRoute)
		return false
	case found == nil:
		x.w.Header().Set("Allow", place.allow)
		x.refuse(wrongMethod)
		return false
	}
	x.route = found
	x.decision.Route, x.decision.Method = found.Name, x.r.Method
	switch {
	case found.Who == Nobody:
		x.refuse(blocked)
	case hasParameter(x.query, found.refuseQuery):
		x.refuse(badParameter)
	case found.Socket != nil || x.upgrade:
		return x.checkHandshake()
	case x.r.ContentLength > found.MaxBody || x.r.ContentLength < 0 && found.MaxBody == 0:
		x.refuse(tooLarge)
	default:
		return true
	}
	return false
}

// isPreflight says whether a browser asks if a page may send the request that it has in mind.
func (x *exchange) isPreflight() bool {
	h := x.r.Header
	return x.r.Method == http.MethodOptions && len(h["Origin"]) == 1 && len(h["Access-Control-Request-Method"]) == 1
}

// authenticate finds out who asks. A route without a guard is everybody's.
func (x *exchange) authenticate() bool {
	guard := x.route.guard
	if guard == nil {
		return x.hideTokens()
	}
	principal, token, err := guard.AuthenticateToken(x.r, x.route.Rules...)
	if err != nil && x.route.optional && jws.ReasonOf(err) == connect.MissingToken {
		principal, token, err = connect.Principal{}, "", nil
	}
	if err != nil {
		if x.upgrade {
			x.refuseSocket(err)
		} else {
			x.refuseToken(err)
		}
		return false
	}
	x.principal, x.token = principal, token
	x.decision.Player = player(principal)
	x.decision.Session = sessionID(principal)
	return x.hideTokens()
}

// hideTokens takes tokens out of the query. Where one stands behind a semicolon, which parts parameters for some servers, it was
// not read here, and the request is refused.
func (x *exchange) hideTokens() bool {
	x.query = stripQuery(x.query, x.route.secrets)
	if hasParameter(x.query, x.route.secrets) {
		x.refuse(badParameter)
		return false
	}
	return true
}

func player(p connect.Principal) (zero identity.Player) {
	if p.Session == nil && p.Identity == nil {
		return zero
	}
	return p.Player()
}

func sessionID(p connect.Principal) string {
	switch {
	case p.Session != nil:
		return p.Session.ID
	case p.Identity != nil:
		return p.Identity.Session
	}
	return ""
}

func (x *exchange) pass() {
	switch {
	case x.route.Socket != nil:
		x.openSocket()
	case x.route.special != nil:
		x.route.special.serve(x)
	default:
		x.relay()
	}
}

// head makes the head of the request to the backend, up to what says how its body ends.
func (x *exchange) head(method string) []byte {
	head := append(x.buffer[:0], method...)
	head = append(head, ' ')
	head = append(head, x.path...)
	query := x.query
	if x.route.Forward.Query != "" && x.token != "" {
		if query != "" {
			query += "&"
		}
		query += x.route.Forward.Query + "=" + escapeQuery(x.token)
	}
	if query != "" {
		head = append(append(head, '?'), query...)
	}
	head = append(head, " HTTP/1.1\r\n"...)
	head = appendField(head, "Host", x.r.Host)
	head = x.appendClientHeaders(head)
	x.buffer = x.appendOwnHeaders(head)
	return x.buffer
}

// escapeQuery leaves what a compact token is made of as it is.
func escapeQuery(token string) string {
	const hexDigits = "0123456789ABCDEF"
	out := make([]byte, 0, len(token))
	for i := range len(token) {
		c := token[i]
		if isNameSegment(token[i:i+1]) || c == '.' || c == '~' {
			out = append(out, c)
			continue
		}
		out = append(out, '%', hexDigits[c>>4], hexDigits[c&15])
	}
	return string(out)
}

// now is the gate's clock.
func (x *exchange) now() time.Time { return x.gate.config.Now() }
