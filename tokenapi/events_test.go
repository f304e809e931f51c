package tokenapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/tokenapi"
)

func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	player := identity.Player{Realm: "players", Subject: alice}
	if err := w.ledger.CutOff(t.Context(), player, "test"); err != nil {
		t.Fatal(err)
	}
	batch := decode[session.Batch](t, w.do(newGet("/v1/events"), asGame()), 200)
	if len(batch.Events) != 1 || batch.Events[0].Player != player || !batch.Reset || batch.Cursor == "" {
		t.Errorf("batch %+v", batch)
	}
	if err := w.ledger.Unban(t.Context(), player); err != nil {
		t.Fatal(err)
	}
	next := decode[session.Batch](t, w.do(newGet("/v1/events?after="+batch.Cursor), asGame()), 200)
	if len(next.Events) != 1 || next.Events[0].Kind != session.PlayerUnbanned || next.Reset {
		t.Errorf("batch %+v", next)
	}
}

func TestEventsRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.do(newGet("/v1/events")); got.Code != 401 {
		t.Errorf("nobody: %d", got.Code)
	}
	if got := w.do(newGet("/v1/events"), asOperator()); got.Code != 403 {
		t.Errorf("a caller that may not: %d", got.Code)
	}
	for _, query := range []string{"after=a&after=b", "after=" + strings.Repeat("x", 257)} {
		if got := w.do(newGet("/v1/events?"+query), asGame()); got.Code != 400 {
			t.Errorf("%.20s: %d", query, got.Code)
		}
	}
	w.store.away.Store(true)
	if got := w.do(newGet("/v1/events"), asGame()); got.Code != 503 || got.Header().Get("Retry-After") == "" {
		t.Errorf("with the store away: %d", got.Code)
	}
}

// slow is a feed without news.
type slow struct {
	session.Revocations
	waiting sync.WaitGroup
	release chan struct{}
}

func (s *slow) Since(context.Context, string) (session.Batch, error) {
	s.waiting.Done()
	<-s.release
	return session.Batch{Cursor: "1"}, nil
}

func TestEventsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	feed := &slow{Revocations: w.store, release: make(chan struct{})}
	w.config.Ledger = must(session.NewLedger(session.LedgerConfig{Store: feed, Policy: session.Available, Now: w.now}))(t)
	w.build()
	var answered sync.WaitGroup
	feed.waiting.Add(tokenapi.MaxPolls)
	for range tokenapi.MaxPolls {
		answered.Go(func() {
			if got := w.do(newGet("/v1/events"), asGame()); got.Code != 200 {
				t.Errorf("%d %s", got.Code, got.Body)
			}
		})
	}
	feed.waiting.Wait()
	for range 2 {
		if got := w.do(newGet("/v1/events"), asGame()); got.Code != 503 || got.Header().Get("Retry-After") == "" {
			t.Errorf("one too many: %d", got.Code)
		}
	}
	close(feed.release)
	answered.Wait()
	feed.waiting.Add(1)
	if got := w.do(newGet("/v1/events"), asGame()); got.Code != 200 {
		t.Errorf("afterwards: %d", got.Code)
	}
}

// deadlines notes the write deadlines that a handler sets.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return nil
}

// A deadline on a server that has none would hit the connection's next request.
func TestEventsExtendOnlyAShorterDeadline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.ledger.CutOff(t.Context(), identity.Player{Realm: "players", Subject: alice}, "test"); err != nil {
		t.Fatal(err)
	}
	for timeout, want := range map[time.Duration]int{0: 0, time.Second: 1, time.Minute: 0} {
		r := newGet("/v1/events")
		name, value, _ := strings.Cut(asGame(), ": ")
		r.Header.Set(name, value)
		server := &http.Server{WriteTimeout: timeout}
		d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		w.api.ServeHTTP(d, r.WithContext(context.WithValue(r.Context(), http.ServerContextKey, server)))
		if d.Code != 200 || len(d.set) != want {
			t.Errorf("WriteTimeout %v: %d, deadlines %v", timeout, d.Code, d.set)
		}
		for _, at := range d.set {
			if left := time.Until(at); left < 20*time.Second || left > 31*time.Second {
				t.Errorf("the answer has %v", left)
			}
		}
	}
}

// A node without a store follows the feed and refuses what was revoked here.
func TestFollower(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := httptest.NewServer(w.api)
	defer server.Close()
	follower := must(session.NewFollower(session.FollowerConfig{
		URL: server.URL + "/v1/events", ClientID: "game server", ClientSecret: gameSecret,
	}))(t)
	ledger := must(session.NewLedger(session.LedgerConfig{Feed: follower, Policy: session.Grace, Now: w.now}))(t)
	player := identity.Player{Realm: "players", Subject: alice}
	if err := w.ledger.Ban(t.Context(), player, "test", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := ledger.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := ledger.CheckIdentity(&identity.Identity{Player: player, IssuedAt: w.now()}); jws.ReasonOf(err) != jws.Banned {
		t.Fatalf("the follower says %v, want banned", err)
	}
}
