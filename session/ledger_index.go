package session

import (
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
)

// index holds what the events say, so that a check is a few look-ups. Readers take no lock but for aliases, for the
// text of a refusal, and while players are banned or cut off by the ids that backends have for them.
type index struct {
	second func() uint32

	// revoked: session id. ended: upstream sessions that are over. signedOut: upstream sessions whose identity tokens up
	// to the stamp are void. cutOff: players, up to the stamp. banned: players, until the mark is void.
	revoked, ended, signedOut, cutOff, banned table

	aliases aliases
	known   names

	mu          sync.RWMutex // excludes writers
	latest      uint32       // the latest second at which anything was left out because it had expired
	bans        map[identity.Player]Event
	subscribers []*subscriber
}

func newIndex(second func() uint32) *index {
	ix := &index{second: second, bans: map[identity.Player]Event{}}
	s := newSeeds()
	for _, t := range ix.tables() {
		t.seeds = s
	}
	ix.aliases.seed = s[0]
	return ix
}

func (ix *index) tables() []*table {
	return []*table{&ix.revoked, &ix.ended, &ix.signedOut, &ix.cutOff, &ix.banned}
}

func nameOf(p identity.Player) name { return name{p.Realm, p.Subject} }

// find returns the mark of a name if it is not void.
func (ix *index) find(t *table, n name) (mark, bool) {
	m := t.get(n)
	if m == 0 {
		return 0, false
	}
	return m, m.live(ix.second())
}

func (ix *index) checkBan(p identity.Player) error {
	if _, found := ix.find(&ix.banned, nameOf(p)); !found {
		return nil
	}
	ix.mu.RLock()
	ban := ix.bans[p]
	ix.mu.RUnlock()
	want := "a player who is not banned"
	if !ban.Until.IsZero() {
		want += ", which this one is until " + ban.Until.UTC().Format(time.RFC3339)
	}
	if ban.Reason != "" {
		want += " (" + ban.Reason + ")"
	}
	return &jws.Refusal{Check: jws.CheckRevocation, Reason: jws.Banned, Claim: "sub", Want: want, Verified: true}
}

func (ix *index) checkRevoked(session string) error {
	if _, found := ix.find(&ix.revoked, name{id: session}); !found {
		return nil
	}
	return revoked("sid", "a session that was not revoked")
}

func (ix *index) checkUpstream(realm, upstream string) error {
	if _, found := ix.find(&ix.ended, name{realm, upstream}); !found {
		return nil
	}
	return revoked("upstream", "a session of the issuer's that is not over")
}

func (ix *index) checkIdentityUpstream(id *identity.Identity) error {
	if ix.ended.empty() && ix.signedOut.empty() {
		return nil
	}
	upstream := UpstreamOf(id)
	if err := ix.checkUpstream(id.Player.Realm, upstream); err != nil {
		return err
	}
	m, found := ix.find(&ix.signedOut, name{id.Player.Realm, upstream})
	if !found || id.IssuedAt.Unix() > int64(m.stamp()) { // no iat is the zero time, which is before every stamp
		return nil
	}
	return revoked("iat", "a token issued after the sign-out at "+stampText(m))
}

// checkBought refuses a session that was sold after a sign-out for an identity token from before it. One that was sold
// before the sign-out, or in its second, is another session of the same upstream session and stays.
func (ix *index) checkBought(s *Session) error {
	if s.IdentityIssuedAt.IsZero() {
		return nil
	}
	m, found := ix.find(&ix.signedOut, name{s.Player.Realm, s.Upstream})
	stamp := int64(m.stamp())
	if !found || s.IdentityIssuedAt.Unix() > stamp || s.Started.Unix() <= stamp {
		return nil
	}
	return revoked("idp_iat", "a session from a token issued after the sign-out at "+stampText(m))
}

// checkCutOff takes the token's iat and the other times that may be older.
func (ix *index) checkCutOff(p identity.Player, issued time.Time, others ...time.Time) error {
	m, found := ix.find(&ix.cutOff, nameOf(p))
	if !found {
		return nil
	}
	oldest := issued // without iat the zero time, which is before every cut-off
	for _, t := range others {
		if !t.IsZero() && t.Before(oldest) {
			oldest = t
		}
	}
	if oldest.Unix() > int64(m.stamp()) {
		return nil
	}
	return revoked("iat", "a token and a sign-in from after the player's cut-off at "+stampText(m))
}

