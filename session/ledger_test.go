package session_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

func TestLedgerIsClosedBeforeItIsLoaded(t *testing.T) {
	t.Parallel()
	for _, policy := range []session.StalePolicy{session.Grace, session.Strict, session.Available} {
		n := newNode(t)
		l := n.ledger(session.LedgerConfig{Store: n.store, Policy: policy, Now: n.now})
		check := func(want jws.Reason) {
			t.Helper()
			wants(t, "session", l.CheckSession(n.session(ann, "s")), want)
			wants(t, "identity", l.CheckIdentity(n.identity(ann, "u")), want)
			wants(t, "family", l.CheckFamily(session.Family{Player: ann, ID: "s", CreatedAt: n.now()}), want)
			wants(t, "new", l.CheckNew(), want)
		}
		n.advance(-time.Hour) // a clock that is set back opens nothing
		check(jws.Unavailable)
		n.must(l.Load(n.ctx()))
		check("")
		if s := l.State(); !s.Loaded || !s.Ready || s.Failing || s.Resets != 1 || s.Policy != policy || !s.Contact.Equal(n.now()) {
			t.Errorf("%s: state after Load: %+v", policy, s)
		}
	}
}

func TestLogoutInTheSecondOfTheLoginCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		issued, cutOff time.Duration
		want           jws.Reason
	}{
		{0, 0, jws.Revoked},
		{0, 999 * time.Millisecond, jws.Revoked},
		{0, time.Second, jws.Revoked},
		{time.Second, 999 * time.Millisecond, ""},
		{time.Second, time.Second, jws.Revoked},
		{2 * time.Second, time.Second, ""},
	} {
		n := newNode(t)
		n.advance(c.cutOff)
		n.must(n.CutOff(n.ctx(), ann, "signed out everywhere"))
		iat := testvectors.Now.Add(c.issued)
		what := "issued " + c.issued.String() + ", cut off " + c.cutOff.String()
		wants(t, "session "+what, n.CheckSession(&session.Session{Player: ann, ID: "s", IssuedAt: iat}), c.want)
		wants(t, "identity "+what, n.CheckIdentity(&identity.Identity{Player: ann, IssuedAt: iat}), c.want)
		wants(t, "family "+what, n.CheckFamily(session.Family{Player: ann, ID: "s", CreatedAt: iat}), c.want)
		wants(t, "another player "+what, n.CheckSession(&session.Session{Player: bob, ID: "s", IssuedAt: iat}), "")
	}
}

func TestCutOffGoesByTheOldestTime(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.must(n.CutOff(n.ctx(), ann, ""))
	before, after, none := n.now().Add(-time.Hour), n.now().Add(time.Second), time.Time{}
	for _, c := range []struct {
		name                      string
		issued, started, authTime time.Time
		want                      jws.Reason
	}{
		{"all later", after, after, after, ""},
		{"only iat", after, none, none, ""},
		{"iat before", before, none, none, jws.Revoked},
		{"refreshed since, started before", after, before, none, jws.Revoked},
		{"refreshed since, signed in before", after, after, before, jws.Revoked},
		{"no iat", none, none, none, jws.Revoked},
		{"no iat, started later", none, after, after, jws.Revoked},
	} {
		s := &session.Session{Player: ann, ID: "s", IssuedAt: c.issued, Started: c.started, AuthTime: c.authTime}
		wants(t, "session: "+c.name, n.CheckSession(s), c.want)
		if c.started.IsZero() || c.started.Equal(c.issued) {
			id := &identity.Identity{Player: ann, IssuedAt: c.issued, AuthTime: c.authTime}
			wants(t, "identity: "+c.name, n.CheckIdentity(id), c.want)
		}
	}
	unknown := &session.Session{Player: bob, ID: "s"}
	wants(t, "no iat and no cut-off", n.CheckSession(unknown), "")
}

