package gate_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/devidp"
	"github.com/sallyport-auth/sallyport/srp"
)

const (
	pool         = "eu-central-1_Arena"
	app          = "game"
	password     = "Correct-horse-battery-1"
	callerSecret = "caller-secret-0123456789abcdef0123456789"
	// stray is a token that nobody issued.
	stray = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYWxsb3J5In0.c2lnbmF0dXJlLW9mLW5vYm9keQ"
)

// program is the program as its users run it, with everything that it says.
type program struct {
	t                           *testing.T
	idp, api, gate, numbers     string
	plain, colyseus, keys, file string
	cmd                         *exec.Cmd
	ended                       chan struct{}
	mu                          sync.Mutex
	output, answers             bytes.Buffer
	secrets                     map[string]string // by what they are
}

// Write collects what the program writes.
func (b *program) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.output.Write(p)
}

func (b *program) said() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.output.String()
}

// startProgram builds the program and runs it before both game servers, behind an identity provider with three players.
func startProgram(t *testing.T) *program {
	t.Helper()
	folder := t.TempDir()
	b := &program{
		t: t, api: freeAddress(t), gate: freeAddress(t), numbers: freeAddress(t), plain: game(t, "plain"), colyseus: game(t, "colyseus"),
		keys: filepath.Join(folder, "keys.json"), file: filepath.Join(folder, "sallyport.yaml"), ended: make(chan struct{}),
		secrets: map[string]string{"caller secret": callerSecret, "stray token": stray, "password": password},
	}
	b.idp = identityProvider(t)
	executable := filepath.Join(folder, "sallyport")
	build := exec.Command("go", "build", "-o", executable, "./cmd/sallyport")
	build.Dir, build.Env = filepath.Join("..", "..", "server"), append(os.Environ(), "GOWORK=off")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("sallyport does not build: %v\n%s", err, output)
	}
	if output, err := exec.Command(executable, "keys", "new", b.keys).CombinedOutput(); err != nil {
		t.Fatalf("keys new: %v\n%s", err, output)
	}
	for i, key := range regexp.MustCompile(`"d": *"([^"]+)"`).FindAllSubmatch(must(os.ReadFile(b.keys))(t), -1) {
		b.secrets[fmt.Sprint("private key ", i)] = string(key[1])
	}
	if b.secrets["private key 0"] == "" {
		t.Fatal("there is no private key in the file of keys")
	}
	if err := os.WriteFile(b.file, []byte(b.config()), 0o600); err != nil {
		t.Fatal(err)
	}
	b.cmd = exec.Command(executable, "serve", "--config", b.file)
	b.cmd.Stdout, b.cmd.Stderr = b, b
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(b.ended)
		_ = b.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = b.cmd.Process.Kill()
		<-b.ended
		if t.Failed() {
			t.Logf("sallyport said:\n%s", b.said())
		}
	})
	b.ready()
	return b
}

func (b *program) config() string {
	return fmt.Sprintf(`
issuer: http://%s
listen: %s
store: {type: memory}
issuers: [{type: cognito, realm: players, user_pool_id: %s, client_ids: [%s], uses: [access], endpoint: %q}]
sessions: {audiences: [{name: arena}], key_file: %s}
callers: [{id: operator, secrets: [%q], may: [introspect, revoke, sockets]}]
metrics: {listen: %q}
log: {level: debug}
gate:
  listen: %s
  stale_sockets: close
  drain_window: 1s
  routes:
    - name: ws
      path: /ws
      methods: [GET]
      backend: http://%s
      who: [session, ticket]
      sources: {bearer: true, subprotocol: true, ticket: ticket, query: token}
      socket: {profile: plain, any_origin: true}
  servers: [{type: colyseus, backend: "http://%s", who: [session]}]
`, b.api, b.api, pool, app, b.idp, b.keys, callerSecret, b.numbers, b.gate, b.plain, b.colyseus)
}

// ready waits until the program serves.
func (b *program) ready() {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		response, err := http.Get("http://" + b.api + "/readyz")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-b.ended:
			b.t.Fatal("sallyport ended before it served")
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("sallyport does not serve after %s: %v", patience, err)
		}
	}
}

