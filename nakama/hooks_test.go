package nakama

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heroiclabs/nakama-common/api"
	"github.com/heroiclabs/nakama-common/runtime"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
)

// journal is a logger that keeps what it was told.
type journal struct {
	runtime.Logger
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, format)
}

func (j *journal) Error(format string, _ ...any) { j.add("error " + format) }
func (j *journal) Warn(format string, _ ...any)  { j.add("warn " + format) }
func (j *journal) Info(format string, _ ...any)  { j.add("info " + format) }

func codeOf(t *testing.T, err error) int {
	t.Helper()
	refusal, ok := errors.AsType[*runtime.Error](err)
	if !ok {
		t.Fatalf("%v is no error of Nakama's: its text would reach the client", err)
	}
	return refusal.Code
}

func TestPanicsStayInside(t *testing.T) {
	logger := &journal{}
	hook := before("a hook", func(context.Context, runtime.Logger, *api.AccountCustom) error { panic("a token") })
	if out, err := hook(t.Context(), logger, nil, nil, &api.AccountCustom{}); out != nil || codeOf(t, err) != codeUnavailable {
		t.Errorf("a hook that panics gives %v %v", out, err)
	}
	call := rpc("an RPC", func(context.Context, runtime.Logger, string) (string, error) { panic("a token") })
	if out, err := call(t.Context(), logger, nil, nil, ""); out != "" || codeOf(t, err) != codeUnavailable {
		t.Errorf("an RPC that panics gives %q %v", out, err)
	}
	event("an event", func(context.Context, runtime.Logger) { panic("a token") })(t.Context(), logger, nil)
	if err := guarded(logger, "a follower", func() error { panic("a token") }); err == nil {
		t.Error("a follower that panics gives no error")
	}
	if len(logger.lines) != 4 || strings.Contains(strings.Join(logger.lines, " "), "a token") {
		t.Errorf("the log is %q", logger.lines)
	}
}

func TestNilRequestsAreRefused(t *testing.T) {
	hook := before("a hook", func(context.Context, runtime.Logger, *api.AccountCustom) error { return nil })
	if _, err := hook(t.Context(), &journal{}, nil, nil, nil); codeOf(t, err) != codeInvalid {
		t.Errorf("no request gives %v", err)
	}
}

func TestRefusalsBecomeFixedTexts(t *testing.T) {
	for reason, code := range map[jws.Reason]int{
		jws.Expired: codeUnauthenticated, jws.BadSignature: codeUnauthenticated, jws.Malformed: codeUnauthenticated,
		jws.Banned: codeForbidden, jws.Unavailable: codeUnavailable, connect.InvalidRequest: codeInvalid, "": codeUnavailable,
	} {
		err := asError(&jws.Refusal{Reason: reason, Got: "from the token", Want: "of the operator", Err: errors.New("of a library")})
		if got := codeOf(t, err); got != code {
			t.Errorf("%q becomes %d, want %d", reason, got, code)
		}
		for _, leak := range []string{"from the token", "of the operator", "of a library"} {
			if strings.Contains(err.Error(), leak) {
				t.Errorf("%q: the client reads %q", reason, err)
			}
		}
	}
}

func TestTokenOf(t *testing.T) {
	for what, c := range map[string]struct {
		account *api.AccountCustom
		token   string
		err     error
	}{
		"no account":         {nil, "", errNoToken},
		"nothing":            {&api.AccountCustom{}, "", errNoToken},
		"the id":             {&api.AccountCustom{Id: "a.b.c"}, "a.b.c", nil},
		"the variable":       {&api.AccountCustom{Id: "any-id", Vars: map[string]string{"token": "a.b.c"}}, "a.b.c", nil},
		"the same twice":     {&api.AccountCustom{Id: "a.b.c", Vars: map[string]string{"token": "a.b.c"}}, "a.b.c", nil},
		"two that disagree":  {&api.AccountCustom{Id: "a.b.d", Vars: map[string]string{"token": "a.b.c"}}, "", errTwoTokens},
		"the variable alone": {&api.AccountCustom{Vars: map[string]string{"token": "a.b.c"}}, "a.b.c", nil},
	} {
		if token, err := tokenOf(c.account); token != c.token || err != c.err {
			t.Errorf("%s: %q %v", what, token, err)
		}
	}
}

