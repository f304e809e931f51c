package session_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// running is a ledger that runs in a synctest bubble, where time.Sleep turns the clock of everyone in it.
type running struct {
	*session.Ledger
	store  *faulty
	states []session.LedgerState
}

func run(t *testing.T, policy session.StalePolicy) *running {
	t.Helper()
	r := &running{store: &faulty{Revocations: session.NewMemoryStore()}}
	l, err := session.NewLedger(session.LedgerConfig{
		Store: r.store, Policy: policy, Observe: func(s session.LedgerState) { r.states = append(r.states, s) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Ledger = l
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v, want the context's error", err)
		}
	})
	time.Sleep(time.Second) // past the pause after the first answer, into a wait for news
	return r
}

func (r *running) check() error {
	return r.CheckSession(&session.Session{Player: ann, ID: "s", IssuedAt: time.Now()})
}

func TestQuietStoreStaysFresh(t *testing.T) {
	t.Parallel()
	for _, policy := range []session.StalePolicy{session.Grace, session.Strict, session.Available} {
		synctest.Test(t, func(t *testing.T) {
			r := run(t, policy)
			for range 500 {
				time.Sleep(time.Duration(7919) * time.Millisecond)
				wants(t, string(policy), r.check(), "")
				wants(t, string(policy)+" new", r.CheckNew(), "")
			}
			if s := r.State(); s.Age > 10*time.Second || s.Failing {
				t.Errorf("state after an hour: %+v", s)
			}
		})
	}
}

// The store goes away at 0 s of each row's clock, in one of two manners; the ledger heard of it at most 10 s before.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy        session.StalePolicy
		after         time.Duration
		session, make jws.Reason
	}{
		{session.Grace, 29 * time.Second, "", ""},
		{session.Grace, 31 * time.Second, jws.Unavailable, jws.Unavailable},
		{session.Strict, 16 * time.Second, jws.Unavailable, jws.Unavailable},
		{session.Available, 29 * time.Second, "", ""},
		{session.Available, 31 * time.Second, "", jws.Unavailable},
		{session.Available, 2 * time.Hour, "", jws.Unavailable},
	} {
		for _, manner := range []string{"refuses", "hangs"} {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, c.policy)
				r.store.hangs.Store(manner == "hangs")
				r.store.away.Store(true)
				time.Sleep(10*time.Second - r.State().Age) // the wait that was under way ends well
				time.Sleep(c.after)
				what := string(c.policy) + " " + manner + " " + c.after.String()
				wants(t, what, r.check(), c.session)
				wants(t, what+" new", r.CheckNew(), c.make)
				r.store.hangs.Store(false)
				r.store.away.Store(false)
				time.Sleep(31 * time.Second) // a hanging call's 15 s, a pause of 5 s, a quiet feed's 10 s
				wants(t, what+" and back", r.check(), "")
				wants(t, what+" and back, new", r.CheckNew(), "")
			})
		}
	}
}

func TestStrictRefusesFromTheFirstFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, session.Strict)
		r.store.away.Store(true)
		time.Sleep(9 * time.Second)
		wants(t, "before the ledger can know", r.check(), "")
		time.Sleep(2 * time.Second)
		wants(t, "after the failed contact", r.check(), jws.Unavailable)
	})
}

// The 30 s of grace with a clock that the test holds: no timer can help.
func TestGraceOnAnInjectedClock(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	l := n.ledger(session.LedgerConfig{Store: n.store, Policy: session.Grace, Now: n.now})
	n.must(l.Load(n.ctx()))
	n.must(l.Ban(n.ctx(), bob, "", time.Time{}))
	n.advance(30*time.Second - time.Nanosecond)
	wants(t, "within the grace", l.CheckSession(n.session(ann, "s")), "")
	wants(t, "what is known within the grace", l.CheckSession(n.session(bob, "s")), jws.Banned)
	n.advance(time.Nanosecond)
	wants(t, "after the grace", l.CheckSession(n.session(ann, "s")), jws.Unavailable)
	wants(t, "identity after the grace", l.CheckIdentity(n.identity(ann, "u")), jws.Unavailable)
	if s := l.State(); s.Ready || !s.Loaded || s.Age != 30*time.Second {
		t.Errorf("state after the grace: %+v", s)
	}
}

func TestObserveHearsChangesOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, session.Grace)
		time.Sleep(time.Minute)
		r.store.away.Store(true)
		time.Sleep(time.Minute)
		r.store.away.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		var got [][3]bool
		for _, s := range r.states {
			got = append(got, [3]bool{s.Loaded, s.Ready, s.Failing})
		}
		want := [][3]bool{{true, true, false}, {true, true, true}, {true, false, true}, {true, true, false}}
		if !slices.Equal(got, want) {
			t.Errorf("observed loaded, ready, failing: %v, want %v", got, want)
		}
		if r.states[1].LastError != session.ErrStoreUnavailable.Error() || r.states[3].LastError != "" {
			t.Errorf("errors told: %q, then %q", r.states[1].LastError, r.states[3].LastError)
		}
	})
}

