package connect_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

func TestRegistryConfigNamesWhatIsMissing(t *testing.T) {
	ledger := must(session.NewLedger(session.LedgerConfig{Store: session.NewMemoryStore(), Policy: session.Grace}))(t)
	good := connect.SocketRoute{Mode: connect.ReplaceOlder, Profile: connect.ProfilePlain}
	for _, c := range []struct {
		field  string
		change func(*connect.RegistryConfig)
	}{
		{"Ledger", func(c *connect.RegistryConfig) { c.Ledger = nil }},
		{"Routes", func(c *connect.RegistryConfig) { c.Routes = nil }},
		{"Stale", func(c *connect.RegistryConfig) { c.Stale = "" }},
		{"PerPlayer", func(c *connect.RegistryConfig) { c.PerPlayer = -1 }},
		{"PerPlayer", func(c *connect.RegistryConfig) { c.PerPlayer = 1025 }},
		{"Notice", func(c *connect.RegistryConfig) { c.Notice = -1 }},
		{"Notice", func(c *connect.RegistryConfig) { c.Notice = 2 * time.Hour }},
		{`Routes["arena"]: field Mode`, func(c *connect.RegistryConfig) { c.Routes["arena"] = connect.SocketRoute{Profile: good.Profile} }},
		{`Routes["arena"]: field Profile`, func(c *connect.RegistryConfig) { c.Routes["arena"] = connect.SocketRoute{Mode: good.Mode} }},
		{`Routes["arena"]: field PerSlot`, func(c *connect.RegistryConfig) {
			c.PerPlayer, c.Routes["arena"] = 2, connect.SocketRoute{Mode: good.Mode, Profile: good.Profile, PerSlot: 3}
		}},
	} {
		config := connect.RegistryConfig{
			Ledger: ledger, Routes: map[string]connect.SocketRoute{"arena": good}, Stale: connect.KeepSockets,
		}
		if _, err := connect.NewRegistry(config); err != nil {
			t.Fatal(err)
		}
		c.change(&config)
		if _, err := connect.NewRegistry(config); err == nil || !strings.Contains(err.Error(), "RegistryConfig."+c.field) {
			t.Errorf("%s: got the error %v", c.field, err)
		}
	}
}

func TestAdmitRefusesWhatIsNotAdmissible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{})
		ctx := context.Background()
		arena, hooks := connect.Slot{Route: "arena"}, (&peer{}).hooks()
		gone, cancel := context.WithCancel(ctx)
		cancel()
		change := func(f func(*session.Session)) *session.Session {
			s := sessionOf(1)
			f(s)
			return s
		}
		for name, try := range map[string]func() (*connect.Socket, error){
			"a request that ended": func() (*connect.Socket, error) { return d.registry.Admit(gone, sessionOf(1), arena, hooks) },
			"no session":           func() (*connect.Socket, error) { return d.registry.Admit(ctx, nil, arena, hooks) },
			"no player": func() (*connect.Socket, error) {
				return d.registry.Admit(ctx, change(func(s *session.Session) { s.Player = identity.Player{} }), arena, hooks)
			},
			"no id": func() (*connect.Socket, error) {
				return d.registry.Admit(ctx, change(func(s *session.Session) { s.ID = "" }), arena, hooks)
			},
			"no expiry": func() (*connect.Socket, error) {
				return d.registry.Admit(ctx, change(func(s *session.Session) { s.Expiry = time.Time{} }), arena, hooks)
			},
			"expired now": func() (*connect.Socket, error) {
				return d.registry.Admit(ctx, change(func(s *session.Session) { s.Expiry = time.Now() }), arena, hooks)
			},
			"unlisted route": func() (*connect.Socket, error) {
				return d.registry.Admit(ctx, sessionOf(1), connect.Slot{Route: "nowhere"}, hooks)
			},
			"long name": func() (*connect.Socket, error) {
				return d.registry.Admit(ctx, sessionOf(1), connect.Slot{Route: "arena", Name: strings.Repeat("x", 256)}, hooks)
			},
			"no hook": func() (*connect.Socket, error) { return d.registry.Admit(ctx, sessionOf(1), arena, connect.Hooks{}) },
		} {
			if socket, err := try(); socket != nil || err == nil || d.live() != 0 {
				t.Errorf("%s: got a socket %v, the error %v, %d live", name, socket != nil, err, d.live())
			}
		}
	})
}

