package strictyaml_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/server/internal/strictyaml"
)

type door struct {
	Name string `yaml:"name,required"`
	Open bool   `yaml:"open"`
}

type shape struct {
	kind string
	of   any
}

type circle struct {
	Radius int `yaml:"radius,required"`
}

type square struct {
	Side int `yaml:"side"`
}

func (s *shape) Types() []string { return []string{"circle", "square"} }

func (s *shape) Select(name string) any {
	s.kind = name
	switch name {
	case "circle":
		s.of = new(circle)
	case "square":
		s.of = new(square)
	}
	return s.of
}

type span struct{ time.Duration }

func (s *span) UnmarshalText(text []byte) (err error) {
	s.Duration, err = time.ParseDuration(string(text))
	if err != nil {
		return errors.New("want a duration")
	}
	return nil
}

type base struct {
	Realm string `yaml:"realm"`
}

type house struct {
	base
	Listen string   `yaml:"listen" default:"127.0.0.1:1"`
	Secret string   `yaml:"secret"`
	Count  int      `yaml:"count" default:"7"`
	Wait   span     `yaml:"wait" default:"30s"`
	Policy string   `yaml:"policy" oneof:"grace strict available"`
	Uses   []string `yaml:"uses" oneof:"access id"`
	Doors  []door   `yaml:"doors"`
	Shapes []shape  `yaml:"shapes"`
	Back   *door    `yaml:"back"`
	Front  struct {
		Lock string `yaml:"lock,required"`
		Bell int    `yaml:"bell" default:"3"`
	} `yaml:"front"`
}

func source(text string) strictyaml.Source {
	return strictyaml.Source{
		Name: "house.yaml",
		Data: []byte(text),
		Env: func(name string) (string, bool) {
			value, ok := map[string]string{"NAME": "hidden: [value", "COUNT": "12", "BAD": "hidden"}[name]
			return value, ok
		},
		ReadFile: func(path string) ([]byte, error) {
			switch path {
			case "/run/secret":
				return []byte("from file\n"), nil
			case "near":
				return []byte("near file\r\n"), nil
			case "/run/empty":
				return []byte("\n"), nil
			}
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		},
	}
}

