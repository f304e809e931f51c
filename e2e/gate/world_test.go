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
	realm    = "players"
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
	store    *brittle
	issuing  session.IssuerConfig
	brief    *session.Issuer // its tokens live for briefLife

	unreachable bool // nobody answers at the address of /verify
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{tb: tb, provider: signer(tb, "provider-1"), backend: newBackend(tb)}
	identities := must(identity.NewOIDC(identity.OIDCConfig{
		Common: identity.Common{Realm: realm, Keys: jws.StaticKeys{w.provider.Key()}},
		Issuer: provider, Audiences: []string{"game"},
	}))(tb)
	w.store = newBrittle()
	w.ledger = must(session.NewLedger(session.LedgerConfig{Store: w.store, Policy: session.Strict}))(tb)
	if err := w.ledger.Load(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	follow(tb, w.ledger)
	w.ring = must(session.NewKeyring(session.KeyringConfig{}))(tb)
	if err := w.ring.Rotate(signer(tb, "service-1")); err != nil {
		tb.Fatal(err)
	}
	w.issuing = session.IssuerConfig{
		Issuer: service, Audiences: []session.Audience{{Name: "arena"}}, Keys: w.ring, Ledger: w.ledger,
		Families: w.store, Identities: identities, Realms: []string{realm},
	}
	w.sessions = must(session.NewIssuer(w.issuing))(tb)
	w.brief = w.lasting(tb, briefLife)
	w.verifier = must(session.NewVerifier(session.VerifierConfig{
		Issuer: service, Audience: "arena", Keys: w.ring, Realms: []string{realm}, Ledger: w.ledger,
	}))(tb)
	w.tickets = must(session.NewTicketOffice(session.TicketConfig{Store: w.store, Verifier: w.verifier}))(tb)
	return w
}

// lasting is an issuer of tokens that live for so long.
func (w *world) lasting(tb testing.TB, life time.Duration) *session.Issuer {
	config := w.issuing
	config.TokenLifetime = life
	return must(session.NewIssuer(config))(tb)
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
		Issuer: service, Realms: []string{realm}, Verifiers: []connect.SessionVerifier{w.verifier}, Ledger: w.ledger,
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
	return w.buy(w.tb, w.sessions, alice)
}

// buy exchanges an identity token of a subject for a session.
func (w *world) buy(tb testing.TB, issuer *session.Issuer, subject string) (*session.Session, string) {
	tb.Helper()
	now := time.Now().Unix()
	claims := fmt.Sprintf(`{"iss":%q,"aud":"game","sub":%q,"iat":%d,"exp":%d}`, provider, subject, now, now+600)
	token := must(w.provider.Sign("JWT", []byte(claims)))(tb)
	grant := must(issuer.Exchange(tb.Context(), session.ExchangeRequest{SubjectToken: token, Audience: "arena"}))(tb)
	return must(w.verifier.Verify(tb.Context(), grant.AccessToken))(tb), grant.AccessToken
}

// follow runs a ledger until the test ends.
func follow(tb testing.TB, ledger *session.Ledger) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = ledger.Run(ctx)
	}()
	tb.Cleanup(func() {
		stop()
		<-done
	})
}

// briefLife is the life of a token whose expiry a test waits for.
const briefLife = 12 * time.Second

// brittle is a store that can go away, and does not come back.
type brittle struct {
	*session.MemoryStore
	gone context.Context
	quit context.CancelFunc
}

func newBrittle() *brittle {
	b := &brittle{MemoryStore: session.NewMemoryStore()}
	b.gone, b.quit = context.WithCancel(context.Background())
	return b
}

// Since fails once the store is away, also where it waits already.
func (b *brittle) Since(ctx context.Context, cursor string) (session.Batch, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(b.gone, cancel)()
	if b.gone.Err() != nil {
		return session.Batch{}, session.ErrStoreUnavailable
	}
	return b.MemoryStore.Since(ctx, cursor)
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
