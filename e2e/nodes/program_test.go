package nodes_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/session/storetest"
	"github.com/sallyport-auth/sallyport/store/redis"
)

// program, if it is set, makes this test binary a node: a process with a store, a ledger, a registry, a listener for
// players and one for the test.
const program = "SALLYPORT_TEST_NODE"

// long makes the tests as long as their promises.
const long = "SALLYPORT_TEST_LONG"

func isLong() bool { return os.Getenv(long) != "" }

func TestMain(m *testing.M) {
	if text := os.Getenv(program); text != "" {
		if err := runNode(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// nodeConfig says how a node is.
type nodeConfig struct {
	Host      string // of its listeners
	Name      string
	Redis     []string
	Sentinel  string // the master's name; "" is none
	Timeout   time.Duration
	Plaintext bool
	Remember  int
	Policy    session.StalePolicy
	Grace     time.Duration
	Stale     connect.StaleSockets
	Lease     time.Duration
}

// nodeState is what a node says of itself.
type nodeState struct {
	connect.RegistryState
	Ledger     session.LedgerState
	Goroutines int
	Heap       uint64
	Calls      int64 // of the store of revocations
}

// gate is the running node.
type gate struct {
	store    *redis.Store
	counted  *storetest.Faults
	ledger   *session.Ledger
	registry *connect.Registry
}

func runNode(text string) error {
	var c nodeConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	g, err := openGate(c)
	if err != nil {
		return err
	}
	players, err := net.Listen("tcp", net.JoinHostPort(c.Host, "0"))
	if err != nil {
		return err
	}
	control, err := net.Listen("tcp", net.JoinHostPort(c.Host, "0"))
	if err != nil {
		return err
	}
	go g.accept(players)
	fmt.Printf("%s %s %s\n", players.Addr(), control.Addr(), g.registry.State().Node)
	return http.Serve(control, g.handler())
}

func openGate(c nodeConfig) (*gate, error) {
	config := redis.Config{Addresses: c.Redis, Timeout: c.Timeout, InsecurePlaintext: c.Plaintext, Remember: c.Remember}
	if c.Sentinel != "" {
		config.Sentinel = &redis.Sentinel{Master: c.Sentinel}
	}
	store, err := redis.Open(context.Background(), config)
	if err != nil {
		return nil, err
	}
	g := &gate{store: store, counted: &storetest.Faults{}}
	revocations := g.counted.Wrap(storetest.Stores{Revocations: store}).Revocations
	g.ledger, err = session.NewLedger(session.LedgerConfig{Store: revocations, Policy: c.Policy, Grace: c.Grace})
	if err != nil {
		return nil, err
	}
	if err := g.ledger.Load(context.Background()); err != nil {
		return nil, err
	}
	go g.ledger.Run(context.Background())
	g.registry, err = connect.NewRegistry(connect.RegistryConfig{
		Ledger: g.ledger, Stale: c.Stale, Owners: store, Lease: c.Lease, Node: c.Name,
		Routes: map[string]connect.SocketRoute{
			"arena": {Mode: connect.ReplaceOlder, Profile: connect.ProfilePlain},
			"lobby": {Mode: connect.RefuseNewer, Profile: connect.ProfilePlain},
		},
	})
	return g, err
}

// knock is the first line of a player's connection.
type knock struct {
	Player, Session int
	Slot            connect.Slot
}

func (g *gate) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go g.serve(conn)
	}
}

// serve says "in FENCE" or "no REASON" to who knocks, and "bye REASON" at the end.
func (g *gate) serve(conn net.Conn) {
	defer conn.Close()
	lines := bufio.NewReaderSize(conn, 256)
	line, err := lines.ReadBytes('\n')
	var k knock
	if err != nil || json.Unmarshal(line, &k) != nil {
		return
	}
	let := make(chan struct{})
	socket, err := g.registry.Admit(context.Background(), sessionOf(k), k.Slot, connect.Hooks{Close: func(c connect.Closing) {
		<-let
		fmt.Fprintf(conn, "bye %s\n", c.Reason)
		conn.Close()
	}})
	if err != nil {
		fmt.Fprintf(conn, "no %s\n", connect.CloseReasonOf(err))
		return
	}
	defer socket.Release()
	fmt.Fprintf(conn, "in %d\n", socket.Fence())
	close(let)
	_, _ = lines.ReadByte() // until one side ends
}

func id(n int) string { return fmt.Sprintf("01900000-0000-7000-8000-%012x", n) }

func playerOf(n int) identity.Player {
	return identity.Player{Realm: "main", Subject: id(n)}
}

var began = time.Now()

func sessionOf(k knock) *session.Session {
	return &session.Session{
		Player: playerOf(k.Player), ID: id(k.Session), Issuer: "https://sallyport.test", Upstream: "sid:" + id(k.Player),
		IssuedAt: began, Expiry: began.Add(time.Hour),
	}
}

// handler is the test's way to a node.
func (g *gate) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /revoke", func(w http.ResponseWriter, r *http.Request) {
		n := number(r)
		say(w, g.ledger.RevokeSession(r.Context(), sessionOf(knock{Player: n, Session: n}), "test"))
	})
	mux.HandleFunc("POST /upstream", func(w http.ResponseWriter, r *http.Request) {
		say(w, g.ledger.RevokeUpstream(r.Context(), "main", id(number(r)), "test"))
	})
	mux.HandleFunc("POST /check", func(w http.ResponseWriter, r *http.Request) {
		n := number(r)
		say(w, g.ledger.CheckSession(sessionOf(knock{Player: n, Session: n})))
	})
	mux.HandleFunc("POST /put", func(w http.ResponseWriter, r *http.Request) {
		say(w, g.store.Put(r.Context(), digest(number(r)), []byte("sealed"), time.Now().Add(time.Minute)))
	})
	mux.HandleFunc("POST /take", func(w http.ResponseWriter, r *http.Request) {
		_, err := g.store.Take(r.Context(), digest(number(r)))
		say(w, err)
	})
	mux.HandleFunc("POST /create", func(w http.ResponseWriter, r *http.Request) {
		n, now := number(r), time.Now().UTC()
		say(w, g.store.Create(r.Context(), session.Family{
			ID: id(n), Secret: make([]byte, 32), CreatedAt: now, Expires: now.Add(time.Hour), Player: playerOf(n), PlayerID: id(n),
		}))
	})
	mux.HandleFunc("POST /rotate", func(w http.ResponseWriter, r *http.Request) {
		_, err := g.store.Rotate(r.Context(), id(number(r)), 0)
		say(w, err)
	})
	mux.HandleFunc("POST /drain", func(w http.ResponseWriter, r *http.Request) {
		window, _ := time.ParseDuration(r.URL.Query().Get("window"))
		say(w, g.registry.Drain(r.Context(), window))
	})
	mux.HandleFunc("POST /state", func(w http.ResponseWriter, r *http.Request) {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		json.NewEncoder(w).Encode(nodeState{
			g.registry.State(), g.ledger.State(), runtime.NumGoroutine(), m.HeapAlloc, g.counted.Calls(),
		})
	})
	return mux
}

func number(r *http.Request) int {
	n, _ := strconv.Atoi(r.URL.Query().Get("n"))
	return n
}

func digest(n int) (d [32]byte) {
	copy(d[:], id(n))
	return d
}

// say answers 204, 503 if the store is away, and 409 for everything else that is no.
func say(w http.ResponseWriter, err error) {
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, session.ErrStoreUnavailable):
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	default:
		http.Error(w, err.Error(), http.StatusConflict)
	}
}
