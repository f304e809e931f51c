package nakama

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heroiclabs/nakama-common/api"
	"github.com/heroiclabs/nakama-common/runtime"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

const (
	someUser  = "0b0c4a5e-1d2f-4a3b-8c9d-0123456789ab"
	otherUser = "0b0c4a5e-1d2f-4a3b-8c9d-0123456789ac"
)

// fakeNakama keeps what it was told to end. What is not here panics, which is told apart from an answer.
type fakeNakama struct {
	runtime.NakamaModule
	mu     sync.Mutex
	denied []string // "USER TOKENS"
	tokens []string // the session tokens
	panics bool
}

func (f *fakeNakama) SessionLogout(userID, token, refresh string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.denied = append(f.denied, fmt.Sprintf("%s %v", userID, token != "" && refresh != ""))
	f.tokens = append(f.tokens, token)
	return nil
}

func (f *fakeNakama) SessionDisconnect(context.Context, string, ...runtime.PresenceReason) error {
	if f.panics {
		panic("a token")
	}
	return nil
}

func (f *fakeNakama) StreamUserList(uint8, string, string, string, bool, bool) ([]runtime.Presence, error) {
	return nil, nil
}

func (f *fakeNakama) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.denied...)
}

// signedInContext is what Nakama gives a hook of a user's.
type signedInContext struct {
	context.Context
	user string
}

func (c signedInContext) Value(key any) any {
	if key == runtime.RUNTIME_CTX_USER_ID {
		return c.user
	}
	return c.Context.Value(key)
}

// noDatabase refuses every connection.
type noDatabase struct{}

func (noDatabase) Connect(context.Context) (driver.Conn, error) {
	return nil, errors.New("no database")
}
func (noDatabase) Driver() driver.Driver { return nil }

// sessionConfig is Nakama's configuration of sessions.
type sessionConfig struct{ runtime.SessionConfig }

func (sessionConfig) GetEncryptionKey() string { return "session-key-0123456789abcdef0123456789" }

func (sessionConfig) GetRefreshEncryptionKey() string {
	return "refresh-key-0123456789abcdef0123456789"
}
func (sessionConfig) GetTokenExpirySec() int64        { return 7200 }
func (sessionConfig) GetRefreshTokenExpirySec() int64 { return 14400 }

// away is a feed that never answers.
type away struct{}

func (away) Since(context.Context, string) (session.Batch, error) {
	return session.Batch{}, session.ErrStoreUnavailable
}

