package edge_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/edge"
)

type pathCases struct {
	Why     string   `json:"why"`
	Refused bool     `json:"refused"`
	Paths   []string `json:"paths"`
}

func readPathCases(t testing.TB) map[string]pathCases {
	t.Helper()
	files, err := filepath.Glob("testdata/paths/*.json")
	must(t, err)
	all := make(map[string]pathCases)
	for _, file := range files {
		data, err := os.ReadFile(file)
		must(t, err)
		var cases pathCases
		must(t, json.Unmarshal(data, &cases))
		all[filepath.Base(file)] = cases
	}
	if len(all) < 8 {
		t.Fatalf("%d files of paths", len(all))
	}
	return all
}

func TestPaths(t *testing.T) {
	for file, cases := range readPathCases(t) {
		for _, p := range cases.Paths {
			if got := edge.IsCanonicalPath(p); got == cases.Refused {
				t.Errorf("%s: %.60q passes: %t", file, p, got)
			}
		}
	}
}

func TestQueries(t *testing.T) {
	for query, want := range map[string]bool{
		"": true, "a=b&c": true, "a=%2F&b=%C3%A9": true, "a=;": true, "a={\"b\"}": true,
		"a=%": false, "a=%0": false, "a=%zz": false, "a=%00": false, "a b": false, "a#b": false, "a=\x00": false, "a=\xc3\xa9": false, "a=\n": false,
	} {
		if got := edge.IsCanonicalQuery(query); got != want {
			t.Errorf("%q passes: %t", query, got)
		}
	}
}

// FuzzPath holds what passes against four other readings of a path: all must agree that it stands for itself.
func FuzzPath(f *testing.F) {
	for _, cases := range readPathCases(f) {
		for _, p := range cases.Paths {
			f.Add(p)
		}
	}
	f.Fuzz(func(t *testing.T, p string) {
		if !edge.IsCanonicalPath(p) {
			return
		}
		decoded, err := url.PathUnescape(p)
		if err != nil || !utf8.ValidString(decoded) {
			t.Fatalf("%q: %v", p, err)
		}
		clean := path.Clean(decoded)
		if strings.HasSuffix(decoded, "/") && clean != "/" {
			clean += "/"
		}
		if clean != decoded {
			t.Fatalf("%q is %q when cleaned", decoded, clean)
		}
		if strings.Count(decoded, "/") != strings.Count(p, "/") || strings.ContainsAny(decoded, "\\%?#;\x00\r\n") {
			t.Fatalf("%q hides %q", p, decoded)
		}
		u, err := url.ParseRequestURI(p)
		if err != nil && !strings.HasPrefix(p, "/") || err == nil && u.EscapedPath() != p && u.Path != decoded {
			t.Fatalf("%q is %v %v to net/url", p, u, err)
		}
	})
}
