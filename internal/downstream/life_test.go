package downstream_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/downstream"
)

// logged is a log that a test can read while others write.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestHandlersThatPanic(t *testing.T) {
	var errs logged
	address := serve(t, &downstream.Server{Reuse: true, ErrorLog: log.New(&errs, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "large" {
			_, _ = io.WriteString(w, strings.Repeat("x", 9000))
		}
		_, _ = io.WriteString(w, "abc")
		switch r.URL.Path {
		case "/flushed":
			flush(w)
		case "/fault":
			panic("the fault")
		case "/hello":
			return
		}
		panic(http.ErrAbortHandler)
	})})
	for target, want := range map[string]string{"/abort": "EOF", "/abort?large": "cut", "/flushed": "cut", "/flushed?large": "cut", "/fault": "EOF", "/fault?large": "cut"} {
		before := errs.String()
		c := dial(t, address)
		c.send("GET " + target + " HTTP/1.1\r\nHost: gate\r\n\r\n" + hello)
		got := "EOF"
		if answer, err := http.ReadResponse(c.in, nil); err == nil {
			_, err = io.ReadAll(answer.Body)
			got = map[bool]string{true: "cut", false: "whole"}[err != nil]
		}
		if said := errs.String() != before; got != want || said != strings.HasPrefix(target, "/fault") {
			t.Errorf("%s: the answer is %s, want %s; logged %t", target, got, want, said)
		}
	}
	if text := errs.String(); strings.Count(text, "the fault") != 2 || !strings.Contains(text, "life_test.go") {
		t.Errorf("logged: %s", text)
	}
	if got := ask(t, address, hello); statuses(t, got) != "200" {
		t.Errorf("then the server answers %q", got)
	}
}

func TestContextsEndWithTheClient(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(c *wire){
		"closed":       func(c *wire) { must(t, c.Close()) },
		"reset":        func(c *wire) { must(t, c.SetLinger(0)); must(t, c.Close()) },
		"ends sending": func(c *wire) { must(t, c.CloseWrite()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entered, done := make(chan context.Context), make(chan struct{})
			c := dial(t, start(t, func(w http.ResponseWriter, r *http.Request) {
				entered <- r.Context()
				<-r.Context().Done()
				close(done)
			}))
			c.send(hello)
			if ctx := <-entered; ctx.Err() != nil {
				t.Error("the context ended before")
			}
			leave(c)
			wait(t, done, "the context does not end")
		})
	}
}

func TestContextsEndWithTheConnection(t *testing.T) {
	contexts := make(chan context.Context, 1)
	address := start(t, func(w http.ResponseWriter, r *http.Request) {
		contexts <- r.Context()
		if r.URL.Path == "/take" {
			c, _, err := w.(*downstream.Response).Take()
			must(t, err)
			_ = c.Close()
		}
	})
	for _, target := range []string{"/", "/take"} {
		c := dial(t, address)
		c.send("GET " + target + " HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n")
		ctx := <-contexts
		must(t, c.CloseWrite())
		c.rest()
		wait(t, ctx.Done(), target+": the context does not end")
	}
}

// binder is what the context of a request is besides.
type binder interface {
	context.Context
	Bind(io.Closer)
	Unbind() bool
	End()
}

// closer says once that it was closed.
type closer chan struct{}

func (c closer) Close() error { close(c); return nil }

func TestContextsCloseWhatIsBoundToThem(t *testing.T) {
	t.Parallel()
	contexts, goOn := make(chan binder), make(chan struct{})
	c := dial(t, start(t, func(w http.ResponseWriter, r *http.Request) {
		contexts <- r.Context().(binder)
		<-goOn
	}))
	open := func(c closer) bool {
		select {
		case <-c:
			return false
		default:
			return true
		}
	}
	undone, bound, late := make(closer), make(closer), make(closer)
	c.send(hello + hello)
	ctx := <-contexts
	ctx.Bind(undone)
	if !ctx.Unbind() || ctx.Unbind() {
		t.Error("Unbind does not say what it undoes")
	}
	goOn <- struct{}{}
	ctx = <-contexts
	ctx.Bind(bound)
	if !open(bound) {
		t.Error("it was closed before")
	}
	must(t, c.Close())
	wait(t, bound, "what is bound is not closed when the client leaves")
	ctx.Bind(late)
	if ctx.Unbind() || open(late) || !open(undone) || ctx.Err() == nil {
		t.Errorf("after the end: late is open %t, undone is open %t, %v", open(late), open(undone), ctx.Err())
	}
	ctx.End()
	close(goOn)
}

func wait(t *testing.T, done <-chan struct{}, otherwise string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal(otherwise)
	}
}

func TestContextsLastAsLongAsTheClientStays(t *testing.T) {
	t.Parallel()
	address := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/long" {
			select {
			case <-r.Context().Done():
				t.Error("the context ended")
			case <-time.After(1200 * time.Millisecond): // what is tested is that time passes: more than two looks at the client
			}
		}
		_, _ = io.WriteString(w, "ok")
	})
	c := dial(t, address)
	c.send("GET /long HTTP/1.1\r\nHost: gate\r\n\r\n" + hello) // what is sent ahead is no sign of leaving
	for range 2 {
		if _, body := c.answer("GET"); body != "ok" {
			t.Errorf("got %q", body)
		}
	}
}

