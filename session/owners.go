package session

import (
	"context"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
)

// Owners is the store of who holds which slot, for sockets on several nodes: a slot of a player has room for a few sockets,
// and each that has a place in it holds a claim. A claim is good for a lease, which its node must renew, and has a fencing
// number that grows with each claim to the slot: of two owners the one with the higher number is the later one, and wins.
//
// A store keeps a claim for its lease and OwnerGuard, counted from when it got the request. Its node counts the lease from
// before it sent the request, so that it has given up long before the store does.
type Owners interface {
	// ClaimSlot gives a socket a place in its slot. When the slot is full the claims with the lowest fences lose theirs,
	// and their nodes are told (Nodes.Listen); with Want.Refuse the answer is ErrConflict instead. The same node and
	// number again gets the same claim again, with a new lease. Other errors wrap ErrStoreUnavailable; the claim may then
	// have been stored.
	ClaimSlot(ctx context.Context, w Want) (Claim, error)
	// RenewSlots extends claims of one node and returns what became of each, in their order, and the epoch that they have
	// now. What cannot be asked is StandingUnknown, and the error, which wraps ErrStoreUnavailable, says why.
	//
	// A claim of an epoch that is over is stored again, if the store lost it and the slot has room, or has a claim with a
	// lower fence, which is replaced: a fail-over that forgot who came later is healed by the owners themselves.
	RenewSlots(ctx context.Context, node string, lease time.Duration, claims []Claim) ([]Renewal, error)
	// ReleaseSlots gives up claims of one node. What is not held is passed over. Errors wrap ErrStoreUnavailable.
	ReleaseSlots(ctx context.Context, node string, claims []Claim) error
}

// Nodes is how the nodes of a store reach each other. They know each other by no address, only by the names that they gave
// themselves, which must be new for each process.
type Nodes interface {
	// Announce says that a node lives, for life from now; 0 is that it has gone. Errors wrap ErrStoreUnavailable.
	Announce(ctx context.Context, node string, life time.Duration) error
	// Members returns the nodes that live, sorted. Errors wrap ErrStoreUnavailable.
	Members(ctx context.Context) ([]string, error)
	// Send sends a text to the listeners of one node, or with node "" to those of all. Nothing is kept for who does not
	// listen now. Errors wrap ErrStoreUnavailable.
	Send(ctx context.Context, node string, body []byte) error
	// Listen calls told with each message for a node, one at a time and in the order in which they were sent by one
	// sender, until ctx ends or contact is lost, and returns why. The first message, at once, has Joined set: whatever was
	// sent before it may have been missed.
	Listen(ctx context.Context, node string, told func(Message)) error
}

// Cluster is a store that several nodes share for their sockets.
type Cluster interface {
	Owners
	Nodes
}

// OwnerGuard is how much longer than the lease a store keeps a claim: time for the former owner to be gone.
const OwnerGuard = 2 * time.Second

// OwnedSlot names a slot: for each player a route has one for each name.
type OwnedSlot struct {
	// Player is who plays.
	Player identity.Player
	// Route is the route's name.
	Route string
	// Name tells the slots of a route apart.
	Name string
}

// Want asks for a place in a slot.
type Want struct {
	// Slot is the slot.
	Slot OwnedSlot
	// Node is the node of the socket.
	Node string
	// Number is the socket's number, which its node gives only once.
	Number uint64
	// Room is how many places the slot has, at least 1.
	Room int
	// Refuse says that a full slot stays as it is.
	Refuse bool
	// Lease is how long the claim is good for without a renewal.
	Lease time.Duration
	// Age is how long ago the socket was admitted, for one that was let in while the store was away. It loses against
	// claims that were made since: ErrConflict if they fill the slot.
	Age time.Duration
}

// Claim is a socket's place in a slot.
type Claim struct {
	// Slot is the slot.
	Slot OwnedSlot
	// Number is the socket's number at its node.
	Number uint64
	// Room is how many places the slot has.
	Room int
	// Fence is the fencing number: microseconds since 1970 by the store's clock, but higher than any that the slot had.
	Fence uint64
	// Epoch is the store's epoch in which the claim was made or renewed last.
	Epoch string
}

// Renewal is what became of a claim.
type Renewal struct {
	// Standing says whether the claim holds.
	Standing Standing
	// Epoch is the store's epoch, if the claim is held.
	Epoch string
}

// Standing says whether a claim holds.
type Standing byte

const (
	// StandingUnknown: the store could not be asked.
	StandingUnknown Standing = iota
	// StandingHeld: the claim has a new lease.
	StandingHeld
	// StandingReplaced: a later claim has its place, or had it.
	StandingReplaced
	// StandingGone: the store does not have the claim and knows of none that came later: it was emptied.
	StandingGone
)

// Message is what a node is told.
type Message struct {
	// Joined says that the node listens from now on. The other fields are empty.
	Joined bool
	// Lost is the number of a socket of this node that has lost its claim to a later one; 0 for any other message.
	Lost uint64
	// Body is the text that a node sent.
	Body []byte
}
