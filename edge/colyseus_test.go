package edge_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/edge"
)

func newFakeColyseus(t *testing.T, answer string) *backend {
	return newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/matchmake/") {
			_, _ = io.WriteString(w, answer)
			return
		}
		echo(w, r)
	})
}

func TestColyseusSeatsAreTheirPlayers(t *testing.T) {
	for version, answer := range map[string]string{
		"0.18": `{"name":"echo","sessionId":"Seat_1","roomId":"Room-1","processId":"p1"}`,
		"0.16": `{"room":{"processId":"p1","roomId":"Room-1","name":"echo"},"sessionId":"Seat_1"}`,
	} {
		t.Run(version, func(t *testing.T) {
			b := newFakeColyseus(t, answer)
			w := newWorld(t, edge.Colyseus(edge.ColyseusConfig{Backend: b.URL}), nil)
			ada, bob := sessionToken(t, "ada"), sessionToken(t, "bob")
			if c := w.dial(t, "/p1/Room-1?sessionId=Seat_1&_authToken="+ada, "", ""); c.answer.StatusCode != 403 {
				t.Errorf("a seat that nobody reserved: %d", c.answer.StatusCode)
			}
			if status, text := w.post(t, "/matchmake/joinOrCreate/echo", ada, `{"a":1}`); status != 200 || text != answer {
				t.Fatalf("got %d %s", status, text)
			}
			before := b.hits.Load()
			for name, target := range map[string]string{
				"another player":  "/p1/Room-1?sessionId=Seat_1&_authToken=" + bob,
				"another seat":    "/p1/Room-1?sessionId=Seat_2&_authToken=" + ada,
				"another room":    "/p1/Room-2?sessionId=Seat_1&_authToken=" + ada,
				"two seats":       "/p1/Room-1?sessionId=Seat_1&sessionId=Seat_1&_authToken=" + ada,
				"no seat":         "/p1/Room-1?_authToken=" + ada,
				"a latency probe": "/p1?_authToken=" + ada,
			} {
				if c := w.dial(t, target, "", ""); c.answer.StatusCode != 403 {
					t.Errorf("%s: got %d", name, c.answer.StatusCode)
				}
			}
			if b.hits.Load() != before {
				t.Errorf("the server was asked %d times", b.hits.Load()-before)
			}
			for range 2 { // the SDK comes back to its seat with the same URL
				w.dial(t, "/p1/Room-1?sessionId=Seat_1&_authToken="+ada, "", "").wants("hello")
			}
			if seen := b.last.Load(); seen.RequestURI != "/p1/Room-1?sessionId=Seat_1" || seen.Header.Get("X-Auth-User") != uuidOf("ada") {
				t.Errorf("the server saw %s %v", seen.RequestURI, seen.Header)
			}
		})
	}
}

func TestColyseusPlayersHaveSeveralRooms(t *testing.T) {
	room := "A"
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/matchmake/") {
			_, _ = io.WriteString(w, `{"name":"echo","sessionId":"S`+room+`","roomId":"`+room+`","processId":"p1"}`)
			return
		}
		echo(w, r)
	})
	for _, user := range []string{sessionToken(t, "ada"), "identity-eve-subject"} {
		w := newWorld(t, edge.Colyseus(edge.ColyseusConfig{Backend: b.URL, ForwardToken: true}), func(c *edge.Config) {
			if strings.HasPrefix(user, "identity-") {
				c.Sessions, c.Tickets = nil, nil // the gate of a game that has no sessions of its own
			}
		})
		var open []*client
		for _, room = range []string{"A", "B"} {
			if status, _ := w.post(t, "/matchmake/join/echo", user, `{}`); status != 200 {
				t.Fatalf("got %d", status)
			}
			c := w.dial(t, "/p1/"+room+"?sessionId=S"+room+"&_authToken="+user, "", "")
			c.wants("hello")
			open = append(open, c)
			if seen := b.last.Load(); seen.URL.Query().Get("_authToken") != user {
				t.Errorf("the server saw %s", seen.RequestURI)
			}
		}
		for _, c := range open {
			_, _ = io.WriteString(c.conn, frame("still here"))
			c.wants("still here")
		}
	}
}

func TestPreflightsPassWithoutAToken(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.WriteHeader(http.StatusNoContent)
	})
	w := newWorld(t, edge.Colyseus(edge.ColyseusConfig{Backend: b.URL}), nil)
	ask := func(r *http.Request) {
		r.Header.Set("Origin", "https://play.example")
		r.Header.Set("Access-Control-Request-Method", "POST")
	}
	answer, _ := do(t, "OPTIONS", w.url("/matchmake/join/echo"), nil, ask)
	if answer.StatusCode != 204 || b.hits.Load() != 1 {
		t.Errorf("got %d", answer.StatusCode)
	}
	answer, _ = do(t, "POST", w.url("/matchmake/join/echo"), strings.NewReader("{}"), ask)
	if answer.StatusCode != 401 || answer.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("a page cannot read the refusal: %d %v", answer.StatusCode, answer.Header)
	}
	answer, _ = do(t, "OPTIONS", w.url("/matchmake/join/echo"), nil, nil)
	if answer.StatusCode != 405 || b.hits.Load() != 1 {
		t.Errorf("OPTIONS that is no preflight: got %d", answer.StatusCode)
	}
}