func TestSlowClientsAreLeft(t *testing.T) {
	t.Parallel()
	address := serve(t, &downstream.Server{Reuse: true, Handler: http.HandlerFunc(describe), HeadTimeout: 300 * time.Millisecond})
	for name, text := range map[string]string{"nothing": "", "half a head": "GET / HTTP/1.1\r\nHost: ga", "half of the next": hello + "GET / HTTP/1.1\r\nHost: ga"} {
		c := dial(t, address)
		c.send(text)
		if text[:min(len(text), len(hello))] == hello {
			c.answer("GET")
		}
		if rest := c.rest(); rest != "" {
			t.Errorf("%s: got %q", name, rest)
		}
	}
	idle := serve(t, &downstream.Server{Reuse: true, Handler: http.HandlerFunc(describe), IdleTimeout: 50 * time.Millisecond})
	c := dial(t, idle)
	c.send(hello)
	c.answer("GET")
	if rest := c.rest(); rest != "" {
		t.Errorf("idle: got %q", rest)
	}
}

// stays says that a connection is open, with nothing to read, for so long.
func (c *wire) stays(long time.Duration) {
	c.t.Helper()
	must(c.t, c.SetReadDeadline(time.Now().Add(long)))
	if _, err := c.in.Peek(1); !errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("within %v: %v", long, err)
	}
	must(c.t, c.SetReadDeadline(time.Now().Add(patience)))
}

// TestHeadsAndBodiesHaveTheirOwnTime begins a head, and a body, that take longer than a connection may be idle.
func TestHeadsAndBodiesHaveTheirOwnTime(t *testing.T) {
	t.Parallel()
	address := serve(t, &downstream.Server{Reuse: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("the body ends with %v", err)
		}
		_, _ = w.Write(body)
	}), HeadTimeout: patience, IdleTimeout: 500 * time.Millisecond})
	head := "POST / HTTP/1.1\r\nHost: gate\r\nContent-Length: 4\r\n\r\n"
	text := head + "body"
	cuts := []int{10, len(head), len(head) + 2}
	var all []*wire
	for _, cut := range cuts {
		c := dial(t, address)
		c.wants(text, "body")
		c.send(text[:cut])
		all = append(all, c)
	}
	all[0].stays(800 * time.Millisecond)
	for i, cut := range cuts {
		all[i].wants(text[cut:], "body")
	}
}

// dated is a connection that counts how often a deadline is set.
type dated struct {
	script
	reads, writes int
}

func (d *dated) SetReadDeadline(time.Time) error  { d.reads++; return nil }
func (d *dated) SetWriteDeadline(time.Time) error { d.writes++; return nil }

// TestDeadlinesAreMovedWhereItMatters shows that short waits begin anew with each request, and that long ones cost nothing.
func TestDeadlinesAreMovedWhereItMatters(t *testing.T) {
	for idle, want := range map[time.Duration]bool{10 * time.Millisecond: true, time.Minute: false} {
		d := &dated{script: script{text: strings.Repeat(hello, 20), size: 1 << 20, done: make(chan struct{})}}
		l := once{make(chan net.Conn, 1)}
		l.conns <- d
		close(l.conns)
		s := &downstream.Server{Reuse: true, IdleTimeout: idle, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(2 * time.Millisecond) // what is tested is that time passes
			must(t, http.NewResponseController(w).SetWriteDeadline(time.Now().Add(idle)))
		})}
		_ = s.Serve(l)
		<-d.done
		must(t, s.Close())
		if often := d.reads >= 20 && d.writes >= 20; often != want || !want && (d.reads > 3 || d.writes > 2) {
			t.Errorf("with %v: read deadlines were set %d times, write deadlines %d times", idle, d.reads, d.writes)
		}
	}
}

// TestWriteDeadlinesAreOfOneAnswer leaves a deadline that has passed behind an answer.
func TestWriteDeadlinesAreOfOneAnswer(t *testing.T) {
	address := start(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/dated":
			w.Header().Set("Content-Length", "2")
			_, _ = io.WriteString(w, "ok")
			flush(w)
			must(t, http.NewResponseController(w).SetWriteDeadline(time.Unix(1, 0)))
			return
		case "/hint":
			w.WriteHeader(http.StatusEarlyHints)
		case "/x":
			if _, err := io.ReadAll(r.Body); err != nil {
				t.Errorf("the body: %v", err)
			}
		}
		_, _ = io.WriteString(w, "ok")
	})
	c := dial(t, address)
	for _, then := range []string{hello, "GET /hint HTTP/1.1\r\nHost: gate\r\n\r\n", expecting + "body"} {
		c.wants("GET /dated HTTP/1.1\r\nHost: gate\r\n\r\n", "ok")
		c.send(then)
		answer := c.head("GET")
		for answer.StatusCode < 200 {
			answer = c.head("GET")
		}
		if body, err := io.ReadAll(answer.Body); err != nil || string(body) != "ok" {
			t.Errorf("%.10s: %q %v", then, body, err)
		}
	}
}

func TestClientsThatTakeNothing(t *testing.T) {
	said := make(chan error, 1)
	address := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/timeout" {
			must(t, http.NewResponseController(w).SetWriteDeadline(time.Now().Add(50*time.Millisecond)))
		}
		var err error
		for piece := make([]byte, 64<<10); err == nil; {
			_, err = w.Write(piece)
		}
		said <- err
	})
	c := dial(t, address)
	c.send("GET /timeout HTTP/1.1\r\nHost: gate\r\n\r\n")
	if err := <-said; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the answer ended with %v", err)
	}
	c = dial(t, address)
	c.send("GET /reset HTTP/1.1\r\nHost: gate\r\n\r\n")
	must(t, c.SetLinger(0))
	must(t, c.Close())
	if err := <-said; errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the answer ended with %v", err)
	}
}
