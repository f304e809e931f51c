package nodes_test

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// callerSecret is that of who may revoke.
const callerSecret = "caller-secret-0123456789abcdef0123456789"

// buildSallyport builds the program itself.
func buildSallyport(t testing.TB) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "sallyport")
	build := exec.Command("go", "build", "-o", program, "./cmd/sallyport")
	build.Dir, build.Env = filepath.Join("..", "..", "server"), append(os.Environ(), "GOWORK=off")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("sallyport does not build: %v\n%s", err, output)
	}
	return program
}

// serving is a process of sallyport serve.
type serving struct{ api, gate string }

func startSallyport(t testing.TB, program string, redis, backend string, n int) serving {
	t.Helper()
	s := serving{fmt.Sprint("127.0.0.1:", freePort(t)), fmt.Sprint("127.0.0.1:", freePort(t))}
	file := filepath.Join(t.TempDir(), "sallyport.yaml")
	must(t, os.WriteFile(file, fmt.Appendf(nil, `
issuer: http://127.0.0.1:1
listen: %s
log: {level: error}
store: {type: redis, addresses: ["%s"], timeout: 4s}
issuers: [{type: cognito, realm: main, user_pool_id: eu-central-1_Arena, client_ids: [game], uses: [access], endpoint: "http://127.0.0.1:1"}]
nakama: {realm: main, keys: ["%s"], aliases: optional}
callers: [{id: operator, secrets: ["%s"], may: [revoke]}]
gate:
  listen: %s
  stale_sockets: keep
  node: node-%d
  handshakes: {rate: -1, concurrent: 1000}
  routes:
    - name: room
      path: /rooms/{room}
      methods: [GET]
      backend: %s
      who: [session]
      socket: {profile: plain, mode: replace_older, slot: room, any_origin: true}
`, s.api, redis, key, callerSecret, s.gate, n, backend), 0o600))
	var output bytes.Buffer
	command := exec.Command(program, "serve", "--config", file)
	command.Stderr = &output
	must(t, command.Start())
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
		if t.Failed() {
			t.Logf("node %d says: %s", n, &output)
		}
	})
	eventually(t, "sallyport serves", func() bool {
		conn, err := net.Dial("tcp", s.gate)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return s
}

// gameServer takes every WebSocket and listens to it.
func gameServer(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) // RFC 6455 section 1.3
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			base64.StdEncoding.EncodeToString(sum[:]))
		io.Copy(io.Discard, conn)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// join opens a player's WebSocket to a room and returns the code with which it is closed.
func (s serving) join(t testing.TB, player int, room string) <-chan farewell {
	conn, err := net.Dial("tcp", s.gate)
	if err != nil {
		t.Error(err)
		return nil
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "GET /rooms/%s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer %s\r\n\r\n", room, s.gate, nakamaToken(t, player))
	frames := bufio.NewReaderSize(conn, 512)
	answer, err := http.ReadResponse(frames, nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("player %d: %v, %v", player, answer, err)
		return nil
	}
	ended := make(chan farewell, 1)
	go func() { ended <- farewell{closeCode(frames), time.Now()} }()
	return ended
}

// closeCode reads frames, which are short and come unmasked from a server (RFC 6455 section 5.2), until the closing one.
func closeCode(frames io.Reader) string {
	for {
		var head [2]byte
		if _, err := io.ReadFull(frames, head[:]); err != nil {
			return err.Error()
		}
		payload := make([]byte, head[1]&0x7f)
		if _, err := io.ReadFull(frames, payload); err != nil {
			return err.Error()
		}
		if head[0]&0x0f == 8 && len(payload) >= 2 {
			return fmt.Sprint(binary.BigEndian.Uint16(payload))
		}
	}
}

// revoke asks the token API to end a session.
func (s serving) revoke(session string) error {
	request, err := http.NewRequest(http.MethodPost, "http://"+s.api+"/v1/admin/revoke", strings.NewReader(`{"session":"`+session+`"}`))
	if err != nil {
		return err
	}
	request.SetBasicAuth("operator", callerSecret)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		body, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("status %d: %s", answer.StatusCode, body)
	}
	return nil
}

// TestSallyportServesOnThreeNodes is the program itself three times, before a game server, with players' WebSockets: a
// revocation at one closes those at all, and of two for a room the later one stays.
func TestSallyportServesOnThreeNodes(t *testing.T) {
	const players = 1000
	program, backend, server := buildSallyport(t), gameServer(t), startServer(t, "appendonly yes")
	var nodes []serving
	for n := range 3 {
		nodes = append(nodes, startSallyport(t, program, server.address(), backend, n))
	}
	sockets := make([]<-chan farewell, 3*players)
	each(len(sockets), 32, func(i int) { sockets[i] = nodes[i%3].join(t, i/3, fmt.Sprint("room-", i%3)) })
	if t.Failed() {
		return
	}
	revoked := make([]time.Time, players)
	var group sync.WaitGroup
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for i := range players {
		<-every.C
		group.Go(func() {
			revoked[i] = time.Now()
			if err := nodes[i%3].revoke(id(i)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	var took []time.Duration
	for i, socket := range sockets {
		select {
		case f := <-socket:
			if took = append(took, f.at.Sub(revoked[i/3])); f.reason != "4403" {
				t.Fatalf("socket %d ended with %s, want 4403", i, f.reason)
			}
		case <-time.After(patience):
			t.Fatalf("socket %d lives on", i)
		}
	}
	t.Logf("FIGURE sallyport serve on 3 nodes, a revocation each for %d WebSockets: %s", len(sockets), figures(took))

	took = took[:0]
	for i := range 200 {
		older := nodes[i%3].join(t, players+i, "room")
		began := time.Now()
		newer := nodes[(i+1)%3].join(t, players+i, "room")
		select {
		case f := <-older:
			if took = append(took, f.at.Sub(began)); f.reason != "4409" || len(newer) != 0 {
				t.Fatalf("player %d: the older socket ended with %s", i, f.reason)
			}
		case <-time.After(patience):
			t.Fatalf("player %d has two sockets", i)
		}
	}
	t.Logf("FIGURE sallyport serve on 3 nodes, from a newer WebSocket's request until the older one's close frame, %d times: %s", len(took), figures(took))
}
