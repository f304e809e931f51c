package nakama_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"
)

// world is a Nakama with its pool and a client.
type world struct {
	pool   pool
	nakama nakama
	driver *driver
}

// base are the arguments of every call: where Nakama is.
func (w world) base(more args) args {
	a := args{"port": w.nakama.port, "key": serverKey}
	for name, value := range more {
		a[name] = value
	}
	return a
}

func (w world) as(p player, more args) args {
	a := w.base(more)
	a["token"], a["refresh"] = p.Token, p.Refresh
	return a
}

// withPlugin starts a Nakama with the plugin, which follows nobody unless env says so.
func withPlugin(t *testing.T, env map[string]string, arguments ...string) world {
	t.Helper()
	p := startPool(t, poolID, "", nil)
	all := pluginEnv(p, "none")
	for key, value := range env {
		all[key] = value
	}
	return world{p, startNakama(t, pluginFolder(t), all, arguments...), startDriver(t)}
}

// signIn signs a user in by SRP and at Nakama.
func (w world) signIn(t *testing.T, username string) player {
	t.Helper()
	return w.driver.session("custom", w.base(args{"account": w.pool.login(t, "game", username).AccessToken, "create": true}))
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	w := withPlugin(t, nil)
	bob := w.pool.login(t, "game", "bob").AccessToken
	w.driver.refused("a new player who wants no account", "custom", 404, w.base(args{"account": bob, "create": false}))
	w.driver.session("custom", w.base(args{"account": bob, "create": true}))
	w.driver.session("custom", w.base(args{"account": bob, "create": false}))
	alice := w.driver.login(w.pool, "alice")
	for name, sent := range map[string]args{
		"in the id":       {"account": alice},
		"in the variable": {"account": "00000000-chosen-by-the-client", "vars": args{"token": alice, "role": "admin"}},
	} {
		sent["create"], sent["username"] = true, "chosen-by-the-client"
		s := w.driver.session("custom", w.base(sent))
		var account struct {
			CustomID string `json:"custom_id"`
			User     struct{ Username string }
		}
		decode(t, w.driver.must("account", w.as(s, nil)), &account)
		if want := subject(t, alice); account.CustomID != want {
			t.Errorf("token %s: the account has the id %q, want that of the verified player, %q", name, account.CustomID, want)
		}
		if account.User.Username == "chosen-by-the-client" || account.User.Username == "" {
			t.Errorf("token %s: the username is %q", name, account.User.Username)
		}
		if s.Vars["role"] != "" || s.Vars["token"] != "" || s.Vars["subject"] != account.CustomID || s.Vars["realm"] != "players" {
			t.Errorf("token %s: the variables are %v", name, s.Vars)
		}
	}
}

func decode(t *testing.T, r reply, v any) {
	t.Helper()
	if err := unmarshal(r.Result, v); err != nil {
		t.Fatal(err)
	}
}

// badTokens are tokens that nobody may come in with, and the status that each gets.
func badTokens(t *testing.T, p pool) map[string]string {
	good := p.login(t, "game", "alice").AccessToken
	parts := strings.Split(good, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	other := startPool(t, "local_Other", "", nil)
	past := startPool(t, poolID, p.endpoint, func() time.Time { return time.Now().Add(-3 * time.Hour) })
	elsewhere := startPool(t, poolID, "", nil) // the same name and keys at another address
	forged := strings.Replace(string(payload), subject(t, good), "00000000-0000-4000-8000-000000000000", 1)
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	return map[string]string{
		"forged":         parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(forged)) + "." + parts[2],
		"unsigned":       none + "." + parts[1] + ".",
		"expired":        past.login(t, "game", "alice").AccessToken,
		"wrong audience": p.login(t, "other", "alice").AccessToken,
		"wrong issuer":   elsewhere.login(t, "game", "alice").AccessToken,
		"other pool":     other.login(t, "game", "alice").AccessToken,
		"wrong use":      p.login(t, "game", "alice").IDToken,
		"garbage":        "not-a-token",
		"dots":           "a.b.c",
		"long garbage":   strings.Repeat("A", 9000),
	}
}

func TestBadTokens(t *testing.T) {
	t.Parallel()
	w := withPlugin(t, nil)
	for what, token := range badTokens(t, w.pool) {
		r := w.driver.refused(what, "custom", 401, w.base(args{"account": token, "create": true}))
		if strings.Contains(r.Error, token) {
			t.Errorf("%s: the answer holds the token: %s", what, r.Error)
		}
		w.driver.refused(what+" as a variable", "custom", 401, w.base(args{"account": "a-valid-looking-id", "create": true, "vars": args{"token": token}}))
	}
	w.driver.refused("no token", "custom", 400, w.base(args{"account": "", "create": true}))
	good := w.pool.login(t, "game", "alice").AccessToken
	w.driver.refused("two tokens", "custom", 400, w.base(args{"account": good, "create": true, "vars": args{"token": w.pool.login(t, "game", "bob").AccessToken}}))
	w.driver.session("custom", w.base(args{"account": good, "create": true})) // the world is sound
}

