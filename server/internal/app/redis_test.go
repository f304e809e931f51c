package app_test

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/server/internal/app"
	"github.com/sallyport-auth/sallyport/server/internal/logging"
)

// secureRedis starts a redis-server that speaks TLS with the certificate of a folder and wants a password, and returns its address.
func secureRedis(t *testing.T, dir string) string {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("redis-server is missing, the real other side of this test: apt-get install -y redis-server")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	pem, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	cmd := exec.Command(program, "--bind", "127.0.0.1", "--port", "0", "--tls-port", port, "--tls-cert-file", pem, "--tls-key-file", key,
		"--tls-ca-cert-file", pem, "--tls-auth-clients", "no", "--requirepass", "a password of redis", "--dir", t.TempDir(), "--save", "")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	address := "127.0.0.1:" + port
	for end := time.Now().Add(time.Minute); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return address
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // between two looks at another process
	}
}

// TestRedisTLS opens a store over TLS with a password, and refuses one whose certificate nobody vouches for.
func TestRedisTLS(t *testing.T) {
	dir := folder(t)
	certificate(t, dir, "redis")
	address := secureRedis(t, dir)
	with := func(fields string) string {
		return strings.Replace(base, "{type: memory}", fmt.Sprintf(`{type: redis, addresses: [%q], timeout: 4s, %s}`, address, fields), 1)
	}
	start(t, dir, with("password: a password of redis, tls: {ca: cert.pem}"))
	for fields, want := range map[string]string{
		"password: a password of redis, tls: {}":            "c.yaml:2:8: store: ",
		"password: another password, tls: {ca: cert.pem}":   "c.yaml:2:8: store: ",
		"password: a password of redis, tls: {ca: c.yaml}":  "store.tls.ca: open ",
		"password: a password of redis, tls: {ca: key.pem}": "store.tls.ca: the file holds no certificate in PEM",
	} {
		secrets := new(logging.Secrets)
		a, err := app.New(t.Context(), parse(t, dir, with(fields)), app.Options{Logger: logging.New(new(log), nil, secrets), Secrets: secrets})
		if err == nil {
			a.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "a password of redis") || strings.Contains(err.Error(), "another password") {
			t.Errorf("%s: %v", fields, err)
		}
	}
}
