// Package strictyaml reads one YAML file into a struct and says everything that is wrong with it at once, each with its
// line and column.
//
//	var config struct {
//		Listen string   `yaml:"listen" default:"127.0.0.1:8080"`
//		Secret Secret   `yaml:"secret,required"`
//		Policy string   `yaml:"policy" oneof:"grace strict"`
//	}
//	file, err := strictyaml.Decode(strictyaml.Source{Name: "sallyport.yaml", Data: data, Env: os.LookupEnv}, &config)
//
// It refuses unknown and repeated fields (naming the nearest valid word), missing required fields, values of another type
// than the field's, values outside a field's list, empty values, anchors, aliases, merge keys, tags and second documents.
//
// A text may hold ${NAME}, which is replaced by that environment variable, and ${file:PATH}, which is replaced by the
// file's contents without its last newline; a path that is not absolute starts at the configuration's folder. Both are
// replaced after parsing, so what they hold is always one value and never YAML. What is missing is a problem. $${ stands
// for the three characters' last two.
//
// Values are never part of a problem's text, save for words of a closed list that the file itself spells out: a
// configuration holds secrets.
package strictyaml

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxBytes is the most a file may have, and maxDepth its deepest nesting; both are far above any real configuration.
const (
	maxBytes = 256 << 10
	maxDepth = 16
)

// Source is a file to decode and the surroundings that it may refer to.
type Source struct {
	// Name is the file's name as problems show it. Its folder is where relative ${file:…} paths start.
	Name string
	// Data is the file's contents.
	Data []byte
	// Env looks up an environment variable for ${NAME}. Nil: no variable is set.
	Env func(name string) (string, bool)
	// ReadFile reads a file for ${file:PATH}. Nil: os.ReadFile.
	ReadFile func(path string) ([]byte, error)
}

// Problem is one thing that is wrong with a file.
type Problem struct {
	// File is the file's name. Line and Column start at 1; Column counts characters.
	File         string
	Line, Column int
	// Path is the field, as in issuers[0].region; empty if the file as a whole is meant.
	Path string
	// Text says what is wrong and what would do.
	Text string
}

// Error is FILE:LINE:COLUMN: PATH: TEXT.
func (p Problem) Error() string {
	where := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Path == "" {
		return where + p.Text
	}
	return where + p.Path + ": " + p.Text
}

// Problems is everything that is wrong with a file, in the order of its lines. It is an error if it is not empty.
type Problems []Problem

// Error is one problem a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted returns the problems in the order of the file.
func (p Problems) sorted() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return p
}

// Union is a mapping whose field "type" decides which other fields it may have.
type Union interface {
	// Types are the words that "type" may be.
	Types() []string
	// Select returns a pointer to the struct that holds the fields of a type, given one of Types.
	Select(name string) any
}

// File is a decoded file: it knows where each field stands, so that a check made later can say so.
type File struct {
	name      string
	positions map[string]*token.Position
	problems  Problems
	parsed    bool
}

// Report adds a problem with the field at path, or with its nearest parent that the file has.
func (f *File) Report(path, format string, args ...any) {
	pos := f.position(path)
	f.problems = append(f.problems, Problem{f.name, pos.Line, pos.Column, path, fmt.Sprintf(format, args...)})
}

// Reported says whether a problem with the field at path, or with one inside it, is known already.
func (f *File) Reported(path string) bool {
	return slices.ContainsFunc(f.problems, func(p Problem) bool {
		inside, ok := strings.CutPrefix(p.Path, path)
		return ok && (inside == "" || inside[0] == '.' || inside[0] == '[')
	})
}

// Parsed says whether the file is YAML, so that there is anything to check in it.
func (f *File) Parsed() bool { return f.parsed }

// Err returns all problems found so far as Problems in the order of the file, or nil.
func (f *File) Err() error {
	if len(f.problems) == 0 {
		return nil
	}
	return f.problems.sorted()
}

// Has reports whether the file itself has the field at path.
func (f *File) Has(path string) bool {
	_, ok := f.positions[path]
	return ok
}

// Path makes a path that the file names absolute: one that is not starts at the file's folder.
func (f *File) Path(path string) string {
	return resolve(f.name, path)
}

func resolve(file, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}

func (f *File) position(path string) *token.Position {
	for ; path != ""; path = parent(path) {
		if pos, ok := f.positions[path]; ok {
			return pos
		}
	}
	return &token.Position{Line: 1, Column: 1}
}

func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

// Decode fills into, a pointer to a struct, from a file. The File is returned even if there are problems, so that a
// caller can add what it finds to what is known; all of them are then in [File.Err]. If the file is no YAML at all, into
// is left as it was.
func Decode(source Source, into any) *File {
	file := &File{name: source.Name, positions: make(map[string]*token.Position)}
	root, problem := parse(source)
	if problem != nil {
		file.problems = Problems{*problem}
		return file
	}
	if source.ReadFile == nil {
		source.ReadFile = os.ReadFile
	}
	file.parsed = true
	d := decoder{File: file, expander: expander{source}}
	d.root(root, into)
	return file
}

// parse returns the file's one document, nil if it is empty.
func parse(source Source) (ast.Node, *Problem) {
	fail := func(line, column int, text string) (ast.Node, *Problem) {
		return nil, &Problem{File: source.Name, Line: line, Column: column, Text: text}
	}
	if len(source.Data) > maxBytes {
		return fail(1, 1, fmt.Sprintf("the file has more than %d bytes", maxBytes))
	}
	parsed, err := parseBytes(source.Data)
	if syntax := yaml.Error(nil); errors.As(err, &syntax) && syntax.GetToken() != nil {
		pos := syntax.GetToken().Position
		return fail(pos.Line, pos.Column, "not YAML: "+syntax.GetMessage()+hint(source.Data, pos.Line))
	}
	if err != nil {
		return fail(1, 1, "not YAML")
	}
	var root ast.Node
	for _, doc := range parsed.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			pos := start(doc.Body)
			return fail(pos.Line, pos.Column, "a second document; the file may have one")
		}
		root = doc.Body
	}
	return root, nil
}

// hint says what is most likely wrong with a line that is no YAML.
func hint(data []byte, line int) string {
	lines := strings.Split(string(data), "\n")
	if line > 0 && line <= len(lines) && strings.Contains(lines[line-1], "${") {
		return `; a text with ${…} must be in quotes where it stands between braces or brackets`
	}
	return ""
}

// parseBytes parses YAML. The parser panics on some malformed inputs, which is then an error like any other.
func parseBytes(data []byte) (file *ast.File, err error) {
	defer func() {
		if recover() != nil {
			file, err = nil, errors.New("strictyaml: the parser gave up")
		}
	}()
	return parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
}
