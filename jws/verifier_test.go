package jws_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
)

func signer(t testing.TB, name string) *jws.Signer {
	t.Helper()
	var s *jws.Signer
	var err error
	if strings.HasPrefix(name, "hs-") {
		s, err = jws.NewSecretSigner(name, testvectors.Secret(name))
	} else {
		s, err = jws.NewSigner(name, testvectors.PrivateKey(t, name))
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func signed(t testing.TB, s *jws.Signer) string {
	t.Helper()
	token, err := s.Sign("JWT", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func config(keys jws.KeySource) jws.Config {
	return jws.Config{
		Keys:       keys,
		Algorithms: []jws.Algorithm{jws.RS256, jws.ES256, jws.EdDSA, jws.HS256},
		Types:      []string{"JWT"},
		Accept:     jws.AcceptAnyClaims,
		Now:        func() time.Time { return testvectors.Now },
	}
}

func verifier(t testing.TB, cfg jws.Config) *jws.Verifier {
	t.Helper()
	v, err := jws.NewVerifier(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSignAndVerify(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"rsa-1", "p256-1", "ed25519-1", "hs-1"} {
		s := signer(t, name)
		v := verifier(t, config(jws.StaticKeys{s.Key()}))
		for range 20 {
			token, err := v.Verify(context.Background(), signed(t, s))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if sub, _ := token.Claims.String("sub"); sub != "player-1" || token.Key != s.Key() || token.Header().KeyID != name {
				t.Errorf("%s: sub %q, header %+v", name, sub, token.Header())
			}
			if token.Expiry != 1793538000 || token.IssuedAt != 1793534400 || token.NotBefore != 0 {
				t.Errorf("%s: times %d %d %d", name, token.Expiry, token.IssuedAt, token.NotBefore)
			}
		}
	}
}

func TestNewVerifierWantsDecisions(t *testing.T) {
	t.Parallel()
	keys := jws.StaticKeys{signer(t, "hs-1").Key()}
	for field, change := range map[string]func(*jws.Config){
		"Config.Keys is not set":       func(c *jws.Config) { c.Keys = nil },
		"Config.Keys is not set: give": func(c *jws.Config) { c.Keys = jws.StaticKeys{} },
		"Config.Keys has a nil":        func(c *jws.Config) { c.Keys = jws.StaticKeys{nil} },
		"Config.Algorithms is not set": func(c *jws.Config) { c.Algorithms = nil },
		"Config.Algorithms has":        func(c *jws.Config) { c.Algorithms = []jws.Algorithm{"none"} },
		"Config.Types is not set":      func(c *jws.Config) { c.Types = nil },
		"Config.Accept is not set":     func(c *jws.Config) { c.Accept = nil },
		"Config.MaxBytes is -1":        func(c *jws.Config) { c.MaxBytes = -1 },
		"Config.MaxBytes is 1048577":   func(c *jws.Config) { c.MaxBytes = 1<<20 + 1 },
		"Config.MaxConcurrent is -1":   func(c *jws.Config) { c.MaxConcurrent = -1 },
	} {
		cfg := config(keys)
		change(&cfg)
		if v, err := jws.NewVerifier(cfg); v != nil || err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("want an error with %q, got %v", field, err)
		}
	}
}

// source is a KeySource made of a function.
type source func(context.Context, jws.Header) ([]*jws.Key, error)

func (s source) Keys(ctx context.Context, h jws.Header) ([]*jws.Key, error) { return s(ctx, h) }

func TestKeySourceErrors(t *testing.T) {
	t.Parallel()
	text := signed(t, signer(t, "hs-1"))
	failure := errors.New("connection refused")
	for name, c := range map[string]struct {
		keys []*jws.Key
		err  error
		want jws.Reason
	}{
		"plain error": {nil, failure, jws.Unavailable},
		"refusal":     {nil, fmt.Errorf("wrapped: %w", &jws.Refusal{Check: jws.CheckSignature, Reason: jws.UnknownKey}), jws.UnknownKey},
		"nothing":     {nil, nil, jws.UnknownKey},
		"nil key":     {[]*jws.Key{nil}, nil, jws.UnknownKey},
	} {
		v := verifier(t, config(source(func(context.Context, jws.Header) ([]*jws.Key, error) { return c.keys, c.err })))
		token, err := v.Verify(context.Background(), text)
		if token != nil || jws.ReasonOf(err) != c.want || (c.err == failure && !errors.Is(err, failure)) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestRemovedKey: a header that was seen before must not keep a key that its source gives no more.
func TestRemovedKey(t *testing.T) {
	t.Parallel()
	s := signer(t, "ed25519-1")
	keys := []*jws.Key{s.Key()}
	v := verifier(t, config(source(func(context.Context, jws.Header) ([]*jws.Key, error) { return keys, nil })))
	text := signed(t, s)
	if _, err := v.Verify(context.Background(), text); err != nil {
		t.Fatal(err)
	}
	keys = nil
	if _, err := v.Verify(context.Background(), text); !errors.Is(err, jws.UnknownKey) {
		t.Errorf("got %v", err)
	}
}

// TestHeadersAreBounded verifies more headers than are remembered, some of them longer than what is remembered.
func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	m := maker{t}
	v := verifier(t, config(jws.StaticKeys{vectorKey(t, "anon/hs-1")}))
	for round := range 2 {
		for i := range 100 {
			h := fmt.Sprintf(`{"alg":"HS256","typ":"JWT","kid":"%d","pad":"%s"}`, i, strings.Repeat("x", i*20))
			token, err := v.Verify(context.Background(), m.token("hs-1", h, good))
			if err != nil || token.Header().KeyID != fmt.Sprint(i) {
				t.Fatalf("round %d, header %d: %v", round, i, err)
			}
		}
	}
}

func TestMaxBytes(t *testing.T) {
	t.Parallel()
	s := signer(t, "hs-1")
	text := signed(t, s)
	for size, want := range map[int]jws.Reason{len(text): "", len(text) - 1: jws.Malformed} {
		cfg := config(jws.StaticKeys{s.Key()})
		cfg.MaxBytes = size
		if _, err := verifier(t, cfg).Verify(context.Background(), text); jws.ReasonOf(err) != want {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestRefusedClaimsGiveNoToken(t *testing.T) {
	t.Parallel()
	s := signer(t, "hs-1")
	cause := errors.New("not today")
	cfg := config(jws.StaticKeys{s.Key()})
	cfg.Accept = func(*jws.Token) error { return cause }
	token, err := verifier(t, cfg).Verify(context.Background(), signed(t, s))
	var r *jws.Refusal
	if token != nil || !errors.Is(err, cause) || !errors.Is(err, jws.WrongClaim) || !errors.As(err, &r) || !r.Verified {
		t.Errorf("got %v, %v", token, err)
	}
}

// TestMaxConcurrent stops a verification that has the only slot and shows that another one waits for its context, that
// HS256 does not wait, and that the slot is free again after.
func TestMaxConcurrent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ed, hs := signer(t, "ed25519-1"), signer(t, "hs-1")
		done, verified := make(chan struct{}), new(atomic.Bool)
		cfg := config(jws.StaticKeys{ed.Key(), hs.Key()})
		cfg.MaxConcurrent = 1
		release, first := make(chan struct{}), new(atomic.Bool)
		cfg.Now = func() time.Time { // is asked while the slot is held
			if first.CompareAndSwap(false, true) {
				<-release
			}
			return testvectors.Now
		}
		v := verifier(t, cfg)
		go func() {
			if _, err := v.Verify(context.Background(), signed(t, ed)); err != nil {
				t.Errorf("with the slot: %v", err)
			}
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		go func() {
			_, err := v.Verify(context.Background(), signed(t, ed))
			if err != nil {
				t.Error(err)
			}
			verified.Store(true)
			close(done)
		}()
		if _, err := v.Verify(ctx, signed(t, ed)); !errors.Is(err, jws.Unavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with the slot taken: %v", err)
		}
		if _, err := v.Verify(context.Background(), signed(t, hs)); err != nil {
			t.Errorf("HS256 with the slot taken: %v", err)
		}
		if verified.Load() {
			t.Error("the slot was taken and a signature verified")
		}
		close(release)
		<-done
	})
}

// TestVerifyRace verifies by many goroutines with few slots, good tokens and bad ones.
func TestVerifyRace(t *testing.T) {
	t.Parallel()
	signers := []*jws.Signer{signer(t, "rsa-1"), signer(t, "p256-1"), signer(t, "ed25519-1"), signer(t, "hs-1")}
	var keys jws.StaticKeys
	var tokens []string
	for _, s := range signers {
		keys = append(keys, s.Key())
		tokens = append(tokens, signed(t, s))
	}
	cfg := config(keys)
	cfg.MaxConcurrent = 2
	v := verifier(t, cfg)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 40 {
				text := tokens[(i+worker)%len(tokens)]
				token, err := v.Verify(context.Background(), text)
				if err != nil || token.Header().KeyID != token.Key.ID() {
					t.Errorf("good token: %v", err)
				}
				cut := strings.LastIndexByte(text, '.')
				if _, err := v.Verify(context.Background(), text[:cut+1]+"AAAA"); !errors.Is(err, jws.BadSignature) {
					t.Errorf("bad token: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func TestAllocations(t *testing.T) {
	for name, most := range map[string]float64{"hs-1": 2, "rsa-1": 11} {
		s := signer(t, name)
		v, text := verifier(t, config(jws.StaticKeys{s.Key()})), signed(t, s)
		n := testing.AllocsPerRun(50, func() {
			if _, err := v.Verify(context.Background(), text); err != nil {
				t.Fatal(err)
			}
		})
		if n > most && !raceEnabled {
			t.Errorf("%s: %v allocations, want at most %v", name, n, most)
		}
	}
}

func TestUnverifiedIssuer(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]jws.Reason{
		"e30." + b64(good) + ".":                                         "",
		"e30." + b64(`{"sub":"x"}`) + ".":                                jws.MissingClaim,
		"e30." + b64(`{"iss":1}`) + ".":                                  jws.Malformed,
		"e30." + b64(`{"iss":"a","iss":"https://issuer.example"}`) + ".": jws.Malformed,
		"e30." + b64(good) + "=.":                                        jws.Malformed,
		"e30." + b64(good):                                               jws.Malformed,
		"":                                                               jws.Malformed,
		"e30." + strings.Repeat("A", 1<<20) + ".":                        jws.Malformed,
	} {
		issuer, err := jws.UnverifiedIssuer(token)
		if jws.ReasonOf(err) != want || (issuer == "https://issuer.example") != (want == "") {
			t.Errorf("%.40q: got %q, %v", token, issuer, err)
		}
	}
}

// TestManyClaims verifies tokens of every size class, the last with a payload that is larger than what is pooled.
func TestManyClaims(t *testing.T) {
	t.Parallel()
	s := signer(t, "hs-1")
	cfg := config(jws.StaticKeys{s.Key()})
	cfg.MaxBytes = 1 << 20
	v := verifier(t, cfg)
	for _, n := range []int{1, 7, 15, 31, 32, 600} {
		text, err := s.Sign("JWT", []byte(claims(manyMembers(n)+`,"last":"`+strings.Repeat("x", n*n)+`"`)))
		if err != nil {
			t.Fatal(err)
		}
		token, err := v.Verify(context.Background(), text)
		if err != nil {
			t.Fatalf("%d claims: %v", n, err)
		}
		if last, _ := token.Claims.String("last"); token.Claims.Len() != n+5 || len(last) != n*n {
			t.Errorf("%d claims, %d bytes", token.Claims.Len(), len(last))
		}
	}
}

// TestClockOfConfig: without Now the verifier goes by the machine's clock.
func TestClockOfConfig(t *testing.T) {
	t.Parallel()
	s := signer(t, "hs-1")
	cfg := config(jws.StaticKeys{s.Key()})
	cfg.Now = nil
	for end, want := range map[string]jws.Reason{"1000000000": jws.Expired, "253402300799": ""} {
		text, err := s.Sign("JWT", []byte(`{"exp":`+end+`}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verifier(t, cfg).Verify(context.Background(), text); jws.ReasonOf(err) != want {
			t.Errorf("exp %s: %v", end, err)
		}
	}
}

// TestStaticKeys asks for candidates directly.
func TestStaticKeys(t *testing.T) {
	t.Parallel()
	key := func(spec string) *jws.Key { return vectorKey(t, spec) }
	keys := jws.StaticKeys{key("hs-1"), nil, key("rsa-1"), key("hs-2"), key("anon/hs-3"), key("hs-4"), key("hs-5")}
	for _, c := range []struct {
		alg  jws.Algorithm
		kid  string
		want string
	}{
		{jws.HS256, "hs-1", "HS256/hs-1"},
		{jws.RS256, "hs-1", "HS256/hs-1"}, // the verifier then refuses the algorithm
		{jws.HS256, "other", "HS256/"},
		{jws.HS256, "", "HS256/hs-1 HS256/hs-2 HS256/"},
		{jws.RS256, "", "RS256/rsa-1"},
		{jws.RS256, "other", ""},
		{jws.EdDSA, "", ""},
	} {
		got, err := keys.Keys(context.Background(), jws.Header{Algorithm: c.alg, KeyID: c.kid})
		if describe(got) != c.want || (c.want == "") != errors.Is(err, jws.UnknownKey) {
			t.Errorf("%s %q: got %q, %v", c.alg, c.kid, describe(got), err)
		}
	}
	if keys[1] != nil || keys[2].ID() != "rsa-1" {
		t.Error("the keys were changed")
	}
}

// TestTrustAtExtremes: bounds that nanoseconds cannot hold.
func TestTrustAtExtremes(t *testing.T) {
	t.Parallel()
	key := vectorKey(t, "hs-1")
	for _, c := range []struct {
		until, now time.Time
		want       bool
	}{
		{time.Unix(maxDate, 0), testvectors.Now, true},
		{time.Unix(-1, 0), testvectors.Now, false},
		{time.Unix(0, 0), testvectors.Now, false},
		{testvectors.Now, time.Unix(maxDate, 0), false},
		{testvectors.Now, time.Unix(-maxDate, 0), true},
	} {
		key.TrustUntil(c.until)
		if got := key.Trusted(c.now); got != c.want {
			t.Errorf("until %v at %v: %v", c.until, c.now, got)
		}
	}
}

const maxDate = 253402300799

// TestWaitingIsNotFree: what ends while a verification waits for keys does not pass.
func TestWaitingIsNotFree(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"hs-1", "rsa-1"} {
		s := signer(t, name)
		now := testvectors.Now
		wait := time.Duration(0)
		cfg := config(source(func(context.Context, jws.Header) ([]*jws.Key, error) {
			now = now.Add(wait)
			return []*jws.Key{s.Key()}, nil
		}))
		cfg.Now = func() time.Time { return now }
		v := verifier(t, cfg)
		if _, err := v.Verify(context.Background(), signed(t, s)); err != nil {
			t.Fatal(err)
		}
		wait = time.Hour // exp
		if _, err := v.Verify(context.Background(), signed(t, s)); !errors.Is(err, jws.Expired) {
			t.Errorf("%s: a token that ended while its key was fetched: %v", name, err)
		}
		now = testvectors.Now
		s.Key().TrustUntil(now.Add(wait))
		if _, err := v.Verify(context.Background(), signed(t, s)); !errors.Is(err, jws.UnknownKey) {
			t.Errorf("%s: a key that ended while it was fetched: %v", name, err)
		}
	}
}

// TestTypesAreASCII: a typ passes as the one that is listed, whatever the case of its ASCII letters, and as no other.
func TestTypesAreASCII(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		types []string
		typ   string
		want  jws.Reason
	}{
		{[]string{"kb+jwt"}, "KB+JWT", ""},
		{[]string{"kb+jwt"}, "Application/kb+JWT", ""},
		{[]string{"kb+jwt"}, "\u212ab+jwt", jws.WrongType},
		{[]string{"kb+jwt"}, "appl\u0130cation/kb+jwt", jws.WrongType},
		{[]string{""}, "application/", jws.WrongType},
		{[]string{"JWT"}, "application/", jws.WrongType},
		{[]string{"JWT"}, "application/application/jwt", jws.WrongType},
	} {
		s := signer(t, "hs-1")
		cfg := config(jws.StaticKeys{s.Key()})
		cfg.Types = c.types
		text, err := s.Sign(c.typ, []byte(good))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verifier(t, cfg).Verify(context.Background(), text); jws.ReasonOf(err) != c.want {
			t.Errorf("%q where %q are taken: %v", c.typ, c.types, err)
		}
	}
}
