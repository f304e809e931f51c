package edge_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/edge"
)

func get(t *testing.T, url string, change func(*http.Request)) (*http.Response, string) {
	t.Helper()
	return do(t, http.MethodGet, url, nil, change)
}

func do(t *testing.T, method, url string, body io.Reader, change func(*http.Request)) (*http.Response, string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	must(t, err)
	if change != nil {
		change(r)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	must(t, err)
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer, string(data)
}

func TestRelayPassesWhatARouteNames(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Game", "yes")
		w.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprintf(w, "%s %s", r.Method, r.RequestURI)
	})
	w := newWorld(t, []edge.Route{public(b, "/open/*")}, nil)
	answer, body := get(t, w.url("/open/a%20b?x=1&y=%2F"), nil)
	if answer.StatusCode != http.StatusTeapot || body != "GET /open/a%20b?x=1&y=%2F" || answer.Header.Get("X-Game") != "yes" {
		t.Errorf("got %d %q %v", answer.StatusCode, body, answer.Header)
	}
	answer, body = get(t, w.url("/closed"), nil)
	if answer.StatusCode != http.StatusForbidden || !strings.Contains(body, "urn:sallyport:refusal:no_route") {
		t.Errorf("got %d %q", answer.StatusCode, body)
	}
	if b.hits.Load() != 1 {
		t.Errorf("the backend was asked %d times", b.hits.Load())
	}
}

func TestMethodsAreThoseOfThePath(t *testing.T) {
	b := newBackend(t, nil)
	w := newWorld(t, []edge.Route{public(b, "/x", "GET"), {Name: "post", Path: "/x", Methods: []string{"POST"}, Backend: b.URL, Who: edge.Public}, public(b, "/*", "DELETE")}, nil)
	answer, _ := do(t, http.MethodDelete, w.url("/x"), nil, nil)
	if answer.StatusCode != http.StatusMethodNotAllowed || answer.Header.Get("Allow") != "GET, POST" {
		t.Errorf("got %d %v", answer.StatusCode, answer.Header)
	}
}

func TestIdentityHeadersAreTheGatesAlone(t *testing.T) {
	b := newBackend(t, nil)
	player := public(b, "/player", "GET")
	player.Who = edge.Session
	w := newWorld(t, []edge.Route{public(b, "/open", "GET"), player}, nil)
	spoof := func(r *http.Request) {
		for _, name := range connect.IdentityHeaders() {
			r.Header[name] = []string{"spoofed"}
			r.Header[strings.ReplaceAll(name, "-", "_")] = []string{"spoofed"}
			r.Header[strings.ToLower(strings.ReplaceAll(name, "-", "."))] = []string{"spoofed"}
		}
		for _, name := range []string{"X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Anything", "Forwarded", "X-Sallyport-Fence", "X-HTTP-Method-Override", "X-Original-URL", "Connection", "X-Hop", "Proxy-Authorization"} {
			r.Header.Set(name, "spoofed")
		}
		r.Header.Set("Connection", "x-hop")
		r.Header.Set("X-Mine", "kept")
	}
	get(t, w.url("/open"), spoof)
	seen := b.last.Load()
	for name, values := range seen.Header {
		if strings.Contains(strings.Join(values, ","), "spoofed") {
			t.Errorf("%s: %v reached the backend", name, values)
		}
	}
	for _, name := range connect.IdentityHeaders() {
		if values := seen.Header[name]; len(values) != 1 || values[0] != "" {
			t.Errorf("%s is %q, want it once and empty", name, values)
		}
	}
	if seen.Header.Get("X-Mine") != "kept" || seen.Header.Get("X-Real-Ip") != "127.0.0.1" || seen.Header.Get("X-Forwarded-For") != "127.0.0.1" {
		t.Errorf("headers %v", seen.Header)
	}
	if want := fmt.Sprintf(`for=127.0.0.1;host="%s";proto=http`, w.address); seen.Header.Get("Forwarded") != want {
		t.Errorf("Forwarded is %q, want %q", seen.Header.Get("Forwarded"), want)
	}

	get(t, w.url("/player"), func(r *http.Request) {
		spoof(r)
		r.Header.Set("Authorization", "Bearer "+sessionToken(t, "ada"))
	})
	seen = b.last.Load()
	if seen.Header.Get("X-Auth-User") != uuidOf("ada") || seen.Header.Get("X-Auth-Session") != uuidOf("s-ada") || seen.Header.Get("X-Auth-Realm") != realm {
		t.Errorf("headers %v", seen.Header)
	}
	if seen.Header.Get("Authorization") != "" {
		t.Error("the token went on to a backend that needs none")
	}
}

