package upstream

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// pieces is a connection that gives its text in pieces of so many bytes, then the end.
type pieces struct {
	net.Conn
	text string
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.text == "" {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.size)], p.text)
	p.text = p.text[n:]
	return n, nil
}

func (*pieces) SetReadDeadline(time.Time) error { return nil }
func (*pieces) Close() error                    { return nil }

// readAnswer reads an answer as Do does.
func readAnswer(text string, size int, head bool) (*Answer, []byte, error) {
	c := newConn(&pieces{text: text, size: size}, bufferSize)
	a := &Answer{pool: &Pool{config: Config{MaxHead: 8 << 10}}, conn: c, request: &Request{Timeout: time.Second, HeadOnly: head}}
	if err := a.readHead(); err != nil {
		return nil, nil, err
	}
	if err := a.frame(a.request); err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(a)
	return a, body, err
}

const okHead = "HTTP/1.1 200 OK\r\n"

func TestAnswersThatAreRead(t *testing.T) {
	for name, test := range map[string]struct {
		text, body, trailer string
		reusable            bool
	}{
		"length":           {okHead + "Content-Length: 3\r\n\r\nabc", "abc", "", true},
		"nothing":          {okHead + "Content-Length: 0\r\n\r\n", "", "", true},
		"chunks":           {okHead + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n00A\r\n0123456789\r\n0\r\n\r\n", "ab0123456789", "", true},
		"an extension":     {okHead + "Transfer-Encoding: Chunked\r\n\r\n2;a=\"b\"\r\nab\r\n0;x\r\n\r\n", "ab", "", true},
		"a trailer":        {okHead + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-A: b\r\nX-C:d\r\n\r\n", "a", "X-A=b X-C=d ", true},
		"until the end":    {okHead + "\r\nabc", "abc", "", false},
		"no reason":        {"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na", "a", "", true},
		"closes":           {okHead + "Content-Length: 1\r\nConnection: x, Close\r\n\r\na", "a", "", false},
		"HTTP/1.0":         {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", "a", "", false},
		"204":              {"HTTP/1.1 204 No Content\r\n\r\n", "", "", true},
		"304 with length":  {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", "", true},
		"more than it all": {okHead + "Content-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\n\r\n", "a", "", true},
	} {
		for _, size := range []int{1, 2, 7, 1 << 20} {
			a, body, err := readAnswer(test.text, size, false)
			if err != nil || string(body) != test.body {
				t.Errorf("%s by %d: %q %v", name, size, body, err)
				continue
			}
			trailer := ""
			for _, f := range a.Trailer() {
				trailer += f.Name + "=" + f.Value + " "
			}
			if trailer != test.trailer || a.last == test.reusable {
				t.Errorf("%s by %d: trailer %q, closes %t", name, size, trailer, a.last)
			}
		}
	}
}

func TestAnswersThatAreRefused(t *testing.T) {
	chunked := okHead + "Transfer-Encoding: chunked\r\n\r\n"
	for name, text := range map[string]string{
		"version":              "HTTP/1.2 200 OK\r\n\r\n",
		"status of two digits": "HTTP/1.1 20 OK\r\n\r\n",
		"status of four":       "HTTP/1.1 2000 OK\r\n\r\n",
		"status 600":           "HTTP/1.1 600 OK\r\n\r\n",
		"status with a sign":   "HTTP/1.1 +20 OK\r\n\r\n",
		"control in reason":    "HTTP/1.1 200 O\x00K\r\n\r\n",
		"two lengths":          okHead + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
		"a list of lengths":    okHead + "Content-Length: 1, 1\r\n\r\na",
		"length and chunks":    okHead + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two codings":          okHead + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"another coding":       okHead + "Transfer-Encoding: gzip\r\n\r\n",
		"chunks in HTTP/1.0":   "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"folded":               okHead + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
		"space in a name":      okHead + "X : a\r\nContent-Length: 0\r\n\r\n",
		"no colon":             okHead + "X\r\nContent-Length: 0\r\n\r\n",
		"bare line feed":       okHead + "X: a\nContent-Length: 0\r\n\r\n",
		"bare return":          okHead + "X: a\rb\r\nContent-Length: 0\r\n\r\n",
		"large head":           okHead + "X: " + strings.Repeat("a", 9<<10) + "\r\n\r\n",
		"chunk size":           chunked + "x\r\n",
		"chunk sign":           chunked + "+1\r\na\r\n0\r\n\r\n",
		"chunk space":          chunked + " 1\r\na\r\n0\r\n\r\n",
		"chunk too large":      chunked + "1000000000000000\r\n",
		"chunk without end":    chunked + "1\r\nab\r\n0\r\n\r\n",
		"chunk line feed":      chunked + "1\na\n0\n\n",
		"chunk empty line":     chunked + "\r\n",
		"chunk line too long":  chunked + "1;" + strings.Repeat("a", 300) + "\r\n",
		"trailer too large":    chunked + "0\r\n" + strings.Repeat("X: "+strings.Repeat("a", 100)+"\r\n", 100) + "\r\n",
		"trailer malformed":    chunked + "0\r\nX\r\n\r\n",
	} {
		for _, size := range []int{1, 1 << 20} {
			if _, body, err := readAnswer(text, size, false); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s by %d: %q %v", name, size, body, err)
			}
		}
	}
	for name, text := range map[string]string{
		"half a body":  okHead + "Content-Length: 4\r\n\r\nab",
		"half a chunk": chunked + "4\r\nab",
		"no last":      chunked + "2\r\nab\r\n",
		"half trailer": chunked + "0\r\nX: a",
		"half a head":  okHead + "X",
	} {
		if _, body, err := readAnswer(text, 3, false); !errors.Is(err, ErrLost) {
			t.Errorf("%s: %q %v", name, body, err)
		}
	}
}

// FuzzAnswer holds what is read against net/http: whatever passes here means the same there, however it comes in pieces.
func FuzzAnswer(f *testing.F) {
	f.Add(okHead+"Content-Length: 3\r\n\r\nabc", 1, false)
	f.Add(okHead+"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX: y\r\n\r\n", 3, false)
	f.Add(okHead+"\r\nuntil the end", 5, true)
	f.Add("HTTP/1.1 204 No\r\nConnection: close\r\n\r\n", 2, false)
	f.Fuzz(func(t *testing.T, text string, size int, head bool) {
		size = 1 + max(0, size)%64
		a, body, err := readAnswer(text, size, head)
		_, again, err2 := readAnswer(text, 1<<20, head)
		if (err == nil) != (err2 == nil) || err == nil && !bytes.Equal(body, again) {
			t.Fatalf("in pieces of %d %q %v, in one %q %v", size, body, err, again, err2)
		}
		if err != nil || a.Status < 200 {
			return
		}
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		theirs, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), &http.Request{Method: method})
		if err != nil {
			t.Fatalf("net/http refuses it: %v", err)
		}
		data, err := io.ReadAll(theirs.Body)
		if err != nil || theirs.StatusCode != a.Status || !bytes.Equal(data, body) {
			t.Fatalf("net/http reads %d %q %v, we %d %q", theirs.StatusCode, data, err, a.Status, body)
		}
	})
}

// dated counts the read deadlines that are set.
type dated struct {
	net.Conn
	set int
}

func (d *dated) SetReadDeadline(time.Time) error {
	d.set++
	return nil
}

func TestShortWaitsBeginAnew(t *testing.T) {
	d := &dated{}
	c := &conn{Conn: d}
	for range 20 {
		c.expect(10 * time.Millisecond)
		time.Sleep(2 * time.Millisecond) // what is tested is that time passes
	}
	if d.set != 20 {
		t.Errorf("of 20 waits %d had all of their time", d.set)
	}
}
