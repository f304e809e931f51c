package nodes_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/store/redis"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// server is a redis-server, or a sentinel, of a test's own.
type server struct {
	testing.TB
	host    string
	port    int
	dir     string
	lines   []string
	command *exec.Cmd
}

func startServer(t testing.TB, lines ...string) *server {
	t.Helper()
	s := &server{TB: t, host: "127.0.0.1", port: freePort(t), dir: t.TempDir(), lines: lines}
	t.Cleanup(s.kill)
	s.start()
	return s
}

func (s *server) address() string { return net.JoinHostPort(s.host, strconv.Itoa(s.port)) }

// start starts the server, also again where it was.
func (s *server) start() {
	s.Helper()
	file := filepath.Join(s.dir, "redis.conf")
	if _, err := os.Stat(file); err != nil {
		config := append([]string{"bind " + s.host, "protected-mode no", fmt.Sprint("port ", s.port), "dir " + s.dir}, s.lines...)
		if err := os.WriteFile(file, []byte(strings.Join(config, "\n")+"\n"), 0o600); err != nil {
			s.Fatal(err)
		}
	}
	args := []string{file}
	if len(s.lines) > 0 && strings.HasPrefix(s.lines[0], "sentinel ") {
		args = append(args, "--sentinel")
	}
	s.command = exec.Command("redis-server", args...)
	if err := s.command.Start(); err != nil {
		s.Fatalf("redis-server is missing, the real other side of these tests (apt-get install -y redis-server): %v", err)
	}
	eventually(s, "redis-server answers", func() bool { return s.says("PONG", "PING") })
}

// kill ends the server as a power failure would.
func (s *server) kill() {
	if s.command != nil {
		s.command.Process.Kill()
		s.command.Wait()
		s.command = nil
	}
}