func TestClientAddressByTheTrustRule(t *testing.T) {
	b := newBackend(t, nil)
	tests := []struct {
		name, trusted, forwarded, proto string
		want, wantProto                 string
	}{
		{"nobody is trusted", "", "9.9.9.9", "https", "127.0.0.1", "http"},
		{"the balancer is", "127.0.0.0/8", "9.9.9.9", "https", "9.9.9.9", "https"},
		{"the last that is not trusted", "127.0.0.0/8", "6.6.6.6, 9.9.9.9, 127.0.0.7", "https", "9.9.9.9", "https"},
		{"what is no address ends the chain", "127.0.0.0/8", "9.9.9.9, unknown, 127.0.0.7", "http", "127.0.0.7", "http"},
		{"all are trusted", "0.0.0.0/0", "9.9.9.9, 8.8.8.8", "ftp", "9.9.9.9", "http"},
		{"with a port", "127.0.0.0/8", "9.9.9.9:1234", "http", "9.9.9.9", "http"},
		{"version 6", "127.0.0.0/8", "2001:db8::1", "https", "2001:db8::1", "https"},
		{"a mapped address", "127.0.0.0/8", "::ffff:9.9.9.9", "https", "9.9.9.9", "https"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, []edge.Route{public(b, "/x", "GET")}, func(c *edge.Config) {
				if test.trusted != "" {
					c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(test.trusted)}
				}
			})
			get(t, w.url("/x"), func(r *http.Request) {
				r.Header.Set("X-Forwarded-For", test.forwarded)
				r.Header.Set("X-Forwarded-Proto", test.proto)
			})
			seen := b.last.Load().Header
			if seen.Get("X-Forwarded-For") != test.want || seen.Get("X-Real-Ip") != test.want || seen.Get("X-Forwarded-Proto") != test.wantProto {
				t.Errorf("the backend was told %q %q %q", seen.Get("X-Forwarded-For"), seen.Get("X-Real-Ip"), seen.Get("X-Forwarded-Proto"))
			}
		})
	}
}

func TestOriginSecret(t *testing.T) {
	b := newBackend(t, nil)
	old, present := strings.Repeat("0123abcd", 4), strings.Repeat("fedc9876", 4)
	w := newWorld(t, []edge.Route{public(b, "/x", "GET")}, func(c *edge.Config) {
		c.OriginSecret = edge.OriginSecret{Header: "X-Front", Values: []string{old, present}}
	})
	tests := map[string]struct {
		headers []string
		want    int
	}{
		"none": {nil, 403}, "wrong": {[]string{old + "x"}, 403}, "empty": {[]string{""}, 403}, "old": {[]string{old}, 200},
		"present": {[]string{present}, 200}, "twice": {[]string{old, old}, 403}, "joined": {[]string{old + "," + old}, 403},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			answer, _ := get(t, w.url("/x"), func(r *http.Request) { r.Header["X-Front"] = test.headers })
			if answer.StatusCode != test.want {
				t.Errorf("got %d, want %d", answer.StatusCode, test.want)
			}
		})
	}
	if got := b.last.Load().Header["X-Front"]; got != nil {
		t.Errorf("the secret went on to the backend: %q", got)
	}
	if b.hits.Load() != 2 {
		t.Errorf("the backend was asked %d times", b.hits.Load())
	}
}

