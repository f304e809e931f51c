package nakama

import (
	"context"
	"time"

	"github.com/heroiclabs/nakama-common/runtime"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/session"
)

const (
	socketRoute  = "nakama"
	closeTimeout = 5 * time.Second
	notices      = 0 // the stream on which Nakama keeps every socket of a user, for notifications
)

// socketOpened is EventSessionStart. Nakama never looks at a socket's token again, so the registry keeps the socket: it
// ends at the expiry of its session, at a logout, and at a revocation.
func (m *module) socketOpened(ctx context.Context, logger runtime.Logger) {
	id, _ := ctx.Value(runtime.RUNTIME_CTX_SESSION_ID).(string)
	if _, gone := m.ended.take(id); gone || id == "" {
		return
	}
	end := func(connect.Closing) {
		m.sockets.Delete(id)
		m.disconnect(id)
	}
	s, sealed := m.sessionOf(ctx)
	if !sealed {
		logger.Warn("sallyport: a socket was closed: %v", errUnsealed)
		end(connect.Closing{})
		return
	}
	// A player may have several sockets, so each has a slot of its own: how many there may be is Nakama's single_socket.
	socket, err := m.registry.Admit(ctx, s, connect.Slot{Route: socketRoute, Name: id}, connect.Hooks{Close: end})
	if err != nil {
		logger.Warn("sallyport: a socket was closed: %v", err)
		end(connect.Closing{})
		return
	}
	m.sockets.Store(id, socket)
	// Nakama runs events on several goroutines, so the end may have been told while this ran.
	if _, gone := m.ended.take(id); gone {
		m.release(id)
	}
}

// socketClosed is EventSessionEnd.
func (m *module) socketClosed(ctx context.Context, _ runtime.Logger) {
	id, _ := ctx.Value(runtime.RUNTIME_CTX_SESSION_ID).(string)
	if !m.release(id) {
		m.ended.put(id, struct{}{})
	}
}

func (m *module) release(id string) bool {
	socket, found := m.sockets.LoadAndDelete(id)
	if found {
		socket.(*connect.Socket).Release()
	}
	return found
}

// sessionOf makes the session of a socket from what Nakama read in its token. It is named by the login, because
// runtime code is not shown the token's id.
func (m *module) sessionOf(ctx context.Context) (*session.Session, bool) {
	vars, _ := ctx.Value(runtime.RUNTIME_CTX_VARS).(map[string]string)
	uid, _ := ctx.Value(runtime.RUNTIME_CTX_USER_ID).(string)
	expiry, _ := ctx.Value(runtime.RUNTIME_CTX_USER_SESSION_EXP).(int64)
	s, sealed := m.seal.open(vars)
	if !sealed || uid == "" {
		return nil, false
	}
	made := session.Session{UserID: uid, PlayerID: uid, ID: s.login, IssuedAt: s.at, Started: s.at, Expiry: time.Unix(expiry, 0).UTC()}
	made.Player.Realm, made.Player.Subject = m.config.Realm, uid
	return s.apply(made), true
}

func (m *module) disconnect(socketID string) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := guarded(m.logger, "the end of a socket", func() error {
		return m.nk.SessionDisconnect(ctx, socketID, runtime.PresenceReasonDisconnect)
	}); err != nil {
		m.logger.Error("sallyport: a socket could not be closed: %v", err)
	}
}

// disconnectUser closes every socket of a user on this node.
func (m *module) disconnectUser(userID string) {
	presences, err := m.nk.StreamUserList(notices, userID, "", "", true, true)
	if err != nil {
		m.logger.Error("sallyport: the sockets of a revoked player cannot be listed: %v", err)
	}
	for _, presence := range presences {
		m.disconnect(presence.GetSessionId())
	}
}
