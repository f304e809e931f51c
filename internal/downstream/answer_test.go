package downstream_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// dateless is an answer without its Date, which it must have.
func dateless(t *testing.T, text string) string {
	t.Helper()
	before, rest, ok := strings.Cut(text, "\r\nDate: ")
	date, after, _ := strings.Cut(rest, "\r\n")
	if at, err := http.ParseTime(date); !ok || err != nil || time.Since(at) > patience {
		t.Errorf("the date of %q is %q %v", text, date, err)
	}
	return before + "\r\n" + after
}

var large = strings.Repeat("0123456789", 1000)

// answers are handlers by their paths.
var answers = map[string]http.HandlerFunc{
	"/hello":   withHeader("A", "b", http.StatusOK, "hello"),
	"/nothing": func(http.ResponseWriter, *http.Request) {},
	"/small": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ab")
		_, _ = io.WriteString(w, "c")
	},
	"/status": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusOK)
		w.Header().Set("X-Late", "1")
	},
	"/unknown":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(599) },
	"/empty":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
	"/unlength": withHeader("Content-Length", "3", http.StatusNoContent, ""),
	"/same":     withHeader("Content-Length", "3", http.StatusNotModified, ""),
	"/declared": withHeader("Content-Length", "3", http.StatusOK, "abc"),
	"/wrong":    withHeader("Content-Length", "+3", http.StatusOK, "abc"),
	"/coded":    withHeader("Transfer-Encoding", "gzip", http.StatusOK, "abc"),
	"/close":    withHeader("Connection", "x, Close", http.StatusOK, "abc"),
	"/keep":     withHeader("Connection", "keep-alive", http.StatusOK, "abc"),
	"/upgrade":  withHeader("Upgrade", "websocket", http.StatusUpgradeRequired, "abc"),
	"/large":    withHeader("A", "b", http.StatusOK, large),
	"/flushed": func(w http.ResponseWriter, _ *http.Request) {
		flush(w)
		_, _ = io.WriteString(w, "ab")
		flush(w)
		flush(w)
		_, _ = io.WriteString(w, "c")
	},
	"/pieces": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, large[:4000])
		_, _ = io.WriteString(w, large[:200])
	},
	"/declared/flushed": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "3")
		flush(w)
		_, _ = io.WriteString(w, "abc")
	},
	"/trailer": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(http.TrailerPrefix+"A", "1")
		_, _ = io.WriteString(w, "abc")
		w.Header().Set(http.TrailerPrefix+"B c", "2")
		w.Header().Set("D", "3")
	},
	"/trailer/late": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "abc")
		w.Header().Set(http.TrailerPrefix+"A", "1")
	},
	"/trailer/none": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		w.Header().Set(http.TrailerPrefix+"A", "1")
	},
}

