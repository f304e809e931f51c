package gate_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/tokenapi"
)

const (
	provider = "https://id.example"
	service  = "https://auth.example"
	alice    = "0b7c1f3e-6f0a-4a43-9d5b-6f1f0e5f2a11"
)

// must turns a pair into a value that fails the test instead.
func must[T any](value T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return value
	}
}

// signer makes a key pair and its signer.
func signer(tb testing.TB, kid string) *jws.Signer {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return must(jws.NewSigner(kid, private))(tb)
}

// world is a service that makes and verifies sessions, and an API that answers a proxy.
type world struct {
	tb       testing.TB
	provider *jws.Signer
	ledger   *session.Ledger
	sessions *session.Issuer
	verifier *session.Verifier
	tickets  *session.TicketOffice
	ring     *session.Keyring
	backend  *backend

	unreachable bool // nobody answers at the address of /verify
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{tb: tb, provider: signer(tb, "provider-1"), backend: newBackend(tb)}
	identities := must(identity.NewOIDC(identity.OIDCConfig{
		Common: identity.Common{Realm: "players", Keys: jws.StaticKeys{w.provider.Key()}},
		Issuer: provider, Audiences: []string{"game"},
	}))(tb)
	store := session.NewMemoryStore()
	w.ledger = must(session.NewLedger(session.LedgerConfig{Store: store, Policy: session.Available}))(tb)
	if err := w.ledger.Load(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	w.ring = must(session.NewKeyring(session.KeyringConfig{}))(tb)
	if err := w.ring.Rotate(signer(tb, "service-1")); err != nil {
		tb.Fatal(err)
	}
	w.sessions = must(session.NewIssuer(session.IssuerConfig{
		Issuer: service, Audiences: []session.Audience{{Name: "arena"}}, Keys: w.ring, Ledger: w.ledger,
		Families: store, Identities: identities, Realms: []string{"players"},
	}))(tb)
	w.verifier = must(session.NewVerifier(session.VerifierConfig{
		Issuer: service, Audience: "arena", Keys: w.ring, Realms: []string{"players"}, Ledger: w.ledger,
	}))(tb)
	w.tickets = must(session.NewTicketOffice(session.TicketConfig{Store: store, Verifier: w.verifier}))(tb)
	return w
}

// verify serves the API with /verify for a proxy, and returns its address.
func (w *world) verify(proxy tokenapi.Proxy) string {
	if w.unreachable {
		return freeAddress(w.tb)
	}
	guard := must(connect.New(connect.Config{Sessions: w.verifier, Sources: []connect.Source{
		connect.Bearer(), connect.Ticket(connect.TicketConfig{Name: "ticket", Redeemer: w.tickets}),
	}}))(w.tb)
	api := must(tokenapi.New(tokenapi.Config{
		Issuer: service, Realms: []string{"players"}, Verifiers: []connect.SessionVerifier{w.verifier}, Ledger: w.ledger,
		Sessions: w.sessions, Keys: w.ring, Tickets: w.tickets,
		Forward: &tokenapi.ForwardAuth{Proxy: proxy, Guard: guard},
	}))(w.tb)
	server := httptest.NewServer(api.Handler())
	w.tb.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// signIn buys a session for alice.
func (w *world) signIn() (*session.Session, string) {
	w.tb.Helper()
	now := time.Now().Unix()
	claims := fmt.Sprintf(`{"iss":%q,"aud":"game","sub":%q,"iat":%d,"exp":%d}`, provider, alice, now, now+600)
	token := must(w.provider.Sign("JWT", []byte(claims)))(w.tb)
	grant := must(w.sessions.Exchange(w.tb.Context(), session.ExchangeRequest{SubjectToken: token, Audience: "arena"}))(w.tb)
	return must(w.verifier.Verify(w.tb.Context(), grant.AccessToken))(w.tb), grant.AccessToken
}

// backend is the game's own server. It notes what reached it.
type backend struct {
	address string
	mu      sync.Mutex
	seen    []*http.Request
}

func newBackend(tb testing.TB) *backend {
	b := &backend{}
	server := httptest.NewServer(b)
	tb.Cleanup(server.Close)
	b.address = server.Listener.Addr().String()
	return b
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen = append(b.seen, r.Clone(context.WithoutCancel(r.Context())))
	w.WriteHeader(http.StatusNoContent)
}

// take returns what came since the last call.
func (b *backend) take() []*http.Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := b.seen
	b.seen = nil
	return seen
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress(tb testing.TB) string {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(tb)
	defer listener.Close()
	return listener.Addr().String()
}
