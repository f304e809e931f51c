package nakama

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/heroiclabs/nakama-common/runtime"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// The RPCs.
const (
	rpcVerify = "sallyport_verify"
	rpcLink   = "sallyport_link"
	rpcPhoton = "sallyport_photon"
	rpcWhoami = "sallyport_whoami"
)

// verdict is Nakama's own answer about a session.
type verdict struct {
	userID string
	good   bool
	until  time.Time
}

// Verify is the complete check of a Nakama token: the signature and times, that it came through here, that nothing of it is
// revoked, and that Nakama itself still takes it. It implements photon.SessionVerifier.
func (m *module) Verify(ctx context.Context, text string) (*session.Session, error) {
	token, err := m.sessions.Verify(ctx, text)
	if err != nil {
		return nil, err
	}
	s, sealed := m.seal.open(token.Vars)
	if !sealed {
		return nil, errUnsealed
	}
	if err := m.check(token, s); err != nil {
		return nil, err
	}
	return s.apply(*token), m.askNakama(ctx, token, text)
}

// askNakama asks the only one who knows Nakama's deny list, which no function of the runtime shows.
func (m *module) askNakama(ctx context.Context, token *session.Session, text string) error {
	v, known := m.verdicts.get(token.ID)
	if !known || !m.now().Before(v.until) {
		asked := m.now()
		good, err := m.whoami(ctx, token.UserID, text)
		if err != nil {
			return &jws.Refusal{Check: jws.CheckRevocation, Reason: jws.Unavailable, Want: "an answer of Nakama", Verified: true, Err: err}
		}
		v = verdict{token.UserID, good, asked.Add(m.config.VerifyCache)}
		m.verdicts.put(token.ID, v)
	}
	if !v.good {
		return &jws.Refusal{Check: jws.CheckRevocation, Reason: jws.Revoked, Want: "a session that was not logged out", Verified: true}
	}
	return nil
}

// whoami calls this very Nakama with the token. Its RPC reads nothing from the database.
func (m *module) whoami(ctx context.Context, userID, text string) (bool, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.self+"/v2/rpc/"+rpcWhoami+"?unwrap", nil)
	if err != nil {
		return false, err
	}
	request.Header.Set("Authorization", "Bearer "+text)
	answer, err := m.client.Do(request)
	if err != nil {
		return false, errors.New("no answer at " + m.self)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
	switch {
	case err != nil:
		return false, err
	case answer.StatusCode == http.StatusUnauthorized:
		return false, nil
	case answer.StatusCode != http.StatusOK || string(body) != userID:
		return false, fmt.Errorf("the answer of Nakama has status %d", answer.StatusCode)
	}
	return true, nil
}

// serveWhoami answers with the caller's own user id.
func (m *module) serveWhoami(ctx context.Context, _ runtime.Logger, _ string) (string, error) {
	uid, _ := ctx.Value(runtime.RUNTIME_CTX_USER_ID).(string)
	if uid == "" {
		return "", errPlayers
	}
	return uid, nil
}

// serverCall says whether a call came with the http_key: every player can call every RPC, too.
func serverCall(ctx context.Context) bool {
	return ctx.Value(runtime.RUNTIME_CTX_USER_ID) == nil && ctx.Value(runtime.RUNTIME_CTX_SESSION_ID) == nil
}

// Question is the payload of sallyport_verify, for servers that have the http_key.
type Question struct {
	// Token is the player's session token.
	Token string `json:"token"`
	// UserID is whom the client says that it is, if that is the question.
	UserID string `json:"user_id,omitempty"`
}

// Answer is what sallyport_verify returns.
type Answer struct {
	// Active says that the token is good, of that user if one was named. Everything else is only there if it is true,
	// save Reason.
	Active bool `json:"active"`
	// Reason is why it is not good, a word of package jws such as "expired". "unavailable" means: ask again.
	Reason jws.Reason `json:"reason,omitempty"`
	// UserID is Nakama's id of the player.
	UserID string `json:"user_id,omitempty"`
	// PlayerID, Realm and Subject name the verified player.
	PlayerID string `json:"player_id,omitempty"`
	Realm    string `json:"realm,omitempty"`
	Subject  string `json:"subject,omitempty"`
	// Username is Nakama's name of the player.
	Username string `json:"username,omitempty"`
	// Session is the token's tid.
	Session string `json:"session,omitempty"`
	// Expires is the token's exp, Unix seconds.
	Expires int64 `json:"exp,omitempty"`
}

func (m *module) serveVerify(ctx context.Context, _ runtime.Logger, payload string) (string, error) {
	if !serverCall(ctx) {
		return "", errServers
	}
	var q Question
	if json.Unmarshal([]byte(payload), &q) != nil || q.Token == "" {
		return "", errRequest
	}
	answer, err := json.Marshal(m.answer(ctx, q))
	return string(answer), err
}

func (m *module) answer(ctx context.Context, q Question) Answer {
	s, err := m.Verify(ctx, q.Token)
	switch {
	case err != nil:
		return Answer{Reason: jws.ReasonOf(err)}
	case q.UserID != "" && q.UserID != s.UserID && q.UserID != s.PlayerID:
		return Answer{Reason: jws.WrongUser}
	}
	return Answer{
		Active: true, UserID: s.UserID, PlayerID: s.PlayerID, Realm: s.Player.Realm, Subject: s.Player.Subject, Username: s.Username,
		Session: s.ID, Expires: s.Expiry.Unix(),
	}
}
