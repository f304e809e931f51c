package tokenapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/tokenapi"
)

const (
	provider = "https://id.example"
	service  = "https://auth.example"
	page     = "https://play.example"
	alice    = "0b7c1f3e-6f0a-4a43-9d5b-6f1f0e5f2a11"

	operatorSecret = "operator-secret-0001"
	gameSecret     = "game+secret/with=signs%41"
	pluginSecret   = "plugin-secret-0001"
)

// brittle is a store that can be away.
type brittle struct {
	*session.MemoryStore
	away atomic.Bool
}

func (b *brittle) err() error {
	if b.away.Load() {
		return session.ErrStoreUnavailable
	}
	return nil
}

func (b *brittle) Append(ctx context.Context, e session.Event) (session.Event, error) {
	if err := b.err(); err != nil {
		return session.Event{}, err
	}
	return b.MemoryStore.Append(ctx, e)
}

func (b *brittle) Since(ctx context.Context, cursor string) (session.Batch, error) {
	if err := b.err(); err != nil {
		return session.Batch{}, err
	}
	return b.MemoryStore.Since(ctx, cursor)
}

func (b *brittle) Create(ctx context.Context, f session.Family) error {
	if err := b.err(); err != nil {
		return err
	}
	return b.MemoryStore.Create(ctx, f)
}

func (b *brittle) Get(ctx context.Context, id string) (session.Family, error) {
	if err := b.err(); err != nil {
		return session.Family{}, err
	}
	return b.MemoryStore.Get(ctx, id)
}

func (b *brittle) Put(ctx context.Context, digest [32]byte, sealed []byte, expires time.Time) error {
	if err := b.err(); err != nil {
		return err
	}
	return b.MemoryStore.Put(ctx, digest, sealed, expires)
}

// world is a service with everything in it, at the time of the vectors.
type world struct {
	tb         testing.TB
	nanos      atomic.Int64
	provider   *jws.Signer
	identities *identity.Issuer
	store      *brittle
	ledger     *session.Ledger
	ring       *session.Keyring
	sessions   *session.Issuer
	verifiers  []connect.SessionVerifier
	tickets    *session.TicketOffice
	config     tokenapi.Config
	api        http.Handler

	mu        sync.Mutex
	decisions []tokenapi.Decision
}

func (w *world) now() time.Time { return time.Unix(0, w.nanos.Load()).UTC() }

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

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{tb: tb}
	w.nanos.Store(testvectors.Now.UnixNano())
	w.provider = must(jws.NewSigner("provider-1", testvectors.PrivateKey(tb, "ed25519-1")))(tb)
	w.identities = must(identity.NewOIDC(identity.OIDCConfig{
		Common: identity.Common{Realm: "players", Keys: jws.StaticKeys{w.provider.Key()}, Now: w.now},
		Issuer: provider, Audiences: []string{"game"}, Logout: identity.LogoutConfig{ClientIDs: []string{"game"}},
	}))(tb)
	w.store = &brittle{MemoryStore: session.NewMemoryStoreAt(w.now)}
	w.ledger = must(session.NewLedger(session.LedgerConfig{Store: w.store, Policy: session.Available, Now: w.now}))(tb)
	if err := w.ledger.Load(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	w.ring = must(session.NewKeyring(session.KeyringConfig{Now: w.now}))(tb)
	if err := w.ring.Rotate(must(jws.NewSigner("service-1", testvectors.PrivateKey(tb, "ed25519-2")))(tb)); err != nil {
		tb.Fatal(err)
	}
	w.addSessions()
	w.config = w.newConfig()
	w.build()
	return w
}

func (w *world) addSessions() {
	w.sessions = must(session.NewIssuer(session.IssuerConfig{
		Issuer: service, Audiences: []session.Audience{{Name: "arena"}, {Name: "lobby"}}, Keys: w.ring, Ledger: w.ledger,
		Families: w.store, Identities: w.identities, Realms: []string{"players"}, Now: w.now,
	}))(w.tb)
	for _, audience := range []string{"arena", "lobby"} {
		w.verifiers = append(w.verifiers, must(session.NewVerifier(session.VerifierConfig{
			Issuer: service, Audience: audience, Keys: w.ring, Realms: []string{"players"}, Ledger: w.ledger, Now: w.now,
		}))(w.tb))
	}
	w.tickets = must(session.NewTicketOffice(session.TicketConfig{Store: w.store, Verifier: w.verifiers[0], Now: w.now}))(w.tb)
}

