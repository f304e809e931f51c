package redis_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// server is a redis-server of a test's own, on a free loopback port and in a folder that goes with the test.
type server struct {
	testing.TB
	port    int
	dir     string
	lines   []string
	command *exec.Cmd
	output  bytes.Buffer
}

// startServer starts one with further lines of configuration.
func startServer(t testing.TB, lines ...string) *server {
	t.Helper()
	s := &server{TB: t, port: freePort(t), dir: t.TempDir(), lines: lines}
	t.Cleanup(s.kill)
	s.start()
	return s
}

func (s *server) address() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

// start starts the server again where it was.
func (s *server) start() {
	s.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		s.Fatal("redis-server is missing, the real other side of these tests: apt-get install -y redis-server")
	}
	file := filepath.Join(s.dir, "redis.conf")
	if _, err := os.Stat(file); err != nil {
		config := append([]string{
			"bind 127.0.0.1", "port " + strconv.Itoa(s.port), "dir " + s.dir, "daemonize no",
		}, s.lines...)
		if err := os.WriteFile(file, []byte(strings.Join(config, "\n")+"\n"), 0o600); err != nil {
			s.Fatal(err)
		}
	}
	args := []string{file}
	if len(s.lines) > 0 && strings.HasPrefix(s.lines[0], "sentinel ") {
		args = append(args, "--sentinel")
	}
	s.command = exec.Command(program, args...)
	s.command.Stdout, s.command.Stderr = &s.output, &s.output
	if err := s.command.Start(); err != nil {
		s.Fatal(err)
	}
	eventually(s, "redis-server answers", func() bool {
		_, err := s.ask("PING")
		return err == nil || strings.HasPrefix(err.Error(), "NOAUTH")
	})
}

// kill ends the server as a power failure would.
func (s *server) kill() {
	if s.command == nil {
		return
	}
	s.command.Process.Kill()
	s.command.Wait()
	s.command = nil
}

// do sends a command past the store.
func (s *server) do(words ...string) string {
	s.Helper()
	answer, err := s.ask(words...)
	if err != nil {
		s.Fatalf("%s: %v", words[0], err)
	}
	return answer
}

// says whether the server answers with a text; one that cannot be reached does not.
func (s *server) says(text string, words ...string) bool {
	answer, err := s.ask(words...)
	return err == nil && strings.Contains(answer, text)
}

func (s *server) ask(words ...string) (string, error) {
	c, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{s.address()}, ForceSingleClient: true, DisableCache: true, AlwaysRESP2: true,
	})
	if err != nil {
		return "", err
	}
	defer c.Close()
	answer, err := c.Do(context.Background(), c.B().Arbitrary(words...).Build()).ToAny()
	return fmt.Sprint(answer), err
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

// eventually asks until it is so.
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
