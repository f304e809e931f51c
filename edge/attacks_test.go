package edge_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/edge"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// An attack is a request of testdata/attacks. A case begins with "== name: answers", where the answers are statuses, "close" for a
// connection that is closed without one, or 101 with a close code. A line that begins with | ends with CR LF, one that begins with >
// does not; \xNN, \n, \r and \t are bytes, and the words in braces are those of attackWords.
type attack struct {
	name, request string
	answers       []string
}

func readAttacks(t *testing.T, words map[string]string) map[string][]attack {
	t.Helper()
	files, err := filepath.Glob("testdata/attacks/*.txt")
	must(t, err)
	all := make(map[string][]attack)
	count := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		must(t, err)
		for text := range strings.SplitSeq("\n"+string(data), "\n== ") {
			header, lines, _ := strings.Cut(text, "\n")
			i := strings.LastIndex(header, ": ")
			if i < 0 || strings.HasPrefix(text, "\n") {
				continue // what is before the first case
			}
			a := attack{name: header[:i], answers: strings.Fields(header[i+2:])}
			for line := range strings.SplitSeq(lines, "\n") {
				if rest, ok := strings.CutPrefix(line, "|"); ok {
					a.request += attackLine(t, rest, words) + "\r\n"
				} else if rest, ok := strings.CutPrefix(line, ">"); ok {
					a.request += attackLine(t, rest, words)
				}
			}
			all[filepath.Base(file)] = append(all[filepath.Base(file)], a)
			count++
		}
	}
	if count < 200 {
		t.Fatalf("%d attacks", count)
	}
	t.Logf("%d attacks", count)
	return all
}

var (
	attackBytes = regexp.MustCompile(`\\x[0-9a-f]{2}|\\[nrt\\]`)
	attackWord  = regexp.MustCompile(`\{[a-z]+(:[a-z]+|\*[0-9]+)?\}`)
)

func attackLine(t *testing.T, line string, words map[string]string) string {
	line = attackBytes.ReplaceAllStringFunc(line, func(s string) string {
		text, err := strconv.Unquote(`"` + s + `"`)
		must(t, err)
		return text
	})
	return attackWord.ReplaceAllStringFunc(line, func(s string) string {
		if times, ok := strings.CutPrefix(s, "{x*"); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(times, "}"))
			must(t, err)
			return strings.Repeat("x", n)
		}
		text, ok := words[s]
		if !ok {
			t.Fatalf("there is no word %s", s)
		}
		return text
	})
}

const attackSecret = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

// attackWorld is a gate with each kind of route before a backend that counts.
func attackWorld(t *testing.T) (*world, *backend, string) {
	b := newBackend(t, nil)
	player := public(b, "/player/*", "GET", "POST")
	player.Who = edge.Session
	small, none := public(b, "/small", "POST"), public(b, "/none", "POST")
	small.MaxBody, none.MaxBody = 10, -1
	routes := []edge.Route{public(b, "/open/*", "GET", "POST", "OPTIONS"), player, small, none}
	for i := range routes {
		routes[i].BodyTimeout = 300 * time.Millisecond
	}
	routes = append(routes, edge.Plain(edge.PlainConfig{Backend: b.URL, Path: "/ws"})...)
	routes[4].Socket.AnyOrigin, routes[4].Socket.Origins = false, []string{"https://play.example"}
	w := newWorld(t, routes, func(c *edge.Config) { c.OriginSecret.Values = []string{attackSecret} })
	// Slow requests are given less time here than in life.
	server := w.gate.Server()
	server.ReadHeaderTimeout = 300 * time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-served })
	return w, b, l.Addr().String()
}

