package nakama

import (
	"context"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
)

const (
	namingWorkers = 4
	namedAgain    = time.Hour              // the server forgets who a player is after at least twice its session lifetime
	namingWait    = 250 * time.Millisecond // for the first sign-in of a player, so that the gate knows the token that it gets
)

// naming tells the server which player each of Nakama's users is, so that its verifiers and gate, with "aliases:
// required", hold Nakama's tokens against bans of the player.
type naming struct {
	*reporter
	now  func() time.Time
	told *recent[named] // by Nakama's user id
}

type named struct {
	player identity.Player
	at     time.Time
}

func newNaming(m *module) *naming {
	return &naming{newReporter(m, "players"), m.now, newRecent[named](loginsKept)}
}

// learn tells of one player, unless that was done lately. It waits a moment for the server, but not for one that fails: a
// sign-in never depends on it.
func (n *naming) learn(ctx context.Context, userID string, p identity.Player) {
	now := n.now()
	if before, found := n.told.get(userID); found && before.player == p && now.Sub(before.at) < namedAgain {
		return
	}
	wait, done := !n.failing.Load(), make(chan struct{})
	n.add(order{action: "alias", Realm: p.Realm, Subject: p.Subject, UserID: userID, done: func(told bool) {
		if told {
			n.told.put(userID, named{p, now})
		}
		close(done)
	}})
	if !wait {
		return
	}
	timer := time.NewTimer(namingWait)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-ctx.Done():
	}
}
