package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/http/pprof"
	"net/url"
	"strconv"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/edge"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// secret is what every token of a run is signed with, HS256, as Nakama's are.
const secret = "bench-0123456789abcdef0123456789abcdef"

const realm = "players"

// play is a process of a run: what to be, where to listen, and what is behind.
func play(role string, args []string) error {
	switch role {
	case "backend":
		return serveBackend(args[0])
	case "gate":
		return serveGate(args[0], args[1], args[2], args[3])
	case "verifier":
		return serveVerifier(args[0])
	case "proxy":
		return serveProxy(args[0], args[1], args[2])
	case "load":
		return serveLoad(args)
	}
	return fmt.Errorf("there is no role %q", role)
}

// signToken makes a session token of Nakama's for a player.
func signToken(player int) (string, error) {
	signer, err := jws.NewSecretSigner("", []byte(secret))
	if err != nil {
		return "", err
	}
	now := time.Now().Unix()
	claims := fmt.Sprintf(`{"tid":"%08x-0000-4000-8000-000000000001","uid":"%08x-0000-4000-8000-000000000000","usn":"player-%d","iat":%d,"exp":%d}`,
		player, player, player, now-2, now+3600)
	return signer.Sign("JWT", []byte(claims))
}

// newVerifier is who decides about tokens: in the gate, behind auth_request, and before the reverse proxy.
func newVerifier(cached int) (*session.Verifier, *session.Ledger, error) {
	ledger, err := session.NewLedger(session.LedgerConfig{Store: session.NewMemoryStore(), Policy: session.Available})
	if err != nil {
		return nil, nil, err
	}
	if err := ledger.Load(context.Background()); err != nil {
		return nil, nil, err
	}
	go func() { _ = ledger.Run(context.Background()) }()
	verifier, err := session.NewNakamaVerifier(session.NakamaConfig{
		Realm: realm, Keys: [][]byte{[]byte(secret)}, Aliases: session.AliasOptional, Ledger: ledger, CacheEntries: cached,
	})
	return verifier, ledger, err
}

// plenty is a limit that is kept count of and not reached.
const plenty = 1e6

func gateRoutes(backend string) []edge.Route {
	return []edge.Route{
		{Name: "api", Path: "/api/*", Methods: []string{http.MethodGet}, Backend: backend, Who: edge.Session},
		{Name: "ws", Path: "/ws", Methods: []string{http.MethodGet}, Backend: backend, Who: edge.Session, Socket: &edge.SocketConfig{
			Profile: connect.ProfilePlain, Mode: connect.ReplaceOlder, AnyOrigin: true, MaxRate: plenty, Burst: plenty,
		}},
	}
}

// serveGate runs the gate with all controls on: the ledger, the registry, pings, rates, handshakes for each address.
func serveGate(address, backend, profiles, cached string) error {
	entries, err := strconv.Atoi(cached)
	if err != nil {
		return err
	}
	verifier, ledger, err := newVerifier(entries)
	if err != nil {
		return err
	}
	routes := gateRoutes("http://" + backend)
	registry, err := connect.NewRegistry(connect.RegistryConfig{
		Ledger: ledger, Routes: edge.SocketRoutes(routes), Stale: connect.KeepSockets, Notice: time.Minute,
	})
	if err != nil {
		return err
	}
	gate, err := edge.New(edge.Config{
		Routes: routes, Sessions: verifier, Ledger: ledger, Registry: registry, Realms: []string{realm},
		Handshakes: edge.HandshakeLimit{Rate: plenty, Burst: plenty, Concurrent: plenty},
		Observe:    func(edge.Decision) {}, ObserveSocket: func(edge.SocketEnd) {},
	})
	if err != nil {
		return err
	}
	if profiles != "" {
		go func() { _ = http.ListenAndServe(profiles, profileHandler()) }()
	}
	quiet := net.ListenConfig{KeepAlive: -1} // as the program does
	listener, err := quiet.Listen(context.Background(), "tcp", address)
	if err != nil {
		return err
	}
	go edge.ReturnMemory(context.Background()) // as the program does
	return gate.Server().Serve(listener)
}

func profileHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/profile", pprof.Profile)
	mux.Handle("/heap", pprof.Handler("heap"))
	return mux
}

func newGuard() (*connect.Guard, error) {
	verifier, _, err := newVerifier(0) // the default
	if err != nil {
		return nil, err
	}
	return connect.New(connect.Config{Sessions: verifier, Sources: []connect.Source{connect.Bearer()}})
}

// serveVerifier answers /verify for nginx and Caddy: 200 with the player's id, or 401.
func serveVerifier(address string) error {
	guard, err := newGuard()
	if err != nil {
		return err
	}
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := connect.SessionFromContext(r.Context())
		w.Header()[connect.HeaderUser] = []string{s.UserID}
	})
	return http.ListenAndServe(address, guard.Require()(answer))
}

// serveProxy is httputil.ReverseProxy, behind connect.Require on the first address and bare on the second.
func serveProxy(checked, open, backend string) error {
	guard, err := newGuard()
	if err != nil {
		return err
	}
	target := &url.URL{Scheme: "http", Host: backend}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, 256
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		if s, ok := connect.SessionFromContext(r.In.Context()); ok {
			r.Out.Header[connect.HeaderUser] = []string{s.UserID}
		}
	}}
	go func() { _ = http.ListenAndServe(open, proxy) }()
	return http.ListenAndServe(checked, guard.Require()(proxy))
}
