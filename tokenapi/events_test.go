package tokenapi_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
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