func identityProvider(t *testing.T) string {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	endpoint := "http://" + listener.Addr().String()
	config := devidp.Config{Endpoint: endpoint, UserPoolID: pool, Clients: []devidp.Client{{ID: app}}}
	for _, name := range []string{"alice", "bob", "carol"} {
		config.Users = append(config.Users, devidp.User{Username: name, Password: password})
	}
	server := &http.Server{Handler: must(devidp.New(config))(t), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	return endpoint
}

// ask sends a request and returns the answer. All that is not about to hand out a token is kept for the search.
func (b *program) ask(method, address string, header map[string]string, body string, gives bool) string {
	b.t.Helper()
	request := must(http.NewRequestWithContext(b.t.Context(), method, "http://"+address, strings.NewReader(body)))(b.t)
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response := must(http.DefaultClient.Do(request))(b.t)
	defer response.Body.Close()
	text := must(io.ReadAll(response.Body))(b.t)
	if gives {
		if response.StatusCode != http.StatusOK {
			b.t.Fatalf("%s %s: %s: %s", method, request.URL.Path, response.Status, text)
		}
		return string(text)
	}
	_ = response.Header.Write(&b.answers)
	fmt.Fprintf(&b.answers, "%s\n%s\n", response.Status, text)
	return string(text)
}

// give asks for something that is a secret, and notes it.
func (b *program) give(who, address string, header map[string]string, body string, names ...string) map[string]any {
	b.t.Helper()
	fields := map[string]any{}
	if err := json.Unmarshal([]byte(b.ask("POST", address, header, body, true)), &fields); err != nil {
		b.t.Fatal(err)
	}
	for _, name := range names {
		value, _ := fields[name].(string)
		if len(value) < 16 {
			b.t.Fatalf("%s: no %s in the answer", who, name)
		}
		b.secrets[fmt.Sprintf("%s %d of %s", name, len(b.secrets), who)] = value
	}
	return fields
}

var form = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}

// signIn signs a player in with SRP, buys a session, refreshes it, and returns the newest session token.
func (b *program) signIn(name string) string {
	b.t.Helper()
	tokens := must(srp.Login(b.t.Context(), srp.LoginConfig{Endpoint: b.idp, UserPoolID: pool, ClientID: app, Username: name, Password: password}))(b.t)
	b.secrets["identity token of "+name], b.secrets["identity refresh token of "+name] = tokens.AccessToken, tokens.RefreshToken
	exchange := url.Values{
		"grant_type":         {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"}, "subject_token": {tokens.AccessToken},
	}
	grant := b.give(name, b.api+"/oauth2/token", form, exchange.Encode(), "access_token", "refresh_token")
	refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {app}, "refresh_token": {grant["refresh_token"].(string)}}
	grant = b.give(name, b.api+"/oauth2/token", form, refresh.Encode(), "access_token", "refresh_token")
	// Of a refresh token that is spent nothing may be told either.
	b.ask("POST", b.api+"/oauth2/token", form, url.Values{"grant_type": {"refresh_token"}, "client_id": {app}, "refresh_token": {grant["refresh_token"].(string) + "A"}}.Encode(), false)
	return grant["access_token"].(string)
}

func (b *program) ticket(name, token string) string {
	b.t.Helper()
	header := map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json"}
	return b.give(name, b.api+"/v1/ticket", header, "{}", "ticket")["ticket"].(string)
}

// provoke sends tokens that are no good, or good ones to the wrong places, in every way there is.
func (b *program) provoke(tokens ...string) {
	b.t.Helper()
	for _, token := range tokens {
		for _, target := range []string{"/ws", "/nowhere", "/matchmake/joinOrCreate/arena", "/a/../b", "/process/room"} {
			for _, query := range []string{"token", "ticket", "access_token", "_authToken"} {
				b.ask("GET", b.gate+target+"?"+query+"="+url.QueryEscape(token), nil, "", false)
			}
			b.ask("POST", b.gate+target, map[string]string{"Authorization": "Bearer " + token + "A"}, token, false)
		}
		for _, target := range []string{"/v1/ticket", "/verify", "/oauth2/introspect", "/oauth2/revoke", "/v1/admin/revoke", "/v1/events", "/oauth2/token"} {
			b.ask("POST", b.api+target+"?token="+url.QueryEscape(token), form, url.Values{"token": {token}, "grant_type": {token}, "subject_token": {token}}.Encode(), false)
			b.ask("POST", b.api+target, map[string]string{"Authorization": "Bearer " + token + "A", "Content-Type": "application/json"}, `{"token":"`+token+`"}`, false)
			b.ask("POST", b.api+target, map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("operator:"+token))}, token, false)
		}
		for _, upgrade := range []string{
			handshake("/ws?token=" + token + "A"), handshake("/ws?ticket=" + token), handshake("/ws?token="+token, "Authorization: Bearer "+stray),
			handshake("/ws", "Authorization: Bearer "+token+"A"), handshake("/process/room?sessionId=" + token + "&_authToken=" + token),
			handshake("/ws", "Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io."+base64.RawURLEncoding.EncodeToString([]byte(token+"A"))+", arena"),
		} {
			b.upgrade(upgrade)
		}
	}
}

// upgrade keeps what a handshake is answered, and the close frame behind it.
func (b *program) upgrade(request string) {
	b.t.Helper()
	client, response, err := dial(b.gate, []byte(request))
	if err != nil {
		b.t.Fatal(err)
	}
	defer client.Close()
	_ = response.Header.Write(&b.answers)
	if response.StatusCode == http.StatusSwitchingProtocols {
		op, payload, err := client.next()
		if err != nil || op != opClose {
			b.t.Errorf("a bad token opened a socket: opcode %d, %v", op, err)
		}
		b.answers.Write(payload)
	} else {
		_, _ = io.Copy(&b.answers, response.Body)
	}
}

