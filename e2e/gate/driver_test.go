package gate_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain lets the parallel tests run side by side beyond the number of processors: they wait nearly all the time.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// patience is how long a test waits for what must come. It is no promise about speed.
const patience = 90 * time.Second

// install fetches the npm packages once, if they are not there or older than the lock file.
var install = sync.OnceValues(func() (output string, err error) {
	lock, err := os.Stat(filepath.Join("node", "package-lock.json"))
	if err != nil {
		return "", err
	}
	// npm writes this file last.
	if done, err := os.Stat(filepath.Join("node", "node_modules", ".package-lock.json")); err == nil && !done.ModTime().Before(lock.ModTime()) {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	// Not "npm ci": it wants the optional binaries of other systems in the lock file, which npm leaves out where it cannot use them.
	cmd := exec.CommandContext(ctx, "npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir, cmd.WaitDelay = "node", 5*time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
})

// node runs a script below node/ until the test ends. It ends by itself with its standard input.
func node(tb testing.TB, script, kind string) (*exec.Cmd, io.Writer, *bufio.Scanner) {
	tb.Helper()
	if output, err := install(); err != nil {
		tb.Fatalf("npm install: %v; this test runs real game servers and clients, install Node.js 20 or newer with npm\n%s", err, output)
	}
	var stderr bytes.Buffer
	cmd := exec.Command("node", script, kind)
	cmd.Dir, cmd.Stderr, cmd.WaitDelay = "node", &stderr, 5*time.Second
	in := must(cmd.StdinPipe())(tb)
	out := must(cmd.StdoutPipe())(tb)
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		in.Close()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = cmd.Wait()
		}()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if tb.Failed() {
			tb.Logf("%s %s said:\n%s", script, kind, &stderr)
		}
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	return cmd, in, lines
}

// game starts a game server and returns its address.
func game(tb testing.TB, kind string) string {
	tb.Helper()
	address, _ := mortal(tb, kind)
	return address
}

// mortal is a game server that can be killed.
func mortal(tb testing.TB, kind string) (address string, kill func()) {
	tb.Helper()
	cmd, _, lines := node(tb, "server.mjs", kind)
	if !lines.Scan() {
		tb.Fatalf("the %s server printed no port", kind)
	}
	port := lines.Text()
	go func() {
		for lines.Scan() { // so that it never blocks on its output
		}
	}()
	return "127.0.0.1:" + port, func() { _ = cmd.Process.Kill() }
}

// event is what a client saw.
type event struct {
	ID, Event, Reason string
	Code              int
}

// driver is a process with clients of one kind.
type driver struct {
	in  io.Writer
	mu  sync.Mutex
	all map[string][]event
	on  *sync.Cond
}

// newDriver returns when the process is ready for commands: until then much of a brief token's life can go by.
func newDriver(t *testing.T, kind string) *driver {
	t.Helper()
	_, in, lines := node(t, "client.mjs", kind)
	d := &driver{in: in, all: make(map[string][]event)}
	d.on = sync.NewCond(&d.mu)
	go func() {
		for lines.Scan() {
			var e event
			if json.Unmarshal(lines.Bytes(), &e) != nil || e.ID == "" {
				continue
			}
			d.mu.Lock()
			d.all[e.ID] = append(d.all[e.ID], e)
			d.mu.Unlock()
			d.on.Broadcast()
		}
	}()
	d.await(t, "client", "ready")
	return d
}

// command is what a client shall do.
type command struct {
	Op      string `json:"op"`
	ID      string `json:"id"`
	Address string `json:"address,omitempty"`
	Token   string `json:"token,omitempty"`
	Ticket  string `json:"ticket,omitempty"`
	Text    string `json:"text,omitempty"`
}

func (d *driver) do(c command) {
	line, _ := json.Marshal(c)
	d.mu.Lock()
	defer d.mu.Unlock()
	_, _ = d.in.Write(append(line, '\n'))
}

// await returns the first event of a client that is one of those that are named.
func (d *driver) await(t *testing.T, id string, names ...string) event {
	t.Helper()
	alarm := time.AfterFunc(patience, d.on.Broadcast)
	defer alarm.Stop()
	deadline := time.Now().Add(patience)
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		for _, e := range d.all[id] {
			for _, name := range names {
				if e.Event == name {
					return e
				}
			}
		}
		if !time.Now().Before(deadline) {
			t.Fatalf("client %s saw no %s within %s, but %+v", id, strings.Join(names, " or "), patience, d.all[id])
		}
		d.on.Wait()
	}
}

// seen returns what a client saw by now.
func (d *driver) seen(id, name string) (found []event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.all[id] {
		if e.Event == name {
			found = append(found, e)
		}
	}
	return found
}
