package devidp_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/devidp"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/srp"
)

const (
	password = "Correct-horse-1"
	poolID   = "local_Arena"
	endpoint = "http://127.0.0.1:9229"
)

// pool is a provider with a clock that stands still until it is moved.
type pool struct {
	*devidp.Provider
	t  testing.TB
	mu sync.Mutex
	at time.Time
}

// newPool returns a pool with the client "game" and the user alice; change may alter its configuration.
func newPool(t testing.TB, change func(*devidp.Config)) *pool {
	t.Helper()
	p := &pool{t: t, at: testvectors.Now}
	cfg := devidp.Config{
		Endpoint:   endpoint,
		UserPoolID: poolID,
		Clients:    []devidp.Client{{ID: "game"}},
		Users: []devidp.User{{
			Username: "alice", Password: password, Email: "alice@example.com", Groups: []string{"admin", "players"},
			Attributes: map[string]string{"name": "Alice", "custom:rank": "7"},
		}},
		IDKey:     testvectors.PrivateKey(t, "rsa-1"),
		AccessKey: testvectors.PrivateKey(t, "rsa-2"),
		Now:       p.now,
	}
	if change != nil {
		change(&cfg)
	}
	provider, err := devidp.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p.Provider = provider
	return p
}

func (p *pool) now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

func (p *pool) pass(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = p.at.Add(d)
}

// m is a JSON object of a request.
type m map[string]any

// result is an answer of the API: the members that tests look at.
type result struct {
	Status  int         `json:"-"`
	Header  http.Header `json:"-"`
	Body    string      `json:"-"`
	Type    string      `json:"__type"`
	Message string      `json:"message"`

	ChallengeName        string
	ChallengeParameters  map[string]string
	Session              *string
	AuthenticationResult *struct {
		AccessToken, RefreshToken, TokenType string
		IDToken                              string `json:"IdToken"`
		ExpiresIn                            int
	}
	UserConfirmed       bool
	UserSub             string
	CodeDeliveryDetails *struct{ AttributeName, DeliveryMedium, Destination string }
	Username            string
	UserAttributes      []struct{ Name, Value string }
}

// do sends a request from loopback.
func (p *pool) do(r *http.Request) *httptest.ResponseRecorder {
	r.RemoteAddr, r.Host = "127.0.0.1:50000", "127.0.0.1:9229"
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func (p *pool) call(operation string, in m) result {
	p.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		p.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
	w := p.do(r)
	out := result{Status: w.Code, Header: w.Header(), Body: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		p.t.Fatalf("%s answers %d %q: %v", operation, w.Code, w.Body, err)
	}
	return out
}

// must calls an operation that has to succeed.
func (p *pool) must(operation string, in m) result {
	p.t.Helper()
	out := p.call(operation, in)
	if out.Status != http.StatusOK {
		p.t.Fatalf("%s: %d %s: %s", operation, out.Status, out.Type, out.Message)
	}
	return out
}

// refused calls an operation that has to fail with an exception, and a message unless it is "".
func (p *pool) refused(operation string, in m, exception, message string) {
	p.t.Helper()
	out := p.call(operation, in)
	if out.Status != http.StatusBadRequest || out.Type != exception+"Exception" || message != "" && out.Message != message {
		p.t.Errorf("%s: %d %s: %q; want %sException: %q", operation, out.Status, out.Type, out.Message, exception, message)
	}
}

// challenge asks for an SRP challenge.
func (p *pool) challenge(client *srp.Client, clientID, username string) result {
	p.t.Helper()
	return p.call("InitiateAuth", m{
		"AuthFlow": "USER_SRP_AUTH", "ClientId": clientID,
		"AuthParameters": m{"USERNAME": username, "SRP_A": client.A()},
	})
}

// proof answers a challenge.
func (p *pool) proof(client *srp.Client, given result, password string) m {
	p.t.Helper()
	ch, err := srp.ParseChallenge(given.ChallengeParameters)
	if err != nil {
		p.t.Fatalf("challenge %s: %v", given.Body, err)
	}
	response, err := client.Respond(ch, "Arena", password, p.now())
	if err != nil {
		p.t.Fatal(err)
	}
	responses := m{}
	for name, value := range response.Parameters() {
		responses[name] = value
	}
	return m{"ChallengeName": "PASSWORD_VERIFIER", "ClientId": "game", "ChallengeResponses": responses}
}

// signIn signs in by SRP and returns the last answer, good or bad.
func (p *pool) signIn(username, password string) result {
	p.t.Helper()
	client, err := srp.NewClient(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	given := p.challenge(client, "game", username)
	if given.Status != http.StatusOK {
		return given
	}
	return p.call("RespondToAuthChallenge", p.proof(client, given, password))
}

// signedIn signs in and fails the test unless that works.
func (p *pool) signedIn(username, password string) result {
	p.t.Helper()
	out := p.signIn(username, password)
	if out.AuthenticationResult == nil {
		p.t.Fatalf("sign-in of %s: %d %s: %s", username, out.Status, out.Type, out.Message)
	}
	return out
}

// code returns the one code that waits for a user.
func (p *pool) code(username string) string {
	p.t.Helper()
	codes := p.Codes(username)
	if len(codes) != 1 {
		p.t.Fatalf("%d codes wait for %s, want 1", len(codes), username)
	}
	return codes[0].Code
}

// wrong returns a code of six digits that is not the right one.
func wrong(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}
