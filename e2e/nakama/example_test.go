package nakama_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// example starts Nakama with the shipped file, in which only addresses, folders and secrets are replaced.
func example(t *testing.T) (world, int) {
	t.Helper()
	data, err := os.ReadFile("../../examples/nakama/nakama.yml")
	if err != nil {
		t.Fatal(err)
	}
	p := startPool(t, poolID, "", nil)
	s := startSallyport(t, p)
	name := fmt.Sprintf("nakama%d", instances.Add(1))
	address := databaseAddress(t, name)
	migrate(t, address)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(nodeSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, replacement := range [][2]string{
		{"postgres:CHANGE-ME@127.0.0.1:5432/nakama", address},
		{"/nakama/data/modules", pluginFolder(t)},
		{"/nakama/data", filepath.Join(dir, name)},
		{"CHANGE-ME-http-key", httpKey},
		{"CHANGE-ME-server-key", serverKey},
		{"CHANGE-ME-1", encryptionKey},
		{"CHANGE-ME-2", refreshKey},
		{"/run/secrets/sallyport", secret},
		{"https://auth.example.com", s.url},
		{"eu-central-1_Example12\"", poolID + "\"\n    - \"sallyport_cognito_endpoint=" + p.endpoint + "\""},
		{"1example23456789", "game"},
	} {
		if !strings.Contains(text, replacement[0]) {
			t.Fatalf("the example has no %q", replacement[0])
		}
		text = strings.ReplaceAll(text, replacement[0], replacement[1])
	}
	file := filepath.Join(t.TempDir(), "nakama.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	n, console, err := onPorts(t, name, []string{"--config", file})
	check(t, err)
	return world{p, n, startDriver(t)}, console
}

func TestExampleReachesNakamasConfiguration(t *testing.T) {
	t.Parallel()
	w, console := example(t)
	var config struct {
		Session struct {
			TokenExpirySec        int64 `json:"token_expiry_sec"`
			RefreshTokenExpirySec int64 `json:"refresh_token_expiry_sec"`
			SingleSocket          bool  `json:"single_socket"`
		}
		Socket struct {
			PingPeriodMs int64 `json:"ping_period_ms"`
			PongWaitMs   int64 `json:"pong_wait_ms"`
		}
	}
	raw := consoleConfig(t, console)
	if err := json.Unmarshal([]byte(raw), &config); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	if s := config.Session; s.TokenExpirySec != 7200 || s.RefreshTokenExpirySec != 604800 || !s.SingleSocket {
		t.Errorf("session: %+v", s)
	}
	if s := config.Socket; s.PingPeriodMs != 10000 || s.PongWaitMs != 20000 {
		t.Errorf("socket: %+v", s)
	}
	alice := w.signIn(t, "alice")
	c := claims(t, alice.Token)
	if life := c["exp"].(float64) - c["iat"].(float64); life != 7200 {
		t.Errorf("a token lives %v s", life)
	}
	again := w.signIn(t, "alice")
	w.driver.must("open", w.as(alice, args{"socket": "first"}))
	w.driver.must("open", w.as(again, args{"socket": "second"}))
	w.driver.closed("first")
	w.driver.stillOpen("second")
}

// consoleConfig asks Nakama's console what Nakama is configured with.
func consoleConfig(t *testing.T, port int) string {
	t.Helper()
	url := fmt.Sprintf("http://127.0.0.1:%d/v2/console/", port)
	var login struct{ Token string }
	body := ask(t, http.MethodPost, url+"authenticate", "", `{"username":"admin","password":"password"}`)
	if err := json.Unmarshal(body, &login); err != nil || login.Token == "" {
		t.Fatalf("the console answers %s", body)
	}
	var answer struct{ Config string }
	body = ask(t, http.MethodGet, url+"config", login.Token, "")
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("the console answers %s", body)
	}
	return answer.Config
}

func ask(t *testing.T, method, url, bearer, body string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
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
	return data
}
