package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const seed = "0123456789abcdef0123456789abcdef"

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
}

func file(t *testing.T, folder, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sallyport")
	err := prepare(dir, lookup(map[string]string{
		"START_FILES": `{"nakama.yaml": "NAKAMA", "sallyport.yaml": "SALLYPORT", "keys.json": "KEYS"}`,
		"NAKAMA":      "key: ${KEY}\njson: ${json:KEY}\nurl: ${url:KEY}\nescaped: $${KEY} ${file:/x}",
		"SALLYPORT":   "key: ${KEY}\n",
		"KEYS":        "{}",
		"KEY":         `p"a:$s/${NAKAMA} é`,
	}), now)
	if err != nil {
		t.Fatal(err)
	}
	want := "key: p\"a:$s/${NAKAMA} é\njson: \"p\\\"a:$s/${NAKAMA} é\"\nurl: p%22a%3A%24s%2F%24%7BNAKAMA%7D%20%C3%A9\nescaped: ${KEY} ${file:/x}"
	if got := file(t, dir, "nakama.yaml"); got != want {
		t.Errorf("nakama.yaml is\n%s\nwant\n%s", got, want)
	}
	if got := file(t, dir, "sallyport.yaml"); got != "key: ${KEY}\n" {
		t.Errorf("sallyport.yaml is %q", got)
	}
	if i, err := os.Stat(filepath.Join(dir, "keys.json")); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("keys.json: %v, %v", i.Mode(), err)
	}
}

func TestRefusals(t *testing.T) {
	for says, env := range map[string]map[string]string{
		"is no JSON object":              {"START_FILES": "a=b"},
		`"../passwd" is no plain file`:   {"START_FILES": `{"../passwd": "A"}`, "A": ""},
		"a is made of the variable B":    {"START_FILES": `{"a": "B"}`},
		"a: the variable C is not set":   {"START_FILES": `{"a": "B"}`, "B": "${json:C}"},
		"START_TLS_SEED has 5 bytes":     {"START_TLS_SEED": "short"},
		"there is no START_TLS_SEED":     {"START_TLS_NAMES": "a.internal"},
		"come together":                  {"START_TLS_CERTIFICATE": "x"},
		"are no certificate and its key": {"START_TLS_CERTIFICATE": "secretly", "START_TLS_KEY": "secretly"},
	} {
		err := prepare(t.TempDir(), lookup(env), now)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secretly") {
			t.Errorf("%v: %v, want an error that says %q and no value", env, err, says)
		}
	}
}

// TestTasksTrustEachOther has one task verify the certificate of another that has the same seed, and of one that has not.
func TestTasksTrustEachOther(t *testing.T) {
	tasks := map[string]string{"a": seed, "b": seed, "stranger": strings.ToUpper(seed)}
	dirs := map[string]string{}
	for name, s := range tasks {
		dirs[name] = t.TempDir()
		env := map[string]string{"START_TLS_SEED": s, "START_TLS_NAMES": name + ".game.internal,localhost"}
		if err := prepare(dirs[name], lookup(env), now); err != nil {
			t.Fatal(err)
		}
	}
	if file(t, dirs["a"], "tls.key") == file(t, dirs["b"], "tls.key") {
		t.Error("two tasks have one key")
	}
	for _, test := range []struct {
		from, to string
		ok       bool
	}{{"a", "b", true}, {"b", "a", true}, {"a", "stranger", false}, {"stranger", "a", false}} {
		pair, err := tls.LoadX509KeyPair(filepath.Join(dirs[test.to], "tls.crt"), filepath.Join(dirs[test.to], "tls.key"))
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM([]byte(file(t, dirs[test.from], "authorities/tasks.crt")))
		_, err = pair.Leaf.Verify(x509.VerifyOptions{DNSName: test.to + ".game.internal", Roots: pool, CurrentTime: now.AddDate(2, 0, 0)})
		if (err == nil) != test.ok {
			t.Errorf("%s verifies %s: %v", test.from, test.to, err)
		}
	}
}

func TestGivenCertificate(t *testing.T) {
	from, dir := t.TempDir(), t.TempDir()
	if err := prepare(from, lookup(map[string]string{"START_TLS_SEED": seed, "START_TLS_NAMES": "play.example.com"}), now); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"START_TLS_SEED": seed, "START_TLS_NAMES": "sallyport.game.internal",
		"START_TLS_CERTIFICATE": file(t, from, "tls.crt"), "START_TLS_KEY": file(t, from, "tls.key"),
	}
	if err := prepare(dir, lookup(env), now); err != nil {
		t.Fatal(err)
	}
	if file(t, dir, "tls.crt") != env["START_TLS_CERTIFICATE"] || file(t, dir, "tls.key") != env["START_TLS_KEY"] {
		t.Error("it is not what is served")
	}
}

// TestBecomesTheCommand runs start itself, twice in one volume, as a task's two containers do.
func TestBecomesTheCommand(t *testing.T) {
	if os.Getenv("BECOME") != "" {
		t.Fatal(run([]string{"sh", "-c", `env | grep -c START_; cat "$FOLDER/f"`}, os.Getenv("FOLDER")))
	}
	dir := t.TempDir()
	for range 2 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestBecomesTheCommand$")
		cmd.Env = append(os.Environ(), "BECOME=1", "FOLDER="+dir, `START_FILES={"f": "TEXT"}`, "START_TLS_SEED="+seed, "TEXT=hello")
		out, err := cmd.CombinedOutput()
		if err != nil || string(out) != "0\nhello" {
			t.Fatalf("%v: %q", err, out)
		}
	}
}