func TestDecode(t *testing.T) {
	var h house
	file := strictyaml.Decode(source(`
realm: r
secret: a ${file:/run/secret}, ${file:near} and $${NAME}
listen: ${NAME}
count: ${COUNT}
uses: [access, id]
doors:
  - name: a
    open: true
  - {name: "1"}
shapes:
  - type: circle
    radius: 5
  - {type: square}
back:
  name: |
    two
    lines
`), &h)
	if err := file.Err(); err != nil {
		t.Fatal(err)
	}
	check := func(name string, got, want any) {
		if got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	check("realm", h.Realm, "r")
	check("secret", h.Secret, "a from file, near file and ${NAME}")
	check("listen", h.Listen, "hidden: [value")
	check("count", h.Count, 12)
	check("uses", strings.Join(h.Uses, " "), "access id")
	check("doors", len(h.Doors), 2)
	check("doors[0]", h.Doors[0], door{"a", true})
	check("doors[1]", h.Doors[1], door{"1", false})
	check("radius", h.Shapes[0].of.(*circle).Radius, 5)
	check("square", h.Shapes[1].kind, "square")
	check("back", h.Back.Name, "two\nlines\n")
	check("default of wait", h.Wait.Duration, 30*time.Second)
	check("default in a struct that is left out", h.Front.Bell, 3)
	check("has", file.Has("doors[0].open") && !file.Has("doors[1].open"), true)
}

func TestEmptyFileHasDefaults(t *testing.T) {
	var h house
	if err := strictyaml.Decode(source("# nothing\n"), &h).Err(); err != nil || h.Count != 7 {
		t.Errorf("count %d, error %v", h.Count, err)
	}
}

func TestProblems(t *testing.T) {
	for _, test := range []struct{ name, file, want string }{
		{"unknown", "lissten: x\n", `1:1: unknown field "lissten"; did you mean "listen"?`},
		{"unknown, nothing near", "colour: x\n", `1:1: unknown field "colour"; want one of realm, listen, secret, count, wait, policy, uses, doors, shapes, back, front`},
		{"unknown, nested", "doors:\n  - name: a\n    opne: true\n", `3:5: doors[0]: unknown field "opne"; did you mean "open"?`},
		{"swapped letters", "cuont: 1\n", `1:1: unknown field "cuont"; did you mean "count"?`},
		{"repeated", "count: 1\nlisten: a\ncount: 2\n", `3:1: field "count" is given twice, first in line 1`},
		{"missing", "doors:\n  - open: true\n", `2:5: doors[0]: required field "name" is missing`},
		{"missing in an empty mapping", "back: {}\n", `1:7: back: required field "name" is missing`},
		{"missing in a struct that is there", "front:\n  bell: 1\n", `2:3: front: required field "lock" is missing`},
		{"number for text", "listen: 8080\n", `1:9: listen: want text, got a number; put it in quotes`},
		{"truth for text", "secret: true\n", `1:9: secret: want text, got true or false; put it in quotes`},
		{"text for number", "count: many\n", `1:8: count: want a whole number, got text`},
		{"quoted number for number", "count: \"3\"\n", `1:8: count: want a whole number, got text`},
		{"fraction", "count: 1.5\n", `1:8: count: want a whole number between -2147483648 and 2147483647`},
		{"huge", "count: 99999999999\n", `1:8: count: want a whole number between -2147483648 and 2147483647`},
		{"yes", "doors:\n- {name: a, open: yes}\n", `2:19: doors[0].open: want true or false, got text`},
		{"number for truth", "back: {name: a, open: 1}\n", `1:23: back.open: want true or false`},
		{"list for text", "listen: [a]\n", `1:9: listen: want text, got a list`},
		{"mapping for text", "listen:\n  a: b\n", `2:3: listen: want text, got a mapping`},
		{"text for list", "uses: access\n", `1:7: uses: want a list, got text`},
		{"text for mapping", "back: door\n", `1:7: back: want a mapping, got text`},
		{"list for the root", "- a\n", `1:1: want a mapping, got a list`},
		{"nothing", "listen:\ncount: 1\n", `1:8: listen: has no value; want text`},
		{"null", "listen: null\n", `1:9: listen: has no value; want text`},
		{"empty", "listen: \"\"\n", `1:9: listen: is empty; want text`},
		{"not in the list", "policy: gracee\n", `1:9: policy: "gracee" is not a valid word; did you mean "grace"? (want one of grace, strict, available)`},
		{"not in the list, nothing near", "policy: whatever\n", `1:9: policy: not a valid word; want one of grace, strict, available`},
		{"not in the list, of a variable", "policy: ${BAD}\n", `1:9: policy: not a valid word; want one of grace, strict, available`},
		{"entry not in the list", "uses: [acces]\n", `1:8: uses[0]: "acces" is not a valid word; did you mean "access"? (want one of access, id)`},
		{"own text", "wait: soon\n", `1:7: wait: want a duration`},
		{"number for own text", "wait: 30\n", `1:7: wait: want text, got a number; put it in quotes`},
		{"no type", "shapes:\n  - radius: 1\n", `2:5: shapes[0]: has no field "type"; want one of circle, square`},
		{"unknown type", "shapes:\n  - type: cirle\n", `2:11: shapes[0].type: "cirle" is not a valid word; did you mean "circle"? (want one of circle, square)`},
		{"field of another type", "shapes:\n  - type: square\n    radius: 1\n", `3:5: shapes[0]: unknown field "radius"; want one of type, side`},
		{"missing in a type", "shapes:\n  - type: circle\n", `2:5: shapes[0]: required field "radius" is missing`},
		{"type twice", "shapes:\n  - type: square\n    type: circle\n    radius: 1\n", `3:5: shapes[0]: field "type" is given twice, first in line 2`},
		{"variable not set", "secret: ${NONE}\n", `1:9: secret: the environment variable NONE is not set`},
		{"variable without end", "secret: ${NAME\n", `1:9: secret: ${ without its }; write $${ for the two characters themselves`},
		{"variable with a bad name", "secret: ${a-b}\n", `1:9: secret: ${…} takes the name of an environment variable or file:PATH`},
		{"variable of a wrong type", "count: ${BAD}\n", `1:8: count: want a whole number between -2147483648 and 2147483647`},
		{"file not there", "secret: ${file:/run/none}\n", `1:9: secret: the file /run/none cannot be read: file does not exist`},
		{"file empty", "secret: ${file:/run/empty}\n", `1:9: secret: the file /run/empty is empty`},
		{"anchor", "secret: &a x\n", `1:9: secret: anchors, aliases and merge keys are not allowed; write the value out`},
		{"alias", "listen: a\nsecret: *a\n", `2:9: secret: anchors, aliases and merge keys are not allowed; write the value out`},
		{"merge", "<<: {count: 1}\n", `1:1: a field's name must be a plain word`},
		{"tag", "secret: !!str 1\n", `1:9: secret: tags (!…) are not allowed`},
		{"number as name", "1: x\n", `1:1: a field's name must be a plain word`},
		{"two documents", "count: 1\n---\ncount: 2\n", `3:1: a second document; the file may have one`},
		{"not YAML", "count: 1\nlisten: [a, b\nsecret: x\n", `3:1: not YAML: ',' or ']' must be specified`},
		{"unquoted reference", "front: {bell: ${BELL}}\n", "1:16: not YAML: ',' or '}' must be specified; a text with ${…} must be in quotes where it stands between braces or brackets"},
		{"tab", "front:\n\tbell: 1\n", "2:1: not YAML: found character '\t' that cannot start any token"},
		{"too long", "#" + strings.Repeat("x", 256<<10), `1:1: the file has more than 262144 bytes`},
		{"too deep", "front: " + strings.Repeat("[", 100), `1:107: not YAML: sequence end token ']' not found`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var h house
			err := strictyaml.Decode(source(test.file), &h).Err()
			if err == nil || err.Error() != "house.yaml:"+test.want {
				t.Errorf("got  %v\nwant house.yaml:%s", err, test.want)
			}
		})
	}
}