func TestBannedPlayerCannotBuyASession(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.must(n.Ban(n.ctx(), ann, "cheating", time.Time{}))
	n.must(n.CutOff(n.ctx(), ann, "and out"))
	wants(t, "identity from before", n.CheckIdentity(n.identity(ann, "u")), jws.Banned)
	wants(t, "session", n.CheckSession(n.session(ann, "s")), jws.Banned)
	wants(t, "family", n.CheckFamily(session.Family{Player: ann, ID: "s", CreatedAt: n.now()}), jws.Banned)
	n.advance(100 * 365 * 24 * time.Hour / 2)
	wants(t, "identity of half a century later", n.CheckIdentity(n.identity(ann, "u")), jws.Banned)
	wants(t, "another player", n.CheckIdentity(n.identity(bob, "u")), "")
	other := identity.Player{Realm: "other", Subject: ann.Subject}
	wants(t, "another realm", n.CheckIdentity(n.identity(other, "u")), "")
	err := n.CheckIdentity(n.identity(ann, "u"))
	var refusal *jws.Refusal
	if !errors.As(err, &refusal) || refusal.Check != jws.CheckRevocation || !strings.Contains(refusal.Want, "cheating") {
		t.Errorf("the refusal is %v, want a revocation check with the operator's reason", err)
	}
}

func TestBanEnds(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	end := n.now().Add(time.Hour + 500*time.Millisecond)
	n.must(n.Ban(n.ctx(), ann, "one hour", end))
	n.advance(time.Hour)
	err := n.CheckSession(n.session(ann, "s"))
	wants(t, "half a second before the end", err, jws.Banned)
	if !strings.Contains(err.Error(), end.UTC().Format(time.RFC3339)) {
		t.Errorf("the refusal %q does not say when the ban ends", err)
	}
	n.advance(time.Second)
	wants(t, "after the end", n.CheckSession(n.session(ann, "s")), "")
}

func TestUnbanReadmits(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	old, oldIdentity := n.session(ann, "old"), n.identity(ann, "u")
	n.must(n.Ban(n.ctx(), ann, "a mistake", time.Time{}))
	wants(t, "old session while banned", n.CheckSession(old), jws.Banned)
	n.must(n.Unban(n.ctx(), ann))
	wants(t, "old session", n.CheckSession(old), "")
	wants(t, "old identity", n.CheckIdentity(oldIdentity), "")
	wants(t, "new session", n.CheckSession(n.session(ann, "new")), "")
	n.must(n.CutOff(n.ctx(), ann, "but sign in again"))
	wants(t, "old session after a cut-off", n.CheckSession(old), jws.Revoked)
	n.must(n.Ban(n.ctx(), ann, "again", time.Time{}))
	wants(t, "banned again", n.CheckSession(n.session(ann, "new")), jws.Banned)
}

// An older ban that a node re-asserts after a fail-over must not undo what came later.
func TestLatestBanOrUnbanCounts(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.must(n.Ban(n.ctx(), ann, "first", time.Time{}))
	first := must1(n.Since(n.ctx(), "")).Events[0]
	n.advance(time.Second)
	n.must(n.Unban(n.ctx(), ann))
	again := must1(n.Append(n.ctx(), first))
	if !again.At.Equal(first.At) {
		t.Errorf("re-asserted at %v, want %v", again.At, first.At)
	}
	wants(t, "older ban after an unban", n.CheckSession(n.session(ann, "s")), "")
	n.advance(time.Second)
	n.must(n.Ban(n.ctx(), ann, "short", n.now().Add(time.Hour)))
	must1(n.Append(n.ctx(), first))
	wants(t, "a short ban", n.CheckSession(n.session(ann, "s")), jws.Banned)
	n.advance(2 * time.Hour)
	must1(n.Append(n.ctx(), first))
	wants(t, "older ban without end after a short one", n.CheckSession(n.session(ann, "s")), "")
}

