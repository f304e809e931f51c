package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// nakamaKey is what the tests' session tokens are signed with, as a Nakama would.
const nakamaKey = "0123456789abcdef0123456789abcdef"

// nakamaToken is a session token of the n-th player.
func nakamaToken(n int) string {
	encode := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"tid":"%08d-0000-4000-8000-000000000001","uid":"%08d-0000-4000-8000-000000000002","usn":"p","iat":%d,"exp":%d}`,
		n, n, time.Now().Unix(), time.Now().Add(time.Hour).Unix())
	signed := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(claims))
	mac := hmac.New(sha256.New, []byte(nakamaKey))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}

// node is a running sallyport serve with a gate before an echoing backend.
type node struct {
	*testing.T
	cmd       *exec.Cmd
	log       *bytes.Buffer // to be read when it has ended
	api, gate string
}

// startNode starts one whose issuer needs no fetch, so that it is ready at once.
func startNode(t *testing.T, gate string) *node {
	t.Helper()
	game := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(game.Close)
	dir := t.TempDir()
	n := &node{T: t, log: new(bytes.Buffer), api: freeAddress(t), gate: freeAddress(t)}
	text := fmt.Sprintf(`issuer: https://auth.example.com
listen: %s
store: {type: memory}
issuers: [{type: clerk, realm: players, issuer: "https://clerk.example.com", any_authorized_party: true, public_key_pem: "${file:key.pem}"}]
nakama: {realm: players, keys: [%s], aliases: optional}
gate:
  listen: %s
  stale_sockets: close
  handshakes: {rate: -1, burst: 1000, concurrent: 1000}
  servers: [{type: plain, backend: "%s", path: /ws, who: [session]}]
%s`, n.api, nakamaKey, n.gate, game.URL, gate)
	write(t, filepath.Join(dir, "key.pem"), publicKey(t))
	write(t, filepath.Join(dir, "c.yaml"), []byte(text))
	n.cmd = exec.Command("sallyport", "serve", "--config", filepath.Join(dir, "c.yaml"))
	n.cmd.Stderr = n.log
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.cmd.Process.Kill() })
	n.eventually("it is ready", func() bool { return n.readyz() == http.StatusOK })
	return n
}

func publicKey(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// readyz is the status of /readyz, 0 if nobody answers.
func (n *node) readyz() int {
	status, _, _ := ask(http.MethodGet, "http://"+n.api+"/readyz", nil, "")
	return status
}

func (n *node) eventually(what string, is func() bool) {
	n.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-ticker.C {
		if is() {
			return
		}
	}
	n.Fatalf("not within %v: %s", patience, what)
}

func (n *node) terminate() {
	n.Helper()
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		n.Fatal(err)
	}
}

// ended waits for the end of the process and returns its error.
func (n *node) ended() error {
	n.Helper()
	done := make(chan error, 1)
	go func() { done <- n.cmd.Wait() }()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		n.Fatal("the process does not end")
		return nil
	}
}

// end is how a socket ended.
type end struct {
	code   websocket.StatusCode
	reason string
	at     time.Time
}

// sockets opens sockets of different players, and returns how they end, one after the other.
func (n *node) sockets(count int) <-chan end {
	n.Helper()
	ends := make(chan end, count)
	var wait sync.WaitGroup
	defer wait.Wait()
	for i := range count {
		wait.Go(func() {
			conn, err := n.open(i)
			if err != nil {
				n.Error(err)
				return
			}
			go func() {
				defer conn.CloseNow()
				_, _, err := conn.Read(context.Background())
				closed := websocket.CloseError{Reason: fmt.Sprint(err)}
				errors.As(err, &closed)
				ends <- end{closed.Code, closed.Reason, time.Now()}
			}()
		})
	}
	return ends
}

func (n *node) open(player int) (*websocket.Conn, error) {
	conn, answer, err := dial("ws://"+n.gate+"/ws", []string{"Authorization:Bearer " + nakamaToken(player)})
	if err != nil {
		return nil, fmt.Errorf("%w %s", err, bodyOf(answer))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := conn.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		return nil, err
	}
	_, _, err = conn.Read(ctx)
	return conn, err
}

// TestDrain ends a server with live sockets: nobody new gets in, /readyz says so, the sockets end one after the other over the
// window and are told to come back, and then the process ends.
func TestDrain(t *testing.T) {
	const count, window = 60, 3 * time.Second
	n := startNode(t, "  drain_window: 3s\n")
	ends := n.sockets(count)
	began := time.Now()
	n.terminate()
	n.eventually("/readyz is 503", func() bool { return n.readyz() == http.StatusServiceUnavailable })
	n.eventually("the gate is closed", func() bool {
		conn, err := net.Dial("tcp", n.gate)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	var at []time.Duration
	for range count {
		e := <-ends
		if e.code != websocket.StatusServiceRestart || !strings.HasPrefix(e.reason, "draining: ") {
			t.Errorf("ended with %d %q", e.code, e.reason)
		}
		at = append(at, e.at.Sub(began))
	}
	if err := n.ended(); err != nil {
		t.Errorf("the process ended with %v\n%s", err, n.log)
	}
	slices.Sort(at)
	t.Logf("%d sockets over %v: the first after %v, half after %v, the last after %v; the process ended after %v", count, window,
		at[0].Round(time.Millisecond), at[count/2].Round(time.Millisecond), at[count-1].Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	if at[count-1]-at[0] < window/2 || at[count/2] < window/10 {
		t.Errorf("they ended in a lump: %v", at)
	}
}

// TestSecondSignal ends a server that drains for an hour.
func TestSecondSignal(t *testing.T) {
	n := startNode(t, "  drain_window: 1h\n")
	ends := n.sockets(3)
	n.terminate()
	n.eventually("it drains", func() bool { return n.readyz() == http.StatusServiceUnavailable })
	n.terminate()
	if err := n.ended(); n.cmd.ProcessState.ExitCode() != 128+int(syscall.SIGTERM) {
		t.Errorf("it ended with %v, want the status of the signal", err)
	}
	for range 3 {
		<-ends
	}
}