func TestAllProblemsAtOnceInOrder(t *testing.T) {
	var h house
	file := strictyaml.Decode(source("policy: x\ncount: many\nlissten: a\ndoors:\n  - {}\n"), &h)
	file.Report("count", "is also %s", "odd")
	file.Report("front.lock.none", "has no place of its own")
	want := `house.yaml:1:1: front.lock.none: has no place of its own
house.yaml:1:9: policy: not a valid word; want one of grace, strict, available
house.yaml:2:8: count: want a whole number, got text
house.yaml:2:8: count: is also odd
house.yaml:3:1: unknown field "lissten"; did you mean "listen"?
house.yaml:5:5: doors[0]: required field "name" is missing`
	var problems strictyaml.Problems
	if err := file.Err(); !errors.As(err, &problems) || problems.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestNoValueInProblems(t *testing.T) {
	var h house
	err := strictyaml.Decode(source("count: ${NAME}\npolicy: ${NAME}\nwait: ${NAME}\nfront: ${NAME}\n"), &h).Err()
	if err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("a value is in %v", err)
	}
}

func TestPathStartsAtTheFile(t *testing.T) {
	file := strictyaml.Decode(strictyaml.Source{Name: "/etc/s/c.yaml"}, &struct{}{})
	for path, want := range map[string]string{"k": "/etc/s/k", "/k": "/k", "../k": "/etc/k", "": ""} {
		if got := file.Path(path); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
}
