package wsframe_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
)

var rulesByName = map[string]wsframe.Rule{
	"ReservedBit": wsframe.ReservedBit, "ReservedOpcode": wsframe.ReservedOpcode, "NotMasked": wsframe.NotMasked,
	"IsMasked": wsframe.IsMasked, "ControlFragmented": wsframe.ControlFragmented, "ControlTooLong": wsframe.ControlTooLong,
	"NothingToContinue": wsframe.NothingToContinue, "MessageUnfinished": wsframe.MessageUnfinished,
	"LengthNotMinimal": wsframe.LengthNotMinimal, "LengthTooLarge": wsframe.LengthTooLarge, "MessageTooBig": wsframe.MessageTooBig,
}

// walk is what a reader makes of bytes that come in pieces of the given sizes, the last of which is repeated.
type walk struct {
	frames  []string
	payload []byte
	rest    int
	rule    wsframe.Rule
}

func read(in *wsframe.Reader, rules *wsframe.Rules, b []byte, sizes ...int) (w walk) {
	var held []byte
	for i := 0; len(b) > 0; i++ {
		n := min(max(1, sizes[min(i, len(sizes)-1)]), len(b))
		held = append(held, b[:n]...)
		b = b[n:]
		for len(held) > 0 {
			piece, n, err := in.Next(held, rules)
			var v *wsframe.Violation
			if errors.As(err, &v) {
				w.rule = v.Rule
				return w
			}
			if n == 0 {
				break
			}
			if piece.Begins {
				w.frames = append(w.frames, describe(piece.Header))
			}
			w.payload = append(w.payload, piece.Payload...)
			held = held[n:]
		}
	}
	w.rest = len(held)
	return w
}

var names = map[wsframe.Opcode]string{
	wsframe.Continuation: "continuation", wsframe.Text: "text", wsframe.Binary: "binary",
	wsframe.Close: "close", wsframe.Ping: "ping", wsframe.Pong: "pong",
}

// describe is text(5)*- for a compressed fragment of 5 bytes that is not the last.
func describe(h wsframe.Header) string {
	s := fmt.Sprintf("%s(%d)", names[h.Opcode], h.Length)
	if h.RSV != 0 {
		s += "*"
	}
	if !h.Final {
		s += "-"
	}
	return s
}

func TestVectors(t *testing.T) {
	seen := make(map[wsframe.Rule]bool)
	for _, v := range testvectors.Load(t, "testdata/vectors") {
		t.Run(v.Name, func(t *testing.T) {
			b, rules, in := vector(t, v)
			for _, size := range []int{len(b), 1, 2, 3, 7} {
				reader := in
				got := read(&reader, &rules, b, size)
				want := walk{frames: strings.Fields(v.Get("frames")), rule: rulesByName[v.Get("rule")]}
				want.rest, _ = strconv.Atoi(v.Get("rest"))
				if fmt.Sprint(got.frames) != fmt.Sprint(want.frames) || got.rule != want.rule || got.rest != want.rest {
					t.Errorf("in pieces of %d: got %v %q rest %d, want %v %q rest %d",
						size, got.frames, got.rule, got.rest, want.frames, want.rule, want.rest)
				}
				if got.rule != "" && !reader.Boundary() {
					t.Errorf("in pieces of %d: the reader does not stand at the boundary before what it refused", size)
				}
			}
			seen[rulesByName[v.Get("rule")]] = true
		})
	}
	for name, rule := range rulesByName {
		if !seen[rule] {
			t.Errorf("no vector breaks the rule %s", name)
		}
	}
}

func vector(t *testing.T, v testvectors.Vector) ([]byte, wsframe.Rules, wsframe.Reader) {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(v.Body), ""))
	if err != nil {
		t.Fatal(err)
	}
	limit, _ := strconv.ParseUint(v.Get("max"), 10, 64)
	whole, _ := strconv.Atoi(v.Get("whole"))
	var in wsframe.Reader
	if v.Get("rsv1") == "yes" {
		in.RSV = wsframe.RSV1
	}
	return b, wsframe.Rules{Masked: v.Get("from") == "client", MaxMessage: limit, Whole: whole}, in
}

func TestViolationCodes(t *testing.T) {
	rules := wsframe.Rules{MaxMessage: 1}
	for code, b := range map[int][]byte{wsframe.CodeTooBig: {0x82, 2}, wsframe.CodeProtocol: {0x83, 0}} {
		var in wsframe.Reader
		_, _, err := in.Next(b, &rules)
		var v *wsframe.Violation
		if !errors.As(err, &v) || v.Code != code {
			t.Errorf("%x: got %v, want code %d", b, err, code)
		}
		if !errors.Is(err, &wsframe.Violation{Rule: v.Rule}) || errors.Is(err, &wsframe.Violation{Rule: wsframe.IsMasked}) {
			t.Errorf("%v is not the violation that it is", err)
		}
		if !strings.Contains(err.Error(), string(v.Rule)) {
			t.Errorf("the error %q does not name the rule", err)
		}
	}
}