func TestRevokedUpstreamCannotBuyASession(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	mine := n.identity(ann, "origin-1")
	made := n.session(ann, "s")
	made.Upstream = session.UpstreamOf(mine)
	n.must(n.RevokeUpstream(n.ctx(), "main", "origin-1", "stolen phone"))
	wants(t, "identity from before", n.CheckIdentity(mine), jws.Revoked)
	wants(t, "session made from it", n.CheckSession(made), jws.Revoked)
	wants(t, "family made from it", n.CheckFamily(session.Family{Player: ann, ID: "s", Upstream: made.Upstream, CreatedAt: n.now()}), jws.Revoked)
	n.advance(24 * time.Hour)
	wants(t, "identity renewed a day later", n.CheckIdentity(n.identity(ann, "origin-1")), jws.Revoked)
	wants(t, "another upstream session", n.CheckIdentity(n.identity(ann, "origin-2")), "")
	other := identity.Player{Realm: "other", Subject: "ann"}
	wants(t, "the same id in another realm", n.CheckIdentity(n.identity(other, "origin-1")), "")
	n.must(n.RevokeUpstream(n.ctx(), "other", session.UpstreamOf(mine), "by its key"))
	wants(t, "revoked by its key", n.CheckIdentity(n.identity(other, "origin-1")), jws.Revoked)
	if err := n.RevokeUpstream(n.ctx(), "main", "", ""); err == nil {
		t.Error("the revocation of no upstream session was acknowledged")
	}
}

func TestLogoutCutsOffItsUpstreamTokens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		used  identity.Identity
		other identity.Identity // a token that must go on
	}{
		{"session id", identity.Identity{Session: "u", TokenID: "1"}, identity.Identity{Session: "v", TokenID: "1"}},
		{"token id", identity.Identity{TokenID: "1"}, identity.Identity{TokenID: "2"}},
		{"neither", identity.Identity{}, identity.Identity{TokenID: "1"}},
	} {
		n := newNode(t)
		c.used.Player, c.used.IssuedAt = ann, n.now()
		c.other.Player, c.other.IssuedAt = ann, n.now()
		first, second := n.session(ann, "first"), n.session(ann, "second")
		first.Upstream = session.UpstreamOf(&c.used)
		second.Upstream = first.Upstream
		n.must(n.RevokeSession(n.ctx(), first, "signed out"))
		wants(t, c.name+": the session", n.CheckSession(first), jws.Revoked)
		wants(t, c.name+": its family", n.CheckFamily(session.Family{Player: ann, ID: "first", CreatedAt: n.now()}), jws.Revoked)
		wants(t, c.name+": the token it was bought with", n.CheckIdentity(&c.used), jws.Revoked)
		wants(t, c.name+": another session of the same sign-in", n.CheckSession(second), "")
		wants(t, c.name+": another token", n.CheckIdentity(&c.other), "")
		c.used.IssuedAt = n.now().Add(time.Second)
		wants(t, c.name+": renewed a second later", n.CheckIdentity(&c.used), "")
		c.used.IssuedAt = time.Time{}
		wants(t, c.name+": without iat", n.CheckIdentity(&c.used), jws.Revoked)
	}
}

// A Nakama session may have no player yet and no upstream session.
func TestRevokeSessionOfNoKnownPlayer(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	s := &session.Session{ID: "tid", Upstream: "sid:lost"}
	n.must(n.RevokeSession(n.ctx(), s, strings.Repeat("too long \x00", 100)))
	wants(t, "session", n.CheckSession(s), jws.Revoked)
	wants(t, "another", n.CheckSession(&session.Session{ID: "other"}), "")
	if err := n.RevokeSession(n.ctx(), &session.Session{Player: ann}, ""); !errors.Is(err, session.ErrInvalidEvent) {
		t.Errorf("a session without id: got %v, want ErrInvalidEvent", err)
	}
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                   string
		message                identity.SignOut
		same, other, afterward jws.Reason // identities: this upstream session, another one, one issued later
	}{
		{"one session", identity.SignOut{Player: identity.Player{Realm: "main"}, Session: "u"}, jws.Revoked, "", ""},
		{"one session of a player", identity.SignOut{Player: ann, Session: "u"}, jws.Revoked, "", ""},
		{"all sessions", identity.SignOut{Player: ann, All: true}, jws.Revoked, jws.Revoked, ""},
		{"deleted", identity.SignOut{Player: ann, Deleted: true}, jws.Revoked, jws.Revoked, ""},
		{"banned", identity.SignOut{Player: ann, Banned: true}, jws.Banned, jws.Banned, jws.Banned},
		{"session and ban", identity.SignOut{Player: ann, Session: "u", Banned: true}, jws.Banned, jws.Banned, jws.Banned},
	} {
		n := newNode(t)
		n.must(n.SignOut(n.ctx(), &c.message))
		wants(t, c.name+": same", n.CheckIdentity(n.identity(ann, "u")), c.same)
		wants(t, c.name+": other", n.CheckIdentity(n.identity(ann, "v")), c.other)
		n.advance(time.Second)
		wants(t, c.name+": later", n.CheckIdentity(n.identity(ann, "v")), c.afterward)
	}
	n := newNode(t)
	if err := n.SignOut(n.ctx(), &identity.SignOut{Player: ann}); err == nil {
		t.Error("a message that names nothing was accepted")
	}
	if err := n.SignOut(n.ctx(), &identity.SignOut{All: true}); !errors.Is(err, session.ErrInvalidEvent) {
		t.Errorf("all sessions of nobody: got %v, want ErrInvalidEvent", err)
	}
}

