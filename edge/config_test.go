package edge_test

import (
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/edge"
	"github.com/sallyport-auth/sallyport/session"
)

func TestRoutesWithoutADecisionAreErrors(t *testing.T) {
	ledger, err := session.NewLedger(session.LedgerConfig{Store: session.NewMemoryStore(), Policy: session.Strict})
	must(t, err)
	good := func() edge.Route {
		return edge.Route{Name: "a", Path: "/a", Methods: []string{"GET"}, Backend: "http://127.0.0.1:1", Who: edge.Public}
	}
	with := func(change func(*edge.Route)) []edge.Route {
		r := good()
		change(&r)
		return []edge.Route{r}
	}
	socket := func(change func(*edge.Route)) []edge.Route {
		return with(func(r *edge.Route) {
			r.Who = edge.Session
			r.Socket = &edge.SocketConfig{Profile: connect.ProfilePlain, Mode: connect.ReplaceOlder, AnyOrigin: true}
			change(r)
		})
	}
	other := func(path string) edge.Route { r := good(); r.Name, r.Path = "b", path; return r }
	named := func(path string) edge.Route { r := good(); r.Path = path; return r }
	for name, test := range map[string]struct {
		routes []edge.Route
		want   string
	}{
		"none":                 {nil, "Routes is empty"},
		"no name":              {with(func(r *edge.Route) { r.Name = "" }), "Name"},
		"no methods":           {with(func(r *edge.Route) { r.Methods = nil }), "Methods"},
		"lower case method":    {with(func(r *edge.Route) { r.Methods = []string{"get"} }), "Methods"},
		"CONNECT":              {with(func(r *edge.Route) { r.Methods = []string{"CONNECT"} }), "CONNECT"},
		"nobody decided":       {with(func(r *edge.Route) { r.Who = 0 }), "Who is required"},
		"nobody and somebody":  {with(func(r *edge.Route) { r.Who = edge.Nobody | edge.Public }), "Nobody"},
		"no verifier":          {with(func(r *edge.Route) { r.Who = edge.Identity }), "Config.Identities"},
		"no tickets":           {with(func(r *edge.Route) { r.Who = edge.Ticket }), "Config.Tickets"},
		"ticket without Who":   {with(func(r *edge.Route) { r.Sources.Ticket = "t" }), "Sources.Ticket"},
		"rules for everybody":  {with(func(r *edge.Route) { r.Rules = []connect.Rule{connect.Scope("x")} }), "Rules"},
		"no backend":           {with(func(r *edge.Route) { r.Backend = "" }), "Backend"},
		"a backend's path":     {with(func(r *edge.Route) { r.Backend = "http://a/b" }), "Backend"},
		"an https backend":     {with(func(r *edge.Route) { r.Backend = "https://a" }), "Backend"},
		"credentials":          {with(func(r *edge.Route) { r.Backend = "http://u:p@a" }), "Backend"},
		"no slash":             {with(func(r *edge.Route) { r.Path = "a" }), "Path"},
		"a dot segment":        {with(func(r *edge.Route) { r.Path = "/a/../b" }), "Path"},
		"a star inside":        {with(func(r *edge.Route) { r.Path = "/a*/b" }), "Path"},
		"a percent sign":       {with(func(r *edge.Route) { r.Path = "/a%20b" }), "Path"},
		"half a name":          {with(func(r *edge.Route) { r.Path = "/{a" }), "Path"},
		"the same name":        {[]edge.Route{good(), named("/b")}, "twice"},
		"the same path":        {[]edge.Route{good(), other("/a")}, "both for GET"},
		"the same names":       {[]edge.Route{named("/{a}"), other("/{b}")}, "both for GET"},
		"ambiguous":            {[]edge.Route{named("/a/{b}"), other("/{a}/b")}, "neither is more specific"},
		"ambiguous with below": {[]edge.Route{named("/a/*"), other("/{x}/b")}, "neither is more specific"},
		"a public socket":      {socket(func(r *edge.Route) { r.Who = edge.Public }), "Who"},
		"a socket by POST":     {socket(func(r *edge.Route) { r.Methods = []string{"POST"} }), "Methods"},
		"no origins":           {socket(func(r *edge.Route) { r.Socket.AnyOrigin = false }), "Origins"},
		"a cookie for all": {socket(func(r *edge.Route) {
			r.Sources.Cookie = &connect.CookieConfig{Name: "s", Origins: []string{"https://a"}}
		}), "cookie needs Origins"},
		"no such segment":  {socket(func(r *edge.Route) { r.Socket.Slot = "room" }), "{room}"},
		"no profile":       {socket(func(r *edge.Route) { r.Socket.Profile = "" }), "Profile"},
		"nakama's keys":    {edge.Nakama(edge.NakamaConfig{Backend: "http://127.0.0.1:1"}), "SessionKeys"},
		"nakama's names":   {edge.Nakama(edge.NakamaConfig{Backend: "http://127.0.0.1:1", Username: "any"}), "Username"},
		"nakama's backend": {edge.Nakama(edge.NakamaConfig{}), "Backend"},
	} {
		t.Run(name, func(t *testing.T) {
			config := edge.Config{Routes: test.routes, Realms: []string{realm}}
			if sockets := edge.SocketRoutes(test.routes); len(sockets) > 0 {
				config.Sessions, config.Identities, config.Ledger = noVerifier{}, players{}, ledger
				config.SessionIssuer = connect.NoIssuer
				config.Registry, _ = connect.NewRegistry(connect.RegistryConfig{
					Ledger: ledger, Stale: connect.KeepSockets,
					Routes: map[string]connect.SocketRoute{"a": {Mode: connect.ReplaceOlder, Profile: connect.ProfilePlain}},
				})
			}
			if _, err := edge.New(config); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want one that says %q", err, test.want)
			}
		})
	}
}