func TestAnswersAsTheyAreSent(t *testing.T) {
	const ok, ok10, shut = "HTTP/1.1 200 OK\r\n", "HTTP/1.0 200 OK\r\n", "Connection: close\r\n\r\n"
	chunked := "Transfer-Encoding: chunked\r\n\r\n"
	address := start(t, func(w http.ResponseWriter, r *http.Request) { answers[r.RequestURI](w, r) })
	for request, want := range map[string]string{
		"GET /nothing":               ok + "Content-Length: 0\r\n\r\n",
		"GET /small":                 ok + "Content-Length: 3\r\n\r\nabc",
		"HEAD /small":                ok + "\r\n",
		"GET /status":                "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n",
		"GET /unknown":               "HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n",
		"GET /empty":                 "HTTP/1.1 204 No Content\r\n\r\n",
		"GET /unlength":              "HTTP/1.1 204 No Content\r\n\r\n",
		"GET /same":                  "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n",
		"GET /declared":              ok + "Content-Length: 3\r\n\r\nabc",
		"HEAD /declared":             ok + "Content-Length: 3\r\n\r\n",
		"GET /wrong":                 ok + "Content-Length: 3\r\n\r\nabc",
		"GET /coded":                 ok + "Content-Length: 3\r\n\r\nabc",
		"GET /close":                 ok + "Content-Length: 3\r\n" + shut + "abc",
		"GET /keep":                  ok + "Content-Length: 3\r\n\r\nabc",
		"GET /upgrade":               "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 3\r\nConnection: Upgrade\r\n\r\nabc",
		"GET /upgrade HTTP/1.0":      "HTTP/1.0 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 3\r\nConnection: close, Upgrade\r\n\r\nabc",
		"GET /large":                 ok + "A: b\r\n" + chunked + "2710\r\n" + large + "\r\n0\r\n\r\n",
		"HEAD /large":                ok + "A: b\r\n\r\n",
		"GET /flushed":               ok + chunked + "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
		"HEAD /flushed":              ok + "\r\n",
		"GET /pieces":                ok + chunked + "1068\r\n" + large[:4000] + large[:200] + "\r\n0\r\n\r\n",
		"GET /declared/flushed":      ok + "Content-Length: 3\r\n\r\nabc",
		"GET /trailer":               ok + chunked + "3\r\nabc\r\n0\r\nA: 1\r\n\r\n",
		"GET /trailer/late":          ok + chunked + "3\r\nabc\r\n0\r\nA: 1\r\n\r\n",
		"HEAD /trailer/late":         ok + "\r\n",
		"GET /trailer/none":          "HTTP/1.1 204 No Content\r\n\r\n",
		"GET /small HTTP/1.0":        ok10 + "Content-Length: 3\r\n" + shut + "abc",
		"HEAD /small HTTP/1.0":       ok10 + shut,
		"GET /large HTTP/1.0":        ok10 + "A: b\r\n" + shut + large,
		"GET /flushed HTTP/1.0":      ok10 + shut + "abc",
		"GET /trailer HTTP/1.0":      ok10 + "Content-Length: 3\r\n" + shut + "abc",
		"GET /declared HTTP/1.0":     ok10 + "Content-Length: 3\r\n" + shut + "abc",
		"GET /nothing HTTP/1.0":      ok10 + "Content-Length: 0\r\n" + shut,
		"GET /same HTTP/1.0":         "HTTP/1.0 304 Not Modified\r\nContent-Length: 3\r\n" + shut,
		"GET /pieces HTTP/1.0":       ok10 + shut + large[:4000] + large[:200],
		"GET /trailer/late HTTP/1.0": ok10 + "Content-Length: 3\r\n" + shut + "abc",
	} {
		if !strings.HasSuffix(request, "HTTP/1.0") {
			request += " HTTP/1.1"
		}
		got := dateless(t, ask(t, address, request+"\r\nHost: gate\r\n\r\n"))
		if got != want {
			t.Errorf("%s:\n got %.300q,\nwant %.300q", request, got, want)
		}
	}
}

func withHeader(name, value string, status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(name, value)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func flush(w http.ResponseWriter) {
	if err := http.NewResponseController(w).Flush(); err != nil {
		panic(err)
	}
}

// TestConnectionsServeAfterEachAnswer shows that every answer ends where the client thinks so.
func TestConnectionsServeAfterEachAnswer(t *testing.T) {
	address := start(t, func(w http.ResponseWriter, r *http.Request) { answers[r.RequestURI](w, r) })
	for path := range answers {
		for _, method := range []string{"GET", "HEAD", "POST", "x"} {
			c := dial(t, address)
			c.send(method + " " + path + " HTTP/1.1\r\nHost: gate\r\n\r\n" + hello)
			if answer, _ := c.answer(method); answer.Close != (path == "/close") {
				t.Errorf("%s %s: closes %t", method, path, answer.Close)
			} else if answer.Close {
				if rest := c.rest(); rest != "" {
					t.Errorf("%s %s: then %q", method, path, rest)
				}
			} else if _, body := c.answer("GET"); body != "hello" {
				t.Errorf("%s %s: then %q", method, path, body)
			}
		}
	}
}

func TestHeadersCannotSplitAnAnswer(t *testing.T) {
	const evil = "a\r\nEvil: 1\r\n\r\nHTTP/1.1 200 OK\n\x00\x7fEvil: 2"
	address := start(t, func(w http.ResponseWriter, _ *http.Request) {
		for _, name := range []string{"A", "Location", "Set-Cookie", "B\r\nEvil", "B: b\r\nEvil", "", "C d", "Date"} {
			w.Header()[name] = []string{evil, "\r\n", "b\tc"}
		}
		w.Header()[http.TrailerPrefix+"T"] = []string{evil}
		w.Header()[http.TrailerPrefix+"T\r\nEvil"] = []string{evil}
		w.WriteHeader(http.StatusEarlyHints)
		flush(w)
	})
	got := ask(t, address, hello)
	fields := "A Location Set-Cookie Date"
	for line := range strings.SplitSeq(got, "\r\n") {
		name, value, ok := strings.Cut(line, ": ")
		switch {
		case strings.ContainsFunc(line, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }):
			t.Errorf("a control character is left in %q", line)
		case ok && name != "T" && name != "Transfer-Encoding" && !slices.Contains(strings.Fields(fields), name):
			t.Errorf("there is a field %s", name)
		case strings.HasPrefix(value, "a") && value != "a  Evil: 1    HTTP/1.1 200 OK   Evil: 2":
			t.Errorf("the value became %q", value)
		}
	}
	if n := strings.Count(got, "\r\n\r\n"); n != 3 || strings.Count(got, "\nT: ") != 1 || strings.Count(got, "Location: ") != 6 {
		t.Errorf("%d empty lines in %q", n, got)
	}
}

