package edge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/upstream"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// nakama is what the special routes of a Nakama share. Its verifiers take a user id that no alias leads to yet: the sign-in is
// what teaches the alias.
type nakama struct {
	config              NakamaConfig
	sessions, refreshes *session.Verifier
}

// Bounds of Nakama's for a custom id and a username, in bytes.
const (
	minCustomID = 6
	maxCustomID = 128
	maxUsername = 128
)

// maxAnswer is the largest answer that is read whole.
const maxAnswer = 256 << 10

// tokenVariable is where a client may put its identity token, if not in the id: as with the plugin.
const tokenVariable = "token"

var errKeys = errors.New("NakamaConfig.SessionKeys and RefreshKeys: set Nakama's session.encryption_key and session.refresh_encryption_key")

func (n *nakama) check(c *Config) (err error) {
	switch {
	case c.Identities == nil || c.Sessions == nil || c.Ledger == nil || len(c.Realms) == 0:
		return errors.New("a Nakama without the plugin needs Config.Identities, Sessions, Ledger and Realms")
	case len(n.config.SessionKeys) == 0 || len(n.config.RefreshKeys) == 0:
		return errKeys
	case n.sessions != nil:
		return nil
	}
	verifier := func(keys, others [][]byte) (*session.Verifier, error) {
		return session.NewNakamaVerifier(session.NakamaConfig{
			Realm: c.Realms[0], Realms: c.Realms, Keys: keys, RefreshKeys: others, InsecureKeys: n.config.InsecureKeys,
			Aliases: session.AliasOptional, Ledger: c.Ledger, CacheEntries: -1, Now: c.Now,
		})
	}
	if n.sessions, err = verifier(n.config.SessionKeys, n.config.RefreshKeys); err != nil {
		return err
	}
	n.refreshes, err = verifier(n.config.RefreshKeys, n.config.SessionKeys)
	return err
}

// nakamaSignIn turns an identity token into a Nakama session. Nothing that the client sent goes on but the wish to make an
// account or not.
type nakamaSignIn struct{ *nakama }

func (nakamaSignIn) note() string { return "an identity token in the body; becomes the custom id" }

func (n nakamaSignIn) serve(x *exchange) {
	body, ok := x.readObject("id", "vars", "username", "create")
	if !ok {
		return
	}
	token, ok := identityToken(body)
	if !ok {
		x.refuse(badBody)
		return
	}
	id, err := x.identify(token)
	if err != nil {
		x.refuseWith(err)
		return
	}
	x.principal = connect.Principal{Identity: id}
	x.decision.Player, x.decision.Session = id.Player, id.Session
	x.query = n.signInQuery(x, id)
	answer, data, ok := x.fetch(n.signInBody(x, id))
	if ok && answer.Status == http.StatusInternalServerError {
		// Of several first sign-ins of a player at once Nakama answers one with 500: the account is there by now.
		answer, data, ok = x.fetch(n.signInBody(x, id))
	}
	if !ok {
		return
	}
	if answer.Status == http.StatusOK {
		if err := n.learn(x, id, data); err != nil {
			x.refuseWith(err)
			return
		}
	}
	x.reply(answer, data)
}

// identityToken finds the token: in the variable, or as the id. Two that differ are refused.
func identityToken(body jws.Object) (string, bool) {
	id, _ := body.String("id")
	vars, _ := body.StringMap("vars")
	variable := vars[tokenVariable]
	switch {
	case variable == "":
		return id, id != ""
	case strings.Count(id, ".") == 2 && id != variable:
		return "", false
	}
	return variable, true
}

// identify verifies an identity token and asks whether its player may make a new session.
func (x *exchange) identify(token string) (*identity.Identity, error) {
	id, err := x.gate.config.Identities.Verify(x.r.Context(), token)
	if err != nil {
		return nil, err
	}
	if err := x.gate.config.Ledger.CheckNew(); err != nil {
		return nil, err
	}
	return id, x.gate.config.Ledger.CheckIdentity(id)
}

// customID is the id under which Nakama keeps the account: the subject where it is the only one of that name and fits, else the
// player's UUID.
func (g *Gate) customID(p identity.Player) string {
	n := len(p.Subject)
	unfit := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	if !g.singleRealm || n < minCustomID || n > maxCustomID || strings.ContainsFunc(p.Subject, unfit) {
		return p.ID(g.singleRealm)
	}
	return p.Subject
}

func (n nakamaSignIn) signInQuery(x *exchange, id *identity.Identity) string {
	asked, _ := url.ParseQuery(x.query)
	query := "create=true"
	if asked.Get("create") == "false" {
		query = "create=false"
	}
	name := ""
	switch n.config.Username {
	case UsernameClient:
		name = asked.Get("username")
	case UsernameVerified:
		if fits := func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' }; !strings.ContainsFunc(id.Username, fits) {
			name = id.Username
		}
	}
	if name != "" && len(name) <= maxUsername {
		query += "&username=" + url.QueryEscape(name)
	}
	return query
}

