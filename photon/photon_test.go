package photon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/photon"
	"github.com/sallyport-auth/sallyport/session"
)

// TestVectors sends each request and compares the answer byte for byte.
func TestVectors(t *testing.T) {
	for _, v := range testvectors.Load(t, "testdata/vectors") {
		t.Run(v.Name, func(t *testing.T) {
			var seen []photon.Result
			handler := newHandler(t, v.Get("config"), func(_ context.Context, r photon.Result) { seen = append(seen, r) })
			request := httptest.NewRequest(v.Get("method"), "/v1/photon", strings.NewReader(v.Body))
			request.URL.RawQuery = v.Get("query")
			if contentType := v.Get("content-type"); contentType != "" {
				request.Header.Set("Content-Type", contentType)
			}
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, request)
			if got := recorder.Body.String(); got != v.Get("answer") {
				t.Errorf("answered\n%s, want\n%s", got, v.Get("answer"))
			}
			checkForm(t, recorder)
			if len(seen) != 1 {
				t.Fatalf("the observer was called %d times", len(seen))
			}
			checkResult(t, seen[0], recorder.Body.Bytes())
		})
	}
}

// checkForm holds every answer to what Photon's servers want.
func checkForm(t *testing.T, recorder *httptest.ResponseRecorder) {
	t.Helper()
	body := recorder.Body.Bytes()
	if recorder.Code != http.StatusOK || len(body) >= 1000 || bytes.HasPrefix(body, []byte("\ufeff")) {
		t.Errorf("status %d with %d bytes: %q", recorder.Code, len(body), body)
	}
	if !recorder.Flushed {
		t.Error("the answer was not flushed before the observer ran")
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store", "Content-Length": strconv.Itoa(len(body)),
	} {
		if got := recorder.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		t.Fatal(err)
	}
	code := string(fields["ResultCode"])
	if code != "1" && code != "2" && code != "3" {
		t.Errorf("ResultCode %s is no number from 1 to 3", code)
	}
	if _, found := fields["UserId"]; found != (code == "1") {
		t.Errorf("a UserId with ResultCode %s: %v", code, found)
	}
}

// checkResult compares what the observer saw with the answer.
func checkResult(t *testing.T, r photon.Result, body []byte) {
	t.Helper()
	var answer struct {
		ResultCode photon.ResultCode
		Message    string
		UserID     string `json:"UserId"`
		ExpireAt   int64
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	if r.Code != answer.ResultCode || r.Message != answer.Message || r.UserID != answer.UserID {
		t.Errorf("observed %+v, answered %s", r, body)
	}
	if answer.ExpireAt != 0 && (r.ExpiresAt.Unix() != answer.ExpireAt || r.ExpiresAt.Location() != time.UTC) {
		t.Errorf("observed the expiry %v, answered %d", r.ExpiresAt, answer.ExpireAt)
	}
}

func post(handler http.Handler, body string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/?secret="+secret, strings.NewReader(body)))
	return recorder
}

func TestLongestAnswerFits(t *testing.T) {
	recorder := post(newHandler(t, "", nil), "quoted-user")
	checkForm(t, recorder)
	if !strings.Contains(recorder.Body.String(), `"ResultCode":1`) {
		t.Errorf("answered %s", recorder.Body)
	}
}

func TestTokenMayBeShownAgain(t *testing.T) {
	handler := newHandler(t, "", nil)
	first := post(handler, "good").Body.String()
	for range 10 { // Fusion, Chat and Voice each ask, and ask again
		if again := post(handler, "good").Body.String(); again != first {
			t.Errorf("answered %s, then %s", first, again)
		}
	}
}

func TestObserverLearnsWhy(t *testing.T) {
	var seen photon.Result
	handler := newHandler(t, "", func(_ context.Context, r photon.Result) { seen = r })
	post(handler, "revoked")
	if !errors.Is(seen.Err, jws.Revoked) {
		t.Errorf("observed %v, want revoked", seen.Err)
	}
	post(handler, "panics")
	var panicked *photon.PanicError
	if !errors.As(seen.Err, &panicked) || panicked.Value != "the token was panics" || len(panicked.Stack) == 0 {
		t.Fatalf("observed %v, want the panic", seen.Err)
	}
	if strings.Contains(panicked.Error(), "panics") {
		t.Errorf("the text %q holds the panic's value", panicked)
	}
}

func TestObserverThatPanics(t *testing.T) {
	handler := newHandler(t, "", func(context.Context, photon.Result) { panic(http.ErrAbortHandler) })
	server := httptest.NewServer(handler)
	defer server.Close()
	response, err := http.Get(server.URL + "/?secret=" + secret + "&token=good")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(`"ResultCode":1`)) {
		t.Errorf("status %d, %s, %v", response.StatusCode, body, err)
	}
}

// patient is a verifier that waits for its context.
type patient struct{}

