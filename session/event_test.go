package session_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

var (
	noon    = time.Date(2026, 11, 1, 12, 0, 0, 123456000, time.UTC)
	evening = time.Date(2026, 11, 1, 18, 0, 0, 0, time.UTC)
)

// goldenEvents is the wire form, which followers of other versions depend on.
var goldenEvents = []struct {
	event session.Event
	json  string
}{
	{
		session.Event{
			ID: eventID(1), Kind: session.SessionRevoked, At: noon, Player: ann, Session: "sid-1", Upstream: "sid:origin-1",
			Reason: "signed out", Expires: evening,
		},
		`{"id":"01900000-0000-7000-8000-000000000001","kind":"session_revoked","at":"2026-11-01T12:00:00.123456Z",` +
			`"player":{"realm":"main","subject":"ann"},"session":"sid-1","upstream":"sid:origin-1","reason":"signed out","expires":"2026-11-01T18:00:00Z"}`,
	},
	{
		session.Event{ID: eventID(2), Kind: session.PlayerCutOff, At: noon, Player: ann, Expires: evening},
		`{"id":"01900000-0000-7000-8000-000000000002","kind":"player_cut_off","at":"2026-11-01T12:00:00.123456Z",` +
			`"player":{"realm":"main","subject":"ann"},"expires":"2026-11-01T18:00:00Z"}`,
	},
	{
		session.Event{ID: eventID(3), Kind: session.PlayerBanned, At: noon, Player: ann, Reason: "cheating"},
		`{"id":"01900000-0000-7000-8000-000000000003","kind":"player_banned","at":"2026-11-01T12:00:00.123456Z",` +
			`"player":{"realm":"main","subject":"ann"},"reason":"cheating"}`,
	},
	{
		session.Event{ID: eventID(4), Kind: session.PlayerBanned, Player: ann, Until: evening, Expires: evening.Add(time.Hour)},
		`{"id":"01900000-0000-7000-8000-000000000004","kind":"player_banned",` +
			`"player":{"realm":"main","subject":"ann"},"until":"2026-11-01T18:00:00Z","expires":"2026-11-01T19:00:00Z"}`,
	},
	{
		session.Event{ID: eventID(5), Kind: session.PlayerUnbanned, At: noon, Player: ann, Expires: evening},
		`{"id":"01900000-0000-7000-8000-000000000005","kind":"player_unbanned","at":"2026-11-01T12:00:00.123456Z",` +
			`"player":{"realm":"main","subject":"ann"},"expires":"2026-11-01T18:00:00Z"}`,
	},
	{
		session.Event{ID: eventID(6), Kind: session.UpstreamRevoked, At: noon, Player: identity.Player{Realm: "main"}, Upstream: "sid:u", Expires: evening},
		`{"id":"01900000-0000-7000-8000-000000000006","kind":"upstream_revoked","at":"2026-11-01T12:00:00.123456Z",` +
			`"player":{"realm":"main","subject":""},"upstream":"sid:u","expires":"2026-11-01T18:00:00Z"}`,
	},
	{
		session.Event{ID: eventID(7), Kind: session.PlayerAlias, At: noon, Player: ann, Alias: "uid-1", Expires: evening},
		`{"id":"01900000-0000-7000-8000-000000000007","kind":"player_alias","at":"2026-11-01T12:00:00.123456Z",` +
			`"player":{"realm":"main","subject":"ann"},"alias":"uid-1","expires":"2026-11-01T18:00:00Z"}`,
	},
}

func TestEventJSON(t *testing.T) {
	t.Parallel()
	for _, c := range goldenEvents {
		written, err := json.Marshal(c.event)
		if err != nil || string(written) != c.json {
			t.Errorf("wrote\n%s (%v), want\n%s", written, err, c.json)
		}
		var read session.Event
		if err := json.Unmarshal([]byte(c.json), &read); err != nil || read != c.event {
			t.Errorf("read\n%+v (%v), want\n%+v", read, err, c.event)
		}
	}
}

func TestEventJSONIsInUTC(t *testing.T) {
	t.Parallel()
	east := time.FixedZone("", 5*3600)
	e := goldenEvents[0].event
	e.At, e.Expires = e.At.In(east), e.Expires.In(east)
	if written := must1(json.Marshal(e)); string(written) != goldenEvents[0].json {
		t.Errorf("wrote %s, want UTC", written)
	}
	shifted := strings.Replace(goldenEvents[0].json, "2026-11-01T18:00:00Z", "2026-11-01T23:00:00+05:00", 1)
	var read session.Event
	if err := json.Unmarshal([]byte(shifted), &read); err != nil || read != goldenEvents[0].event {
		t.Errorf("read %+v (%v), want the same event in UTC", read, err)
	}
	added := strings.Replace(goldenEvents[0].json, `"id"`, `"later_version":{"x":1},"id"`, 1)
	if err := json.Unmarshal([]byte(added), &read); err != nil {
		t.Errorf("a member that a later version may add: %v", err)
	}
}