// signInBody has the verified id and variables alone. What a game's code in Nakama reads of them is true.
func (n nakamaSignIn) signInBody(x *exchange, id *identity.Identity) []byte {
	vars := map[string]string{
		"realm": id.Player.Realm, "subject": id.Player.Subject, "player_id": id.Player.ID(x.gate.singleRealm), "issuer": id.Issuer,
	}
	if upstream := session.UpstreamOf(id); upstream != "" {
		vars["upstream"] = upstream
	}
	body, _ := json.Marshal(map[string]any{"id": x.gate.customID(id.Player), "vars": vars})
	return body
}

// learn remembers whose account Nakama opened, before the client has a token of it.
func (n nakamaSignIn) learn(x *exchange, id *identity.Identity, answer []byte) error {
	token, err := tokenIn(answer)
	if err != nil {
		return err
	}
	s, err := n.sessions.Verify(x.r.Context(), token)
	if err != nil {
		return err
	}
	if err := x.gate.config.Ledger.Learn(x.r.Context(), s.UserID, id.Player); err != nil {
		return unavailable(err)
	}
	// The ledger may know what the identity did not tell: a ban by Nakama's own user id.
	_, err = x.gate.config.Sessions.Verify(x.r.Context(), token)
	return err
}

func tokenIn(answer []byte) (string, error) {
	object, err := jws.ParseObject(answer)
	token, ok := object.String("token")
	if err != nil || !ok {
		return "", unavailable(errors.New("edge: Nakama's answer has no token"))
	}
	return token, nil
}

func unavailable(err error) error {
	return &jws.Refusal{Check: jws.CheckPolicy, Reason: jws.Unavailable, Want: "a store and a Nakama that answer", Err: err}
}

// nakamaRefresh refreshes a session: not one that was revoked, and not with variables of the client's. Live sockets of the
// session live as long as the new token.
type nakamaRefresh struct{ *nakama }

func (nakamaRefresh) note() string { return "a refresh token in the body" }

func (n nakamaRefresh) serve(x *exchange) {
	body, ok := x.readObject("token", "vars")
	if !ok {
		return
	}
	token, _ := body.String("token")
	s, err := n.refreshes.Verify(x.r.Context(), token)
	if err != nil {
		x.refuseWith(err)
		return
	}
	x.decision.Player, x.decision.Session = s.Player, s.ID
	x.query = ""
	clean, _ := json.Marshal(map[string]string{"token": token})
	answer, data, ok := x.fetch(clean)
	if !ok {
		return
	}
	if answer.Status == http.StatusOK {
		if err := x.renew(data); err != nil {
			x.refuseWith(err)
			return
		}
	}
	x.reply(answer, data)
}

// renew lets the sockets of a refreshed session live on. A session that was revoked while Nakama refreshed it is not handed out.
func (x *exchange) renew(answer []byte) error {
	token, err := tokenIn(answer)
	if err != nil {
		return err
	}
	s, err := x.gate.config.Sessions.Verify(x.r.Context(), token)
	if err != nil {
		return err
	}
	if registry := x.gate.config.Registry; registry != nil {
		if _, err := registry.Renew(s); err != nil {
			return err
		}
	}
	if renewed := x.gate.config.Renewed; renewed != nil {
		renewed(s)
	}
	return nil
}

// nakamaLogout ends sessions: in the ledger first, so that every node refuses them and closes their sockets, then in Nakama.
type nakamaLogout struct{ *nakama }

func (nakamaLogout) note() string { return "ends the session everywhere, and its sockets" }

func (n nakamaLogout) serve(x *exchange) {
	body, ok := x.readObject("token", "refresh_token", "refreshToken")
	if !ok {
		return
	}
	access, _ := body.String("token")
	refresh, ok := body.String("refresh_token")
	if !ok {
		refresh, _ = body.String("refreshToken")
	}
	if err := n.revoke(x, access, refresh); err != nil {
		x.refuseWith(err)
		return
	}
	clean := make(map[string]string)
	if access != "" {
		clean["token"] = access
	}
	if refresh != "" {
		clean["refresh_token"] = refresh
	}
	data, _ := json.Marshal(clean)
	if answer, data, ok := x.fetch(data); ok {
		x.reply(answer, data)
	}
}

