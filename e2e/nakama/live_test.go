package nakama_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

const interrupt = syscall.SIGTERM

func unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

func migrate(t *testing.T, address string) {
	t.Helper()
	if out, err := exec.Command(nakamaBinary(t), "migrate", "up", "--database.address", address).CombinedOutput(); err != nil {
		t.Fatalf("migrate: %v\n%s", err, out)
	}
}

// following starts a Nakama whose plugin follows a real server.
func following(t *testing.T, arguments ...string) (world, sallyport) {
	t.Helper()
	p := startPool(t, poolID, "", nil)
	s := startSallyport(t, p)
	return world{p, startNakama(t, pluginFolder(t), pluginEnv(p, s.url), arguments...), startDriver(t)}, s
}

// TestRevocationsEndSockets is a player's life with a server: what is ordered there ends here what it must, and nothing else.
func TestRevocationsEndSockets(t *testing.T) {
	t.Parallel()
	w, s := following(t)
	for _, order := range []struct {
		what, action, body string
		signsInAgain       bool
	}{
		{"a ban", "ban", `{"realm":"players","subject":%q,"reason":"cheating"}`, false},
		{"a cut-off", "cutoff", `{"realm":"players","subject":%q}`, true},
	} {
		user := map[string]string{"ban": "alice", "cutoff": "bob"}[order.action]
		token := w.pool.login(t, "game", user).AccessToken
		victim, bystander := w.signIn(t, user), w.signIn(t, "mallory")
		w.driver.must("open", w.as(victim, args{"socket": order.action}))
		w.driver.must("open", w.as(bystander, args{"socket": order.action + " bystander"}))
		w.settled(t, order.action)
		began := time.Now()
		s.order(t, order.action, fmt.Sprintf(order.body, subject(t, token)))
		h, _ := w.driver.closed(order.action)
		t.Logf("%s closed the socket after %v with %d %q", order.what, h.at.Sub(began).Round(time.Millisecond), h.Code, h.Reason)
		w.driver.stillOpen(order.action + " bystander")
		status := 403
		if order.signsInAgain {
			status = 401
		}
		w.driver.refused(order.what+": the identity token again", "custom", status, w.base(args{"account": token, "create": true}))
		w.driver.refused(order.what+": the refresh token", "refresh", status, w.as(victim, nil))
		w.until(t, order.what+": the session token", 401, "account", w.as(victim, nil))
		w.driver.must("account", w.as(bystander, nil))
	}
}

// settled waits until the plugin knows a socket: Nakama tells of it after it is open.
func (w world) settled(t *testing.T, socket string) {
	t.Helper()
	w.driver.must("socketRPC", args{"socket": socket, "name": "sallyport_whoami", "payload": args{}})
}

// until repeats a call until it is refused with a status.
func (w world) until(t *testing.T, what string, status int, op string, a args) {
	t.Helper()
	deadline := time.Now().Add(eventTimeout)
	for {
		r := w.driver.call(op, a)
		if r.Status == status {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%s: %s gives %d %s, want %d", what, op, r.Status, r.Error, status)
			return
		}
		time.Sleep(poll)
	}
}

// TestLogout shows what Nakama's own logout leaves open, and that the plugin closes it and tells the server.
func TestLogout(t *testing.T) {
	t.Parallel()
	w, _ := following(t)
	out, stays := w.signIn(t, "alice"), w.signIn(t, "alice")
	w.driver.must("open", w.as(out, args{"socket": "out"}))
	w.driver.must("open", w.as(stays, args{"socket": "stays"}))
	w.settled(t, "out")
	began := time.Now()
	w.driver.must("logout", args{"port": w.nakama.port, "key": serverKey, "token": out.Token}) // without the refresh token
	h, _ := w.driver.closed("out")
	t.Logf("the logout closed the socket after %v with %d %q", h.at.Sub(began).Round(time.Millisecond), h.Code, h.Reason)
	w.driver.refused("the refresh token", "refresh", 401, w.as(out, nil))
	w.driver.refused("the session token", "account", 401, w.as(out, nil))
	w.driver.stillOpen("stays")
	w.driver.must("account", w.as(stays, nil))
	if a := w.verify(t, out.Token, ""); a.Active || a.Reason != "revoked" {
		t.Errorf("sallyport_verify says %+v of a session that was logged out", a)
	}
	if a := w.verify(t, stays.Token, stays.User); !a.Active || a.UserID != stays.User {
		t.Errorf("sallyport_verify says %+v of a good session", a)
	}
	// Nakama <= 3.40.0 opens /ws with a token that was logged out (heroiclabs/nakama#2506): the plugin closes it again.
	if r := w.driver.call("open", w.as(out, args{"socket": "again"})); r.OK {
		h, _ := w.driver.closed("again")
		t.Logf("a socket by the logged-out token closed with %d %q", h.Code, h.Reason)
	}
}

// TestLogoutEverywhere is a logout without tokens, which at Nakama means all sessions.
func TestLogoutEverywhere(t *testing.T) {
	t.Parallel()
	w, _ := following(t)
	token := w.pool.login(t, "game", "alice").AccessToken
	one, two := w.signIn(t, "alice"), w.signIn(t, "alice")
	w.driver.must("open", w.as(one, args{"socket": "one"}))
	w.driver.must("open", w.as(two, args{"socket": "two"}))
	w.driver.must("logout", args{"port": w.nakama.port, "key": serverKey, "token": one.Token, "token_": ""})
	w.driver.closed("one")
	w.driver.closed("two")
	w.until(t, "the other session", 401, "account", w.as(two, nil))
	w.until(t, "the identity token from before", 401, "custom", w.base(args{"account": token, "create": true}))
}

// TestExpiry shows that a socket ends with its session, unless a refresh renewed it.
func TestExpiry(t *testing.T) {
	t.Parallel()
	w := withPlugin(t, nil, "--session.token_expiry_sec", "8")
	ends, renewed := w.signIn(t, "alice"), w.signIn(t, "bob")
	w.driver.must("open", w.as(ends, args{"socket": "ends"}))
	w.driver.must("open", w.as(renewed, args{"socket": "renewed"}))
	w.settled(t, "renewed")
	time.Sleep(3 * time.Second) // so that the renewed session outlives the other one
	w.driver.session("refresh", w.as(renewed, nil))
	h, _ := w.driver.closed("ends")
	expiry := time.Unix(int64(claims(t, ends.Token)["exp"].(float64)), 0)
	t.Logf("the socket closed %v after its session expired, with %d %q", h.at.Sub(expiry).Round(time.Millisecond), h.Code, h.Reason)
	if h.at.Before(expiry) {
		t.Errorf("the socket closed at %v, before its session expired at %v", h.at, expiry)
	}
	w.driver.stillOpen("renewed")
	w.driver.closed("renewed")
}

// TestServerAway shows that nobody new comes in once the policy's time is over.
func TestServerAway(t *testing.T) {
	t.Parallel()
	p := startPool(t, poolID, "", nil)
	s := startSallyport(t, p)
	env := pluginEnv(p, s.url)
	env["sallyport_stale"] = "strict"
	w := world{p, startNakama(t, pluginFolder(t), env), startDriver(t)}
	token := p.login(t, "game", "alice").AccessToken
	w.driver.session("custom", w.base(args{"account": token, "create": true}))
	s.stop(syscall.SIGKILL)
	w.until(t, "a sign-in without the server", 503, "custom", w.base(args{"account": token, "create": true}))
}
