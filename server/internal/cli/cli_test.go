package cli_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/server/internal/cli"
)

var now = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// run runs one command line with this input and these variables.
func run(input string, env map[string]string, args ...string) (status int, out, errs string) {
	var stdout, stderr bytes.Buffer
	status = cli.Run(context.Background(), args, cli.Process{
		In: strings.NewReader(input), Out: &stdout, Err: &stderr,
		Env: func(name string) (string, bool) { value, ok := env[name]; return value, ok },
		Now: func() time.Time { return now },
	})
	return status, stdout.String(), stderr.String()
}

func TestStatus(t *testing.T) {
	for _, test := range []struct {
		args string
		want int
	}{
		{"", 0},
		{"version", 0},
		{"config-doc", 0},
		{"keys", 0},
		{"nonsense", 2},
		{"keys nonsense", 2},
		{"version --nonsense", 2},
		{"version argument", 2},
		{"check-config", 2},
		{"serve", 2},
		{"token verify", 2},
		{"login --pool p --client-id c --username u --print x", 2},
		{"check-config /nonexistent/file", 1},
		{"keys list /nonexistent/file", 1},
		{"token explain --unverified", 1},
	} {
		if status, _, errs := run("", nil, strings.Fields(test.args)...); status != test.want {
			t.Errorf("%q: status %d, want %d: %s", test.args, status, test.want, errs)
		}
	}
}

func TestHints(t *testing.T) {
	for args, want := range map[string]string{
		"check-cfg":            `did you mean "check-config"?`,
		"socket ls":            `did you mean "sockets"?`,
		"store chek":           `did you mean "check"?`,
		"door":                 `unknown command for "sallyport" (`,
		"store check store.db": "sallyport store check takes no arguments, only flags (",
	} {
		if status, _, errs := run("", nil, strings.Fields(args)...); status != 2 || !strings.Contains(errs, want) {
			t.Errorf("%q: status %d, %s; want %s", args, status, errs, want)
		}
	}
}

// server is one that answers every order and keeps the last.
func server(t *testing.T, status int, answer string) (url string, last *http.Request, body *bytes.Buffer) {
	t.Helper()
	last, body = new(http.Request), new(bytes.Buffer)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*last = *r
		body.Reset()
		_, _ = body.ReadFrom(r.Body)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(s.Close)
	return s.URL, last, body
}

func TestOrders(t *testing.T) {
	url, last, body := server(t, http.StatusNoContent, "")
	env := map[string]string{"SALLYPORT_SERVER": url, "SALLYPORT_CALLER": "an operator", "SALLYPORT_CALLER_SECRET": "s+cret of it"}
	for _, test := range []struct{ args, path, body string }{
		{"ban --realm r --subject s --reason x --until 12h", "/v1/admin/ban", `{"realm":"r","subject":"s","reason":"x","until":"2026-11-02T00:00:00Z"}`},
		{"ban --realm r --subject s --until 2026-12-24T18:00:00Z", "/v1/admin/ban", `{"realm":"r","subject":"s","until":"2026-12-24T18:00:00Z"}`},
		{"ban --user-id u", "/v1/admin/ban", `{"user_id":"u"}`},
		{"unban --realm r --subject s", "/v1/admin/unban", `{"realm":"r","subject":"s"}`},
		{"cutoff --user-id u --reason x", "/v1/admin/cutoff", `{"user_id":"u","reason":"x"}`},
		{"revoke --session s", "/v1/admin/revoke", `{"session":"s"}`},
		{"revoke --realm r --upstream u", "/v1/admin/revoke", `{"upstream":"u","realm":"r"}`},
	} {
		status, out, errs := run("", env, strings.Fields(test.args)...)
		if status != 0 || out != "done\n" || errs != "" {
			t.Errorf("%s: status %d, %q, %q", test.args, status, out, errs)
		}
		id, secret, _ := last.BasicAuth()
		if last.Method != "POST" || last.URL.Path != test.path || body.String() != test.body || id != "an+operator" || secret != "s%2Bcret+of+it" {
			t.Errorf("%s: %s %s %s as %s", test.args, last.Method, last.URL, body, id)
		}
	}
}

// TestSecretFromStandardInput checks the last place where a secret is looked for.
func TestSecretFromStandardInput(t *testing.T) {
	url, last, _ := server(t, http.StatusNoContent, "")
	if status, _, errs := run("secret\r\nmore\n", nil, "unban", "--user-id", "u", "--caller", "c", "--server", url); status != 0 {
		t.Fatal(errs)
	}
	if _, secret, _ := last.BasicAuth(); secret != "secret" {
		t.Errorf("secret %q", secret)
	}
}

func TestWhatTheServerSays(t *testing.T) {
	for _, test := range []struct {
		status       int
		answer, want string
	}{
		{503, `{"title":"Service Unavailable","detail":"Try again.","reason":"unavailable"}`, "503 Service Unavailable: unavailable: Try again."},
		{400, `{"error":"invalid_request","error_description":"No token."}`, "400 Bad Request: invalid_request: No token."},
		{502, "<html>", "502 Bad Gateway"},
		{500, `{"detail":"\u001b[2Jgone"}`, `500 Internal Server Error: \x1b[2Jgone`},
		{302, "", "302 Found"},
	} {
		url, _, _ := server(t, test.status, test.answer)
		status, _, errs := run("secret", nil, "unban", "--user-id", "u", "--caller", "c", "--server", url)
		if want := "sallyport: the server answered " + test.want + "\n"; status != 1 || errs != want {
			t.Errorf("status %d, %q, want %q", status, errs, want)
		}
	}
}

func TestHealthcheck(t *testing.T) {
	for _, test := range []struct {
		status, want int
		answer, says string
	}{
		{200, 0, `{"ready":true}`, "ready\n"},
		{503, 1, `{"ready":false,"not_ready":["no keys","no ledger"]}`, "sallyport: not ready: no keys; no ledger\n"},
		{503, 1, `{"not_ready":["\u001b[2Jgone"]}`, `sallyport: not ready: \x1b[2Jgone` + "\n"},
		{404, 1, "", "sallyport: this is no sallyport: /readyz answered 404\n"},
	} {
		url, _, _ := server(t, test.status, test.answer)
		if status, out, errs := run("", nil, "healthcheck", "--server", url); status != test.want || out+errs != test.says {
			t.Errorf("status %d, %q", status, out+errs)
		}
	}
}

// TestUnverifiedIsHarmless shows claims that try to reach the terminal.
func TestUnverifiedIsHarmless(t *testing.T) {
	// {"alg":"none"}.{"sub":"a\u009b31m‮b","exp":1}.
	const token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhwpszMW3igK5iIiwiZXhwIjoxfQ."
	status, out, errs := run(token, nil, "token", "explain", "--unverified")
	if status != 0 {
		t.Fatal(errs)
	}
	want := `UNVERIFIED: anyone can have written what follows; do not act on it.
UNVERIFIED header:
{
  "alg": "none"
}
UNVERIFIED claims:
{
  "sub": "a\u009b31m\u202eb",
  "exp": 1
}
UNVERIFIED exp: 1970-01-01T00:00:01Z, 498276h59m59s ago
`
	if !strings.HasPrefix(out, want[:200]) || strings.ContainsAny(out, "\u009b\u202e") {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}
