package session_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// TestNodeThatLagsSellsNothingThatLasts: the node that exchanges has not heard of a sign-out yet, and the identity token
// does not say when the player signed in. The session falls as soon as a node has heard.
func TestNodeThatLagsSellsNothingThatLasts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		iat    time.Time // of the identity token
		revoke func(*world, *session.Session) error
		want   jws.Reason
	}{
		"cut-off":              {alice().IssuedAt, cutOff, jws.Revoked},
		"cut-off, no iat":      {time.Time{}, cutOff, jws.Revoked},
		"sign-out":             {alice().IssuedAt, signOut, jws.Revoked},
		"sign-out, no iat":     {time.Time{}, signOut, jws.Revoked},
		"token after cut-off":  {alice().IssuedAt.Add(2 * time.Minute), cutOff, ""},
		"token after sign-out": {alice().IssuedAt.Add(2 * time.Minute), signOut, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			first, sibling := w.signIn(t), w.signIn(t)
			lags := w.newLedger(t)
			if err := lags.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := c.revoke(w, first.Session); err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(2 * time.Minute)
			late := alice()
			late.AuthTime, late.IssuedAt = time.Time{}, c.iat
			w.guests["late"] = late
			config := w.config
			config.Ledger = lags
			g, err := must(session.NewIssuer(config)).Exchange(t.Context(), session.ExchangeRequest{SubjectToken: "late"})
			if err != nil {
				t.Fatalf("the node that lags: %v", err)
			}
			_, err = w.verifier.Verify(t.Context(), g.AccessToken)
			wants(t, "session", err, c.want)
			_, err = w.refresh(t, g.RefreshToken)
			wants(t, "refresh", err, c.want)
			if _, err := w.verifier.Verify(t.Context(), sibling.AccessToken); strings.HasPrefix(name, "sign-out") && err != nil {
				t.Errorf("a session from before the other's sign-out: %v", err)
			}
		})
	}
}

func cutOff(w *world, s *session.Session) error {
	return w.ledger.CutOff(context.Background(), s.Player, "test")
}

func signOut(w *world, s *session.Session) error {
	return w.ledger.RevokeSession(context.Background(), s, "test")
}
