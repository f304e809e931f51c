package edge_test

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/edge"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
	"github.com/sallyport-auth/sallyport/session"
)

const testKey = "dGhlIHNhbXBsZSBub25jZQ=="

func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// echo is a WebSocket server that says hello and sends every frame back, unmasked.
func echo(w http.ResponseWriter, r *http.Request) {
	conn, buffers, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	head := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + acceptOf(r.Header.Get("Sec-WebSocket-Key")) + "\r\n"
	if protocol, _, _ := strings.Cut(r.Header.Get("Sec-WebSocket-Protocol"), ","); protocol != "" {
		head += "Sec-WebSocket-Protocol: " + protocol + "\r\n"
	}
	out := wsframe.AppendFrame([]byte(head+"\r\n"), wsframe.Header{Final: true, Opcode: wsframe.Text}, []byte("hello"))
	_, _ = conn.Write(out)
	for {
		opcode, payload, err := readFrame(buffers.Reader)
		if err != nil {
			return
		}
		if _, err := conn.Write(wsframe.AppendFrame(nil, wsframe.Header{Final: true, Opcode: opcode}, payload)); err != nil || opcode == wsframe.Close {
			return
		}
	}
}

func readFrame(r *bufio.Reader) (wsframe.Opcode, []byte, error) {
	for n := 2; ; n++ {
		have, err := r.Peek(n)
		if err != nil {
			return 0, nil, err
		}
		h, size, err := wsframe.Parse(have)
		if err != nil {
			return 0, nil, err
		}
		if size == 0 {
			continue
		}
		frame := make([]byte, size+int(h.Length))
		if _, err := io.ReadFull(r, frame); err != nil {
			return 0, nil, err
		}
		payload := frame[size:]
		if h.Masked {
			wsframe.Mask(payload, h.Mask, 0)
		}
		return h.Opcode, payload, nil
	}
}

// client is a WebSocket client of the tests.
type client struct {
	t      *testing.T
	conn   net.Conn
	in     *bufio.Reader
	answer *http.Response
}

// dial sends a handshake with more headers, and what follows it in the same packet.
func (w *world) dial(t *testing.T, target, headers, early string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", w.address)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return handshakeOn(t, conn, w.address, target, headers, early)
}

func handshakeOn(t *testing.T, conn net.Conn, host, target, headers, early string) *client {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(3 * patience))
	_, err := io.WriteString(conn, "GET "+target+" HTTP/1.1\r\nHost: "+host+"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "+testKey+"\r\n"+headers+"\r\n"+early)
	must(t, err)
	c := &client{t: t, conn: conn, in: bufio.NewReader(conn)}
	c.answer, err = http.ReadResponse(c.in, nil)
	must(t, err)
	return c
}

func bearer(t testing.TB, user string) string {
	return "Authorization: Bearer " + sessionToken(t, user) + "\r\n"
}

func frame(text string) string {
	return string(wsframe.AppendFrame(nil, wsframe.Header{Final: true, Opcode: wsframe.Text, Masked: true, Mask: [4]byte{1, 2, 3, 4}}, []byte(text)))
}

// next reads a frame as text: "text", or for a close "close 4401 text".
func (c *client) next() string {
	c.t.Helper()
	for {
		opcode, payload, err := readFrame(c.in)
		switch {
		case err != nil:
			return err.Error()
		case opcode == wsframe.Close:
			code, text := wsframe.ParseClose(payload)
			return fmt.Sprintf("close %d %s", code, text)
		case opcode == wsframe.Text:
			return string(payload)
		}
	}
}

func (c *client) wants(want ...string) {
	c.t.Helper()
	for _, text := range want {
		if got := c.next(); got != text {
			c.t.Fatalf("got %q, want %q", got, text)
		}
	}
}

func plain(b *backend, change func(*edge.SocketConfig)) []edge.Route {
	routes := edge.Plain(edge.PlainConfig{Backend: b.URL, Path: "/ws"})
	if change != nil {
		change(routes[0].Socket)
	}
	return routes
}

func TestSocketEchoes(t *testing.T) {
	b := newBackend(t, echo)
	w := newWorld(t, plain(b, nil), nil)
	c := w.dial(t, "/ws?x=1", bearer(t, "ada")+"Sec-WebSocket-Protocol: game, other\r\n", frame("early"))
	if c.answer.StatusCode != 101 || c.answer.Header.Get("Sec-WebSocket-Accept") != acceptOf(testKey) || c.answer.Header.Get("Sec-WebSocket-Protocol") != "game" {
		t.Fatalf("got %d %v", c.answer.StatusCode, c.answer.Header)
	}
	c.wants("hello", "early")
	_, _ = io.WriteString(c.conn, frame("later"))
	c.wants("later")
	seen := b.last.Load()
	if seen.RequestURI != "/ws?x=1" || seen.Header.Get("X-Auth-User") != uuidOf("ada") || seen.Header.Get("Authorization") != "" || seen.Header.Get("X-Sallyport-Fence") == "" {
		t.Errorf("the backend saw %s %v", seen.RequestURI, seen.Header)
	}
}

