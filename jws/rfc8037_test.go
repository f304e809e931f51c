package jws

import (
	"testing"
)

// TestRFC8037 signs and verifies the example of RFC 8037 appendix A.4 and A.5, whose payload is no JSON object, so that
// only the signature can be compared.
func TestRFC8037(t *testing.T) {
	t.Parallel()
	const (
		private = `{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",` +
			`"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
		input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
		want  = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
	)
	s, err := ParsePrivateJWK([]byte(private))
	if err != nil {
		t.Fatal(err)
	}
	signature, err := s.sign([]byte(input))
	if got := encoding.EncodeToString(signature); err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
	if !s.key.verify(new(scratch), []byte(input), signature) {
		t.Error("the signature does not verify")
	}
}

// TestDecodeBase64 compares with every string of up to three digits and their neighbours.
func TestDecodeBase64(t *testing.T) {
	t.Parallel()
	const letters = "AB_-9z=+/\n\r .\x80"
	var texts []string
	for length, previous := 1, []string{""}; length <= 5; length++ {
		var next []string
		for _, text := range previous {
			for _, c := range []byte(letters) {
				next = append(next, text+string([]byte{c}))
			}
		}
		texts, previous = append(texts, next...), next
	}
	for _, text := range texts {
		got, ok := decode([]byte("before"), text)
		want, err := encoding.DecodeString(text)
		canonical := err == nil && encoding.EncodeToString(want) == text
		if ok != canonical || (ok && string(got) != "before"+string(want)) {
			t.Fatalf("decode(%q) = %q, %v; want %q, %v", text, got, ok, want, canonical)
		}
	}
}
