package nakama

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func goodEnv() map[string]string {
	return map[string]string{
		"sallyport_realm": "players", "sallyport_issuers": "cognito", "sallyport_cognito_user_pool_id": "eu-central-1_Example12",
		"sallyport_cognito_client_ids": "game, console", "sallyport_cognito_uses": "access", "sallyport_server": "none",
	}
}

func TestConfig(t *testing.T) {
	env := goodEnv()
	env["sallyport_verify_cache"], env["other"] = "5s", "not ours"
	c, err := parseConfig(env)
	if err != nil {
		t.Fatal(err)
	}
	if c.VerifyCache != 5*time.Second || !reflect.DeepEqual(c.CognitoClientIDs, []string{"game", "console"}) || c.CustomID != "subject" || !c.ReportLogouts {
		t.Errorf("the configuration is %+v", c)
	}
}

func TestConfigFromFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("the-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := goodEnv()
	env["sallyport_server"], env["sallyport_client_id"], env["sallyport_stale"] = "https://auth.example.com", "nakama", "grace"
	env["sallyport_client_secret"] = "file:" + path
	if c, err := parseConfig(env); err != nil || c.ClientSecret != "the-secret" {
		t.Errorf("the secret is %q, %v", c.ClientSecret, err)
	}
}

// TestConfigErrors wants every error to name the key and to show no value.
func TestConfigErrors(t *testing.T) {
	const secret = "very-secret-value"
	for key, change := range map[string]map[string]string{
		"sallyport_realm":         {"sallyport_realm": ""},
		"sallyport_issuers":       {"sallyport_issuers": ""},
		"sallyport_server":        {"sallyport_server": ""},
		"sallyport_client_id":     {"sallyport_server": "https://auth.example.com"},
		"sallyport_stale":         {"sallyport_server": "https://auth.example.com", "sallyport_client_id": "a", "sallyport_client_secret": secret},
		"sallyport_client_secret": {"sallyport_client_secret": secret},
		"sallyport_custom_id":     {"sallyport_custom_id": secret},
		"sallyport_username":      {"sallyport_username": secret},
		"sallyport_verify_cache":  {"sallyport_verify_cache": "1h"},
		"sallyport_insecure_keys": {"sallyport_insecure_keys": secret},
		"sallyport_relam":         {"sallyport_relam": secret},
		"sallyport_photon_tokens": {"sallyport_photon_tokens": secret},
	} {
		env := goodEnv()
		for name, value := range change {
			env[name] = value
		}
		_, err := parseConfig(env)
		if err == nil || !strings.Contains(err.Error(), key) || strings.Contains(err.Error(), secret) {
			t.Errorf("%v: %v, want an error that names %s", change, err, key)
		}
	}
}

// TestManual holds the page for operators against the configuration: every key is in it.
func TestManual(t *testing.T) {
	page, err := os.ReadFile("../docs/nakama.md")
	if err != nil {
		t.Fatal(err)
	}
	for field := range fieldsOf(reflect.TypeFor[Config]()) {
		key, _ := strings.CutSuffix(field, ",required")
		if !strings.Contains(string(page), "`"+key+"`") {
			t.Errorf("docs/nakama.md lacks %s", key)
		}
	}
}

func fieldsOf(typ reflect.Type) map[string]bool {
	keys := make(map[string]bool)
	for i := range typ.NumField() {
		keys[typ.Field(i).Tag.Get("env")] = true
	}
	return keys
}
