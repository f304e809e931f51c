package http1_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sallyport-auth/sallyport/internal/http1"
)

var (
	chunked  = http1.Framing{Length: -1, Chunked: true}
	untilEnd = http1.Framing{Length: -1}
)

func ofLength(n int64) http1.Framing { return http1.Framing{Length: n} }

// readBody reads a body, and what is left behind it.
func readBody(text string, size int, f http1.Framing) (b http1.Body, data, rest string, err error) {
	in := inPieces(text, size, 64)
	b = http1.NewBody(in, f)
	read, err := io.ReadAll(&b)
	left, _ := io.ReadAll(in)
	return b, string(read), string(left), err
}

func TestBodiesThatAreRead(t *testing.T) {
	for name, test := range map[string]struct {
		framing             http1.Framing
		text, body, trailer string
	}{
		"length":               {ofLength(3), "abc", "abc", ""},
		"length of any bytes":  {ofLength(6), "\n\r\n a\x00", "\n\r\n a\x00", ""},
		"none":                 {ofLength(0), "", "", ""},
		"until the end":        {untilEnd, "abc\r\n0\r\n\r\n", "abc\r\n0\r\n\r\n", ""},
		"nothing until then":   {untilEnd, "", "", ""},
		"one chunk":            {chunked, "3\r\nabc\r\n0\r\n\r\n", "abc", ""},
		"no chunk":             {chunked, "0\r\n\r\n", "", ""},
		"chunks of any bytes":  {chunked, "4\r\n\n\r\n0\r\n1\r\n\r\r\n00\r\n\r\n", "\n\r\n0\r", ""},
		"cases and zeros":      {chunked, "00a\r\n0123456789\r\nA\r\n0123456789\r\n000\r\n\r\n", "01234567890123456789", ""},
		"fifteen digits":       {chunked, "000000000000001\r\na\r\n000000000000000\r\n\r\n", "a", ""},
		"extensions":           {chunked, "1;a\r\na\r\n1;b=\"c d\"; e\t\r\nb\r\n0;f\r\n\r\n", "ab", ""},
		"a trailer":            {chunked, "1\r\na\r\n0\r\nX-A: b\r\nX-C:d \r\n\r\n", "a", "X-A=b;X-C=d;"},
		"a trailer, no chunks": {chunked, "0\r\nA: \r\n\r\n", "", "A=;"},
		"larger than a buffer": {chunked, "c8\r\n" + strings.Repeat("0123456789", 20) + "\r\n0\r\n\r\n", strings.Repeat("0123456789", 20), ""},
		"a small large one":    {ofLength(200), strings.Repeat("0123456789", 20), strings.Repeat("0123456789", 20), ""},
	} {
		for _, size := range sizes {
			for _, more := range []string{"", "HTTP/1.1 200 OK\r\n\r\n"} {
				if more != "" && test.framing == untilEnd {
					continue
				}
				b, data, rest, err := readBody(test.text+more, size, test.framing)
				if err != nil || data != test.body || rest != more || !b.Whole() || show(b.Trailer()) != test.trailer {
					t.Errorf("%s by %d: %q %v, %q is left, whole %t, trailer %q", name, size, data, err, rest, b.Whole(), show(b.Trailer()))
				}
			}
		}
	}
}