func TestSeal(t *testing.T) {
	k, err := newSealer("a key")
	if err != nil {
		t.Fatal(err)
	}
	want := stamp{
		door: "custom", player: identity.Player{Realm: "players", Subject: "alice"}, playerID: "id", upstream: "sid:1", login: "login",
		identity: time.Unix(1, 0).UTC(), auth: time.Unix(2, 0).UTC(), at: time.Unix(3, 0).UTC(),
	}
	vars := k.vars(want)
	if got, ok := k.open(vars); !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("opened: %+v %v", got, ok)
	}
	other, _ := newSealer("another key")
	if _, ok := other.open(vars); ok {
		t.Error("a seal by another key opens")
	}
	for name := range vars {
		changed := k.vars(want)
		changed[name] += "x"
		if _, ok := k.open(changed); ok {
			t.Errorf("%s can be changed", name)
		}
		delete(changed, name)
		if _, ok := k.open(changed); ok {
			t.Errorf("%s can be left out", name)
		}
	}
	added := k.vars(want)
	added["role"] = "admin"
	if _, ok := k.open(added); ok {
		t.Error("a variable can be added")
	}
	if _, ok := k.open(nil); ok {
		t.Error("no variables open")
	}
}

func TestDoors(t *testing.T) {
	d, err := newDoors("sallyport_authenticate", []string{"device:existing", "steam"}, true)
	if err != nil || !d.open["device"] || !d.existing["device"] || !d.open["steam"] || d.existing["steam"] || d.open["email"] {
		t.Errorf("doors: %+v %v", d, err)
	}
	for _, bad := range []string{"custom", "devices", "device:new", ""} {
		if _, err := newDoors("sallyport_link", []string{bad}, true); err == nil {
			t.Errorf("%q is a door", bad)
		}
	}
	if _, err := newDoors("sallyport_link", []string{"device:existing"}, false); err == nil {
		t.Error("a link can be for existing accounts")
	}
	m := &module{now: time.Now, ledger: followedLedger(t)}
	hook := authenticate(m, d, "device", func(in *api.AuthenticateDeviceRequest) *entry {
		return &entry{&in.Account.Vars, &in.Username, func() { in.Create = zero(in.Create) }}
	})
	out, err := hook(t.Context(), &journal{}, nil, nil, &api.AuthenticateDeviceRequest{
		Account: &api.AccountDevice{Vars: map[string]string{"role": "admin"}}, Username: "Admin",
	})
	if err != nil || out.Username != "" || out.Account.Vars["role"] != "" || out.Create == nil || out.Create.GetValue() {
		t.Errorf("an open door for existing accounts lets in %v %v", out, err)
	}
}

func TestRecentForgetsTheOldest(t *testing.T) {
	r := newRecent[int](2)
	r.put("a", 1)
	r.put("b", 2)
	r.put("b", 3)
	r.put("c", 4)
	if _, found := r.get("a"); found || len(r.entries) != 2 {
		t.Errorf("holds %v", r.entries)
	}
	if v, found := r.take("b"); !found || v != 3 {
		t.Errorf("b is %d %v", v, found)
	}
	if found := r.each(func(v int) bool { return v == 4 }); len(found) != 1 || found["c"] != 4 {
		t.Errorf("each finds %v", found)
	}
}

// TestReports shows that a report is made again until the server takes it, and what it looks like.
func TestReports(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.Path+" "+id+":"+secret+" "+string(body))
		switch len(asked) {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 3:
			close(done)
		}
	}))
	defer server.Close()
	r := newReporter(&module{
		logger: &journal{}, client: server.Client(), config: Config{Server: server.URL + "/", ClientID: "na kama", ClientSecret: "s:e"},
	}, "logouts")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { r.run(ctx); close(ended) }()
	r.add(order{action: "revoke", Session: "tid", Reason: signedOut})
	r.add(order{action: "cutoff", Realm: "players", Subject: "alice", Reason: signedOut})
	<-done
	cancel()
	<-ended
	session := `/v1/admin/revoke na+kama:s%3Ae {"session":"tid","reason":"signed out at Nakama"}`
	want := []string{session, session, `/v1/admin/cutoff na+kama:s%3Ae {"realm":"players","subject":"alice","reason":"signed out at Nakama"}`}
	if !reflect.DeepEqual(asked, want) {
		t.Errorf("the server was asked\n%q, want\n%q", asked, want)
	}
}

func TestIsUUID(t *testing.T) {
	for text, want := range map[string]bool{
		"0b0c4a5e-1d2f-4a3b-8c9d-0123456789ab": true, "0B0C4A5E-1D2F-4A3B-8C9D-0123456789AB": true, "": false,
		"0b0c4a5e-1d2f-4a3b-8c9d-0123456789a": false, "0b0c4a5e11d2f-4a3b-8c9d-0123456789ab": false, "0b0c4a5e-1d2f-4a3b-8c9d-0123456789ag": false,
	} {
		if isUUID(text) != want {
			t.Errorf("isUUID(%q) is %v", text, !want)
		}
	}
}