func TestHeaderRoundTrip(t *testing.T) {
	lengths := []uint64{0, 1, 125, 126, 127, 0xFFFF, 0x10000, 1 << 32, math.MaxInt64}
	for _, length := range lengths {
		for _, masked := range []bool{false, true} {
			h := wsframe.Header{Length: length, Opcode: wsframe.Binary, Final: masked, RSV: wsframe.RSV1, Masked: masked}
			if masked {
				h.Mask = [4]byte{9, 8, 7, 6}
			}
			b := h.Append([]byte("x"))[1:]
			got, size, err := wsframe.Parse(b)
			if err != nil || size != len(b) || got != h {
				t.Errorf("%+v became %+v, size %d of %d, %v", h, got, size, len(b), err)
			}
			for n := range b {
				if _, size, err := wsframe.Parse(b[:n]); size != 0 || err != nil {
					t.Errorf("%x: %d bytes of %d were enough: %v", b, n, len(b), err)
				}
			}
		}
	}
}

func TestMask(t *testing.T) {
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	for size := range 40 {
		for offset := range 9 {
			b := bytes.Repeat([]byte{0xA5}, size)
			wsframe.Mask(b, key, offset)
			for i, got := range b {
				if want := 0xA5 ^ key[(i+offset)%4]; got != want {
					t.Fatalf("size %d, offset %d: byte %d is %x, want %x", size, offset, i, got, want)
				}
			}
		}
	}
}

func TestClosePayload(t *testing.T) {
	long := strings.Repeat("a", 200)
	for _, c := range []struct {
		code   int
		reason string
		want   string
	}{
		{1000, "", "\x03\xe8"},
		{4403, "banned", "\x11\x33banned"},
		{1000, long, "\x03\xe8" + long[:123]},
		{0, "x", ""},
		{wsframe.CodeNone, "x", ""},
		{wsframe.CodeLost, "x", ""},
	} {
		got := string(wsframe.AppendClose(nil, c.code, c.reason))
		if got != c.want {
			t.Errorf("%d %q is %q, want %q", c.code, c.reason, got, c.want)
		}
	}
	for payload, want := range map[string]int{"": 1005, "\x03": 1005, "\x03\xe8": 1000, "\x11\x33banned": 4403} {
		if code, _ := wsframe.ParseClose([]byte(payload)); code != want {
			t.Errorf("%q has code %d, want %d", payload, code, want)
		}
	}
	if _, reason := wsframe.ParseClose([]byte("\x11\x33banned")); reason != "banned" {
		t.Errorf("the reason is %q", reason)
	}
}

func TestBoundaries(t *testing.T) {
	var in wsframe.Reader
	rules := wsframe.Rules{}
	for _, step := range []struct {
		bytes             string
		boundary, between bool
	}{
		{"\x01\x02a", false, false},
		{"b", true, false},
		{"\x89\x00", true, false},
		{"\x80\x01", false, false},
		{"c", true, true},
	} {
		if _, n, err := in.Next([]byte(step.bytes), &rules); err != nil || n != len(step.bytes) {
			t.Fatalf("%q: %d, %v", step.bytes, n, err)
		}
		if in.Boundary() != step.boundary || in.BetweenMessages() != step.between {
			t.Errorf("after %q: boundary %v, between messages %v", step.bytes, in.Boundary(), in.BetweenMessages())
		}
	}
}

// FuzzHeader holds that pieces of any size make no difference, that what is accepted is written again as it was, and that
// never more is left over than a stash has room for.
func FuzzHeader(f *testing.F) {
	f.Add([]byte("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x88\x80aaaa"), true, uint8(3), uint8(2))
	f.Add([]byte("\x01\x03Hel\x89\x00\x80\x02lo"), false, uint8(1), uint8(4))
	f.Add([]byte("\x82\x7e\x01\x00"), false, uint8(2), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, masked bool, first, then uint8) {
		rules := wsframe.Rules{Masked: masked, MaxMessage: 1 << 20, Whole: 5}
		one, other := wsframe.Reader{RSV: wsframe.RSV1}, wsframe.Reader{RSV: wsframe.RSV1}
		whole := read(&one, &rules, b, len(b))
		split := read(&other, &rules, b, int(first), int(then))
		if fmt.Sprint(whole) != fmt.Sprint(split) || one != other {
			t.Fatalf("whole: %+v\nsplit: %+v", whole, split)
		}
		if whole.rest >= wsframe.MaxHeader+wsframe.MaxControl {
			t.Fatalf("%d bytes are left over", whole.rest)
		}
		if h, size, err := wsframe.Parse(b); err == nil && size > 0 && !bytes.Equal(h.Append(nil), b[:size]) {
			t.Fatalf("%x is written as %x", b[:size], h.Append(nil))
		}
	})
}

func BenchmarkNext(b *testing.B) {
	rules := wsframe.Rules{Masked: true, MaxMessage: 1 << 20}
	frame := wsframe.AppendFrame(nil, wsframe.Header{Final: true, Opcode: wsframe.Binary, Masked: true}, make([]byte, 64))
	var in wsframe.Reader
	b.ReportAllocs()
	for b.Loop() {
		if _, n, err := in.Next(frame, &rules); n != len(frame) || err != nil {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkMask(b *testing.B) {
	data := make([]byte, 16<<10)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		wsframe.Mask(data, [4]byte{1, 2, 3, 4}, 0)
	}
}
