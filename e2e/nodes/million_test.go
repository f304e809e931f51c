package nodes_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/session/storetest"
	"github.com/sallyport-auth/sallyport/store/redis"
)

// TestAMillionRevocations fills a server, and starts a node over it. It counts the calls of the store that verifying makes.
func TestAMillionRevocations(t *testing.T) {
	count := 10_000
	if isLong() {
		count = 1_000_000
	}
	server := startServer(t, `save ""`)
	ctx := context.Background()
	filler, err := redis.Open(ctx, redis.Config{Addresses: []string{server.address()}, Remember: 1})
	must(t, err)
	t.Cleanup(filler.Close)
	empty := server.info("used_memory")
	expires := time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second)
	filling := time.Now()
	each(count, 128, func(n int) {
		stored(t, filler, session.Event{
			ID: id(n), Kind: session.SessionRevoked, Session: id(n), Player: playerOf(n), Upstream: "sid:" + id(n), Expires: expires,
		})
	})
	t.Logf("FIGURE %d revocations stored in %v", count, time.Since(filling).Round(time.Millisecond))
	t.Logf("FIGURE Redis has %d bytes for each", (server.info("used_memory")-empty)/count)

	counted := &storetest.Faults{}
	ledger, err := session.NewLedger(session.LedgerConfig{
		Store:  counted.Wrap(storetest.Stores{Revocations: filler}).Revocations,
		Policy: session.Grace, Grace: 10 * time.Minute,
	})
	must(t, err)
	before, loading := heap(), time.Now()
	must(t, ledger.Load(ctx))
	t.Logf("FIGURE a node with %d revocations is ready after %v and has %d bytes for each", count,
		time.Since(loading).Round(time.Millisecond), (heap()-before)/uint64(count))
	if known := ledger.State().Sessions; known != count {
		t.Errorf("the node knows %d of %d revocations", known, count)
	}

	full, none := verifier(t, ledger), verifier(t, emptyLedger(t))
	calls, scripts := counted.Calls(), server.scripts()
	const verified = 20_000
	for n := range verified {
		token := nakamaToken(t, n)
		if _, err := full.Verify(t.Context(), token); (jws.ReasonOf(err) == jws.Revoked) != (n < count) {
			t.Fatalf("session %d: %v", n, err)
		}
	}
	if more := counted.Calls() - calls; more != 0 {
		t.Errorf("%d calls of the store in %d verifications", more, verified)
	}
	if after := server.scripts(); scripts == "" || after != scripts {
		t.Errorf("the server ran scripts meanwhile: %q, then %q", scripts, after)
	}
	t.Logf("FIGURE %d verifications: %d calls of the store", verified, counted.Calls()-calls)
	ratio(t, none, full, count)
}

func emptyLedger(t testing.TB) *session.Ledger {
	t.Helper()
	l, err := session.NewLedger(session.LedgerConfig{Store: session.NewMemoryStore(), Policy: session.Grace, Grace: 10 * time.Minute})
	must(t, err)
	must(t, l.Load(context.Background()))
	return l
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// key is that of the game server that made the tokens.
var key = []byte("a key of more than thirty-two bytes")

func verifier(t testing.TB, l *session.Ledger) *session.Verifier {
	t.Helper()
	v, err := session.NewNakamaVerifier(session.NakamaConfig{
		Realm: "main", Keys: [][]byte{key}, Aliases: session.AliasOptional, Ledger: l, CacheEntries: -1,
	})
	must(t, err)
	return v
}

// nakamaToken is the session token of the nth session.
func nakamaToken(t testing.TB, n int) string {
	t.Helper()
	signer, err := jws.NewSecretSigner("", key)
	must(t, err)
	token, err := signer.Sign("JWT", fmt.Appendf(nil, `{"tid":"%s","uid":"%s","usn":"ann","exp":%d,"iat":%d}`,
		id(n), id(n), began.Add(time.Hour).Unix(), began.Unix()))
	must(t, err)
	return token
}

// ratio compares verifying with and without revocations, in turns, and takes the quickest turn of each: on a machine with
// other work that is the one that was disturbed least. The race detector makes all of it slower alike.
func ratio(t *testing.T, none, full *session.Verifier, count int) {
	t.Helper()
	tokens := make([]string, 512)
	for i := range tokens {
		tokens[i] = nakamaToken(t, 2_000_000+i)
	}
	quickest := map[*session.Verifier]time.Duration{}
	for range 40 {
		for _, v := range []*session.Verifier{none, full} {
			began := time.Now()
			for _, token := range tokens {
				if _, err := v.Verify(t.Context(), token); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(began); quickest[v] == 0 || took < quickest[v] {
				quickest[v] = took
			}
		}
	}
	without, with := quickest[none]/512, quickest[full]/512
	r := float64(with) / float64(without)
	t.Logf("FIGURE verifying costs %v with no revocation and %v with %d: %.2f times", without, with, count, r)
	if r > 1.5 {
		t.Errorf("%.2f times is no noise; the promise for a quiet machine is 1.1", r)
	}
}

// TestNothingSecretIsInTheServer reads every key of a server that nodes worked with.
func TestNothingSecretIsInTheServer(t *testing.T) {
	server := startServer(t)
	n := startNode(t, nodeConfig{Redis: []string{server.address()}})
	n.enter(arena(1, ""))
	n.must("/put?n=1")
	keys := server.ask("KEYS *")
	if !strings.Contains(keys, "slot-") || strings.Contains(keys, id(1)) {
		t.Errorf("the keys are %s, want those of a slot and none with a player", keys)
	}
}
