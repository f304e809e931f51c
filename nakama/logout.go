package nakama

import (
	"context"
	"database/sql"
	"errors"

	"github.com/heroiclabs/nakama-common/api"
	"github.com/heroiclabs/nakama-common/runtime"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

const signedOut = "signed out at Nakama"

// afterLogout does what Nakama's logout leaves out: it closes the sockets, ends the refresh token though the client sent
// only the other one, and tells the other servers.
func (m *module) afterLogout(ctx context.Context, logger runtime.Logger, _ *sql.DB, _ runtime.NakamaModule, in *api.SessionLogoutRequest) error {
	return guarded(logger, "AfterSessionLogout", func() error {
		if in.GetToken() == "" && in.GetRefreshToken() == "" {
			return m.logoutAll(ctx)
		}
		for verifier, text := range map[*session.Verifier]string{m.endingSessions: in.GetToken(), m.endingRefreshes: in.GetRefreshToken()} {
			token, err := verifier.Verify(ctx, text)
			if err != nil {
				continue // it was absent
			}
			err = m.logoutOne(ctx, token)
			if verifier == m.endingSessions {
				err = errors.Join(err, m.deny.text(token.UserID, text, token.Expiry))
			}
			if err != nil {
				logger.Error("sallyport: a logout could not be carried out whole: %v", err)
			}
		}
		return nil
	})
}

func (m *module) logoutOne(ctx context.Context, token *session.Session) error {
	m.verdicts.take(token.ID)
	err := m.deny.one(token.UserID, token.ID, m.now())
	ids := []string{token.ID}
	s, sealed := m.seal.open(token.Vars)
	if sealed {
		err = errors.Join(err, m.closeLogin(s.login))
		ids = append(ids, s.login)
	}
	for _, id := range ids {
		err = errors.Join(err, m.tell(ctx, order{action: "revoke", Session: id, Reason: signedOut}, func() error {
			return m.ledger.RevokeSession(ctx, &session.Session{ID: id}, signedOut)
		}))
	}
	return err
}

func (m *module) logoutAll(ctx context.Context) error {
	uid, _ := ctx.Value(runtime.RUNTIME_CTX_USER_ID).(string)
	vars, _ := ctx.Value(runtime.RUNTIME_CTX_VARS).(map[string]string)
	err := m.endUser(uid)
	s, sealed := m.seal.open(vars)
	player := s.player
	if !sealed || player == (identity.Player{}) {
		player = identity.Player{Realm: m.config.Realm, Subject: uid}
	}
	return errors.Join(err, m.tell(ctx, order{action: "cutoff", Realm: player.Realm, Subject: player.Subject, Reason: signedOut}, func() error {
		return m.ledger.CutOff(ctx, player, signedOut)
	}))
}

// tell hands a revocation to the server, or to the ledger where there is none.
func (m *module) tell(_ context.Context, o order, local func() error) error {
	if m.config.Server == noServer {
		return local()
	}
	if m.report != nil {
		m.report.add(o)
	}
	return nil
}
