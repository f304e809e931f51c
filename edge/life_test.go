package edge_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/edge"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
)

func TestSocketsOverTLS(t *testing.T) {
	b := newBackend(t, echo)
	w := newWorld(t, plain(b, nil), nil)
	server := w.gate.Server()
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go func() { _ = server.ServeTLS(l) }()
	t.Cleanup(func() { _ = server.Close() })
	conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	must(t, err)
	defer func() { _ = conn.Close() }()
	c := handshakeOn(t, conn, w.address, "/ws", bearer(t, "ada"), frame("early"))
	c.wants("hello", "early")
	if got := b.last.Load().Header.Get("X-Forwarded-Proto"); got != "https" {
		t.Errorf("the backend was told %q", got)
	}
	_, err = w.registry.Kick(connect.SocketFilter{Route: "plain"}, connect.CloseKicked)
	must(t, err)
	c.wants("close 4403 kicked: removed by an operator")
}

func TestNakamasCloseTextsTellNoAddress(t *testing.T) {
	text := "read tcp 127.0.0.1:7350->127.0.0.1:51906: i/o timeout"
	for sent, want := range map[string]string{text: "connection lost", "server-side session disconnect": "server-side session disconnect"} {
		b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			defer func() { _ = conn.Close() }()
			head := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + acceptOf(r.Header.Get("Sec-WebSocket-Key")) + "\r\n\r\n"
			_, _ = conn.Write(wsframe.AppendFrame([]byte(head), wsframe.Header{Final: true, Opcode: wsframe.Close}, wsframe.AppendClose(nil, 1000, sent)))
			_, _ = io.Copy(io.Discard, conn)
		})
		w := newWorld(t, edge.Nakama(edge.NakamaConfig{Backend: b.URL, SessionKeys: [][]byte{sessionKey}, RefreshKeys: [][]byte{refreshKey}}), nil)
		if got := strings.TrimRight(w.dial(t, "/ws", bearer(t, "ada"), "").next(), " "); got != "close 1000 "+want {
			t.Errorf("got %q", got)
		}
	}
}

func TestDrainRefusesWhatIsNewAndEndsWhatIsOld(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			echo(w, r)
			return
		}
		close(entered)
		select {
		case <-release:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, "done")
	})
	w := newWorld(t, append(plain(b, nil), public(b, "/x", "GET")), nil)
	c := w.dial(t, "/ws", bearer(t, "ada"), "")
	c.wants("hello")
	under := make(chan string, 1)
	go func() {
		answer, err := http.Get(w.url("/x"))
		if err != nil {
			under <- err.Error()
			return
		}
		defer func() { _ = answer.Body.Close() }()
		data, _ := io.ReadAll(answer.Body)
		under <- string(data)
	}()
	<-entered
	must(t, w.gate.Drain(context.Background(), 0))
	c.wants("close 1012 draining: the server restarts, connect again")
	if answer, _ := get(t, w.url("/x"), nil); answer.StatusCode != 503 || !w.gate.State().Draining {
		t.Errorf("a new request while draining: %d", answer.StatusCode)
	}
	close(release)
	if got := <-under; got != "done" {
		t.Errorf("the request that was under way: %q", got)
	}
	if got := w.dial(t, "/ws", bearer(t, "bob"), "").answer.StatusCode; got != 503 {
		t.Errorf("a new socket while draining: %d", got)
	}
}

// TestRevocationsEndSocketsSoon prints how long it takes from a revocation to the close frame at the client, over 1,000 sockets.
func TestRevocationsEndSocketsSoon(t *testing.T) {
	const sockets = 1000
	b := newBackend(t, echo)
	w := newWorld(t, plain(b, nil), nil)
	clients := make([]*client, sockets)
	for i := range clients {
		clients[i] = w.dial(t, "/ws", bearer(t, fmt.Sprint("p", i)), "")
		clients[i].wants("hello")
	}
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	for i, c := range clients {
		s, err := w.sessions.Verify(t.Context(), sessionToken(t, fmt.Sprint("p", i)))
		must(t, err)
		began := time.Now()
		must(t, w.ledger.RevokeSession(t.Context(), s, ""))
		all.Go(func() {
			if got := c.next(); !strings.HasPrefix(got, "close 4403 revoked") {
				t.Errorf("got %q", got)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(began))
		})
	}
	all.Wait()
	slices.Sort(took)
	t.Logf("from revocation to close frame: p50 %v, p99 %v, longest %v", took[sockets/2], took[sockets*99/100], took[sockets-1])
}

func TestRoutesChangeWhileTheGateRuns(t *testing.T) {
	b := newBackend(t, nil)
	w := newWorld(t, []edge.Route{public(b, "/old", "GET")}, nil)
	must(t, w.gate.SetRoutes([]edge.Route{public(b, "/new", "GET")}))
	for path, want := range map[string]int{"/old": 403, "/new": 200} {
		if answer, _ := get(t, w.url(path), nil); answer.StatusCode != want {
			t.Errorf("%s: got %d", path, answer.StatusCode)
		}
	}
	if err := w.gate.SetRoutes([]edge.Route{{Name: "bad"}}); err == nil {
		t.Error("a route without anything was taken")
	}
	if answer, _ := get(t, w.url("/new"), nil); answer.StatusCode != 200 {
		t.Errorf("after a mistake: got %d", answer.StatusCode)
	}
}