func TestAdmitRefusesWhatIsRevoked(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		revoke func(*session.Ledger, *session.Session) error
		want   connect.CloseReason
	}{
		"session": {func(l *session.Ledger, s *session.Session) error { return l.RevokeSession(ctx, s, "") }, connect.CloseRevoked},
		"cut-off": {func(l *session.Ledger, s *session.Session) error { return l.CutOff(ctx, s.Player, "") }, connect.CloseRevoked},
		"ban": {func(l *session.Ledger, s *session.Session) error {
			return l.Ban(ctx, s.Player, "cheating", time.Now().Add(time.Hour))
		}, connect.CloseBanned},
		"upstream": {func(l *session.Ledger, s *session.Session) error {
			return l.RevokeUpstream(ctx, s.Player.Realm, s.Upstream, "")
		}, connect.CloseRevoked},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDoor(t, connect.RegistryConfig{})
				_, before := d.admit(sessionOf(1), "arena", "")
				_, other := d.admit(sessionOf(2), "arena", "")
				if err := c.revoke(d.ledger, sessionOf(1)); err != nil {
					t.Fatal(err)
				}
				before.want(t, c.want)
				d.refuse(sessionOf(1), "arena", "", c.want)
				if _, err := d.registry.Renew(sessionOf(1)); connect.CloseReasonOf(err) != c.want {
					t.Errorf("Renew: %v", err)
				}
				other.want(t)
				if d.live() != 1 {
					t.Errorf("%d sockets are live, want the other player's", d.live())
				}
			})
		})
	}
}

// TestEventsEndWhatTheLedgerRefuses holds the registry's reading of each event against the ledger's.
func TestEventsEndWhatTheLedgerRefuses(t *testing.T) {
	ctx := context.Background()
	events := map[string]func(*session.Ledger) error{
		"cut-off":      func(l *session.Ledger) error { return l.CutOff(ctx, player(1), "") },
		"ban":          func(l *session.Ledger) error { return l.Ban(ctx, player(1), "", time.Time{}) },
		"ban in past":  func(l *session.Ledger) error { return l.Ban(ctx, player(1), "", time.Now().Add(-time.Hour)) },
		"unban":        func(l *session.Ledger) error { return l.Unban(ctx, player(1)) },
		"session":      func(l *session.Ledger) error { return l.RevokeSession(ctx, sessionOf(1), "") },
		"upstream":     func(l *session.Ledger) error { return l.RevokeUpstream(ctx, "players", "upstream-1", "") },
		"other realm":  func(l *session.Ledger) error { return l.RevokeUpstream(ctx, "staff", "upstream-1", "") },
		"other player": func(l *session.Ledger) error { return l.CutOff(ctx, player(2), "") },
	}
	hour := time.Hour
	sessions := map[string]func(*session.Session){
		"issued before":       func(s *session.Session) { s.IssuedAt = s.IssuedAt.Add(-hour) },
		"issued now":          func(*session.Session) {},
		"issued later":        func(s *session.Session) { s.IssuedAt = s.IssuedAt.Add(time.Second) },
		"started before":      func(s *session.Session) { s.IssuedAt, s.Started = s.IssuedAt.Add(hour), s.IssuedAt.Add(-hour) },
		"signed in before":    func(s *session.Session) { s.IssuedAt, s.AuthTime = s.IssuedAt.Add(hour), s.IssuedAt.Add(-hour) },
		"without iat":         func(s *session.Session) { s.IssuedAt = time.Time{} },
		"without upstream":    func(s *session.Session) { s.Upstream = "" },
		"of the other player": func(s *session.Session) { s.Player = player(2) },
	}
	for event, write := range events {
		for name, change := range sessions {
			synctest.Test(t, func(t *testing.T) {
				d := newDoor(t, connect.RegistryConfig{})
				s := sessionOf(1)
				change(s)
				_, p := d.admit(s, "arena", "")
				if err := write(d.ledger); err != nil {
					t.Fatal(err)
				}
				want := d.ledger.CheckSession(s)
				switch got := p.reasons(); {
				case want == nil && len(got) == 0:
				case len(got) == 1 && got[0] == connect.CloseReasonOf(want):
				default:
					t.Errorf("%s, %s: the socket was told %v, the ledger says %v", event, name, got, want)
				}
			})
		}
	}
}

func TestBanEndsAtTheSecondOfTheEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{})
		_, p := d.admit(sessionOf(1), "arena", "")
		if err := d.ledger.Ban(context.Background(), player(1), "", time.Now().Add(time.Nanosecond)); err != nil {
			t.Fatal(err)
		}
		p.want(t, connect.CloseBanned)
	})
}

func TestExpiryEndsASocketAtItsSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{})
		s := sessionOf(1)
		socket, p := d.admit(s, "arena", "")
		_, other := d.admit(sessionOf(2), "arena", "")
		if !socket.Expiry().Equal(s.Expiry) || socket.Slot() != (connect.Slot{Route: "arena"}) {
			t.Errorf("got expiry %v, slot %v", socket.Expiry(), socket.Slot())
		}
		time.Sleep(10*time.Minute - 1) // the bubble's time, which does not take any
		p.want(t)
		if _, ended := socket.Ended(); ended {
			t.Error("ended before the expiry")
		}
		time.Sleep(time.Nanosecond)
		p.want(t, connect.CloseExpired)
		other.want(t, connect.CloseExpired)
		if !p.at[0].Equal(s.Expiry) {
			t.Errorf("ended at %v, want %v", p.at[0], s.Expiry)
		}
		want := connect.Closing{
			Reason: connect.CloseExpired, Action: connect.NewToken, Code: 4401,
			Text: "expired: refresh the session and connect with the new token",
		}
		if p.closed[0] != want {
			t.Errorf("got %+v, want %+v", p.closed[0], want)
		}
		if reason, ended := socket.Ended(); !ended || reason != connect.CloseExpired {
			t.Errorf("Ended: %v, %v", reason, ended)
		}
	})
}

func TestAnExpiryBeyondTheCalendarIsNotThePast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{})
		for i, seconds := range []int64{1<<33 + 1<<30, 1 << 34, 1 << 50, math.MaxInt64 / 2} {
			s := sessionOf(i)
			s.Expiry = time.Unix(seconds, 0)
			_, p := d.admit(s, "arena", "")
			time.Sleep(24 * time.Hour)
			p.want(t)
		}
	})
}

func TestSteppedClockIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var step atomic.Int64
		d := newDoor(t, connect.RegistryConfig{Now: func() time.Time { return time.Now().Add(time.Duration(step.Load())) }})
		_, p := d.admit(sessionOf(1), "arena", "")
		synctest.Wait()
		step.Store(int64(time.Hour))
		time.Sleep(30 * time.Second)
		p.want(t, connect.CloseExpired)
	})
}

func TestSlotsAndModes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{PerPlayer: 5, Routes: map[string]connect.SocketRoute{
			"arena": {Mode: connect.ReplaceOlder, Profile: connect.ProfilePlain},
			"lobby": {Mode: connect.RefuseNewer, Profile: connect.ProfilePlain},
			"watch": {Mode: connect.ReplaceOlder, Profile: connect.ProfilePlain, PerSlot: 2},
		}})
		_, first := d.admit(sessionOf(1), "arena", "red")
		_, blue := d.admit(sessionOf(1), "arena", "blue")
		_, foreign := d.admit(sessionOf(2), "arena", "red")
		_, second := d.admit(sessionOf(1), "arena", "red")
		first.want(t, connect.CloseReplaced)

		guest, holder := d.admit(sessionOf(1), "lobby", "")
		d.refuse(sessionOf(1), "lobby", "", connect.CloseSlotTaken)
		holder.want(t)
		guest.Release()
		_, after := d.admit(sessionOf(1), "lobby", "")

		_, w1 := d.admit(sessionOf(1), "watch", "")
		_, w2 := d.admit(sessionOf(1), "watch", "")
		_, w3 := d.admit(sessionOf(1), "watch", "")
		w1.want(t, connect.CloseReplaced)
		d.refuse(sessionOf(1), "arena", "green", connect.CloseSlotTaken) // PerPlayer
		_, third := d.admit(sessionOf(1), "arena", "red")                // takes nobody's room but its own slot's
		second.want(t, connect.CloseReplaced)

		for _, p := range []*peer{blue, foreign, after, w2, w3, third} {
			p.want(t)
		}
		if d.live() != 6 {
			t.Errorf("%d live, want 6", d.live())
		}
	})
}

func TestRoutesChangeUnderLiveSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{Routes: map[string]connect.SocketRoute{
			"arena": {Mode: connect.ReplaceOlder, Profile: connect.ProfilePlain, PerSlot: 3},
			"lobby": {Mode: connect.RefuseNewer, Profile: connect.ProfileColyseus},
		}})
		_, first := d.admit(sessionOf(1), "arena", "")
		_, second := d.admit(sessionOf(1), "arena", "")
		_, third := d.admit(sessionOf(1), "arena", "")
		_, lobby := d.admit(sessionOf(1), "lobby", "")
		for name, routes := range map[string]map[string]connect.SocketRoute{
			"nil":       nil,
			"a bad one": {"lobby": {Mode: connect.ReplaceOlder, Profile: connect.ProfilePlain}, "arena": {}},
		} {
			if err := d.registry.SetRoutes(routes); err == nil {
				t.Errorf("SetRoutes took %s", name)
			}
		}
		lobby.want(t)
		if err := d.registry.SetRoutes(map[string]connect.SocketRoute{
			"arena": {Mode: connect.ReplaceOlder, Profile: connect.ProfileNakama},
			"raid":  {Mode: connect.RefuseNewer, Profile: connect.ProfilePlain},
		}); err != nil {
			t.Fatal(err)
		}
		lobby.want(t, connect.CloseRefused)
		d.refuse(sessionOf(1), "lobby", "", connect.CloseRefused)
		first.want(t)
		third.want(t)
		_, raid := d.admit(sessionOf(1), "raid", "")
		_, fourth := d.admit(sessionOf(1), "arena", "")
		for _, p := range []*peer{first, second, third} {
			p.want(t, connect.CloseReplaced)
		}
		if err := d.registry.SetRoutes(map[string]connect.SocketRoute{}); err != nil {
			t.Fatal(err)
		}
		raid.want(t, connect.CloseRefused)
		fourth.want(t, connect.CloseRefused)
	})
}

func TestCloseAndRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{})
		socket, p := d.admit(sessionOf(1), "lobby", "")
		if !socket.Close(connect.CloseSlow) || socket.Close(connect.CloseIdle) {
			t.Error("want the first Close to end the socket and the second not")
		}
		socket.Release()
		p.want(t, connect.CloseSlow)
		if p.closed[0].Code != 4010 {
			t.Errorf("code %d, want the Colyseus profile's 4010", p.closed[0].Code)
		}
		socket, p = d.admit(sessionOf(1), "lobby", "")
		socket.Release()
		socket.Release()
		if socket.Close(connect.CloseKicked) {
			t.Error("Close ended a released socket")
		}
		if reason, _ := socket.Ended(); reason != connect.CloseFinished {
			t.Errorf("a released socket ended as %s", reason)
		}
		time.Sleep(time.Hour)
		p.want(t)
	})
}

func TestReleaseForAReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{})
		for _, c := range []struct{ released, counted connect.CloseReason }{
			{connect.CloseSilent, connect.CloseSilent},
			{connect.CloseBackendLost, connect.CloseBackendLost},
			{"of one's own", connect.CloseRefused}, // a metric's label is one of a list
		} {
			socket, p := d.admit(sessionOf(1), "lobby", "")
			socket.ReleaseFor(c.released)
			socket.Release()
			if reason, _ := socket.Ended(); reason != c.counted || d.registry.State().Ended[c.counted] != 1 {
				t.Errorf("released for %q it ended as %q: %v", c.released, reason, d.registry.State().Ended)
			}
			p.want(t)
		}
		socket, p := d.admit(sessionOf(1), "lobby", "")
		socket.Close(connect.CloseKicked)
		socket.ReleaseFor(connect.CloseSlow)
		p.want(t, connect.CloseKicked)
		if ended := d.registry.State().Ended; ended[connect.CloseSlow] != 0 || ended[connect.CloseFinished] != 0 {
			t.Errorf("ended %v, want each socket once", ended)
		}
	})
}

func TestRenewExtendsTheSocketsOfASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{})
		_, red := d.admit(sessionOf(1), "arena", "red")
		_, blue := d.admit(sessionOf(1), "arena", "blue")
		otherSession := sessionOf(1)
		otherSession.ID = "session-1b"
		_, stays := d.admit(otherSession, "lobby", "")
		foreign := sessionOf(2)
		foreign.ID = "session-1"
		_, sameID := d.admit(foreign, "arena", "")

		time.Sleep(9 * time.Minute)
		renewed := sessionOf(1)
		if n, err := d.registry.Renew(renewed); n != 2 || err != nil {
			t.Fatalf("renewed %d, %v; want 2", n, err)
		}
		older := sessionOf(1)
		older.Expiry = older.Expiry.Add(-8 * time.Minute)
		if n, err := d.registry.Renew(older); n != 2 || err != nil {
			t.Fatalf("renewed %d, %v; want 2", n, err)
		}
		time.Sleep(time.Minute)
		stays.want(t, connect.CloseExpired)
		sameID.want(t, connect.CloseExpired)
		red.want(t)
		time.Sleep(9*time.Minute - 1)
		red.want(t)
		time.Sleep(time.Nanosecond)
		red.want(t, connect.CloseExpired)
		blue.want(t, connect.CloseExpired)
		if n, err := d.registry.Renew(sessionOf(1)); n != 0 || err != nil {
			t.Errorf("renewed %d ended sockets, %v", n, err)
		}
		expired := sessionOf(1)
		expired.Expiry = time.Now()
		if _, err := d.registry.Renew(expired); jws.ReasonOf(err) != jws.Expired {
			t.Errorf("Renew of an expired session: %v", err)
		}
		if _, err := d.registry.Renew(nil); err == nil {
			t.Error("Renew of nothing succeeded")
		}
	})
}

func TestSocketRenewMovesToAnotherSessionOfThePlayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		d := newDoor(t, connect.RegistryConfig{})
		socket, p := d.admit(sessionOf(1), "arena", "")
		next := sessionOf(1)
		next.ID, next.Upstream, next.Expiry = "session-next", "sid:next", next.Expiry.Add(time.Hour)
		if err := socket.Renew(next); err != nil || !socket.Expiry().Equal(next.Expiry) {
			t.Fatalf("%v, expiry %v", err, socket.Expiry())
		}
		if err := socket.Renew(sessionOf(2)); jws.ReasonOf(err) != jws.WrongUser {
			t.Errorf("Renew with another player's session: %v", err)
		}
		if err := socket.Renew(nil); err == nil {
			t.Error("Renew with no session succeeded")
		}
		// The former session is none of the socket's any more, nor is its upstream session.
		if err := errors.Join(d.ledger.RevokeSession(ctx, sessionOf(1), ""), d.ledger.RevokeUpstream(ctx, "players", "upstream-1", "")); err != nil {
			t.Fatal(err)
		}
		p.want(t)
		if err := socket.Renew(sessionOf(1)); jws.ReasonOf(err) != jws.Revoked {
			t.Errorf("Renew with a revoked session: %v", err)
		}
		if err := d.ledger.RevokeUpstream(ctx, "players", "next", ""); err != nil {
			t.Fatal(err)
		}
		p.want(t, connect.CloseRevoked)
		other := sessionOf(1)
		other.ID, other.Upstream = "session-3", ""
		if err := socket.Renew(other); !errors.Is(err, connect.ErrEnded) {
			t.Errorf("Renew of an ended socket: %v", err)
		}
	})
}

