package app_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/server/internal/app"
	"github.com/sallyport-auth/sallyport/server/internal/config"
	"github.com/sallyport-auth/sallyport/server/internal/keyfile"
	"github.com/sallyport-auth/sallyport/server/internal/logging"
	"github.com/sallyport-auth/sallyport/server/internal/strictyaml"
)

// base is a configuration whose issuer nobody reaches.
const base = `issuer: https://auth.example.com
store: {type: memory}
issuers:
  - {type: cognito, realm: players, user_pool_id: eu-central-1_Arena, client_ids: [game], uses: [access], endpoint: "http://127.0.0.1:1"}
sessions: {audiences: [{name: arena}], key_file: keys.json}
`

// full opens every path.
const full = base + `callers:
  - {id: operator, secrets: [0123456789abcdef0123456789abcdef], may: [introspect, redeem, revoke, ban, follow, alias]}
photon: {tokens: both, secrets: [0123456789abcdef]}
verify: {proxy: traefik, tokens: both, query: token, ticket: ticket, cookie: {name: s, origins: ["https://play.example.com"]}, any_group: [players], allow_anonymous: true}
cors: {origins: ["https://play.example.com"]}
clerk_webhooks: [{issuer: "https://clerk.example.com", secrets: [whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw]}]
` + gated

// gated is a gate before a game server that nobody reaches.
const gated = `gate: {listen: "127.0.0.1:0", stale_sockets: close, servers: [{type: plain, backend: "http://127.0.0.1:1", path: /ws}], drain_window: 0s}
`

const clerkAndOIDC = `  - {type: clerk, realm: clerk, issuer: "https://clerk.example.com", any_authorized_party: true, secret_key: sk_test_none, backend_url: "http://127.0.0.1:1"}
  - {type: oidc, realm: sso, issuer: "http://127.0.0.1:1", audiences: [game], jwks_url: "http://127.0.0.1:1/keys", logout: {client_ids: [game]}}
`

// everything is full with an issuer for each part.
var everything = strings.Replace(full, "sessions:", clerkAndOIDC+"sessions:", 1)

