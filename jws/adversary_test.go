package jws

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestDecodeAtEveryLength puts every byte at every place of texts of 0 to 40 digits, with and without room in front and
// behind, and compares with encoding/base64 and the text that it writes again.
func TestDecodeAtEveryLength(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for length := range 41 {
		text := make([]byte, length)
		for i := range text {
			text[i] = digits[random.IntN(64)]
		}
		checkDecode(t, string(text))
		for place := range text {
			old := text[place]
			for c := range 256 {
				text[place] = byte(c)
				checkDecode(t, string(text))
			}
			text[place] = old
		}
	}
}

func checkDecode(t *testing.T, text string) {
	t.Helper()
	want, err := base64.RawURLEncoding.Strict().DecodeString(text)
	canonical := err == nil && base64.RawURLEncoding.EncodeToString(want) == text
	for _, room := range []int{3, 16, 64} {
		before := make([]byte, 3, room)
		copy(before, "abc")
		got, ok := decode(before, text)
		if ok != canonical || (ok && string(got) != "abc"+string(want)) {
			t.Fatalf("decode(%q) = %q, %v; want %q, %v", text, got, ok, want, canonical)
		}
	}
}

// TestSkipPlainAtEveryPlace puts every byte behind every other at every place of a string.
func TestSkipPlainAtEveryPlace(t *testing.T) {
	t.Parallel()
	stops := func(c byte) bool { return c < 0x20 || c >= 0x80 || c == '"' || c == '\\' }
	for c := range 256 {
		for next := range 256 {
			for _, place := range []int{0, 6, 7, 8, 15} {
				text := []byte(strings.Repeat("!", 18))
				text[place], text[place+1] = byte(c), byte(next)
				want := len(text)
				if stops(byte(c)) {
					want = place
				} else if stops(byte(next)) {
					want = place + 1
				}
				if got := skipPlain(text, 0); got != want {
					t.Fatalf("skipPlain(%q) = %d, want %d", text, got, want)
				}
			}
		}
	}
}

// TestDatesOfEveryLength puts every byte at every place of numbers of 1 to 14 digits.
func TestDatesOfEveryLength(t *testing.T) {
	t.Parallel()
	for length := 1; length <= 14; length++ {
		text := []byte("12345678901234"[:length])
		for place := range text {
			old := text[place]
			for c := range 256 {
				text[place] = byte(c)
				checkDate(t, string(text))
			}
			text[place] = old
		}
	}
}

func checkDate(t *testing.T, text string) {
	t.Helper()
	whole, fraction, point := strings.Cut(text, ".")
	want, bad := int64(0), whole == "" || len(whole) > 12
	for _, c := range []byte(whole) {
		bad = bad || c < '0' || c > '9'
		want = want*10 + int64(c) - '0'
	}
	if bad = bad || want > maxDate; bad {
		want = 0
	}
	if (point && strings.Trim(fraction, "0123456789") != "") || (text[0] == '0' && whole != "0") {
		return // no JSON number; the scanner refuses it
	}
	if got, isBad := numericDate(text, false); got != want || isBad != bad {
		t.Fatalf("numericDate(%q) = %d, %v; want %d, %v", text, got, isBad, want, bad)
	}
	if eight, ok := eightDigits(text + "xxxxxxxx"); ok != (len(text) >= 8 && strings.Trim(text[:8], "0123456789") == "") {
		t.Fatalf("eightDigits(%q) = %d, %v", text, eight, ok)
	}
}

