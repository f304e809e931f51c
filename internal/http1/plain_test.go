package http1_test

import (
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/internal/http1"
)

// TestFieldValuesByteByByte puts every byte at every place among good ones, as eight are looked at at once.
func TestFieldValuesByteByByte(t *testing.T) {
	for b := range 256 {
		want := b >= ' ' && b != 0x7f || b == '\t'
		for length := range 20 {
			for _, others := range []string{"a", " ", "~", "\x80", "\xff", "!"} {
				text := []byte(strings.Repeat(others, length+1))
				text[length/2] = byte(b)
				if got := http1.IsFieldValue(string(text)); got != want {
					t.Errorf("%q: %t, want %t", text, got, want)
				}
			}
		}
	}
}