func (w *world) newConfig() tokenapi.Config {
	return tokenapi.Config{
		Issuer: service, Realms: []string{"players"}, Verifiers: w.verifiers, Ledger: w.ledger, Sessions: w.sessions,
		Keys: w.ring, Tickets: w.tickets, Logouts: w.identities, Origins: []string{page},
		Callers: []tokenapi.Caller{
			{ID: "operator", Secrets: []string{operatorSecret}, May: []tokenapi.Permission{tokenapi.MayRevoke, tokenapi.MayBan}},
			{ID: "plugin", Secrets: []string{pluginSecret}, May: []tokenapi.Permission{tokenapi.MayAlias}},
			{ID: "game server", Secrets: []string{"an older secret!", gameSecret}, May: []tokenapi.Permission{tokenapi.MayIntrospect, tokenapi.MayRedeem, tokenapi.MayFollow}},
		},
		Observe: func(d tokenapi.Decision) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.decisions = append(w.decisions, d)
		},
	}
}

// build makes the handler anew after a change of the configuration.
func (w *world) build() { w.api = must(tokenapi.New(w.config))(w.tb).Handler() }

// last is the last decision.
func (w *world) last() tokenapi.Decision {
	w.tb.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.decisions) == 0 {
		w.tb.Fatal("no decision was observed")
	}
	return w.decisions[len(w.decisions)-1]
}

// identityToken signs a token of the provider for alice, with more claims in JSON.
func (w *world) identityToken(more string) string {
	w.tb.Helper()
	now := w.now().Unix()
	claims := fmt.Sprintf(`{"iss":%q,"aud":"game","sub":%q,"iat":%d,"exp":%d,"sid":"upstream-1"%s}`, provider, alice, now, now+600, more)
	return must(w.provider.Sign("JWT", []byte(claims)))(w.tb)
}

// grant is a token response.
type grant struct {
	AccessToken     string `json:"access_token"`
	RefreshToken    string `json:"refresh_token"`
	IssuedTokenType string `json:"issued_token_type"`
	TokenType       string `json:"token_type"`
	ExpiresIn       int    `json:"expires_in"`
	Scope           string `json:"scope"`
}

// signIn exchanges an identity token of alice for a session of the arena.
func (w *world) signIn() grant {
	w.tb.Helper()
	return decode[grant](w.tb, w.postForm("/oauth2/token", exchangeForm(w.identityToken(`,"scope":"play chat"`))), 200)
}

const (
	grantExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
	tokenType     = "urn:ietf:params:oauth:token-type:"
)

func exchangeForm(token string, more ...string) url.Values {
	f := url.Values{
		"grant_type": {grantExchange}, "subject_token": {token}, "subject_token_type": {tokenType + "id_token"},
		"audience": {"arena"}, "client_id": {"game"},
	}
	return with(f, more...)
}

// with sets "name=value" pairs; "name=" removes one.
func with(f url.Values, more ...string) url.Values {
	for _, pair := range more {
		name, value, _ := strings.Cut(pair, "=")
		f.Set(name, value)
		if value == "" {
			f.Del(name)
		}
	}
	return f
}

func (w *world) postForm(path string, f url.Values, headers ...string) *httptest.ResponseRecorder {
	return w.post(path, "application/x-www-form-urlencoded", f.Encode(), headers...)
}

func (w *world) postJSON(path, body string, headers ...string) *httptest.ResponseRecorder {
	return w.post(path, "application/json", body, headers...)
}

func (w *world) post(path, contentType, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return w.do(r, headers...)
}

func (w *world) do(r *http.Request, headers ...string) *httptest.ResponseRecorder {
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	recorder := httptest.NewRecorder()
	w.api.ServeHTTP(recorder, r)
	return recorder
}

// asOperator, asGame and asPlugin are the Authorization headers of the callers; the game's is form-encoded (RFC 6749 section
// 2.3.1).
func asOperator() string { return basic("operator", operatorSecret) }

func asGame() string { return basic(url.QueryEscape("game server"), url.QueryEscape(gameSecret)) }

func asPlugin() string { return basic("plugin", pluginSecret) }

func basic(id, secret string) string {
	r := http.Request{Header: make(http.Header)}
	r.SetBasicAuth(id, secret)
	return "Authorization: " + r.Header.Get("Authorization")
}

// decode holds an answer to a status and reads its JSON.
func decode[T any](tb testing.TB, got *httptest.ResponseRecorder, status int) T {
	tb.Helper()
	var value T
	if got.Code != status {
		tb.Fatalf("status %d, want %d: %s", got.Code, status, got.Body)
	}
	if err := json.Unmarshal(got.Body.Bytes(), &value); err != nil {
		tb.Fatalf("%v in %q", err, got.Body)
	}
	return value
}

// failure is an error of either form.
type failure struct {
	Error       string     `json:"error"`
	Description string     `json:"error_description"`
	Check       jws.Check  `json:"check"`
	Reason      jws.Reason `json:"reason"`
	Title       string     `json:"title"`
	Status      int        `json:"status"`
	Detail      string     `json:"detail"`
}
