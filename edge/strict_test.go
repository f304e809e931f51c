package edge_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/edge"
)

const okRequest = "GET /x HTTP/1.1\r\nHost: gate\r\n\r\n"

func TestScannerFollowsRequests(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		good int // how many bytes; all if 0
	}{
		"two requests":           {okRequest + okRequest, 0},
		"a body":                 {"POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\n\n\n a\x00" + okRequest, 0},
		"chunks":                 {"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n\n a\r\nA;x=y\r\n0123456789\r\n0\r\nX: y\r\n\r\n" + okRequest, 0},
		"a tunnel":               {"GET /x HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\n\n \x00\r\r", 0},
		"bare feed later":        {okRequest + "GET /x HTTP/1.1\n", len(okRequest) + 15},
		"bare feed after a body": {"POST /x HTTP/1.1\r\nContent-Length: 1\r\n\r\na" + "GET /x HTTP/1.1\n", 55},
		"folded":                 {"GET /x HTTP/1.1\r\nX: a\r\n b\r\n\r\n", 23},
		"length and chunks":      {"POST /x HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 65},
		"bare return":            {"GET /x HTTP/1.1\r\nX: a\rb", 22},
	} {
		want := test.good
		if want == 0 {
			want = len(test.text)
		}
		for _, piece := range []int{1, 3, 1 << 20} {
			if got := edge.Scan([]byte(test.text), piece); got != want {
				t.Errorf("%s by %d: %d of %d bytes are good, want %d", name, piece, got, len(test.text), want)
			}
		}
	}
}

// FuzzScanner says that a scanner never takes less than net/http reads without a repair: where it takes all of a request, the
// request that net/http sees is written by its bytes alone.
func FuzzScanner(f *testing.F) {
	f.Add(okRequest + okRequest)
	f.Add("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + okRequest)
	f.Add("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + okRequest)
	f.Add("GET /x HTTP/1.0\r\nX: a\r\n b\r\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		taken := edge.Scan([]byte(text), 1<<20)
		if again := edge.Scan([]byte(text), 1); again != taken {
			t.Fatalf("in one %d bytes are good, one by one %d", taken, again)
		}
		if taken < len(text) || !strings.HasSuffix(text, "\r\n\r\n") && !strings.Contains(text, "\r\n\r\n") {
			return
		}
		in := bufio.NewReader(strings.NewReader(text))
		r, err := http.ReadRequest(in)
		if err != nil || r.Header.Get("Upgrade") != "" || r.Header["Upgrade"] != nil {
			return
		}
		head, _, _ := strings.Cut(text, "\r\n\r\n")
		if strings.Count(head, "\n") != strings.Count(head, "\r\n") || strings.Contains(head, "\n ") || strings.Contains(head, "\n\t") {
			t.Fatalf("a head that net/http repairs passed: %q", head)
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
	})
}
