package connect

import (
	"iter"

	"github.com/sallyport-auth/sallyport/identity"
)

// The lists that a socket is in.
const (
	byPlayer = iota
	bySession
	byUpstream
	byUser
	listCount
)

// link is a socket's place in a list.
type link struct{ previous, next *Socket }

// socketIndex finds sockets by a key. The sockets of a key are a list through the sockets themselves, the newest first,
// so that adding and removing one costs the same however many there are.
type socketIndex[K comparable] struct {
	list  int
	heads map[K]*Socket
}

func newSocketIndex[K comparable](list int) socketIndex[K] {
	return socketIndex[K]{list, make(map[K]*Socket)}
}

func (x *socketIndex[K]) add(key K, s *Socket) {
	head := x.heads[key]
	s.links[x.list] = link{next: head}
	if head != nil {
		head.links[x.list].previous = s
	}
	x.heads[key] = s
}

func (x *socketIndex[K]) remove(key K, s *Socket) {
	at := s.links[x.list]
	s.links[x.list] = link{}
	if at.next != nil {
		at.next.links[x.list].previous = at.previous
	}
	switch {
	case at.previous != nil:
		at.previous.links[x.list].next = at.next
	case at.next != nil:
		x.heads[key] = at.next
	default:
		delete(x.heads, key)
	}
}

// all yields the sockets of a key. The one that was yielded last may be removed meanwhile, no other one.
func (x *socketIndex[K]) all(key K) iter.Seq[*Socket] {
	return func(yield func(*Socket) bool) {
		for s := x.heads[key]; s != nil; {
			next := s.links[x.list].next
			if !yield(s) {
				return
			}
			s = next
		}
	}
}

// upstreamKey names a session of an issuer within its realm.
type upstreamKey struct{ realm, upstream string }

// socketIndexes are all ways to find a socket.
type socketIndexes struct {
	players   socketIndex[identity.Player]
	sessions  socketIndex[string]
	upstreams socketIndex[upstreamKey]
	users     socketIndex[string] // backend's own ids, of the sockets whose player an alias may change
}

func newSocketIndexes() socketIndexes {
	return socketIndexes{
		newSocketIndex[identity.Player](byPlayer), newSocketIndex[string](bySession),
		newSocketIndex[upstreamKey](byUpstream), newSocketIndex[string](byUser),
	}
}

func (x *socketIndexes) add(s *Socket) {
	x.players.add(s.who.player, s)
	x.sessions.add(s.who.session, s)
	if s.who.upstream != "" {
		x.upstreams.add(s.who.upstreamKey(), s)
	}
	if s.who.user != "" {
		x.users.add(s.who.user, s)
	}
}

func (x *socketIndexes) remove(s *Socket) {
	x.players.remove(s.who.player, s)
	x.sessions.remove(s.who.session, s)
	if s.who.upstream != "" {
		x.upstreams.remove(s.who.upstreamKey(), s)
	}
	if s.who.user != "" {
		x.users.remove(s.who.user, s)
	}
}

// named yields the sockets of a player, then those whose backend's own id within the player's realm is the subject: a
// ban or cut-off may name either (as Ledger.CheckSession has it). The one that was yielded last may be removed meanwhile.
func (x *socketIndexes) named(p identity.Player) iter.Seq[*Socket] {
	return func(yield func(*Socket) bool) {
		for s := range x.players.all(p) {
			if !yield(s) {
				return
			}
		}
		for s := range x.users.all(p.Subject) {
			if s.who.player.Realm == p.Realm && !yield(s) {
				return
			}
		}
	}
}

// socketHeap orders the live sockets by when something is due for them, the earliest first. It is a [heap.Interface].
type socketHeap []*Socket

// Len returns the number of sockets.
func (h socketHeap) Len() int { return len(h) }

// Less compares when the sockets are due.
func (h socketHeap) Less(i, j int) bool { return h[i].due < h[j].due }

// Swap exchanges two sockets.
func (h socketHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push appends a *Socket.
func (h *socketHeap) Push(x any) {
	s := x.(*Socket)
	s.place = len(*h)
	*h = append(*h, s)
}

// Pop removes the last socket.
func (h *socketHeap) Pop() any {
	last := len(*h) - 1
	s := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	s.place = nowhere
	return s
}

// nowhere is the place of a socket that is not live.
const nowhere = -1
