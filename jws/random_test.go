package jws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
)

// writer writes random JSON and knows whether an object has a name twice, with or without case.
type writer struct {
	*rand.Rand
	b     strings.Builder
	twice bool
}

func (w *writer) pick(of ...string) string { return of[w.IntN(len(of))] }

func (w *writer) blank() { w.b.WriteString(w.pick("", "", "", " ", "\n\t", "\r ")) }

// text writes a string and returns the form that is equal for strings that differ only by case.
func (w *writer) text(most int) string {
	var folded strings.Builder
	w.b.WriteByte('"')
	for range w.IntN(most + 1) {
		form := [][2]string{
			{"a", "a"},
			{"A", "a"},
			{"k", "k"},
			{"\u212a", "k"},
			{`\u212A`, "k"},
			{"\u00e9", "\u00e9"},
			{"\u00c9", "\u00e9"},
			{`\u0061`, "a"},
			{`\"`, `"`},
			{`\u0022`, `"`},
			{"0", "0"},
			{`\ud83d\ude00`, "\U0001f600"},
			{"\U0001f600", "\U0001f600"},
			{"@", "@"},
			{"`", "`"},
		}[w.IntN(15)]
		w.b.WriteString(form[0])
		folded.WriteString(form[1])
	}
	w.b.WriteByte('"')
	return folded.String()
}

func (w *writer) object(depth int) {
	seen := make(map[string]bool)
	w.b.WriteByte('{')
	for i := range w.IntN([]int{4, 12, 60}[w.IntN(3)]) {
		if i > 0 {
			w.b.WriteByte(',')
		}
		w.blank()
		name := w.text(8)
		w.twice = w.twice || seen[name]
		seen[name] = true
		w.blank()
		w.b.WriteByte(':')
		w.blank()
		w.value(depth)
		w.blank()
	}
	w.b.WriteByte('}')
}

func (w *writer) value(depth int) {
	switch kind := w.IntN(12); {
	case kind < 4:
		w.text(20)
	case kind < 7:
		w.b.WriteString(w.pick("0", "-0", "1", "17", "123456789012", "1.5", "0.25", "2e3", "-7E-2", "9223372036854775808"))
	case kind < 10:
		w.b.WriteString(w.pick("true", "false", "null", "{}", "[]", `"x"`))
	case depth == 0:
		w.b.WriteString("[ 1,[ ] ]")
	case kind == 10:
		w.b.WriteByte('[')
		for i := range w.IntN(4) {
			if i > 0 {
				w.b.WriteByte(',')
			}
			w.blank()
			w.value(depth - 1)
			w.blank()
		}
		w.b.WriteByte(']')
	default:
		w.object(depth - 1)
	}
}

// TestRandomObjects writes objects that are JSON, some with names twice, and some with a byte changed after that.
func TestRandomObjects(t *testing.T) {
	t.Parallel()
	w := &writer{Rand: rand.New(rand.NewPCG(3, 4))}
	accepted, refused := 0, 0
	for range 6000 {
		w.b.Reset()
		w.twice = false
		w.object(4)
		text := w.b.String()
		o, err := jws.ParseObject([]byte(text))
		if (err == nil) == w.twice {
			t.Fatalf("names twice: %v; got %v for %s", w.twice, err, text)
		}
		if err != nil {
			refused++
		} else {
			accepted++
			compare(t, []byte(text), o)
		}
		changed := []byte(text)
		changed[w.IntN(len(changed))] = byte(w.IntN(256))
		if o, err := jws.ParseObject(changed); err == nil {
			compare(t, changed, o)
		} else if json.Valid(changed) && !errors.Is(err, jws.Malformed) {
			t.Fatalf("no refusal: %v", err)
		}
	}
	if accepted < 500 || refused < 500 {
		t.Errorf("%d accepted and %d refused", accepted, refused)
	}
}

// hammered is a token with what it must say.
type hammered struct{ text, claims, header string }

// hammeredTokens makes tokens of many sizes, members and headers by every algorithm.
func hammeredTokens(t *testing.T) (tokens []hammered, keys jws.StaticKeys) {
	t.Helper()
	m := maker{t}
	for i := range 120 {
		name := []string{"hs-1", "ed25519-1", "hs-2", "p256-1", "hs-1", "rsa-1"}[i%6]
		if i < 6 && i != 4 {
			keys = append(keys, signer(t, name).Key())
		}
		fill := strings.Repeat(string(rune('a'+i%26)), i*i%3000)
		payload := fmt.Sprintf(`{"sub":"player-%d","exp":%d,%s,"fill":%q}`, i, testvectors.Now.Unix()+60+int64(i), manyMembers(1+i%50), fill)
		head := header(string(signer(t, name).Key().Algorithm()), name, fmt.Sprintf(`,"n":%d,"typ":"JWT"`, i))
		tokens = append(tokens, hammered{m.token(name, head, payload), payload, head})
	}
	return tokens, keys
}

// TestTokensShareNothing verifies many different tokens at once and keeps them all; in the end each still says to the
// byte what was signed. Bad tokens and digests of the cache go through the same pool.
func TestTokensShareNothing(t *testing.T) {
	t.Parallel()
	tokens, keys := hammeredTokens(t)
	v := verifier(t, config(keys))
	cache := jws.NewCache[jws.Token](256)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			kept := make([]*jws.Token, len(tokens))
			for i := range 2 * len(tokens) {
				n := (i*7 + worker*13) % len(tokens)
				kept[n] = hammer(t, v, cache, tokens[n])
			}
			for n, token := range kept {
				tokens[n].check(t, token)
			}
		})
	}
	wg.Wait()
}

func hammer(t *testing.T, v *jws.Verifier, cache *jws.Cache[jws.Token], h hammered) *jws.Token {
	if cached, found := cache.Get(h.text, testvectors.Now); found {
		h.check(t, cached)
	}
	if _, err := v.Verify(context.Background(), h.text+"A"); err == nil {
		t.Error("a longer signature was accepted")
	}
	if _, err := jws.UnverifiedIssuer(h.text); !errors.Is(err, jws.MissingClaim) {
		t.Errorf("issuer: %v", err)
	}
	token, err := v.Verify(context.Background(), h.text)
	if err != nil {
		t.Errorf("good token: %v", err)
		return nil
	}
	cache.Put(h.text, token, token)
	return token
}

func (h hammered) check(t *testing.T, token *jws.Token) {
	if token == nil {
		t.Error("no token")
		return
	}
	claims, _ := token.Claims.MarshalJSON()
	head, _ := token.Header().Params.MarshalJSON()
	sub, _ := token.Claims.String("sub")
	if string(claims) != h.claims || string(head) != h.header || token.Header().KeyID != token.Key.ID() || !strings.Contains(h.claims, `"`+sub+`"`) {
		t.Errorf("the token says %s and %s, want %s and %s", head, claims, h.header, h.claims)
	}
	if exp, _ := token.Claims.Int64("exp"); exp != token.Expiry {
		t.Errorf("exp %d, Expiry %d", exp, token.Expiry)
	}
}
