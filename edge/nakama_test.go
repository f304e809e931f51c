package edge_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/edge"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// fakeNakama answers as Nakama 3.40 does at the paths that the gate cares about; e2e/nakama has the real one.
type fakeNakama struct {
	*backend
	t       *testing.T
	body    map[string]any
	first   int // answers 500 to so many sign-ins
	logins  int
	renewed []string // the sessions of refreshes that the gate told of
}

func newFakeNakama(t *testing.T) *fakeNakama {
	n := &fakeNakama{t: t}
	n.backend = newBackend(t, n.serve)
	return n
}

func (n *fakeNakama) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/ws" {
		echo(w, r)
		return
	}
	n.body = nil
	data, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(data, &n.body)
	switch r.URL.Path {
	case "/v2/account/authenticate/custom":
		if n.first--; n.first >= 0 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		n.logins++
		n.grant(w, "ada", fmt.Sprint("login", n.logins), time.Hour)
	case "/v2/account/session/refresh":
		n.grant(w, "ada", "login1", 2*time.Hour)
	default:
		_, _ = io.WriteString(w, "{}")
	}
}

func (n *fakeNakama) grant(w http.ResponseWriter, user, sid string, life time.Duration) {
	_ = json.NewEncoder(w).Encode(map[string]any{
		"created": true, "token": token(n.t, sessionKey, user, sid, life), "refresh_token": token(n.t, refreshKey, user, sid, 3*time.Hour),
	})
}

type granted struct {
	Token   string `json:"token"`
	Refresh string `json:"refresh_token"`
}

// nakamaWorld has the edge mode in front of a Nakama, and a ledger that must know who is who.
func nakamaWorld(t *testing.T, n *fakeNakama, change func(*edge.NakamaConfig)) *world {
	t.Helper()
	config := edge.NakamaConfig{Backend: n.URL, ServerKey: "the-server-key", SessionKeys: [][]byte{sessionKey}, RefreshKeys: [][]byte{refreshKey}}
	if change != nil {
		change(&config)
	}
	return newWorld(t, edge.Nakama(config), func(c *edge.Config) {
		verifier, err := session.NewNakamaVerifier(session.NakamaConfig{
			Realm: realm, Keys: [][]byte{sessionKey}, RefreshKeys: [][]byte{refreshKey}, Aliases: session.AliasRequired, Ledger: c.Ledger,
		})
		must(t, err)
		c.Sessions = verifier
		c.Renewed = func(s *session.Session) { n.renewed = append(n.renewed, s.ID) }
	})
}

func (w *world) post(t *testing.T, path, bearer, body string) (int, string) {
	t.Helper()
	answer, text := do(t, "POST", w.url(path), strings.NewReader(body), func(r *http.Request) {
		if bearer != "" {
			r.Header.Set("Authorization", "Bearer "+bearer)
		}
	})
	return answer.StatusCode, text
}

func (w *world) signIn(t *testing.T, body string) granted {
	t.Helper()
	status, text := w.post(t, "/v2/account/authenticate/custom?create=true&username=Admin", "", body)
	var g granted
	if err := json.Unmarshal([]byte(text), &g); status != 200 || err != nil {
		t.Fatalf("sign-in: %d %s", status, text)
	}
	return g
}

var adaPlayer = identity.Player{Realm: realm, Subject: "ada-subject"}

func TestNakamaSignInIsRewritten(t *testing.T) {
	n := newFakeNakama(t)
	n.first = 1
	w := nakamaWorld(t, n, nil)
	w.signIn(t, `{"id":"identity-ada-subject","vars":{"role":"admin"}}`)
	if n.body["id"] != "ada-subject" {
		t.Errorf("Nakama got the id %v", n.body["id"])
	}
	vars, _ := n.body["vars"].(map[string]any)
	if vars["role"] != nil || vars["subject"] != "ada-subject" || vars["player_id"] != adaPlayer.ID(true) || len(n.body) != 2 {
		t.Errorf("Nakama got %v", n.body)
	}
	seen := n.last.Load()
	if seen.RequestURI != "/v2/account/authenticate/custom?create=true" {
		t.Errorf("Nakama got %s", seen.RequestURI)
	}
	if user, _, _ := seen.BasicAuth(); user != "the-server-key" {
		t.Errorf("Nakama got the server key %q", user)
	}
	if p, ok := w.ledger.PlayerOf(uuidOf("ada")); !ok || p != adaPlayer {
		t.Errorf("the ledger knows the alias as %v", p)
	}
}