func TestOriginSecretsThatCanBeGuessedAreRefused(t *testing.T) {
	b := newBackend(t, nil)
	for _, value := range []string{"", "short", strings.Repeat("a", 40), "changeme-changeme-changeme-changeme-1234"} {
		_, err := edge.New(edge.Config{Routes: []edge.Route{public(b, "/x")}, OriginSecret: edge.OriginSecret{Values: []string{value}}})
		if err == nil || !strings.Contains(err.Error(), "OriginSecret.Values[0]") || value != "" && strings.Contains(err.Error(), value) {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func TestBodiesPass(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		n, _ := io.Copy(sum, r.Body)
		_, _ = fmt.Fprintf(w, "%d %d %x %s", r.ContentLength, n, sum.Sum(nil), r.Trailer.Get("X-Sum"))
	})
	route := public(b, "/x", "POST")
	route.MaxBody = 4 << 20
	w := newWorld(t, []edge.Route{route}, nil)
	for _, size := range []int{0, 1, 16 << 10, 16<<10 + 1, 3 << 20} {
		data := bytes.Repeat([]byte("abcdefg\n"), size/8+1)[:size]
		want := fmt.Sprintf("%d %d %x ", size, size, sha256.Sum256(data))
		if _, got := do(t, "POST", w.url("/x"), bytes.NewReader(data), nil); got != want {
			t.Errorf("%d bytes with a length: got %q, want %q", size, got, want)
		}
		if size == 0 {
			continue
		}
		want = fmt.Sprintf("%d %d %x ", map[bool]int{true: size, false: -1}[size < 16<<10], size, sha256.Sum256(data))
		if _, got := do(t, "POST", w.url("/x"), struct{ io.Reader }{bytes.NewReader(data)}, nil); got != want {
			t.Errorf("%d bytes in chunks: got %q, want %q", size, got, want)
		}
		want = fmt.Sprintf("-1 %d %x sum", size, sha256.Sum256(data))
		_, got := do(t, "POST", w.url("/x"), struct{ io.Reader }{bytes.NewReader(data)}, func(r *http.Request) {
			r.Trailer = http.Header{"X-Sum": {"sum"}}
		})
		if got != want {
			t.Errorf("%d bytes in chunks with a trailer: got %q, want %q", size, got, want)
		}
	}
}

func TestLargeBodiesAreRefused(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	small := public(b, "/small", "POST")
	small.MaxBody = 10
	none := public(b, "/none", "POST")
	none.MaxBody = -1
	w := newWorld(t, []edge.Route{small, none}, nil)
	for path, size := range map[string]int{"/small": 11, "/none": 1} {
		before := b.hits.Load()
		answer, _ := do(t, "POST", w.url(path), strings.NewReader(strings.Repeat("x", size)), nil)
		if answer.StatusCode != http.StatusRequestEntityTooLarge || b.hits.Load() != before {
			t.Errorf("%s: got %d, and the backend was asked %d times", path, answer.StatusCode, b.hits.Load()-before)
		}
		answer, _ = do(t, "POST", w.url(path), struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 64<<10))}, nil)
		if answer.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s in chunks: got %d", path, answer.StatusCode)
		}
	}
}

func TestStreamsAreSentOnAsTheyCome(t *testing.T) {
	next := make(chan struct{}, 3)
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
		}
		w.Header().Set(http.TrailerPrefix+"X-After", "all")
	})
	w := newWorld(t, []edge.Route{public(b, "/x", "GET")}, nil)
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, "GET", w.url("/x"), nil)
	must(t, err)
	answer, err := http.DefaultTransport.RoundTrip(r)
	must(t, err)
	defer func() { _ = answer.Body.Close() }()
	buffer := make([]byte, 100)
	for i := range 3 {
		n, err := answer.Body.Read(buffer)
		if want := fmt.Sprintf("data: %d\n\n", i); err != nil || string(buffer[:n]) != want {
			t.Fatalf("got %q %v, want %q", buffer[:n], err, want)
		}
		next <- struct{}{}
	}
	if _, err := answer.Body.Read(buffer); err != io.EOF || answer.Trailer.Get("X-After") != "all" {
		t.Errorf("at the end %v, trailer %v", err, answer.Trailer)
	}
}

func TestExpectContinueIsTheBackendsToAnswer(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Deny") != "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprint(w, n)
	})
	w := newWorld(t, []edge.Route{public(b, "/x", "POST")}, nil)
	transport := &http.Transport{ExpectContinueTimeout: patience}
	defer transport.CloseIdleConnections()
	post := func(deny string) (status int, body string, continued bool) {
		trace := &httptrace.ClientTrace{Got100Continue: func() { continued = true }}
		ctx, stop := context.WithTimeout(httptrace.WithClientTrace(t.Context(), trace), patience)
		defer stop()
		r, err := http.NewRequestWithContext(ctx, "POST", w.url("/x"), strings.NewReader(strings.Repeat("x", 1000)))
		must(t, err)
		r.Header.Set("Expect", "100-continue")
		if deny != "" {
			r.Header.Set("X-Deny", deny)
		}
		answer, err := transport.RoundTrip(r)
		must(t, err)
		defer func() { _ = answer.Body.Close() }()
		data, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, string(data), continued
	}
	if status, body, continued := post(""); status != 200 || body != "1000" || !continued {
		t.Errorf("got %d %q, continued %t", status, body, continued)
	}
	if status, body, continued := post("yes"); status != 403 || continued {
		t.Errorf("got %d %q, continued %t", status, body, continued)
	}
}

