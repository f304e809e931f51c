package nakama_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// args are the arguments of a call of the driver.
type args map[string]any

// driver is Node.js with nakama-js.
type driver struct {
	t       *testing.T
	input   io.WriteCloser
	mu      sync.Mutex
	last    int
	pending map[int]chan reply
	events  map[string]chan happening
}

// reply is what a call of nakama-js gave.
type reply struct {
	ID     int
	OK     bool
	Status int
	Error  string
	Result json.RawMessage
}

// happening is what a socket told.
type happening struct {
	Socket, Event, Reason string
	Code                  int
	at                    time.Time
}

// player is a session as nakama-js holds it.
type player struct {
	Token, Refresh, User, Username string
	Created                        bool
	Vars                           map[string]string
}

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
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = "node"
	out, err := cmd.CombinedOutput()
	return string(out), err
})

func startDriver(t *testing.T) *driver {
	t.Helper()
	if output, err := install(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, output)
	}
	d := &driver{t: t, pending: make(map[int]chan reply), events: make(map[string]chan happening)}
	cmd := exec.Command("node", "driver.mjs")
	cmd.Dir, cmd.SysProcAttr = "node", &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := os.CreateTemp(dir, "driver-*.log")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = log
	output, err := cmd.StdoutPipe()
	if err == nil {
		d.input, err = cmd.StdinPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("Node.js: %v (apt-get install nodejs npm)", err)
	}
	read := make(chan struct{})
	go d.read(output, read)
	t.Cleanup(func() {
		d.input.Close()
		<-read
		_ = cmd.Wait()
		log.Close()
	})
	return d
}

func (d *driver) read(output io.Reader, done chan<- struct{}) {
	defer close(done)
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			reply
			happening
		}
		line.happening.at = time.Now()
		if err := json.Unmarshal(lines.Bytes(), &line.reply); err != nil {
			d.t.Errorf("the driver wrote %q", lines.Text())
			return
		}
		_ = json.Unmarshal(lines.Bytes(), &line.happening)
		if line.Socket != "" {
			d.socket(line.Socket) <- line.happening
			continue
		}
		d.mu.Lock()
		d.pending[line.ID] <- line.reply
		delete(d.pending, line.ID)
		d.mu.Unlock()
	}
}

func (d *driver) socket(name string) chan happening {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.events[name] == nil {
		d.events[name] = make(chan happening, 4096)
	}
	return d.events[name]
}

// call has nakama-js do something and waits for the outcome.
func (d *driver) call(op string, a args) reply {
	d.t.Helper()
	answer := make(chan reply, 1)
	d.mu.Lock()
	d.last++
	line := args{"id": d.last, "op": op}
	for name, value := range a {
		line[name] = value
	}
	d.pending[d.last] = answer
	data, err := json.Marshal(line)
	if err == nil {
		_, err = d.input.Write(append(data, '\n'))
	}
	d.mu.Unlock()
	if err != nil {
		d.t.Fatal(err)
	}
	select {
	case r := <-answer:
		return r
	case <-time.After(callTimeout):
		d.t.Fatalf("%s: no answer", op)
		return reply{}
	}
}

// must demands success.
func (d *driver) must(op string, a args) reply {
	d.t.Helper()
	r := d.call(op, a)
	if !r.OK {
		d.t.Fatalf("%s: %d %s", op, r.Status, r.Error)
	}
	return r
}

// login signs a user in at the pool as a game does, by SRP in JavaScript, and returns the access token.
func (d *driver) login(p pool, username string) string {
	d.t.Helper()
	var tokens struct{ Access string }
	decode(d.t, d.must("srp", args{"endpoint": p.endpoint, "pool": p.id, "clientID": "game", "username": username, "password": password}), &tokens)
	return tokens.Access
}

// session demands a session.
func (d *driver) session(op string, a args) player {
	d.t.Helper()
	var p player
	if err := json.Unmarshal(d.must(op, a).Result, &p); err != nil {
		d.t.Fatal(err)
	}
	return p
}

// refused demands a status.
func (d *driver) refused(what, op string, status int, a args) reply {
	d.t.Helper()
	r := d.call(op, a)
	if r.OK || r.Status != status {
		d.t.Errorf("%s: %s gives ok=%v status %d %s, want %d", what, op, r.OK, r.Status, r.Error, status)
	}
	return r
}

// closed waits until a socket closes and returns what it was told before.
func (d *driver) closed(name string) (happening, []happening) {
	d.t.Helper()
	var before []happening
	timeout := time.After(eventTimeout)
	for {
		select {
		case h := <-d.socket(name):
			if h.Event == "close" {
				return h, before
			}
			before = append(before, h)
		case <-timeout:
			d.t.Fatalf("socket %s stays open", name)
		}
	}
}

// open fails if a socket has closed by now.
func (d *driver) stillOpen(name string) {
	d.t.Helper()
	for {
		select {
		case h := <-d.socket(name):
			if h.Event == "close" {
				d.t.Errorf("socket %s closed: %d %s", name, h.Code, h.Reason)
				return
			}
		default:
			return
		}
	}
}

// lives waits until a socket has lived for a time, by the pings that it tells of, and returns how many there were.
func (d *driver) lives(name string, began time.Time, atLeast time.Duration) (pings int) {
	d.t.Helper()
	timeout := time.After(atLeast + eventTimeout)
	for {
		select {
		case h := <-d.socket(name):
			if h.Event == "close" {
				d.t.Fatalf("socket %s was dropped after %v: %d %s", name, h.at.Sub(began), h.Code, h.Reason)
			}
			if pings++; h.at.Sub(began) >= atLeast {
				return pings
			}
		case <-timeout:
			d.t.Fatalf("socket %s: %d pings in %v", name, pings, time.Since(began))
		}
	}
}

// prompt is how long a socket may take to close: the second that is promised, or five where the machine is so busy with other
// work that each program waits for its turn behind several more.
func prompt() time.Duration {
	var load float64
	data, err := os.ReadFile("/proc/loadavg")
	if err == nil {
		_, err = fmt.Sscan(string(data), &load)
	}
	if err == nil && load > 3*float64(runtime.NumCPU()) {
		return 5 * time.Second
	}
	return time.Second
}

// promptly demands that a socket closed as soon as is promised after what should end it.
func promptly(t testing.TB, from string, h happening, began time.Time) {
	t.Helper()
	took := h.at.Sub(began)
	t.Logf("FIGURE %s until the socket closed with %d %q: %v", from, h.Code, h.Reason, took.Round(time.Millisecond))
	if took > prompt() {
		t.Errorf("%s: the socket closed after %v", from, took)
	}
}

// claims reads a token without a question whose it is.
func claims(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("no token: %d parts", len(parts))
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	var c map[string]any
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func subject(t *testing.T, token string) string { return fmt.Sprint(claims(t, token)["sub"]) }
