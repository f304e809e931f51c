package http1_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sallyport-auth/sallyport/internal/http1"
)

// pieces gives its text in pieces of so many bytes, then err.
type pieces struct {
	text  string
	size  int
	err   error
	reads int
}

func (p *pieces) Read(b []byte) (int, error) {
	p.reads++
	if p.text == "" {
		return 0, p.err
	}
	n := copy(b[:min(len(b), p.size)], p.text)
	p.text = p.text[n:]
	return n, nil
}

func inPieces(text string, size, buffer int) *http1.Reader {
	return http1.NewReader(&pieces{text: text, size: size, err: io.EOF}, make([]byte, buffer))
}

var sizes = []int{1, 2, 7, 1 << 20}

func TestBlocks(t *testing.T) {
	long := strings.Repeat("x", 100) + "\r\n\r\n"
	text := "one\r\n\r\n" + "\r\n\r\n" + "\r\r\n\r\n" + long + "two\n\r\n\r\n" + "rest"
	want := []string{"one\r\n\r\n", "\r\n\r\n", "\r\r\n\r\n", long, "two\n\r\n\r\n"}
	for _, size := range sizes {
		for _, buffer := range []int{4, 16, 1 << 10} {
			in := inPieces(text, size, buffer)
			for _, block := range want {
				if got, err := in.Block("\r\n\r\n", 200); err != nil || got != block {
					t.Fatalf("by %d with %d: %q %v, want %q", size, buffer, got, err, block)
				}
			}
			if _, err := in.Block("\r\n\r\n", 200); err != io.EOF {
				t.Errorf("by %d with %d: at the end %v", size, buffer, err)
			}
			if rest, err := io.ReadAll(in); err != nil || string(rest) != "rest" {
				t.Errorf("by %d with %d: %q %v is left", size, buffer, rest, err)
			}
		}
	}
}

func TestBlocksHaveALimit(t *testing.T) {
	for _, size := range sizes {
		for _, buffer := range []int{4, 16, 64} {
			if got, err := inPieces("123456\r\n", size, buffer).Block("\r\n", 8); err != nil || len(got) != 8 {
				t.Errorf("by %d with %d: one of the limit: %q %v", size, buffer, got, err)
			}
			for _, text := range []string{"1234567\r\n", "12345678", "1234567890123456789012345678901234567890"} {
				if got, err := inPieces(text, size, buffer).Block("\r\n", 8); !errors.Is(err, http1.ErrHeadSize) {
					t.Errorf("by %d with %d: %q: %q %v", size, buffer, text, got, err)
				}
			}
			if _, err := inPieces("1234567", size, buffer).Block("\r\n", 8); err != io.EOF {
				t.Errorf("by %d with %d: one that ends: %v", size, buffer, err)
			}
		}
	}
}

func TestLargeHeadsKeepNoLargeBuffer(t *testing.T) {
	for _, size := range sizes {
		small := make([]byte, 16)
		in := http1.NewReader(&pieces{text: strings.Repeat("x", 100) + "\n" + "rest", size: size, err: io.EOF}, small)
		_, err := in.Block("\n", 200)
		must(t, err)
		if len(in.Buffered()) == 0 {
			must(t, in.Fill())
		}
		if have := in.Buffered(); &have[0] != &small[0] || !strings.HasPrefix("rest", string(have)) {
			t.Errorf("by %d: %q is in another buffer", size, have)
		}
	}
	// What does not fit stays where it is until it does.
	small := make([]byte, 8)
	rest := strings.Repeat("y", 20) + "\n"
	in := http1.NewReader(strings.NewReader(strings.Repeat("x", 40)+"\n"+rest+"z"), small)
	_, err := in.Block("\n", 200)
	must(t, err)
	if got, err := in.Block("\n", 200); err != nil || got != rest {
		t.Errorf("behind a large head: %q %v", got, err)
	}
	if got, err := io.ReadAll(in); err != nil || string(got) != "z" {
		t.Errorf("%q %v is left", got, err)
	}
}

// TestBlocksAreTextOfTheirOwn shows that what comes later does not change a head.
func TestBlocksAreTextOfTheirOwn(t *testing.T) {
	in := inPieces("aaa\nbbb\nccc\n", 4, 4)
	var got []string
	for range 3 {
		line, err := in.Block("\n", 10)
		must(t, err)
		got = append(got, line)
	}
	if strings.Join(got, "") != "aaa\nbbb\nccc\n" {
		t.Errorf("%q", got)
	}
}

func TestReaderTellsWhatItHas(t *testing.T) {
	in := inPieces("ab\ncd", 4, 16)
	if in.Got || len(in.Buffered()) != 0 || in.Holds("a") {
		t.Error("it has something before it read")
	}
	must(t, in.Fill())
	if !in.Got || string(in.Buffered()) != "ab\nc" || !in.Holds("b\n") || in.Holds("cd") {
		t.Errorf("%t %q", in.Got, in.Buffered())
	}
	_, err := in.Block("\n", 9)
	must(t, err)
	if in.Holds("b\n") || string(in.Buffered()) != "c" {
		t.Errorf("%q", in.Buffered())
	}
	in.Got = false
	if n, err := in.Read(make([]byte, 9)); n != 1 || err != nil || in.Got {
		t.Errorf("read %d %v of what was there, got %t", n, err, in.Got)
	}
	if n, err := in.Read(make([]byte, 9)); n != 1 || err != nil || !in.Got {
		t.Errorf("read %d %v that came, got %t", n, err, in.Got)
	}
	in.Reset(strings.NewReader("new"), make([]byte, 4))
	if got, err := io.ReadAll(in); err != nil || string(got) != "new" {
		t.Errorf("after a reset: %q %v", got, err)
	}
}

func TestReaderPassesErrorsOn(t *testing.T) {
	broken := errors.New("broken")
	for name, src := range map[string]io.Reader{
		"at once": iotest.ErrReader(broken),
		"later":   &pieces{text: "ab", size: 1, err: broken},
	} {
		if _, err := http1.NewReader(src, make([]byte, 8)).Block("\n", 100); err != broken {
			t.Errorf("%s: %v", name, err)
		}
	}
	nothing := &pieces{size: 1} // reads nothing and says nothing
	if err := http1.NewReader(nothing, make([]byte, 8)).Fill(); err != io.ErrNoProgress {
		t.Errorf("from what gives nothing: %v", err)
	}
}
