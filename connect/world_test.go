package connect_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

const (
	provider = "https://id.example"
	service  = "https://auth.example"
	page     = "https://play.example"
	alice    = "0b7c1f3e-6f0a-4a43-9d5b-6f1f0e5f2a11"
)

// world is a service with real verifiers, at the time of the vectors.
type world struct {
	tb         testing.TB
	nanos      atomic.Int64
	provider   *jws.Signer
	identities *identity.Issuer
	ledger     *session.Ledger
	sessions   *session.Issuer
	verifier   *session.Verifier
	tickets    *session.TicketOffice
}

func (w *world) now() time.Time { return time.Unix(0, w.nanos.Load()).UTC() }

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{tb: tb}
	w.nanos.Store(testvectors.Now.UnixNano())
	w.provider = must(jws.NewSigner("provider-1", testvectors.PrivateKey(tb, "ed25519-1")))(tb)
	w.identities = must(identity.NewOIDC(identity.OIDCConfig{
		Common: identity.Common{Realm: "players", Keys: jws.StaticKeys{w.provider.Key()}, Now: w.now},
		Issuer: provider, Audiences: []string{"game"},
	}))(tb)
	store := session.NewMemoryStoreAt(w.now)
	w.ledger = must(session.NewLedger(session.LedgerConfig{Store: store, Policy: session.Grace, Now: w.now}))(tb)
	if err := w.ledger.Load(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	ring := must(session.NewKeyring(session.KeyringConfig{Now: w.now}))(tb)
	if err := ring.Rotate(must(jws.NewSigner("service-1", testvectors.PrivateKey(tb, "ed25519-2")))(tb)); err != nil {
		tb.Fatal(err)
	}
	w.sessions = must(session.NewIssuer(session.IssuerConfig{
		Issuer: service, Audiences: []session.Audience{{Name: "arena"}}, Keys: ring, Ledger: w.ledger, Families: store,
		Identities: w.identities, Realms: []string{"players"}, Now: w.now,
	}))(tb)
	w.verifier = must(session.NewVerifier(session.VerifierConfig{
		Issuer: service, Audience: "arena", Keys: ring, Realms: []string{"players"}, Ledger: w.ledger, Now: w.now,
	}))(tb)
	w.tickets = must(session.NewTicketOffice(session.TicketConfig{Store: store, Verifier: w.verifier, Now: w.now}))(tb)
	return w
}

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

// identityToken signs a token of the provider for alice, with more claims in JSON.
func (w *world) identityToken(more string) string {
	w.tb.Helper()
	now := w.now().Unix()
	claims := fmt.Sprintf(`{"iss":%q,"aud":"game","sub":%q,"iat":%d,"exp":%d%s}`, provider, alice, now, now+600, more)
	return must(w.provider.Sign("JWT", []byte(claims)))(w.tb)
}

// sessionToken exchanges an identity token of alice with the scopes and groups of a player.
func (w *world) sessionToken() string {
	w.tb.Helper()
	grant := must(w.sessions.Exchange(w.tb.Context(), session.ExchangeRequest{
		SubjectToken: w.identityToken(`,"scope":"play chat","groups":["beta"]`), ClientID: "game",
	}))(w.tb)
	return grant.AccessToken
}

func (w *world) guard(config connect.Config) *connect.Guard {
	w.tb.Helper()
	if config.Sessions == nil && config.Identities == nil {
		config.Sessions = w.verifier
	}
	return must(connect.New(config))(w.tb)
}

// hello answers with whom the guard let in.
var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	s, isSession := connect.SessionFromContext(r.Context())
	id, isIdentity := connect.IdentityFromContext(r.Context())
	switch {
	case isSession && isIdentity:
		http.Error(w, "both", http.StatusTeapot)
	case isSession:
		fmt.Fprint(w, "session of ", s.Player.Subject)
	case isIdentity:
		fmt.Fprint(w, "identity of ", id.Subject)
	default:
		fmt.Fprint(w, "nobody")
	}
})

func serve(handler http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

// request makes a request with "Name: value" headers.
func request(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func problemOf(tb testing.TB, w *httptest.ResponseRecorder) connect.Problem {
	tb.Helper()
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		tb.Fatalf("Content-Type %q, want application/problem+json", got)
	}
	var p connect.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		tb.Fatal(err)
	}
	return p
}

// brokenSessions is a verifier whose ledger is away.
type brokenSessions struct{}

func (brokenSessions) Verify(context.Context, string) (*session.Session, error) {
	return nil, &jws.Refusal{Check: jws.CheckRevocation, Reason: jws.Unavailable, Want: "the store"}
}
