package edge_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/edge"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// patience is how long a test waits for what must come. It is no promise about speed.
const patience = 20 * time.Second

// realm is the only user base of the tests.
const realm = "main"

var (
	sessionKey = []byte("0123456789abcdef0123456789abcdef-session")
	refreshKey = []byte("0123456789abcdef0123456789abcdef-refresh")
)

// players is an identity.Verifier: the token "identity-<subject>" is from the player of that subject.
type players struct{}

func (players) Verify(_ context.Context, token string) (*identity.Identity, error) {
	subject, ok := strings.CutPrefix(token, "identity-")
	if !ok {
		return nil, &jws.Refusal{Check: jws.CheckSignature, Reason: jws.BadSignature, Want: "an identity token of the tests"}
	}
	return &identity.Identity{
		Player: identity.Player{Realm: realm, Subject: subject}, Issuer: "https://issuer.test", Subject: subject, Username: "name of " + subject,
		Session: "upstream-" + subject, IssuedAt: time.Now().Add(-2 * time.Second).UTC(), Expiry: time.Now().Add(time.Hour).UTC(),
	}, nil
}

// world is a gate with all that belongs to it, before a backend that the test gives.
type world struct {
	t        *testing.T
	ledger   *session.Ledger
	registry *connect.Registry
	office   *session.TicketOffice
	sessions *session.Verifier
	gate     *edge.Gate
	server   *edge.Server
	address  string
	seen     decisions
	ends     chan edge.SocketEnd
}

type decisions struct {
	mu  sync.Mutex
	all []edge.Decision
}

func (d *decisions) add(one edge.Decision) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, one)
}

func (d *decisions) list() []edge.Decision {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]edge.Decision(nil), d.all...)
}

// newWorld makes a gate with these routes. change may change the rest of its configuration.
func newWorld(t testing.TB, routes []edge.Route, change func(*edge.Config)) *world {
	t.Helper()
	w := &world{ends: make(chan edge.SocketEnd, 4096)}
	w.t, _ = t.(*testing.T)
	store := session.NewMemoryStore()
	var err error
	w.ledger, err = session.NewLedger(session.LedgerConfig{Store: store, Policy: session.Available})
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.ledger.Run(ctx) }()
	must(t, w.ledger.Load(ctx))
	w.sessions, err = session.NewNakamaVerifier(session.NakamaConfig{
		Realm: realm, Keys: [][]byte{sessionKey}, RefreshKeys: [][]byte{refreshKey}, Aliases: session.AliasOptional, Ledger: w.ledger,
	})
	must(t, err)
	w.office, err = session.NewTicketOffice(session.TicketConfig{Store: store, Verifier: w.sessions})
	must(t, err)
	if sockets := edge.SocketRoutes(routes); len(sockets) > 0 {
		w.registry, err = connect.NewRegistry(connect.RegistryConfig{
			Ledger: w.ledger, Routes: sockets, Stale: connect.KeepSockets, Notice: time.Minute,
		})
		must(t, err)
	}
	config := edge.Config{
		Routes: routes, Sessions: w.sessions, Identities: players{}, SessionIssuer: connect.NoIssuer, Tickets: w.office, Ledger: w.ledger,
		Registry: w.registry, Realms: []string{realm}, Observe: w.seen.add, Handshakes: edge.HandshakeLimit{Rate: -1},
		ObserveSocket: func(e edge.SocketEnd) { w.ends <- e },
	}
	if change != nil {
		change(&config)
	}
	w.gate, err = edge.New(config)
	must(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	w.address = listener.Addr().String()
	w.server = w.gate.Server()
	served := make(chan struct{})
	go func() { defer close(served); _ = w.server.Serve(listener) }()
	t.Cleanup(func() {
		_ = w.gate.Close()
		_ = w.server.Close()
		<-served
		stop()
		<-done
	})
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) url(path string) string { return "http://" + w.address + path }

// claims are what a Nakama token of the tests says.
type claims map[string]any

// uuidOf makes a UUID of a short name, so that a test can speak of players by name.
func uuidOf(name string) string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", len(name), []byte(name + "\x00\x00\x00\x00\x00\x00")[:6])
}

// token is a session token of Nakama's for a user and a session.
func token(t testing.TB, key []byte, user, sid string, life time.Duration) string {
	t.Helper()
	signer, err := jws.NewSecretSigner("", key)
	must(t, err)
	payload, err := json.Marshal(claims{
		"tid": uuidOf(sid), "uid": uuidOf(user), "usn": user, "iat": time.Now().Add(-2 * time.Second).Unix(), "exp": time.Now().Add(life).Unix(),
	})
	must(t, err)
	text, err := signer.Sign("JWT", payload)
	must(t, err)
	return text
}

func sessionToken(t testing.TB, user string) string {
	t.Helper()
	return token(t, sessionKey, user, "s-"+user, time.Hour)
}

// backend is a server that notes what reached it.
type backend struct {
	*httptest.Server
	hits atomic.Int64
	last atomic.Pointer[http.Request]
}

func newBackend(t testing.TB, handler http.HandlerFunc) *backend {
	t.Helper()
	b := &backend{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.hits.Add(1)
		b.last.Store(r.Clone(context.Background()))
		if handler == nil {
			_, _ = io.WriteString(w, "hello")
			return
		}
		handler(w, r)
	}))
	t.Cleanup(func() {
		b.CloseClientConnections() // or a handler that still reads keeps Close, and with it all tests
		b.Server.Close()
	})
	return b
}

// public is a route for everybody to a backend.
func public(b *backend, path string, methods ...string) edge.Route {
	if len(methods) == 0 {
		methods = []string{"GET", "HEAD", "POST", "PUT"}
	}
	return edge.Route{Name: "route " + path, Path: path, Methods: methods, Backend: b.URL, Who: edge.Public}
}