func followedLedger(t *testing.T) *session.Ledger {
	t.Helper()
	ledger, err := session.NewLedger(session.LedgerConfig{Store: session.NewMemoryStore(), Policy: session.Available})
	if err == nil {
		err = ledger.Load(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return ledger
}

func newTestModule(t *testing.T, ledger *session.Ledger) (*module, *fakeNakama) {
	t.Helper()
	nk, db := &fakeNakama{}, sql.OpenDB(noDatabase{})
	t.Cleanup(func() { db.Close() })
	m := &module{
		config: Config{Realm: "players", Realms: []string{"players"}, Server: noServer}, logger: &journal{}, db: db, nk: nk, now: time.Now,
		started: time.Now(), ledger: ledger,
		logins: newRecent[login](10), tids: newRecent[string](10), verdicts: newRecent[verdict](10), ended: newRecent[struct{}](10),
	}
	var err error
	m.registry, err = connect.NewRegistry(connect.RegistryConfig{
		Ledger: ledger, Stale: connect.KeepSockets,
		Routes: map[string]connect.SocketRoute{socketRoute: {Mode: connect.ReplaceOlder, Profile: connect.ProfileNakama}},
	})
	if err == nil {
		err = m.openSessions(sessionConfig{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return m, nk
}

// token is a session token as Nakama makes it.
func token(t *testing.T, m *module, userID string, vars map[string]string) string {
	t.Helper()
	now := m.now().Unix()
	claims, err := json.Marshal(map[string]any{"tid": otherUser, "uid": userID, "usn": "someone", "vrs": vars, "exp": now + 600, "iat": now})
	if err != nil {
		t.Fatal(err)
	}
	text, err := m.deny.session.Sign("JWT", claims)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestLogoutWithTheServerAway shows that a logout ends a session even while it cannot be known what is revoked.
func TestLogoutWithTheServerAway(t *testing.T) {
	ledger, err := session.NewLedger(session.LedgerConfig{Feed: away{}, Policy: session.Strict})
	if err != nil {
		t.Fatal(err)
	}
	m, nk := newTestModule(t, ledger)
	text := token(t, m, someUser, m.seal.vars(stamp{door: "custom", login: newID(), at: m.now()}))
	if _, err := m.sessions.Verify(t.Context(), text); jws.ReasonOf(err) != jws.Unavailable {
		t.Fatalf("the session is verified: %v", err)
	}
	if err := m.afterLogout(t.Context(), m.logger, nil, nil, &api.SessionLogoutRequest{Token: text}); err != nil {
		t.Fatal(err)
	}
	if got := nk.all(); len(got) != 2 || got[0] != someUser+" true" || got[1] != someUser+" false" {
		t.Errorf("Nakama was told to end %q", got)
	}
}

// TestLogoutDeniesTheTokenItself is about where Nakama opens sockets: there it looks for the token among the ids.
func TestLogoutDeniesTheTokenItself(t *testing.T) {
	m, nk := newTestModule(t, followedLedger(t))
	text := token(t, m, someUser, m.seal.vars(stamp{door: "custom", login: newID(), at: m.now()}))
	if err := m.afterLogout(t.Context(), m.logger, nil, nil, &api.SessionLogoutRequest{Token: text}); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, denied := range nk.tokens {
		claims, err := base64.RawURLEncoding.DecodeString(strings.Split(denied, ".")[1])
		var c struct {
			Tid string
			Exp int64
		}
		if err == nil {
			err = json.Unmarshal(claims, &c)
		}
		if err != nil || c.Exp < m.now().Unix() {
			t.Fatalf("%s: %v", claims, err)
		}
		ids = append(ids, c.Tid)
	}
	if !slices.Equal(ids, []string{otherUser, text}) {
		t.Errorf("Nakama was told to end %q", ids)
	}
}

// TestOpenDoorsAskForBans shows that nobody who is banned by Nakama's own id, or whose account has a banned player, keeps
// a session from another door than the verified one.
func TestOpenDoorsAskForBans(t *testing.T) {
	player := identity.Player{Realm: "players", Subject: "alice"}
	for what, order := range map[string]func(*session.Ledger) error{
		"nothing": func(*session.Ledger) error { return nil },
		"a ban by Nakama's id": func(l *session.Ledger) error {
			return l.Ban(t.Context(), identity.Player{Realm: "players", Subject: someUser}, "", time.Time{})
		},
		"a ban of the account's player": func(l *session.Ledger) error {
			return errors.Join(l.Learn(t.Context(), someUser, player), l.Ban(t.Context(), player, "", time.Time{}))
		},
	} {
		ledger := followedLedger(t)
		m, nk := newTestModule(t, ledger)
		if err := order(ledger); err != nil {
			t.Fatal(err)
		}
		hook := afterSignIn[api.AuthenticateDeviceRequest](m)
		out := &api.Session{Token: token(t, m, someUser, m.seal.vars(stamp{door: "device", login: newID(), at: m.now()}))}
		if err := hook(signedInContext{t.Context(), someUser}, m.logger, nil, nil, out, nil); err != nil {
			t.Fatal(err)
		}
		if got := nk.all(); (len(got) == 1) != (what != "nothing") {
			t.Errorf("%s: Nakama was told to end %q", what, got)
		}
	}
}

func TestOpenDoorsCloseWithTheServerAway(t *testing.T) {
	ledger, err := session.NewLedger(session.LedgerConfig{Feed: away{}, Policy: session.Available})
	if err != nil {
		t.Fatal(err)
	}
	m, _ := newTestModule(t, ledger)
	d, _ := newDoors("sallyport_authenticate", []string{"device"}, true)
	hook := authenticate(m, d, "device", func(in *api.AuthenticateDeviceRequest) *entry {
		return &entry{&in.Account.Vars, &in.Username, func() {}}
	})
	if _, err := hook(t.Context(), m.logger, nil, nil, &api.AuthenticateDeviceRequest{Account: &api.AccountDevice{}}); codeOf(t, err) != codeUnavailable {
		t.Errorf("a new session with the revocations unknown: %v", err)
	}
}

// TestLateRevocations shows that a ban which comes long after it was ordered is carried out: with the policy available,
// sessions were refreshed meanwhile. One from long before the start needs nothing.
func TestLateRevocations(t *testing.T) {
	m, nk := newTestModule(t, followedLedger(t))
	ban := session.Event{Kind: session.PlayerBanned, Player: identity.Player{Realm: "players", Subject: someUser}}
	ban.At = m.now().Add(-3 * time.Hour)
	m.revoked(ban)
	if got := nk.all(); len(got) != 0 {
		t.Errorf("a ban from before the start ends %q", got)
	}
	m.started = m.now().Add(-4 * time.Hour)
	m.revoked(ban)
	if got := nk.all(); len(got) == 0 || got[0] != someUser+" false" {
		t.Errorf("a late ban ends %q", got)
	}
}

// TestSessionFromBeforeTheStart shows that Nakama's deny list, which a restart empties, gets a revoked session again if the
// revocation says whose it is.
func TestSessionFromBeforeTheStart(t *testing.T) {
	m, nk := newTestModule(t, followedLedger(t))
	at := m.now().Add(-time.Hour)
	m.revoked(session.Event{Kind: session.SessionRevoked, Session: otherUser, At: at})
	m.revoked(session.Event{Kind: session.SessionRevoked, Session: "not Nakama's", Player: identity.Player{Realm: "players", Subject: someUser}, At: at})
	if got := nk.all(); len(got) != 0 {
		t.Errorf("Nakama was told to end %q", got)
	}
	m.revoked(session.Event{Kind: session.SessionRevoked, Session: otherUser, Player: identity.Player{Realm: "players", Subject: someUser}, At: at})
	if got := nk.all(); len(got) != 1 || got[0] != someUser+" true" {
		t.Errorf("Nakama was told to end %q", got)
	}
}

// TestPanicsOfNakamaStayInside is about what runs on goroutines of ours, where a panic would end the whole of Nakama.
func TestPanicsOfNakamaStayInside(t *testing.T) {
	m, nk := newTestModule(t, followedLedger(t))
	nk.panics = true
	m.disconnect("socket")
	if lines := m.logger.(*journal).lines; len(lines) != 2 {
		t.Errorf("the log is %q", lines)
	}
}

// aliasServer is a server that answers with a status, and counts.
type aliasServer struct {
	*httptest.Server
	status, asked atomic.Int32
	body          atomic.Value
}

func newAliasServer(t *testing.T) *aliasServer {
	s := &aliasServer{}
	s.status.Store(http.StatusNoContent)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.body.Store(r.URL.Path + " " + string(body))
		s.asked.Add(1)
		w.WriteHeader(int(s.status.Load()))
	}))
	t.Cleanup(s.Close)
	return s
}

func startNaming(t *testing.T, m *module, s *aliasServer) {
	t.Helper()
	m.config.Server, m.client = s.URL, s.Client()
	m.naming = newNaming(m)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { m.naming.run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
}

// signInAs is what follows a verified sign-in.
func signInAs(t *testing.T, m *module) {
	t.Helper()
	s := stamp{door: "custom", player: identity.Player{Realm: "players", Subject: "alice"}, playerID: someUser, login: newID(), at: m.now()}
	if _, ok := m.granted(t.Context(), m.logger, &api.Session{Token: token(t, m, someUser, m.seal.vars(s))}); !ok {
		t.Fatal("the session is not granted")
	}
}

// until waits for what another goroutine does.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

func TestNaming(t *testing.T) {
	m, _ := newTestModule(t, followedLedger(t))
	s := newAliasServer(t)
	startNaming(t, m, s)
	signInAs(t, m)
	told := func() bool { _, found := m.naming.told.get(someUser); return found }
	until(t, "the server is not told", told)
	if got, want := s.body.Load(), `/v1/admin/alias {"realm":"players","subject":"alice","user_id":"`+someUser+`"}`; got != want {
		t.Errorf("the server was asked %s, want %s", got, want)
	}
	signInAs(t, m)
	if n := s.asked.Load(); n != 1 {
		t.Errorf("the server was told %d times of a player that it knows", n)
	}
	m.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	m.naming.now = m.now
	m.naming.learn(t.Context(), someUser, identity.Player{Realm: "players", Subject: "alice"})
	until(t, "the server is not told again after a time", func() bool { return s.asked.Load() == 2 })
	m.observe(session.LedgerState{})
	if told() {
		t.Error("a server that comes back is not told again")
	}
}

// TestNamingThatFails shows that sign-ins go on, that the log has one line, and that the next sign-in tells again.
func TestNamingThatFails(t *testing.T) {
	m, _ := newTestModule(t, followedLedger(t))
	s := newAliasServer(t)
	s.status.Store(http.StatusForbidden)
	startNaming(t, m, s)
	for n := range int32(5) {
		signInAs(t, m)
		until(t, "no report", func() bool { return s.asked.Load() == n+1 }) // each is tried once: 403 stays 403
	}
	s.status.Store(http.StatusNoContent)
	signInAs(t, m)
	until(t, "the server is not told", func() bool { _, found := m.naming.told.get(someUser); return found })
	lines := strings.Join(m.logger.(*journal).lines, "\n")
	if strings.Count(lines, "cannot be told") != 1 || strings.Count(lines, "is told of") != 1 {
		t.Errorf("the log is\n%s", lines)
	}
}

// TestNamingNeverBlocks fills the queue of a reporter that nobody empties.
func TestNamingNeverBlocks(t *testing.T) {
	m, _ := newTestModule(t, followedLedger(t))
	m.config.Server = "http://127.0.0.1:1"
	m.naming = newNaming(m)
	m.naming.failing.Store(true)
	for range 2 * reportsWaiting {
		signInAs(t, m)
	}
	if n := m.naming.lost.Load(); n != reportsWaiting {
		t.Errorf("%d reports were given up, want %d", n, reportsWaiting)
	}
}

// TestClientStays shows that a player's token goes to this Nakama alone.
func TestClientStays(t *testing.T) {
	var proxied atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied.Add(1) }))
	defer proxy.Close()
	self := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, proxy.URL, http.StatusTemporaryRedirect)
	}))
	defer self.Close()
	m, _ := newTestModule(t, followedLedger(t))
	m.self = self.URL
	m.client = newClient(m.self, func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) })
	if good, err := m.whoami(t.Context(), someUser, "a token"); good || err == nil {
		t.Errorf("a redirect is taken for an answer: %v %v", good, err)
	}
	if n := proxied.Load(); n != 0 {
		t.Errorf("the token went elsewhere %d times", n)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://192.0.2.1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := m.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if n := proxied.Load(); n != 1 {
		t.Errorf("the proxy of the environment got %d requests for the server, want 1", n)
	}
}
