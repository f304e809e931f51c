package session_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

const (
	feedID     = "node 1"
	feedSecret = "s3cret:with/odd+characters"
)

// feedServer serves a feed as the HTTP API does.
func feedServer(t *testing.T, feed session.Feed) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		if id != "node+1" || secret != "s3cret%3Awith%2Fodd%2Bcharacters" { // form-urlencoded, RFC 6749 section 2.3.1
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		batch, err := feed.Since(r.Context(), r.URL.Query().Get("after"))
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		if err := json.NewEncoder(w).Encode(batch); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.CloseClientConnections)
	return server
}

func newFollower(t *testing.T, url string) *session.Follower {
	t.Helper()
	f, err := session.NewFollower(session.FollowerConfig{URL: url + "/v1/events", ClientID: feedID, ClientSecret: feedSecret})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A node without a store hears over HTTP, from a node with one, of what was revoked before and while it runs.
func TestFeedEndToEnd(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	for i := range 1200 { // more than a page
		must1(n.Append(n.ctx(), session.Event{Kind: session.SessionRevoked, Session: eventID(i)}))
	}
	n.must(n.Ban(n.ctx(), ann, "cheating", time.Time{}))
	server := feedServer(t, n.Ledger)
	l := n.ledger(session.LedgerConfig{Feed: newFollower(t, server.URL), Policy: session.Available, Now: n.now})
	n.must(l.Load(n.ctx()))
	wants(t, "first", l.CheckSession(n.session(bob, eventID(0))), jws.Revoked)
	wants(t, "last", l.CheckSession(n.session(bob, eventID(1199))), jws.Revoked)
	wants(t, "banned", l.CheckIdentity(n.identity(ann, "u")), jws.Banned)

	heard := make(chan session.Event, 10)
	defer l.Subscribe(func(e session.Event) { heard <- e })()
	go l.Run(n.ctx())
	n.must(n.CutOff(n.ctx(), bob, "signed out"))
	if e := <-heard; e.Kind != session.PlayerCutOff || e.Player != bob || e.Reason != "signed out" || e.At.IsZero() {
		t.Errorf("heard %+v, want the cut-off", e)
	}
	wants(t, "cut off", l.CheckSession(n.session(bob, "s")), jws.Revoked)

	// The follower's own Since is a feed too: a chain of nodes.
	third := n.ledger(session.LedgerConfig{Feed: newFollower(t, feedServer(t, l).URL), Policy: session.Available, Now: n.now})
	n.must(third.Load(n.ctx()))
	wants(t, "cut off, third node", third.CheckSession(n.session(bob, "s")), jws.Revoked)
}

func TestFollowerRefusesWrongAnswers(t *testing.T) {
	t.Parallel()
	const leak = "SECRET-IN-THE-BODY"
	answer := func(status int, media, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			w.WriteHeader(status)
			w.Write([]byte(body))
		}
	}
	good := `{"events":[],"cursor":"1"}`
	event := `{"id":"` + eventID(1) + `","kind":"session_revoked","session":"s","at":"2026-11-01T12:00:00Z","expires":"2026-11-02T12:00:00Z"}`
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		text    string
	}{
		{"unauthorised", answer(401, "application/json", leak), "credentials (status 401)"},
		{"forbidden", answer(403, "application/json", leak), "credentials (status 403)"},
		{"unavailable", answer(503, "application/json", leak), "status 503"},
		{"not found", answer(404, "text/html", leak), "status 404"},
		{"cached", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Age", "0")
			answer(200, "application/json", good)(w, r)
		}, "cache"},
		{"another media type", answer(200, "text/html", leak), "application/json"},
		{"no JSON", answer(200, "application/json", leak), "not the JSON of a batch"},
		{"two values", answer(200, "application/json", good+good), "not the JSON of a batch"},
		{"a number for a cursor", answer(200, "application/json", `{"cursor":314159}`), "not the JSON of a batch"},
		{"no cursor", answer(200, "application/json", `{"events":[]}`), "cursor"},
		{"huge", answer(200, "application/json", strings.Repeat(" ", 2000)+good), "over 1000 bytes"},
		{"unknown kind", answer(200, "application/json", `{"events":[`+strings.Replace(event, "session_revoked", leak, 1)+`],"cursor":"1"}`), "kind: unknown"},
		{"event without at", answer(200, "application/json", `{"events":[`+strings.Replace(event, `"at"`, `"AT2"`, 1)+`],"cursor":"1"}`), "at: required"},
		{"ends early", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "100")
			w.Write([]byte(leak))
		}, "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(c.handler)
			defer server.Close()
			f := must1(session.NewFollower(session.FollowerConfig{
				URL: server.URL, ClientID: feedID, ClientSecret: feedSecret, MaxBytes: 1000,
			}))
			_, err := f.Since(t.Context(), "")
			if !errors.Is(err, session.ErrStoreUnavailable) || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("got %v, want ErrStoreUnavailable with %q", err, c.text)
			}
			for _, secret := range []string{leak, "s3cret", "314159", server.URL} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error %q tells %q", err, secret)
				}
			}
		})
	}
}

