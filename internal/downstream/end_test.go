package downstream_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/downstream"
)

// run serves on the loopback and returns what Serve will return.
func run(t *testing.T, s *downstream.Server) (address string, served chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	served = make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String(), served
}

// held is a handler that waits for a word before it answers.
type held struct{ entered, goOn chan struct{} }

func newHeld() held { return held{make(chan struct{}, 9), make(chan struct{})} }

func (h held) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/held" {
		h.entered <- struct{}{}
		select {
		case <-h.goOn:
		case <-r.Context().Done():
		}
	}
	_, _ = io.WriteString(w, "ok")
}

const holding = "GET /held HTTP/1.1\r\nHost: gate\r\n\r\n"

func TestShutdownWaitsForRequestsAlone(t *testing.T) {
	t.Parallel()
	h := newHeld()
	s := &downstream.Server{Reuse: true, Handler: h}
	address, served := run(t, s)
	busy, idle, fresh, half := dial(t, address), dial(t, address), dial(t, address), dial(t, address)
	idle.wants(hello, "ok")
	half.wants(hello, "ok")
	busy.send(holding + hello)
	<-h.entered
	down := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() { down <- s.Shutdown(ctx) }()
	if err := <-served; err != http.ErrServerClosed {
		t.Errorf("Serve returned %v", err)
	}
	for name, c := range map[string]*wire{"idle": idle, "fresh": fresh, "half": half} {
		if rest := c.rest(); rest != "" {
			t.Errorf("%s: %q", name, rest)
		}
	}
	if c, err := net.Dial("tcp", address); err == nil {
		t.Error("it still listens")
		_ = c.Close()
	}
	select {
	case err := <-down:
		t.Errorf("Shutdown did not wait: %v", err)
	default:
	}
	close(h.goOn)
	if _, body := busy.answer("GET"); body != "ok" {
		t.Errorf("got %q", body)
	}
	if rest := busy.rest(); rest != "" { // the request behind it was not begun
		t.Errorf("then %q", rest)
	}
	must(t, <-down)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	if err := s.Serve(l); err != http.ErrServerClosed {
		t.Errorf("then Serve returned %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is open: %v", err)
	}
	must(t, s.Shutdown(ctx))
}

func TestShutdownEndsWithItsContext(t *testing.T) {
	t.Parallel()
	h := newHeld()
	s := &downstream.Server{Reuse: true, Handler: h}
	address, served := run(t, s)
	c := dial(t, address)
	c.send(holding)
	<-h.entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(ctx); err != context.Canceled {
		t.Errorf("Shutdown returned %v", err)
	}
	<-served
	must(t, s.Close())
	if rest := c.rest(); rest != "" {
		t.Errorf("got %q", rest)
	}
	close(h.goOn)
	must(t, s.Shutdown(t.Context()))
}

// TestShutdownDoesNotWaitForWhoIsGone has the client leave while the server shuts down.
func TestShutdownDoesNotWaitForWhoIsGone(t *testing.T) {
	t.Parallel()
	h := newHeld()
	s := &downstream.Server{Reuse: true, Handler: h}
	address, served := run(t, s)
	c := dial(t, address)
	c.send(holding)
	<-h.entered
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(ctx) }()
	<-served
	must(t, c.Close())
	must(t, <-down)
}

func TestCloseEndsEverything(t *testing.T) {
	t.Parallel()
	h := newHeld()
	s := &downstream.Server{Reuse: true, Handler: h}
	address, served := run(t, s)
	busy, idle := dial(t, address), dial(t, address)
	idle.wants(hello, "ok")
	busy.send(holding)
	<-h.entered
	must(t, s.Close())
	if err := <-served; err != http.ErrServerClosed {
		t.Errorf("Serve returned %v", err)
	}
	for _, c := range []*wire{busy, idle} {
		if rest := c.rest(); rest != "" {
			t.Errorf("got %q", rest)
		}
	}
	must(t, s.Shutdown(t.Context()))
	must(t, (&downstream.Server{}).Close())
	must(t, (&downstream.Server{}).Shutdown(t.Context()))
}