func TestBodiesThatAreMalformed(t *testing.T) {
	one := "1\r\na\r\n"
	for name, text := range map[string]string{
		"no size":               "\r\n",
		"no size but more":      ";a\r\n",
		"no digit":              "x\r\n",
		"a digit and more":      "1x\r\na\r\n0\r\n\r\n",
		"a sign":                "+1\r\na\r\n0\r\n\r\n",
		"a minus":               "-1\r\na\r\n0\r\n\r\n",
		"0x":                    "0x1\r\na\r\n0\r\n\r\n",
		"a space before":        " 1\r\na\r\n0\r\n\r\n",
		"a space behind":        "1 \r\na\r\n0\r\n\r\n",
		"a space before more":   "1 ;a\r\na\r\n0\r\n\r\n",
		"sixteen digits":        "1000000000000000\r\n",
		"sixteen zeros":         "0000000000000000\r\n\r\n",
		"overflows":             "ffffffffffffffffff\r\n",
		"a bare line feed":      "1\na\n0\n\n",
		"one at the last chunk": one + "0\n\r\n",
		"one after the chunk":   "1\r\na\n0\r\n\r\n",
		"a bare return":         "1\ra\r\n",
		"a control in more":     "1;a\x00\r\na\r\n0\r\n\r\n",
		"a return in more":      "1;a\rb\r\na\r\n0\r\n\r\n",
		"too long a line":       "1;" + strings.Repeat("a", 300) + "\r\na\r\n0\r\n\r\n",
		"too long without end":  strings.Repeat("0", 300),
		"a longer chunk":        "1\r\nab\r\n0\r\n\r\n",
		"a shorter chunk":       "3\r\na\r\n0\r\n\r\n",
		"an empty line more":    one + "\r\n0\r\n\r\n",
		"a trailer's name":      one + "0\r\nX\r\n\r\n",
		"a trailer's space":     one + "0\r\nX : a\r\n\r\n",
		"a folded trailer":      one + "0\r\nX: a\r\n b\r\n\r\n",
		"a trailer's line feed": one + "0\r\nX: a\n\r\n",
		"a trailer's end":       one + "0\r\nX: a\r\n\n",
		"a trailer's line":      one + "0\r\nX: " + strings.Repeat("a", 9<<10) + "\r\n\r\n",
		"a trailer's size":      one + "0\r\n" + strings.Repeat("X: "+strings.Repeat("a", 100)+"\r\n", 100) + "\r\n",
		"more line than data":   strings.Repeat("1;"+strings.Repeat("a", 200)+"\r\na\r\n", 100) + "0\r\n\r\n",
	} {
		for _, size := range sizes {
			b, data, _, err := readBody(text, size, chunked)
			if !errors.Is(err, http1.ErrMalformed) || b.Whole() || b.Trailer() != nil {
				t.Errorf("%s by %d: %q %v, whole %t", name, size, data, err, b.Whole())
			}
			if _, again := b.Read(make([]byte, 1)); again != err {
				t.Errorf("%s by %d: then %v", name, size, again)
			}
		}
	}
}

// TestBodiesThatBreakOff cuts whole bodies at each byte.
func TestBodiesThatBreakOff(t *testing.T) {
	for text, framing := range map[string]http1.Framing{
		"abcdef": ofLength(6),
		"3;x\r\nabc\r\n00b\r\n01234567890\r\n0\r\nX: y\r\n\r\n": chunked,
		"0\r\n\r\n": chunked,
	} {
		for n := range len(text) {
			for _, size := range sizes {
				b, data, _, err := readBody(text[:n], size, framing)
				if err != io.ErrUnexpectedEOF || b.Whole() || b.Trailer() != nil {
					t.Errorf("%q by %d: %q %v, whole %t", text[:n], size, data, err, b.Whole())
				}
			}
		}
	}
}

// TestBodiesThatEndWithTheConnection has the last bytes and the end come in one Read, as from a connection of TLS.
func TestBodiesThatEndWithTheConnection(t *testing.T) {
	for text, test := range map[string]struct {
		framing http1.Framing
		err     error
	}{
		"abc":                   {ofLength(3), nil},
		"ab":                    {ofLength(3), io.ErrUnexpectedEOF},
		"abcd":                  {untilEnd, nil},
		"3\r\nabc\r\n0\r\n\r\n": {chunked, nil},
		"3\r\nabc":              {chunked, io.ErrUnexpectedEOF},
	} {
		in := http1.NewReader(iotest.DataErrReader(strings.NewReader(text)), make([]byte, 16))
		b := http1.NewBody(in, test.framing)
		if data, err := io.ReadAll(&b); err != test.err || b.Whole() != (err == nil) {
			t.Errorf("%q: %q %v, whole %t", text, data, err, b.Whole())
		}
	}
}

