package wsrelay_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
	"github.com/sallyport-auth/sallyport/internal/wsrelay"
)

// The benchmarks measure a process that does nothing but relay. This test binary is that process, and the one with the
// other ends, when the variable below names the role.
const roleVariable = "SALLYPORT_WSRELAY_ROLE"

func TestMain(m *testing.M) {
	roles := map[string]func() error{"relay": runRelay, "load": runLoad}
	if role, ok := roles[os.Getenv(roleVariable)]; ok {
		if err := role(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "wsrelay")
	if err == nil {
		defer os.RemoveAll(dir)
		err = listen(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// process is one of the two other processes: it is told lines and answers lines.
type process struct {
	tb      testing.TB
	command *exec.Cmd
	in      io.Writer
	out     *bufio.Reader
}

func startRole(tb testing.TB, role string, args ...string) *process {
	tb.Helper()
	command := exec.Command(os.Args[0], args...)
	command.Env = append(os.Environ(), roleVariable+"="+role)
	return startProcess(tb, command)
}

func startProcess(tb testing.TB, command *exec.Cmd) *process {
	tb.Helper()
	in, err := command.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	return &process{tb, command, in, bufio.NewReader(out)}
}

func (p *process) tell(format string, args ...any) { fmt.Fprintf(p.in, format+"\n", args...) }

func (p *process) hear() []string {
	p.tb.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.tb.Fatalf("the other process said nothing more: %v", err)
	}
	return strings.Fields(line)
}

// cpu is the processor time of all threads of a process so far.
func (p *process) cpu() time.Duration {
	p.tb.Helper()
	paths, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.command.Process.Pid))
	var sum time.Duration
	for _, path := range paths {
		data, _ := os.ReadFile(path)
		nanos, _, _ := strings.Cut(string(data), " ")
		n, _ := strconv.ParseInt(nanos, 10, 64)
		sum += time.Duration(n)
	}
	return sum
}

// resident is the memory that a process has of its own, in bytes.
func (p *process) resident() int {
	p.tb.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		p.tb.Fatal(err)
	}
	_, after, _ := strings.Cut(string(data), "RssAnon:")
	kib, _ := strconv.Atoi(strings.Fields(after)[0])
	return kib << 10
}

