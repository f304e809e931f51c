package gate_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/edge"
	"github.com/sallyport-auth/sallyport/session"
)

// kind is a kind of client with the profile that is made for it and the server that it plays on.
type kind struct {
	name    string
	server  string
	profile connect.Profile
	routes  func(backend string, socket edge.SocketConfig) []edge.Route
}

var kinds = []kind{
	{"plain", "plain", connect.ProfilePlain, plainRoutes},
	{"browser", "plain", connect.ProfilePlain, plainRoutes},
	{"nakama", "pinging", connect.ProfileNakama, nakamaRoutes},
	{"colyseus", "colyseus", connect.ProfileColyseus, colyseusRoutes},
}

func plainRoutes(backend string, socket edge.SocketConfig) []edge.Route {
	return edge.Plain(edge.PlainConfig{Backend: backend, Path: "/ws", Socket: &socket})
}

// nakamaRoutes is /ws as nakama-js uses it. The real Nakama is behind the gate in e2e/nakama.
func nakamaRoutes(backend string, socket edge.SocketConfig) []edge.Route {
	return []edge.Route{{
		Name: "nakama", Path: "/ws", Methods: []string{"GET"}, Backend: backend, Who: edge.Session,
		Sources: edge.Sources{Query: "token"}, Socket: &socket,
	}}
}

func colyseusRoutes(backend string, socket edge.SocketConfig) []edge.Route {
	return edge.Colyseus(edge.ColyseusConfig{Backend: backend, Who: edge.Session, Socket: &socket})
}

// door is a gate of its own for one case, with one client before it.
type door struct {
	*world
	t        *testing.T
	kind     kind
	driver   *driver
	registry *connect.Registry
	gate     *edge.Gate
	address  string
	valve    *valve // before address
	id       string
	issuer   *session.Issuer
	session  *session.Session
	token    string
	ends     chan edge.SocketEnd
	asked    chan edge.Decision
}

// newDoor opens a gate whose sockets live as change says.
func newDoor(t *testing.T, k kind, backend string, d *driver, change func(*edge.SocketConfig)) *door {
	t.Helper()
	o := &door{world: newWorld(t), t: t, kind: k, driver: d, id: t.Name(), ends: make(chan edge.SocketEnd, 4096), asked: make(chan edge.Decision, 4096)}
	socket := edge.SocketConfig{Profile: k.profile, Mode: connect.ReplaceOlder, AnyOrigin: true, PongWait: time.Minute}
	if change != nil {
		change(&socket)
	}
	routes := k.routes("http://"+backend, socket)
	o.registry = must(connect.NewRegistry(connect.RegistryConfig{
		Ledger: o.ledger, Routes: edge.SocketRoutes(routes), Stale: connect.CloseSockets,
	}))(t)
	config := edge.Config{
		Routes: routes, Sessions: o.verifier, Ledger: o.ledger, Registry: o.registry, Realms: []string{realm},
		Observe: func(d edge.Decision) { o.asked <- d }, ObserveSocket: func(e edge.SocketEnd) { o.ends <- e },
		Handshakes: edge.HandshakeLimit{Rate: -1, Concurrent: 2000},
	}
	if k.profile == connect.ProfilePlain {
		config.Tickets = o.tickets
	}
	o.gate = must(edge.New(config))(t)
	o.issuer = o.sessions
	o.address = o.serve()
	o.valve = newValve(t, o.address)
	return o
}

// serve serves the gate until the test ends.
func (o *door) serve() string {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(o.t)
	server := o.gate.Server()
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	o.t.Cleanup(func() {
		_ = o.gate.Close()
		_ = server.Close()
		<-served
	})
	return listener.Addr().String()
}

// open has a player come in as the client with an id.
func (o *door) open(id string) {
	o.t.Helper()
	c := command{Op: "open", ID: id, Address: o.valve.address, Token: o.token}
	if o.kind.name == "browser" {
		ticket, _, err := o.tickets.Issue(o.t.Context(), o.token, session.Binding{})
		if err != nil {
			o.t.Fatal(err)
		}
		c.Ticket = ticket
	}
	o.driver.do(c)
}

// play signs in, opens the socket, and has one message come back through it.
func (o *door) play() {
	o.t.Helper()
	o.session, o.token = o.buy(o.t, o.issuer, "player of "+strings.ReplaceAll(o.id, "/", " "))
	o.open(o.id)
	if e := o.driver.await(o.t, o.id, "open", "close", "error"); e.Event != "open" {
		o.t.Fatalf("the socket did not open: %+v", e)
	}
	o.say("hello")
	if o.kind.name != "nakama" { // nakama-js has no event for what is not Nakama's
		o.driver.await(o.t, o.id, "message")
	}
}

func (o *door) say(text string) { o.driver.do(command{Op: "say", ID: o.id, Text: text}) }

// cause is how a reason comes about.
type cause struct {
	reason connect.CloseReason
	socket func(*edge.SocketConfig)
	act    func(o *door)
	// cut says that the connection may break off, because no frame can be finished on it.
	cut bool
	// away says that the gate lets nobody in afterwards.
	away bool
	// second says that the client who is told is the second one.
	second bool
}

func kick(reason connect.CloseReason) func(*door) {
	return func(o *door) {
		if n, err := o.registry.Kick(connect.SocketFilter{Session: o.session.ID}, reason); err != nil || n != 1 {
			o.t.Errorf("kicked %d sockets, error %v", n, err)
		}
	}
}