// TestTakeoverWithout shows what Nakama alone allows: whoever links a player's id first gets that player's account.
func TestTakeoverWithout(t *testing.T) {
	t.Parallel()
	w := world{startPool(t, poolID, "", nil), startNakama(t, emptyFolder(t), nil), startDriver(t)}
	victim := subject(t, w.pool.login(t, "game", "alice").AccessToken)
	attacker := w.driver.session("device", w.base(args{"account": "device-of-mallory", "create": true}))
	w.driver.must("linkCustom", w.as(attacker, args{"account": victim}))
	landed := w.driver.session("custom", w.base(args{"account": victim, "create": true}))
	if landed.User != attacker.User {
		t.Errorf("the victim landed in %s and not in the attacker's %s: Nakama has closed this, so say so in docs/nakama.md", landed.User, attacker.User)
	}
	swapped := w.driver.session("refresh", w.as(landed, args{"vars": args{"role": "admin"}}))
	if swapped.Vars["role"] != "admin" {
		t.Errorf("the variables after the refresh are %v: Nakama has closed this, so say so in docs/nakama.md", swapped.Vars)
	}
}

func TestTakeoverWithPlugin(t *testing.T) {
	t.Parallel()
	w := withPlugin(t, map[string]string{"sallyport_authenticate": "device"})
	token := w.pool.login(t, "game", "alice").AccessToken
	attacker := w.driver.session("device", w.base(args{"account": "device-of-mallory", "create": true, "username": "Admin", "vars": args{"role": "admin"}}))
	if attacker.Vars["role"] != "" || attacker.Username == "Admin" {
		t.Errorf("what the client chose survives at an open door: %v %q", attacker.Vars, attacker.Username)
	}
	w.driver.refused("the takeover", "linkCustom", 403, w.as(attacker, args{"account": subject(t, token)}))
	victim := w.driver.session("custom", w.base(args{"account": token, "create": true}))
	if victim.User == attacker.User {
		t.Error("the victim landed in the attacker's account")
	}
	w.driver.refused("an unlinked id", "unlinkCustom", 403, w.as(victim, args{"account": subject(t, token)}))
	w.driver.refused("a linked device", "linkDevice", 403, w.as(victim, args{"account": "device-of-alice"}))
	for name, p := range map[string]player{"the player": victim, "the device": attacker} {
		fresh := w.driver.session("refresh", w.as(p, args{"vars": args{"role": "admin", "subject": "somebody else"}}))
		if fmt.Sprint(fresh.Vars) != fmt.Sprint(p.Vars) {
			t.Errorf("a refresh by %s changed the variables from %v to %v", name, p.Vars, fresh.Vars)
		}
	}
	w.driver.refused("another name", "rename", 403, w.as(victim, args{"username": "Admin"}))
	var account struct{ User struct{ Username string } }
	decode(t, w.driver.must("account", w.as(victim, nil)), &account)
	if account.User.Username != victim.Username {
		t.Errorf("the client renamed itself to %q", account.User.Username)
	}
}

func TestClosedDoors(t *testing.T) {
	t.Parallel()
	w := withPlugin(t, nil)
	w.driver.refused("a device", "device", 403, w.base(args{"account": "device-of-mallory", "create": true}))
	w.driver.refused("an e-mail address", "email", 403, w.base(args{"account": "mallory@example.com", "create": true}))
}

// TestOldSessions shows that a session from before the plugin was installed does not go on with variables that its
// client chose.
func TestOldSessions(t *testing.T) {
	t.Parallel()
	w := world{startPool(t, poolID, "", nil), nakama{}, startDriver(t)}
	name := fmt.Sprintf("nakama%d", instances.Add(1))
	address := databaseAddress(t, name)
	migrate(t, address)
	var err error
	if w.nakama, err = runNakama(t, name, address, emptyFolder(t), nil, nil); err != nil {
		t.Fatal(err)
	}
	old := w.driver.session("device", w.base(args{"account": "device-of-mallory", "create": true, "vars": args{"realm": "players", "subject": "alice", "door": "custom"}}))
	w.nakama.stop(interrupt)
	if w.nakama, err = runNakama(t, name, address, pluginFolder(t), pluginEnv(w.pool, "none"), nil); err != nil {
		t.Fatal(err)
	}
	w.driver.refused("an old session", "refresh", 401, w.as(old, nil))
	w.driver.must("open", w.as(old, args{"socket": "old"}))
	if h, _ := w.driver.closed("old"); h.Code != 1000 {
		t.Errorf("the old session's socket closed with %d %s", h.Code, h.Reason)
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	w := withPlugin(t, map[string]string{"sallyport_authenticate": "device"})
	device := w.driver.session("device", w.base(args{"account": "device-of-alice", "create": true}))
	token := w.pool.login(t, "game", "alice").AccessToken
	w.driver.refused("a link by a bad token", "rpc", 401, w.as(device, args{"name": "sallyport_link", "payload": args{"token": "not-a-token"}}))
	w.driver.must("rpc", w.as(device, args{"name": "sallyport_link", "payload": args{"token": token}}))
	signedIn := w.driver.session("custom", w.base(args{"account": token, "create": true}))
	if signedIn.User != device.User {
		t.Errorf("the player has the account %s, want that of the device, %s", signedIn.User, device.User)
	}
	if again := w.driver.session("device", w.base(args{"account": "device-of-alice", "create": true})); again.User == device.User {
		t.Error("the device's id still leads to the player's account")
	}
	other := w.driver.session("device", w.base(args{"account": "device-of-mallory", "create": true}))
	w.driver.refused("a second account of the player", "rpc", 409, w.as(other, args{"name": "sallyport_link", "payload": args{"token": token}}))
	bob := w.pool.login(t, "game", "bob").AccessToken
	w.driver.refused("another player's account", "rpc", 409, w.as(signedIn, args{"name": "sallyport_link", "payload": args{"token": bob}}))
}
