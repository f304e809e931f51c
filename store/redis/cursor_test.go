package redis

import (
	"strings"
	"testing"
)

func FuzzParseCursor(f *testing.F) {
	for _, seed := range []string{
		"", ":", "0-0", "e:0-0", "e:1793534400000-1", "e:1793534400000-01", "e:-1-0", "e:+1-0", "e:1", "e:1-2-3", "e:f:1-2",
		"e:9007199254740992-0", "e:18446744073709551615-18446744073709551615", "\xff:0-0",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := parseCursor(s)
		if c == (cursor{}) {
			return
		}
		if c.String() != s {
			t.Errorf("cursor %q has another spelling, %q", s, c)
		}
		if c.after(c.position) || strings.Contains(c.epoch, ":") {
			t.Errorf("cursor %q reads as epoch %q, position %v", s, c.epoch, c.position)
		}
	})
}

// TestScriptsAreVersioned wants each script to say what it is where an operator looks for slow ones.
func TestScriptsAreVersioned(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range []*script{appendScript, feedScript, createScript, rotateScript, putScript, takeScript} {
		head, _, _ := strings.Cut(s.source, "\n")
		if !strings.HasPrefix(head, "-- sallyport ") || !strings.HasSuffix(head, " version "+version) || seen[s.sha1] {
			t.Errorf("script begins with %q and has the name %s", head, s.sha1)
		}
		seen[s.sha1] = true
	}
}