var causes = []cause{
	{reason: connect.CloseFinished, act: kick(connect.CloseFinished)},
	{reason: connect.CloseRefused, act: kick(connect.CloseRefused)},
	{reason: connect.CloseKicked, act: kick(connect.CloseKicked)},
	{reason: connect.CloseLapsed, act: kick(connect.CloseLapsed)}, // its own cause needs a store of many nodes: e2e/nodes
	{reason: connect.CloseExpired, act: func(*door) {}},
	{reason: connect.CloseRevoked, act: func(o *door) { o.check(o.ledger.RevokeSession(o.t.Context(), o.session, "signed out")) }},
	{reason: connect.CloseBanned, act: func(o *door) { o.check(o.ledger.Ban(o.t.Context(), o.session.Player, "cheating", time.Time{})) }},
	{reason: connect.CloseReplaced, act: func(o *door) { o.open(o.id + " again") }},
	{
		reason: connect.CloseSlotTaken, second: true,
		socket: func(s *edge.SocketConfig) { s.Mode = connect.RefuseNewer },
		act:    func(o *door) { o.open(o.id + " again") },
	},
	{reason: connect.CloseDraining, away: true, act: func(o *door) {
		ctx, cancel := context.WithTimeout(o.t.Context(), patience)
		defer cancel()
		o.check(o.gate.Drain(ctx, 100*time.Millisecond))
	}},
	{reason: connect.CloseUnavailable, away: true, act: func(o *door) { o.store.quit() }},
	{reason: connect.CloseBackendLost, act: func(o *door) { o.say("die") }},
	{
		reason: connect.CloseSilent,
		socket: func(s *edge.SocketConfig) { s.PingEvery, s.PongWait = 500*time.Millisecond, 5*time.Second },
		act:    func(o *door) { o.valve.up.stop() },
	},
	{reason: connect.CloseSlow, cut: true, act: func(o *door) {
		o.say("flood")
		o.valve.down.stop()
	}},
	{
		reason: connect.CloseIdle,
		socket: func(s *edge.SocketConfig) { s.Idle = 5 * time.Second },
		act:    func(*door) {},
	},
	{
		reason: connect.CloseFlooding,
		socket: func(s *edge.SocketConfig) { s.MaxRate, s.Burst = 5, 40 },
		act: func(o *door) {
			for range 100 {
				o.say("more")
			}
		},
	},
}

func (o *door) check(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Error(err)
	}
}

// TestCloseMatrix ends a socket for each reason before each kind of client: the client sees the code and the text of the table
// in docs/close-codes.md, and does what the table says that it does.
func TestCloseMatrix(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			backend, clients := game(t, k.server), newDriver(t, k.name)
			for _, c := range causes {
				t.Run(string(c.reason), func(t *testing.T) {
					t.Parallel()
					matrixCase(t, k, c, backend, clients)
				})
			}
		})
	}
}

func matrixCase(t *testing.T, k kind, c cause, backend string, clients *driver) {
	o := newDoor(t, k, backend, clients, c.socket)
	if c.reason == connect.CloseExpired {
		o.issuer = o.brief
	}
	o.play()
	c.act(o)
	if c.second {
		o.refused()
		return
	}
	o.ended(c.reason)
	o.valve.up.resume()
	o.valve.down.resume()
	o.reacted(c)
}

// ended waits for a socket's end for a reason.
func (o *door) ended(reason connect.CloseReason) {
	o.t.Helper()
	select {
	case end := <-o.ends:
		if end.Reason != reason {
			o.t.Fatalf("the socket ended as %q, want %q", end.Reason, reason)
		}
	case <-time.After(patience):
		o.t.Fatalf("the gate did not end the socket within %s", patience)
	}
}

// refused is what a second client is told whose slot is taken; the first one stays.
func (o *door) refused() {
	o.t.Helper()
	want := o.kind.profile.Closing(connect.CloseSlotTaken).Code
	if o.kind.name == "plain" {
		want = http.StatusConflict // it can send headers, so it can see a status
	}
	if e := o.driver.await(o.t, o.id+" again", "close", "error", "refused"); e.Code != want {
		o.t.Errorf("the second client saw %+v, want code %d", e, want)
	}
	if closed := append(o.driver.seen(o.id, "close"), o.driver.seen(o.id, "drop")...); len(closed) != 0 {
		o.t.Errorf("the first client saw %+v", closed)
	}
}

// reacted holds what the client saw and did against the table.
func (o *door) reacted(c cause) {
	o.t.Helper()
	want := o.kind.profile.Closing(c.reason)
	comesBack := o.kind.name == "colyseus" && want.Action == connect.ComeBack
	name := "close"
	if comesBack {
		name = "drop"
	}
	e := o.driver.await(o.t, o.id, "close", "drop")
	broken := c.cut && e.Code == 1006
	if e.Event != name || !broken && (e.Code != want.Code || e.Reason != want.Text) {
		o.t.Errorf("the client saw %+v, want a %s with %d %q", e, name, want.Code, want.Text)
	}
	if comesBack && !c.away {
		o.driver.await(o.t, o.id, "reconnect")
	}
	if !comesBack {
		if back := append(o.driver.seen(o.id, "drop"), o.driver.seen(o.id, "reconnect")...); len(back) != 0 {
			o.t.Errorf("the client tried to come back: %+v", back)
		}
	}
	o.t.Logf("%s: %d %q, the client should %s", e.Event, e.Code, e.Reason, want.Action)
}
