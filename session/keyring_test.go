package session_test

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// stages writes a ring's state in one line: "old=retired new=signing".
func stages(r *session.Keyring) string {
	var list []string
	for _, s := range r.State() {
		list = append(list, fmt.Sprintf("%s=%s", s.KeyID, s.State))
	}
	return strings.Join(list, " ")
}

func TestKeysGoTheirWayByTime(t *testing.T) {
	t.Parallel()
	clock := newSetClock(testvectors.Now)
	ring := newRing(t, clock)
	if _, err := ring.Signer(); !errors.Is(err, jws.Unavailable) {
		t.Fatalf("an empty ring signs: %v", err)
	}
	rotate := func(key, kid string) {
		t.Helper()
		if err := ring.Rotate(worldSigner(t, key, kid)); err != nil {
			t.Fatal(err)
		}
	}
	want := func(state, signer string) {
		t.Helper()
		if got := stages(ring); got != state {
			t.Errorf("at %s: state %q, want %q", clock.Now(), got, state)
		}
		if s, err := ring.Signer(); err != nil || s.Key().ID() != signer {
			t.Errorf("at %s: signer %v (%v), want %s", clock.Now(), s, err, signer)
		}
	}
	rotate("ed25519-1", "a")
	want("a=signing", "a")
	rotate("ed25519-2", "b")
	want("a=signing b=published", "a")
	clock.Advance(time.Hour - 1)
	want("a=signing b=published", "a")
	clock.Advance(1)
	want("a=retired b=signing", "b")
	clock.Advance(2*time.Hour + time.Minute - 1)
	want("a=retired b=signing", "b")
	clock.Advance(1)
	want("b=signing", "b")
	rotate("p256-1", "c")
	want("b=signing c=published", "b")
}

func TestJWKSHasWhatCanBeVerifiedWith(t *testing.T) {
	t.Parallel()
	clock := newSetClock(testvectors.Now)
	ring := newRing(t, clock,
		worldEntry(t, "ed25519-1", "gone", -72*time.Hour),
		worldEntry(t, "ed25519-2", "retired", -24*time.Hour),
		worldEntry(t, "p256-1", "signing", -time.Hour),
		worldEntry(t, "rsa-1", "published", time.Hour),
	)
	data, err := ring.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	keys, skipped, err := jws.ParseJWKSet(data)
	if err != nil || len(skipped) > 0 || len(keys) != 3 {
		t.Fatalf("got %d keys, skipped %v, %v from %s", len(keys), skipped, err, data)
	}
	for n, kid := range []string{"retired", "signing", "published"} {
		if keys[n].ID() != kid {
			t.Errorf("key %d is %s, want %s", n, keys[n].ID(), kid)
		}
		if got, err := ring.Keys(t.Context(), jws.Header{KeyID: kid}); err != nil || len(got) != 1 {
			t.Errorf("Keys(%s) = %v, %v", kid, got, err)
		}
	}
	for _, kid := range []string{"gone", "", "other"} {
		_, err := ring.Keys(t.Context(), jws.Header{KeyID: kid})
		wantReason(t, err, jws.UnknownKey)
	}
}

func TestRotateRefuses(t *testing.T) {
	t.Parallel()
	clock := newSetClock(testvectors.Now)
	ring := newRing(t, clock, worldEntry(t, "ed25519-1", "a", -time.Hour))
	secret := must(jws.NewSecretSigner("s", testvectors.Secret("hs-1")))
	wantErrorText(t, ring.Rotate(nil), "Signer is missing")
	wantErrorText(t, ring.Rotate(secret), "HS256")
	wantErrorText(t, ring.Rotate(worldSigner(t, "ed25519-2", "")), "no key id")
	wantErrorText(t, ring.Rotate(worldSigner(t, "ed25519-2", "a")), "twice")
	if err := ring.Rotate(worldSigner(t, "ed25519-2", "b")); err != nil {
		t.Fatal(err)
	}
	wantErrorText(t, ring.Rotate(worldSigner(t, "p256-1", "c")), `"b" has yet to sign`)
	if got := stages(ring); got != "a=signing b=published" {
		t.Errorf("refused rotations left %q", got)
	}
}

