package srp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/srp"
)

// pool is a user pool with one user, as small as it can be.
type pool struct {
	stored  srp.Verifier
	secret  string // of the app client
	refuse  string // the exception to answer the proof with
	further string // the challenge to answer the proof with
	key     srp.Key
	calls   []string
}

type request struct {
	AuthFlow, ChallengeName            string
	ClientID                           string `json:"ClientId"`
	AuthParameters, ChallengeResponses map[string]string
}

func (p *pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AWSCognitoIdentityProviderService.")
	p.calls = append(p.calls, operation)
	var in request
	if r.Header.Get("Content-Type") != "application/x-amz-json-1.1" || json.NewDecoder(r.Body).Decode(&in) != nil {
		fail(w, "SerializationException")
		return
	}
	if operation == "InitiateAuth" {
		p.challenge(w, in)
		return
	}
	p.judge(w, in)
}

func (p *pool) challenge(w http.ResponseWriter, in request) {
	if p.secret != "" && in.AuthParameters["SECRET_HASH"] != srp.SecretHash(p.secret, "alice@example.com", in.ClientID) {
		fail(w, "NotAuthorizedException")
		return
	}
	srpB, key, err := srp.Answer(nil, p.stored, in.AuthParameters["SRP_A"])
	if err != nil || in.AuthFlow != "USER_SRP_AUTH" {
		fail(w, "InvalidParameterException")
		return
	}
	p.key = key
	ch := srp.Challenge{Salt: p.stored.SaltHex(), B: srpB, SecretBlock: "AAECAw==", UserID: "alice", Username: "alice"}
	reply(w, map[string]any{"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": ch.Parameters()})
}

func (p *pool) judge(w http.ResponseWriter, in request) {
	response, err := srp.ParseResponse(in.ChallengeResponses)
	switch {
	case err != nil:
		fail(w, "InvalidParameterException")
	case p.secret != "" && in.ChallengeResponses["SECRET_HASH"] != srp.SecretHash(p.secret, "alice", in.ClientID):
		fail(w, "NotAuthorizedException")
	case p.key.Check("Ab129faBb", "alice", response) != nil:
		fail(w, "NotAuthorizedException")
	case p.refuse != "":
		fail(w, p.refuse)
	case p.further != "":
		reply(w, map[string]any{"ChallengeName": p.further, "Session": "s"})
	default:
		reply(w, map[string]any{"AuthenticationResult": map[string]any{
			"AccessToken": "access", "IdToken": "id", "RefreshToken": "refresh", "ExpiresIn": 3600, "TokenType": "Bearer",
		}})
	}
}

func reply(w http.ResponseWriter, body map[string]any) { json.NewEncoder(w).Encode(body) }

func fail(w http.ResponseWriter, code string) {
	w.Header().Set("x-amzn-ErrorType", code+":")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `{"__type":%q,"message":"a text of the server's own"}`, code)
}

