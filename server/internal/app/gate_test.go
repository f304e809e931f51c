package app_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/server/internal/app"
	"github.com/sallyport-auth/sallyport/server/internal/keyfile"
)

// serveGated serves a configuration with a gate, until the test ends, and returns the gate's address.
func serveGated(t *testing.T, a *app.App) string {
	t.Helper()
	var l app.Listeners
	var err error
	for _, listener := range []*net.Listener{&l.API, &l.Gate} {
		if *listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return l.Gate.Addr().String()
}

// TestGateTLS serves the gate with a certificate, and changes it by a reload.
func TestGateTLS(t *testing.T) {
	dir := folder(t)
	pool := certificate(t, dir, "first")
	text := base + strings.Replace(gated, "drain_window", "tls: {certificate: cert.pem, key: key.pem}, drain_window", 1)
	a, _ := start(t, dir, text)
	address := serveGated(t, a)
	if got := gatePeer(t, address, pool); got != "first" {
		t.Errorf("certificate %s", got)
	}
	pool = certificate(t, dir, "second")
	if err := a.Reload(parse(t, dir, text)); err != nil {
		t.Fatal(err)
	}
	if got := gatePeer(t, address, pool); got != "second" {
		t.Errorf("certificate after the reload %s", got)
	}
}

// gatePeer asks for what nobody may have, and returns the name in the certificate.
func gatePeer(t *testing.T, address string, pool *x509.CertPool) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	answer, err := client.Get("https://" + address + "/elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", answer.StatusCode)
	}
	return answer.TLS.PeerCertificates[0].DNSNames[0]
}

// TestGateAtReload holds what a reload of a gate may change and what it may not.
func TestGateAtReload(t *testing.T) {
	dir := folder(t)
	a, out := start(t, dir, base+gated)
	address := serveGated(t, a)
	status := func(path string) int {
		t.Helper()
		answer, err := http.Get("http://" + address + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	reload := func(from, to string) error {
		return a.Reload(parse(t, dir, base+strings.Replace(gated, from, to, 1)))
	}
	if status("/ws") != http.StatusUpgradeRequired || status("/other") != http.StatusForbidden {
		t.Errorf("/ws %d, /other %d", status("/ws"), status("/other"))
	}
	if err := reload("path: /ws", "path: /other"); err != nil || status("/ws") != http.StatusForbidden || status("/other") != http.StatusUpgradeRequired {
		t.Errorf("%v: /ws %d, /other %d", err, status("/ws"), status("/other"))
	}
	if err := reload("path: /ws", "path: /a//b"); err == nil || !strings.Contains(err.Error(), "gate.servers[0]: path: ") || status("/other") != http.StatusUpgradeRequired {
		t.Errorf("a path with two readings: %v", err)
	}
	if err := reload("path: /ws", "path: /ws, socket: {pong_wait: 5s}"); err == nil || !strings.Contains(err.Error(), "gate.servers[0]: socket.pong_wait: must be longer than ping, ") {
		t.Errorf("a pong that is awaited for less than a ping takes: %v", err)
	}
	if err := reload("close", "keep"); err != nil || !strings.Contains(out.String(), `"unchanged":"gate.stale_sockets"`) {
		t.Errorf("%v: log %s", err, out)
	}
	if err := a.Reload(parse(t, dir, base)); err != nil || !strings.Contains(out.String(), `"unchanged":"gate"`) || status("/ws") != http.StatusUpgradeRequired {
		t.Errorf("%v: log %s", err, out)
	}
}

// TestReloadIsWhole: a mistake in the gate leaves the key file as unread as all else.
func TestReloadIsWhole(t *testing.T) {
	dir := folder(t)
	a, _ := start(t, dir, base+gated)
	keys := func() string { return ask(a, "GET", "/.well-known/jwks.json").Body.String() }
	before := keys()
	if err := keyfile.Create(filepath.Join(dir, "other.json"), jws.EdDSA, time.Now()); err != nil {
		t.Fatal(err)
	}
	reload := func(path string) error {
		return a.Reload(parse(t, dir, strings.NewReplacer("keys.json", "other.json", "path: /ws", "path: "+path).Replace(base+gated)))
	}
	if err := reload("/a//b"); err == nil || keys() != before {
		t.Errorf("%v: keys %s, want %s", err, keys(), before)
	}
	if err := reload("/ws"); err != nil || keys() == before {
		t.Errorf("%v: the keys are still the former ones", err)
	}
}

// TestCheckOpensNothing holds check-config to looking.
func TestCheckOpensNothing(t *testing.T) {
	dir := folder(t)
	text := strings.Replace(base, "{type: memory}", "{type: bolt, file: store.db}", 1)
	if err := app.Check(parse(t, dir, text+gated), nil); err != nil {
		t.Error(err)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "store.db*")); len(found) > 0 {
		t.Errorf("it made %v", found)
	}
	redis := strings.Replace(base, "{type: memory}", `{type: redis, addresses: ["127.0.0.1:1"], tls: {ca: none.pem}}`, 1)
	if err := app.Check(parse(t, dir, redis), nil); err == nil || !strings.Contains(err.Error(), "store.tls.ca: open ") {
		t.Errorf("a certificate that is not there: %v", err)
	}
}
