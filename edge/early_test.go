package edge_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/edge"
)

// wire is a plain connection to the gate, on which a test writes HTTP by itself.
type wire struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

func (w *world) wire(t *testing.T) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", w.address)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	return &wire{conn, t, bufio.NewReader(conn)}
}

func (c *wire) send(text string) {
	c.t.Helper()
	_, err := io.WriteString(c, text)
	must(c.t, err)
}

// answer reads the head of an answer; its body can be read from it.
func (c *wire) answer() *http.Response {
	c.t.Helper()
	answer, err := http.ReadResponse(c.in, &http.Request{Method: http.MethodPost})
	must(c.t, err)
	return answer
}

// ends says whether the gate ends the connection without another answer.
func (c *wire) ends() bool {
	rest, err := io.ReadAll(c.in)
	timeout, ok := err.(net.Error)
	return len(rest) == 0 && !(ok && timeout.Timeout())
}

// streamed is a body that is longer than what the gate reads before it asks the backend.
var streamed = strings.Repeat("x", 20_000)

func chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

func TestBackendsMayThinkLongerThanABodyTakes(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		time.Sleep(600 * time.Millisecond) // what is tested is this very wait, against the 200 ms below
		_, _ = fmt.Fprint(w, n)
	})
	route := public(b, "/x", "POST")
	route.BodyTimeout = 200 * time.Millisecond
	w := newWorld(t, []edge.Route{route}, nil)
	for _, size := range []int{10, 20_000} {
		if answer, body := do(t, "POST", w.url("/x"), strings.NewReader(strings.Repeat("x", size)), nil); body != fmt.Sprint(size) {
			t.Errorf("%d bytes: got %d %q", size, answer.StatusCode, body)
		}
	}
}

func TestBodiesGoOnAfterTheAnswerBegan(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		w.WriteHeader(http.StatusOK)
		_ = control.Flush()
		sum := sha256.New()
		n, err := io.Copy(sum, r.Body)
		_, _ = fmt.Fprintf(w, "%d %x %v", n, sum.Sum(nil), err)
	})
	w := newWorld(t, []edge.Route{public(b, "/x", "POST")}, nil)
	c := w.wire(t)
	c.send("POST /x HTTP/1.1\r\nHost: gate\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(streamed))
	answer := c.answer()
	more := strings.Repeat("0123456789abcdef", 1000)
	for range 10 {
		c.send(chunk(more))
	}
	c.send("0\r\n\r\n")
	data, err := io.ReadAll(answer.Body)
	must(t, err)
	whole := []byte(streamed + strings.Repeat(more, 10))
	if want := fmt.Sprintf("%d %x <nil>", len(whole), sha256.Sum256(whole)); string(data) != want {
		t.Errorf("the backend read %q, want %q", data, want)
	}
}

func TestWhatIsLeftOfABodyIsNoRequest(t *testing.T) {
	backend := serveEarly(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nenough\r\n0\r\n\r\n")
	w := newWorld(t, []edge.Route{
		{Name: "x", Path: "/x", Methods: []string{"POST"}, Who: edge.Public, Backend: backend},
		{Name: "hidden", Path: "/hidden", Methods: []string{"GET"}, Who: edge.Public, Backend: backend},
	}, nil)
	hidden := "GET /hidden HTTP/1.1\r\nHost: gate\r\n\r\n"
	for name, begin := range map[string]string{
		"length": fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(streamed)+len(hidden), streamed),
		"chunks": "Transfer-Encoding: chunked\r\n\r\n" + chunk(streamed) + fmt.Sprintf("%x\r\n", len(hidden)),
	} {
		t.Run(name, func(t *testing.T) {
			c := w.wire(t)
			c.send("POST /x HTTP/1.1\r\nHost: gate\r\n" + begin)
			answer := c.answer()
			data, _ := io.ReadAll(answer.Body)
			if string(data) != "enough" || !answer.Close {
				t.Errorf("got %q, closes %t", data, answer.Close)
			}
			_, _ = io.WriteString(c, hidden)
			if !c.ends() {
				t.Error("something came after the answer")
			}
			for _, d := range w.seen.list() {
				if d.Route == "hidden" {
					t.Error("the rest of the body was taken for a request")
				}
			}
		})
	}
}

