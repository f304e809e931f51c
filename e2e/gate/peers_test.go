package gate_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
)

// plainKind is a plain server with clients of the test's own.
var plainKind = kinds[0]

// TestFrameInThePacketOfTheHandshakeIsKept is what Traefik, ReverseProxy, oauth2-proxy and Oathkeeper lose (golang/go#80875).
func TestFrameInThePacketOfTheHandshakeIsKept(t *testing.T) {
	t.Parallel()
	t.Run("of the client", func(t *testing.T) {
		o := newDoor(t, plainKind, game(t, "plain"), nil, several(20))
		for range 20 {
			_, token := o.buy(t, o.issuer, alice)
			client := must(join(o.address, token))(t)
			if text, err := client.message(); err != nil || text != "hello" {
				t.Errorf("the server said %q, %v, want the hello that came with the handshake", text, err)
			}
			client.Close()
		}
	})
	t.Run("of the server", func(t *testing.T) {
		o := newDoor(t, plainKind, rawServer(t, unmasked(opText, []byte("welcome")), echo), nil, nil)
		_, token := o.buy(t, o.issuer, alice)
		client := must(join(o.address, token))(t)
		defer client.Close()
		for _, want := range []string{"welcome", "hello"} {
			if text, err := client.message(); err != nil || text != want {
				t.Errorf("the client heard %q, %v, want %q", text, err, want)
			}
		}
	})
}

// TestAnswerAfterTheHalfCloseArrives is what nginx and Oathkeeper lose: the client has said all, and listens.
func TestAnswerAfterTheHalfCloseArrives(t *testing.T) {
	t.Parallel()
	o := newDoor(t, plainKind, rawServer(t, nil, func(r *raw) {
		for { // the answer comes when the server has seen the end
			if _, _, err := r.next(); err != nil {
				break
			}
		}
		<-time.After(100 * time.Millisecond) // as a server that thinks about it
		_, _ = r.Write(unmasked(opText, []byte("late")))
	}), nil, nil)
	_, token := o.buy(t, o.issuer, alice)
	client := must(join(o.address, token))(t)
	defer client.Close()
	if err := client.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if text, err := client.message(); err != nil || text != "late" {
		t.Errorf("the client heard %q, %v, want what was said after its half-close", text, err)
	}
}

// TestRefusedUpgradeIsNoTunnel sends a second request behind an upgrade that is refused, by the server and by the gate.
func TestRefusedUpgradeIsNoTunnel(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]string{"by the server": "401 Unauthorized", "with a wrong 101": "101 Switching Protocols", "by the gate": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var smuggled atomic.Int32
			o := newDoor(t, plainKind, refusing(t, status, &smuggled), nil, nil)
			_, token := o.buy(t, o.issuer, alice)
			if status == "" {
				token += "A"
			}
			secret := "GET /secret HTTP/1.1\r\nHost: game.example\r\n\r\n"
			client, response, err := dial(o.address, []byte(handshake("/ws", "Authorization: Bearer "+token)+secret))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if response.StatusCode < 400 {
				t.Errorf("status %d, want a refusal", response.StatusCode)
			}
			_, _ = client.Write([]byte(secret))
			rest, _ := io.ReadAll(client.lines)
			if strings.Contains(string(rest), "the secret") || smuggled.Load() != 0 {
				t.Errorf("%d requests went through the tunnel; the client read %q", smuggled.Load(), rest)
			}
		})
	}
}

// refusing is a server that answers every upgrade with a status, and tells its secret to who gets that far.
func refusing(t *testing.T, status string, smuggled *atomic.Int32) string {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				lines := bufio.NewReader(conn)
				for {
					request, err := http.ReadRequest(lines)
					if err != nil {
						return
					}
					if request.URL.Path == "/secret" {
						smuggled.Add(1)
						_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nthe secret")
						continue
					}
					_, _ = io.WriteString(conn, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n")
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// mostKept is what a game server may get rid of for a client that reads nothing. Peers take 7 to 9 MB.
const mostKept = 7 << 20

// TestStalledClientIsBounded has the server write as fast as it can to a client that does not read.
func TestStalledClientIsBounded(t *testing.T) {
	t.Parallel()
	var pushed atomic.Int64
	o := newDoor(t, plainKind, rawServer(t, nil, func(r *raw) {
		go func() { _, _ = io.Copy(io.Discard, r) }()
		for frame := unmasked(opText, make([]byte, 16<<10)); ; {
			n, err := r.Write(frame)
			pushed.Add(int64(n))
			if err != nil {
				return
			}
		}
	}), nil, nil)
	_, token := o.buy(t, o.issuer, alice)
	client := must(join(o.address, token))(t)
	defer client.Close()
	began := time.Now()
	kept := pushed.Load()
	for ticks := time.Tick(time.Second); ; {
		<-ticks // it is stuck when a second brought nothing more; from its end on the gate throws away what the server still says
		now := pushed.Load()
		if now == kept && now > 0 {
			break
		}
		kept = now
	}
	o.ended(connect.CloseSlow)
	t.Logf("FIGURE a client that reads nothing: the server got rid of %d KiB, kernel buffers and all; the socket ended as slow after %s",
		kept>>10, time.Since(began).Round(time.Millisecond))
	if kept > mostKept {
		t.Errorf("the server got rid of %d bytes, want at most %d", kept, mostKept)
	}
}

// TestServerThatDies ends the server's process itself; every client is told. Peers send a bare FIN.
func TestServerThatDies(t *testing.T) {
	t.Parallel()
	backend, die := mortal(t, "plain")
	o := newDoor(t, plainKind, backend, nil, several(20))
	_, token := o.buy(t, o.issuer, alice)
	clients := make([]*raw, 20)
	for i := range clients {
		clients[i] = must(join(o.address, token))(t)
		defer clients[i].Close()
		if _, err := clients[i].message(); err != nil {
			t.Fatal(err)
		}
	}
	die()
	want := connect.ProfilePlain.Closing(connect.CloseBackendLost).Code
	for i, client := range clients {
		if code, err := client.closed(); err != nil || code != want {
			t.Errorf("client %d was told %d, %v, want %d", i, code, err, want)
		}
	}
	if response := must(http.Get("http://" + o.address + "/ws"))(t); response.StatusCode >= 500 {
		t.Errorf("the gate answers %s, want it to live on", response.Status)
	}
}
