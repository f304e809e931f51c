package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// slowFamilies lets something happen while the store makes a family.
type slowFamilies struct {
	session.Families
	meanwhile func() error
}

func (s slowFamilies) Create(ctx context.Context, f session.Family) error {
	return errors.Join(s.Families.Create(ctx, f), s.meanwhile())
}

func TestBanOvertakesAnExchange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Families = slowFamilies{w.store, func() error {
		return w.ledger.Ban(t.Context(), alice().Player, "cheating", time.Time{})
	}}
	g, err := must(session.NewIssuer(w.config)).Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "alice"})
	wantReason(t, err, jws.Banned)
	if g != nil {
		t.Errorf("a refusal with %+v", g)
	}
}

// racingFamilies lets something happen between the read and the compare-and-set of a refresh.
type racingFamilies struct {
	session.Families
	between func() error
}

func (r racingFamilies) Rotate(ctx context.Context, id string, from uint64) (session.Family, error) {
	if err := r.between(); err != nil {
		return session.Family{}, err
	}
	return r.Families.Rotate(ctx, id, from)
}

func TestRefreshIsOvertaken(t *testing.T) {
	t.Parallel()
	turn := func(w *world, token string) string { return w.mustRefresh(t, token).RefreshToken }
	for name, c := range map[string]struct {
		between func(*world, string) error
		reason  jws.Reason
		events  int
	}{
		"by its twin": {func(w *world, token string) error { turn(w, token); return nil }, "", 0},
		"by the next": {func(w *world, token string) error { turn(w, turn(w, token)); return nil }, jws.Replayed, 1},
		"by the end":  {func(w *world, _ string) error { w.clock.Advance(31 * 24 * time.Hour); return nil }, jws.Expired, 0},
		"by a sign-out": {
			func(w *world, token string) error { return w.issuer.RevokeRefresh(context.Background(), token) }, jws.Revoked, 1,
		},
		"by a failure":       {func(*world, string) error { return session.ErrStoreUnavailable }, jws.Unavailable, 0},
		"by an empty answer": {func(*world, string) error { return session.ErrConflict }, jws.Unavailable, 0},
		// A node whose clock is ahead of the store's by more than the repeat window.
		"by the clock": {func(w *world, token string) error { turn(w, token); w.clock.Advance(time.Minute); return nil }, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			start := w.signIn(t)
			config := w.config
			config.Families = racingFamilies{w.store, func() error { return c.between(w, start.RefreshToken) }}
			_, err := must(session.NewIssuer(config)).Refresh(t.Context(), session.RefreshRequest{RefreshToken: start.RefreshToken, ClientID: worldClient})
			if jws.ReasonOf(err) != c.reason || (err == nil) != (c.reason == "") {
				t.Errorf("got %v, want reason %q", err, c.reason)
			}
			if n := len(w.events(t)); n != c.events {
				t.Errorf("%d events, want %d", n, c.events)
			}
		})
	}
}

// TestNoWindowForAClockThatIsBehind: on a node whose clock stands still a stolen token would be repeated for ever.
func TestNoWindowForAClockThatIsBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.signIn(t)
	behind := w.config
	late := newSetClock(w.clock.Now())
	behind.Now = late.Now
	w.clock.Advance(time.Minute)
	next := w.mustRefresh(t, start.RefreshToken)
	repeat := func() (*session.Grant, error) {
		return must(session.NewIssuer(behind)).Refresh(t.Context(), session.RefreshRequest{RefreshToken: start.RefreshToken, ClientID: worldClient})
	}
	if g, err := repeat(); err != nil || g.RefreshToken != next.RefreshToken {
		t.Errorf("a minute behind: %v", err)
	}
	late.Advance(-time.Nanosecond)
	_, err := repeat()
	wantReason(t, err, jws.Unavailable)
	if n := len(w.events(t)); n != 0 {
		t.Errorf("%d events: the client may be honest", n)
	}
	w.mustRefresh(t, next.RefreshToken)
	_, err = repeat()
	wantReason(t, err, jws.Replayed) // used twice whatever the time
}