func TestEarlyHintsPass(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, "done")
	})
	w := newWorld(t, []edge.Route{public(b, "/x", "GET")}, nil)
	var hint string
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		hint = fmt.Sprint(code, " ", h.Get("Link"))
		return nil
	}}
	_, body := get(t, w.url("/x"), func(r *http.Request) { *r = *r.WithContext(httptrace.WithClientTrace(r.Context(), trace)) })
	if body != "done" || hint != "103 </a.css>; rel=preload" {
		t.Errorf("got %q after %q", body, hint)
	}
}

func TestHeadAndBodilessAnswers(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("s") {
		case "204":
			w.WriteHeader(http.StatusNoContent)
		case "304":
			w.Header().Set("Etag", `"x"`)
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("Content-Length", "5")
			if r.Method != http.MethodHead {
				_, _ = io.WriteString(w, "12345")
			}
		}
	})
	w := newWorld(t, []edge.Route{public(b, "/x")}, nil)
	for range 3 {
		if answer, body := do(t, http.MethodHead, w.url("/x"), nil, nil); answer.ContentLength != 5 || body != "" {
			t.Errorf("HEAD: length %d, body %q", answer.ContentLength, body)
		}
		if answer, _ := get(t, w.url("/x?s=204"), nil); answer.StatusCode != 204 || answer.Header["Content-Length"] != nil {
			t.Errorf("got %d %v", answer.StatusCode, answer.Header)
		}
		if answer, _ := get(t, w.url("/x?s=304"), nil); answer.StatusCode != 304 || answer.Header.Get("Etag") != `"x"` {
			t.Errorf("got %d %v", answer.StatusCode, answer.Header)
		}
		if _, body := get(t, w.url("/x"), nil); body != "12345" {
			t.Errorf("got %q", body)
		}
	}
	if state := w.gate.State(); state.IdleConns != 1 {
		t.Errorf("%d idle connections to the backend, want the one that all went over", state.IdleConns)
	}
}

func TestBackendThatIsDownSlowOrBroken(t *testing.T) {
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, dead.Close())
	release := make(chan struct{})
	slow := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	down := edge.Route{Name: "down", Path: "/down", Methods: []string{"GET"}, Who: edge.Public, Backend: "http://" + dead.Addr().String()}
	late := public(slow, "/late", "GET")
	late.Timeout = 50 * time.Millisecond
	routes := []edge.Route{down, late}
	want := map[string]int{"/down": 502, "/late": 504}
	for name, text := range brokenAnswers {
		routes = append(routes, edge.Route{Name: name, Path: "/" + name, Methods: []string{"GET"}, Who: edge.Public, Backend: serveText(t, text)})
		want["/"+name] = 502
	}
	w := newWorld(t, routes, nil)
	for path, status := range want {
		answer, body := get(t, w.url(path), nil)
		if answer.StatusCode != status || !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/problem+json") {
			t.Errorf("%s: got %d %q, want %d", path, answer.StatusCode, body, status)
		}
		if strings.Contains(body, "127.0.0.1") {
			t.Errorf("%s: the answer tells an address: %s", path, body)
		}
	}
}

// brokenAnswers are what a backend must not say.
var brokenAnswers = map[string]string{
	"nothing":         "",
	"not-http":        "SSH-2.0-OpenSSH\r\n\r\n",
	"half-a-head":     "HTTP/1.1 200 OK\r\nContent-Len",
	"two-lengths":     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
	"length-chunks":   "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"other-coding":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	"bare-line-feed":  "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
	"folded":          "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
	"control":         "HTTP/1.1 200 OK\r\nX-A: b\x00c\r\nContent-Length: 0\r\n\r\n",
	"space-in-name":   "HTTP/1.1 200 OK\r\nX-A : b\r\nContent-Length: 0\r\n\r\n",
	"switched":        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
	"negative-length": "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
	"endless-interim": strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 100),
	"huge-head":       "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 100<<10) + "\r\n\r\n",
}

