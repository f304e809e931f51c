package session

import (
	"strconv"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
)

func TestLedgerSweepsWhatExpired(t *testing.T) {
	t.Parallel()
	now := uint32(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC).Unix())
	ix := newIndex(func() uint32 { return now })
	at := time.Unix(int64(now), 0)
	events := []Event{
		{Kind: SessionRevoked, Session: "s", Upstream: "u"},
		{Kind: PlayerCutOff},
		{Kind: UpstreamRevoked, Upstream: "u"},
		{Kind: PlayerAlias, Alias: "a"},
		{Kind: PlayerBanned, Until: at.Add(time.Minute)},
	}
	for i, e := range events {
		e.Player.Realm, e.Player.Subject = "main", strconv.Itoa(i)
		e.At, e.Expires = at, at.Add(time.Hour)
		if ix.take(e) != 1 || ix.take(e) != 0 {
			t.Errorf("%s: not news once", e.Kind)
		}
	}
	ix.take(Event{Kind: PlayerAlias, Alias: "1", Player: identity.Player{Realm: "main", Subject: "9"}, At: at, Expires: at.Add(time.Hour)})
	if len(ix.known.of) != 1 {
		t.Error("the cut-off by another name is not linked")
	}
	now += 3600
	for i := range shardCount {
		ix.sweep(i)
	}
	var s LedgerState
	ix.count(&s)
	if (s != LedgerState{}) || len(ix.bans) != 0 || len(ix.known.of) != 0 || ix.known.some.Load() {
		t.Errorf("%+v and %d bans are left", s, len(ix.bans))
	}
}

// Of a ban and an unban of the same time, and of two such bans, the one that refuses longer is in force, whichever
// comes first.
func TestBanWinsATie(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	p := identity.Player{Realm: "main", Subject: "ann"}
	ban := Event{ID: "1", Kind: PlayerBanned, Player: p, At: at}
	short := Event{ID: "2", Kind: PlayerBanned, Player: p, At: at, Until: at.Add(time.Hour), Expires: at.Add(3 * time.Hour)}
	unban := Event{ID: "3", Kind: PlayerUnbanned, Player: p, At: at, Expires: at.Add(3 * time.Hour)}
	for _, c := range []struct {
		events []Event
		want   jws.Reason // two hours later
	}{
		{[]Event{ban, unban}, jws.Banned},
		{[]Event{unban, ban}, jws.Banned},
		{[]Event{unban, ban, unban}, jws.Banned},
		{[]Event{ban, short}, jws.Banned},
		{[]Event{short, ban}, jws.Banned},
		{[]Event{short, unban}, ""},
		{[]Event{unban}, ""},
	} {
		now := floorSecond(at)
		ix := newIndex(func() uint32 { return now })
		ix.take(c.events...)
		now += 2 * 3600
		if got := jws.ReasonOf(ix.checkBan(p)); got != c.want {
			t.Errorf("%v: reason %q, want %q", c.events, got, c.want)
		}
	}
}

func TestExpiredEventIsNoNews(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	ix := newIndex(func() uint32 { return floorSecond(at) })
	if ix.take(Event{Kind: SessionRevoked, Session: "s", At: at.Add(-time.Hour), Expires: at}) != 0 || !ix.revoked.empty() {
		t.Error("an event that had expired was taken in")
	}
}

// The end of a ban comes long before its record is forgotten: a clock that ran ahead takes the mark alone.
func TestBanReadAgainIsInForceAgain(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	now := floorSecond(at)
	ix := newIndex(func() uint32 { return now })
	p := identity.Player{Realm: "main", Subject: "ann"}
	ban := Event{ID: "1", Kind: PlayerBanned, Player: p, At: at, Until: at.Add(time.Hour), Expires: at.Add(24 * time.Hour)}
	if ix.take(ban) != 1 || ix.take(ban) != 0 {
		t.Error("a ban is not news once")
	}
	now += 2 * 3600
	for i := range shardCount {
		ix.sweep(i)
	}
	if ix.take(ban) != 0 {
		t.Error("a ban that is over is news")
	}
	now -= 2 * 3600
	if !ix.clockWasSetBack() || ix.clockWasSetBack() {
		t.Error("a clock that was set back is not noticed once")
	}
	if ix.take(ban) != 1 || jws.ReasonOf(ix.checkBan(p)) != jws.Banned {
		t.Error("the ban that was read again is not in force")
	}
}
