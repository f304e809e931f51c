package nakama_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestExampleGate runs the shipped configuration of sallyport serve before a Nakama, with the plugin as it is written there,
// and without it as for a managed server.
func TestExampleGate(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"plugin", "managed"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			exampleGate(t, mode == "plugin")
		})
	}
}

func exampleGate(t *testing.T, plugin bool) {
	p := startPool(t, poolID, "", nil)
	modules, env := emptyFolder(t), map[string]string(nil)
	if plugin {
		modules, env = pluginFolder(t), pluginEnv(p, "none")
	}
	n := startNakama(t, modules, env)
	operator, gatePort := serveExample(t, p, n, plugin)
	w := world{p, nakama{port: gatePort}, startDriver(t)}
	alice, token := w.signIn(t, "alice"), p.login(t, "game", "alice").AccessToken
	w.driver.refused("a forged token", "custom", 401, w.base(args{"account": token + "AAAA", "create": true}))
	w.driver.refused("a device", "device", 403, w.base(args{"account": "device-of-mallory", "create": true}))
	w.driver.refused("the takeover", "linkCustom", 403, w.as(alice, args{"account": subject(t, token)}))
	fresh := w.driver.session("refresh", w.as(alice, args{"vars": args{"role": "admin"}}))
	if fmt.Sprint(fresh.Vars) != fmt.Sprint(alice.Vars) {
		t.Errorf("a refresh changed the variables from %v to %v", alice.Vars, fresh.Vars)
	}
	bob := w.signIn(t, "bob")
	w.driver.must("open", w.as(alice, args{"socket": "out"}))
	w.driver.must("open", w.as(bob, args{"socket": "banned"}))
	w.driver.must("logout", w.as(alice, nil))
	w.driver.closed("out")
	began := time.Now()
	body := fmt.Sprintf(`{"realm":"players","subject":%q}`, bob.Vars["subject"])
	if plugin { // the gate knows the players of its own sign-ins; those of the plugin by Nakama's id, as aliases are optional
		body = fmt.Sprintf(`{"realm":"players","subject":%q}`, bob.User)
	}
	operator.order(t, "ban", body)
	h, _ := w.driver.closed("banned")
	t.Logf("the ban closed the socket after %v with %d %q", h.at.Sub(began).Round(time.Millisecond), h.Code, h.Reason)
	if h.Code != 4403 {
		t.Errorf("the ban closed the socket with %d %q", h.Code, h.Reason)
	}
}

// serveExample runs sallyport serve with the shipped file, in which only addresses and folders are replaced.
func serveExample(t *testing.T, p pool, n nakama, plugin bool) (operator sallyport, gatePort int) {
	t.Helper()
	data, err := os.ReadFile("../../examples/nakama/sallyport.yaml")
	check(t, err)
	folder, binary := t.TempDir(), serverBinary(t)
	file := filepath.Join(folder, "sallyport.yaml")
	environment := []string{
		"NAKAMA_ENCRYPTION_KEY=" + encryptionKey, "NAKAMA_REFRESH_ENCRYPTION_KEY=" + refreshKey, "NAKAMA_SERVER_KEY=" + serverKey,
		"SALLYPORT_NAKAMA_SECRET=" + nodeSecret, "SALLYPORT_OPERATOR_SECRET=" + operatorSecret,
	}
	proc, err := listening(func() (*process, []string, error) {
		port, err := freePorts()
		if err == nil {
			gatePort, err = freePorts()
		}
		if err != nil {
			return nil, nil, err
		}
		operator.url = fmt.Sprintf("http://127.0.0.1:%d", port)
		text := string(data)
		for _, replacement := range [][2]string{
			{"https://auth.example.com", operator.url},
			{"127.0.0.1:8080", strings.TrimPrefix(operator.url, "http://")},
			{"127.0.0.1:8081", fmt.Sprint("127.0.0.1:", gatePort)},
			{"/var/lib/sallyport", folder},
			{"eu-central-1_Example12", poolID + "\n    endpoint: " + p.endpoint},
			{"1example23456789", "game"},
			{"http://127.0.0.1:7350", n.url()},
		} {
			if !strings.Contains(text, replacement[0]) {
				t.Fatalf("the example has no %q", replacement[0])
			}
			text = strings.ReplaceAll(text, replacement[0], replacement[1])
		}
		if !plugin {
			text = strings.ReplaceAll(text, "      plugin: true\n", "")
			text = strings.ReplaceAll(text, "aliases: optional", "aliases: required")
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return nil, nil, err
		}
		proc, err := launch("sallyport", nil, "/usr/bin/env", append(environment, binary, "serve", "--config", file)...)
		return proc, []string{operator.url + "/readyz"}, err
	})
	if proc != nil {
		operator.process = proc
		t.Cleanup(func() {
			proc.stop(syscall.SIGTERM)
			if t.Failed() {
				t.Logf("sallyport wrote:\n%s", tail(proc.output()))
			}
		})
	}
	check(t, err)
	check(t, proc.await(func() error {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", gatePort))
		if err == nil {
			conn.Close()
		}
		return err
	}))
	return operator, gatePort
}
