package gate_test

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/sallyport-auth/sallyport/tokenapi"
)

const startTimeout = 20 * time.Second

// settings are what a proxy's configuration is filled with.
type settings struct {
	Listen, Port, Verify, Backend, Folder string
	Headers                               []string
}

// peer is a reverse proxy of others.
type peer struct {
	name    string
	proxy   tokenapi.Proxy
	file    string
	command func(file, folder string) []string
}

var peers = []peer{
	{"nginx", tokenapi.Nginx, "nginx.conf", func(file, folder string) []string {
		return []string{"nginx", "-p", folder, "-c", file, "-e", "stderr"}
	}},
	{"caddy", tokenapi.Caddy, "Caddyfile", func(file, _ string) []string {
		return []string{"caddy", "run", "--config", file, "--adapter", "caddyfile"}
	}},
}

// start runs a proxy before the world's backend, and returns its address. The configuration is testdata/FILE.
func (w *world) start(t *testing.T, p peer) string {
	t.Helper()
	folder := t.TempDir()
	listen := freeAddress(t)
	_, port, _ := net.SplitHostPort(listen)
	s := settings{
		Listen: listen, Port: port, Verify: w.verify(p.proxy), Backend: w.backend.address, Folder: folder,
		Headers: tokenapi.IdentityHeaders(),
	}
	var text bytes.Buffer
	source := must(template.New(p.file).Funcs(template.FuncMap{"variable": variable}).ParseFiles(filepath.Join("testdata", p.file)))(t)
	if err := source.Execute(&text, s); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, p.file)
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	w.run(t, p.command(file, folder), folder, s.Listen)
	return s.Listen
}

// variable is nginx's spelling of a header's name in a variable.
func variable(header string) string { return strings.ToLower(strings.ReplaceAll(header, "-", "_")) }

// run runs a command until the test ends, and returns when something listens on the address.
func (w *world) run(t *testing.T, command []string, folder, address string) {
	t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Fatalf("%s is missing: this test puts a real one before a backend; install Debian's package %[1]s", command[0])
	}
	var output bytes.Buffer
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &output, &output, 5*time.Second
	cmd.Env = append(os.Environ(), "HOME="+folder, "XDG_DATA_HOME="+folder, "XDG_CONFIG_HOME="+folder)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		if t.Failed() {
			t.Logf("%s said:\n%s", command[0], &output)
		}
	})
	deadline := time.Now().Add(startTimeout)
	for {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended before it listened", command[0])
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen on %s after %s: %v", command[0], address, startTimeout, err)
		}
	}
}