func TestBodiesReadNoFurtherThanTheyGo(t *testing.T) {
	src := &pieces{text: "head\nabc", size: 1 << 20, err: errors.New("read beyond the end")}
	in := http1.NewReader(src, make([]byte, 16))
	_, err := in.Block("\n", 16)
	must(t, err)
	b := http1.NewBody(in, ofLength(3))
	if data, err := io.ReadAll(&b); err != nil || string(data) != "abc" || src.reads != 1 {
		t.Errorf("%q %v in %d reads", data, err, src.reads)
	}
	if n, err := b.Read(nil); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d %v", n, err)
	}
	fresh := http1.NewBody(in, chunked)
	if n, err := fresh.Read(nil); n != 0 || err != nil || src.reads != 1 {
		t.Errorf("into nothing: %d %v", n, err)
	}
}

func TestMore(t *testing.T) {
	for name, test := range map[string]struct {
		framing     http1.Framing
		text, taken string
		want        bool
	}{
		"length, nothing":       {ofLength(3), "", "", false},
		"length":                {ofLength(3), "abc", "a", true},
		"length, all taken":     {ofLength(3), "a", "a", false},
		"until the end":         {untilEnd, "ab", "a", true},
		"in a chunk":            {chunked, "3\r\nab", "a", true},
		"chunk taken":           {chunked, "3\r\nabc", "abc", false},
		"end of the chunk":      {chunked, "3\r\nabc\r\n", "abc", false},
		"next size":             {chunked, "3\r\nabc\r\n12", "abc", false},
		"next line":             {chunked, "3\r\nabc\r\n12\r\n", "abc", false},
		"next chunk":            {chunked, "3\r\nabc\r\n12\r\nd", "abc", true},
		"last chunk":            {chunked, "3\r\nabc\r\n0\r\n", "abc", false},
		"last chunk, half":      {chunked, "3\r\nabc\r\n0\r\n\r", "abc", false},
		"last chunk, whole":     {chunked, "3\r\nabc\r\n0\r\n\r\n", "abc", true},
		"last chunk, half line": {chunked, "3\r\nabc\r\n0\r\nX: y\r\n", "abc", false},
		"first chunk":           {chunked, "3\r\na", "", true},
		"first line":            {chunked, "3\r\n", "", false},
		"nothing at all":        {chunked, "0\r\n\r", "", false},
		"at the end":            {ofLength(1), "a", "a", true},
	} {
		in := http1.NewReader(strings.NewReader(test.text), make([]byte, 64))
		b := http1.NewBody(in, test.framing)
		if test.text != "" {
			must(t, in.Fill())
		}
		taken := make([]byte, len(test.taken))
		_, err := io.ReadFull(&b, taken)
		must(t, err)
		if got := b.More(); string(taken) != test.taken || got != test.want {
			t.Errorf("%s: after %q %t", name, taken, got)
		}
	}
}