func TestNakamaSignInRefusals(t *testing.T) {
	n := newFakeNakama(t)
	w := nakamaWorld(t, n, nil)
	must(t, w.ledger.Ban(t.Context(), identity.Player{Realm: realm, Subject: "banned-one"}, "", time.Time{}))
	for name, test := range map[string]struct {
		body string
		want int
	}{
		"no body":           {``, 400},
		"not JSON":          {`id=identity-ada`, 400},
		"an array":          {`[]`, 400},
		"two ids":           {`{"id":"identity-ada","id":"identity-bob"}`, 400},
		"a case variant":    {`{"id":"identity-ada","ID":"identity-bob"}`, 400},
		"more members":      {`{"id":"identity-ada","account":{}}`, 400},
		"a device id":       {`{"id":"device-0001"}`, 401},
		"a foreign subject": {`{"id":"ada-subject"}`, 401},
		"two tokens":        {`{"id":"a.b.c","vars":{"token":"identity-ada"}}`, 400},
		"banned":            {`{"id":"identity-banned-one"}`, 403},
	} {
		t.Run(name, func(t *testing.T) {
			if status, text := w.post(t, "/v2/account/authenticate/custom", "", test.body); status != test.want {
				t.Errorf("got %d %s, want %d", status, text, test.want)
			}
		})
	}
	if n.hits.Load() != 0 {
		t.Errorf("Nakama was asked %d times", n.hits.Load())
	}
}

func TestNakamaSideDoorsAreClosed(t *testing.T) {
	n := newFakeNakama(t)
	w := nakamaWorld(t, n, nil)
	player := w.signIn(t, `{"id":"identity-ada-subject"}`)
	before := n.hits.Load()
	for _, kind := range []string{"apple", "custom", "device", "email", "facebook", "facebookinstantgame", "gamecenter", "google", "steam"} {
		for _, door := range []string{"authenticate", "link", "unlink"} {
			if door+kind == "authenticatecustom" {
				continue
			}
			if status, _ := w.post(t, "/v2/account/"+door+"/"+kind, player.Token, `{"id":"victim-0001"}`); status != 403 {
				t.Errorf("%s %s: got %d", door, kind, status)
			}
		}
	}
	for _, path := range []string{"/v2/rpc/x?http_key=defaulthttpkey", "/v2/rpc/x?HTTP_KEY=k", "/v2/rpc/x?%68ttp_key=k", "/v2/rpc/x?a=b;http_key=k", "/v2/console/x", "/v1/x", "/", "/v2/account/authenticate"} {
		if status, _ := w.post(t, path, player.Token, `"{}"`); status != 403 {
			t.Errorf("%s: got %d", path, status)
		}
	}
	answer, _ := do(t, "PUT", w.url("/v2/account"), strings.NewReader(`{"username":"Admin"}`), func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+player.Token) })
	if answer.StatusCode != 403 || n.hits.Load() != before {
		t.Errorf("got %d, and Nakama was asked %d times", answer.StatusCode, n.hits.Load()-before)
	}
	if status, _ := w.post(t, "/v2/rpc/score", player.Token, `"{}"`); status != 200 || n.last.Load().Header.Get("Authorization") != "Bearer "+player.Token {
		t.Errorf("an RPC: got %d", status)
	}
}

