package jwks_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

const crowd = 10_000

// together runs n calls at once and returns how many gave each reason; "" counts those without an error.
func together(n int, call func(n int) error) map[jws.Reason]int {
	outcomes := make([]error, n)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-start
			outcomes[i] = call(i)
		})
	}
	close(start)
	group.Wait()
	counts := make(map[jws.Reason]int)
	for _, err := range outcomes {
		counts[jws.ReasonOf(err)]++
	}
	return counts
}

func TestUnknownKidFetchesOnce(t *testing.T) {
	for _, cold := range []bool{true, false} {
		t.Run(fmt.Sprintf("cold=%v", cold), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				known, stranger := newSigner(t, "known"), newSigner(t, "stranger")
				issuer := publishing(t, known.Key())
				issuer.delay = 50 * time.Millisecond
				set := newSet(t, issuer, jwks.Config{})
				if !cold {
					expectKey(t, set, "known", "warming")
					issuer.expectFetches(t, 1, "warming")
				}
				verifier, token := newVerifier(t, set), sign(t, stranger, "p")
				counts := together(crowd, func(int) error {
					_, err := verifier.Verify(context.Background(), token)
					return err
				})
				if counts[jws.UnknownKey] != crowd {
					t.Errorf("outcomes %v, want %d of unknown_key", counts, crowd)
				}
				issuer.expectFetches(t, 1, "10,000 verifications with an unknown kid")
			})
		})
	}
}

func TestRotationUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, after, stranger := newSigner(t, "before"), newSigner(t, "after"), newSigner(t, "stranger")
		issuer := publishing(t, before.Key())
		issuer.delay = 50 * time.Millisecond
		set := newSet(t, issuer, jwks.Config{})
		verifier := newVerifier(t, set)
		tokens := []string{sign(t, before, "p"), sign(t, after, "p"), sign(t, stranger, "p")}
		if _, err := verifier.Verify(context.Background(), tokens[0]); err != nil {
			t.Fatal(err)
		}
		issuer.publish(t, before.Key(), after.Key())
		var refused [3]atomic.Int64
		together(crowd, func(n int) error {
			_, err := verifier.Verify(context.Background(), tokens[n%3])
			if err != nil {
				refused[n%3].Add(1)
			}
			return err
		})
		if old, fresh := refused[0].Load(), refused[1].Load(); old != 0 || fresh != 0 {
			t.Errorf("refused %d tokens of the old key and %d of the new one, want none", old, fresh)
		}
		if got := refused[2].Load(); got != crowd/3 {
			t.Errorf("refused %d tokens of a stranger, want %d", got, crowd/3)
		}
		issuer.expectFetches(t, 2, "warming, and a rotation under 10,000 verifications, a third with an unknown kid")
	})
}

func TestRotationRightAfterFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, after := newSigner(t, "before"), newSigner(t, "after")
		issuer := publishing(t, before.Key())
		issuer.delay = 50 * time.Millisecond
		set := newSet(t, issuer, jwks.Config{})
		expectKey(t, set, "before", "warming")
		together(crowd, func(n int) error { return lookup(set, fmt.Sprint("bogus ", n)) })
		issuer.expectFetches(t, 2, "warming, and a flood of 10,000 unknown kids")

		issuer.publish(t, after.Key())
		verifier, token := newVerifier(t, set), sign(t, after, "p")
		counts := together(1000, func(int) error {
			_, err := verifier.Verify(context.Background(), token)
			return err
		})
		if counts[""] != 1000 {
			t.Errorf("right after a flood, tokens of a new key: %v, want 1000 accepted", counts)
		}
		issuer.expectFetches(t, 1, "a rotation right after a flood")
	})
}

func TestRotationDuringEndlessFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publishing(t, newSigner(t, "before").Key())
		set := newSet(t, issuer, jwks.Config{})
		expectKey(t, set, "before", "warming")
		for n := range 1000 { // one after the other, so that each could begin a fetch
			expectRefusal(t, lookup(set, fmt.Sprint("bogus ", n)), jws.UnknownKey, "a bogus kid")
		}
		issuer.expectFetches(t, 4, "warming, and the burst of 3")

		issuer.publish(t, newSigner(t, "after").Key())
		waited := time.Duration(0)
		for ; lookup(set, "after") != nil; waited += 100 * time.Millisecond {
			time.Sleep(100 * time.Millisecond)
			_ = lookup(set, fmt.Sprint("bogus at ", waited))
		}
		if waited > 5*time.Second {
			t.Errorf("a new key was accepted %v after an endless flood began, want at most 5s", waited)
		}
	})
}

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publishing(t, newSigner(t, "known").Key())
		set := newSet(t, issuer, jwks.Config{})
		expectKey(t, set, "known", "warming")
		time.Sleep(time.Minute)
		issuer.expectFetches(t, 1, "warming")
		kid := 0
		ask := func(times int) {
			for range times {
				kid++
				expectRefusal(t, lookup(set, fmt.Sprint("bogus ", kid)), jws.UnknownKey, "a bogus kid")
			}
		}
		ask(20)
		issuer.expectFetches(t, 3, "the burst")
		time.Sleep(5*time.Second - time.Nanosecond)
		ask(20)
		issuer.expectFetches(t, 0, "less than 5 s after the burst")
		time.Sleep(time.Nanosecond)
		ask(20)
		issuer.expectFetches(t, 1, "5 s after the burst")
		time.Sleep(10 * time.Second)
		ask(20)
		issuer.expectFetches(t, 2, "10 s later")
		time.Sleep(time.Minute)
		ask(20)
		issuer.expectFetches(t, 3, "a minute later: the burst again and no more")
	})
}

func TestSameUnknownKidOnceInThirtySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publishing(t, newSigner(t, "known").Key())
		set := newSet(t, issuer, jwks.Config{})
		expectKey(t, set, "known", "warming")
		issuer.expectFetches(t, 1, "warming")
		for range 300 {
			expectRefusal(t, lookup(set, "retired 1"), jws.UnknownKey, "a retired kid")
			expectRefusal(t, lookup(set, "retired 2"), jws.UnknownKey, "a retired kid")
			time.Sleep(100 * time.Millisecond)
		}
		issuer.expectFetches(t, 2, "two retired kids asked for over 30 s")
		expectRefusal(t, lookup(set, "retired 1"), jws.UnknownKey, "a retired kid")
		issuer.expectFetches(t, 1, "one of them after 30 s")
	})
}

func TestUnknownKidIsForgottenWhenTheSetChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publishing(t, newSigner(t, "a").Key())
		set := newSet(t, issuer, jwks.Config{})
		expectKey(t, set, "a", "warming")
		expectRefusal(t, lookup(set, "c"), jws.UnknownKey, "not published yet")
		issuer.publish(t, newSigner(t, "b").Key())
		expectKey(t, set, "b", "a rotation")
		issuer.publish(t, newSigner(t, "c").Key())
		expectKey(t, set, "c", "published within 30 s of having been asked for, after a rotation")
	})
}

func TestBadSignatureNeverFetches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		known := newSigner(t, "known")
		issuer := publishing(t, known.Key())
		set := newSet(t, issuer, jwks.Config{})
		verifier := newVerifier(t, set)
		good := sign(t, known, "p")
		if _, err := verifier.Verify(context.Background(), good); err != nil {
			t.Fatal(err)
		}
		other := sign(t, known, "somebody else")
		forged := good[:len(good)-86] + other[len(other)-86:]
		for range 1000 {
			_, err := verifier.Verify(context.Background(), forged)
			expectRefusal(t, err, jws.BadSignature, "a forged token")
		}
		issuer.expectFetches(t, 1, "warming, and 1000 bad signatures")
	})
}

func TestFetchOutlivesItsFirstCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publishing(t, newSigner(t, "known").Key())
		issuer.delay = time.Second
		set := newSet(t, issuer, jwks.Config{})
		ctx, cancel := context.WithCancel(context.Background())
		var first error
		go func() { _, first = set.Keys(ctx, jws.Header{KeyID: "known"}) }()
		synctest.Wait()
		var second error
		go func() { second = lookup(set, "known") }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		expectRefusal(t, first, jws.Unavailable, "the first caller, who left")
		time.Sleep(time.Second)
		synctest.Wait()
		if second != nil {
			t.Errorf("the second caller, who stayed: %v", second)
		}
		issuer.expectFetches(t, 1, "one caller who left and one who stayed")
	})
}

func TestKnownKeyAllocatesNothing(t *testing.T) {
	set := newSet(t, publishing(t, newSigner(t, "known").Key()), jwks.Config{})
	header := jws.Header{Algorithm: jws.EdDSA, KeyID: "known"}
	got := testing.AllocsPerRun(5000, func() {
		if _, err := set.Keys(context.Background(), header); err != nil {
			t.Error(err)
		}
	})
	if got != 0 {
		t.Errorf("a lookup of a known key allocates %v times", got)
	}
}