func TestAnswersKeepTheirLength(t *testing.T) {
	said := make(chan string, 1)
	address := start(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.RequestURI, "/declared") {
			w.Header().Set("Content-Length", "5")
		}
		if r.URL.Path == "/empty" {
			w.WriteHeader(http.StatusNoContent)
		}
		text := ""
		for _, piece := range strings.Fields(strings.ReplaceAll(r.URL.RawQuery, "+", " ")) {
			n, err := io.WriteString(w, piece)
			text += fmt.Sprint(n, " ", err, " ")
		}
		said <- text
	})
	const tooLong, none = "0 http: wrote more than the declared Content-Length ", "0 http: request method or response status code does not allow body "
	for request, want := range map[string]struct{ said, body string }{
		"GET /declared?abc+de":     {"3 <nil> 2 <nil> ", "abcde"},
		"GET /declared?abc+def+gh": {"3 <nil> " + tooLong + "2 <nil> ", "abcgh"},
		"GET /declared?abcdef":     {tooLong, "cut"},
		"GET /declared?abc":        {"3 <nil> ", "abc cut"},
		"GET /declared":            {"", "cut"},
		"HEAD /declared?abc":       {"3 <nil> ", ""},
		"HEAD /declared?abcdef":    {tooLong, ""},
		"HEAD /small?abcdef":       {"6 <nil> ", ""},
		"GET /empty?abc":           {none, ""},
	} {
		c := dial(t, address)
		c.send(request + " HTTP/1.1\r\nHost: gate\r\n\r\n")
		method, _, _ := strings.Cut(request, " ")
		data, err := io.ReadAll(c.head(method).Body)
		body := string(data)
		if err == io.ErrUnexpectedEOF {
			body = strings.TrimSpace(body + " cut")
		}
		if got := <-said; got != want.said || body != want.body {
			t.Errorf("%s: wrote %q and sent %q, want %q and %q", request, got, body, want.said, want.body)
		}
	}
}

func TestInterimAnswers(t *testing.T) {
	address := start(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "2")
		w.Header().Set("Link", "</a>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Add("Link", "</b>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		_, _ = io.WriteString(w, "ab")
	})
	const answer = "200 OK\r\nContent-Length: 2\r\n"
	want := "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\nHTTP/1.1 " + answer + "\r\nab"
	if got := dateless(t, ask(t, address, hello)); got != want {
		t.Errorf("got %q", got)
	}
	// What speaks HTTP/1.0 knows none (RFC 9110 section 15.2).
	want = "HTTP/1.0 " + answer + "Connection: close\r\n\r\nab"
	if got := dateless(t, ask(t, address, "GET / HTTP/1.0\r\n\r\n")); got != want {
		t.Errorf("got %q", got)
	}
}
