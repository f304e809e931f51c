package http1_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/internal/http1"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// show is fields as text, in their order.
func show(fields []http1.Field) string {
	text := ""
	for _, f := range fields {
		text += f.Name + "=" + f.Value + ";"
	}
	return text
}

func TestLines(t *testing.T) {
	for text, want := range map[string]string{
		"a\r\n": "a|", "a\r\nb\r\n": "a|b\r\n", "\r\n": "|", "\r\n\r\n": "|\r\n", "a\rb\r\n": "a\rb|", "a\r\r\nb": "a\r|b",
		"": "no", "a": "no", "a\r": "no", "\n": "no", "a\n": "no", "a\nb\r\n": "no", "\na\r\n": "no",
	} {
		got := "no"
		if line, rest, err := http1.CutLine(text); err == nil {
			got = line + "|" + rest
		} else if !errors.Is(err, http1.ErrMalformed) {
			t.Errorf("%q: %v", text, err)
		}
		if got != want {
			t.Errorf("%q is cut into %q, want %q", text, got, want)
		}
	}
}

func TestFieldsThatAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"\r\n":                                  "",
		"A: b\r\n\r\n":                          "A=b;",
		"A:b\r\nA:c\r\nB: d\r\n\r\n":            "A=b;A=c;B=d;",
		"A:\r\nB: \t \r\n\r\n":                  "A=;B=;",
		"A: \t b c\td \t\r\n\r\n":               "A=b c\td;",
		"a-B_c!#$%&'*+.^`|~9: x\r\n\r\n":        "a-B_c!#$%&'*+.^`|~9=x;",
		"A: b:c:d\r\n\r\n":                      "A=b:c:d;",
		"A: \"b\\\"c\", \x80\xff\u00e4\r\n\r\n": "A=\"b\\\"c\", \x80\xff\u00e4;",
	} {
		fields, err := http1.ParseFields(text, nil)
		if err != nil || show(fields) != want {
			t.Errorf("%q: %q %v, want %q", text, show(fields), err, want)
		}
	}
	before := []http1.Field{{Name: "X", Value: "y"}}
	fields, err := http1.ParseFields("A: b\r\n\r\n", before)
	if err != nil || show(fields) != "X=y;A=b;" {
		t.Errorf("appended to another field: %q %v", show(fields), err)
	}
}

func TestFieldsThatAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                  "",
		"no empty line":            "A: b\r\n",
		"no end of a line":         "A: b",
		"something behind the end": "A: b\r\n\r\nC: d\r\n\r\n",
		"an empty line more":       "\r\n\r\n",
		"no colon":                 "A\r\n\r\n",
		"no name":                  ": b\r\n\r\n",
		"a space before the colon": "A : b\r\n\r\n",
		"a tab before the colon":   "A\t: b\r\n\r\n",
		"a space in the name":      "A B: c\r\n\r\n",
		"a space before the name":  " A: b\r\n\r\n",
		"folded by a space":        "A: b\r\n c\r\n\r\n",
		"folded by a tab":          "A: b\r\n\tc: d\r\n\r\n",
		"folded and empty":         "A: b\r\n \r\n\r\n",
		"a bare line feed":         "A: b\nC: d\r\n\r\n",
		"a bare line feed at last": "A: b\r\n\n",
		"a bare return":            "A: b\rC: d\r\n\r\n",
		"a return before the end":  "A: b\r\r\n\r\n",
		"a zero byte":              "A: b\x00\r\n\r\n",
		"a control character":      "A: b\x1bc\r\n\r\n",
		"delete":                   "A: b\x7f\r\n\r\n",
		"a zero byte in the name":  "A\x00: b\r\n\r\n",
		"a slash in the name":      "A/B: c\r\n\r\n",
		"a letter beyond ASCII":    "\u00c4: b\r\n\r\n",
		"a vertical tab at last":   "A: b\x0b\r\n\r\n",
	} {
		if fields, err := http1.ParseFields(text, nil); !errors.Is(err, http1.ErrMalformed) {
			t.Errorf("%s: %q %v", name, show(fields), err)
		}
	}
}

// TestTokens goes through all bytes, against the text of RFC 9110 section 5.6.2.
func TestTokens(t *testing.T) {
	const marks = "!#$%&'*+-.^_`|~"
	for c := range 256 {
		b := byte(c)
		want := b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b < 0x80 && strings.IndexByte(marks, b) >= 0
		if got := http1.IsToken(string([]byte{'a', b})); got != want {
			t.Errorf("%q in a token: %t", b, got)
		}
		want = b == '\t' || b >= ' ' && b != 0x7f
		if got := http1.IsFieldValue(string([]byte{'a', b})); got != want {
			t.Errorf("%q in a value: %t", b, got)
		}
	}
	if http1.IsToken("") || !http1.IsFieldValue("") {
		t.Error("a token may not be empty, a value may")
	}
}

