package downstream_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// noted is a request as a handler had it.
type noted struct {
	*http.Request
	body string
	err  error
}

// note keeps requests, with their bodies or without, and answers in a way that does not depend on the time.
func note(all *[]noted, read bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n := noted{Request: r.Clone(r.Context())}
		if read {
			body, err := io.ReadAll(r.Body)
			n.body, n.err = string(body), err
		}
		n.Trailer = maps.Clone(r.Trailer)
		*all = append(*all, n)
		w.Header().Set("Date", "now")
		_, _ = fmt.Fprintf(w, "%q %v", n.body, n.err)
	}
}

// FuzzRequest holds what is read against net/http: what passes here is the same request there, begins and ends at the same bytes,
// and is written by its bytes alone. None of it depends on the pieces that they come in, and what is left of a body that nobody
// read is never a request.
func FuzzRequest(f *testing.F) {
	for _, text := range []string{
		hello + hello,
		"POST /x?y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n" + hello,
		"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc" + hello,
		"GET /x HTTP/1.0\r\nX: a\r\n b\r\n\r\n",
		"GET http://user@a:1/b(c)%2f?d HTTP/1.1\r\nHost: b\r\nPragma: no-cache\r\nX:y\r\nx: \tz \r\nConnection: a, close\r\n\r\n",
		"CONNECT a:443 HTTP/1.1\r\nHost: b\r\n\r\n",
		"OPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
		"GET //a/b#c'd HTTP/1.1\r\nHost: \xff\r\n\r\nGET / HTTP/2.0\r\n\r\n",
	} {
		f.Add(text, 1)
		f.Add(text, 5)
	}
	f.Fuzz(func(t *testing.T, text string, size int) {
		size = 1 + max(0, size)%64
		var whole, pieces, unread []noted
		out, _ := play(note(&whole, true), text, 1<<20)
		if again, _ := play(note(&pieces, true), text, size); again != out || !same(whole, pieces) {
			t.Fatalf("in one: %q\n%s\nin pieces of %d: %q\n%s", out, list(whole), size, again, list(pieces))
		}
		asTheyRead(t, text, whole)
		_, _ = play(note(&unread, false), text, size)
		if n := slices.IndexFunc(whole, func(n noted) bool { return n.ContentLength != 0 }); n >= 0 && len(unread) != n+1 {
			t.Fatalf("behind a body that is not read:\n%s\nof\n%s", list(unread), list(whole))
		}
	})
}

func same(a, b []noted) bool {
	return slices.EqualFunc(a, b, func(a, b noted) bool { return a.String() == b.String() })
}

func (n noted) String() string {
	return fmt.Sprintf("%q %q %q %q %d %v %v %v body %q %v", n.Method, n.RequestURI, n.URL, n.Host, n.ContentLength, n.TransferEncoding, n.Header, n.Trailer, n.body, n.err)
}

func list(all []noted) string {
	text := ""
	for _, n := range all {
		text += n.String() + "\n"
	}
	return text
}

// asTheyRead has net/http read the same text.
func asTheyRead(t *testing.T, text string, ours []noted) {
	src := strings.NewReader(text)
	in := bufio.NewReaderSize(src, 64<<10)
	for i, our := range ours {
		head := text[len(text)-src.Len()-in.Buffered():]
		head = head[:strings.Index(head, "\r\n\r\n")+len("\r\n\r\n")]
		if strings.Count(head, "\n") != strings.Count(head, "\r\n") || strings.Contains(head, "\n ") || strings.Contains(head, "\n\t") {
			t.Fatalf("a head that has another reading passed: %q", head)
		}
		their, err := http.ReadRequest(in)
		if err != nil {
			t.Fatalf("net/http refuses %d of\n%s: %v", i, list(ours), err)
		}
		body, err := io.ReadAll(their.Body)
		if our.err != nil {
			return // the handler knows that it is not whole
		}
		if err != nil {
			t.Fatalf("net/http refuses the body of %d of\n%s: %v", i, list(ours), err)
		}
		theirs := noted{Request: their, body: string(body)}
		likeOurs(their, our.Request)
		if theirs.String() != our.String() || !reflect.DeepEqual(their.URL, our.URL) || our.ProtoMinor != their.ProtoMinor {
			t.Fatalf("net/http reads\n%s, we\n%s of %q", theirs, our, head)
		}
	}
}

// likeOurs takes out what differs and may. net/http makes a Cache-Control of a Pragma, keeps a Trailer of a request without chunks,
// and all trailer fields, where this server keeps those that were announced.
func likeOurs(their, our *http.Request) {
	if p := their.Header["Pragma"]; len(p) > 0 && p[0] == "no-cache" && our.Header["Cache-Control"] == nil {
		delete(their.Header, "Cache-Control")
	}
	delete(their.Header, "Trailer")
	for name := range their.Trailer {
		if _, announced := our.Trailer[name]; !announced {
			delete(their.Trailer, name)
		}
	}
}