func attackWords(t *testing.T, w *world) map[string]string {
	ticket, _, err := w.office.Issue(t.Context(), sessionToken(t, "ada"), session.Binding{})
	must(t, err)
	spent, _, err := w.office.Issue(t.Context(), sessionToken(t, "ada"), session.Binding{})
	must(t, err)
	_, _, err = w.office.Redeem(t.Context(), spent, session.Binding{})
	must(t, err)
	revoked := sessionToken(t, "rex")
	s, err := w.sessions.Verify(t.Context(), revoked)
	must(t, err)
	must(t, w.ledger.RevokeSession(t.Context(), s, ""))
	must(t, w.ledger.Ban(t.Context(), identity.Player{Realm: realm, Subject: uuidOf("bad")}, "", time.Time{}))
	good := sessionToken(t, "ada")
	secret := "X-CloudFront-Secret: " + attackSecret
	return map[string]string{
		"{front}": "Host: gate\r\n" + secret, "{secret}": secret, "{value}": attackSecret, "{value:half}": attackSecret[:16],
		"{value:upper}": strings.ToUpper(attackSecret), "{key}": testKey, "{token}": good, "{other}": sessionToken(t, "bob"),
		"{refresh}": token(t, refreshKey, "ada", "s-ada", time.Hour), "{expired}": token(t, sessionKey, "ada", "s-ada", -time.Minute),
		"{forged}": token(t, []byte("another key that nobody here has, 40 byte"), "ada", "s-ada", time.Hour),
		"{none}":   "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + strings.Split(good, ".")[1] + ".",
		"{ticket}": ticket, "{spent}": spent, "{revoked}": revoked, "{banned}": sessionToken(t, "bad"),
	}
}

// strike sends an attack and says what came of it.
func strike(t *testing.T, address, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	must(t, err)
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	go func() { _, _ = io.WriteString(conn, request) }()
	in := bufio.NewReader(conn)
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
			return "nothing"
		}
		return "close"
	}
	if answer.StatusCode == http.StatusSwitchingProtocols {
		_, payload, err := readFrame(in)
		if err != nil || len(payload) < 2 {
			return "101"
		}
		return fmt.Sprintf("101:%d", int(payload[0])<<8|int(payload[1]))
	}
	return strconv.Itoa(answer.StatusCode)
}

func TestAttacksReachNoBackend(t *testing.T) {
	w, b, address := attackWorld(t)
	words := attackWords(t, w)
	for file, attacks := range readAttacks(t, words) {
		for _, a := range attacks {
			before := b.hits.Load()
			got := strike(t, address, a.request)
			if !slices.Contains(a.answers, got) {
				t.Errorf("%s: %s: got %s, want one of %v", file, a.name, got, a.answers)
			}
			if b.hits.Load() != before {
				t.Errorf("%s: %s reached the backend as %s %v", file, a.name, b.last.Load().RequestURI, b.last.Load().Header)
			}
		}
	}
	// The same gate lets the good ones pass, or all of the above would prove nothing.
	for request, want := range map[string]string{
		"GET /open/x HTTP/1.1\r\n" + words["{front}"] + "\r\n\r\n":                                                     "200",
		"POST /small HTTP/1.1\r\n" + words["{front}"] + "\r\nContent-Length: 3\r\n\r\nabc":                             "200",
		"POST /small HTTP/1.1\r\n" + words["{front}"] + "\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n":  "200",
		"GET /player/x HTTP/1.1\r\n" + words["{front}"] + "\r\nAuthorization: Bearer " + words["{token}"] + "\r\n\r\n": "200",
	} {
		if got := strike(t, address, request); got != want {
			t.Errorf("%.60q: got %s, want %s", request, got, want)
		}
	}
	holdsNoSecret(t, w, words)
}

// holdsNoSecret looks for what must never be told in all that the gate told.
func holdsNoSecret(t *testing.T, w *world, words map[string]string) {
	t.Helper()
	told := fmt.Sprintf("%+v", w.seen.list())
	for _, d := range w.seen.list() {
		told += fmt.Sprintf(" %v %#v", d.Err, d.Err)
	}
	for _, word := range []string{"{token}", "{other}", "{refresh}", "{expired}", "{forged}", "{ticket}", "{spent}", "{revoked}", "{banned}", "{value}"} {
		for part := range strings.SplitSeq(words[word], ".") {
			if len(part) > 40 && part != strings.Split(words["{token}"], ".")[0] && strings.Contains(told, part) || part == words["{value}"] && strings.Contains(told, part) {
				t.Errorf("the observer was told %s", word)
			}
		}
	}
	if len(w.seen.list()) < 100 {
		t.Errorf("only %d decisions were observed", len(w.seen.list()))
	}
}