func TestRevocationIsForgottenWhenItCanRefuseNothing(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	s := n.session(ann, "s")
	n.must(n.RevokeSession(n.ctx(), s, ""))
	n.must(n.CutOff(n.ctx(), bob, ""))
	old := n.session(bob, "t")
	n.advance(30*24*time.Hour - time.Second)
	wants(t, "session within its lifetime", n.CheckSession(s), jws.Revoked)
	n.advance(time.Second)
	wants(t, "session after its lifetime", n.CheckSession(s), "")
	wants(t, "cut-off after a session's lifetime", n.CheckSession(old), jws.Revoked)
	n.advance(335*24*time.Hour - time.Second)
	wants(t, "cut-off within the upstream lifetime", n.CheckSession(old), jws.Revoked)
	n.advance(time.Second)
	wants(t, "cut-off after it", n.CheckSession(old), "")
}

func TestAliases(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	uid := "11111111-2222-4333-8444-555555555555"
	wantAlias := func(what string, want identity.Player) {
		t.Helper()
		if got, ok := n.PlayerOf(uid); got != want || ok != (want != identity.Player{}) {
			t.Errorf("%s: alias of %v (%v), want %v", what, got, ok, want)
		}
	}
	wantAlias("unknown", identity.Player{})
	n.must(n.Learn(n.ctx(), uid, ann))
	wantAlias("learned", ann)
	events := len(must1(n.Since(n.ctx(), "")).Events)
	n.must(n.Learn(n.ctx(), uid, ann))
	if got := len(must1(n.Since(n.ctx(), "")).Events); got != events {
		t.Errorf("learning the same again wrote an event: %d, want %d", got, events)
	}
	first := must1(n.Since(n.ctx(), "")).Events[0]
	n.advance(time.Second)
	n.must(n.Learn(n.ctx(), uid, bob))
	must1(n.Append(n.ctx(), first))
	wantAlias("given to another player, the older re-asserted", bob)
	n.advance(31 * 24 * time.Hour)
	n.must(n.Learn(n.ctx(), uid, bob))
	n.advance(59 * 24 * time.Hour)
	wantAlias("learned again after a month", bob)
	n.advance(2 * 24 * time.Hour)
	wantAlias("expired", identity.Player{})
}

func TestLedgerThatFollowsCannotWrite(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	l := n.ledger(session.LedgerConfig{Feed: n.store, Policy: session.Strict, Now: n.now})
	n.must(l.Load(n.ctx()))
	if err := l.Ban(n.ctx(), ann, "", time.Time{}); !errors.Is(err, session.ErrReadOnly) {
		t.Errorf("Ban: got %v, want ErrReadOnly", err)
	}
	wants(t, "a ban that was refused", l.CheckSession(n.session(ann, "s")), "")
}

func TestRefusedWriteIsReportedAndNotApplied(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	store := &faulty{Revocations: n.store}
	l := n.ledger(session.LedgerConfig{Store: store, Policy: session.Grace, Now: n.now})
	n.must(l.Load(n.ctx()))
	store.away.Store(true)
	s := n.session(ann, "s")
	for what, err := range map[string]error{
		"RevokeSession": l.RevokeSession(n.ctx(), s, ""), "CutOff": l.CutOff(n.ctx(), ann, ""),
		"Ban": l.Ban(n.ctx(), ann, "", time.Time{}), "Unban": l.Unban(n.ctx(), ann),
		"RevokeUpstream": l.RevokeUpstream(n.ctx(), "main", "u", ""), "Learn": l.Learn(n.ctx(), "uid", ann),
	} {
		if !errors.Is(err, session.ErrStoreUnavailable) {
			t.Errorf("%s: got %v, want ErrStoreUnavailable", what, err)
		}
	}
	wants(t, "session", l.CheckSession(s), "")
	if _, ok := l.PlayerOf("uid"); ok {
		t.Error("an alias that was not stored is known")
	}
	store.away.Store(false)
	n.must(l.RevokeSession(n.ctx(), s, ""))
	wants(t, "session once the store is back", l.CheckSession(s), jws.Revoked)
}

