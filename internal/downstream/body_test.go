package downstream_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/http1"
)

const expecting = "POST /x HTTP/1.1\r\nHost: gate\r\nExpect: 100-Continue\r\nContent-Length: 4\r\n\r\n"

func TestContinueIsSentOnceABodyIsRead(t *testing.T) {
	reads := make(chan struct{})
	address := start(t, func(w http.ResponseWriter, r *http.Request) {
		<-reads
		body, err := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %v", body, err)
	})
	c := dial(t, address)
	for range 2 {
		c.send(expecting)
		must(t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
		if _, err := c.in.Peek(1); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("before the body is read: %v", err)
		}
		must(t, c.SetReadDeadline(time.Now().Add(patience)))
		reads <- struct{}{}
		if answer := c.head("POST"); answer.StatusCode != http.StatusContinue || len(answer.Header) != 0 {
			t.Errorf("got %d %v", answer.StatusCode, answer.Header)
		}
		c.send("body")
		if answer, body := c.answer("POST"); body != "body <nil>" || answer.Close {
			t.Errorf("got %q, closes %t", body, answer.Close)
		}
	}
	close(reads)
	for _, text := range []string{
		"POST /x HTTP/1.1\r\nHost: gate\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
		"GET /x HTTP/1.1\r\nHost: gate\r\nExpect: 100-continue\r\n\r\n",
		"POST /x HTTP/1.0\r\nHost: gate\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody", // RFC 9110 section 10.1.1
	} {
		if got := ask(t, address, text); strings.HasPrefix(got, "HTTP/1.1 100") || statuses(t, got)[:3] != "200" {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestContinueIsNotSentAfterAnAnswer(t *testing.T) {
	address := start(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.RequestURI {
		case "/status":
			w.WriteHeader(http.StatusForbidden)
		case "/flushed":
			flush(w)
		case "/own":
			w.WriteHeader(http.StatusContinue)
		case "/not":
			return
		}
		body, err := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %v", body, err)
	})
	for path, want := range map[string]string{"/status": "403", "/flushed": "200 close", "/own": "100 200", "/not": "200 close"} {
		c := dial(t, address)
		c.send(strings.Replace(expecting, "/x", path, 1) + "body")
		must(t, c.CloseWrite())
		text := c.rest()
		if got := continues(t, text); got != want {
			t.Errorf("%s: got %s, want %s: %q", path, got, want, text)
		}
		if path != "/not" && !strings.Contains(text, "body <nil>") {
			t.Errorf("%s: the body was not read: %q", path, text)
		}
	}
}

// continues is statuses, for a text that may begin with 100.
func continues(t *testing.T, text string) string {
	rest, ok := strings.CutPrefix(text, "HTTP/1.1 100 Continue\r\n\r\n")
	if ok {
		return "100 " + statuses(t, rest)
	}
	return statuses(t, text)
}

// TestWhatIsLeftOfABodyIsNoRequest has handlers that leave bodies unread, of a request with another one inside.
func TestWhatIsLeftOfABodyIsNoRequest(t *testing.T) {
	var hidden atomic.Int64
	large := strings.Repeat("0123456789", 10_000)
	address := start(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.RequestURI {
		case "/hello":
			hidden.Add(1)
		case "/some":
			_, _ = io.CopyN(io.Discard, r.Body, 1000)
		case "/closed":
			_, _ = io.CopyN(io.Discard, r.Body, 1000)
			must(t, r.Body.Close())
			if _, err := r.Body.Read(make([]byte, 1)); err != http.ErrBodyReadAfterClose {
				t.Errorf("read after Close: %v", err)
			}
		}
		_, _ = io.WriteString(w, large)
	})
	streamed := strings.Repeat(hello, 3000)
	for _, path := range []string{"/none", "/some", "/closed"} {
		for name, text := range map[string]string{
			"length": fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(streamed), streamed),
			"chunks": fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(streamed), streamed),
			"part":   fmt.Sprintf("Content-Length: %d\r\n\r\n%s", 2*len(streamed), streamed),
			"short":  fmt.Sprintf("Content-Length: 2000\r\n\r\n%2000s%s", hello, hello),
		} {
			c := dial(t, address)
			c.send("POST " + path + " HTTP/1.1\r\nHost: gate\r\n" + text)
			answer, body := c.answer("POST")
			if body != large || !answer.Close {
				t.Errorf("%s, %s: %d bytes arrived, closes %t", path, name, len(body), answer.Close)
			}
			_, _ = io.WriteString(c, hello)
			must(t, c.CloseWrite())
			if rest := c.rest(); rest != "" {
				t.Errorf("%s, %s: then came %q", path, name, rest)
			}
		}
	}
	if n := hidden.Load(); n > 0 {
		t.Errorf("%d pieces of bodies were served", n)
	}
}

