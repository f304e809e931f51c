package metrics_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/server/internal/metrics"
	"github.com/sallyport-auth/sallyport/session"
)

// watched returns metrics of a server that has everything.
func watched() *metrics.Metrics {
	m := metrics.New()
	keys := []jwks.State{{Keys: 2, Failures: 1, StaleAt: time.Unix(2000, 0)}, {Keys: 1, StaleAt: time.Unix(1000, 0)}}
	m.Watch(metrics.State{
		Ledger: func() session.LedgerState {
			return session.LedgerState{Ready: true, Failing: true, Age: 1500 * time.Millisecond, Bans: 3}
		},
		Issuers: func() []identity.IssuerState {
			return []identity.IssuerState{{Name: "cognito", Realm: "a", Ready: true, Keys: keys}, {Name: "cognito", Realm: "a"}}
		},
		Signs: func() bool { return true },
		Sockets: func() connect.RegistryState {
			return connect.RegistryState{Live: 5, Admitted: 9}
		},
		Draining: func() bool { return false },
	})
	m.SocketEnded("ws", connect.CloseBanned, 10, 20)
	m.SocketEnded("ws", "made up", 1, 2)
	m.Decision("/oauth2/token", true, "")
	m.Decision("/oauth2/token", false, jws.Banned)
	m.Decision("/oauth2/token", false, "whatever a client sends")
	return m
}

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, metrics.Path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestStates(t *testing.T) {
	text := scrape(t, watched())
	for _, want := range []string{
		`sallyport_decisions_total{allowed="false",door="/oauth2/token",reason="banned"} 1`,
		`sallyport_decisions_total{allowed="false",door="/oauth2/token",reason="other"} 1`,
		`sallyport_decisions_total{allowed="true",door="/oauth2/token",reason=""} 1`,
		`sallyport_ledger_ready 1`, `sallyport_ledger_failing 1`, `sallyport_ledger_staleness_seconds 1.5`,
		`sallyport_ledger_entries{kind="bans"} 3`,
		`sallyport_issuer_ready{entry="0",issuer="cognito",realm="a"} 1`, `sallyport_issuer_ready{entry="1",issuer="cognito",realm="a"} 0`,
		`sallyport_issuer_keys{entry="0",issuer="cognito",realm="a"} 3`,
		`sallyport_issuer_key_fetch_failures{entry="0",issuer="cognito",realm="a"} 1`,
		`sallyport_issuer_keys_stale_timestamp_seconds{entry="0",issuer="cognito",realm="a"} 1000`,
		`sallyport_sockets 5`, `sallyport_sockets_admitted_total 9`, `sallyport_sockets_ended_total{reason="banned",route="ws"} 1`,
		`sallyport_sockets_ended_total{reason="other",route="ws"} 1`, `sallyport_socket_bytes_total{from="backend",route="ws"} 22`, `sallyport_signing_key 1`, `sallyport_draining 0`,
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, "whatever") || strings.Contains(text, "made up") {
		t.Error("a label has a value of its own making")
	}
}

func TestOnlyItsPath(t *testing.T) {
	for _, path := range []string{"/", "/metrics/", "/debug/pprof/"} {
		w := httptest.NewRecorder()
		metrics.New().Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s answers %d", path, w.Code)
		}
	}
}

// TestDocumented holds the list of names in docs/operations.md against what a server tells.
func TestDocumented(t *testing.T) {
	docs, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed, told []string
	for _, match := range regexp.MustCompile("(?m)^\\| `(sallyport_[a-z_]+)").FindAllStringSubmatch(string(docs), -1) {
		listed = append(listed, match[1])
	}
	m := watched()
	_, _ = m.Counted(session.NewMemoryStore()).Get(t.Context(), "none")
	for _, match := range regexp.MustCompile(`(?m)^# TYPE (sallyport_[a-z_]+) `).FindAllStringSubmatch(scrape(t, m), -1) {
		told = append(told, match[1])
	}
	slices.Sort(listed)
	slices.Sort(told)
	if !slices.Equal(listed, told) {
		t.Errorf("docs/operations.md has\n%v\na server tells\n%v", listed, told)
	}
}

// away is a store that cannot be had.
type away struct{ metrics.Store }

func (away) Get(context.Context, string) (session.Family, error) {
	return session.Family{}, session.ErrStoreUnavailable
}

func (away) Put(ctx context.Context, _ [32]byte, _ []byte, _ time.Time) error {
	return errors.Join(session.ErrStoreUnavailable, ctx.Err())
}

// pushing is a store that pushes.
type pushing struct{ metrics.Store }

func (pushing) Follow(context.Context, func(session.Event)) error { return nil }

// TestCountedStorePushes keeps a ledger's short way to the events of a store that has one.
func TestCountedStorePushes(t *testing.T) {
	m := metrics.New()
	for _, s := range []metrics.Store{pushing{session.NewMemoryStore()}, session.NewMemoryStore()} {
		_, want := s.(session.Pusher)
		if _, got := m.Counted(s).(session.Pusher); got != want {
			t.Errorf("%T: counted it pushes: %t, want %t", s, got, want)
		}
	}
}

func TestStoreCalls(t *testing.T) {
	m := metrics.New()
	here, gone := m.Counted(session.NewMemoryStore()), m.Counted(away{})
	if _, err := here.Get(t.Context(), "none"); !errors.Is(err, session.ErrNotFound) {
		t.Error(err)
	}
	if _, err := gone.Get(t.Context(), "none"); !errors.Is(err, session.ErrStoreUnavailable) {
		t.Error(err)
	}
	left, leave := context.WithCancel(t.Context())
	leave()
	_ = gone.Put(left, [32]byte{}, nil, time.Time{})
	text := scrape(t, m)
	for _, want := range []string{
		`sallyport_store_calls_total{call="get",outcome="ok"} 1`, `sallyport_store_calls_total{call="get",outcome="error"} 1`,
		`sallyport_store_calls_total{call="put",outcome="error"} 0`, `sallyport_store_call_seconds_count{call="get"} 2`,
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}