// noVerifier stands where a verifier must be and is not asked.
type noVerifier struct{ connect.SessionVerifier }

func TestMostSpecificRouteWins(t *testing.T) {
	b := newBackend(t, nil)
	var routes []edge.Route
	for _, path := range []string{"/*", "/a/*", "/a/{x}", "/a/b", "/a/b/*", "/{y}", "/exact/"} {
		routes = append(routes, public(b, path, "GET"))
	}
	closed := public(b, "/a/b/closed", "GET")
	closed.Who = edge.Nobody
	w := newWorld(t, append(routes, closed), nil)
	for path, want := range map[string]string{
		"/x": "/{y}", "/x.y": "/*", "/x/y": "/*", "/a": "/{y}", "/a/b": "/a/b", "/a/q": "/a/{x}", "/a/q.r": "/a/*",
		"/a/q/d": "/a/*", "/a/b/d": "/a/b/*", "/exact/": "/exact/", "/exact": "/{y}", "/": "", "/a/": "", "/a/b/closed": "/a/b/closed",
	} {
		get(t, w.url(path), nil)
		all := w.seen.list()
		got := strings.TrimPrefix(all[len(all)-1].Route, "route ")
		if got != want {
			t.Errorf("%s goes to %q, want %q", path, got, want)
		}
	}
}

func TestTableSaysWhoMayReachWhat(t *testing.T) {
	rows := edge.Table(edge.Nakama(edge.NakamaConfig{Backend: "http://127.0.0.1:7350"}))
	found := make(map[string]edge.TableRow)
	for _, row := range rows {
		found[row.Path+" "+row.Methods] = row
	}
	for key, who := range map[string]string{
		"/v2/account/authenticate/custom POST": "public", "/v2/account/link/* GET,POST,PUT,DELETE": "nobody",
		"/v2/rpc/* GET,POST": "session", "/ws WS": "session or ticket",
	} {
		if found[key].Who != who {
			t.Errorf("%s is for %q, want %q", key, found[key].Who, who)
		}
	}
	for _, row := range edge.Table(edge.ReferenceOpen(edge.NakamaConfig{Backend: "http://127.0.0.1:7350"})) {
		if row.Path == "/v2/account/authenticate/*" && !strings.Contains(row.Note, "WARNING") {
			t.Errorf("the note is %q", row.Note)
		}
	}
}
