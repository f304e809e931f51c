package sallyport

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sallyport-auth/sallyport"

// rule says which packages of this module a package may import, and why just those.
type rule struct {
	imports []string
	why     string
}

// rules is the architecture: a token travels from jws to connect, imports point back along that way. A package of the
// root module that is not listed here is refused, like a route that the gate does not know.
var rules = map[string]rule{
	".":                    {nil, "documentation only"},
	"internal/uuid":        {nil, "ids are made of the standard library"},
	"internal/testvectors": {nil, "reads files; knows nothing of what they test"},
	"internal/wsframe":     {nil, "the wire of WebSockets; knows nobody who uses it"},
	"internal/wsrelay":     {[]string{"connect", "internal/wsframe"}, "carries a socket and ends it; who may have one is not its business"},
	"jws":                  {nil, "the start of the way: nothing is known about a token yet"},
	"jwks":                 {[]string{"jws"}, "keys are parsed by jws"},
	"identity":             {[]string{"internal/uuid", "jwks", "jws"}, "who is it: needs a verified token and its issuer's keys"},
	"session":              {[]string{"identity", "internal/uuid", "jws"}, "may it play: needs an identity; signs and verifies tokens of its own"},
	"session/storetest":    {[]string{"identity", "session"}, "judges a store by session's interfaces alone"},
	"connect":              {[]string{"identity", "jws", "session"}, "is it still so: asks session and identity at the door"},
	"edge":                 {[]string{"connect", "identity", "internal/downstream", "internal/http1", "internal/upstream", "internal/wsframe", "internal/wsrelay", "jws", "session"}, "which door: decides by connect, carries bytes by the two relays"},
	"internal/http1":       {nil, "the wire of HTTP/1.1; knows nobody who uses it"},
	"internal/upstream":    {[]string{"internal/http1"}, "carries bytes to a backend; knows no token"},
	"internal/downstream":  {[]string{"internal/http1"}, "carries bytes to clients; knows no token"},
	"tokenapi":             {[]string{"connect", "identity", "jws", "session"}, "the way of a token as HTTP; adds no decision of its own"},
	"photon":               {[]string{"identity", "jws", "session"}, "another door: asks session or identity"},
	"srp":                  {nil, "arithmetic and Cognito's wire; knows no token"},
	"devidp":               {[]string{"internal/uuid", "jws", "srp"}, "the other side: issues what identity verifies, so it must not share its code"},
	"examples/clerk":       {[]string{"connect", "identity", "jws", "session"}, "what a user of the library writes"},
}

// devidpImporters are the only places outside tests that may link the development issuer: it mints tokens.
var devidpImporters = []string{"server/internal/dev"}

// maxFileLines is the most lines a source file may have, tests aside: what is longer has two subjects.
const maxFileLines = 450

func TestImports(t *testing.T) {
	found := make(map[string]bool)
	for dir, files := range packages(t) {
		if inNestedModule(dir) {
			continue
		}
		found[dir] = true
		r, listed := rules[dir]
		if !listed {
			t.Errorf("package %s is not in the import table: add a row with its reason", dir)
			continue
		}
		for _, f := range files {
			checkImports(t, dir, f, r)
		}
	}
	for dir := range rules {
		if !found[dir] {
			t.Errorf("the import table has a row for %s, which does not exist", dir)
		}
	}
}

func checkImports(t *testing.T, dir string, f source, r rule) {
	for _, spec := range f.ast.Imports {
		path := strings.Trim(spec.Path.Value, `"`)
		within, ours := strings.CutPrefix(path, module+"/")
		switch {
		case !ours && strings.Contains(strings.Split(path, "/")[0], "."):
			t.Errorf("%s imports %s: the root module has the standard library and itself, in tests too", f.path, path)
		case !ours || f.test:
		case within == "internal/testvectors":
			t.Errorf("%s imports %s outside a test", f.path, within)
		case !slices.Contains(r.imports, within):
			t.Errorf("%s imports %s; %s may import %v because: %s", f.path, within, dir, r.imports, r.why)
		}
	}
}

