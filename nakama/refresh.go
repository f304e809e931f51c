package nakama

import (
	"context"
	"database/sql"

	"github.com/heroiclabs/nakama-common/api"
	"github.com/heroiclabs/nakama-common/runtime"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// refresh is BeforeSessionRefresh: the sealed variables stay as they are, because Nakama keeps a session's where a request
// has none. A session whose variables are not sealed did not come through here.
func (m *module) refresh(ctx context.Context, _ runtime.Logger, in *api.SessionRefreshRequest) error {
	token, err := m.refreshes.Verify(ctx, in.Token)
	if err != nil {
		return asError(err)
	}
	s, sealed := m.seal.open(token.Vars)
	if !sealed {
		return errRefresh
	}
	if err := m.check(token, s); err != nil {
		return asError(err)
	}
	in.Vars = nil
	return nil
}

// granted learns of the tokens that Nakama just made. It undoes what could not be judged before: a ban by Nakama's own id.
func (m *module) granted(ctx context.Context, logger runtime.Logger, out *api.Session) (*session.Session, bool) {
	if out == nil {
		return nil, false
	}
	token, err := m.sessions.Verify(ctx, out.Token)
	if err != nil {
		uid, _ := ctx.Value(runtime.RUNTIME_CTX_USER_ID).(string)
		logger.Warn("sallyport: a session was ended as it began: %v", err)
		if err := m.nk.SessionLogout(uid, out.Token, out.RefreshToken); err != nil {
			logger.Error("sallyport: the session could not be ended: %v", err)
		}
		return nil, false
	}
	s, sealed := m.seal.open(token.Vars)
	if !sealed {
		return nil, false
	}
	m.logins.put(token.ID, login{token.UserID, s.login, s.upstream, m.config.Realm})
	m.tids.put(s.login, token.ID)
	if m.naming != nil && s.player != (identity.Player{}) {
		m.naming.learn(ctx, token.UserID, s.player)
	}
	player := s.apply(*token)
	player.ID = s.login
	return player, true
}

// afterSignIn makes the hook after each way to authenticate: whose account Nakama opened is known only now.
func afterSignIn[T any](m *module) func(context.Context, runtime.Logger, *sql.DB, runtime.NakamaModule, *api.Session, *T) error {
	return func(ctx context.Context, logger runtime.Logger, _ *sql.DB, _ runtime.NakamaModule, out *api.Session, _ *T) error {
		return guarded(logger, "AfterAuthenticate", func() error {
			m.granted(ctx, logger, out)
			return nil
		})
	}
}

// afterRefresh lets the player's sockets live as long as the new token.
func (m *module) afterRefresh(ctx context.Context, logger runtime.Logger, _ *sql.DB, _ runtime.NakamaModule, out *api.Session, _ *api.SessionRefreshRequest) error {
	return guarded(logger, "AfterSessionRefresh", func() error {
		player, ok := m.granted(ctx, logger, out)
		if !ok {
			return nil
		}
		_, err := m.registry.Renew(player)
		return err
	})
}