func TestRenewMovesTheTimeThatACutOffIsComparedWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{})
		_, p := d.admit(sessionOf(1), "arena", "")
		time.Sleep(time.Minute)
		renewed := sessionOf(1)
		renewed.IssuedAt = renewed.IssuedAt.Add(4 * time.Second) // clocks differ
		if _, err := d.registry.Renew(renewed); err != nil {
			t.Fatal(err)
		}
		if err := d.ledger.CutOff(context.Background(), player(1), ""); err != nil {
			t.Fatal(err)
		}
		if err := d.ledger.CheckSession(renewed); err != nil {
			t.Fatal(err)
		}
		p.want(t)
	})
}

func TestNoticeComesOnceBeforeEachExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{Notice: time.Minute})
		s := sessionOf(1)
		_, p := d.admit(s, "arena", "")
		deaf := &peer{}
		if _, err := d.registry.Admit(context.Background(), sessionOf(2), connect.Slot{Route: "arena"}, connect.Hooks{Close: deaf.close}); err != nil {
			t.Fatal(err)
		}
		told := func(want ...time.Time) {
			t.Helper()
			synctest.Wait()
			p.mu.Lock()
			defer p.mu.Unlock()
			if len(p.notices) != len(want) || len(want) > 0 && !p.notices[len(want)-1].Equal(want[len(want)-1]) {
				t.Errorf("notices %v, want %v", p.notices, want)
			}
		}
		time.Sleep(9*time.Minute - 1)
		told()
		time.Sleep(time.Nanosecond)
		told(s.Expiry)
		time.Sleep(30 * time.Second)
		renewed := sessionOf(1)
		if _, err := d.registry.Renew(renewed); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9*time.Minute - 1)
		told(s.Expiry)
		deaf.want(t, connect.CloseExpired)
		time.Sleep(time.Nanosecond)
		told(s.Expiry, renewed.Expiry)
		p.want(t)
		time.Sleep(time.Minute)
		told(s.Expiry, renewed.Expiry)
		p.want(t, connect.CloseExpired)
	})
}

func TestNoticeOfAShortSessionComesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{Notice: time.Hour})
		_, p := d.admit(sessionOf(1), "arena", "")
		p.want(t)
		if len(p.notices) != 1 {
			t.Errorf("%d notices, want 1", len(p.notices))
		}
	})
}