// revoke ends what Nakama's logout means: the sessions of the tokens in the body, all of the player's where there are none. A
// token that is not good any more needs no end; one of another player's is refused.
func (n nakamaLogout) revoke(x *exchange, access, refresh string) error {
	ctx, ledger, own := x.r.Context(), x.gate.config.Ledger, x.principal.Session
	if access == "" && refresh == "" {
		return stored(ledger.CutOff(ctx, own.Player, signedOut))
	}
	for _, t := range []struct {
		verifier *session.Verifier
		token    string
	}{{n.sessions, access}, {n.refreshes, refresh}} {
		if t.token == "" {
			continue
		}
		s, err := t.verifier.Verify(ctx, t.token)
		switch {
		case jws.ReasonOf(err) == jws.Unavailable:
			return err
		case err != nil:
			continue
		case s.UserID != own.UserID:
			return &jws.Refusal{Check: jws.CheckPolicy, Reason: jws.WrongUser, Want: "tokens of the player who signs out", Verified: true}
		}
		if err := stored(ledger.RevokeSession(ctx, s, signedOut)); err != nil {
			return err
		}
	}
	return nil
}

const signedOut = "signed out"

func stored(err error) error {
	if err == nil || jws.ReasonOf(err) != "" {
		return err
	}
	return unavailable(err)
}

// nakamaUpdate keeps a player from taking a username that nobody verified.
type nakamaUpdate struct{}

func (nakamaUpdate) check(*Config) error { return nil }

func (nakamaUpdate) note() string { return "without the username" }

func (nakamaUpdate) serve(x *exchange) {
	body, ok := x.readObject()
	if !ok {
		return
	}
	if body.Has("username") {
		x.refuse(noUsername)
		return
	}
	data, err := body.MarshalJSON()
	if err != nil {
		x.refuse(badBody)
		return
	}
	if answer, data, ok := x.fetch(data); ok {
		x.reply(answer, data)
	}
}

// readObject reads the body, a JSON object with these members alone; without names any are taken. An empty body is an empty
// object.
func (x *exchange) readObject(names ...string) (object jws.Object, ok bool) {
	data, ok := x.readAll()
	if !ok {
		return object, false
	}
	if x.r.Header["Content-Encoding"] != nil { // Nakama would read something else out of the same bytes
		x.refuse(badBody)
		return object, false
	}
	var err error
	if len(bytes.TrimSpace(data)) > 0 {
		if object, err = jws.ParseObject(data); err != nil {
			x.refuse(badBody)
			return object, false
		}
	}
	known := 0
	for _, name := range names {
		if object.Has(name) {
			known++
		}
	}
	if len(names) > 0 && known != object.Len() {
		x.refuse(badBody)
		return object, false
	}
	return object, true
}

// readAll reads the body whole.
func (x *exchange) readAll() ([]byte, bool) {
	data, err := io.ReadAll(x.body())
	if err != nil {
		x.refuseBody(err)
	}
	return data, err == nil
}

// fetch sends a body of the gate's own to the backend and reads the answer whole.
func (x *exchange) fetch(body []byte) (*upstream.Answer, []byte, bool) {
	x.r.Header.Del("Accept-Encoding") // the answer is read here, and Nakama compresses for whoever takes it
	head := appendField(x.head(x.r.Method), "Content-Length", fmt.Sprint(len(body)))
	answer, err := x.route.pool.Do(x.r.Context(), &upstream.Request{Head: append(head, "\r\n"...), Body: body, Timeout: x.route.Timeout})
	if err != nil {
		x.refuseBackend(err)
		return nil, nil, false
	}
	defer answer.Close()
	x.decision.Allowed = true
	data, err := io.ReadAll(io.LimitReader(answer, maxAnswer+1))
	switch {
	case errors.Is(err, context.Canceled):
		x.refuseBackend(err)
	case err != nil || len(data) > maxAnswer:
		x.decision.Err = err
		x.refuse(backendBroken)
	default:
		answer.Fields = slices.Clone(answer.Fields) // they are the connection's, which serves others from here on
		return answer, data, true
	}
	return nil, nil, false
}

// reply sends an answer that was read whole.
func (x *exchange) reply(a *upstream.Answer, data []byte) {
	header := x.w.Header()
	copyAnswerHeaders(header, a)
	header.Set("Content-Length", fmt.Sprint(len(data)))
	header.Set("Cache-Control", "no-store") // there are tokens in it
	x.decision.Status = a.Status
	x.mayWrite()
	x.w.WriteHeader(a.Status)
	_, _ = x.w.Write(data)
}

// refuseWith answers as a token's refusal, on a route that looks for none.
func (x *exchange) refuseWith(err error) {
	x.decision.Status, x.decision.Err, x.decision.Allowed = connect.StatusOf(err), err, false
	x.decision.Reason = string(connect.ProblemOf(err).Reason)
	x.beforeRefusal()
	connect.WriteRefusal(x.w, x.r, err)
}