func TestKeyringConfigIsChecked(t *testing.T) {
	t.Parallel()
	good := worldEntry(t, "ed25519-1", "a", -time.Hour)
	edit := func(f func(*session.KeyEntry)) []session.KeyEntry {
		e := good
		f(&e)
		return []session.KeyEntry{e}
	}
	soon := worldEntry(t, "ed25519-2", "b", time.Minute)
	soon.Published = testvectors.Now
	same := good
	same.Signer = soon.Signer
	for name, c := range map[string]struct {
		config session.KeyringConfig
		text   string
	}{
		"cache lifetime":  {session.KeyringConfig{CacheLifetime: time.Millisecond}, "CacheLifetime"},
		"token lifetime":  {session.KeyringConfig{TokenLifetime: 48 * time.Hour}, "TokenLifetime"},
		"no signer":       {session.KeyringConfig{Keys: edit(func(e *session.KeyEntry) { e.Signer = nil })}, "Signer"},
		"no publication":  {session.KeyringConfig{Keys: edit(func(e *session.KeyEntry) { e.Published = time.Time{} })}, "Published"},
		"no signing":      {session.KeyringConfig{Keys: edit(func(e *session.KeyEntry) { e.Signs = time.Time{} })}, "Signs"},
		"signs too early": {session.KeyringConfig{Keys: edit(func(e *session.KeyEntry) { e.Signs = e.Published.Add(-1) })}, "before it is published"},
		"retires early":   {session.KeyringConfig{Keys: edit(func(e *session.KeyEntry) { e.Retired = e.Signs.Add(-1) })}, "before it signs"},
		"not published":   {session.KeyringConfig{Keys: []session.KeyEntry{good, soon}}, "not before 2026-11-01T13:00:00Z"},
		"same kid":        {session.KeyringConfig{Keys: []session.KeyEntry{good, worldEntry(t, "ed25519-2", "a", 0)}}, "twice"},
		"same time":       {session.KeyringConfig{Keys: []session.KeyEntry{good, same}}, "same time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.config.Now = func() time.Time { return testvectors.Now }
			_, err := session.NewKeyring(c.config)
			wantErrorText(t, err, c.text)
		})
	}
}

func TestExplicitRetirementLeavesAGap(t *testing.T) {
	t.Parallel()
	clock := newSetClock(testvectors.Now)
	e := worldEntry(t, "ed25519-1", "a", -time.Hour)
	e.Retired = testvectors.Now.Add(time.Minute)
	ring := newRing(t, clock, e)
	clock.Advance(time.Minute)
	if _, err := ring.Signer(); !errors.Is(err, jws.Unavailable) {
		t.Fatalf("a retired key signs: %v", err)
	}
	if err := ring.Rotate(worldSigner(t, "ed25519-2", "b")); err != nil {
		t.Fatal(err)
	}
	if got := stages(ring); got != "a=retired b=signing" {
		t.Errorf("got %q; where nothing signs, a new key signs at once", got)
	}
}

func TestKeyFileRoundTrip(t *testing.T) {
	t.Parallel()
	clock := newSetClock(testvectors.Now)
	retired := worldEntry(t, "rsa-1", "r", -time.Hour)
	retired.Retired = testvectors.Now.Add(-time.Second)
	ring := newRing(t, clock, retired, worldEntry(t, "ed25519-1", "e", -time.Minute), worldEntry(t, "p256-1", "p", time.Hour))
	file, err := ring.KeyFile()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := session.ParseKeyFile(file)
	if err != nil {
		t.Fatal(err)
	}
	again := newRing(t, clock, entries...)
	if second, err := again.KeyFile(); err != nil || string(second) != string(file) {
		t.Errorf("the file read and written again differs (%v):\n%s\n%s", err, file, second)
	}
	if stages(again) != stages(ring) {
		t.Errorf("state %q, want %q", stages(again), stages(ring))
	}
	token, err := must(again.Signer()).Sign("", []byte(`{"exp":1793534500}`))
	if err != nil {
		t.Fatal(err)
	}
	v := must(jws.NewVerifier(jws.Config{
		Keys: ring, Algorithms: []jws.Algorithm{jws.EdDSA}, Types: []string{""}, Accept: jws.AcceptAnyClaims, Now: clock.Now,
	}))
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("a key that was written and read signs differently: %v", err)
	}
}

// distant is a private key in a key service: it cannot be written down, and today it does not answer.
type distant struct{ crypto.Signer }

func (distant) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("key service away")
}

func TestKeyOfAKeyService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := worldEntry(t, "ed25519-1", "far", -time.Hour)
	e.Signer = must(jws.NewSigner("far", distant{testvectors.PrivateKey(t, "ed25519-1")}))
	w.config.Keys = newRing(t, w.clock, e)
	if _, err := w.config.Keys.KeyFile(); err == nil {
		t.Error("a key that another service holds was written")
	}
	_, err := must(session.NewIssuer(w.config)).Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "alice"})
	wantReason(t, err, jws.Unavailable)
}

func TestKeyFileIsBounded(t *testing.T) {
	t.Parallel()
	_, err := session.ParseKeyFile([]byte(`{"keys":[]}` + strings.Repeat(" ", 1<<20)))
	wantErrorText(t, err, "larger than 1048576 bytes")
}

func TestKeyringShowsNoPrivateKey(t *testing.T) {
	t.Parallel()
	clock := newSetClock(testvectors.Now)
	ring := newRing(t, clock, worldEntry(t, "ed25519-1", "a", -time.Hour))
	file := string(must(ring.KeyFile()))
	_, private, _ := strings.Cut(file, `"d": "`)
	private, _, _ = strings.Cut(private, `"`)
	if len(private) != 43 {
		t.Fatalf("the key file has no private member d: %q", private)
	}
	shown := fmt.Sprintf("%v %+v %#v", ring.State(), must(ring.Signer()), must(ring.Signer()))
	shown += string(must(json.Marshal(map[string]any{"ring": ring}))) + string(must(ring.JWKS())) + string(must(json.Marshal(ring.State())))
	if strings.Contains(shown, private) || strings.Contains(shown, `"d"`) {
		t.Error("the private key is shown outside the key file")
	}
}

func TestReplaceRemovesAStolenKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.ring.Rotate(worldSigner(t, "ed25519-2", "key-2")); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Hour)
	fromTwo := w.signIn(t).AccessToken
	entries := must(session.ParseKeyFile(must(w.ring.KeyFile())))
	kept := entries[1:] // key-1 was stolen
	w.verifies(t, fromTwo)
	if err := w.ring.Replace(kept); err != nil {
		t.Fatal(err)
	}
	w.verifies(t, fromTwo)
	wantErrorText(t, w.ring.Replace([]session.KeyEntry{{}}), "Signer is missing")
	w.verifies(t, fromTwo)
	fresh := worldEntry(t, "p256-1", "key-3", time.Hour)
	if err := w.ring.Replace([]session.KeyEntry{fresh}); err != nil {
		t.Fatal(err)
	}
	_, err := w.verifier.Verify(t.Context(), fromTwo)
	wantReason(t, err, jws.UnknownKey)
}

func (w *world) verifies(t *testing.T, token string) {
	t.Helper()
	for range 3 { // first sight, the second, from which on it is remembered, and from the cache
		if _, err := w.verifier.Verify(t.Context(), token); err != nil {
			t.Fatalf("verify: %v", err)
		}
	}
}

// remoteKeys is a verifier elsewhere: it uses a JWK Set for its whole lifetime and never asks early.
type remoteKeys struct {
	ring  *session.Keyring
	clock *setClock

	mu      sync.Mutex
	fetched time.Time
	keys    jws.StaticKeys
}

func (r *remoteKeys) Keys(ctx context.Context, h jws.Header) ([]*jws.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.clock.Now(); r.fetched.IsZero() || now.Sub(r.fetched) >= r.ring.CacheLifetime() {
		set, err := r.ring.JWKS()
		if err != nil {
			return nil, err
		}
		if r.keys, _, err = jws.ParseJWKSet(set); err != nil {
			return nil, err
		}
		r.fetched = now
	}
	return r.keys.Keys(ctx, h)
}

// TestRotationUnderLoadLosesNoToken turns the clock through two days and ten rotations while players sign in, here and
// at a verifier that knows only the published set.
func TestRotationUnderLoadLosesNoToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	here := w.verifier
	config := w.verifierConfig()
	config.Keys = &remoteKeys{ring: w.ring, clock: w.clock}
	there := must(session.NewVerifier(config))
	w.guests["alice"].Expiry = testvectors.Now.Add(72 * time.Hour)
	end := testvectors.Now.Add(48 * time.Hour)

	var verified atomic.Int64
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for w.clock.Now().Before(end) {
				g, err := w.issuer.Exchange(context.Background(), session.ExchangeRequest{SubjectToken: "alice"})
				if err != nil {
					t.Errorf("exchange: %v", err)
					return
				}
				for _, v := range []*session.Verifier{here, there} {
					if _, err := v.Verify(context.Background(), g.AccessToken); err != nil && w.clock.Now().Before(g.Session.Expiry) {
						t.Errorf("verify: %v", err)
						return
					}
				}
				verified.Add(1)
			}
		})
	}
	kept := turnClock(t, w, end, &verified)
	workers.Wait()
	if n := verified.Load(); n < 250 || kept < 130 {
		t.Errorf("only %d tokens were made under load, and %d kept to their end", n, kept)
	}
}

// turnClock advances the clock by twenty minutes whenever the load has made a few tokens, rotates every four hours, and
// verifies one token of each step in the last twenty minutes of its life. It returns how many those were.
func turnClock(t *testing.T, w *world, end time.Time, made *atomic.Int64) (kept int) {
	var held []*session.Grant
	keys := []string{"ed25519-2", "p256-1", "ed25519-1", "p256-2"}
	for step := 1; w.clock.Now().Before(end) && !t.Failed(); step++ {
		held = append(held, w.signIn(t))
		for enough := made.Load() + 2; made.Load() < enough && !t.Failed(); {
			runtime.Gosched()
		}
		if step%12 == 0 {
			if err := w.ring.Rotate(worldSigner(t, keys[step/12%len(keys)], fmt.Sprintf("key-at-%d", step))); err != nil {
				t.Error(err)
			}
		}
		w.clock.Advance(20 * time.Minute)
		for len(held) > 0 && held[0].Session.Expiry.Sub(w.clock.Now()) <= 20*time.Minute {
			if _, err := w.verifier.Verify(context.Background(), held[0].AccessToken); err != nil {
				t.Errorf("a token in its last twenty minutes: %v", err)
			}
			held, kept = held[1:], kept+1
		}
	}
	return kept
}