// runRelay relays what it accepts: "relay FORM BACKEND". It says where it listens.
func runRelay() error {
	form, to := os.Args[1], os.Args[2]
	loop, err := wsrelay.NewLoop(wsrelay.LoopConfig{Goroutines: form == "goroutines"})
	if err != nil {
		return err
	}
	policy, err := wsrelay.NewPolicy(wsrelay.Policy{
		Profile: connect.ProfilePlain, Pinger: wsrelay.RelayPings, Idle: time.Hour, MaxRate: 1e6, Burst: 1e6,
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		far, err := net.Dial("tcp", to)
		if err != nil {
			return err
		}
		if err := passHandshake(conn, far); err != nil {
			return err
		}
		if form == "naive" {
			go copyBytes(conn, far)
			go copyBytes(far, conn)
			continue
		}
		if _, err := loop.Relay(wsrelay.Half{Conn: conn}, wsrelay.Half{Conn: far}, policy, func(wsrelay.Outcome) {}); err != nil {
			return err
		}
	}
}

// plain hides what io.Copy would use instead of copying.
type plain struct{ io.Reader }

func copyBytes(to io.WriteCloser, from io.Reader) {
	defer to.Close()
	io.Copy(struct{ io.Writer }{to}, plain{from})
}

const (
	handshake = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	accepted = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)

func passHandshake(conn, far net.Conn) error {
	head, err := readHead(conn)
	if err != nil {
		return err
	}
	io.WriteString(far, head)
	if head, err = readHead(far); err != nil {
		return err
	}
	_, err = io.WriteString(conn, head)
	return err
}

// readHead reads up to an empty line. Nobody here sends more before it is answered.
func readHead(conn net.Conn) (string, error) {
	var head []byte
	b := make([]byte, 4096)
	for !strings.HasSuffix(string(head), "\r\n\r\n") {
		n, err := conn.Read(b)
		if err != nil {
			return "", err
		}
		head = append(head, b[:n]...)
	}
	return string(head), nil
}

// load has the two ends of every socket.
type load struct {
	clients []net.Conn
}

// runLoad says where its backend is, and is told what to do.
func runLoad() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	go echoAll(listener)
	l := &load{}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var address string
		var count, size, rate int
		switch line := lines.Text(); {
		case scan(line, "connect %s %d", &address, &count):
			err = l.connect(address, count)
		case scan(line, "closed %d %d", &count, &size):
			err = l.closedLoop(count, size)
		case scan(line, "paced %d %d %d", &count, &size, &rate):
			err = l.paced(count, size, rate)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func scan(line, format string, args ...any) bool {
	n, err := fmt.Sscanf(line, format, args...)
	return err == nil && n == len(args)
}

func (l *load) connect(address string, count int) error {
	for range count {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		io.WriteString(conn, handshake)
		if _, err := readHead(conn); err != nil {
			return err
		}
		l.clients = append(l.clients, conn)
	}
	fmt.Println("connected")
	return nil
}

func echoAll(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go echo(conn)
	}
}

// echo answers each frame with its payload.
func echo(conn net.Conn) {
	if _, err := readHead(conn); err != nil {
		return
	}
	io.WriteString(conn, accepted)
	b, n := make([]byte, 512), 0
	for {
		h, size, _ := wsframe.Parse(b[:n])
		if total := size + int(h.Length); size > 0 && n >= total {
			answer(conn, h, b[size:total])
			n = copy(b, b[total:n])
			continue
		} else if total > len(b) {
			b = slices.Grow(b, total)[:total]
		}
		got, err := conn.Read(b[n:])
		if err != nil {
			return
		}
		n += got
	}
}

func answer(conn net.Conn, h wsframe.Header, payload []byte) {
	wsframe.Mask(payload, h.Mask, 0)
	switch h.Opcode {
	case wsframe.Binary:
		conn.Write(wsframe.AppendFrame(nil, wsframe.Header{Final: true, Opcode: h.Opcode}, payload))
	case wsframe.Ping:
		conn.Write(wsframe.AppendFrame(nil, wsframe.Header{Final: true, Opcode: wsframe.Pong}, payload))
	}
}

// exchange sends a message and waits for its echo.
func exchange(conn net.Conn, frame, b []byte, size int) error {
	if _, err := conn.Write(frame); err != nil {
		return err
	}
	header := wsframe.Header{Final: true, Opcode: wsframe.Binary, Length: uint64(size)}.Append(nil)
	_, err := io.ReadFull(conn, b[:len(header)+size])
	return err
}

func message(size int) []byte {
	return wsframe.AppendFrame(nil, wsframe.Header{Final: true, Opcode: wsframe.Binary, Masked: true, Mask: mask}, make([]byte, size))
}

// closedLoop has each client send count messages, one after the other.
func (l *load) closedLoop(count, size int) error {
	frame, began := message(size), time.Now()
	var wait sync.WaitGroup
	for _, conn := range l.clients {
		wait.Go(func() {
			b := make([]byte, size+wsframe.MaxHeader)
			for range count {
				if err := exchange(conn, frame, b, size); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
			}
		})
	}
	wait.Wait()
	fmt.Println(time.Since(began).Nanoseconds())
	return nil
}

// paced sends count messages at a rate over all clients, and says how long an answer took: p50 and p99.
func (l *load) paced(count, size, rate int) error {
	frame := message(size)
	took := make([]time.Duration, count)
	share := len(l.clients)
	began := time.Now()
	var wait sync.WaitGroup
	for i, conn := range l.clients {
		wait.Go(func() {
			b := make([]byte, size+wsframe.MaxHeader)
			for n := i; n < count; n += share {
				time.Sleep(time.Until(began.Add(time.Duration(n) * time.Second / time.Duration(rate))))
				sent := time.Now()
				if err := exchange(conn, frame, b, size); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				took[n] = time.Since(sent)
			}
		})
	}
	wait.Wait()
	slices.Sort(took)
	fmt.Println(took[count/2].Nanoseconds(), took[count*99/100].Nanoseconds())
	return nil
}
