package nakama_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

type answer struct {
	Active   bool
	Reason   string
	UserID   string `json:"user_id"`
	PlayerID string `json:"player_id"`
}

// post calls an RPC as a server does.
func (w world) post(t *testing.T, rpc, query, contentType, body string) (int, string) {
	t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(t.Context(), method, w.nakama.url()+"/v2/rpc/"+rpc+"?"+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

func (w world) verify(t *testing.T, token, userID string) answer {
	t.Helper()
	question, _ := json.Marshal(map[string]string{"token": token, "user_id": userID})
	status, body := w.post(t, "sallyport_verify", "unwrap&http_key="+httpKey, "application/json", string(question))
	var a answer
	if err := json.Unmarshal([]byte(body), &a); status != 200 || err != nil {
		t.Fatalf("sallyport_verify: %d %s", status, body)
	}
	return a
}

func TestVerify(t *testing.T) {
	t.Parallel()
	w := withPlugin(t, nil)
	alice, bob := w.signIn(t, "alice"), w.signIn(t, "bob")
	if a := w.verify(t, alice.Token, alice.User); !a.Active || a.UserID != alice.User || a.PlayerID == "" {
		t.Errorf("the right user: %+v", a)
	}
	for what, q := range map[string]struct{ token, user, reason string }{
		"another user":    {alice.Token, bob.User, "wrong_user"},
		"a refresh token": {alice.Refresh, "", "bad_signature"},
		"garbage":         {"not-a-token", "", "malformed"},
	} {
		if a := w.verify(t, q.token, q.user); a.Active || a.Reason != q.reason || a.UserID != "" {
			t.Errorf("%s: %+v, want the reason %s", what, a, q.reason)
		}
	}
	// Players can call every RPC, over HTTP and over the socket: those for servers are closed to them.
	w.driver.must("open", w.as(alice, args{"socket": "alice"}))
	for _, rpc := range []string{"sallyport_verify", "sallyport_photon"} {
		w.driver.refused(rpc+" by a player", "rpc", 403, w.as(alice, args{"name": rpc, "payload": args{"token": bob.Token}}))
		if r := w.driver.call("socketRPC", args{"socket": "alice", "name": rpc, "payload": args{"token": bob.Token}}); r.OK {
			t.Errorf("%s answers over a socket: %s", rpc, r.Result)
		}
	}
	w.driver.must("account", w.as(alice, nil)) // Nakama lives
}

// TestPhoton sends what Photon's servers send (GET with the dashboard's pairs first, POST as JSON, as text without a
// content type, empty) and holds the answers byte for byte against what they parse.
func TestPhoton(t *testing.T) {
	t.Parallel()
	const secret = "photon-secret-0123456789"
	w := withPlugin(t, map[string]string{"sallyport_photon_secrets": secret})
	alice := w.signIn(t, "alice")
	good := fmt.Sprintf(`{"ResultCode":1,"UserId":%q,"Nickname":%q,"ExpireAt":%.0f}`,
		alice.Vars["player_id"], alice.Username, claims(t, alice.Token)["exp"])
	dashboard := "http_key=" + httpKey + "&unwrap=&secret=" + secret
	token := url.QueryEscape(alice.Token)
	dictionary, _ := json.Marshal(map[string]string{"token": alice.Token})
	for what, c := range map[string]struct{ query, contentType, body, want string }{
		"GET":                           {dashboard + "&token=" + token, "", "", good},
		"GET in other case":             {dashboard + "&Token=" + token, "", "", good},
		"GET with unwrap without =":     {"http_key=" + httpKey + "&unwrap&secret=" + secret + "&token=" + token, "", "", good},
		"POST of a dictionary":          {dashboard, "application/json", string(dictionary), good},
		"POST of text":                  {dashboard, "", alice.Token, good},
		"POST of nothing":               {dashboard, "application/json", "{}", `{"ResultCode":3,"Message":"The token is missing: set it as an authentication parameter or as post data."}`},
		"GET of nothing":                {dashboard, "", "", `{"ResultCode":3,"Message":"The token is missing: set it as an authentication parameter or as post data."}`},
		"a refresh token":               {dashboard + "&token=" + url.QueryEscape(alice.Refresh), "", "", `{"ResultCode":2,"Message":"The token was refused: sign in again."}`},
		"garbage":                       {dashboard + "&token=x", "", "", `{"ResultCode":2,"Message":"The token is malformed: send it as it was issued."}`},
		"a wrong secret":                {"http_key=" + httpKey + "&unwrap=&secret=wrong-secret-0123456789&token=" + token, "", "", `{"ResultCode":2,"Message":"The secret is wrong: compare Photon's dashboard with the server's configuration."}`},
		"the client's own secret first": {dashboard + "&token=" + token, "application/json", `{"secret":"wrong-secret-0123456789"}`, good},
	} {
		status, body := w.post(t, "sallyport_photon", c.query, c.contentType, c.body)
		if status != 200 || body != c.want {
			t.Errorf("%s: %d %s\nwant 200 %s", what, status, body, c.want)
		}
	}
	w.driver.must("logout", w.as(alice, nil))
	if _, body := w.post(t, "sallyport_photon", dashboard+"&token="+token, "", ""); body != `{"ResultCode":2,"Message":"The session has ended: sign in again."}` {
		t.Errorf("a session that was logged out: %s", body)
	}
	for what, c := range map[string]struct {
		query  string
		status int
	}{
		"no http_key":    {"unwrap=&token=" + token, 401},
		"wrong http_key": {"http_key=wrong&unwrap=&token=" + token, 401},
		"no unwrap":      {"http_key=" + httpKey + "&token=" + token, 400},
	} {
		if status, body := w.post(t, "sallyport_photon", c.query, "", ""); status != c.status {
			t.Errorf("%s: %d %s, want %d", what, status, body, c.status)
		}
	}
}