// TestSmallChunksAreReadTogether: a client that sends a byte in each must not have a write to the backend made of each.
func TestSmallChunksAreReadTogether(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
		err  error
	}{
		"whole":          {"1\r\na\r\n1\r\nb\r\n2\r\ncd\r\n0\r\n\r\n", []string{"abcd"}, io.EOF},
		"with a trailer": {"1\r\na\r\n1\r\nb\r\n0\r\nA: b\r\n\r\n", []string{"ab"}, io.EOF},
		"as room allows": {"3\r\nabc\r\n3\r\ndef\r\n1\r\ng\r\n0\r\n\r\n", []string{"abcde", "fg"}, io.EOF},
		"then bad ones":  {"1\r\na\r\n1\r\nb\r\nx\r\nc\r\n", []string{"ab"}, http1.ErrMalformed},
		"then the end":   {"1\r\na\r\n1\r\nb\r\n3\r\nc", []string{"abc"}, io.ErrUnexpectedEOF},
	} {
		b := http1.NewBody(http1.NewReader(strings.NewReader(test.text), make([]byte, 64)), chunked)
		var got []string
		var err error
		for n, p := 0, make([]byte, 5); err == nil; {
			if n, err = b.Read(p); n > 0 {
				got = append(got, string(p[:n]))
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(test.want) || !errors.Is(err, test.err) {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}

// TestTrailersCostWhatTheyAreLong: of many short lines no more than of a long one.
func TestTrailersCostWhatTheyAreLong(t *testing.T) {
	text := "0\r\n" + strings.Repeat("a:\r\n", 2000) + "\r\n"
	cost := testing.Benchmark(func(bench *testing.B) {
		for bench.Loop() {
			b := http1.NewBody(http1.NewReader(strings.NewReader(text), make([]byte, 4096)), chunked)
			if _, err := b.Read(make([]byte, 1)); err != io.EOF || len(b.Trailer()) != 2000 {
				bench.Fatal(err)
			}
		}
	})
	if size := cost.AllocedBytesPerOp(); size > 1<<20 {
		t.Errorf("%d bytes were allocated for a trailer of %d", size, len(text))
	}
}

// FuzzBody holds chunks against net/http: what passes here means the same there and ends at the same byte, however it comes in
// pieces. More must not say that a Read returns at once where it waits.
func FuzzBody(f *testing.F) {
	f.Add("3\r\nabc\r\n0\r\n\r\nGET", 1)
	f.Add("1;a=b\r\na\r\n00A\r\n0123456789\r\n0\r\nX: y\r\nZ: \r\n\r\n", 3)
	f.Add("1\r\na\r\n0\r\n\r", 5)
	f.Fuzz(func(t *testing.T, text string, size int) {
		size = 1 + max(0, size)%64
		b, data, rest, err := readBody(text, size, chunked)
		b2, data2, rest2, err2 := readBody(text, 1<<20, chunked)
		if data != data2 || fmt.Sprint(err) != fmt.Sprint(err2) || show(b.Trailer()) != show(b2.Trailer()) || err == nil && rest != rest2 {
			t.Fatalf("in pieces of %d %q %v, in one %q %v", size, data, err, data2, err2)
		}
		waitsOnlyWithoutMore(t, text, size)
		if err != nil {
			return
		}
		in := bufio.NewReaderSize(strings.NewReader("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"+text), 64<<10)
		r, err := http.ReadRequest(in)
		must(t, err)
		theirs, err := io.ReadAll(r.Body)
		left, _ := io.ReadAll(in)
		if err != nil || string(theirs) != data || string(left) != rest {
			t.Fatalf("net/http reads %q %v before %q, we %q before %q", theirs, err, left, data, rest)
		}
		for _, f := range b.Trailer() {
			if !bytes.Contains([]byte(fmt.Sprint(r.Trailer[http.CanonicalHeaderKey(f.Name)])), []byte(f.Value)) {
				t.Fatalf("net/http reads the trailer %v, we %v", r.Trailer, b.Trailer())
			}
		}
	})
}

func waitsOnlyWithoutMore(t *testing.T, text string, size int) {
	src := &pieces{text: text, size: size, err: io.EOF}
	in := http1.NewReader(src, make([]byte, 64))
	b := http1.NewBody(in, chunked)
	for p := make([]byte, 5); ; {
		more, have, before := b.More(), string(in.Buffered()), src.reads
		_, err := b.Read(p)
		if more && src.reads > before {
			t.Fatalf("with %q a Read waits", have)
		}
		if err != nil {
			return
		}
	}
}
