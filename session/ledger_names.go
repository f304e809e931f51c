package session

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sallyport-auth/sallyport/identity"
)

// names are the other names of players who are banned or cut off under such a name: the backend's id and the realm, as a
// player was called before an alias led to him. Hardly anybody has one.
type names struct {
	some atomic.Bool // spares everybody else the lock
	mu   sync.RWMutex
	of   map[identity.Player][]string
}

func (n *names) add(p identity.Player, id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if slices.Contains(n.of[p], id) {
		return
	}
	if n.of == nil {
		n.of = map[identity.Player][]string{}
	}
	n.of[p] = append(slices.Clip(n.of[p]), id) // readers may hold the old ones
	n.some.Store(true)
}

func (n *names) get(p identity.Player) []string {
	if !n.some.Load() {
		return nil
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.of[p]
}

// sweep forgets the players who are not judged under another name any more.
func (n *names) sweep(judged func(identity.Player) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for p, ids := range n.of {
		if !slices.ContainsFunc(ids, func(id string) bool { return judged(identity.Player{Realm: p.Realm, Subject: id}) }) {
			delete(n.of, p)
		}
	}
	n.some.Store(len(n.of) > 0)
}

// judged says whether there is a ban or a cut-off of exactly this name.
func (ix *index) judged(p identity.Player) bool {
	_, banned := ix.find(&ix.banned, nameOf(p))
	_, cutOff := ix.find(&ix.cutOff, nameOf(p))
	return banned || cutOff
}

// linkPlayer is for a ban or cut-off that comes after the alias: its player may be a backend's id of another one.
func (ix *index) linkPlayer(p identity.Player, now uint32) {
	if known, ok := ix.aliases.get(p.Subject); ok && known.expires > now && known.player.Realm == p.Realm {
		ix.known.add(known.player, p.Subject)
	}
}

// linkAlias is for an alias that comes after the ban or cut-off. The realms must be the same: a subject of another
// realm's issuer may be spelt like somebody's id here.
func (ix *index) linkAlias(e Event) {
	if ix.judged(identity.Player{Realm: e.Player.Realm, Subject: e.Alias}) {
		ix.known.add(e.Player, e.Alias)
	}
}

// underEachName tries the check on a player and on the other names of the player: byUserID, if there is one, and those
// under which he is judged and which still lead to him.
func (ix *index) underEachName(p, byUserID identity.Player, check func(identity.Player) error) error {
	if err := check(p); err != nil {
		return err
	}
	if byUserID.Subject != "" && byUserID != p {
		if err := check(byUserID); err != nil {
			return err
		}
	}
	for _, id := range ix.known.get(p) {
		if known, ok := ix.aliases.get(id); !ok || known.player != p {
			continue
		}
		if err := check(identity.Player{Realm: p.Realm, Subject: id}); err != nil {
			return err
		}
	}
	return nil
}