func TestTokenSourcesOfAnUpgrade(t *testing.T) {
	b := newBackend(t, echo)
	routes := edge.Nakama(edge.NakamaConfig{Backend: b.URL, SessionKeys: [][]byte{sessionKey}, RefreshKeys: [][]byte{refreshKey}})
	w := newWorld(t, routes, nil)
	token := sessionToken(t, "ada")
	ticket := func() string {
		text, _, err := w.office.Issue(t.Context(), token, session.Binding{})
		must(t, err)
		return url.QueryEscape(text)
	}
	subprotocol := "Sec-WebSocket-Protocol: " + connect.SubprotocolPrefix + base64.RawURLEncoding.EncodeToString([]byte(token)) + ", game\r\n"
	for name, test := range map[string][2]string{
		"bearer":      {"/ws?format=json", bearer(t, "ada")},
		"query":       {"/ws?token=" + token + "&format=json", ""},
		"ticket":      {"/ws?format=json&ticket=" + ticket(), ""},
		"subprotocol": {"/ws?format=json", subprotocol},
	} {
		t.Run(name, func(t *testing.T) {
			c := w.dial(t, test[0], test[1], "")
			c.wants("hello")
			seen := b.last.Load()
			if seen.RequestURI != "/ws?format=json" || seen.Header.Get("Authorization") != "Bearer "+token {
				t.Errorf("the backend saw %s %q", seen.RequestURI, seen.Header.Get("Authorization"))
			}
			if strings.Contains(seen.Header.Get("Sec-WebSocket-Protocol"), connect.SubprotocolPrefix) {
				t.Error("the subprotocol with the token went on")
			}
		})
	}
}

func TestSpentTicketIsToldByAClose(t *testing.T) {
	b := newBackend(t, echo)
	w := newWorld(t, plain(b, nil), nil)
	ticket, _, err := w.office.Issue(t.Context(), sessionToken(t, "ada"), session.Binding{})
	must(t, err)
	target := "/ws?ticket=" + ticket
	w.dial(t, target, "Origin: https://play.example\r\n", "").wants("hello")
	for range 3 {
		c := w.dial(t, target, "Origin: https://play.example\r\nSec-WebSocket-Protocol: game\r\n", "")
		if c.answer.Header.Get("Sec-WebSocket-Protocol") != "game" {
			t.Errorf("a browser fails the handshake: %v", c.answer.Header)
		}
		c.wants("close 4401 expired: refresh the session and connect with the new token")
	}
	if b.hits.Load() != 1 {
		t.Errorf("the backend was asked %d times", b.hits.Load())
	}
}

func TestRefusedUpgrades(t *testing.T) {
	b := newBackend(t, echo)
	ledgered := func(change func(*world)) func(*world) { return change }
	tests := map[string]struct {
		before  func(*world)
		headers string
		want    string
	}{
		"no token":                 {nil, "", "401"},
		"garbage":                  {nil, "Authorization: Bearer garbage\r\n", "401"},
		"garbage, told by a close": {nil, "Sec-WebSocket-Protocol: x, " + connect.SubprotocolPrefix + "Z2FyYmFnZQ\r\n", "close 4401 expired: refresh the session and connect with the new token"},
		"banned": {ledgered(func(w *world) {
			must(w.t, w.ledger.Ban(context.Background(), identity.Player{Realm: realm, Subject: uuidOf("ada")}, "cheating", time.Time{}))
		}), "Sec-WebSocket-Protocol: x, " + connect.SubprotocolPrefix + base64.RawURLEncoding.EncodeToString([]byte(sessionToken(t, "ada"))) + "\r\n", "close 4403 banned: the player is banned"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, plain(b, nil), nil)
			w.t = t
			if test.before != nil {
				test.before(w)
			}
			c := w.dial(t, "/ws", test.headers, "")
			got := fmt.Sprint(c.answer.StatusCode)
			if c.answer.StatusCode == 101 {
				got = c.next()
			}
			if got != test.want || b.hits.Load() != 0 {
				t.Errorf("got %q, want %q; the backend was asked %d times", got, test.want, b.hits.Load())
			}
		})
	}
}

func TestSocketsEndWithTheirSession(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(w *world)
		want string
	}{
		"ban": {func(w *world) {
			must(w.t, w.ledger.Ban(context.Background(), identity.Player{Realm: realm, Subject: uuidOf("ada")}, "", time.Time{}))
		}, "close 4403 banned: the player is banned"},
		"sign-out": {func(w *world) {
			must(w.t, w.ledger.CutOff(context.Background(), identity.Player{Realm: realm, Subject: uuidOf("ada")}, ""))
		}, "close 4403 revoked: signed out, sign in again"},
		"replaced": {func(w *world) { w.dial(w.t, "/ws", bearer(w.t, "ada"), "") }, "close 4409 replaced: connected from elsewhere"},
		"drain":    {func(w *world) { go func() { _ = w.gate.Drain(context.Background(), 0) }() }, "close 1012 draining: the server restarts, connect again"},
		"kick": {func(w *world) {
			_, err := w.registry.Kick(connect.SocketFilter{Route: "plain"}, connect.CloseKicked)
			must(w.t, err)
		}, "close 4403 kicked: removed by an operator"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, echo)
			w := newWorld(t, plain(b, nil), nil)
			w.t = t
			c := w.dial(t, "/ws", bearer(t, "ada"), "")
			c.wants("hello")
			test.end(w)
			c.wants(test.want)
			select {
			case end := <-w.ends:
				if string(end.Reason) != strings.Fields(strings.TrimPrefix(test.want, "close "))[1][:len(end.Reason)] {
					t.Errorf("observed %q", end.Reason)
				}
			case <-time.After(patience):
				t.Error("the end was not observed")
			}
		})
	}
}