func revoked(claim, want string) error {
	return &jws.Refusal{Check: jws.CheckRevocation, Reason: jws.Revoked, Claim: claim, Want: want, Verified: true}
}

func stampText(m mark) string { return time.Unix(int64(m.stamp()), 0).UTC().Format(time.RFC3339) }

// take applies events that a store or feed returned, tells the subscribers of those that are news, and counts these.
func (ix *index) take(events ...Event) (news int) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	now := ix.clockNow()
	for _, e := range events {
		if !ix.apply(e, now) {
			continue
		}
		news++
		for _, s := range ix.subscribers {
			s.push(e)
		}
	}
	return news
}

// apply returns whether the event changed anything that is still in force.
func (ix *index) apply(e Event, now uint32) bool {
	expires := ceilSecond(e.Expires)
	if expires <= now {
		return false
	}
	at := makeMark(floorSecond(e.At), expires)
	switch e.Kind {
	case SessionRevoked:
		news := ix.merge(&ix.revoked, name{id: e.Session}, makeMark(0, expires), now)
		cut := e.Upstream != "" && ix.merge(&ix.signedOut, name{e.Player.Realm, e.Upstream}, at, now)
		return news || cut
	case UpstreamRevoked:
		return ix.merge(&ix.ended, name{e.Player.Realm, e.Upstream}, makeMark(0, expires), now)
	case PlayerCutOff:
		ix.linkPlayer(e.Player, now)
		return ix.merge(&ix.cutOff, nameOf(e.Player), at, now)
	case PlayerAlias:
		ix.linkAlias(e)
		return ix.aliases.learn(e, now)
	default:
		return ix.applyBan(e, now)
	}
}

// merge keeps the later of what is known and what is new, so that the order of events does not matter.
func (ix *index) merge(t *table, n name, m mark, now uint32) bool {
	known := t.get(n)
	if !known.live(now) {
		known = 0
	}
	merged := known.later(m)
	if merged == known {
		return false
	}
	t.set(n, merged, now)
	return true
}

func (ix *index) applyBan(e Event, now uint32) bool {
	var m mark
	if e.Kind == PlayerBanned {
		m = makeMark(floorSecond(e.At), ceilSecond(e.Until))
	}
	known, ok := ix.bans[e.Player]
	switch {
	case ok && e.ID == known.ID: // read again: news only if the mark was swept by a clock that ran ahead
		if !m.live(now) || ix.banned.get(nameOf(e.Player)) == m {
			return false
		}
	case ok && !supersedes(e, known):
		return false
	}
	ix.bans[e.Player] = e
	ix.linkPlayer(e.Player, now)
	ix.banned.set(nameOf(e.Player), m, now)
	return true
}

// supersedes says whether of two bans or unbans of one player the first is in force: the later one, and of two of the
// same time the one that refuses longer.
func supersedes(e, known Event) bool {
	if order := e.At.Compare(known.At); order != 0 {
		return order > 0
	}
	if e.Kind != known.Kind {
		return e.Kind == PlayerBanned
	}
	return e.Kind == PlayerBanned && ceilSecond(e.Until) > ceilSecond(known.Until)
}

// clockNow is the second for a writer.
func (ix *index) clockNow() uint32 {
	now := ix.second()
	ix.latest = max(ix.latest, now)
	return now
}

// clockWasSetBack says, once, that the clock had run ahead, so that what was left out as expired may not be.
func (ix *index) clockWasSetBack() bool {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	now := ix.second()
	back := int64(now)+int64(clockMargin/time.Second) < int64(ix.latest)
	if back {
		ix.latest = now
	}
	return back
}

// sweep forgets, a part at a time, what has expired.
func (ix *index) sweep(i int) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	now := ix.clockNow()
	for _, t := range ix.tables() {
		t.sweep(i, now)
	}
	ix.aliases.sweep(i, now)
	if i%shardCount != 0 {
		return
	}
	ix.known.sweep(ix.judged)
	for p, e := range ix.bans {
		if ceilSecond(e.Expires) <= now {
			delete(ix.bans, p)
		}
	}
}
