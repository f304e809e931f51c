package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const startTimeout = 20 * time.Second

// process is a running program with all that it started.
type process struct {
	name   string
	cmd    *exec.Cmd
	output bytes.Buffer
	ended  chan struct{}
}

// start runs a command and returns when something listens on the address.
func start(name, folder, address string, command ...string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(command[0], command[1:]...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.WaitDelay = &p.output, &p.output, time.Second
	p.cmd.Env = append(os.Environ(), "HOME="+folder, "XDG_DATA_HOME="+folder, "XDG_CONFIG_HOME="+folder)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); {
		if conn, err := net.Dial("tcp", address); err == nil {
			return p, conn.Close()
		}
		select {
		case <-p.ended:
			return nil, fmt.Errorf("%s ended before it listened: %s", name, &p.output)
		case <-time.After(20 * time.Millisecond):
		}
	}
	p.stop()
	return nil, fmt.Errorf("%s does not listen on %s: %s", name, address, &p.output)
}

// stop ends the process and all that it started.
func (p *process) stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(2 * time.Second):
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.ended
}

// pids returns the process and its children: nginx has workers.
func (p *process) pids() []string {
	own := strconv.Itoa(p.cmd.Process.Pid)
	text, _ := os.ReadFile(filepath.Join("/proc", own, "task", own, "children"))
	return append(strings.Fields(string(text)), own)
}

// tick is the unit of processor time in /proc: user space sees 100 a second on every architecture.
const tick = 10 * time.Millisecond

// cpu returns the processor time that the processes used so far, user and system.
func cpu(processes []*process) (time.Duration, error) {
	var sum int64
	for _, p := range processes {
		for _, pid := range p.pids() {
			text, err := os.ReadFile("/proc/" + pid + "/stat")
			if err != nil {
				return 0, err
			}
			_, rest, _ := strings.Cut(string(text), ") ") // the name before may have spaces
			fields := strings.Fields(rest)
			if len(fields) < 13 {
				return 0, errors.New("/proc/PID/stat is not understood")
			}
			for _, field := range fields[11:13] {
				n, err := strconv.ParseInt(field, 10, 64)
				if err != nil {
					return 0, err
				}
				sum += n
			}
		}
	}
	return time.Duration(sum) * tick, nil
}

// memory returns the anonymous memory in use, in bytes.
func memory(processes []*process) (int64, error) {
	var sum int64
	for _, p := range processes {
		for _, pid := range p.pids() {
			text, err := os.ReadFile("/proc/" + pid + "/status")
			if err != nil {
				return 0, err
			}
			_, rest, _ := strings.Cut(string(text), "RssAnon:")
			kib, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
			n, err := strconv.ParseInt(kib, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("RssAnon: %w", err)
			}
			sum += n << 10
		}
	}
	return sum, nil
}

func loadAverage() string {
	text, _ := os.ReadFile("/proc/loadavg")
	load, _, _ := strings.Cut(string(text), " ")
	return load
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
