package downstream_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/downstream"
)

// patience is how long a test waits for what must come. It is no promise about speed.
const patience = 20 * time.Second

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// describe answers with what a handler sees of a request.
func describe(w http.ResponseWriter, r *http.Request) {
	text := fmt.Sprintf("%s %s path %q query %q host %q length %d %v", r.Method, r.RequestURI, r.URL.Path, r.URL.RawQuery, r.Host, r.ContentLength, r.Header)
	body, err := io.ReadAll(r.Body)
	_, _ = fmt.Fprintf(w, "%s body %q %v trailer %v", text, body, err, r.Trailer)
}

// start serves a handler on the loopback until the test ends.
func start(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	return serve(t, &downstream.Server{Handler: handler, Reuse: true})
}

func serve(t *testing.T, s *downstream.Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-served; err != http.ErrServerClosed {
			t.Errorf("Serve returned %v", err)
		}
	})
	return l.Addr().String()
}

// wire is a client that writes HTTP by itself.
type wire struct {
	*net.TCPConn
	t  *testing.T
	in *bufio.Reader
}

func dial(t *testing.T, address string) *wire {
	t.Helper()
	c, err := net.Dial("tcp", address)
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	must(t, c.SetDeadline(time.Now().Add(patience)))
	return &wire{c.(*net.TCPConn), t, bufio.NewReader(c)}
}

func (c *wire) send(text string) {
	c.t.Helper()
	_, err := io.WriteString(c, text)
	must(c.t, err)
}

// head reads the head of an answer to a request of this method.
func (c *wire) head(method string) *http.Response {
	c.t.Helper()
	answer, err := http.ReadResponse(c.in, &http.Request{Method: method})
	must(c.t, err)
	return answer
}

// answer reads a whole answer.
func (c *wire) answer(method string) (*http.Response, string) {
	c.t.Helper()
	answer := c.head(method)
	body, err := io.ReadAll(answer.Body)
	must(c.t, err)
	return answer, string(body)
}

// wants sends a request and holds the body of the answer against this text.
func (c *wire) wants(request, want string) {
	c.t.Helper()
	c.send(request)
	if answer, body := c.answer("GET"); answer.StatusCode != http.StatusOK || body != want {
		c.t.Errorf("%.80q: got %d %q, want %q", request, answer.StatusCode, body, want)
	}
}

// rest reads until the server ends the connection, which it must.
func (c *wire) rest() string {
	c.t.Helper()
	rest, err := io.ReadAll(c.in)
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		c.t.Errorf("the connection does not end; there is %q", rest)
	}
	return string(rest)
}

// ask sends a text on a connection of its own, ends sending, and returns all that comes.
func ask(t *testing.T, address, text string) string {
	t.Helper()
	c := dial(t, address)
	c.send(text)
	must(t, c.CloseWrite())
	return c.rest()
}

// hello is a request that is answered on any connection that still serves.
const hello = "GET /hello HTTP/1.1\r\nHost: gate\r\n\r\n"

// script is a connection whose client sends a text in pieces of so many bytes and then ends sending. What it is sent is kept.
type script struct {
	net.Conn
	text string
	size int
	out  bytes.Buffer
	once sync.Once
	done chan struct{}
}

func (s *script) Read(p []byte) (int, error) {
	if s.text == "" {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), s.size)], s.text)
	s.text = s.text[n:]
	return n, nil
}

func (s *script) Write(p []byte) (int, error)    { return s.out.Write(p) }
func (s *script) Close() error                   { s.once.Do(func() { close(s.done) }); return nil }
func (*script) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*script) SetDeadline(time.Time) error      { return nil }
func (*script) SetReadDeadline(time.Time) error  { return nil }
func (*script) SetWriteDeadline(time.Time) error { return nil }

// once is a listener with one connection.
type once struct{ conns chan net.Conn }

func (l once) Accept() (net.Conn, error) {
	if c, ok := <-l.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (once) Close() error   { return nil }
func (once) Addr() net.Addr { return &net.TCPAddr{} }

// play has a handler serve a text that comes in pieces, and returns what was sent and what of the text was not read.
func play(handler http.HandlerFunc, text string, size int) (out, unread string) {
	c := &script{text: text, size: size, done: make(chan struct{})}
	l := once{make(chan net.Conn, 1)}
	l.conns <- c
	close(l.conns)
	s := &downstream.Server{Handler: handler, Reuse: size%2 == 0} // which makes no difference
	_ = s.Serve(l)
	<-c.done
	_ = s.Close()
	return c.out.String(), c.text
}

// statuses are those of the answers in a text, with "close" behind one that ends the connection.
func statuses(t *testing.T, text string) string {
	t.Helper()
	var all []string
	for in := bufio.NewReader(strings.NewReader(text)); ; {
		if _, err := in.Peek(1); err == io.EOF {
			return strings.Join(all, " ")
		}
		answer, err := http.ReadResponse(in, nil)
		must(t, err)
		_, err = io.Copy(io.Discard, answer.Body)
		must(t, err)
		all = append(all, fmt.Sprint(answer.StatusCode))
		if answer.Close {
			all = append(all, "close")
		}
	}
}