func TestDevidpIsLinkedOnlyForDevelopment(t *testing.T) {
	for dir, files := range packages(t) {
		for _, f := range files {
			if f.test || slices.Contains(devidpImporters, dir) {
				continue
			}
			for _, spec := range f.ast.Imports {
				if spec.Path.Value == `"`+module+`/devidp"` {
					t.Errorf("%s imports devidp, which only %v may", f.path, devidpImporters)
				}
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	for dir, files := range packages(t) {
		var with []string
		sources := 0
		for _, f := range files {
			if f.test {
				continue
			}
			sources++
			if f.ast.Doc != nil && strings.TrimSpace(f.ast.Doc.Text()) != "" {
				with = append(with, f.path)
			}
		}
		if sources > 0 && len(with) != 1 {
			t.Errorf("package %s has %d package comments %v; want exactly one", dir, len(with), with)
		}
	}
}

func TestExportedComments(t *testing.T) {
	for _, files := range packages(t) {
		for _, f := range files {
			if f.test || f.ast.Name.Name == "main" {
				continue
			}
			for _, decl := range f.ast.Decls {
				checkComment(t, f, decl)
			}
		}
	}
}

func checkComment(t *testing.T, f source, decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) {
			t.Errorf("%s: func %s has no comment", f.path, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			checkSpec(t, f, d, spec)
		}
	}
}

func checkSpec(t *testing.T, f source, d *ast.GenDecl, spec ast.Spec) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && s.Doc == nil && d.Doc == nil {
			t.Errorf("%s: type %s has no comment", f.path, s.Name.Name)
		}
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if name.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
				t.Errorf("%s: %s has no comment", f.path, name.Name)
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if generic, ok := typ.(*ast.IndexExpr); ok {
		typ = generic.X
	}
	name, ok := typ.(*ast.Ident)
	return !ok || name.IsExported()
}

func TestFilesAreShort(t *testing.T) {
	for _, files := range packages(t) {
		for _, f := range files {
			if !f.test && f.lines > maxFileLines {
				t.Errorf("%s has %d lines; the limit is %d", f.path, f.lines, maxFileLines)
			}
		}
	}
}

// TestRootRequiresNothing proves that the core has no dependency. It is also what lets a Nakama plugin load: a plugin
// and its host must agree on the version of every package that both link.
func TestRootRequiresNothing(t *testing.T) {
	data, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.TrimSpace(string(data)), "module "+module+"\n\ngo 1.25.0"; got != want {
		t.Errorf("go.mod is\n%s\nwant\n%s", got, want)
	}
	for _, name := range []string{"go.sum", "go.work"} {
		if _, err := os.Stat(name); err == nil && !ignored(name) {
			t.Errorf("%s exists in the root", name)
		}
	}
}

// ignored reports whether a file is one that git is told to leave alone, such as a developer's own go.work.
func ignored(name string) bool {
	data, _ := os.ReadFile(".gitignore")
	return slices.Contains(strings.Split(string(data), "\n"), name)
}

// source is one parsed Go file.
type source struct {
	path  string
	ast   *ast.File
	test  bool
	lines int
}

var parsed map[string][]source

// packages parses every Go file of the root module and the nested ones, by folder.
func packages(t *testing.T) map[string][]source {
	t.Helper()
	if parsed != nil {
		return parsed
	}
	parsed = make(map[string][]source)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(d.Name())
		}
		if strings.HasSuffix(path, ".go") {
			return parse(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func skip(dir string) error {
	if dir == "node_modules" || dir == "testdata" || (strings.HasPrefix(dir, ".") && dir != ".") {
		return fs.SkipDir
	}
	return nil
}

func parse(path string) error {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	dir := filepath.ToSlash(filepath.Dir(path))
	parsed[dir] = append(parsed[dir], source{
		path:  path,
		ast:   file,
		test:  strings.HasSuffix(path, "_test.go"),
		lines: fset.File(file.Pos()).LineCount(),
	})
	return nil
}

// inNestedModule reports whether a folder belongs to a module of its own, whose go.mod says what it requires.
func inNestedModule(dir string) bool {
	for ; dir != "."; dir = filepath.ToSlash(filepath.Dir(dir)) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return true
		}
	}
	return false
}