func TestFailingStoreIsAskedWithPauses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, session.Grace)
		r.store.away.Store(true)
		time.Sleep(11 * time.Second)
		before := r.store.calls.Load()
		time.Sleep(10 * time.Minute)
		if calls := r.store.calls.Load() - before; calls < 120 || calls > 260 {
			t.Errorf("asked %d times in 10 minutes of failure, want one in 2.5 to 5 s", calls)
		}
	})
}

// hasty is a feed that does not wait for news and always gives the same answer.
type hasty struct {
	calls  int
	answer session.Batch
}

func (h *hasty) Since(context.Context, string) (session.Batch, error) {
	h.calls++
	return h.answer, nil
}

func TestFeedThatDoesNotWaitIsPaced(t *testing.T) {
	t.Parallel()
	at := time.Now()
	old := []session.Event{{ID: eventID(1), Kind: session.PlayerCutOff, At: at, Player: ann, Expires: at.Add(time.Hour)}}
	for what, answer := range map[string]session.Batch{
		"nothing":        {Cursor: "1"},
		"the same again": {Cursor: "1", Events: old},
		"all again":      {Cursor: "1", Events: old, Reset: true},
		"no end":         {Cursor: "1", Events: old, More: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			feed := &hasty{answer: answer}
			l, err := session.NewLedger(session.LedgerConfig{Feed: feed, Policy: session.Strict})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if err := l.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: Run returned %v, want the deadline", what, err)
			}
			if feed.calls > 52 {
				t.Errorf("%s: asked %d times in 10 s, want at most 5 a second", what, feed.calls)
			}
		})
	}
}

func TestRevocationReachesAnotherNodeAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, session.Grace)
		if _, err := r.store.Append(t.Context(), session.Event{
			ID: eventID(1), Kind: session.PlayerCutOff, Player: ann, Expires: time.Now().Add(time.Hour),
		}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		wants(t, "session", r.check(), jws.Revoked)
	})
}

// The store forgets everything, as after a fail-over to an empty one, and gets other events: the cursor is unknown, and
// the ledger starts again without letting go of what it knew.
func TestLedgerCatchesUpAfterAGapAndAReset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, session.Grace)
		var told []session.Event
		defer r.Subscribe(func(e session.Event) { told = append(told, e) })()
		check := func(id string) error { return r.CheckSession(&session.Session{ID: id, IssuedAt: time.Now()}) }
		r.store.away.Store(true)
		time.Sleep(11 * time.Second)
		for n := range 1500 {
			appendSession(t, r.store.Revocations, n)
		}
		r.store.away.Store(false)
		time.Sleep(6 * time.Second)
		wants(t, "first of the gap", check(eventID(0)), jws.Revoked)
		wants(t, "last of the gap", check(eventID(1499)), jws.Revoked)

		synctest.Wait()
		fresh := session.NewMemoryStore()
		if _, err := fresh.Append(t.Context(), told[0]); err != nil {
			t.Fatal(err)
		}
		appendSession(t, fresh, 9999)
		r.store.away.Store(true)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		r.store.Revocations = fresh
		r.store.away.Store(false)
		time.Sleep(6 * time.Second)
		wants(t, "known before the reset", check(eventID(1499)), jws.Revoked)
		wants(t, "new with the reset", check(eventID(9999)), jws.Revoked)
		if s := r.State(); s.Resets != 2 || s.Sessions != 1501 || !s.Ready {
			t.Errorf("state after the reset: %+v", s)
		}
		synctest.Wait()
		if len(told) != 1501 || told[1500].Session != eventID(9999) {
			t.Errorf("subscribers heard %d events, want each of the 1501 once", len(told))
		}
	})
}

func appendSession(t *testing.T, store session.Revocations, n int) {
	t.Helper()
	if _, err := store.Append(t.Context(), session.Event{
		ID: eventID(n), Kind: session.SessionRevoked, Session: eventID(n), Expires: time.Now().Add(24 * time.Hour),
	}); err != nil {
		t.Fatal(err)
	}
}

// A clock that runs ahead makes the ledger leave out, and sweep away, what has not expired. Once it is right again all of
// that is back.
func TestClockThatRanAheadLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t) // whose store keeps the right time
		clock := newSetClock(n.now())
		l := n.ledger(session.LedgerConfig{Store: n.store, Policy: session.Available, Now: clock.Now})
		n.must(l.Load(n.ctx()))
		n.must(l.RevokeSession(n.ctx(), &session.Session{ID: "known"}, ""))
		n.must(l.Ban(n.ctx(), ann, "", n.now().Add(time.Hour)))
		ctx, cancel := context.WithCancel(n.ctx())
		ended := make(chan error)
		go func() { ended <- l.Run(ctx) }()
		clock.Advance(40 * 24 * time.Hour)
		for i := range 2000 { // enough to rebuild every part of the table
			n.must(l.RevokeSession(n.ctx(), &session.Session{ID: eventID(i)}, ""))
		}
		wants(t, "while the clock is ahead", l.CheckSession(n.session(ann, "known")), "")
		clock.Advance(-40 * 24 * time.Hour)
		time.Sleep(time.Minute)
		wants(t, "a revoked session", l.CheckSession(n.session(bob, "known")), jws.Revoked)
		wants(t, "a banned player", l.CheckSession(n.session(ann, "s")), jws.Banned)
		if s := l.State(); s.Resets != 2 {
			t.Errorf("read the store from the beginning %d times, want 2", s.Resets)
		}
		cancel()
		<-ended
	})
}