// An operator's order in another spelling of a UUID is about the same session or user.
func TestLedgerSpellsIDsAsTokensDo(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	id, loud := "0a9108f7-52d1-4320-9bac-f847db4148a8", "0A9108F7-52D1-4320-9BAC-F847DB4148A8"
	n.must(n.RevokeSession(n.ctx(), &session.Session{ID: loud}, ""))
	wants(t, "session", n.CheckSession(n.session(ann, id)), jws.Revoked)
	for range 2 {
		n.must(n.Learn(n.ctx(), loud, ann))
	}
	for _, alias := range []string{id, loud} {
		if p, ok := n.PlayerOf(alias); !ok || p != ann {
			t.Errorf("alias %s leads to %+v, %v", alias, p, ok)
		}
	}
	if batch := must1(n.Since(n.ctx(), "")); len(batch.Events) != 2 {
		t.Errorf("%d events, want 2: what was learned is not written again", len(batch.Events))
	}
}

func TestLedgerDoesNotTrustItsStoresAnswer(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	l := n.ledger(session.LedgerConfig{Store: &faulty{Revocations: n.store, lies: true}, Policy: session.Grace, Now: n.now})
	n.must(l.Load(n.ctx()))
	if err := l.CutOff(n.ctx(), ann, ""); err == nil {
		t.Error("a write was acknowledged though the store answered with no event")
	}
	ban := session.Event{ID: eventID(1), Kind: session.PlayerBanned, Player: ann, Until: n.now().Add(time.Hour)}
	longer, other, kind := ban, ban, ban
	longer.Until, other.Player, kind.Kind, kind.Until = n.now().Add(2*time.Hour), bob, session.PlayerCutOff, time.Time{}
	for range 2 {
		must1(n.Append(n.ctx(), ban)) // again after a lost answer
	}
	for what, e := range map[string]session.Event{"a longer ban": longer, "another player": other, "another kind": kind} {
		if stored, err := n.Append(n.ctx(), e); err == nil {
			t.Errorf("%s under an id that the store has was acknowledged as %+v", what, stored)
		}
	}
}

func TestLedgerConfigIsChecked(t *testing.T) {
	t.Parallel()
	store := session.NewMemoryStore()
	for _, c := range []struct {
		field  string
		config session.LedgerConfig
	}{
		{"Store", session.LedgerConfig{Policy: session.Grace}},
		{"Feed", session.LedgerConfig{Store: store, Feed: store, Policy: session.Grace}},
		{"Policy", session.LedgerConfig{Store: store}},
		{"Policy", session.LedgerConfig{Store: store, Policy: "lenient"}},
		{"Grace", session.LedgerConfig{Store: store, Policy: session.Grace, Grace: 14 * time.Second}},
		{"Grace", session.LedgerConfig{Store: store, Policy: session.Grace, Grace: time.Hour}},
		{"SessionLifetime", session.LedgerConfig{Store: store, Policy: session.Grace, SessionLifetime: -1}},
		{"UpstreamLifetime", session.LedgerConfig{Store: store, Policy: session.Grace, UpstreamLifetime: 24 * time.Hour}},
	} {
		_, err := session.NewLedger(c.config)
		if err == nil || !strings.Contains(err.Error(), "LedgerConfig."+c.field) {
			t.Errorf("%s: got %v, want an error that names the field", c.field, err)
		}
	}
	if _, err := session.NewLedger(session.LedgerConfig{Store: store, Policy: session.Grace, SessionLifetime: 2 * 365 * 24 * time.Hour}); err != nil {
		t.Errorf("a session lifetime of two years: %v", err)
	}
}