func (patient) Verify(ctx context.Context, _ string) (*session.Session, error) {
	<-ctx.Done()
	return nil, &jws.Refusal{Check: jws.CheckSignature, Reason: jws.Unavailable, Err: ctx.Err()}
}

func TestSlowVerifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen photon.Result
		handler, err := photon.New(photon.Config{
			Sessions: patient{}, Secrets: []string{secret}, Timeout: 3 * time.Second,
			OnResult: func(_ context.Context, r photon.Result) { seen = r },
		})
		if err != nil {
			t.Fatal(err)
		}
		recorder := post(handler, "good")
		checkForm(t, recorder)
		if seen.Took != 3*time.Second || !errors.Is(seen.Err, context.DeadlineExceeded) {
			t.Errorf("observed %+v", seen)
		}
	})
}

// brokenBody is a body whose connection breaks.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestBrokenBody(t *testing.T) {
	recorder := httptest.NewRecorder()
	newHandler(t, "", nil).ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/?secret="+secret, brokenBody{}))
	checkForm(t, recorder)
	if !strings.Contains(recorder.Body.String(), "could not be read") {
		t.Errorf("answered %s", recorder.Body)
	}
}

func TestNewRefuses(t *testing.T) {
	secrets := []string{secret}
	for _, c := range []struct {
		says   string
		config photon.Config
	}{
		{"neither Config.Sessions nor Config.Identities", photon.Config{Secrets: secrets}},
		{"Config.Revocations is not set", photon.Config{Identities: identities{}, Secrets: secrets}},
		{"Config.Revocations is for identities", photon.Config{Sessions: sessions{}, Revocations: ledger{}, Secrets: secrets}},
		{"Config.Revocations and Config.InsecureNoRevocations", photon.Config{Identities: identities{}, Revocations: ledger{}, InsecureNoRevocations: true, Secrets: secrets}},
		{"Config.Secrets is empty", photon.Config{Sessions: sessions{}}},
		{"Config.Secrets and Config.InsecureNoSecret", photon.Config{Sessions: sessions{}, Secrets: secrets, InsecureNoSecret: true}},
		{"Config.Secrets[1]", photon.Config{Sessions: sessions{}, Secrets: []string{secret, "short"}}},
		{"Config.Secrets[0]", photon.Config{Sessions: sessions{}, Secrets: []string{""}}},
		{"Config.Secrets[0]", photon.Config{Sessions: sessions{}, Secrets: []string{"long enough but with+plus"}}},
		{"Config.TokenName and Config.SecretName may", photon.Config{Sessions: sessions{}, Secrets: secrets, TokenName: "a b"}},
		{"Config.TokenName and Config.SecretName may", photon.Config{Sessions: sessions{}, Secrets: secrets, SecretName: "a=b"}},
		{"are the same", photon.Config{Sessions: sessions{}, Secrets: secrets, TokenName: "Secret"}},
		{"negative", photon.Config{Sessions: sessions{}, Secrets: secrets, MaxBytes: -1}},
		{"negative", photon.Config{Sessions: sessions{}, Secrets: secrets, Timeout: -1}},
		{"Config.Timeout is 30s", photon.Config{Sessions: sessions{}, Secrets: secrets, Timeout: 30 * time.Second}},
		{"which identities do not have", photon.Config{Identities: identities{}, Revocations: ledger{}, Secrets: secrets, UserID: photon.BackendUserID}},
		{"Subject without Config.SingleRealm", photon.Config{Sessions: sessions{}, Secrets: secrets, UserID: photon.Subject}},
		{`Config.UserID "email" is not known`, photon.Config{Sessions: sessions{}, Secrets: secrets, UserID: "email"}},
	} {
		_, err := photon.New(c.config)
		if err == nil || !strings.HasPrefix(err.Error(), "photon: ") || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v, want one that says %q", err, c.says)
		}
		if err != nil && strings.Contains(err.Error(), "plus") {
			t.Errorf("the error %q holds a secret", err)
		}
	}
	if _, err := photon.New(photon.Config{Identities: identities{}, InsecureNoRevocations: true, Secrets: secrets}); err != nil {
		t.Errorf("InsecureNoRevocations: %v", err)
	}
}

func TestPrintedConfigurationHidesSecrets(t *testing.T) {
	config := photon.Config{Sessions: sessions{}, Secrets: []string{secret, oldSecret}, TokenName: "shown"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		printed := fmt.Sprintf(verb+verb, config, newHandler(t, "", nil))
		if strings.Contains(printed, secret) || strings.Contains(printed, oldSecret) {
			t.Errorf("%s prints a secret: %s", verb, printed)
		}
		if !strings.Contains(printed, "shown") || !strings.Contains(printed, "2 secrets") {
			t.Errorf("%s prints %s", verb, printed)
		}
	}
}

var _ photon.IdentityChecker = (*session.Ledger)(nil)

var _ photon.SessionVerifier = (*session.Verifier)(nil)

var _ identity.Verifier = identities{}
