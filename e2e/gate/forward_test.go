package gate_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/tokenapi"
)

// ask sends a request as it is written, and returns the answer's status.
func ask(t *testing.T, address, request string) int {
	t.Helper()
	conn := must(net.DialTimeout("tcp", address, 10*time.Second))(t)
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// get is a request for a path with header lines.
func get(path string, lines ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: game.example\r\nConnection: close\r\n" + strings.Join(append(lines, "", ""), "\r\n")
}

func forEachPeer(t *testing.T, test func(t *testing.T, w *world, address string)) {
	t.Parallel()
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			test(t, w, w.start(t, p))
		})
	}
}

// TestForwardAuthPasses has the backend see who it is, whatever the client says about itself.
func TestForwardAuthPasses(t *testing.T) {
	forEachPeer(t, func(t *testing.T, w *world, address string) {
		s, token := w.signIn()
		lines := []string{"Authorization: Bearer " + token}
		for _, name := range tokenapi.IdentityHeaders() {
			lines = append(lines, name+": mallory")
		}
		if status := ask(t, address, get("/play?room=1", lines...)); status != http.StatusNoContent {
			t.Fatalf("a good session got %d, want 204 of the backend", status)
		}
		seen := w.backend.take()
		if len(seen) != 1 {
			t.Fatalf("the backend saw %d requests, want 1", len(seen))
		}
		if got := seen[0].Header.Get("X-Auth-User"); got != s.UserID {
			t.Errorf("X-Auth-User is %q, want %q", got, s.UserID)
		}
		for _, name := range tokenapi.IdentityHeaders() {
			if values := seen[0].Header.Values(name); len(values) > 1 || strings.Contains(strings.Join(values, ""), "mallory") {
				t.Errorf("%s reached the backend as %q: the client's own", name, values)
			}
		}
	})
}

// TestForwardAuthRefuses sends what must reach no backend.
func TestForwardAuthRefuses(t *testing.T) {
	forEachPeer(t, func(t *testing.T, w *world, address string) {
		s, token := w.signIn()
		_, ended := w.signIn()
		bearer := "Authorization: Bearer " + token
		if err := w.ledger.RevokeSession(t.Context(), must(w.verifier.Verify(t.Context(), ended))(t), "signed out"); err != nil {
			t.Fatal(err)
		}
		spent, _, err := w.tickets.Issue(t.Context(), token, session.Binding{})
		if err != nil {
			t.Fatal(err)
		}
		if status := ask(t, address, get("/ws?ticket="+spent)); status != http.StatusNoContent {
			t.Fatalf("a fresh ticket got %d, want 204 of the backend", status)
		}
		w.backend.take()
		for name, request := range map[string]string{
			"no token":               get("/play"),
			"signed out":             get("/play", "Authorization: Bearer "+ended),
			"tampered":               get("/play", bearer+"A"),
			"two tokens":             get("/play", bearer, "Authorization: Bearer "+ended),
			"spent ticket":           get("/ws?ticket=" + spent),
			"a name alone":           get("/play", "X-Auth-User: "+s.UserID),
			"uri of the client":      get("/play", "X-Original-URI: /?ticket="+spent, "X-Forwarded-Uri: /?ticket="+spent),
			"method of the client":   get("/play", "X-Original-Method: OPTIONS", "X-Forwarded-Method: OPTIONS"),
			"upgrade":                get("/ws", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="),
			"body":                   "POST /play HTTP/1.1\r\nHost: game.example\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
			"preflight of a cross":   "OPTIONS /play HTTP/1.1\r\nHost: game.example\r\nConnection: close\r\nOrigin: https://evil.example\r\n\r\n",
			"the address of /verify": get("/verify"),
		} {
			// 400 is nginx's own word on two Authorization headers.
			if status := ask(t, address, request); status != 400 && status != 401 && status != 403 {
				t.Errorf("%s: got %d, want 400, 401 or 403", name, status)
			}
			if seen := w.backend.take(); len(seen) != 0 {
				t.Errorf("%s: reached the backend as %s %s", name, seen[0].Method, seen[0].URL.Path)
			}
		}
	})
}

// TestForwardAuthHonoursBans ends what was good a moment ago.
func TestForwardAuthHonoursBans(t *testing.T) {
	forEachPeer(t, func(t *testing.T, w *world, address string) {
		s, token := w.signIn()
		request := get("/play", "Authorization: Bearer "+token)
		if status := ask(t, address, request); status != http.StatusNoContent {
			t.Fatalf("before the ban: %d", status)
		}
		if err := w.ledger.Ban(t.Context(), s.Player, "cheating", time.Time{}); err != nil {
			t.Fatal(err)
		}
		if status := ask(t, address, request); status != http.StatusForbidden {
			t.Errorf("after the ban: %d, want 403", status)
		}
	})
}

// TestForwardAuthIsClosedWithoutItsServer has nobody to ask.
func TestForwardAuthIsClosedWithoutItsServer(t *testing.T) {
	t.Parallel()
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, token := w.signIn()
			w.unreachable = true
			address := w.start(t, p)
			if status := ask(t, address, get("/play", fmt.Sprintf("Authorization: Bearer %s", token))); status < 500 {
				t.Errorf("got %d, want a 5xx", status)
			}
			if seen := w.backend.take(); len(seen) != 0 {
				t.Errorf("%d requests reached the backend", len(seen))
			}
		})
	}
}
