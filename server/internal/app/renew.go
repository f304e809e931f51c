package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// renewLimit bounds the sending of a renewal, and the wait before listening is tried again.
const renewLimit = 2 * time.Second

// renewals extend the live sockets of a session that was refreshed, on the node where that was and on all others: a player's
// refresh goes to any of them. What gets lost, because a node was out of contact, ends a socket at its old expiry, with a
// code that says to come back with the new token.
type renewals struct {
	registry *connect.Registry
	nodes    session.Nodes // nil if there are no others
}

// renewal is what a registry needs of a refreshed session, as nodes tell each other.
type renewal struct {
	Renewed *renewedSession `json:"renewed"`
}

type renewedSession struct {
	ID               string          `json:"id"`
	Player           identity.Player `json:"player"`
	UserID           string          `json:"user_id,omitempty"`
	Issuer           string          `json:"issuer,omitempty"`
	Upstream         string          `json:"upstream,omitempty"`
	IssuedAt         time.Time       `json:"issued_at,omitzero"`
	Started          time.Time       `json:"started,omitzero"`
	AuthTime         time.Time       `json:"auth_time,omitzero"`
	IdentityIssuedAt time.Time       `json:"identity_issued_at,omitzero"`
	Expiry           time.Time       `json:"expiry"`
}

// renewed is told of each refresh at the token API.
func (r renewals) renewed(s *session.Session) {
	_, _ = r.registry.Renew(s) // a session that was revoked meanwhile has no sockets
	r.announce(s)
}

// announce tells the other nodes of a refresh that this one has carried out, as the gate has those of Nakama.
func (r renewals) announce(s *session.Session) {
	if r.nodes == nil {
		return
	}
	body, err := json.Marshal(renewal{&renewedSession{
		s.ID, s.Player, s.UserID, s.Issuer, s.Upstream, s.IssuedAt, s.Started, s.AuthTime, s.IdentityIssuedAt, s.Expiry,
	}})
	if err != nil {
		return // it holds texts and times alone
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), renewLimit)
		defer cancel()
		_ = r.nodes.Send(ctx, "", body) // the ledger's state says whether the store can be had
	}()
}

// follow hears of the refreshes on other nodes until ctx ends.
func (r renewals) follow(ctx context.Context) {
	if r.nodes == nil {
		return
	}
	for ctx.Err() == nil {
		_ = r.nodes.Listen(ctx, "renew-"+rand.Text(), r.heard)
		select {
		case <-ctx.Done():
		case <-time.After(renewLimit):
		}
	}
}

// heard takes a message of another node. Most are none of these.
func (r renewals) heard(m session.Message) {
	var told renewal
	if len(m.Body) == 0 || json.Unmarshal(m.Body, &told) != nil || told.Renewed == nil {
		return
	}
	n := told.Renewed
	_, _ = r.registry.Renew(&session.Session{
		ID: n.ID, Player: n.Player, UserID: n.UserID, Issuer: n.Issuer, Upstream: n.Upstream, IssuedAt: n.IssuedAt, Started: n.Started,
		AuthTime: n.AuthTime, IdentityIssuedAt: n.IdentityIssuedAt, Expiry: n.Expiry,
	})
}
