package nakama_test

import (
	"fmt"
	"os"
	"strings"
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
	port, err := freePorts()
	check(t, err)
	if plugin {
		modules, env = pluginFolder(t), pluginEnv(p, fmt.Sprint("http://127.0.0.1:", port))
	}
	n := startNakama(t, modules, env)
	operator, gatePort := serveExample(t, p, n, port, plugin)
	w := world{p, nakama{port: gatePort}, startDriver(t)}
	// The plugin, which started before the server, lets nobody in until it knows what is revoked.
	w.until(t, "the first sign-in", 200, "custom", w.base(args{"account": p.login(t, "game", "carol").AccessToken, "create": true}))
	alice, token := w.signIn(t, "alice"), p.login(t, "game", "alice").AccessToken
	w.driver.refused("a forged token", "custom", 401, w.base(args{"account": token + "AAAA", "create": true}))
	w.driver.refused("a device", "device", 403, w.base(args{"account": "device-of-mallory", "create": true}))
	w.driver.refused("the takeover", "linkCustom", 403, w.as(alice, args{"account": subject(t, token)}))
	fresh := w.driver.session("refresh", w.as(alice, args{"vars": args{"role": "admin"}}))
	if fmt.Sprint(fresh.Vars) != fmt.Sprint(alice.Vars) {
		t.Errorf("a refresh changed the variables from %v to %v", alice.Vars, fresh.Vars)
	}
	bob := w.signIn(t, "bob")
	if plugin { // reported beside the sign-in
		operator.knows(t, alice.User)
		operator.knows(t, bob.User)
	}
	w.driver.must("open", w.as(alice, args{"socket": "out"}))
	w.driver.must("open", w.as(bob, args{"socket": "banned"}))
	w.driver.must("logout", w.as(alice, nil))
	w.driver.closed("out")
	began := time.Now()
	operator.order(t, "ban", fmt.Sprintf(`{"realm":"players","subject":%q}`, bob.Vars["subject"]))
	h, _ := w.driver.closed("banned")
	promptly(t, "shipped gate, plugin "+fmt.Sprint(plugin)+": from a ban", h, began)
	if h.Code != 4403 && !(plugin && h.Code == 1000) { // the plugin closes it too, and may be first
		t.Errorf("the ban closed the socket with %d %q", h.Code, h.Reason)
	}
}

// serveExample runs sallyport serve with the shipped file, in which only addresses and folders are replaced.
func serveExample(t *testing.T, p pool, n nakama, port int, plugin bool) (operator sallyport, gatePort int) {
	t.Helper()
	data, err := os.ReadFile("../../examples/nakama/sallyport.yaml")
	check(t, err)
	folder := t.TempDir()
	return serve(t, port, []string{
		"NAKAMA_ENCRYPTION_KEY=" + encryptionKey, "NAKAMA_REFRESH_ENCRYPTION_KEY=" + refreshKey, "NAKAMA_SERVER_KEY=" + serverKey,
		"SALLYPORT_NAKAMA_SECRET=" + nodeSecret, "SALLYPORT_OPERATOR_SECRET=" + operatorSecret,
	}, func(api, gate int) string {
		text := string(data)
		for _, replacement := range [][2]string{
			{"https://auth.example.com", fmt.Sprint("http://127.0.0.1:", api)},
			{"127.0.0.1:8080", fmt.Sprint("127.0.0.1:", api)},
			{"127.0.0.1:8081", fmt.Sprint("127.0.0.1:", gate)},
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
		}
		return text
	})
}