func TestBodiesThatCannotBeRead(t *testing.T) {
	said := make(chan error, 1)
	address := start(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		said <- err
		w.WriteHeader(http.StatusBadRequest)
	})
	for text, want := range map[string]error{
		"Content-Length: 9\r\n\r\nhalf":                        io.ErrUnexpectedEOF,
		"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n":      io.ErrUnexpectedEOF,
		"Transfer-Encoding: chunked\r\n\r\n0\r\n":              io.ErrUnexpectedEOF,
		"Transfer-Encoding: chunked\r\n\r\n4\nhalf\n0\n\n":     http1.ErrMalformed,
		"Transfer-Encoding: chunked\r\n\r\n0\r\nX : y\r\n\r\n": http1.ErrMalformed,
	} {
		got := ask(t, address, "POST /x HTTP/1.1\r\nHost: gate\r\n"+text)
		if err := <-said; !errors.Is(err, want) || statuses(t, got) != "400 close" {
			t.Errorf("%q: %v, answered %q", text, err, got)
		}
	}
}

// TestBodiesAreReadWhileTheAnswerIsWritten goes to and fro between client and handler.
func TestBodiesAreReadWhileTheAnswerIsWritten(t *testing.T) {
	address := start(t, func(w http.ResponseWriter, r *http.Request) {
		flush(w)
		for in := bufio.NewReader(r.Body); ; {
			line, err := in.ReadString('\n')
			if err != nil {
				_, _ = fmt.Fprint(w, err, r.Trailer)
				return
			}
			_, _ = io.WriteString(w, line)
			flush(w)
		}
	})
	c := dial(t, address)
	c.send("POST /x HTTP/1.1\r\nHost: gate\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n")
	in := bufio.NewReader(c.head("POST").Body)
	for i := range 100 {
		line := fmt.Sprintln("line", i)
		c.send(fmt.Sprintf("%x\r\n%s\r\n", len(line), line))
		if got, err := in.ReadString('\n'); err != nil || got != line {
			t.Fatalf("got %q %v, want %q", got, err, line)
		}
	}
	c.send("0\r\nT: t\r\n\r\n")
	if got, err := io.ReadAll(in); err != nil || string(got) != "EOF map[T:[t]]" {
		t.Errorf("at the end %q %v", got, err)
	}
	if rest := c.rest(); rest != "" { // its end could not be known when the answer began
		t.Errorf("then %q", rest)
	}
}

// TestBodiesAreReadBesideTheHandler is for the race detector: a goroutine reads what expects a 100, while the handler answers.
func TestBodiesAreReadBesideTheHandler(t *testing.T) {
	address := start(t, func(w http.ResponseWriter, r *http.Request) {
		var reader sync.WaitGroup
		var body []byte
		reader.Go(func() { body, _ = io.ReadAll(r.Body) })
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience))
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, strings.Repeat("x", 5000))
		flush(w)
		reader.Wait()
		_, _ = w.Write(body)
	})
	for range 30 {
		c := dial(t, address)
		c.send(expecting + "body")
		answer := c.head("POST")
		for answer.StatusCode < 200 {
			answer = c.head("POST")
		}
		if body, err := io.ReadAll(answer.Body); err != nil || string(body) != strings.Repeat("x", 5000)+"body" {
			t.Fatalf("%d bytes, %v", len(body), err)
		}
	}
}

func TestBodiesHaveDeadlines(t *testing.T) {
	address := start(t, func(w http.ResponseWriter, r *http.Request) {
		must(t, http.NewResponseController(w).SetReadDeadline(time.Now().Add(20*time.Millisecond)))
		_, err := io.ReadAll(r.Body)
		if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
			t.Errorf("the body ended with %v", err)
		}
		w.WriteHeader(http.StatusRequestTimeout)
	})
	c := dial(t, address)
	c.send("POST /x HTTP/1.1\r\nHost: gate\r\nContent-Length: 4\r\n\r\nbo")
	if answer, _ := c.answer("POST"); answer.StatusCode != http.StatusRequestTimeout || !answer.Close {
		t.Errorf("got %d, closes %t", answer.StatusCode, answer.Close)
	}
}

// TestConcurrentClients is for the race detector, and for what connections share.
func TestConcurrentClients(t *testing.T) {
	address := start(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Id", r.Header.Get("X-Id"))
		_, _ = fmt.Fprintf(w, "%s %s", r.RequestURI, body)
	})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: patience}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				id := fmt.Sprint(i, "-", j)
				r, err := http.NewRequest("POST", "http://"+address+"/"+id, strings.NewReader(strings.Repeat(id, j*20)))
				if err == nil {
					r.Header.Set("X-Id", id)
					err = check(client, r, id, "/"+id+" "+strings.Repeat(id, j*20))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

func check(client *http.Client, r *http.Request, id, want string) error {
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil || string(body) != want || answer.Header.Get("X-Id") != id {
		return fmt.Errorf("%s got %d %.100q %v", id, answer.StatusCode, body, err)
	}
	return nil
}
