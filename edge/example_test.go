package edge_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/edge"
)

// A gate with one open path: everything else is refused before the game server hears of it.
func Example() {
	game := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s, user %q", r.URL.Path, r.Header.Get(connect.HeaderUser))
	}))
	defer game.Close()
	gate, err := edge.New(edge.Config{Routes: []edge.Route{
		{Name: "news", Path: "/news/*", Methods: []string{"GET"}, Backend: game.URL, Who: edge.Public},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = gate.Close() }()
	front := httptest.NewServer(gate)
	defer front.Close()
	for _, path := range []string{"/news/today", "/admin", "/news/%2e%2e/admin"} {
		r, _ := http.NewRequest("GET", front.URL+path, nil)
		r.Header.Set(connect.HeaderUser, "admin")
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		fmt.Println(answer.StatusCode, strings.SplitN(string(body), `"status"`, 2)[0])
	}
	// Output:
	// 200 /news/today, user ""
	// 403 {"type":"urn:sallyport:refusal:no_route","title":"Forbidden",
	// 400 {"type":"urn:sallyport:refusal:bad_target","title":"Bad Request",
}

// The table says who may reach what; sallyport check-config prints it.
func ExampleTable() {
	for _, row := range edge.Table(edge.Colyseus(edge.ColyseusConfig{Backend: "http://127.0.0.1:2567"})) {
		fmt.Printf("%s %s: %s (%s)\n", row.Methods, row.Path, row.Who, row.Note)
	}
	// Output:
	// POST /matchmake/{method}/*: identity or session (binds the seat to the player)
	// WS /{process}/{room}: identity or session (colyseus sockets, replace_older; the player's own seat alone)
}

// A token that only reads may not write: rules are those of package connect.
func ExampleRoute() {
	route := edge.Route{
		Name: "scores", Path: "/scores/{board}", Methods: []string{"PUT"}, Backend: "http://127.0.0.1:8080",
		Who: edge.Session, Rules: []connect.Rule{connect.Scope("scores:write")}, MaxBody: 4 << 10,
	}
	fmt.Println(edge.Table([]edge.Route{route})[0].Who)
	// Output: session, rules: 1
}
