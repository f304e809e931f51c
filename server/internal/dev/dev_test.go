package dev_test

import (
	"context"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/server/internal/dev"
)

// TestOnlyThisPackageLinksTheIdentityProvider reads the imports of the whole module: serve reaches devidp by no import but
// this package's, whose only caller is the dev command.
func TestOnlyThisPackageLinksTheIdentityProvider(t *testing.T) {
	importers := map[string]string{
		"github.com/sallyport-auth/sallyport/devidp":              "internal/dev",
		"github.com/sallyport-auth/sallyport/server/internal/dev": "internal/cli",
	}
	root := filepath.Join("..", "..")
	seen := 0
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			allowed, watched := importers[strings.Trim(spec.Path.Value, `"`)]
			if !watched {
				continue
			}
			seen++
			if folder != allowed {
				t.Errorf("%s imports %s, which only %s may", path, spec.Path.Value, allowed)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 2 {
		t.Errorf("%d imports seen: the test looks in the wrong place", seen)
	}
}

func TestLoopbackOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "localhost:0", "nonsense"} {
		err := dev.Run(context.Background(), dev.Options{IDPListen: address, Out: io.Discard, Log: io.Discard})
		if err == nil || !strings.HasPrefix(err.Error(), "--idp-listen: want ") {
			t.Errorf("%s: error %v", address, err)
		}
	}
}