// ask sends one command as an inline text and returns the beginning of the answer.
func (s *server) ask(command string) string {
	conn, err := net.DialTimeout("tcp", s.address(), time.Second)
	if err != nil {
		return ""
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(conn, "%s\r\n", command)
	answer := make([]byte, 64<<10)
	n, _ := conn.Read(answer)
	return string(answer[:n])
}

func (s *server) says(text, command string) bool { return strings.Contains(s.ask(command), text) }

// info returns a number that INFO has.
func (s *server) info(field string) int {
	_, rest, _ := strings.Cut(s.ask("INFO"), field+":")
	line, _, _ := strings.Cut(rest, "\r\n")
	n, _ := strconv.Atoi(line)
	return n
}

// scripts is what the server says of the scripts that it ran.
func (s *server) scripts() string {
	_, rest, _ := strings.Cut(s.ask("INFO commandstats"), "cmdstat_evalsha:")
	line, _, _ := strings.Cut(rest, "\r\n")
	return line
}

// freePort returns a port below those that the system gives to connections: a server that starts again needs it free
// a second time.
func freePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := 20_000 + rand.N(12_000)
		if l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-every.C {
		if is() {
			return
		}
	}
	t.Fatalf("not within %v: %s", patience, what)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// link is a way to a server on which toxiproxy makes faults.
type link struct {
	testing.TB
	proxy *toxiproxy.Proxy
}

func startLink(t testing.TB, target string) *link {
	t.Helper()
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	p := toxiproxy.NewProxy(api, "store", "127.0.0.1:0", target)
	must(t, p.Start())
	t.Cleanup(p.Stop)
	return &link{t, p}
}

func (l *link) address() string { return l.proxy.Listen }

// delay makes every answer come later by d.
func (l *link) delay(d time.Duration, stream string) {
	l.Helper()
	toxic := fmt.Sprintf(`{"name":"slow-%s","type":"latency","stream":"%s","attributes":{"latency":%d}}`, stream, stream, d.Milliseconds())
	_, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
	must(l, err)
}

// silence lets nothing pass and closes nothing.
func (l *link) silence() {
	l.Helper()
	for _, stream := range []string{"upstream", "downstream"} {
		toxic := fmt.Sprintf(`{"name":"silent-%s","type":"timeout","stream":"%s","attributes":{"timeout":0}}`, stream, stream)
		_, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
		must(l, err)
	}
}

// clear ends all faults, and the connections that had them.
func (l *link) clear() { l.proxy.Toxics.ResetToxics(l.Context()) }

// node is a process that runs as runNode.
type node struct {
	testing.TB
	config           nodeConfig
	players, control string
	name             string
	command          *exec.Cmd
	output           bytes.Buffer
	web              *http.Client
}

func (c nodeConfig) withDefaults() nodeConfig {
	if c.Host == "" {
		c.Host = "127.0.0.1"
	}
	if c.Policy == "" {
		c.Policy = session.Grace
	}
	if c.Stale == "" {
		c.Stale = connect.KeepSockets
	}
	return c
}

// startNode starts a node over a store. before, if there is one, is the command that starts it, as ip netns exec.
func startNode(t testing.TB, c nodeConfig, before ...string) *node {
	t.Helper()
	n := &node{TB: t, config: c.withDefaults(), web: &http.Client{
		Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}}
	text, err := json.Marshal(n.config)
	must(t, err)
	self, err := os.Executable()
	must(t, err)
	args := append(slices.Clone(before), self)
	n.command = exec.Command(args[0], args[1:]...)
	n.command.Env = append(os.Environ(), program+"="+string(text))
	n.command.Stderr = &n.output
	stdout, err := n.command.StdoutPipe()
	must(t, err)
	must(t, n.command.Start())
	t.Cleanup(n.kill)
	if _, err := fmt.Fscanln(bufio.NewReader(stdout), &n.players, &n.control, &n.name); err != nil {
		n.command.Wait()
		t.Fatalf("a node did not start: %v\n%s", err, &n.output)
	}
	return n
}

func startNodes(t testing.TB, count int, c nodeConfig) []*node {
	t.Helper()
	var nodes []*node
	for range count {
		nodes = append(nodes, startNode(t, c))
	}
	return nodes
}

func (n *node) kill() {
	if n.command.ProcessState == nil {
		n.command.Process.Kill()
		n.command.Wait()
	}
	n.web.CloseIdleConnections()
}

// post asks the node for something and returns the status.
func (n *node) post(path string) (int, error) {
	answer, err := n.web.Post("http://"+n.control+path, "", nil)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

func (n *node) must(path string) {
	n.Helper()
	if status, err := n.post(path); err != nil || status != http.StatusNoContent {
		n.Fatalf("%s%s: status %d, error %v", n.name, path, status, err)
	}
}

func (n *node) state() (s nodeState) {
	n.Helper()
	answer, err := n.web.Post("http://"+n.control+"/state", "", nil)
	must(n, err)
	defer answer.Body.Close()
	must(n, json.NewDecoder(answer.Body).Decode(&s))
	return s
}

// refuses says whether the node knows that the nth session is revoked.
func (n *node) refuses(session int) bool {
	status, err := n.post(fmt.Sprint("/check?n=", session))
	return err == nil && status == http.StatusConflict
}

// client is a player's connection.
type client struct {
	conn  net.Conn
	fence uint64
	no    string // why it was not let in
	ended chan farewell
}

type farewell struct {
	reason string
	at     time.Time
}

// knock connects a player and waits until he is let in or not.
func (n *node) knock(k knock) (*client, error) {
	conn, err := net.DialTimeout("tcp", n.players, patience)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(conn).Encode(k); err != nil {
		return nil, err
	}
	c := &client{conn: conn, ended: make(chan farewell, 1)}
	lines := bufio.NewReaderSize(conn, 128)
	word, rest, err := c.line(lines)
	if err != nil || word == "no" {
		c.no = rest
		conn.Close()
		return c, err
	}
	c.fence, err = strconv.ParseUint(rest, 10, 64)
	go func() {
		_, reason, err := c.line(lines)
		if err != nil {
			reason = "lost"
		}
		c.ended <- farewell{reason, time.Now()}
		conn.Close()
	}()
	return c, err
}

func (c *client) line(r *bufio.Reader) (word, rest string, err error) {
	text, err := r.ReadString('\n')
	word, rest, _ = strings.Cut(strings.TrimSpace(text), " ")
	return word, rest, err
}

// enter lets a player in or fails the test.
func (n *node) enter(k knock) *client {
	n.Helper()
	c, err := n.knock(k)
	must(n, err)
	if c.no != "" {
		n.Fatalf("%s does not admit player %d: %s", n.name, k.Player, c.no)
	}
	n.Cleanup(func() { c.conn.Close() })
	return c
}

func arena(player int, name string) knock {
	return knock{Player: player, Session: player, Slot: connect.Slot{Route: "arena", Name: name}}
}

func lobby(player int) knock {
	return knock{Player: player, Session: player, Slot: connect.Slot{Route: "lobby"}}
}

// farewell waits until the client is told to go.
func (c *client) farewell(t testing.TB) farewell {
	t.Helper()
	select {
	case f := <-c.ended:
		return f
	case <-time.After(patience):
		t.Fatal("the socket lives on")
		return farewell{}
	}
}

// lives says whether the client was not told to go.
func (c *client) lives() bool { return len(c.ended) == 0 }

// each calls f for 0 to n-1, some at once, and waits.
func each(n, workers int, f func(i int)) {
	var group sync.WaitGroup
	var next atomic.Int64
	for range workers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	group.Wait()
}

// stored appends an event until it is acknowledged: many writers on two cores keep each other waiting.
func stored(t testing.TB, s *redis.Store, e session.Event) {
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if _, err = s.Append(t.Context(), e); err == nil {
			return
		}
	}
	t.Error(err)
}

// figures are what a list of times is told as.
func figures(took []time.Duration) string {
	slices.Sort(took)
	n := len(took)
	round := func(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
	return fmt.Sprintf("p50 %v, p99 %v, max %v", round(took[n/2]), round(took[n*99/100]), round(took[n-1]))
}