// log collects what is logged.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// folder is a folder with a key file.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := keyfile.Create(filepath.Join(dir, "keys.json"), jws.EdDSA, time.Now()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func parse(t *testing.T, dir, text string) *config.File {
	t.Helper()
	file, err := config.Parse(strictyaml.Source{Name: filepath.Join(dir, "c.yaml"), Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func start(t *testing.T, dir, text string) (*app.App, *log) {
	t.Helper()
	out, secrets := new(log), new(logging.Secrets)
	a, err := app.New(t.Context(), parse(t, dir, text), app.Options{Logger: logging.New(out, slog.LevelInfo, secrets), Secrets: secrets})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a, out
}

func ask(a http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

// TestWhoMayReach holds the table of check-config against the server itself.
func TestWhoMayReach(t *testing.T) {
	all := app.WhoMayReach(parse(t, t.TempDir(), everything))
	for name, text := range map[string]string{"base": base, "everything": everything} {
		dir := folder(t)
		a, _ := start(t, dir, text)
		listed := make(map[string]string)
		for _, r := range app.WhoMayReach(parse(t, dir, text)) {
			listed[r.Path] = r.Methods
		}
		for _, r := range all {
			method, _, _ := strings.Cut(r.Methods, ",")
			status := ask(a, method, r.Path).Code
			if _, open := listed[r.Path]; open == (status == http.StatusNotFound) || status == http.StatusMethodNotAllowed {
				t.Errorf("%s: %s %s answers %d; in the table: %v", name, method, r.Path, status, open)
			}
		}
		for _, path := range []string{"/", "/metrics", "/debug/pprof/", "/v1", "/hello"} {
			if status := ask(a, "GET", path).Code; status != http.StatusNotFound {
				t.Errorf("%s: %s answers %d", name, path, status)
			}
		}
	}
	if len(all) != 21 {
		t.Errorf("%d paths in all", len(all))
	}
}

// TestCallersAreNeeded checks that what the table calls nobody's is nobody's.
func TestCallersAreNeeded(t *testing.T) {
	a, out := start(t, folder(t), base)
	for _, path := range []string{"/oauth2/introspect", "/v1/ticket/redeem", "/v1/admin/revoke", "/v1/admin/cutoff", "/v1/admin/ban", "/v1/admin/unban", "/v1/admin/alias"} {
		if status := ask(a, "POST", path).Code; status != http.StatusForbidden {
			t.Errorf("%s answers %d", path, status)
		}
		if n := strings.Count(out.String(), `"door":"`+path+`","allowed":false`); n != 1 {
			t.Errorf("%s is logged %d times", path, n)
		}
	}
}

func TestReadyz(t *testing.T) {
	a, _ := start(t, folder(t), base)
	w := ask(a, "GET", "/readyz")
	var state struct {
		Ready    bool     `json:"ready"`
		NotReady []string `json:"not_ready"`
		Issuers  []struct {
			Name  string `json:"name"`
			Ready bool   `json:"ready"`
		} `json:"issuers"`
		Ledger struct {
			Ready bool `json:"ready"`
		} `json:"ledger"`
		Keys []struct {
			State string `json:"state"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &state); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusServiceUnavailable || state.Ready || len(state.NotReady) != 1 {
		t.Errorf("status %d, %+v", w.Code, state)
	}
	if len(state.Issuers) != 1 || state.Issuers[0].Ready || !state.Ledger.Ready || len(state.Keys) != 1 || state.Keys[0].State != "signing" {
		t.Errorf("%+v", state)
	}
}

func TestReload(t *testing.T) {
	dir := folder(t)
	a, out := start(t, dir, base)
	if err := a.Reload(parse(t, dir, everything)); err != nil {
		t.Fatal(err)
	}
	if status := ask(a, "GET", "/v1/photon").Code; status != http.StatusOK {
		t.Errorf("the new part answers %d", status)
	}

	// A key file that has become readable by others keeps everything as it was.
	if err := os.Chmod(filepath.Join(dir, "keys.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := a.Reload(parse(t, dir, base))
	if err == nil || !strings.Contains(err.Error(), "c.yaml:5:50: sessions.key_file: the key file") {
		t.Errorf("error %v", err)
	}
	if status := ask(a, "GET", "/v1/photon").Code; status != http.StatusOK {
		t.Errorf("after a failed reload the old part answers %d", status)
	}
	if err := os.Chmod(filepath.Join(dir, "keys.json"), 0o600); err != nil {
		t.Fatal(err)
	}

	changed := strings.NewReplacer("auth.example", "other.example", "key_file: keys.json", "key_file: keys.json, session_lifetime: 10d").Replace(base)
	if err := a.Reload(parse(t, dir, changed+"revocation: {stale: strict}\n")); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"unchanged":"issuer, revocation, sessions.session_lifetime"`) {
		t.Errorf("what needs a restart is not named in %s", out)
	}
	if body := ask(a, "GET", "/.well-known/oauth-authorization-server").Body.String(); !strings.Contains(body, `"issuer":"https://auth.example.com"`) {
		t.Errorf("the issuer changed: %s", body)
	}
}

// TestWarnings starts and reloads configurations that an operator must be told about.
func TestWarnings(t *testing.T) {
	dir := folder(t)
	for listen, level := range map[string]string{"127.0.0.1:8080": "INFO", "[::1]:0": "INFO", "localhost:80": "INFO", ":8080": "WARN", "0.0.0.0:80": "WARN", "10.0.0.1:80": "WARN"} {
		_, out := start(t, dir, base+"listen: \""+listen+"\"\n")
		if !strings.Contains(out.String(), `"level":"`+level+`","msg":"tls is not configured: `) {
			t.Errorf("%s: log %s", listen, out)
		}
	}
	a, out := start(t, dir, base)
	if err := a.Reload(parse(t, dir, base+"insecure_keys: true\n")); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"level":"WARN","msg":"insecure_keys is set: `) {
		t.Errorf("log %s", out)
	}
}

// TestServeTLS serves with a certificate, changes it by a reload, and shuts down.
func TestServeTLS(t *testing.T) {
	dir := folder(t)
	pool := certificate(t, dir, "first")
	a, out := start(t, dir, base+"tls: {certificate: cert.pem, key: key.pem}\n")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx, app.Listeners{API: listener}) }()

	if got := peer(t, listener.Addr().String(), pool); got != "first" {
		t.Errorf("certificate %s", got)
	}
	pool = certificate(t, dir, "second")
	if err := a.Reload(parse(t, dir, base+"tls: {certificate: cert.pem, key: key.pem}\n")); err != nil {
		t.Fatal(err)
	}
	if got := peer(t, listener.Addr().String(), pool); got != "second" {
		t.Errorf("certificate after the reload %s", got)
	}
	reloadNothing(t, a, dir)
	if got := peer(t, listener.Addr().String(), pool); got != "second" {
		t.Errorf("certificate after a reload that failed %s", got)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if !strings.Contains(out.String(), `"msg":"shutting down"`) || strings.Contains(out.String(), "plain HTTP") {
		t.Errorf("log %s", out)
	}
	if w := ask(a, "GET", "/readyz"); !strings.Contains(w.Body.String(), "the server is shutting down") {
		t.Errorf("readyz says %s", w.Body)
	}
}

// TestShutdownEndsFollowers shuts a server down while a follower waits for news, which would take 10 s.
func TestShutdownEndsFollowers(t *testing.T) {
	a, _ := start(t, folder(t), base+"callers: [{id: operator, secrets: [0123456789abcdef0123456789abcdef], may: [follow]}]\n")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx, app.Listeners{API: listener}) }()
	var batch struct{ Cursor string }
	if w := follow(a, ""); w.Code != http.StatusOK || json.Unmarshal(w.Body.Bytes(), &batch) != nil || batch.Cursor == "" {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	began := time.Now()
	stop()
	if w := follow(a, batch.Cursor); w.Code != http.StatusServiceUnavailable || time.Since(began) > 5*time.Second {
		t.Errorf("status %d after %v: %s", w.Code, time.Since(began), w.Body)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// follow asks for the events after a cursor.
func follow(a *app.App, after string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "/v1/events?after="+url.QueryEscape(after), nil)
	r.SetBasicAuth("operator", "0123456789abcdef0123456789abcdef")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

// reloadNothing reloads a good certificate with a key file in which no key signs yet, which changes neither.
func reloadNothing(t *testing.T, a *app.App, dir string) {
	t.Helper()
	certificate(t, dir, "third")
	before := ask(a, "GET", "/.well-known/jwks.json").Body.String()
	if err := keyfile.Create(filepath.Join(dir, "later.json"), jws.EdDSA, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(base, "keys.json", "later.json", 1) + "tls: {certificate: cert.pem, key: key.pem}\n"
	err := a.Reload(parse(t, dir, text))
	if err == nil || !strings.Contains(err.Error(), "sessions.key_file: ") || !strings.Contains(err.Error(), "no key of the ring signs now") {
		t.Errorf("error %v", err)
	}
	if after := ask(a, "GET", "/.well-known/jwks.json").Body.String(); after != before {
		t.Errorf("the published keys were %s, and are %s", before, after)
	}
}

// certificate writes a new certificate for 127.0.0.1 and its key, and returns who trusts it.
func certificate(t *testing.T, dir, name string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	for file, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if file == "cert.pem" {
			pool.AppendCertsFromPEM(pem.EncodeToMemory(block))
		}
	}
	return pool
}

// peer asks /livez over TLS and returns the name in the server's certificate.
func peer(t *testing.T, address string, pool *x509.CertPool) string {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Get("https://" + address + "/livez")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || string(body) != "ok\n" {
		t.Errorf("body %q, error %v", body, err)
	}
	return answer.TLS.PeerCertificates[0].DNSNames[0]
}

func TestNewRefuses(t *testing.T) {
	dir := folder(t)
	certificate(t, dir, "name")
	if err := os.WriteFile(filepath.Join(dir, "open.pem"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ text, want string }{
		"no key file":    {strings.Replace(base, "keys.json", "none.json", 1), "c.yaml:5:50: sessions.key_file: there is no key file"},
		"no certificate": {base + "tls: {certificate: none.pem, key: none.pem}\n", "c.yaml:6:20: tls.certificate: open "},
		"no TLS key":     {base + "tls: {certificate: cert.pem, key: none.pem}\n", "c.yaml:6:35: tls.key: open "},
		"open TLS key":   {base + "tls: {certificate: cert.pem, key: open.pem}\n", "open.pem has mode 0644, so others can get at its keys"},
		"another's key":  {base + "tls: {certificate: cert.pem, key: keys.json}\n", "c.yaml:6:6: tls: "},
	} {
		_, err := app.New(t.Context(), parse(t, dir, test.text), app.Options{Logger: slog.New(slog.DiscardHandler), Secrets: new(logging.Secrets)})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %s", name, err, test.want)
		}
		if err := app.Check(parse(t, dir, test.text), time.Now); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: check-config says %v, want %s", name, err, test.want)
		}
	}
	if _, err := app.New(t.Context(), parse(t, dir, base), app.Options{}); err == nil {
		t.Error("no logger, and no error")
	}
}
