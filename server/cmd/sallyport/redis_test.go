package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// redis PORT starts redis-server there, until the script ends or signalredis KILL. Its data is in the script's folder, so
// one that is started again has it.
func startRedis(ts *testscript.TestScript, _ bool, args []string) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		ts.Fatalf("redis-server is missing, the real other side of this test: apt-get install -y redis-server")
	}
	dir := ts.MkAbs("redis")
	ts.Check(os.MkdirAll(dir, 0o700))
	cmd := exec.Command(program, "--bind", "127.0.0.1", "--port", args[0], "--dir", dir, "--appendonly", "yes",
		"--appendfsync", "always", "--daemonize", "no", "--pidfile", filepath.Join(dir, "pid"))
	ts.Check(cmd.Start())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait() // it is killed at the latest when the script ends
	}()
	redisOf.Store(ts.Getenv("WORK"), cmd.Process)
	ts.Defer(func() {
		_ = cmd.Process.Kill()
		<-done
	})
	until(ts, func() (bool, string) { return redisAnswers("127.0.0.1:" + args[0]) })
}

// redisOf are the servers (*os.Process) by the folders of their scripts.
var redisOf sync.Map

// signalredis STOP|CONT|KILL sends the signal to the script's redis-server.
func signalRedis(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]syscall.Signal{"STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT, "KILL": syscall.SIGKILL}
	process, ok := redisOf.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("no redis-server was started")
	}
	ts.Check(process.(*os.Process).Signal(signals[args[0]]))
}

func redisAnswers(address string) (bool, string) {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false, err.Error()
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprint(conn, "PING\r\n")
	line, err := bufio.NewReader(conn).ReadString('\n')
	return strings.HasPrefix(line, "+PONG"), fmt.Sprint(line, err)
}
