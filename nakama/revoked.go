package nakama

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// revoked is told of every event that the ledger takes in, those of the start included. The registry hears of them
// beside it and ends sockets by what their variables say; this is for what the registry cannot know.
func (m *module) revoked(e session.Event) {
	_ = guarded(m.logger, "the follower of revocations", func() error {
		// Tokens from before such an event had expired when this process started, and the hooks ask the ledger. One that
		// comes late is another matter: with sallyport_stale=available, players refreshed their sessions meanwhile.
		if m.started.Sub(e.At) > m.deny.lifetime {
			return nil
		}
		var err error
		switch e.Kind {
		case session.SessionRevoked:
			err = m.endSession(e)
		case session.UpstreamRevoked:
			err = m.endLogins(m.logins.each(func(l login) bool { return l.upstream == e.Upstream && l.realm == e.Player.Realm }))
		case session.PlayerBanned, session.PlayerCutOff:
			err = m.endPlayer(e.Player)
		}
		if err != nil {
			m.logger.Error("sallyport: a revocation could not be carried out whole: %v", err)
		}
		return nil
	})
}

// endSession ends the session with Nakama's id, or with the login's. One from before this process started is known by
// its player alone, so all of the player's sockets end; those of other sessions can come back.
func (m *module) endSession(e session.Event) error {
	tid := e.Session
	if known, found := m.tids.get(e.Session); found {
		tid = known
	}
	l, found := m.logins.get(tid)
	switch {
	case found:
		return m.endLogins(map[string]login{tid: l})
	case e.Player == (identity.Player{}):
		return nil
	}
	ids, err := m.usersOf(e.Player)
	for _, id := range ids {
		m.disconnectUser(id)
		if isUUID(tid) {
			err = errors.Join(err, m.deny.one(id, tid, m.now()))
		}
	}
	return err
}

func (m *module) endLogins(found map[string]login) (err error) {
	for tid, l := range found {
		m.verdicts.take(tid)
		err = errors.Join(err, m.deny.one(l.userID, tid, m.now()), m.closeLogin(l.login))
	}
	return err
}

func (m *module) closeLogin(id string) error {
	_, err := m.registry.Kick(connect.SocketFilter{Session: id}, connect.CloseRevoked)
	return err
}

// endPlayer ends what Nakama has of a player. Its deny list spares tokens from the second in which it is told, so it is
// told once more at the beginning of the next.
func (m *module) endPlayer(p identity.Player) error {
	ids, err := m.usersOf(p)
	for _, id := range ids {
		err = errors.Join(err, m.endUser(id))
	}
	return err
}

func (m *module) endUser(id string) error {
	now := m.now()
	time.AfterFunc(now.Truncate(time.Second).Add(time.Second+10*time.Millisecond).Sub(now), func() {
		if err := guarded(m.logger, "the end of a player's tokens", func() error { return m.deny.all(id) }); err != nil {
			m.logger.Error("sallyport: a player's tokens could not be denied: %v", err)
		}
	})
	for tid := range m.verdicts.each(func(v verdict) bool { return v.userID == id }) {
		m.verdicts.take(tid)
	}
	err := m.deny.all(id)
	m.disconnectUser(id)
	return err
}

// usersOf returns Nakama's ids of a player: that of the account with the player's custom id, and the subject itself where
// an operator named the player by Nakama's id.
func (m *module) usersOf(p identity.Player) (ids []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	id, err := m.owner(ctx, m.customID(p))
	if id != "" {
		ids = append(ids, id)
	}
	if p.Realm == m.config.Realm && isUUID(p.Subject) && p.Subject != id {
		ids = append(ids, p.Subject)
	}
	return ids, err
}

// owner returns Nakama's id of the account with a custom id, "" if there is none.
func (m *module) owner(ctx context.Context, customID string) (id string, err error) {
	err = m.db.QueryRowContext(ctx, "SELECT id FROM users WHERE custom_id = $1", customID).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, err
}

func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, r := range text {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (r == '-') || (!dash && !isHex(r)) {
			return false
		}
	}
	return true
}

func isHex(r rune) bool {
	return ('0' <= r && r <= '9') || ('a' <= r && r <= 'f') || ('A' <= r && r <= 'F')
}
