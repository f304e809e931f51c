package tokenapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/tokenapi"
)

// fakeSockets remembers what it was asked.
type fakeSockets struct {
	asked  connect.SocketFilter
	kicked bool
	err    error
}

func (f *fakeSockets) List(_ context.Context, filter connect.SocketFilter) (connect.ClusterAnswer, error) {
	f.asked, f.kicked = filter, false
	return connect.ClusterAnswer{Sockets: []connect.SocketInfo{{ID: 7, Player: identity.Player{Realm: "players", Subject: alice}}}, Nodes: []string{"a"}, Silent: []string{"b"}}, f.err
}

func (f *fakeSockets) Kick(_ context.Context, filter connect.SocketFilter) (connect.ClusterAnswer, error) {
	f.asked, f.kicked = filter, true
	return connect.ClusterAnswer{Kicked: 3, Nodes: []string{"a"}}, f.err
}

func withSockets(t *testing.T) (*world, *fakeSockets) {
	t.Helper()
	w, sockets := newWorld(t), new(fakeSockets)
	w.config = w.newConfig()
	w.config.Sockets = sockets
	w.config.Callers[0].May = append(w.config.Callers[0].May, tokenapi.MaySockets)
	w.build()
	return w, sockets
}

func (w *world) sockets(query string, headers ...string) *httptest.ResponseRecorder {
	return w.do(newGet("/v1/sockets"+query), headers...)
}

func TestListSockets(t *testing.T) {
	t.Parallel()
	w, sockets := withSockets(t)
	if err := w.ledger.Learn(t.Context(), "nakama-7", identity.Player{Realm: "players", Subject: alice}); err != nil {
		t.Fatal(err)
	}
	player := identity.Player{Realm: "players", Subject: alice}
	for query, want := range map[string]connect.SocketFilter{
		"":                                   {},
		"?realm=players&subject=" + alice:    {Player: player},
		"?user_id=nakama-7":                  {Player: player},
		"?session=s&route=r&node=n&socket=9": {Session: "s", Route: "r", Node: "n", ID: 9},
	} {
		answer := decode[connect.ClusterAnswer](t, w.sockets(query, asOperator()), 200)
		if sockets.asked != want || sockets.kicked || len(answer.Sockets) != 1 || answer.Silent[0] != "b" {
			t.Errorf("%s: asked %+v, answered %+v", query, sockets.asked, answer)
		}
	}
	for _, query := range []string{"?realm=players", "?realm=nowhere&subject=x", "?user_id=nobody", "?user_id=a&realm=players", "?socket=x", "?socket=0", "?player=x", "?route=a&route=b"} {
		if got := w.sockets(query, asOperator()); got.Code != 400 {
			t.Errorf("%s: %d %s", query, got.Code, got.Body)
		}
	}
}

func TestKickSockets(t *testing.T) {
	t.Parallel()
	w, sockets := withSockets(t)
	answer := decode[connect.ClusterAnswer](t, w.postJSON("/v1/sockets/kick", `{"session":"s"}`, asOperator()), 200)
	if !sockets.kicked || sockets.asked.Session != "s" || answer.Kicked != 3 {
		t.Errorf("asked %+v, answered %+v", sockets.asked, answer)
	}
	if d := w.last(); !d.Allowed || d.Caller != "operator" || d.Endpoint != "/v1/sockets/kick" || d.Session != "s" {
		t.Errorf("decision %+v", d)
	}
	sockets.kicked = false
	for _, body := range []string{``, `{}`, `{"session":""}`, `{"id":"7"}`, `{"subject":"x"}`} {
		if got := w.postJSON("/v1/sockets/kick", body, asOperator()); got.Code != 400 || sockets.kicked {
			t.Errorf("%s: %d %s, kicked %v", body, got.Code, got.Body, sockets.kicked)
		}
	}
}

func TestSocketsAreForCallers(t *testing.T) {
	t.Parallel()
	w, sockets := withSockets(t)
	for header, status := range map[string]int{asGame(): 403, basic("operator", "x"): 401, "Accept: */*": 401} {
		if got := w.sockets("", header); got.Code != status {
			t.Errorf("%d, want %d", got.Code, status)
		}
	}
	sockets.err = session.ErrStoreUnavailable
	if got := w.sockets("", asOperator()); got.Code != http.StatusServiceUnavailable {
		t.Errorf("without a store: %d", got.Code)
	}
	without := newWorld(t)
	if got := without.sockets("", asOperator()); got.Code != http.StatusNotFound {
		t.Errorf("without sockets: %d", got.Code)
	}
}

// TestRefreshTellsOfItsSession checks that whoever holds live sockets hears of each refresh, and of no exchange.
func TestRefreshTellsOfItsSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var told []*session.Session
	w.config.Renewed = func(s *session.Session) { told = append(told, s) }
	w.build()
	first := w.signIn()
	s := must(w.verifiers[0].Verify(t.Context(), first.AccessToken))(t)
	decode[grant](t, w.postForm("/oauth2/token", refreshWith(first.RefreshToken)), 200)
	if len(told) != 1 || told[0].ID != s.ID || told[0].Player != s.Player || told[0].Expiry.Before(s.Expiry) {
		t.Errorf("told of %+v, want session %s", told, s.ID)
	}
	decode[failure](t, w.postForm("/oauth2/token", refreshWith("spr_none")), 400)
	if len(told) != 1 {
		t.Errorf("told of %d refreshes", len(told))
	}
}

func refreshWith(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "client_id": {"game"}, "refresh_token": {token}}
}