func TestNakamaLogoutEndsEverything(t *testing.T) {
	n := newFakeNakama(t)
	w := nakamaWorld(t, n, nil)
	player := w.signIn(t, `{"id":"identity-ada-subject"}`)
	c := w.dial(t, "/ws?token="+player.Token, "", "")
	c.wants("hello")
	if status, text := w.post(t, "/v2/session/logout", player.Token, `{"token":"`+player.Token+`","refresh_token":"`+player.Refresh+`"}`); status != 200 {
		t.Fatalf("logout: %d %s", status, text)
	}
	c.wants("close 4403 revoked: signed out, sign in again")
	before := n.hits.Load()
	// Nakama 3.40 opens /ws for this token (heroiclabs/nakama#2506).
	w.dial(t, "/ws?token="+player.Token, "", "").wants("close 4403 revoked: signed out, sign in again")
	if status, _ := w.post(t, "/v2/account/session/refresh", "", `{"token":"`+player.Refresh+`"}`); status != 401 {
		t.Errorf("refresh after logout: %d", status)
	}
	if status, _ := w.post(t, "/v2/rpc/x", player.Token, `""`); status != 401 || n.hits.Load() != before {
		t.Errorf("an RPC after logout: %d, and Nakama was asked %d times", status, n.hits.Load()-before)
	}
}

func TestNakamaLogoutOfAnotherPlayerIsRefused(t *testing.T) {
	n := newFakeNakama(t)
	w := nakamaWorld(t, n, nil)
	player := w.signIn(t, `{"id":"identity-ada-subject"}`)
	other := token(t, sessionKey, "bob", "bobs", time.Hour)
	if status, _ := w.post(t, "/v2/session/logout", player.Token, `{"token":"`+other+`"}`); status != 401 {
		t.Errorf("got %d", status)
	}
	if err := w.ledger.CheckSession(&session.Session{Player: identity.Player{Realm: realm, Subject: uuidOf("bob")}, ID: uuidOf("bobs"), IssuedAt: time.Now()}); err != nil {
		t.Errorf("the other player's session is gone: %v", err)
	}
}

func TestNakamaRefreshRenewsSocketsAndDropsVars(t *testing.T) {
	n := newFakeNakama(t)
	w := nakamaWorld(t, n, nil)
	player := w.signIn(t, `{"id":"identity-ada-subject"}`)
	w.dial(t, "/ws?token="+player.Token, "", "").wants("hello")
	before := w.registry.List(connect.SocketFilter{Route: "nakama-ws"})
	if status, text := w.post(t, "/v2/account/session/refresh", "", `{"token":"`+player.Refresh+`","vars":{"role":"admin"}}`); status != 200 {
		t.Fatalf("refresh: %d %s", status, text)
	}
	if n.body["vars"] != nil || n.body["token"] != player.Refresh {
		t.Errorf("Nakama got %v", n.body)
	}
	after := w.registry.List(connect.SocketFilter{Route: "nakama-ws"})
	if len(n.renewed) != 1 || n.renewed[0] != after[0].Session {
		t.Errorf("told of the refreshes of %v", n.renewed)
	}
	if len(before) != 1 || len(after) != 1 || after[0].Expires.Sub(before[0].Expires) < 30*time.Minute {
		t.Errorf("the socket was to end at %v, and now %v", before, after)
	}
	if status, _ := w.post(t, "/v2/account/session/refresh", "", `{"token":"`+player.Token+`"}`); status != 401 {
		t.Errorf("a session token passes for a refresh token: %d", status)
	}
}

func TestReferenceOpenWarns(t *testing.T) {
	n := newFakeNakama(t)
	w := newWorld(t, edge.ReferenceOpen(edge.NakamaConfig{Backend: n.URL}), nil)
	if warnings := w.gate.Warnings(); len(warnings) != 1 || !strings.Contains(warnings[0], "sign-ups are open") {
		t.Errorf("warnings %q", warnings)
	}
	if status, _ := w.post(t, "/v2/account/authenticate/device", "", `{"id":"device-0001"}`); status != 200 {
		t.Errorf("got %d: this preset is open", status)
	}
	if status, _ := w.post(t, "/v2/rpc/x", "", `""`); status != 401 {
		t.Errorf("got %d without a token", status)
	}
}
