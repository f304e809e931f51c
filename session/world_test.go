package session_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

const (
	worldIssuer   = "https://play.example"
	worldAudience = "arena"
	worldClient   = "game-client"
	worldRealm    = "players"
	worldSubject  = "0b7c1f3e-6f0a-4a43-9d5b-6f1f0e5f2a11"
	worldUpstream = "upstream-session-1"
)

// setClock is a clock that a test turns.
type setClock struct{ nanos atomic.Int64 }

func newSetClock(t time.Time) *setClock {
	c := new(setClock)
	c.nanos.Store(t.UnixNano())
	return c
}

func (c *setClock) Now() time.Time          { return time.Unix(0, c.nanos.Load()).UTC() }
func (c *setClock) Advance(d time.Duration) { c.nanos.Add(int64(d)) }

// guests is an identity verifier that knows its tokens by heart.
type guests map[string]*identity.Identity

func (g guests) Verify(_ context.Context, token string) (*identity.Identity, error) {
	if id := g[token]; id != nil {
		return id, nil
	}
	return nil, &jws.Refusal{Check: jws.CheckSignature, Reason: jws.BadSignature, Want: "a token of a guest"}
}

// brittle is a memory store that can be away.
type brittle struct {
	*session.MemoryStore
	away  atomic.Bool
	clock *setClock
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

func (b *brittle) Create(ctx context.Context, f session.Family) error {
	return errors.Join(b.err(), b.MemoryStore.Create(ctx, f))
}

func (b *brittle) Get(ctx context.Context, id string) (session.Family, error) {
	if err := b.err(); err != nil {
		return session.Family{}, err
	}
	return b.MemoryStore.Get(ctx, id)
}

func (b *brittle) Rotate(ctx context.Context, id string, from uint64) (session.Family, error) {
	if err := b.err(); err != nil {
		return session.Family{}, err
	}
	return b.MemoryStore.Rotate(ctx, id, from)
}

func (b *brittle) Put(ctx context.Context, digest [32]byte, sealed []byte, expires time.Time) error {
	if err := b.err(); err != nil {
		return err
	}
	return b.MemoryStore.Put(ctx, digest, sealed, expires)
}

func (b *brittle) Take(ctx context.Context, digest [32]byte) ([]byte, error) {
	if err := b.err(); err != nil {
		return nil, err
	}
	return b.MemoryStore.Take(ctx, digest)
}

// world is one service with everything in it, at the time of the vectors.
type world struct {
	clock    *setClock
	store    *brittle
	ledger   *session.Ledger
	ring     *session.Keyring
	guests   guests
	config   session.IssuerConfig
	issuer   *session.Issuer
	verifier *session.Verifier
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{clock: newSetClock(testvectors.Now)}
	w.store = &brittle{MemoryStore: session.NewMemoryStoreAt(w.clock.Now), clock: w.clock}
	w.ledger = w.newLedger(t)
	if err := w.ledger.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.ring = newRing(t, w.clock, worldEntry(t, "ed25519-1", "key-1", -24*time.Hour))
	w.guests = guests{"alice": alice()}
	w.config = session.IssuerConfig{
		Issuer:     worldIssuer,
		Audiences:  []session.Audience{{Name: worldAudience}},
		Keys:       w.ring,
		Ledger:     w.ledger,
		Families:   w.store,
		Identities: w.guests,
		Realms:     []string{worldRealm},
		Now:        w.clock.Now,
	}
	w.issuer = must(session.NewIssuer(w.config))
	w.verifier = must(session.NewVerifier(w.verifierConfig()))
	return w
}

// newLedger makes a ledger whose own clock stands still, so that it never thinks that the store is away while a test turns
// the clock by hours. What it holds at which second is by the store's clock, which turns.
func (w *world) newLedger(t testing.TB) *session.Ledger {
	t.Helper()
	frozen := func() time.Time { return testvectors.Now }
	l, err := session.NewLedger(session.LedgerConfig{Store: w.store, Policy: session.Strict, Now: frozen})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (w *world) verifierConfig() session.VerifierConfig {
	return session.VerifierConfig{
		Issuer: worldIssuer, Audience: worldAudience, Keys: w.ring,
		Realms: []string{worldRealm}, Ledger: w.ledger, Now: w.clock.Now,
	}
}

// alice is an identity whose token was issued a minute ago and is good for an hour.
func alice() *identity.Identity {
	return &identity.Identity{
		Player:   identity.Player{Realm: worldRealm, Subject: worldSubject},
		Issuer:   "https://idp.example",
		Subject:  worldSubject,
		Username: "alice",
		Groups:   []string{"testers"},
		Roles:    []string{"captain"},
		Scopes:   []string{"play", "chat"},
		Use:      identity.AccessToken,
		ClientID: worldClient,
		Session:  worldUpstream,
		TokenID:  "identity-token-1",
		IssuedAt: testvectors.Now.Add(-time.Minute),
		Expiry:   testvectors.Now.Add(time.Hour),
		AuthTime: testvectors.Now.Add(-time.Minute),
	}
}

func (w *world) signIn(t testing.TB) *session.Grant {
	t.Helper()
	g, err := w.issuer.Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "alice"})
	if err != nil {
		t.Fatalf("exchange: %v", err)
	}
	return g
}

func (w *world) refresh(t testing.TB, token string) (*session.Grant, error) {
	t.Helper()
	return w.issuer.Refresh(t.Context(), session.RefreshRequest{RefreshToken: token, ClientID: worldClient})
}

func (w *world) mustRefresh(t testing.TB, token string) *session.Grant {
	t.Helper()
	g, err := w.refresh(t, token)
	if err != nil {
		t.Fatalf("refresh: %v", err)
	}
	return g
}

func (w *world) family(t testing.TB, id string) session.Family {
	t.Helper()
	f, err := w.store.MemoryStore.Get(context.Background(), id)
	if err != nil {
		t.Fatalf("family %s: %v", id, err)
	}
	return f
}

// events returns what the store holds.
func (w *world) events(t testing.TB) []session.Event {
	t.Helper()
	b, err := w.store.MemoryStore.Since(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	return b.Events
}

func worldEntry(t testing.TB, key, kid string, signs time.Duration) session.KeyEntry {
	t.Helper()
	at := testvectors.Now.Add(signs)
	return session.KeyEntry{Signer: worldSigner(t, key, kid), Published: at.Add(-time.Hour), Signs: at}
}

func worldSigner(t testing.TB, key, kid string) *jws.Signer {
	t.Helper()
	s, err := jws.NewSigner(kid, testvectors.PrivateKey(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newRing(t testing.TB, clock *setClock, entries ...session.KeyEntry) *session.Keyring {
	t.Helper()
	ring, err := session.NewKeyring(session.KeyringConfig{Keys: entries, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// must returns v. Its panic ends a test whose fixture is broken.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func wantReason(t testing.TB, err error, want jws.Reason) {
	t.Helper()
	if got := jws.ReasonOf(err); got != want || err == nil {
		t.Fatalf("got %v (reason %q), want reason %q", err, got, want)
	}
}

func wantErrorText(t testing.TB, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Fatalf("got error %v, want one with %q", err, text)
	}
}