// TestNoSecretIsTold runs the program with real clients, good and bad tokens, an end by revocation and a drain, and searches all that
// it said (its log at level debug, its metrics, its state and every refusal) for every token, ticket, password and secret.
func TestNoSecretIsTold(t *testing.T) {
	t.Parallel()
	b := startProgram(t)
	chrome, ws, rooms := newDriver(t, "browser"), newDriver(t, "plain"), newDriver(t, "colyseus")
	alice, bob, carol := b.signIn("alice"), b.signIn("bob"), b.signIn("carol")
	ticket := b.ticket("alice", alice)
	chrome.do(command{Op: "open", ID: "alice", Address: b.gate, Ticket: ticket})
	ws.do(command{Op: "open", ID: "bob", Address: b.gate, Token: bob})
	rooms.do(command{Op: "open", ID: "carol", Address: b.gate, Token: carol})
	for id, d := range map[string]*driver{"alice": chrome, "bob": ws, "carol": rooms} {
		if e := d.await(t, id, "open", "close", "error"); e.Event != "open" {
			t.Fatalf("%s does not come in: %+v", id, e)
		}
		d.do(command{Op: "say", ID: id, Text: "hello"})
		d.await(t, id, "message")
	}
	b.provoke(stray, ticket)
	b.provoke(b.expired(alice))
	b.look()

	operator := map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("operator:"+callerSecret))}
	state := b.give("operator", b.api+"/oauth2/introspect", map[string]string{"Authorization": operator["Authorization"], "Content-Type": form["Content-Type"]}, url.Values{"token": {alice}}.Encode())
	operator["Content-Type"] = "application/json"
	b.ask("POST", b.api+"/v1/admin/revoke", operator, fmt.Sprintf(`{"session":%q}`, state["sid"]), false)
	if e := chrome.await(t, "alice", "close"); e.Code != 4403 {
		t.Errorf("alice was told %+v, want 4403", e)
	}
	b.provoke(alice)
	b.look()

	// Peers send a bare FIN on SIGTERM, but for Caddy's 1001.
	if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if e := ws.await(t, "bob", "close"); e.Code != 1012 {
		t.Errorf("bob was told %+v, want 1012", e)
	}
	if e := rooms.await(t, "carol", "drop", "close"); e.Code != 4010 {
		t.Errorf("carol was told %+v, want 4010", e)
	}
	select {
	case <-b.ended:
	case <-time.After(patience):
		t.Fatalf("sallyport lives %s after SIGTERM", patience)
	}
	b.search()
}

// expired is a token with a payload of its own, whose signature is no good any more.
func (b *program) expired(token string) string {
	parts := strings.Split(token, ".")
	forged := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"http://`+b.api+`","sub":"mallory","exp":1}`)) + "." + parts[2]
	b.secrets["forged token"] = forged
	return forged
}

// look keeps what the program tells of itself.
func (b *program) look() {
	b.t.Helper()
	for _, address := range []string{b.numbers + "/metrics", b.api + "/readyz", b.api + "/healthz", b.api + "/.well-known/jwks.json"} {
		b.ask("GET", address, nil, "", false)
	}
}

// search looks for each piece of each secret, as it is and as it would be encoded.
func (b *program) search() {
	b.t.Helper()
	log, answers := b.said(), b.answers.String()
	for _, must := range []struct{ name, text, has string }{
		{"log", log, `"msg":"socket ended"`},
		{"log", log, `"level":"DEBUG"`},
		{"metrics", answers, "sallyport_sockets_ended_total"},
		{"refusals", answers, "application/problem+json"},
		{"refusals", answers, "401 Unauthorized"},
		{"refusals", answers, "403 Forbidden"},
	} {
		if !strings.Contains(must.text, must.has) {
			b.t.Errorf("the %s has no %s: nothing was searched", must.name, must.has)
		}
	}
	pieces := 0
	for name, secret := range b.secrets {
		whole := []byte(secret)
		parts := append(strings.Split(secret, "."), base64.StdEncoding.EncodeToString(whole), base64.RawURLEncoding.EncodeToString(whole), url.QueryEscape(secret))
		for _, part := range parts {
			if len(part) < 12 {
				b.t.Errorf("%s: a part of %d bytes is nothing to search for", name, len(part))
			}
			first, last := part[:min(len(part), 20)], part[max(0, len(part)-20):]
			pieces += 2
			for where, text := range map[string]string{"log": log, "answers": answers} {
				if at := strings.Index(text, first); at >= 0 {
					b.t.Errorf("the %s has the beginning of a part of the %s, behind %q", where, name, text[max(0, at-80):at])
				} else if at := strings.Index(text, last); at >= 0 {
					b.t.Errorf("the %s has the end of a part of the %s, behind %q", where, name, text[max(0, at-80):at])
				}
			}
		}
	}
	b.t.Logf("FIGURE searched %d KiB of log and %d KiB of answers and metrics for %d pieces of %d secrets", len(log)>>10, len(answers)>>10, pieces, len(b.secrets))
}
