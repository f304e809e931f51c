package tokenapi

import (
	"net/http"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

const pathAdmin = "/v1/admin/"

// Bounds of what an operator may send, in bytes: those of session.Event.
const (
	maxName   = 1024
	maxReason = 256
)

const (
	errRealm     fault = "The member realm must name one of the configured realms."
	errPlayer    fault = "Name the player: realm and subject, or the user_id by which a backend knows the player."
	errUserID    fault = "No player is known by this user_id."
	errSession   fault = "Name the session, or realm and upstream session."
	errUntil     fault = "The member until must be a time in the future, as RFC 3339."
	errText      fault = "A member is too long or has control characters."
	errAmbiguous fault = "Members were sent that do not go together."
	errAlias     fault = "Name the player, realm and subject, and the user_id by which the backend knows the player."
)

// admin is one of revoke, cutoff, ban, unban, alias.
func (a *API) admin(action string) endpoint {
	e := endpoint{path: pathAdmin + action, methods: []string{http.MethodPost}}
	switch action {
	case "revoke":
		e.serve = a.withCaller(MayRevoke, a.serveRevokeSession)
	case "cutoff":
		e.serve = a.withCaller(MayRevoke, a.onPlayer(a.cutOff))
	case "ban":
		e.serve = a.withCaller(MayBan, a.onPlayer(a.ban, "until"))
	case "unban":
		e.serve = a.withCaller(MayBan, a.onPlayer(a.unban))
	case "alias":
		e.serve = a.withCaller(MayAlias, a.serveAlias)
	}
	return e
}

// readOrder reads an operator's JSON object and holds its texts to the bounds.
func readOrder(w http.ResponseWriter, r *http.Request, known ...string) (jws.Object, error) {
	body, err := readJSON(w, r, known...)
	if err != nil {
		return body, err
	}
	for name := range body.Names() {
		text, _ := body.String(name)
		limit := maxName
		if name == "reason" {
			limit = maxReason
		}
		if len(text) > limit || !utf8.ValidString(text) || slices.ContainsFunc([]rune(text), unicode.IsControl) {
			return body, errText
		}
	}
	return body, nil
}

// serveRevokeSession takes {"session"} or {"realm", "upstream"}, and {"reason"}.
func (a *API) serveRevokeSession(w http.ResponseWriter, r *http.Request, d *Decision) {
	body, err := readOrder(w, r, "session", "realm", "upstream", "reason")
	if err != nil {
		writeProblem(w, d, statusOf(err), err.Error())
		return
	}
	sid, _ := body.String("session")
	realm, _ := body.String("realm")
	upstream, _ := body.String("upstream")
	reason, _ := body.String("reason")
	switch {
	case sid != "" && (realm != "" || upstream != ""):
		writeProblem(w, d, http.StatusBadRequest, errAmbiguous.Error())
		return
	case sid != "":
		d.Session = sid
		err = a.config.Ledger.RevokeSession(r.Context(), &session.Session{ID: sid}, reason)
	case upstream == "":
		writeProblem(w, d, http.StatusBadRequest, errSession.Error())
		return
	case !slices.Contains(a.config.Realms, realm):
		writeProblem(w, d, http.StatusBadRequest, errRealm.Error())
		return
	default:
		d.Player.Realm = realm
		err = a.config.Ledger.RevokeUpstream(r.Context(), realm, upstream, reason)
	}
	finish(w, d, err)
}

// onPlayer takes {"realm", "subject"} or {"user_id"}, and {"reason"} and whatever more the action knows.
func (a *API) onPlayer(act func(*http.Request, identity.Player, jws.Object) error, more ...string) func(http.ResponseWriter, *http.Request, *Decision) {
	known := append([]string{"realm", "subject", "user_id", "reason"}, more...)
	return func(w http.ResponseWriter, r *http.Request, d *Decision) {
		body, err := readOrder(w, r, known...)
		if err == nil {
			d.Player, err = a.playerOf(body)
		}
		if err != nil {
			writeProblem(w, d, statusOf(err), err.Error())
			return
		}
		finish(w, d, act(r, d.Player, body))
	}
}

// serveAlias takes {"realm", "subject", "user_id"}: a backend knows the player by that id, see session.Ledger.Learn.
func (a *API) serveAlias(w http.ResponseWriter, r *http.Request, d *Decision) {
	body, err := readOrder(w, r, "realm", "subject", "user_id")
	if err != nil {
		writeProblem(w, d, statusOf(err), err.Error())
		return
	}
	realm, _ := body.String("realm")
	subject, _ := body.String("subject")
	userID, _ := body.String("user_id")
	if subject == "" || userID == "" {
		writeProblem(w, d, http.StatusBadRequest, errAlias.Error())
		return
	}
	if d.Player, err = a.playerNamed(realm, subject, ""); err == nil {
		err = a.config.Ledger.Learn(r.Context(), userID, d.Player)
	}
	finish(w, d, err)
}

func (a *API) playerOf(body jws.Object) (identity.Player, error) {
	realm, _ := body.String("realm")
	subject, _ := body.String("subject")
	userID, _ := body.String("user_id")
	return a.playerNamed(realm, subject, userID)
}

// playerNamed returns the player whom an operator names.
func (a *API) playerNamed(realm, subject, userID string) (identity.Player, error) {
	switch {
	case userID != "" && (realm != "" || subject != ""):
		return identity.Player{}, errAmbiguous
	case userID != "":
		player, ok := a.config.Ledger.PlayerOf(userID)
		if !ok {
			return identity.Player{}, errUserID
		}
		return player, nil
	case subject == "":
		return identity.Player{}, errPlayer
	case !slices.Contains(a.config.Realms, realm):
		return identity.Player{}, errRealm
	}
	return identity.Player{Realm: realm, Subject: subject}, nil
}

func (a *API) cutOff(r *http.Request, p identity.Player, body jws.Object) error {
	reason, _ := body.String("reason")
	return a.config.Ledger.CutOff(r.Context(), p, reason)
}

func (a *API) ban(r *http.Request, p identity.Player, body jws.Object) error {
	reason, _ := body.String("reason")
	var until time.Time
	if text, ok := body.String("until"); ok {
		var err error
		if until, err = time.Parse(time.RFC3339, text); err != nil || !until.After(time.Now()) {
			return errUntil
		}
	}
	return a.config.Ledger.Ban(r.Context(), p, reason, until)
}

func (a *API) unban(r *http.Request, p identity.Player, _ jws.Object) error {
	return a.config.Ledger.Unban(r.Context(), p)
}

// finish answers an order: 204 once it is durable, 400 for a fault in it, 503 if the ledger could not take it.
func finish(w http.ResponseWriter, d *Decision, err error) {
	if f, ok := err.(fault); ok {
		writeProblem(w, d, http.StatusBadRequest, f.Error())
		return
	}
	if err != nil {
		writeRefusal(w, d, unavailable(err))
		return
	}
	d.Status, d.Allowed = http.StatusNoContent, true
	w.WriteHeader(http.StatusNoContent)
}