// paged fails at its second page, once.
type paged struct {
	*session.MemoryStore
	failed bool
}

func (p *paged) Since(ctx context.Context, cursor string) (session.Batch, error) {
	if cursor != "" && !p.failed {
		p.failed = true
		return session.Batch{}, session.ErrStoreUnavailable
	}
	return p.MemoryStore.Since(ctx, cursor)
}

func TestHalfALoadIsNoLoad(t *testing.T) {
	t.Parallel()
	store := &paged{MemoryStore: session.NewMemoryStore()}
	for n := range 1001 {
		appendSession(t, store, n)
	}
	l := must1(session.NewLedger(session.LedgerConfig{Store: store, Policy: session.Available}))
	if err := l.Load(t.Context()); !errors.Is(err, session.ErrStoreUnavailable) {
		t.Fatalf("Load returned %v, want the store's error", err)
	}
	unknown := &session.Session{ID: eventID(5000), IssuedAt: time.Now()}
	wants(t, "half loaded", l.CheckSession(unknown), jws.Unavailable)
	if err := l.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	wants(t, "loaded", l.CheckSession(unknown), "")
	wants(t, "of the second page", l.CheckSession(&session.Session{ID: eventID(1000)}), jws.Revoked)
	if s := l.State(); s.Resets != 1 || s.Sessions != 1001 {
		t.Errorf("the second Load started again: %+v", s)
	}
}

// broken is a feed whose batches break the contract.
type broken session.Batch

func (b broken) Since(context.Context, string) (session.Batch, error) { return session.Batch(b), nil }

func TestBrokenBatchIsAFailure(t *testing.T) {
	t.Parallel()
	at := time.Now()
	good := session.Event{ID: eventID(1), Kind: session.PlayerCutOff, At: at, Player: ann, Expires: at.Add(time.Hour)}
	unknown, undated := good, good
	unknown.Kind, undated.At = "player_frozen", time.Time{}
	for what, b := range map[string]session.Batch{
		"no cursor": {}, "more without events": {Cursor: "1", More: true},
		"unknown kind":     {Cursor: "1", Events: []session.Event{good, unknown}},
		"event without at": {Cursor: "1", Events: []session.Event{undated}},
	} {
		l := must1(session.NewLedger(session.LedgerConfig{Feed: broken(b), Policy: session.Available}))
		if err := l.Load(t.Context()); !errors.Is(err, session.ErrInvalidEvent) {
			t.Errorf("%s: Load returned %v, want ErrInvalidEvent", what, err)
		}
		wants(t, what, l.CheckNew(), jws.Unavailable)
	}
}

func TestSubscribersHearEachEventOnceAndInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, session.Grace)
		var mu sync.Mutex
		var heard []string
		cancel := r.Subscribe(func(e session.Event) {
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, e.Session)
		})
		var want []string
		for n := range 300 {
			id := eventID(n)
			want = append(want, id)
			if n%2 == 0 { // written by this node, then heard again from the store
				if err := r.RevokeSession(t.Context(), &session.Session{ID: id}, ""); err != nil {
					t.Fatal(err)
				}
			} else {
				appendSession(t, r.store.Revocations, n)
			}
			synctest.Wait()
		}
		mu.Lock()
		if !slices.Equal(heard, want) {
			t.Errorf("heard %d events, want the %d in order, once", len(heard), len(want))
		}
		mu.Unlock()
		cancel()
		appendSession(t, r.store.Revocations, 1000)
		time.Sleep(time.Second)
		synctest.Wait()
		if len(heard) != len(want) {
			t.Error("a cancelled subscriber heard an event")
		}
	})
}

func TestSlowSubscriberBlocksNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, session.Strict)
		var fast int
		release := make(chan struct{})
		cancelSlow := r.Subscribe(func(session.Event) { <-release })
		defer r.Subscribe(func(session.Event) { fast++ })()
		for n := range 100 {
			appendSession(t, r.store.Revocations, n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if fast != 100 {
			t.Errorf("the other subscriber heard %d events, want 100", fast)
		}
		wants(t, "the follower goes on", r.check(), "")
		if got := r.State().Backlog; got != 99 {
			t.Errorf("backlog %d, want 99", got)
		}
		cancelSlow()
		if got := r.State().Backlog; got != 0 {
			t.Errorf("backlog %d after cancel, want 0", got)
		}
		close(release)
	})
}