func TestAliasMovesASocketToItsPlayer(t *testing.T) {
	nakama := func(n int) *session.Session {
		s := sessionOf(n)
		s.Issuer, s.Upstream, s.UserID = "", "", s.Player.Subject
		return s
	}
	ctx := context.Background()
	t.Run("who is banned later", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := newDoor(t, connect.RegistryConfig{})
			_, p := d.admit(nakama(1), "arena", "")
			if err := d.ledger.Learn(ctx, "player-1", player(7)); err != nil {
				t.Fatal(err)
			}
			p.want(t)
			if list := d.registry.List(connect.SocketFilter{Player: player(7)}); len(list) != 1 {
				t.Errorf("the player has %d sockets, want 1", len(list))
			}
			if err := d.ledger.Ban(ctx, player(7), "", time.Time{}); err != nil {
				t.Fatal(err)
			}
			p.want(t, connect.CloseBanned)
		})
	})
	t.Run("who is banned or cut off already", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := newDoor(t, connect.RegistryConfig{})
			_, p1 := d.admit(nakama(1), "arena", "")
			_, p2 := d.admit(nakama(2), "arena", "")
			err := errors.Join(
				d.ledger.Ban(ctx, player(7), "", time.Time{}), d.ledger.CutOff(ctx, player(8), ""),
				d.ledger.Learn(ctx, "player-1", player(7)), d.ledger.Learn(ctx, "player-2", player(8)))
			if err != nil {
				t.Fatal(err)
			}
			p1.want(t, connect.CloseBanned)
			p2.want(t, connect.CloseRevoked)
		})
	})
	t.Run("and a ban or cut-off by the backend's id still finds it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := newDoor(t, connect.RegistryConfig{})
			_, p1 := d.admit(nakama(1), "arena", "")
			_, p2 := d.admit(nakama(2), "arena", "")
			err := errors.Join(d.ledger.Learn(ctx, "player-1", player(7)), d.ledger.Learn(ctx, "player-2", player(8)))
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(d.ledger.Ban(ctx, player(1), "", time.Time{}), d.ledger.CutOff(ctx, player(2), "")); err != nil {
				t.Fatal(err)
			}
			p1.want(t, connect.CloseBanned)
			p2.want(t, connect.CloseRevoked)
		})
	})
	t.Run("who holds the slot", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := newDoor(t, connect.RegistryConfig{})
			_, older := d.admit(nakama(1), "arena", "")
			_, holder := d.admit(nakama(7), "arena", "")
			_, newer := d.admit(nakama(2), "arena", "")
			if err := d.ledger.Learn(ctx, "player-1", player(7)); err != nil {
				t.Fatal(err)
			}
			older.want(t, connect.CloseReplaced)
			holder.want(t)
			if err := d.ledger.Learn(ctx, "player-2", player(7)); err != nil {
				t.Fatal(err)
			}
			holder.want(t, connect.CloseReplaced)
			newer.want(t)
		})
	})
	t.Run("but not one whose token names the player", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := newDoor(t, connect.RegistryConfig{})
			s := nakama(1)
			s.Issuer = service
			_, p := d.admit(s, "arena", "")
			if err := errors.Join(d.ledger.Learn(ctx, "player-1", player(7)), d.ledger.Ban(ctx, player(7), "", time.Time{})); err != nil {
				t.Fatal(err)
			}
			p.want(t)
		})
	})
}

func TestListAndKick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{})
		red, redPeer := d.admit(sessionOf(1), "arena", "red")
		_, lobby := d.admit(sessionOf(1), "lobby", "")
		other, otherPeer := d.admit(sessionOf(2), "arena", "red")
		for name, c := range map[string]struct {
			filter connect.SocketFilter
			want   int
		}{
			"all":           {connect.SocketFilter{}, 3},
			"player":        {connect.SocketFilter{Player: player(1)}, 2},
			"half a player": {connect.SocketFilter{Player: identity.Player{Realm: "players"}}, 0},
			"session":       {connect.SocketFilter{Session: "session-2"}, 1},
			"route":         {connect.SocketFilter{Route: "arena"}, 2},
			"id":            {connect.SocketFilter{ID: red.ID()}, 1},
			"both":          {connect.SocketFilter{Player: player(1), Route: "lobby"}, 1},
			"disagreeing":   {connect.SocketFilter{Player: player(1), Session: "session-2"}, 0},
		} {
			if got := len(d.registry.List(c.filter)); got != c.want {
				t.Errorf("%s: %d sockets, want %d", name, got, c.want)
			}
		}
		info := d.registry.List(connect.SocketFilter{ID: other.ID()})[0]
		s := sessionOf(2)
		want := connect.SocketInfo{
			ID: other.ID(), Player: s.Player, Session: s.ID, Slot: connect.Slot{Route: "arena", Name: "red"},
			Admitted: time.Now().UTC(), Expires: s.Expiry,
		}
		if info != want {
			t.Errorf("got %+v, want %+v", info, want)
		}
		if _, err := d.registry.Kick(connect.SocketFilter{}, connect.CloseKicked); err == nil {
			t.Error("the zero filter kicked")
		}
		if n, err := d.registry.Kick(connect.SocketFilter{Player: player(1)}, connect.CloseKicked); n != 2 || err != nil {
			t.Errorf("kicked %d, %v; want 2", n, err)
		}
		redPeer.want(t, connect.CloseKicked)
		lobby.want(t, connect.CloseKicked)
		otherPeer.want(t)
		state := d.registry.State()
		if state.Live != 1 || state.Closing != 0 || state.Admitted != 3 || state.Ended[connect.CloseKicked] != 2 || state.Draining {
			t.Errorf("state %+v", state)
		}
	})
}
