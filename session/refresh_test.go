package session_test

import (
	"context"
	"encoding/base64"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

func TestRefreshKeepsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.signIn(t)
	seen := []string{first.RefreshToken}
	g := first
	for range 5 {
		w.clock.Advance(time.Hour)
		next := w.mustRefresh(t, g.RefreshToken)
		if next.Session.ID != first.Session.ID || next.Session.TokenID == g.Session.TokenID {
			t.Fatalf("session %s became %s, token %s became %s", first.Session.ID, next.Session.ID, g.Session.TokenID, next.Session.TokenID)
		}
		if slices.Contains(seen, next.RefreshToken) || !next.Session.Started.Equal(first.Session.Started) {
			t.Fatal("a refresh token came back, or the session's start moved")
		}
		if !next.Session.IssuedAt.Equal(w.clock.Now()) || !slices.Equal(next.Scopes, first.Scopes) {
			t.Fatalf("issued at %s with scopes %q", next.Session.IssuedAt, next.Scopes)
		}
		w.verifies(t, next.AccessToken)
		w.verifies(t, g.AccessToken) // until it expires
		seen, g = append(seen, next.RefreshToken), next
	}
}

func TestLostAnswerRepeats(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.signIn(t)
	first := w.mustRefresh(t, start.RefreshToken)
	for range 3 {
		w.clock.Advance(10 * time.Second / 3)
		again := w.mustRefresh(t, start.RefreshToken)
		if again.RefreshToken != first.RefreshToken {
			t.Fatal("the repeated answer has another successor")
		}
		w.verifies(t, again.AccessToken)
	}
	w.clock.Advance(time.Hour)
	w.mustRefresh(t, first.RefreshToken)
	if n := len(w.events(t)); n != 0 {
		t.Errorf("%d events: nothing was to be revoked", n)
	}
}

func TestReplayKillsTheFamily(t *testing.T) {
	t.Parallel()
	late := func(w *world, g *session.Grant) {
		w.mustRefresh(t, g.RefreshToken)
		w.clock.Advance(10*time.Second + time.Nanosecond)
	}
	used := func(w *world, g *session.Grant) {
		w.mustRefresh(t, w.mustRefresh(t, g.RefreshToken).RefreshToken)
	}
	for name, use := range map[string]func(*world, *session.Grant){"after the window": late, "successor was used": used} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			start := w.signIn(t)
			w.verifies(t, start.AccessToken)
			use(w, start)
			_, err := w.refresh(t, start.RefreshToken)
			wantReason(t, err, jws.Replayed)
			_, err = w.verifier.Verify(t.Context(), start.AccessToken)
			wantReason(t, err, jws.Revoked)
			for _, token := range w.allRefreshTokens(t, start) {
				_, err = w.refresh(t, token)
				wantReason(t, err, jws.Revoked)
			}
			w.wantOneReplay(t, start)
			w.signIn(t) // the player has not lost the identity token
		})
	}
}

// allRefreshTokens makes every refresh token that the session has had, from the store's secret.
func (w *world) allRefreshTokens(t *testing.T, g *session.Grant) []string {
	t.Helper()
	f := w.family(t, g.Session.ID)
	var tokens []string
	for n := range f.Number + 1 {
		tokens = append(tokens, session.RefreshTokenOf(f, n))
	}
	if tokens[0] != g.RefreshToken {
		t.Fatal("the first refresh token is not number 0")
	}
	return tokens
}

func (w *world) wantOneReplay(t *testing.T, g *session.Grant) {
	t.Helper()
	events := w.events(t)
	if len(events) != 1 {
		t.Fatalf("%d events, want one: %+v", len(events), events)
	}
	e := events[0]
	if e.Kind != session.SessionRevoked || e.Session != g.Session.ID || e.Reason != "replayed" || e.Player != g.Session.Player {
		t.Errorf("event %+v", e)
	}
}

func TestFiftyReplaysAreOneRevocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.signIn(t)
	w.mustRefresh(t, w.mustRefresh(t, start.RefreshToken).RefreshToken)
	told := make(chan session.Event, 100)
	defer w.ledger.Subscribe(func(e session.Event) { told <- e })()
	reasons := atOnce(50, func() jws.Reason {
		_, err := w.issuer.Refresh(context.Background(), session.RefreshRequest{RefreshToken: start.RefreshToken, ClientID: worldClient})
		return jws.ReasonOf(err)
	})
	if !slices.Contains(reasons, jws.Replayed) {
		t.Error("no refusal says replayed")
	}
	for _, r := range reasons {
		if r != jws.Replayed && r != jws.Revoked {
			t.Errorf("refused with %q", r)
		}
	}
	w.wantOneReplay(t, start)
	<-told
	if err := w.ledger.CutOff(t.Context(), start.Session.Player, "marks the end"); err != nil {
		t.Fatal(err)
	}
	if e := <-told; e.Kind != session.PlayerCutOff {
		t.Errorf("subscribers were told twice: %+v", e)
	}
}

func TestFiftyHonestRefreshesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.signIn(t)
	successors := atOnce(50, func() string {
		g, err := w.issuer.Refresh(context.Background(), session.RefreshRequest{RefreshToken: start.RefreshToken, ClientID: worldClient})
		if err != nil {
			t.Error(err)
			return ""
		}
		return g.RefreshToken
	})
	if slices.Sort(successors); len(slices.Compact(successors)) != 1 {
		t.Error("a client that asked twice at once got two successors")
	}
	if f := w.family(t, start.Session.ID); f.Number != 1 || len(w.events(t)) != 0 {
		t.Errorf("number %d, events %v", f.Number, w.events(t))
	}
}

func atOnce[T any](n int, f func() T) []T {
	results := make([]T, n)
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		all.Go(func() { <-begin; results[i] = f() })
	}
	close(begin)
	all.Wait()
	return results
}

func TestHangingUpDoesNotSaveAReplay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.signIn(t)
	w.mustRefresh(t, w.mustRefresh(t, start.RefreshToken).RefreshToken)
	ctx, hangUp := context.WithCancel(t.Context())
	w.config.Families = hangingFamilies{w.store, hangUp}
	issuer := must(session.NewIssuer(w.config))
	_, err := issuer.Refresh(ctx, session.RefreshRequest{RefreshToken: start.RefreshToken, ClientID: worldClient})
	wantReason(t, err, jws.Replayed)
	w.wantOneReplay(t, start)
}

// hangingFamilies is a client that goes away as soon as its family was read.
type hangingFamilies struct {
	session.Families
	hangUp func()
}

func (h hangingFamilies) Get(ctx context.Context, id string) (session.Family, error) {
	defer h.hangUp()
	return h.Families.Get(ctx, id)
}

// TestForgedRefreshTokensTouchNothing changes every byte of a token.
func TestForgedRefreshTokensTouchNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.signIn(t)
	before := w.family(t, start.Session.ID)
	body := must(base64.RawURLEncoding.DecodeString(strings.TrimPrefix(start.RefreshToken, "spr_")))
	for n := range body {
		forged := slices.Clone(body)
		forged[n] ^= 0x10
		_, err := w.refresh(t, "spr_"+base64.RawURLEncoding.EncodeToString(forged))
		wantReason(t, err, jws.BadSignature)
	}
	if after := w.family(t, start.Session.ID); !reflect.DeepEqual(after, before) || len(w.events(t)) > 0 {
		t.Errorf("the family went from %+v to %+v, events %v", before, after, w.events(t))
	}
	w.mustRefresh(t, start.RefreshToken)
}

// A refresh may narrow the access token (RFC 6749 section 6), and the next one has all scopes again.
func TestRefreshNarrowsTheScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.signIn(t).RefreshToken
	ask := func(scopes ...string) (*session.Grant, error) {
		return w.issuer.Refresh(t.Context(), session.RefreshRequest{RefreshToken: token, ClientID: worldClient, Scopes: scopes})
	}
	if _, err := ask("play", "admin"); !errors.Is(err, session.ErrInvalidScope) {
		t.Fatalf("a scope that the session does not have: %v", err)
	}
	narrow, err := ask("chat")
	if err != nil || !slices.Equal(narrow.Scopes, []string{"chat"}) {
		t.Fatalf("got %v, %v; want chat alone", narrow, err)
	}
	s, err := w.verifier.Verify(t.Context(), narrow.AccessToken)
	if err != nil || !slices.Equal(s.Scopes, []string{"chat"}) {
		t.Fatalf("the token says %v, %v", s, err)
	}
	if all := w.mustRefresh(t, narrow.RefreshToken); !slices.Equal(all.Scopes, []string{"play", "chat"}) {
		t.Errorf("the next refresh has %v", all.Scopes)
	}
}

func TestRefreshChecksTheClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.signIn(t)
	for _, client := range []string{"", "other", worldClient + " "} {
		_, err := w.issuer.Refresh(t.Context(), session.RefreshRequest{RefreshToken: start.RefreshToken, ClientID: client})
		wantReason(t, err, jws.WrongClient)
	}
	w.mustRefresh(t, start.RefreshToken)
}

func TestSessionEndsAtItsLifetime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.SessionLifetime = 5 * time.Hour
	w.issuer = must(session.NewIssuer(w.config))
	g := w.signIn(t)
	end := testvectors.Now.Add(5 * time.Hour)
	w.clock.Advance(4 * time.Hour)
	g = w.mustRefresh(t, g.RefreshToken)
	if !g.Session.Expiry.Equal(end) || g.ExpiresIn != time.Hour {
		t.Errorf("the last token ends at %s, in %s: it must not outlive its session", g.Session.Expiry, g.ExpiresIn)
	}
	w.clock.Advance(time.Hour - time.Second)
	g = w.mustRefresh(t, g.RefreshToken)
	w.config.Families = keepingFamilies{w.store, w.family(t, g.Session.ID)}
	w.clock.Advance(time.Second)
	_, err := w.refresh(t, g.RefreshToken)
	wantReason(t, err, jws.BadSignature) // the store has forgotten it
	_, err = must(session.NewIssuer(w.config)).Refresh(t.Context(), session.RefreshRequest{RefreshToken: g.RefreshToken, ClientID: worldClient})
	wantReason(t, err, jws.Expired) // a store that keeps more changes nothing
}

// keepingFamilies is a store that gives one family for ever.
type keepingFamilies struct {
	session.Families
	kept session.Family
}

func (k keepingFamilies) Get(context.Context, string) (session.Family, error) { return k.kept, nil }

func TestRefreshWithTheStoreAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.signIn(t)
	before := w.family(t, start.Session.ID)
	w.store.away.Store(true)
	_, err := w.refresh(t, start.RefreshToken)
	wantReason(t, err, jws.Unavailable)
	wantReason(t, w.issuer.RevokeRefresh(t.Context(), start.RefreshToken), jws.Unavailable)
	w.store.away.Store(false)
	if after := w.family(t, start.Session.ID); !reflect.DeepEqual(after, before) {
		t.Errorf("the family went from %+v to %+v", before, after)
	}
	w.clock.Advance(time.Hour)
	w.mustRefresh(t, start.RefreshToken)
}

func TestReplayWithTheStoreAwayIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.signIn(t)
	w.mustRefresh(t, w.mustRefresh(t, start.RefreshToken).RefreshToken)
	w.config.Families = keepingFamilies{w.store, w.family(t, start.Session.ID)}
	issuer := must(session.NewIssuer(w.config))
	w.store.away.Store(true)
	_, err := issuer.Refresh(t.Context(), session.RefreshRequest{RefreshToken: start.RefreshToken, ClientID: worldClient})
	wantReason(t, err, jws.Unavailable)
	w.store.away.Store(false)
	_, err = w.refresh(t, start.RefreshToken)
	wantReason(t, err, jws.Replayed)
	w.wantOneReplay(t, start)
}

func TestNothingRotatesThatCannotBeSigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.signIn(t)
	w.config.Keys = newRing(t, w.clock)
	_, err := must(session.NewIssuer(w.config)).Refresh(t.Context(), session.RefreshRequest{RefreshToken: start.RefreshToken, ClientID: worldClient})
	wantReason(t, err, jws.Unavailable)
	if f := w.family(t, start.Session.ID); f.Number != 0 {
		t.Errorf("the family is at number %d and the client has nothing", f.Number)
	}
}

func TestRefreshForAnAudienceThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.signIn(t)
	w.config.Audiences = []session.Audience{{Name: "other"}}
	_, err := must(session.NewIssuer(w.config)).Refresh(t.Context(), session.RefreshRequest{RefreshToken: start.RefreshToken, ClientID: worldClient})
	wantReason(t, err, jws.WrongAudience)
}

func TestRefreshForARealmThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.signIn(t)
	w.config.Realms = []string{"other"}
	_, err := must(session.NewIssuer(w.config)).Refresh(t.Context(), session.RefreshRequest{RefreshToken: start.RefreshToken, ClientID: worldClient})
	wantReason(t, err, jws.WrongIssuer)
}

// TestStoreThatForgotRotations is a fail-over: the store goes back to a copy that misses the last rotations.
func TestStoreThatForgotRotations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		forgotten int
		reason    jws.Reason
	}{
		"one":  {1, ""},
		"four": {4, ""},
		"five": {5, jws.Revoked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			g := w.signIn(t)
			old := w.family(t, g.Session.ID)
			for range c.forgotten {
				g = w.mustRefresh(t, g.RefreshToken)
			}
			failedOver := session.NewMemoryStoreAt(w.clock.Now)
			if err := failedOver.Create(t.Context(), old); err != nil {
				t.Fatal(err)
			}
			w.config.Families = failedOver
			next, err := must(session.NewIssuer(w.config)).Refresh(t.Context(), session.RefreshRequest{RefreshToken: g.RefreshToken, ClientID: worldClient})
			if jws.ReasonOf(err) != c.reason || (err == nil) != (c.reason == "") {
				t.Fatalf("got %v, want reason %q", err, c.reason)
			}
			if err == nil && next.RefreshToken != w.mustRefresh(t, g.RefreshToken).RefreshToken {
				t.Error("the stores disagree about the successor")
			}
			if len(w.events(t)) != 0 {
				t.Error("a fail-over is no replay")
			}
		})
	}
}

func TestRevokeRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.signIn(t)
	for _, none := range []string{"", "spr_", "spr_AAAA", start.AccessToken, session.RefreshTokenOf(session.Family{ID: start.Session.ID, Secret: make([]byte, 32)}, 0)} {
		if err := w.issuer.RevokeRefresh(t.Context(), none); err != nil {
			t.Errorf("RFC 7009 section 2.2: an invalid token is no error, got %v", err)
		}
	}
	w.verifies(t, start.AccessToken)
	next := w.mustRefresh(t, start.RefreshToken)
	if err := w.issuer.RevokeRefresh(t.Context(), start.RefreshToken); err != nil {
		t.Fatal(err)
	}
	_, err := w.verifier.Verify(t.Context(), next.AccessToken)
	wantReason(t, err, jws.Revoked)
	_, err = w.refresh(t, next.RefreshToken)
	wantReason(t, err, jws.Revoked)
}

func FuzzRefreshToken(f *testing.F) {
	w := newWorld(f)
	g, err := w.issuer.Exchange(f.Context(), session.ExchangeRequest{SubjectToken: "alice"})
	if err != nil {
		f.Fatal(err)
	}
	body := strings.TrimPrefix(g.RefreshToken, "spr_")
	for _, seed := range []string{
		g.RefreshToken, body, "spr_", "spr_" + body[:len(body)-1], "spr_" + body + "=", "spr_" + body[:40] + "\n" + body[40:],
		"SPR_" + body, g.RefreshToken + g.RefreshToken, "spr_" + strings.Repeat("A", len(body)), "spr_" + strings.Repeat("_", len(body)),
		strings.Replace(g.RefreshToken, "A", "B", 1), "\x00", "spt_" + body,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		_, err := w.issuer.Refresh(context.Background(), session.RefreshRequest{RefreshToken: token, ClientID: worldClient})
		reason := jws.ReasonOf(err)
		switch {
		case (token == g.RefreshToken) != (err == nil):
			t.Errorf("token %q: %v", token, err)
		case err != nil && reason != jws.Malformed && reason != jws.BadSignature:
			t.Errorf("refused with %v", err)
		case err != nil && len(token) > 8 && strings.Contains(err.Error(), token):
			t.Error("the refusal shows the token")
		}
	})
}