func TestFraming(t *testing.T) {
	for text, want := range map[string]string{
		"1.1":                                  "-1 false false",
		"1.0":                                  "-1 false true",
		"1.1 Content-Length: 0":                "0 false false",
		"1.1 content-LENGTH: 12":               "12 false false",
		"1.0 Content-Length: 12":               "12 false true",
		"1.1 Content-Length: 007":              "7 false false",
		"1.1 Transfer-Encoding: chunked":       "-1 true false",
		"1.1 TRANSFER-encoding: CHUNKED":       "-1 true false",
		"1.1 Connection: close":                "-1 false true",
		"1.1 connectioN: x ,\tClose, y":        "-1 false true",
		"1.1 Connection: x|Connection: close":  "-1 false true",
		"1.1 Connection: closed":               "-1 false false",
		"1.1 Connection: clo\u017fe":           "-1 false false", // the long s, which is an s for Unicode
		"1.0 Connection: keep-alive":           "-1 false true",
		"1.1 Content-Lengthy: a|Connections: ": "-1 false false",
		"1.1 Content-Length: 0|Content-Type: a|Connection: close|X: y": "0 false true",
	} {
		f, err := framingOf(text)
		if got := fmt.Sprint(f.Length, f.Chunked, f.Close); err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{
		"1.1 Content-Length: ", "1.1 Content-Length: +1", "1.1 Content-Length: -1", "1.1 Content-Length: 0x1", "1.1 Content-Length: 1 2",
		"1.1 Content-Length: 1, 1", "1.1 Content-Length: 1|Content-Length: 1", "1.1 Content-Length: 1|content-length: 2",
		"1.1 Content-Length: 0|Content-Length: 0", "1.1 Content-Length: 1000000000000000000", "1.1 Content-Length: \u0661",
		"1.1 Content-Length: 0|Transfer-Encoding: chunked", "1.1 Transfer-Encoding: chunked|Content-Length: 0",
		"1.1 Transfer-Encoding: ", "1.1 Transfer-Encoding: gzip", "1.1 Transfer-Encoding: gzip, chunked", "1.1 Transfer-Encoding: chunked, chunked",
		"1.1 Transfer-Encoding: chunked|Transfer-Encoding: chunked", "1.1 Transfer-Encoding: identity", "1.1 Transfer-Encoding: chunked;q=1",
		"1.1 Transfer-Encoding: \"chunked\"", "1.1 Transfer-Encoding: chun\u212aed", // the sign for kelvin, which is a k for Unicode
		"1.0 Transfer-Encoding: chunked", "1.0 Transfer-Encoding: gzip", "1.1 Transfer-Encoding: x\x0bchunked",
	} {
		if f, err := framingOf(text); !errors.Is(err, http1.ErrMalformed) {
			t.Errorf("%s: %+v %v", text, f, err)
		}
	}
}

// framingOf reads "1.minor name: value|name: value".
func framingOf(text string) (http1.Framing, error) {
	version, list, _ := strings.Cut(text, " ")
	var fields []http1.Field
	for field := range strings.SplitSeq(list, "|") {
		if name, value, ok := strings.Cut(field, ": "); ok {
			fields = append(fields, http1.Field{Name: name, Value: value})
		}
	}
	return http1.FramingOf(fields, int(version[2]-'0'))
}

func TestLengths(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1": 1, "42": 42, "00": 0, "000000000000000009": 9, "999999999999999999": 999999999999999999,
		"": -1, "1000000000000000000": -1, "0000000000000000001": -1, "-1": -1, "+1": -1, " 1": -1, "1 ": -1, "1_0": -1, "0x1": -1, "1.0": -1,
		"1e1": -1, "a": -1, "1\x00": -1, ":": -1, "/": -1,
	} {
		got, ok := http1.ParseLength(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}

func TestTokensOfLists(t *testing.T) {
	for list, want := range map[string]bool{
		"close": true, "CLOSE": true, "x,close": true, "close , x": true, "\tclose\t,": true, ",,close": true,
		"": false, ",": false, "closed": false, "close x": false, "x;close": false, "clos": false, "\"close\"": false, "close\x0b": false,
		"clo\u017fe": false, "\u00a0close": false,
	} {
		if got := http1.HasToken(list, "close"); got != want {
			t.Errorf("%q: %t", list, got)
		}
	}
	if !http1.HasToken("Keep-Alive, upgrade", "Upgrade") || http1.HasToken("\u212aeep-alive", "keep-alive") {
		t.Error("not by the case of ASCII")
	}
}

func TestMalformed(t *testing.T) {
	err := fmt.Errorf("around: %w", http1.Malformed("the text"))
	if !errors.Is(err, http1.ErrMalformed) || !strings.HasSuffix(err.Error(), "the text") || errors.Is(err, http1.ErrHeadSize) {
		t.Errorf("%v", err)
	}
	if !errors.Is(http1.ErrHeadSize, http1.ErrMalformed) {
		t.Error("a head that is too large is not malformed")
	}
}
