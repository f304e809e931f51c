package config

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"github.com/sallyport-auth/sallyport/server/internal/strictyaml"
)

// sources are the files whose structs are the configuration: their comments are its manual.
//
//go:embed config.go store.go gate.go issuers.go primary.go oidc.go game.go
var sources embed.FS

// Manual returns the manual of the configuration file as Markdown: a section for each mapping, with its fields in the
// order of the structs.
func Manual() (string, error) {
	comments, err := readComments()
	if err != nil {
		return "", err
	}
	m := manual{comments: comments, described: make(map[reflect.Type]string)}
	m.text.WriteString("# The configuration file\n\n" + preface)
	m.section("", reflect.TypeFor[Config]())
	m.variants("store", new(Store))
	m.variants("gate.servers[]", new(GameServer))
	m.variants("issuers[]", new(Issuer))
	return m.text.String(), nil
}

const preface = "One YAML file. A text may hold `${NAME}`, an environment variable, and `${file:PATH}`, the contents of a file without its\n" +
	"last newline; paths that are not absolute start at the configuration's folder. `$${` stands for `${`. What is missing is an\n" +
	"error, and so are unknown and repeated fields. Durations are written as 90s, 15m, 2h or 30d. `sallyport check-config FILE`\n" +
	"checks a file; SIGHUP makes a running server read it again.\n"

// comment is what the source says of a struct: in front of it, and of its fields.
type comment struct {
	text   string
	fields map[string]string
}

func readComments() (map[string]comment, error) {
	files, err := sources.ReadDir(".")
	if err != nil {
		return nil, err
	}
	comments := make(map[string]comment)
	for _, file := range files {
		data, err := sources.ReadFile(file.Name())
		if err != nil {
			return nil, err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file.Name(), data, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if decl, ok := n.(*ast.GenDecl); ok {
				addComment(comments, decl)
			}
			return true
		})
	}
	return comments, nil
}

func addComment(comments map[string]comment, decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		typ, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		if s, ok := typ.Type.(*ast.StructType); ok {
			c := comment{text: decl.Doc.Text(), fields: make(map[string]string)}
			for _, f := range s.Fields.List {
				for _, name := range f.Names {
					c.fields[name.Name] = f.Doc.Text()
				}
			}
			comments[typ.Name.Name] = c
		}
	}
}

type manual struct {
	comments  map[string]comment
	described map[reflect.Type]string // the sections of structs that can stand in several places
	text      strings.Builder
}

// variants describes the structs of a mapping's types.
func (m *manual) variants(path string, union strictyaml.Union) {
	for _, name := range union.Types() {
		m.section(path+" with type: "+name, reflect.TypeOf(union.Select(name)).Elem())
	}
}

// section describes one struct, and then those in its fields.
func (m *manual) section(path string, typ reflect.Type) {
	if path != "" {
		fmt.Fprintf(&m.text, "\n## %s\n\n%s\n", path, wrap(sentence(rest(m.comments[typ.Name()].text, typ.Name())), ""))
	}
	m.text.WriteString("\n")
	if _, name, ok := strings.Cut(path, " with type: "); ok && !strings.Contains(name, ": ") {
		fmt.Fprintf(&m.text, "- `type: %s`, required.\n", name)
	}
	m.fields(typ)
	m.nested(path, typ)
}

func (m *manual) fields(typ reflect.Type) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		tag := f.Tag.Get("yaml")
		if f.Anonymous {
			m.fields(f.Type)
		}
		if tag == "" {
			continue
		}
		name, option, _ := strings.Cut(tag, ",")
		about := rest(m.comments[typ.Name()].fields[f.Name], f.Name)
		if section := m.described[elemOf(f.Type)]; section != "" {
			about += " Its fields are those of " + section + "."
		}
		fmt.Fprintf(&m.text, "- `%s`: %s.\n%s\n", name, describe(f, option == "required"), wrap(sentence(about), "  "))
	}
}

// elemOf is the type of a field's value, or of its entries.
func elemOf(typ reflect.Type) reflect.Type {
	for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	return typ
}

// nested describes the structs in the fields of one, each the first time that it is met.
func (m *manual) nested(path string, typ reflect.Type) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.Anonymous {
			m.nested(path, f.Type)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		elem := elemOf(f.Type)
		if name == "" || elem.Kind() != reflect.Struct || m.described[elem] != "" || reflect.PointerTo(elem).Implements(reflect.TypeFor[strictyaml.Union]()) {
			continue
		}
		if f.Type.Kind() == reflect.Slice {
			name += "[]"
		}
		section := under(path, name)
		m.section(section, elem)
		m.described[elem] = section
	}
}

// under is the title of the section of a field.
func under(path, name string) string {
	switch {
	case path == "":
		return name
	case strings.Contains(path, " with type: "):
		return path + ": " + name
	default:
		return path + "." + name
	}
}

// describe says what a field takes, and what it is when it is left out.
func describe(f reflect.StructField, required bool) string {
	text := typeName(f.Type, strings.Fields(f.Tag.Get("oneof")))
	switch preset := f.Tag.Get("default"); {
	case required:
		return text + ", required"
	case preset != "":
		return text + ", default `" + preset + "`"
	default:
		return text + ", optional"
	}
}

func typeName(typ reflect.Type, words []string) string {
	switch {
	case typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.Struct:
		return "list of mappings"
	case typ.Kind() == reflect.Slice:
		return "list of " + typeName(typ.Elem(), words)
	case typ.Kind() == reflect.Pointer:
		return typeName(typ.Elem(), words)
	case len(words) > 0:
		return "`" + strings.Join(words, "` or `") + "`"
	case typ == reflect.TypeFor[Secret]():
		return "secret text"
	case typ == reflect.TypeFor[Duration]():
		return "duration"
	case typ.Kind() == reflect.String:
		return "text"
	case typ.Kind() == reflect.Bool:
		return "true or false"
	case typ.Kind() == reflect.Int:
		return "number"
	default:
		return "mapping"
	}
}

// rest leaves out the Go name that a comment begins with, and the verb "is" or "are" after it.
func rest(text, name string) string {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\n", " "))
	after, found := strings.CutPrefix(text, name+" ")
	if !found {
		return text
	}
	for _, verb := range []string{"is ", "are "} {
		after = strings.TrimPrefix(after, verb)
	}
	return after
}

// sentence begins with a capital letter.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// wrap breaks a text into lines of at most 120 columns.
func wrap(text, indent string) string {
	var lines []string
	line := indent
	for _, word := range strings.Fields(text) {
		if len(line)+len(word) > 119 && line != indent {
			lines = append(lines, strings.TrimRight(line, " "))
			line = indent
		}
		line += word + " "
	}
	return strings.Join(append(lines, strings.TrimRight(line, " ")), "\n")
}