// serveEarly is a backend that answers every connection with a text as soon as a request begins,
// and reads nothing more.
func serveEarly(t *testing.T, text string) string {
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
			defer func() { _ = c.Close() }()
			_ = c.SetDeadline(time.Now().Add(patience))
			_, _ = c.Read(make([]byte, 100))
			_, _ = io.WriteString(c, text)
		}
	}()
	return "http://" + l.Addr().String()
}

func TestConnectionsServeAfterAStreamedBody(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprint(w, n)
	})
	w := newWorld(t, []edge.Route{public(b, "/x", "POST")}, nil)
	c := w.wire(t)
	for i := range 300 {
		if i%2 == 0 {
			c.send("POST /x HTTP/1.1\r\nHost: gate\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(streamed) + "0\r\n\r\n")
		} else {
			c.send("POST /x HTTP/1.1\r\nHost: gate\r\nContent-Length: 20000\r\n\r\n" + streamed)
		}
		answer := c.answer()
		if data, err := io.ReadAll(answer.Body); err != nil || string(data) != "20000" || answer.Close {
			t.Fatalf("request %d: got %d %q %v, closes %t", i, answer.StatusCode, data, err, answer.Close)
		}
	}
}

// TestRefusedBodiesHoldNothing shows that a client which owes a body that nobody wants is not waited for without end.
func TestRefusedBodiesHoldNothing(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) })
	small := public(b, "/small", "POST")
	small.MaxBody = 10
	w := newWorld(t, []edge.Route{public(b, "/x", "POST"), small}, nil)
	for name, text := range map[string]string{
		"no route":      "POST /closed HTTP/1.1\r\nHost: gate\r\nContent-Length: 1000\r\n\r\n",
		"chunks":        "POST /closed HTTP/1.1\r\nHost: gate\r\nTransfer-Encoding: chunked\r\n\r\n",
		"too large":     "POST /small HTTP/1.1\r\nHost: gate\r\nContent-Length: 1000\r\n\r\nx",
		"not continued": "POST /x HTTP/1.1\r\nHost: gate\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := w.wire(t)
			c.send(text)
			answer := c.answer()
			_, _ = io.Copy(io.Discard, answer.Body)
			if answer.StatusCode < 400 || !c.ends() {
				t.Errorf("after %d the connection is held", answer.StatusCode)
			}
		})
	}
}

func TestNobodyIsToldOfSuccessInTheBackendsPlace(t *testing.T) {
	entered := make(chan struct{}, 1)
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-r.Context().Done()
	})
	w := newWorld(t, []edge.Route{public(b, "/x", "GET")}, nil)
	c := w.wire(t)
	c.send("GET /x HTTP/1.1\r\nHost: gate\r\n\r\n")
	<-entered
	must(t, c.Conn.(*net.TCPConn).CloseWrite()) // net/http takes that for a client that is gone
	if data, _ := io.ReadAll(c.in); bytes.HasPrefix(data, []byte("HTTP/1.1 2")) {
		t.Errorf("the gate answered %q by itself", data)
	}
}

func TestBrokenRefusalsFreeTheSlot(t *testing.T) {
	text := "HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nhalf"
	routes := edge.Plain(edge.PlainConfig{Backend: serveText(t, text), Path: "/ws", Who: edge.Session, Socket: &edge.SocketConfig{
		Profile: connect.ProfilePlain, Mode: connect.RefuseNewer, AnyOrigin: true,
	}})
	w := newWorld(t, routes, nil)
	for range 3 {
		c := w.wire(t)
		c.send("GET /ws HTTP/1.1\r\nHost: gate\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + testKey +
			"\r\nAuthorization: Bearer " + sessionToken(t, "ada") + "\r\n\r\n")
		if data, _ := io.ReadAll(c.in); bytes.Contains(data, []byte(" 409 ")) {
			t.Fatal("a socket that never was holds the slot")
		}
	}
	if n := len(w.registry.List(connect.SocketFilter{})); n != 0 {
		t.Errorf("%d sockets are registered", n)
	}
}
