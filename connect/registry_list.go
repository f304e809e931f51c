package connect

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
)

// SocketFilter selects live sockets: those for which every field that is set holds.
type SocketFilter struct {
	// ID is the socket's number, 0 for any.
	ID uint64 `json:"id,omitempty"`
	// Player is the whole player, realm and subject; the zero Player is any.
	Player identity.Player `json:"player,omitzero"`
	// Session is the session's id, "" for any.
	Session string `json:"session,omitempty"`
	// Route is the route's name, "" for any.
	Route string `json:"route,omitempty"`
	// Node is the node, "" for any. A registry without RegistryConfig.Owners has no node.
	Node string `json:"node,omitempty"`
}

// SocketInfo describes a live socket. Its JSON is for operators; there is nothing secret in it.
type SocketInfo struct {
	// ID is the socket's number.
	ID uint64 `json:"id"`
	// Player is who plays.
	Player identity.Player `json:"player"`
	// Session is the session's id.
	Session string `json:"session"`
	// Slot is the slot that it was admitted to.
	Slot Slot `json:"slot"`
	// Admitted is when that was, in UTC.
	Admitted time.Time `json:"admitted"`
	// Expires is when it ends unless its session is renewed, in UTC.
	Expires time.Time `json:"expires"`
	// Node is the node that it is on, "" without RegistryConfig.Owners.
	Node string `json:"node,omitempty"`
	// Fence is the slot's fencing number, 0 without RegistryConfig.Owners and while the slot could not be claimed.
	Fence uint64 `json:"fence,omitempty"`
}

// Info describes the socket, also after its end: it then says what held before.
func (s *Socket) Info() SocketInfo {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	return s.info()
}

func (s *Socket) info() SocketInfo {
	return SocketInfo{s.id, s.who.player, s.who.session, s.Slot(), utc(s.admitted), utc(s.expires), s.registry.node(), s.fenceNow()}
}

// RegistryState is what a Registry knows about itself, for metrics and readiness.
type RegistryState struct {
	// Live is how many sockets are live.
	Live int
	// Closing is how many calls of Hooks.Close have not returned.
	Closing int
	// Admitted is how many sockets were ever admitted.
	Admitted uint64
	// Ended is how many sockets ended, by reason.
	Ended map[CloseReason]uint64
	// Draining says that nobody is admitted any more.
	Draining bool
	// Node is this node's name among the others, "" without RegistryConfig.Owners.
	Node string
	// Unclaimed is how many live sockets have a slot that could not be claimed yet.
	Unclaimed int
	// OwnersError is why Owners could not be reached the last time, "" once it was.
	OwnersError string
	// Renewed is when all slots were last renewed, in UTC, zero if never.
	Renewed time.Time
}

// List returns the live sockets that the filter selects, the oldest first. The zero filter selects all.
func (r *Registry) List(filter SocketFilter) []SocketInfo {
	r.mu.Lock()
	list := []SocketInfo{}
	for s := range r.selected(filter) {
		list = append(list, s.info())
	}
	r.mu.Unlock()
	slices.SortFunc(list, func(a, b SocketInfo) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Kick ends the live sockets that the filter selects, as CloseKicked or for another reason, and returns how many there
// were. Their sessions stay good: revoke them, or ban the player, to keep him away. The zero filter is an error; Drain
// ends all sockets.
func (r *Registry) Kick(filter SocketFilter, reason CloseReason) (int, error) {
	if filter == (SocketFilter{}) {
		return 0, errKicksAll
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	sockets := slices.Collect(r.selected(filter))
	for _, s := range sockets {
		r.end(s, reason)
	}
	return len(sockets), nil
}

func (r *Registry) selected(filter SocketFilter) iter.Seq[*Socket] {
	candidates := slices.Values(r.queue)
	switch {
	case filter.Node != "" && filter.Node != r.node():
		candidates = func(func(*Socket) bool) {}
	case filter.Session != "":
		candidates = r.indexes.sessions.all(filter.Session)
	case filter.Player != identity.Player{}:
		candidates = r.indexes.players.all(filter.Player)
	}
	return func(yield func(*Socket) bool) {
		for s := range candidates {
			if filter.selects(s) && !yield(s) {
				return
			}
		}
	}
}

func (f *SocketFilter) selects(s *Socket) bool {
	return (f.ID == 0 || f.ID == s.id) &&
		(f.Player == identity.Player{} || f.Player == s.who.player) &&
		(f.Session == "" || f.Session == s.who.session) &&
		(f.Route == "" || f.Route == s.route.name)
}

// State returns the registry's state now.
func (r *Registry) State() RegistryState {
	r.mu.Lock()
	defer r.mu.Unlock()
	state := RegistryState{
		Live: len(r.queue), Closing: r.closing, Admitted: r.admitted,
		Ended: maps.Clone(r.ended), Draining: r.draining,
	}
	if r.owning != nil {
		r.owning.describe(&state)
	}
	return state
}
