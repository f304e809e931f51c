package jws_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
)

// FuzzVerify: whatever is accepted has exactly one spelling, each part encodes to the same text again, and the claims
// are what encoding/json reads. HS256 under a known secret lets the fuzzer's payloads in: the signature is put right.
func FuzzVerify(f *testing.F) {
	for _, v := range testvectors.Load(f, "testdata/vectors/verify") {
		if len(v.Body) < 4<<10 {
			f.Add(v.Body)
		}
	}
	key, err := jws.NewSecretKey("", testvectors.Secret("hs-1"))
	if err != nil {
		f.Fatal(err)
	}
	cfg := config(jws.StaticKeys{key})
	cfg.Types = []string{jws.AnyType}
	v := verifier(f, cfg)
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = jws.UnverifiedIssuer(text)
		checkAccepted(t, v, text)
		if dot := strings.LastIndexByte(text, '.'); dot >= 0 {
			checkAccepted(t, v, text[:dot+1]+b64(mac(testvectors.Secret("hs-1"), text[:dot])))
		}
	})
}

func checkAccepted(t *testing.T, v *jws.Verifier, text string) {
	t.Helper()
	token, err := v.Verify(context.Background(), text)
	if err != nil {
		if jws.ReasonOf(err) == "" || token != nil {
			t.Fatalf("no refusal: %v", err)
		}
		return
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts accepted", len(parts))
	}
	for _, part := range parts {
		data, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil || base64.RawURLEncoding.EncodeToString(data) != part {
			t.Fatalf("part %q has another spelling", part)
		}
	}
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	compare(t, payload, token.Claims)
}

// FuzzParseObject: whatever is accepted, encoding/json accepts with the same names and values.
func FuzzParseObject(f *testing.F) {
	for _, v := range testvectors.Load(f, "testdata/vectors/object") {
		f.Add([]byte(v.Body))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := jws.ParseObject(data)
		if err == nil {
			compare(t, data, o)
		} else if !errors.Is(err, jws.Malformed) {
			t.Fatalf("no refusal: %v", err)
		}
	})
}

// compare reads data with encoding/json and compares every member with what the accessors say.
func compare(t *testing.T, data []byte, o jws.Object) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var want map[string]any
	if err := decoder.Decode(&want); err != nil || decoder.More() {
		t.Fatalf("encoding/json refuses %q: %v", data, err)
	}
	names := slices.Collect(o.Names())
	if len(names) != len(want) || o.Len() != len(want) {
		t.Fatalf("names %q, encoding/json has %d", names, len(want))
	}
	for name, value := range want {
		if !o.Has(name) {
			t.Fatalf("no member %q", name)
		}
		compareMember(t, o, name, value)
	}
}

func compareMember(t *testing.T, o jws.Object, name string, want any) {
	t.Helper()
	ok := true
	switch want := want.(type) {
	case string:
		got, found := o.String(name)
		list, _ := o.Strings(name)
		ok = found && got == want && slices.Equal(list, []string{want})
	case bool:
		got, found := o.Bool(name)
		ok = found && got == want
	case json.Number:
		got, found := o.Int64(name)
		n, err := want.Int64()
		ok = found == (err == nil) && (!found || got == n)
	case map[string]any:
		child, found := o.Object(name)
		ok = found
		compare(t, o.Raw(name), child)
	case []any:
		compareArray(t, o, name, want)
	case nil:
		ok = string(o.Raw(name)) == "null"
	}
	if !ok {
		t.Fatalf("member %q differs: %s", name, o.Raw(name))
	}
}

func compareArray(t *testing.T, o jws.Object, name string, want []any) {
	t.Helper()
	var words []string
	objects := 0
	for _, element := range want {
		switch element := element.(type) {
		case string:
			words = append(words, element)
		case map[string]any:
			objects++
		}
	}
	list, ok := o.Strings(name)
	if ok != (len(words) == len(want)) || (ok && !slices.Equal(list, words)) {
		t.Fatalf("member %q as strings: %q, %v", name, list, ok)
	}
	children, ok := o.Objects(name)
	if ok != (objects == len(want)) || (ok && len(children) != objects) {
		t.Fatalf("member %q as objects: %d, %v", name, len(children), ok)
	}
	for i, child := range children {
		text, err := json.Marshal(child)
		if err != nil {
			t.Fatalf("element %d: %v", i, err)
		}
		compare(t, text, child)
	}
}

// FuzzParseJWKSet: whatever keys are accepted, they can be written and read again and are the same ones.
func FuzzParseJWKSet(f *testing.F) {
	for _, v := range testvectors.Load(f, "testdata/vectors/key") {
		f.Add([]byte(v.Body))
		f.Add([]byte(`{"keys":[` + v.Body + `]}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = jws.ParsePrivateJWK(data)
		_, _, _ = jws.ParseX509Set(data)
		keys, skipped, err := jws.ParseJWKSet(data)
		if err != nil && (keys != nil || skipped != nil) {
			t.Fatal("keys beside an error")
		}
		text, err := jws.MarshalJWKSet(keys...)
		if err != nil {
			t.Fatal(err)
		}
		again, skipped, err := jws.ParseJWKSet(text)
		if err != nil || len(skipped) > 0 || len(again) != len(keys) {
			t.Fatalf("%s: %v, %v", text, skipped, err)
		}
		for i, key := range keys {
			if key.ID() != again[i].ID() || key.Thumbprint() != again[i].Thumbprint() || key.Algorithm() != again[i].Algorithm() {
				t.Fatalf("key %d differs", i)
			}
		}
	})
}
