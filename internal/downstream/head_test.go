package downstream_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

var sizes = []int{1, 2, 3, 7, 1 << 20}

func TestRequestsThatAreServed(t *testing.T) {
	for text, want := range map[string]string{
		"GET /x HTTP/1.1\r\nHost: gate\r\n\r\n":                                                                                     `GET /x path "/x" query "" host "gate" length 0 map[] body "" <nil> trailer map[]`,
		"OPTIONS * HTTP/1.1\r\nHost: gate:80\r\n\r\n":                                                                               `OPTIONS * path "*" query "" host "gate:80" length 0 map[] body "" <nil> trailer map[]`,
		"get /x HTTP/1.1\r\nhost:gate\r\n\r\n":                                                                                      `get /x path "/x" query "" host "gate" length 0 map[] body "" <nil> trailer map[]`,
		"M-SEARCH /a/b?c=d&e HTTP/1.1\r\nHOST: \tgate \r\n\r\n":                                                                     `M-SEARCH /a/b?c=d&e path "/a/b" query "c=d&e" host "gate" length 0 map[] body "" <nil> trailer map[]`,
		"GET /? HTTP/1.1\r\nHost:\r\n\r\n":                                                                                          `GET /? path "/" query "" host "" length 0 map[] body "" <nil> trailer map[]`,
		"GET /a%2fb?c%zz HTTP/1.1\r\nHost: gate\r\n\r\n":                                                                            `GET /a%2fb?c%zz path "/a/b" query "c%zz" host "gate" length 0 map[] body "" <nil> trailer map[]`,
		"GET //a/../b HTTP/1.1\r\nHost: gate\r\n\r\n":                                                                               `GET //a/../b path "//a/../b" query "" host "gate" length 0 map[] body "" <nil> trailer map[]`,
		"GET /a#b HTTP/1.1\r\nHost: gate\r\n\r\n":                                                                                   `GET /a#b path "/a#b" query "" host "gate" length 0 map[] body "" <nil> trailer map[]`,
		"GET http://other/a HTTP/1.1\r\nHost: gate\r\n\r\n":                                                                         `GET http://other/a path "/a" query "" host "other" length 0 map[] body "" <nil> trailer map[]`,
		"CONNECT other:443 HTTP/1.1\r\nHost: gate\r\n\r\n":                                                                          `CONNECT other:443 path "" query "" host "other:443" length 0 map[] body "" <nil> trailer map[]`,
		"GET /x HTTP/1.0\r\n\r\n":                                                                                                   `GET /x path "/x" query "" host "" length 0 map[] body "" <nil> trailer map[]`,
		"GET /x HTTP/1.0\r\nHost: gate\r\nConnection: keep-alive\r\n\r\n":                                                           `GET /x path "/x" query "" host "gate" length 0 map[Connection:[keep-alive]] body "" <nil> trailer map[]`,
		"GET /x HTTP/1.1\r\nHost: gate\r\nA-b: 1\r\na-B:2\r\nC:\r\nA-B: 3\r\n\r\n":                                                  `GET /x path "/x" query "" host "gate" length 0 map[A-B:[1 2 3] C:[]] body "" <nil> trailer map[]`,
		"GET /x HTTP/1.1\r\nHost: gate\r\nA: \tb \x80c\t\r\n\r\n":                                                                   "GET /x path \"/x\" query \"\" host \"gate\" length 0 map[A:[b \x80c]] body \"\" <nil> trailer map[]",
		"GET /x HTTP/1.1\r\nHost: gate\r\nTrailer: A\r\n\r\n":                                                                       `GET /x path "/x" query "" host "gate" length 0 map[] body "" <nil> trailer map[]`,
		"GET /x HTTP/1.1\r\nHost: gate\r\nContent-Length: 0\r\n\r\n":                                                                `GET /x path "/x" query "" host "gate" length 0 map[Content-Length:[0]] body "" <nil> trailer map[]`,
		"PUT /x HTTP/1.1\r\nHost: gate\r\nContent-Length: 6\r\n\r\n\n\r\na\x00":                                                     `PUT /x path "/x" query "" host "gate" length 6 map[Content-Length:[6]] body "\n\r\na\x00" unexpected EOF trailer map[]`,
		"PUT /x HTTP/1.1\r\nHost: gate\r\nContent-Length: 5\r\n\r\n\n\r\na\x00":                                                     `PUT /x path "/x" query "" host "gate" length 5 map[Content-Length:[5]] body "\n\r\na\x00" <nil> trailer map[]`,
		"PUT /x HTTP/1.1\r\nHost: gate\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\n\n a\r\n0a\r\n0123456789\r\n0\r\nX: y\r\n\r\n": `PUT /x path "/x" query "" host "gate" length -1 map[] body "\n a0123456789" <nil> trailer map[]`,
		"PUT /x HTTP/1.1\r\nHost: gate\r\nTransfer-Encoding: chunked\r\nTrailer: a-b, C,, d\r\n\r\n0\r\nA-B: 1\r\nx: y\r\na-b: 2\r\nC: \r\n\r\n": `PUT /x path "/x" query "" host "gate" length -1 map[] body "" <nil> trailer map[A-B:[1 2] C:[] D:[]]`,
		"PUT /x HTTP/1.1\r\nHost: gate\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n":                                                               `PUT /x path "/x" query "" host "gate" length -1 map[] body "" http1: malformed message: a chunk is not one trailer map[]`,
	} {
		for _, size := range sizes {
			out, _ := play(describe, text, size)
			answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(out)), nil)
			must(t, err)
			if got, err := io.ReadAll(answer.Body); err != nil || string(got) != want {
				t.Errorf("%q by %d:\n got %d %q %v,\nwant %q", text, size, answer.StatusCode, got, err, want)
			}
		}
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	const get, post = "GET /x HTTP/1.1\r\nHost: gate\r\n", "POST /x HTTP/1.1\r\nHost: gate\r\n"
	for name, test := range map[string]struct {
		status int
		text   string
	}{
		"nothing but lines":     {400, "\r\n\r\n"},
		"an empty line before":  {400, "\r\n" + hello},
		"no target":             {400, "GET HTTP/1.1\r\nHost: gate\r\n\r\n"},
		"an empty target":       {400, "GET  HTTP/1.1\r\nHost: gate\r\n\r\n"},
		"no version":            {400, "GET /x\r\nHost: gate\r\n\r\n"},
		"another protocol":      {400, "GET /x FTP/1.1\r\nHost: gate\r\n\r\n"},
		"a small version":       {400, "GET /x http/1.1\r\nHost: gate\r\n\r\n"},
		"two spaces":            {400, "GET /x  HTTP/1.1\r\nHost: gate\r\n\r\n"},
		"a tab":                 {400, "GET\t/x HTTP/1.1\r\nHost: gate\r\n\r\n"},
		"a space before":        {400, " GET /x HTTP/1.1\r\nHost: gate\r\n\r\n"},
		"a space in the target": {400, "GET /x y HTTP/1.1\r\nHost: gate\r\n\r\n"},
		"more in the line":      {505, "GET /x HTTP/1.1 x\r\nHost: gate\r\n\r\n"},
		"a space behind":        {505, "GET /x HTTP/1.1 \r\nHost: gate\r\n\r\n"},
		"no token":              {400, "G(T /x HTTP/1.1\r\nHost: gate\r\n\r\n"},
		"no path":               {400, "GET x HTTP/1.1\r\nHost: gate\r\n\r\n"},
		"no encoding":           {400, "GET /%zz HTTP/1.1\r\nHost: gate\r\n\r\n"},
		"a control":             {400, "GET /\x01 HTTP/1.1\r\nHost: gate\r\n\r\n"},
		"delete":                {400, "GET /\x7f HTTP/1.1\r\nHost: gate\r\n\r\n"},
		"a return in the line":  {400, "GET /x\r HTTP/1.1\r\nHost: gate\r\n\r\n"},
		"HTTP/2.0":              {505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
		"HTTP/1.2":              {505, "GET /x HTTP/1.2\r\nHost: gate\r\n\r\n"},
		"HTTP/1.10":             {505, "GET /x HTTP/1.10\r\nHost: gate\r\n\r\n"},
		"HTTP/0.9":              {505, "GET /x HTTP/0.9\r\nHost: gate\r\n\r\n"},
		"no host":               {400, "GET /x HTTP/1.1\r\nX: y\r\n\r\n"},
		"no fields":             {400, "GET /x HTTP/1.1\r\n\r\n"},
		"two hosts":             {400, get + "Host: gate\r\n\r\n"},
		"two hosts in HTTP/1.0": {400, "GET /x HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"},
		"two lengths":           {400, post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"},
		"a list of lengths":     {400, post + "Content-Length: 1, 1\r\n\r\na"},
		"a signed length":       {400, post + "Content-Length: +1\r\n\r\na"},
		"length and chunks":     {400, post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		"another coding":        {400, post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
		"two codings":           {400, post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		"a coding like it":      {400, post + "Transfer-Encoding: chun\u212aed\r\n\r\n0\r\n\r\n"},
		"chunks in HTTP/1.0":    {400, "POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		"folded":                {400, get + "X: a\r\n b\r\n\r\n"},
		"folded host":           {400, "GET /x HTTP/1.1\r\nHost:\r\n gate\r\n\r\n"},
		"folded at first":       {400, "GET /x HTTP/1.1\r\n X: y\r\nHost: gate\r\n\r\n"},
		"space before a colon":  {400, get + "X : y\r\n\r\n"},
		"no colon":              {400, get + "X\r\n\r\n"},
		"bare line feed":        {400, get + "X: a\nY: b\r\n\r\n"},
		"first bare line feed":  {400, "GET /x HTTP/1.1\nHost: gate\r\n\r\n"},
		"bare return":           {400, get + "X: a\rb\r\n\r\n"},
		"zero byte":             {400, get + "X: a\x00\r\n\r\n"},
		"trailer of a length":   {400, post + "Transfer-Encoding: chunked\r\nTrailer: X, content-length\r\n\r\n0\r\n\r\n"},
		"trailer of a trailer":  {400, post + "Transfer-Encoding: chunked\r\nTrailer: Trailer\r\n\r\n0\r\n\r\n"},
		"trailer of a coding":   {400, post + "Transfer-Encoding: chunked\r\nTrailer: Transfer-Encoding\r\n\r\n0\r\n\r\n"},
		"an expectation":        {417, get + "Expect: 200-ok\r\n\r\n"},
		"no expectation":        {417, get + "Expect:\r\n\r\n"},
		"two expectations":      {417, get + "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n"},
		"one in HTTP/1.0":       {417, "GET /x HTTP/1.0\r\nExpect: 200-ok\r\n\r\n"},
		"large":                 {431, get + "X: " + strings.Repeat("a", 9<<10) + "\r\n\r\n"},
		"large without end":     {431, get + "X: " + strings.Repeat("a", 9<<10)},
		"large line":            {431, "GET /" + strings.Repeat("a", 9<<10)},
		"many fields":           {431, get + strings.Repeat("X: y\r\n", 2000) + "\r\n"},
	} {
		for _, size := range sizes {
			out, _ := play(func(http.ResponseWriter, *http.Request) { t.Errorf("%s was served", name) }, test.text+hello, size)
			if got, want := statuses(t, out), fmt.Sprint(test.status, " close"); got != want {
				t.Errorf("%s by %d: got %s, want %s", name, size, got, want)
			}
			if strings.Contains(out, "gate") || strings.Contains(out, "/x") {
				t.Errorf("%s: the answer tells of the request: %q", name, out)
			}
		}
	}
}

func TestHeadsHaveALimit(t *testing.T) {
	const begin, end = "GET /x HTTP/1.1\r\nHost: gate\r\nX: ", "\r\n\r\n"
	for over, want := range []string{"200", "431 close"} {
		text := begin + strings.Repeat("a", 8<<10-len(begin+end)+over) + end
		for _, size := range []int{1, 4 << 10, 1 << 20} {
			out, _ := play(describe, text, size)
			if got := statuses(t, out); got != want {
				t.Errorf("a head of %d bytes by %d: %s, want %s", len(text), size, got, want)
			}
		}
	}
}

// TestRequestsFollowEachOther sends several on one connection, up to one that cannot be read.
func TestRequestsFollowEachOther(t *testing.T) {
	const post = "POST /x HTTP/1.1\r\nHost: gate\r\n"
	chunks := post + "Transfer-Encoding: chunked\r\n\r\n3\r\n\n a\r\nA;x=y\r\n0123456789\r\n0\r\nX: y\r\n\r\n"
	for name, test := range map[string]struct{ text, want string }{
		"two requests":           {hello + hello, "200 200"},
		"bodies":                 {post + "Content-Length: 5\r\n\r\n\n\n a\x00" + hello + chunks + chunks + hello, "200 200 200 200 200"},
		"a large head between":   {hello + "GET /x HTTP/1.1\r\nHost: gate\r\nX: " + strings.Repeat("a", 6<<10) + "\r\n\r\n" + hello, "200 200 200"},
		"a large body between":   {post + "Content-Length: 9000\r\n\r\n" + strings.Repeat("\r\n\r\n", 2250) + hello, "200 200"},
		"one that closes":        {hello + "GET /x HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n" + hello, "200 200 close"},
		"HTTP/1.0":               {hello + "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + hello, "200 200 close"},
		"bare feed later":        {hello + "GET /x HTTP/1.1\nHost: gate\r\n\r\n" + hello, "200 400 close"},
		"bare feed after a body": {post + "Content-Length: 1\r\n\r\na" + "GET /x HTTP/1.1\n\r\n\r\n" + hello, "200 400 close"},
		"folded later":           {chunks + "GET /x HTTP/1.1\r\nX: a\r\n b\r\n\r\n" + hello, "200 400 close"},
		"two framings later":     {hello + post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na" + hello, "200 400 close"},
		"a malformed chunk":      {hello + post + "Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n" + hello, "200 200 close"},
		"half a head":            {hello + "GET /x HTTP/1.1\r\nX: a\rb", "200"},
		"half a body":            {hello + post + "Content-Length: 9\r\n\r\na", "200 200 close"},
		"an empty line between":  {hello + "\r\n" + hello, "200 400 close"},
	} {
		for _, size := range sizes {
			out, _ := play(describe, test.text, size)
			if got := statuses(t, out); got != test.want {
				t.Errorf("%s by %d: got %s, want %s", name, size, got, test.want)
			}
		}
	}
}

// TestNothingStaysOfTheRequestBefore serves a request with everything, then one with nothing, on one connection.
func TestNothingStaysOfTheRequestBefore(t *testing.T) {
	address := start(t, func(w http.ResponseWriter, r *http.Request) {
		if len(w.Header()) != 0 {
			t.Errorf("%s: the header of the answer has %v", r.RequestURI, w.Header())
		}
		if r.RequestURI == "/first?q" {
			w.Header().Set("X-First", "1")
			w.Header().Set("Cache-Control", "no-store")
			defer w.Header().Set(http.TrailerPrefix+"X-Trailer", "1")
			defer func() { _ = http.NewResponseController(w).Flush() }()
		}
		describe(w, r)
	})
	c := dial(t, address)
	first := "POST /first?q HTTP/1.1\r\nHost: first\r\nA: 1\r\nB: 2\r\nB: 3\r\nTrailer: T\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nT: t\r\n\r\n"
	for range 3 {
		c.send(first)
		if answer := c.head("POST"); answer.StatusCode != http.StatusContinue {
			t.Errorf("got %d", answer.StatusCode)
		}
		answer, body := c.answer("POST")
		want := `POST /first?q path "/first" query "q" host "first" length -1 map[A:[1] B:[2 3] Expect:[100-continue]] body "body" <nil> trailer map[T:[t]]`
		if body != want || answer.Header.Get("X-First") != "1" || answer.Trailer.Get("X-Trailer") != "1" {
			t.Errorf("got %q %v %v, want %q", body, answer.Header, answer.Trailer, want)
		}
		c.wants("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: t\r\n\r\n", `POST / path "/" query "" host "a" length -1 map[] body "" <nil> trailer map[]`)
		c.send("GET / HTTP/1.1\r\nHost: second\r\n\r\n")
		answer, body = c.answer("GET")
		want = `GET / path "/" query "" host "second" length 0 map[] body "" <nil> trailer map[]`
		if body != want || len(answer.Header) != 2 || answer.Header["Date"] == nil || answer.Header["Content-Length"] == nil || len(answer.Trailer) != 0 {
			t.Errorf("got %q %v %v, want %q", body, answer.Header, answer.Trailer, want)
		}
	}
}

// TestManyFieldsAreNotKept: what a head of very many fields needs is not kept for as long as its connection is idle.
func TestManyFieldsAreNotKept(t *testing.T) {
	address := start(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	var fields, names strings.Builder
	for i := range 1100 {
		_, _ = fmt.Fprintf(&fields, "%x:\r\n", i)
		_, _ = fmt.Fprintf(&names, ",%x", i)
	}
	for name, request := range map[string]string{
		"fields":   "GET / HTTP/1.1\r\nHost: a\r\n" + fields.String() + "\r\n",
		"the same": "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("a:\r\n", 2000) + "\r\n",
		"trailers": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: " + names.String() + "\r\n\r\n0\r\n" + fields.String() + "\r\n",
	} {
		const conns = 50
		before := heap()
		for range conns {
			c := dial(t, address)
			c.send(request)
			if answer, _ := c.answer("GET"); answer.StatusCode != http.StatusOK {
				t.Fatalf("%s: got %d", name, answer.StatusCode)
			}
		}
		if size := (heap() - before) / conns; size > 48<<10 {
			t.Errorf("%s: an idle connection keeps %d bytes", name, size)
		}
	}
}

// heap is how many bytes live.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
