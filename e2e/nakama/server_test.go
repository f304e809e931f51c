package nakama_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The keys of every Nakama here.
const (
	encryptionKey = "session-key-0123456789abcdef0123456789"
	refreshKey    = "refresh-key-0123456789abcdef0123456789"
	httpKey       = "http-key-0123456789abcdef"
	serverKey     = "server-key-0123456789abcdef"
)

// nakama is a running Nakama.
type nakama struct {
	*process
	port int
}

var instances atomic.Int32

// startNakama runs a Nakama with a database of its own until the test ends. With modules it loads what is there, with
// the keys of env in its runtime.env; other arguments are Nakama's.
func startNakama(t testing.TB, modules string, env map[string]string, arguments ...string) nakama {
	t.Helper()
	name := fmt.Sprintf("nakama%d", instances.Add(1))
	address := databaseAddress(t, name)
	if out, err := exec.Command(nakamaBinary(t), "migrate", "up", "--database.address", address).CombinedOutput(); err != nil {
		t.Fatalf("migrate: %v\n%s", err, out)
	}
	n, err := runNakama(t, name, address, modules, env, arguments)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func runNakama(t testing.TB, name, address, modules string, env map[string]string, arguments []string) (nakama, error) {
	t.Helper()
	all := []string{
		"--name", name, "--data_dir", filepath.Join(dir, name), "--runtime.path", modules, "--database.address", address,
		"--socket.server_key", serverKey, "--session.encryption_key", encryptionKey, "--session.refresh_encryption_key", refreshKey,
		"--runtime.http_key", httpKey, "--session.token_expiry_sec", "7200", "--logger.level", "info",
	}
	for key, value := range env {
		all = append(all, "--runtime.env", key+"="+value)
	}
	n, _, err := onPorts(t, name, append(all, arguments...))
	return n, err
}

// onPorts runs Nakama on free ports, of which it takes four, and returns that of the console too.
func onPorts(t testing.TB, name string, arguments []string) (n nakama, console int, err error) {
	t.Helper()
	binary := nakamaBinary(t)
	n.process, err = listening(func() (*process, []func() error, error) {
		if n.port, err = freePorts(-1); err != nil {
			return nil, nil, err
		}
		if console, err = freePorts(-3); err != nil {
			return nil, nil, err
		}
		p, err := launch(name, nil, binary, append(slices.Clone(arguments), "--socket.address", "127.0.0.1", "--socket.port", strconv.Itoa(n.port),
			"--console.address", "127.0.0.1", "--console.port", strconv.Itoa(console))...)
		console := fmt.Sprintf("http://127.0.0.1:%d/", console)
		return p, []func() error{answers(console), answers(n.url() + "/")}, err // the console is the last to listen
	})
	if p := n.process; p != nil {
		t.Cleanup(func() {
			p.stop(syscall.SIGTERM)
			if t.Failed() {
				t.Logf("%s wrote:\n%s", name, tail(p.output()))
			}
		})
	}
	return n, console, err
}

func (n nakama) url() string { return fmt.Sprintf("http://127.0.0.1:%d", n.port) }

func tail(text string) string {
	const most = 6000
	if len(text) > most {
		return "…" + text[len(text)-most:]
	}
	return text
}

// sallyport is a running sallyport serve.
type sallyport struct {
	*process
	url string
}

const (
	nodeID, nodeSecret         = "nakama", "node-secret-0123456789abcdef0123456789"
	operatorID, operatorSecret = "operator", "operator-secret-0123456789abcdef012345"
)

// serve runs sallyport serve until the test ends, with what configure makes of two free ports: the token API's, unless that
// is settled already, and the gate's.
func serve(t testing.TB, api int, environment []string, configure func(api, gate int) string) (s sallyport, gate int) {
	t.Helper()
	binary, file, settled := serverBinary(t), filepath.Join(t.TempDir(), "sallyport.yaml"), api
	proc, err := listening(func() (p *process, ready []func() error, err error) {
		if settled == 0 {
			if api, err = freePorts(); err != nil {
				return nil, nil, err
			}
		}
		if gate, err = freePorts(); err != nil {
			return nil, nil, err
		}
		s.url = fmt.Sprintf("http://127.0.0.1:%d", api)
		text := configure(api, gate)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return nil, nil, err
		}
		ready = append(ready, answers(s.url+"/readyz"))
		if strings.Contains(text, "\ngate:") {
			ready = append(ready, accepts(gate))
		}
		p, err = launch("sallyport", nil, "/usr/bin/env", slices.Concat(environment, []string{binary, "serve", "--config", file})...)
		return p, ready, err
	})
	if s.process = proc; proc != nil {
		t.Cleanup(func() {
			proc.stop(syscall.SIGTERM)
			if t.Failed() {
				t.Logf("sallyport wrote:\n%s", tail(proc.output()))
			}
		})
	}
	check(t, err)
	return s, gate
}

func startSallyport(t testing.TB, p pool) sallyport {
	t.Helper()
	s, _ := serve(t, 0, nil, func(api, _ int) string {
		return fmt.Sprintf(`issuer: http://127.0.0.1:%[1]d
listen: 127.0.0.1:%[1]d
store: {type: memory}
`, api) + common(p)
	})
	return s
}

// common is what the configurations of all servers here have: the pool, Nakama's keys and the callers.
func common(p pool) string {
	return fmt.Sprintf(`issuers:
  - {type: cognito, realm: players, user_pool_id: %s, client_ids: [game], uses: [access, id], endpoint: "%s"}
nakama: {realm: players, keys: [%s], refresh_keys: [%s], aliases: required}
callers:
  - {id: %s, secrets: [%s], may: [follow, revoke, alias]}
  - {id: %s, secrets: [%s], may: [revoke, ban]}
`, poolID, p.endpoint, encryptionKey, refreshKey, nodeID, nodeSecret, operatorID, operatorSecret)
}

// order is what an operator does.
func (s sallyport) order(t *testing.T, action, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/admin/"+action, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.SetBasicAuth(operatorID, operatorSecret)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		t.Fatalf("%s %s: %s", action, body, answer.Status)
	}
}

// revoke ends the session of a token, as any client may.
func (s sallyport) revoke(t *testing.T, token string) {
	t.Helper()
	answer, err := http.PostForm(s.url+"/oauth2/revoke", url.Values{"token": {token}})
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("revoke: %s", answer.Status)
	}
}

// knows waits until the server's feed tells of an id: of a session that ended, or of a user whose player it learned.
func (s sallyport) knows(t *testing.T, id any) {
	t.Helper()
	for deadline := time.Now().Add(eventTimeout); ; time.Sleep(poll) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/v1/events?after=", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(nodeID, nodeSecret)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if strings.Contains(string(body), fmt.Sprint(id)) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server does not know of %v: %s", id, body)
		}
	}
}

// pluginEnv is a runtime.env for the plugin.
func pluginEnv(p pool, server string) map[string]string {
	env := map[string]string{
		"sallyport_realm": "players", "sallyport_issuers": "cognito", "sallyport_cognito_user_pool_id": poolID,
		"sallyport_cognito_client_ids": "game", "sallyport_cognito_uses": "access", "sallyport_cognito_endpoint": p.endpoint,
		"sallyport_server": server,
	}
	if server != "none" {
		env["sallyport_client_id"], env["sallyport_client_secret"], env["sallyport_stale"] = nodeID, nodeSecret, "grace"
	}
	return env
}
