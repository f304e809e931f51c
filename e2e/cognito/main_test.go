package cognito_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/devidp"
)

const (
	poolID   = "local_Arena"
	clientID = "game"
	rotating = "rotating"
	password = "Correct-horse-1"
)

// Bounds of what the tests start.
const (
	installTimeout = 5 * time.Minute
	scriptTimeout  = time.Minute
)

// pool is a running provider.
type pool struct {
	*devidp.Provider
	endpoint string
}

// start runs a provider on a free port until the test ends.
func start(t *testing.T) pool {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "http://" + listener.Addr().String()
	provider, err := devidp.New(devidp.Config{
		Endpoint:   endpoint,
		UserPoolID: poolID,
		Clients:    []devidp.Client{{ID: clientID}, {ID: rotating, Rotation: true}},
		Users:      []devidp.User{{Username: "alice", Password: password, Email: "alice@example.com", Groups: []string{"admin"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: provider, ReadHeaderTimeout: 10 * time.Second}
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		<-stopped
	})
	return pool{provider, endpoint}
}

// install fetches the npm packages once, if they are not there or older than the lock file.
var install = sync.OnceValues(func() (output string, err error) {
	if installed("node") {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), installTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir, cmd.WaitDelay = "node", 5*time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
})

func installed(dir string) bool {
	lock, err := os.Stat(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return false
	}
	// npm writes this file last.
	done, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json"))
	return err == nil && !done.ModTime().Before(lock.ModTime())
}

// line is what a script prints for each step.
type line struct {
	Step  string
	OK    bool
	Error string
}

// run runs a script against a provider and demands that it took exactly these steps, all well.
func run(t *testing.T, script string, p pool, want []string, env ...string) {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing: this test runs Amazon's own SDKs; install Node.js 20 or newer with npm (apt-get install nodejs npm)", tool)
		}
	}
	if output, err := install(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, output)
	}
	ctx, cancel := context.WithTimeout(t.Context(), scriptTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script)
	cmd.Dir, cmd.WaitDelay = "node", 5*time.Second
	cmd.Env = append(os.Environ(), append(env, "ENDPOINT="+p.endpoint, "POOL="+poolID, "CLIENT="+clientID, "ROTATING="+rotating)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	steps := read(t, out)
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, &stderr)
	}
	if !slices.Equal(steps, want) {
		t.Errorf("%s took the steps\n%q, want\n%q", script, steps, want)
	}
}

// read parses a script's lines and reports the failed ones.
func read(t *testing.T, out []byte) (steps []string) {
	t.Helper()
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Logf("not a step: %s", lines.Text())
			continue
		}
		if !l.OK {
			t.Errorf("step %q: %s", l.Step, l.Error)
		}
		steps = append(steps, l.Step)
	}
	return steps
}