func TestFollowerDoesNotFollowRedirects(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	_, err := newFollower(t, server.URL).Since(t.Context(), "")
	if !errors.Is(err, session.ErrStoreUnavailable) || !strings.Contains(err.Error(), "status 307") {
		t.Errorf("got %v, want a refused redirect", err)
	}
	if asked.Load() != 0 {
		t.Error("the credentials went to another host")
	}
}

func TestFollowerOfNobody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	url := server.URL
	server.Close()
	_, err := newFollower(t, url).Since(t.Context(), "cursor")
	if !errors.Is(err, session.ErrStoreUnavailable) || strings.Contains(err.Error(), "after=") {
		t.Errorf("got %v, want ErrStoreUnavailable without the request's URL", err)
	}
}

func TestFollowerConfigIsChecked(t *testing.T) {
	t.Parallel()
	good := session.FollowerConfig{URL: "https://auth.example.com/v1/events", ClientID: "id", ClientSecret: "secret"}
	for _, c := range []struct {
		field  string
		change func(*session.FollowerConfig)
	}{
		{"", func(*session.FollowerConfig) {}},
		{"", func(c *session.FollowerConfig) { c.URL = "http://localhost:8080/v1/events" }},
		{"", func(c *session.FollowerConfig) { c.URL = "http://[::1]:8080/v1/events" }},
		{"", func(c *session.FollowerConfig) { c.Transport = http.DefaultTransport }},
		{"URL", func(c *session.FollowerConfig) { c.URL = "" }},
		{"URL", func(c *session.FollowerConfig) { c.URL = "http://auth.example.com/v1/events" }},
		{"URL", func(c *session.FollowerConfig) { c.URL = "http://127.0.0.1.example.com/v1/events" }},
		{"URL", func(c *session.FollowerConfig) { c.URL = "ftp://localhost/" }},
		{"URL", func(c *session.FollowerConfig) { c.URL = "https://user:pass@auth.example.com/" }},
		{"URL", func(c *session.FollowerConfig) { c.URL += "?after=1" }},
		{"URL", func(c *session.FollowerConfig) { c.URL = "://" }},
		{"ClientID", func(c *session.FollowerConfig) { c.ClientID = "" }},
		{"ClientSecret", func(c *session.FollowerConfig) { c.ClientSecret = "" }},
		{"Timeout", func(c *session.FollowerConfig) { c.Timeout = 10 * time.Second }},
		{"MaxBytes", func(c *session.FollowerConfig) { c.MaxBytes = -1 }},
	} {
		config := good
		c.change(&config)
		_, err := session.NewFollower(config)
		if c.field == "" {
			if err != nil {
				t.Errorf("%+v: %v", config.URL, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "FollowerConfig."+c.field) {
			t.Errorf("%s: got %v, want an error that names the field", c.field, err)
		}
		if err != nil && strings.Contains(err.Error(), "pass") {
			t.Errorf("the error %q tells a password", err)
		}
	}
}

// FuzzBatch: what is read as a batch is valid, and written and read again it is the same.
func FuzzBatch(f *testing.F) {
	f.Add([]byte(`{"events":[],"cursor":"x.1","reset":true}`))
	f.Add([]byte(`{"events":[` + goldenEvents[0].json + `,` + goldenEvents[2].json + `],"cursor":"x.2","more":true}`))
	f.Add([]byte(`{"events":null,"cursor":"x"}`))
	f.Add([]byte(`{"events":[{}],"cursor":"x"}`))
	f.Add([]byte(`{"cursor":7}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var b session.Batch
		if err := json.Unmarshal(data, &b); err != nil {
			return
		}
		if err := b.Validate(); err != nil {
			t.Fatalf("read a batch that is not valid: %v", err)
		}
		written := must1(json.Marshal(b))
		var again session.Batch
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatalf("wrote a batch that cannot be read: %v", err)
		}
		if !bytes.Equal(written, must1(json.Marshal(again))) {
			t.Errorf("the batch changed on its way: %s", written)
		}
	})
}