// TestNamesThatShareAHash: names in ASCII and beyond, plain and escaped, all with one hash, in objects of every size up
// to where a map takes over. Two that are equal but for case are found wherever they stand, and none else.
func TestNamesThatShareAHash(t *testing.T) {
	t.Parallel()
	var names []string
	for i := 0; len(names) < 40; i++ {
		if name := fmt.Sprintf("n%d", i); foldHash(name) == foldHash("name") {
			names = append(names, name)
		}
	}
	variants := map[string][]string{
		"sky":          {"Sky", "SKY", "\u017fky", "s\u212ay", `\u0073ky`, `\u017F\u212A\u0059`, "sky"},
		"stra\u00dfe":  {"STRA\u1e9eE", "stra\u00dfe", `\u017ftra\u00DFe`},
		"\u03c3":       {"\u03c2", "\u03a3", `\u03C2`},
		"x\U00010428":  {"X\U00010400", `x\uD801\uDC28`, `X\uD801\uDC00`},
		"a_b":          {"A_B", "A_b"},
		`quote\"name`:  {`QUOTE\u0022name`},
		`back\\slash`:  {`back\u005CSLASH`},
		`solidus/name`: {`solidus\/name`},
	}
	for size := range 41 {
		for name, others := range variants {
			for _, other := range others {
				for _, at := range []int{0, size / 2, size} {
					list := append(append(append([]string{}, names[:at]...), name), names[at:size]...)
					checkNames(t, list, false)
					checkNames(t, append(list, other), true)
					checkNames(t, append([]string{other}, list...), true)
				}
			}
		}
	}
	checkNames(t, []string{"a_b", `a\u007fb`, "@", "`", "[", "{", "]", "}", "^", "~", `\\`, "|", `\u0000`, " "}, false)
}

func checkNames(t *testing.T, names []string, twice bool) {
	t.Helper()
	inside := `{"` + strings.Join(names, `":0,"`) + `":0}`
	for _, text := range []string{inside, `{"deep":[` + inside + `]}`} {
		_, err := ParseObject([]byte(text))
		if refused := err != nil; refused != twice || (refused && !strings.Contains(err.Error(), wantOnce)) {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// TestNoRefusalForTheLastByte cuts and extends an object at every place: nothing but the whole is accepted.
func TestNoRefusalForTheLastByte(t *testing.T) {
	t.Parallel()
	whole := ` {"a" : "b\u00e4\ud83d\ude00c", "l":[1 ,-0.5e+3,"x",{"y":null}] , "t":true,"f":false,"n":12345,"z":0 } `
	if _, err := ParseObject([]byte(whole)); err != nil {
		t.Fatal(err)
	}
	end := strings.LastIndexByte(whole, '}')
	for i := range end {
		if _, err := ParseObject([]byte(whole[:i+1])); err == nil {
			t.Errorf("accepted %s", whole[:i+1])
		}
	}
	for c := range 256 {
		_, err := ParseObject([]byte(whole + string([]byte{byte(c)})))
		if blank := strings.IndexByte(" \t\r\n", byte(c)) >= 0; blank != (err == nil) {
			t.Errorf("byte %#x after the object: %v", c, err)
		}
	}
}

// TestScratchIsNotShared looks at what a token keeps after its scratch was overwritten.
func TestScratchIsNotShared(t *testing.T) {
	t.Parallel()
	signer, err := NewSecretSigner("", []byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier(Config{
		Keys: StaticKeys{signer.Key()}, Algorithms: []Algorithm{HS256}, Types: []string{""}, Accept: AcceptAnyClaims,
		Now: func() time.Time { return time.Unix(1, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for members := range 40 {
		var b strings.Builder
		for i := range members {
			fmt.Fprintf(&b, `"n%d":"v%d",`, i, i)
		}
		want := `{` + b.String() + `"exp":100}`
		text, err := signer.Sign("", []byte(want))
		if err != nil {
			t.Fatal(err)
		}
		p, _ := split(text, strings.IndexByte(text, '.'))
		s := &scratch{members: make([]member, 0, 32)}
		token, in, err := v.read(s, &p, nil)
		if err != nil || string(in.signed) != p.signed {
			t.Fatal(err)
		}
		clear(s.buf[:cap(s.buf)])
		clear(s.members[:cap(s.members)])
		if got, _ := token.Claims.MarshalJSON(); string(got) != want || token.Claims.Len() != members+1 {
			t.Fatalf("got %s, want %s", got, want)
		}
		for i := range members {
			if got, _ := token.Claims.String(fmt.Sprintf("n%d", i)); got != fmt.Sprintf("v%d", i) {
				t.Fatalf("n%d is %q", i, got)
			}
		}
		if exp, ok := token.Claims.Int64("exp"); !ok || exp != 100 || token.Header().Algorithm != HS256 {
			t.Fatalf("exp is %d", exp)
		}
	}
}