// flaky is a listener with errors before it works, and one at its end.
type flaky struct {
	net.Listener
	errs []error
}

func (f *flaky) Accept() (net.Conn, error) {
	if len(f.errs) == 0 {
		return f.Listener.Accept()
	}
	err := f.errs[0]
	f.errs = f.errs[1:]
	return nil, err
}

type passing struct{ error }

func (passing) Temporary() bool { return true }

func TestListenersThatFail(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &downstream.Server{Reuse: true, Handler: newHeld()}
	served := make(chan error, 1)
	pass := passing{errors.New("too many open files")}
	go func() { served <- s.Serve(&flaky{l, []error{pass, pass}}) }()
	c := dial(t, l.Addr().String())
	c.wants(hello, "ok")
	must(t, l.Close()) // not by the server
	if err := <-served; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve returned %v", err)
	}
	c.wants(hello, "ok")
	must(t, s.Close())
	if rest := c.rest(); rest != "" {
		t.Errorf("got %q", rest)
	}
}

// upgraded is a handler that takes its connection over, in one way or the other, and sends back what it reads.
func upgraded(t *testing.T, how string, ended chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var c net.Conn
		var in io.Reader
		begin := func(serve func()) { go serve() } // after the handler returned
		control := http.NewResponseController(w)
		must(t, control.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
		must(t, control.SetWriteDeadline(time.Now().Add(50*time.Millisecond)))
		if how == "take" {
			taken, early, err := w.(*downstream.Response).Take()
			must(t, err)
			c, in = taken, io.MultiReader(bytes.NewReader(early), taken)
		} else {
			taken, buffers, err := control.Hijack()
			must(t, err)
			c, in = taken, buffers.Reader
			begin = func(serve func()) { serve() }
		}
		saysHijacked(t, w)
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		begin(func() {
			_, _ = io.Copy(c, in)
			_ = c.Close()
			ended <- struct{}{}
		})
	}
}

func saysHijacked(t *testing.T, w http.ResponseWriter) {
	_, errWrite := w.Write([]byte("x"))
	_, _, errTake := w.(*downstream.Response).Take()
	_, _, errHijack := w.(http.Hijacker).Hijack()
	errFlush := http.NewResponseController(w).Flush()
	for _, err := range []error{errWrite, errTake, errHijack, errFlush} {
		if err != http.ErrHijacked {
			t.Errorf("after it was taken over: %v", err)
		}
	}
	w.WriteHeader(http.StatusOK)
}

// TestConnectionsThatAreTakenOver send bytes in the packet of the upgrade, and outlive the server and its deadlines.
func TestConnectionsThatAreTakenOver(t *testing.T) {
	t.Parallel()
	const upgrade = "GET /x HTTP/1.1\r\nHost: gate\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
	for _, how := range []string{"take", "hijack"} {
		for _, early := range []string{"", "\n\n \x00\r\r", hello + hello, strings.Repeat("0123456789", 2000)} {
			ended := make(chan struct{}, 1)
			s := &downstream.Server{Reuse: true, Handler: upgraded(t, how, ended)}
			address, served := run(t, s)
			c := dial(t, address)
			c.send(upgrade + early)
			if answer := c.head("GET"); answer.StatusCode != http.StatusSwitchingProtocols {
				t.Errorf("got %d", answer.StatusCode)
			}
			got := make([]byte, len(early))
			if _, err := io.ReadFull(c.in, got); err != nil || string(got) != early {
				t.Errorf("by %s: %.50q came back of %.50q, %v", how, got, early, err)
			}
			must(t, s.Shutdown(t.Context()))
			<-served
			must(t, s.Close())
			c.stays(100 * time.Millisecond)
			c.send("later")
			must(t, c.CloseWrite())
			if rest := c.rest(); rest != "later" {
				t.Errorf("by %s: then %q", how, rest)
			}
			wait(t, ended, "the connection does not end")
		}
	}
}