func TestEventValidate(t *testing.T) {
	t.Parallel()
	const sessionEvent, cutOff, ban, endingBan, unban, upstream, alias = 0, 1, 2, 3, 4, 5, 6
	for _, c := range []struct {
		name   string
		from   int
		change func(*session.Event)
		text   string // "" is valid
	}{
		{"no id", cutOff, func(e *session.Event) { e.ID = "" }, "id"},
		{"upper-case id", cutOff, func(e *session.Event) { e.ID = strings.ToUpper("01900000-0000-7000-8000-00000000000a") }, "id"},
		{"no kind", cutOff, func(e *session.Event) { e.Kind = "" }, "kind"},
		{"unknown kind", cutOff, func(e *session.Event) { e.Kind = "player_frozen" }, "kind"},
		{"not stored yet", cutOff, func(e *session.Event) { e.At = time.Time{} }, ""},
		{"session of nobody", sessionEvent, func(e *session.Event) { e.Player, e.Upstream = identity.Player{}, "" }, ""},
		{"upstream without realm", sessionEvent, func(e *session.Event) { e.Player = identity.Player{} }, "player.realm"},
		{"session without session", sessionEvent, func(e *session.Event) { e.Session = "" }, "session: required"},
		{"session that does not expire", sessionEvent, func(e *session.Event) { e.Expires = time.Time{} }, "expires: required"},
		{"session with alias", sessionEvent, func(e *session.Event) { e.Alias = "a" }, "alias: not allowed"},
		{"cut-off without realm", cutOff, func(e *session.Event) { e.Player.Realm = "" }, "player.realm: required"},
		{"cut-off without subject", cutOff, func(e *session.Event) { e.Player.Subject = "" }, "player.subject: required"},
		{"cut-off with session", cutOff, func(e *session.Event) { e.Session = "s" }, "session: not allowed"},
		{"cut-off with until", cutOff, func(e *session.Event) { e.Until = evening }, "until: not allowed"},
		{"ban that expires and does not end", ban, func(e *session.Event) { e.Expires = evening }, "expires"},
		{"ban that ends and does not expire", ban, func(e *session.Event) { e.Until = evening }, "expires"},
		{"ban that expires before its end", endingBan, func(e *session.Event) { e.Expires = noon }, "expires"},
		{"ban without subject", ban, func(e *session.Event) { e.Player.Subject = "" }, "player.subject: required"},
		{"unban without end", unban, func(e *session.Event) { e.Expires = time.Time{} }, "expires: required"},
		{"upstream of a player", upstream, func(e *session.Event) { e.Player = ann }, ""},
		{"upstream without upstream", upstream, func(e *session.Event) { e.Upstream = "" }, "upstream: required"},
		{"alias without alias", alias, func(e *session.Event) { e.Alias = "" }, "alias: required"},
		{"reason of 256 bytes", cutOff, func(e *session.Event) { e.Reason = strings.Repeat("x", 256) }, ""},
		{"reason of 257 bytes", cutOff, func(e *session.Event) { e.Reason = strings.Repeat("x", 257) }, "reason"},
		{"reason of two lines", cutOff, func(e *session.Event) { e.Reason = "a\nb" }, "reason"},
		{"subject that is no UTF-8", cutOff, func(e *session.Event) { e.Player.Subject = "\xff" }, "player.subject"},
		{"alias of 1025 bytes", alias, func(e *session.Event) { e.Alias = strings.Repeat("x", 1025) }, "alias"},
		{"before 1970", cutOff, func(e *session.Event) { e.At = time.Unix(-1, 0) }, "times"},
		{"after 2106", cutOff, func(e *session.Event) { e.Expires = time.Date(2107, 1, 1, 0, 0, 0, 0, time.UTC) }, "times"},
	} {
		e := goldenEvents[c.from].event
		c.change(&e)
		err := e.Validate()
		switch {
		case c.text == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.text != "" && (!errors.Is(err, session.ErrInvalidEvent) || !strings.Contains(err.Error(), c.text)):
			t.Errorf("%s: got %v, want ErrInvalidEvent with %q", c.name, err, c.text)
		}
	}
}

// FuzzEvent: what is read as an event is valid, and written and read again it is the same.
func FuzzEvent(f *testing.F) {
	for _, c := range goldenEvents {
		f.Add([]byte(c.json))
	}
	f.Add([]byte(`{"id":"01900000-0000-7000-8000-000000000001","kind":"session_revoked","session":"\ud800","expires":"9999-12-31T23:59:60Z"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var e, again session.Event
		if err := json.Unmarshal(data, &e); err != nil || e == (session.Event{}) {
			return // null leaves the event as it was
		}
		if err := e.Validate(); err != nil {
			t.Fatalf("read an event that is not valid: %v", err)
		}
		written := must1(json.Marshal(e))
		if err := json.Unmarshal(written, &again); err != nil || again != e {
			t.Fatalf("%s was read as %+v (%v), want %+v", written, again, err, e)
		}
	})
}

func TestUpstreamOf(t *testing.T) {
	t.Parallel()
	for want, id := range map[string]*identity.Identity{
		"sid:origin-1": {Player: ann, Session: "origin-1", TokenID: "jti-1"},
		"jti:jti-1":    {Player: ann, TokenID: "jti-1"},
		"sub:ann":      {Player: ann},
		"sid:jti:1":    {Player: ann, Session: "jti:1"},
	} {
		if got := session.UpstreamOf(id); got != want {
			t.Errorf("upstream of %+v: %q, want %q", id, got, want)
		}
	}
}

func TestSessionHas(t *testing.T) {
	t.Parallel()
	s := &session.Session{Groups: []string{"admin"}, Scopes: []string{"play"}, Roles: []string{"org:member"}}
	for what, got := range map[string][2]bool{
		"group": {s.HasGroup("admin"), s.HasGroup("Admin")},
		"scope": {s.HasScope("play"), s.HasScope("pla")},
		"role":  {s.HasRole("org:member"), s.HasRole("")},
	} {
		if got != [2]bool{true, false} {
			t.Errorf("%s: has %v, want the exact one only", what, got)
		}
	}
}