func serve(t *testing.T, p *pool) srp.LoginConfig {
	t.Helper()
	p.stored = verifier(t, alice)
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return srp.LoginConfig{
		UserPoolID: "us-east-1_Ab129faBb", ClientID: "client", Username: "alice@example.com", Password: alice.Password,
		Endpoint: server.URL, Now: func() time.Time { return testvectors.Now },
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	p := &pool{secret: "client-secret"}
	cfg := serve(t, p)
	cfg.ClientSecret = p.secret
	got, err := srp.Login(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := srp.Tokens{IDToken: "id", AccessToken: "access", RefreshToken: "refresh", ExpiresIn: time.Hour}
	if got != want {
		t.Errorf("tokens are %+v", got)
	}
	if calls := strings.Join(p.calls, " "); calls != "InitiateAuth RespondToAuthChallenge" {
		t.Errorf("calls are %s", calls)
	}
}

func TestLoginRefusals(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]error{
		"NotAuthorizedException":         srp.ErrNotAuthorized,
		"UserNotFoundException":          srp.ErrUserNotFound,
		"UserNotConfirmedException":      srp.ErrUserNotConfirmed,
		"PasswordResetRequiredException": srp.ErrPasswordResetRequired,
	} {
		if _, err := srp.Login(context.Background(), serve(t, &pool{refuse: code})); !errors.Is(err, want) {
			t.Errorf("%s gives %v", code, err)
		}
	}
	cfg := serve(t, &pool{})
	cfg.Password = "wrong"
	if _, err := srp.Login(context.Background(), cfg); !errors.Is(err, srp.ErrNotAuthorized) {
		t.Errorf("a wrong password gives %v", err)
	}
	_, err := srp.Login(context.Background(), serve(t, &pool{refuse: "TooManyRequestsException"}))
	var api *srp.APIError
	if !errors.As(err, &api) || api.Code != "TooManyRequestsException" || api.Operation != "RespondToAuthChallenge" || api.Status != 400 {
		t.Errorf("another exception gives %v", err)
	}
	_, err = srp.Login(context.Background(), serve(t, &pool{further: "SOFTWARE_TOKEN_MFA"}))
	var challenge *srp.ChallengeError
	if !errors.As(err, &challenge) || challenge.Challenge != "SOFTWARE_TOKEN_MFA" {
		t.Errorf("a further challenge gives %v", err)
	}
}

// TestLoginKeepsTheAnswerOut feeds answers that are not Cognito's: none may put its text into an error.
func TestLoginKeepsTheAnswerOut(t *testing.T) {
	t.Parallel()
	const poison = "eyJhbGciOiJub25lIn0.e30. leaked\n"
	answers := map[string]http.HandlerFunc{
		"error body": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, poison, http.StatusBadGateway) },
		"error type": func(w http.ResponseWriter, _ *http.Request) { fail(w, strings.TrimSpace(poison)) },
		"not JSON":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, poison) },
		"challenge":  func(w http.ResponseWriter, _ *http.Request) { reply(w, map[string]any{"ChallengeName": poison}) },
		"too long":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat(" ", 300<<10)) },
		"redirect":   func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/leaked", http.StatusFound) },
		"no answer":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"no parameters": func(w http.ResponseWriter, _ *http.Request) {
			reply(w, map[string]any{"ChallengeName": "PASSWORD_VERIFIER"})
		},
	}
	for name, answer := range answers {
		cfg := serve(t, &pool{})
		server := httptest.NewServer(answer)
		t.Cleanup(server.Close)
		cfg.Endpoint = server.URL
		_, err := srp.Login(context.Background(), cfg)
		if err == nil || strings.Contains(err.Error(), "leaked") || strings.Contains(err.Error(), "eyJ") {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestLoginConfigRefuses(t *testing.T) {
	t.Parallel()
	good := srp.LoginConfig{UserPoolID: "us-east-1_A", ClientID: "c", Username: "u", Password: "p"}
	for name, change := range map[string]func(*srp.LoginConfig){
		"pool":           func(c *srp.LoginConfig) { c.UserPoolID = "us-east-1" },
		"region":         func(c *srp.LoginConfig) { c.UserPoolID = "evil.example/_A" },
		"client":         func(c *srp.LoginConfig) { c.ClientID = "" },
		"user":           func(c *srp.LoginConfig) { c.Username = "" },
		"password":       func(c *srp.LoginConfig) { c.Password = "" },
		"plain http":     func(c *srp.LoginConfig) { c.Endpoint = "http://idp.example" },
		"no URL":         func(c *srp.LoginConfig) { c.Endpoint = "::" },
		"password in it": func(c *srp.LoginConfig) { c.Endpoint = "https://a:b@idp.example" },
	} {
		cfg := good
		change(&cfg)
		_, err := srp.Login(context.Background(), cfg)
		var parameter *srp.ParameterError
		if !errors.As(err, &parameter) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// roundTripper answers no request and remembers where the last one went.
type roundTripper struct{ url string }

func (r *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	r.url = req.URL.String()
	return nil, errors.New("not sent")
}

func TestLoginEndpointOfTheRegion(t *testing.T) {
	t.Parallel()
	for pool, want := range map[string]string{
		"eu-central-1_A":  "https://cognito-idp.eu-central-1.amazonaws.com/",
		"cn-north-1_A":    "https://cognito-idp.cn-north-1.amazonaws.com.cn/",
		"us-gov-west-1_A": "https://cognito-idp.us-gov-west-1.amazonaws.com/",
	} {
		var to roundTripper
		_, err := srp.Login(context.Background(), srp.LoginConfig{
			UserPoolID: pool, ClientID: "c", Username: "u", Password: "p", HTTP: &http.Client{Transport: &to},
		})
		if err == nil || to.url != want {
			t.Errorf("%s: called %s (%v), want %s", pool, to.url, err, want)
		}
	}
}

// TestLoginFollowsNoRedirect: a proof of the password goes where it was meant to go and nowhere else.
func TestLoginFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	followed := make(chan string, 10)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { followed <- r.URL.Path }))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	cfg := serve(t, &pool{})
	cfg.Endpoint = server.URL
	for _, client := range []*http.Client{nil, server.Client()} {
		cfg.HTTP = client
		_, err := srp.Login(context.Background(), cfg)
		var api *srp.APIError
		if !errors.As(err, &api) || api.Status != http.StatusTemporaryRedirect {
			t.Errorf("a redirect gives %v", err)
		}
	}
	if len(followed) > 0 {
		t.Errorf("%d redirects were followed", len(followed))
	}
}
