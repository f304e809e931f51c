package nakama_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Bounds of what the tests wait for. They are generous: the machines that run them are busy with other tests.
const (
	buildTimeout = 10 * time.Minute
	startTimeout = 2 * time.Minute
	callTimeout  = time.Minute
	eventTimeout = 30 * time.Second
	poll         = 20 * time.Millisecond
)

// dir is the folder of this run, which other users can look into: PostgreSQL does not run as root.
var dir string

func TestMain(m *testing.M) {
	code := 1
	defer func() { os.Exit(code) }()
	flag.Parse()
	err := flag.Set("test.parallel", "3") // most of the time they wait: for an expiry, or for a balancer to lose patience
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	if dir, err = os.MkdirTemp("", "sallyport-nakama"); err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer os.RemoveAll(dir)
	code = m.Run()
	stopDatabase()
}

// once builds something the first time that a test asks for it; who asks later gets the same path or error.
func once(build func() (string, error)) func(t testing.TB) string {
	built := sync.OnceValues(build)
	return func(t testing.TB) string {
		t.Helper()
		path, err := built()
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
}

var (
	nakamaBinary = once(func() (string, error) {
		return goBuild(".", "nakama", "github.com/heroiclabs/nakama/v3")
	})
	// pluginFolder has the plugin as "make plugin" builds it.
	pluginFolder = once(func() (string, error) {
		return pluginFor("3.40.0")
	})
	serverBinary = once(func() (string, error) {
		return goBuild("../../server", "sallyport", "./cmd/sallyport")
	})
	emptyFolder = once(func() (string, error) {
		path := filepath.Join(dir, "nothing")
		return path, os.Mkdir(path, 0o755)
	})
)

func pluginFor(release string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	folder := filepath.Join(dir, "modules-"+release)
	if out, err := exec.CommandContext(ctx, "../../scripts/plugin", release, folder).CombinedOutput(); err != nil {
		return "", fmt.Errorf("scripts/plugin %s: %w\n%s", release, err, out)
	}
	return folder, nil
}

// goBuild builds as releases do: with -trimpath, or no plugin loads, and without what debuggers need, which takes the linker long.
func goBuild(module, output string, arguments ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	path := filepath.Join(dir, output)
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", path}, arguments...)...)
	cmd.Dir, cmd.Env = module, append(os.Environ(), "GOWORK=off", "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %v in %s: %w\n%s", arguments, module, err, out)
	}
	return path, nil
}

// process is a program that runs beside the tests.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// launch starts a program whose output goes to a file. It dies with the test process, whatever becomes of that.
func launch(name string, credential *syscall.Credential, program string, arguments ...string) (*process, error) {
	log, err := os.CreateTemp(dir, name+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p := &process{name, exec.Command(program, arguments...), log.Name(), make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Env = append(os.Environ(), "NAKAMA_TELEMETRY=0")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: credential}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

func (p *process) stop(signal os.Signal) {
	_ = p.cmd.Process.Signal(signal)
	select {
	case <-p.done:
	case <-time.After(startTimeout):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// listening starts a program on ports that it picks, and again on others if somebody else was faster.
func listening(start func() (p *process, ready []func() error, err error)) (*process, error) {
	for try := 1; ; try++ {
		p, all, err := start()
		for _, ready := range all {
			if err == nil {
				err = p.await(ready)
			}
		}
		if err == nil {
			return p, nil
		}
		if p == nil || try == 5 || !strings.Contains(strings.ToLower(p.output()), "address already in use") {
			return p, err
		}
		p.stop(syscall.SIGKILL)
	}
}

func (p *process) output() string {
	data, _ := os.ReadFile(p.log)
	return string(data)
}

// await asks until the program answers, or says what it wrote before it ended.
func (p *process) await(ready func() error) error {
	deadline := time.Now().Add(startTimeout)
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended:\n%s", p.name, p.output())
		case <-time.After(poll):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not answer: %w\n%s", p.name, err, p.output())
		}
	}
}

// answers asks a server for a page.
func answers(url string) func() error {
	return func() error {
		response, err := http.Get(url)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", url, response.Status)
		}
		return nil
	}
}

// accepts connects to a port of this machine.
func accepts(port int) func() error {
	return func() error {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
		if err == nil {
			conn.Close()
		}
		return err
	}
}

// taken are the ports that this run has given out.
var taken sync.Map

// freePorts returns a port of which those at the given distances are free too, as far as one can know. It lies below the
// range from which the system takes ports for outgoing connections.
func freePorts(distances ...int) (int, error) {
	for range 1000 {
		port := 12000 + rand.IntN(20000)
		if _, given := taken.LoadOrStore(port, true); !given && allFree(port, distances) {
			return port, nil
		}
	}
	return 0, errors.New("no free ports")
}

func allFree(port int, distances []int) bool {
	for _, distance := range append(distances, 0) {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+distance))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}
