package jws

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

// TestTableOfEveryLength reads objects with short and long texts, with white space and names with escapes wherever they
// can be.
func TestTableOfEveryLength(t *testing.T) {
	t.Parallel()
	const head, tail = `{"s" : "x" ,"\u0065":[1 , 2 ] ,` + "\n" + `"":{"in\"ner" : "y" },"q\"uote":true , "pad":"`, `" , "last" :12 } ` + "\t"
	for _, size := range []int{300, 4 << 10, 100_000} {
		pad := strings.Repeat("p", size-len(head)-len(tail))
		o, err := ParseObject([]byte(head + pad + tail))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for name := range o.Names() {
			got = append(got, fmt.Sprintf("%s=%s", name, strings.ReplaceAll(string(o.Raw(name)), pad, "…")))
		}
		if want := `s="x" e=[1 , 2 ] ={"in\"ner" : "y" } q"uote=true pad="…" last=12`; strings.Join(got, " ") != want {
			t.Errorf("%d bytes: got %s, want %s", size, strings.Join(got, " "), want)
		}
		if text, _ := o.MarshalJSON(); string(text) != head+pad+tail {
			t.Errorf("%d bytes: another text", size)
		}
	}
}

// TestNameThatSpansMembers asks for names that stand in the text and are none: with the quotes around them.
func TestNameThatSpansMembers(t *testing.T) {
	t.Parallel()
	o, err := ParseObject([]byte(`{"a":"b","c":"d","":"e"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{`a":"b`, `a":"b","c`, `a"`, `"a`, `":"e`, `c":"d","`, `\u0061`, "A", "b", `":"e"}`, `"`} {
		if o.Has(name) || o.Raw(name) != nil {
			t.Errorf("%q is a member", name)
		}
	}
	for _, name := range []string{"a", "c", ""} {
		if !o.Has(name) {
			t.Errorf("%q is no member", name)
		}
	}
}

// TestScratchChangesItsMAC: the HMAC that a scratch holds is that of the key that is asked for, also when keys alternate.
func TestScratchChangesItsMAC(t *testing.T) {
	t.Parallel()
	s := new(scratch)
	secrets := []string{strings.Repeat("a", 31) + "b", strings.Repeat("c", 100), "d"}
	var pools []*macs
	for _, secret := range secrets {
		pools = append(pools, newMACs([]byte(secret)))
	}
	for i := range 60 {
		n := i * i % len(secrets)
		message := []byte(strings.Repeat("m", 5*i))
		mac := hmac.New(sha256.New, []byte(secrets[n]))
		mac.Write(message)
		if got := sum(s.macFor(pools[n]), nil, message); !hmac.Equal(got, mac.Sum(nil)) {
			t.Fatalf("message %d: another HMAC", i)
		}
	}
}

// TestHeaderMemory: of many headers the last ones are known, by their whole text and nothing shorter or longer.
func TestHeaderMemory(t *testing.T) {
	t.Parallel()
	var m headerMemory
	headers := make([]*Header, 3*maxHeaders)
	for i := range headers {
		headers[i] = &Header{KeyID: fmt.Sprint(i)}
		m.remember(fmt.Sprintf("header%d", i), headers[i])
		m.remember(fmt.Sprintf("header%d", i), &Header{})
	}
	for i, want := range headers {
		if i < len(headers)-maxHeaders {
			want = nil
		}
		text := fmt.Sprintf("header%d", i)
		if got, dot := m.find(text + ".payload.signature"); got != want || (got != nil && dot != len(text)) {
			t.Errorf("header %d: got %v at %d", i, got, dot)
		}
	}
	last := fmt.Sprintf("header%d", len(headers)-1)
	for _, token := range []string{"", ".", last, last + "x.y.z", last[1:] + ".y.z", last[:len(last)-1] + ".y.z", "x" + last + ".y.z"} {
		if h, _ := m.find(token); h != nil {
			t.Errorf("%q begins with a known header", token)
		}
	}
	m.remember(strings.Repeat("x", maxHeaderBytes+1), &Header{})
	if h, _ := m.find(strings.Repeat("x", maxHeaderBytes+1) + "."); h != nil {
		t.Error("a header of any length is kept")
	}
}
