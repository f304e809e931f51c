package dev

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/server/internal/app"
	"github.com/sallyport-auth/sallyport/session"
)

// routes are the demonstration: one that needs a session, and one that does not.
func routes(sessions connect.SessionVerifier, observe app.Observer) (map[string]http.Handler, error) {
	guard, err := connect.New(connect.Config{
		Sessions:  sessions,
		OnRefusal: func(r *http.Request, err error) { observe(r.URL.Path, nil, err) },
	})
	if err != nil {
		return nil, err
	}
	admitted := func(w http.ResponseWriter, r *http.Request) {
		s, _ := connect.SessionFromContext(r.Context())
		observe(r.URL.Path, s, nil)
		hello(w, s)
	}
	return map[string]http.Handler{
		"GET /hello":  guard.Require()(http.HandlerFunc(admitted)),
		"GET /public": http.HandlerFunc(public),
	}, nil
}

// hello answers who the session is of.
func hello(w http.ResponseWriter, s *session.Session) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(struct {
		PlayerID string `json:"player_id"`
		Username string `json:"username"`
	}{s.PlayerID, s.Username})
}

func public(w http.ResponseWriter, _ *http.Request) {
	_, _ = fmt.Fprintln(w, "anyone may read this")
}

const introduction = `Sallyport for development is up. %[1]s

  token API, Photon   %[2]s   (GET /hello needs a session, GET /public does not)
  gate                %[12]s   (a game server behind it gives back what a socket at /ws sends)
  identity provider   %[3]s   (speaks Cognito's API: pool %[4]s, client %[5]s)
  player              %[6]s, password %[7]s
  caller              %[8]s, secret %[9]s

In a second terminal, sign in, exchange the identity token for a session, use it, log out, and see it refused:

IDENTITY=$(SALLYPORT_PASSWORD=%[7]s %[10]s login --endpoint %[3]s --pool %[4]s --client-id %[5]s --username %[6]s --print access)
SESSION=$(curl -s %[2]s/oauth2/token -d grant_type=urn:ietf:params:oauth:grant-type:token-exchange -d subject_token_type=urn:ietf:params:oauth:token-type:access_token -d audience=%[11]s -d subject_token=$IDENTITY | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
curl -i -H "Authorization: Bearer $SESSION" %[2]s/hello
curl -i -d token=$SESSION %[2]s/oauth2/revoke
curl -i -H "Authorization: Bearer $SESSION" %[2]s/hello

A socket ends with its session. With a new SESSION, open one, list it from a third terminal, and log out there as above: curl
prints why the socket was closed, and ends.

  curl -isN --http1.1 -H "Connection: Upgrade" -H "Upgrade: websocket" -H "Sec-WebSocket-Version: 13" -H "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==" -H "Authorization: Bearer $SESSION" %[12]s/ws
  SALLYPORT_CALLER_SECRET=%[9]s %[10]s sockets ls --caller %[8]s --server %[2]s

Ctrl-C ends it.
`

// introduce says what was started and what to try.
func (w *world) introduce() {
	kept := "Everything is on this machine, and forgotten at the end."
	if !w.temporary {
		kept = "Keys and users are kept in " + w.folder + "."
	}
	fmt.Fprintf(w.options.Out, introduction, kept, w.apiURL(), w.idpURL(), poolID, clientID, username, w.password,
		callerID, w.callerSecret, quote(w.options.Program), audience, w.gateURL())
}

// quote makes a path one word for a shell.
func quote(path string) string {
	if path != "" && !strings.ContainsFunc(path, func(r rune) bool {
		return !strings.ContainsRune("/._-+", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
