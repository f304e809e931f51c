package app

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/jwks"
)

// TestFloodEnds reports refused lookups at times of its own: two floods, each with a beginning and an end.
func TestFloodEnds(t *testing.T) {
	var out bytes.Buffer
	k := &keyEvents{log: slog.New(slog.NewTextHandler(&out, nil))}
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for range 2 {
		for range 3 {
			at = at.Add(5 * time.Second)
			k.observe(jwks.Event{Kind: jwks.LookupsRefused, At: at, Refused: 7})
			k.look(at)
		}
		at = at.Add(floodOver)
		k.look(at)
		k.look(at.Add(time.Second))
	}
	k.observe(jwks.Event{Kind: jwks.Fetched, Added: 2, Keys: 2})
	k.observe(jwks.Event{Kind: jwks.Fetched, Keys: 2})
	k.observe(jwks.Event{Kind: jwks.FetchFailed, Keys: 2, Failures: 1})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 || !strings.Contains(lines[0], "a flood of tokens") || !strings.Contains(lines[1], `refused="at least 21"`) ||
		!strings.Contains(lines[2], "a flood of tokens") || !strings.Contains(lines[3], `refused="at least 21"`) {
		t.Errorf("log\n%s", &out)
	}
}