func TestExpiryEndsASocketAndNoticeComesBefore(t *testing.T) {
	b := newBackend(t, echo)
	w := newWorld(t, plain(b, func(s *edge.SocketConfig) { s.Notice = `{"refresh_within":{seconds}}` }), nil)
	c := w.dial(t, "/ws", "Authorization: Bearer "+token(t, sessionKey, "ada", "s", 4*time.Second)+"\r\n", "")
	seen := map[string]bool{c.next(): true, c.next(): true}
	if !seen["hello"] || len(seen) != 2 {
		t.Fatalf("got %v", seen)
	}
	for text := range seen {
		if text != "hello" && !strings.HasPrefix(text, `{"refresh_within":`) {
			t.Errorf("the notice is %q", text)
		}
	}
	c.wants("close 4401 expired: refresh the session and connect with the new token")
}

func TestBackendThatDiesOrRefuses(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+acceptOf(r.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n")
			_ = conn.Close()
			return
		}
		w.Header().Set("X-Why", "full")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "the game is full")
	})
	routes := append(plain(b, nil), edge.Plain(edge.PlainConfig{Backend: b.URL, Path: "/full"})...)
	routes[1].Name = "full"
	w := newWorld(t, routes, nil)
	w.dial(t, "/ws", bearer(t, "ada"), "").wants("close 1011 backend_lost: the game server went away, connect again")
	if e := <-w.ends; e.Reason != connect.CloseBackendLost || w.registry.State().Ended[e.Reason] != 1 {
		t.Errorf("observed %q, the registry counts %v", e.Reason, w.registry.State().Ended)
	}

	// A refusal passes, and the connection is no tunnel: what comes behind it goes nowhere.
	c := w.dial(t, "/full", bearer(t, "ada"), "GET /secret HTTP/1.1\r\nHost: x\r\n\r\n")
	body, _ := io.ReadAll(c.answer.Body)
	if c.answer.StatusCode != 503 || c.answer.Header.Get("X-Why") != "full" || string(body) != "the game is full" {
		t.Errorf("got %d %q", c.answer.StatusCode, body)
	}
	if rest, _ := io.ReadAll(c.in); len(rest) > 0 || b.last.Load().URL.Path == "/secret" {
		t.Errorf("the connection went on: %q", rest)
	}
	if len(w.registry.List(connect.SocketFilter{Route: "full"})) != 0 {
		t.Error("a socket that never was is still there")
	}
}

func TestHandshakesAreLimited(t *testing.T) {
	b := newBackend(t, echo)
	w := newWorld(t, plain(b, nil), func(c *edge.Config) { c.Handshakes = edge.HandshakeLimit{Rate: 0.001, Burst: 3} })
	for i := range 5 {
		c := w.dial(t, "/ws", bearer(t, fmt.Sprint("p", i)), "")
		if want := map[bool]int{true: 101, false: 429}[i < 3]; c.answer.StatusCode != want {
			t.Errorf("handshake %d: got %d, want %d", i, c.answer.StatusCode, want)
		}
	}
	if b.hits.Load() != 3 {
		t.Errorf("the backend was asked %d times", b.hits.Load())
	}
}

func TestBackendsAnswerToAHandshakeIsChecked(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"wrong proof":      func(s string) string { return strings.Replace(s, "Accept: ", "Accept: x", 1) },
		"no upgrade":       func(s string) string { return strings.Replace(s, "Upgrade: websocket\r\n", "", 1) },
		"unasked protocol": func(s string) string { return s + "Sec-WebSocket-Protocol: other\r\n" },
		"unasked extension": func(s string) string {
			return s + "Sec-WebSocket-Extensions: permessage-deflate\r\n"
		},
		"two proofs": func(s string) string { return s + "Sec-WebSocket-Accept: " + acceptOf(testKey) + "\r\n" },
	} {
		t.Run(name, func(t *testing.T) {
			head := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + acceptOf(testKey) + "\r\n"
			route := edge.Plain(edge.PlainConfig{Backend: serveText(t, change(head)+"\r\n"), Path: "/ws"})
			w := newWorld(t, route, nil)
			if c := w.dial(t, "/ws", bearer(t, "ada"), ""); c.answer.StatusCode != http.StatusBadGateway {
				t.Errorf("got %d", c.answer.StatusCode)
			}
		})
	}
}
