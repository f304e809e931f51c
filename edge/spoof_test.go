package edge_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/edge"
)

func TestHeadersThatGatewaysHandOnAreTheGatesAlone(t *testing.T) {
	b := newBackend(t, nil)
	w := newWorld(t, []edge.Route{public(b, "/x", "GET")}, nil)
	get(t, w.url("/x"), func(r *http.Request) {
		for _, name := range []string{
			"Grpc-Metadata-X-Forwarded-For", "grpc_metadata_x_forwarded_for", "Grpc-Metadata-Authorization", "Grpc-Metadata-Grpcgateway-Authorization",
			"Grpcgateway-X-Auth-User", "Grpc-Metadata-X-CloudFront-Secret", "Grpc-Metadata-Host", "X-Forwarded", "X-Original-Forwarded-For",
		} {
			r.Header[name] = []string{"spoofed"}
		}
		r.Header.Set("Grpc-Metadata-Mine", "kept")
	})
	seen := b.last.Load().Header
	for name, values := range seen {
		if strings.Contains(strings.Join(values, ","), "spoofed") {
			t.Errorf("%s: %v reached the backend", name, values)
		}
	}
	if seen.Get("Grpc-Metadata-Mine") != "kept" {
		t.Errorf("headers %v", seen)
	}
}

func TestEveryConnectionHeaderOfAnAnswerNamesHopByHopOnes(t *testing.T) {
	text := "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x-one\r\nX-One: 1\r\nX-Two: 2\r\nX-Three: 3\r\nConnection: x-two\r\n\r\n"
	w := newWorld(t, []edge.Route{{Name: "x", Path: "/x", Methods: []string{"GET"}, Who: edge.Public, Backend: serveText(t, text)}}, nil)
	answer, _ := get(t, w.url("/x"), nil)
	if h := answer.Header; h["X-One"] != nil || h["X-Two"] != nil || h.Get("X-Three") != "3" {
		t.Errorf("got %v", answer.Header)
	}
}

func TestTokensInQueriesNeverGoOn(t *testing.T) {
	b := newBackend(t, nil)
	route := public(b, "/x", "GET")
	route.Who, route.Sources, route.Preflight = edge.Session, edge.Sources{Bearer: true, Query: "token"}, true
	w := newWorld(t, []edge.Route{route}, nil)
	bearer := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+sessionToken(t, "ada")) }
	for _, query := range []string{"a=1;token=secret", ";token=secret", "a=1;%74oken=secret"} {
		if answer, _ := get(t, w.url("/x?"+query), bearer); answer.StatusCode != 403 || b.hits.Load() != 0 {
			t.Errorf("%s: got %d", query, answer.StatusCode)
		}
	}
	do(t, "OPTIONS", w.url("/x?a=1&token=secret"), nil, func(r *http.Request) {
		r.Header.Set("Origin", "https://play.example")
		r.Header.Set("Access-Control-Request-Method", "GET")
	})
	if seen := b.last.Load(); seen == nil || seen.RequestURI != "/x?a=1" {
		t.Errorf("a browser's question went on as %v", seen)
	}
}

func TestNakamaReadsWhatTheGateRead(t *testing.T) {
	n := newFakeNakama(t)
	w := nakamaWorld(t, n, nil)
	player := w.signIn(t, `{"id":"identity-ada-subject"}`)
	before := n.hits.Load()
	put := func(body string, headers ...string) int {
		answer, _ := do(t, "PUT", w.url("/v2/account"), strings.NewReader(body), func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+player.Token)
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
		})
		return answer.StatusCode
	}
	for _, body := range []string{`{"\u0075sername":"Admin"}`, `{"displayName":"a","displayName":"b"}`, `{"a":1}{"username":"Admin"}`, `[{"username":"Admin"}]`} {
		if status := put(body); status < 400 {
			t.Errorf("%s: got %d", body, status)
		}
	}
	for _, coding := range []string{"deflate", "gzip"} {
		if status := put(`{"displayName":"Ada"}`, "Content-Encoding", coding); status != 400 {
			t.Errorf("a body in %s: got %d", coding, status)
		}
	}
	if status, _ := w.post(t, "/v2/rpc/x?httpKey=k", player.Token, `"{}"`); status != 403 {
		t.Errorf("the key of servers in its other spelling: got %d", status)
	}
	if n.hits.Load() != before {
		t.Errorf("Nakama was asked %d times", n.hits.Load()-before)
	}
	if status := put(`{"displayName":"Ada"}`); status != 200 {
		t.Errorf("got %d", status)
	}
}

func TestColyseusSeatsOutliveNewRoutes(t *testing.T) {
	b := newFakeColyseus(t, `{"name":"echo","sessionId":"Seat_1","roomId":"Room-1","processId":"p1"}`)
	routes := func() []edge.Route { return edge.Colyseus(edge.ColyseusConfig{Backend: b.URL}) }
	w := newWorld(t, routes(), nil)
	ada := sessionToken(t, "ada")
	if status, _ := w.post(t, "/matchmake/joinOrCreate/echo", ada, `{}`); status != 200 {
		t.Fatalf("got %d", status)
	}
	must(t, w.gate.SetRoutes(routes()))
	if c := w.dial(t, "/p1/Room-1?sessionId=Seat_1&_authToken="+sessionToken(t, "bob"), "", ""); c.answer.StatusCode != 403 {
		t.Errorf("another player: got %d", c.answer.StatusCode)
	}
	w.dial(t, "/p1/Room-1?sessionId=Seat_1&_authToken="+ada, "", "").wants("hello")
}