// serveText is a backend that answers every connection with a text and closes it.
func serveText(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				_ = c.SetDeadline(time.Now().Add(patience))
				_, _ = c.Read(make([]byte, 4096))
				_, _ = io.WriteString(c, text)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestAnswerThatBreaksOffIsNotMadeWhole(t *testing.T) {
	for name, text := range map[string]string{
		"length": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
		"chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
		"chunk":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			route := edge.Route{Name: "x", Path: "/x", Methods: []string{"GET"}, Who: edge.Public, Backend: serveText(t, text)}
			w := newWorld(t, []edge.Route{route}, nil)
			answer, err := http.Get(w.url("/x"))
			if err != nil {
				return // not even the head came
			}
			defer func() { _ = answer.Body.Close() }()
			if data, err := io.ReadAll(answer.Body); err == nil {
				t.Errorf("%q was taken for a whole answer", data)
			}
		})
	}
}

func TestClientThatLeavesEndsTheBackendsWork(t *testing.T) {
	gone, entered := make(chan struct{}), make(chan struct{})
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
		close(gone)
	})
	w := newWorld(t, []edge.Route{public(b, "/x", "GET")}, nil)
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", w.url("/x"), nil)
	must(t, err)
	go func() {
		<-entered
		leave()
	}()
	if _, err = http.DefaultTransport.RoundTrip(r); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	select {
	case <-gone:
	case <-time.After(patience):
		t.Error("the backend still works for a client that is gone")
	}
}

func TestStaleConnectionsAreNotUsed(t *testing.T) {
	b := newBackend(t, nil)
	w := newWorld(t, []edge.Route{public(b, "/x")}, nil)
	for range 5 {
		if answer, _ := do(t, "POST", w.url("/x"), strings.NewReader("not to be sent twice"), nil); answer.StatusCode != 200 {
			t.Fatalf("got %d", answer.StatusCode)
		}
		b.CloseClientConnections()
	}
	if b.hits.Load() != 5 {
		t.Errorf("the backend was asked %d times", b.hits.Load())
	}
}

func TestHTTP2InFront(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %s %q", r.Proto, r.Header.Get("X-Forwarded-Proto"), data)
	})
	w := newWorld(t, []edge.Route{public(b, "/x", "POST"), func() edge.Route {
		r := edge.Plain(edge.PlainConfig{Backend: b.URL, Path: "/ws"})[0]
		return r
	}()}, nil)
	server := w.gate.Server()
	certificate := selfSigned(t)
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go func() { _ = server.ServeTLS(l) }()
	t.Cleanup(func() { _ = server.Close() })
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	for range 2 {
		r, err := http.NewRequest("POST", "https://"+l.Addr().String()+"/x", strings.NewReader("body"))
		must(t, err)
		answer, err := transport.RoundTrip(r)
		must(t, err)
		data, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.Proto != "HTTP/2.0" || string(data) != `HTTP/1.1 https "body"` {
			t.Errorf("got %s %q", answer.Proto, data)
		}
	}
	r, err := http.NewRequest("GET", "https://"+l.Addr().String()+"/ws", nil)
	must(t, err)
	answer, err := transport.RoundTrip(r)
	must(t, err)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("a socket route over HTTP/2 answers %d, want 426", answer.StatusCode)
	}
}

func TestHalfARequestIsNotMadeWhole(t *testing.T) {
	whole := make(chan string, 10)
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if data, err := io.ReadAll(r.Body); err == nil {
			whole <- string(data)
		}
	})
	w := newWorld(t, []edge.Route{public(b, "/x", "POST")}, nil)
	for name, text := range map[string]string{
		"chunk":            "Transfer-Encoding: chunked\r\n\r\n5\r\nab",
		"chunks":           "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
		"length":           "Content-Length: 10\r\n\r\nabc",
		"large chunk":      "Transfer-Encoding: chunked\r\n\r\nffff\r\n" + strings.Repeat("x", 30000),
		"large length":     "Content-Length: 100000\r\n\r\n" + strings.Repeat("x", 30000),
		"nothing of it":    "Content-Length: 10\r\n\r\n",
		"a trailer's half": "Trailer: X-A\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-A: b",
	} {
		conn, err := net.Dial("tcp", w.address)
		must(t, err)
		_ = conn.SetDeadline(time.Now().Add(patience))
		_, err = io.WriteString(conn, "POST /x HTTP/1.1\r\nHost: gate\r\n"+text)
		must(t, err)
		must(t, conn.(*net.TCPConn).CloseWrite())
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
		select {
		case got := <-whole:
			t.Errorf("%s: the backend took %.20q for the whole body", name, got)
		default:
		}
	}
}
