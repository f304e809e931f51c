package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
)

var (
	// ErrNotFound says that the store has no such family or ticket: it never had, it expired, or it was used.
	ErrNotFound = errors.New("session: not found")
	// ErrConflict says that another call was first: the family has another number, or the id exists already.
	ErrConflict = errors.New("session: conflict with the stored state")
	// ErrStoreUnavailable says that the store cannot be had and that nothing is known about the outcome. Callers
	// answer with HTTP 503 and change nothing.
	ErrStoreUnavailable = errors.New("session: the store is unavailable")
)

// Feed tells what was revoked. A follower of a feed keeps the last Cursor and asks again with it.
type Feed interface {
	// Since returns the events that were stored after cursor, in the order they were stored, at most 1,000
	// (Batch.More says that there are more). With an empty cursor, and with one that it does not know, it returns at
	// once the first page of all live events with Batch.Reset set. When there is no news it waits, at most 10 s, and
	// returns an empty batch with the cursor to go on with, which proves that the feed lives. Events that have expired
	// may be left out, and so may those that a later event of the same batch or a later one makes void. Every error wraps
	// ErrStoreUnavailable, also that of a context that ended.
	Since(ctx context.Context, cursor string) (Batch, error)
}

// Revocations is the store of what was revoked: a set that only grows and whose members expire.
type Revocations interface {
	Feed
	// Append stores an event durably before it returns and gives it back as it is stored. It sets At by the store's
	// own clock, strictly later than the At of every event before. An ID that is stored already changes nothing and
	// the stored event is returned. An event that comes with an At is a re-assertion, by a node that holds it as
	// acknowledged, of what the store may have lost in a fail-over: it keeps that At unless it lies in the future.
	// Errors are that of Event.Validate, or they wrap ErrStoreUnavailable.
	Append(ctx context.Context, e Event) (Event, error)
}

// Pusher is what a store is, besides Revocations, that sends out each event as it stores it. A ledger that waits in Since
// hears of an event after half a round trip, but of the next one only after it has asked again; by Follow it hears of each
// after half a round trip.
type Pusher interface {
	// Follow calls told with events as they are stored, one at a time, until ctx ends or contact is lost, and returns why.
	// It promises nothing: an event may be missed, or come before or after Since returns it. Only Since tells how far a
	// ledger has come and that the store is there. Aliases and re-assertions may be left out. told must not block.
	Follow(ctx context.Context, told func(Event)) error
}

// Families is the store of refresh families. Errors other than those named wrap ErrStoreUnavailable. A store may tie families to its epoch and answer ErrNotFound for one that
// was written before a fail-over.
type Families interface {
	// Create stores a new family until its Expires. ErrConflict: the ID exists.
	Create(ctx context.Context, f Family) error
	// Get returns a family. ErrNotFound: there is none, or it expired.
	Get(ctx context.Context, id string) (Family, error)
	// Rotate moves a family from number from to from+1, sets RotatedAt by the store's clock and returns the family as
	// it is stored now. Of several callers with the same from exactly one succeeds. ErrConflict: the stored number is
	// another one, and the family is returned as it is stored. ErrNotFound: there is none, or it expired.
	Rotate(ctx context.Context, id string, from uint64) (Family, error)
}

// Tickets is the store of tickets that were issued and not yet used. It never sees a ticket nor a token, only a digest
// and a sealed text. Errors other than those named wrap ErrStoreUnavailable.
type Tickets interface {
	// Put stores sealed under digest until expires. ErrConflict: the digest exists.
	Put(ctx context.Context, digest [32]byte, sealed []byte, expires time.Time) error
	// Take returns what was stored and forgets it. Of several callers exactly one gets it, the others ErrNotFound, and
	// so does everyone once it expired.
	Take(ctx context.Context, digest [32]byte) ([]byte, error)
}

// Family is a session as the store knows it: what its tokens are made from, and the state of its refresh token.
type Family struct {
	// ID is the session's id (sid).
	ID string `json:"id"`
	// Secret is 32 random bytes from which every refresh token of the family is derived. It never leaves the store and
	// the issuer.
	Secret []byte `json:"secret"`
	// Number is the number of the refresh token that is valid now; the first is 0.
	Number uint64 `json:"number"`
	// RotatedAt is when Number became valid, by the store's clock, zero before the first rotation.
	RotatedAt time.Time `json:"rotated_at,omitzero"`
	// CreatedAt is when the player signed in.
	CreatedAt time.Time `json:"created_at"`
	// Expires is the end of the session, however often it is refreshed.
	Expires time.Time `json:"expires"`
	// Player is who plays.
	Player identity.Player `json:"player"`
	// PlayerID is the player's stable id, a UUID.
	PlayerID string `json:"player_id"`
	// ClientID is the client that may refresh.
	ClientID string `json:"client_id,omitempty"`
	// Audience names the backends that the access tokens are for.
	Audience []string `json:"audience,omitempty"`
	// Username is the name the player signed in with.
	Username string `json:"username,omitempty"`
	// Groups are the identity's groups at sign-in.
	Groups []string `json:"groups,omitempty"`
	// Scopes are the granted scopes.
	Scopes []string `json:"scopes,omitempty"`
	// Roles are the identity's roles at sign-in.
	Roles []string `json:"roles,omitempty"`
	// Upstream is the key of the issuer's session, see [UpstreamOf].
	Upstream string `json:"upstream,omitempty"`
	// AuthTime is when the player proved who he is, zero if the issuer does not say.
	AuthTime time.Time `json:"auth_time,omitzero"`
	// IdentityIssuedAt is when the identity token was issued, see [Session].
	IdentityIssuedAt time.Time `json:"idp_iat,omitzero"`
}

// Clone returns a copy that shares no memory with f.
func (f Family) Clone() Family {
	f.Secret = slices.Clone(f.Secret)
	f.Audience = slices.Clone(f.Audience)
	f.Groups = slices.Clone(f.Groups)
	f.Scopes = slices.Clone(f.Scopes)
	f.Roles = slices.Clone(f.Roles)
	return f
}
