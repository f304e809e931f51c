package strictyaml

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// decoder walks a document and a Go value side by side.
type decoder struct {
	*File
	expander expander
}

func (d *decoder) root(node ast.Node, into any) {
	target := reflect.ValueOf(into).Elem()
	if node == nil {
		d.fields(nil, "", target, nil)
		return
	}
	d.value(node, "", target, field{})
}

// value decodes one node into target. The field is what its struct says of it; list entries inherit it.
func (d *decoder) value(node ast.Node, path string, target reflect.Value, f field) {
	d.positions[path] = start(node)
	if strings.Count(path, ".")+strings.Count(path, "[") > maxDepth {
		d.Report(path, "nested too deeply")
		return
	}
	if what := refused(node); what != "" {
		d.Report(path, "%s", what)
		return
	}
	switch {
	case node.Type() == ast.NullType:
		d.Report(path, "has no value; want %s", wanted(target, f))
	case isText(target) || isScalar(target):
		d.scalar(node, path, target, f)
	case target.Kind() == reflect.Slice:
		d.list(node, path, target, f)
	case target.Kind() == reflect.Pointer:
		target.Set(reflect.New(target.Type().Elem()))
		d.value(node, path, target.Elem(), f)
	default:
		d.mapping(node, path, target)
	}
}

func (d *decoder) list(node ast.Node, path string, target reflect.Value, f field) {
	seq, ok := node.(*ast.SequenceNode)
	if !ok {
		d.Report(path, "want %s, got %s", wanted(target, f), kind(node))
		return
	}
	for i, entry := range seq.Values {
		element := reflect.New(target.Type().Elem()).Elem()
		d.value(entry, fmt.Sprintf("%s[%d]", path, i), element, f)
		target.Set(reflect.Append(target, element))
	}
	if f.required && len(seq.Values) == 0 {
		d.Report(path, "is empty; want at least one entry")
	}
}

func (d *decoder) mapping(node ast.Node, path string, target reflect.Value) {
	m, ok := node.(ast.MapNode)
	if !ok {
		d.Report(path, "want a mapping, got %s", kind(node))
		return
	}
	if union, ok := target.Addr().Interface().(Union); ok {
		d.union(m, path, union)
		return
	}
	d.fields(m, path, target, nil)
}

// union decodes a mapping whose field "type" selects what else it may hold.
func (d *decoder) union(m ast.MapNode, path string, union Union) {
	var name string
	types := field{required: true, oneOf: union.Types()}
	for entries := m.MapRange(); entries.Next(); {
		if keyText(entries.Key()) == "type" {
			d.value(entries.Value(), join(path, "type"), reflect.ValueOf(&name).Elem(), types)
		}
	}
	if !d.Has(join(path, "type")) {
		d.Report(path, `has no field "type"; want %s`, wanted(reflect.ValueOf(""), types))
		return
	}
	if selected := union.Select(name); selected != nil && name != "" {
		d.fields(m, path, reflect.ValueOf(selected).Elem(), []string{"type"})
	}
}

// fields decodes a mapping into a struct; keys named in known are somebody else's. A nil mapping is an empty one.
func (d *decoder) fields(m ast.MapNode, path string, target reflect.Value, known []string) {
	all := fieldsOf(target)
	seen := make(map[string]*token.Position)
	if m != nil {
		for entries := m.MapRange(); entries.Next(); {
			d.entry(entries.KeyValue(), path, all, known, seen)
		}
	}
	for _, f := range all {
		if seen[f.name] == nil {
			d.absent(path, f)
		}
	}
}

func (d *decoder) entry(kv *ast.MappingValueNode, path string, all []field, known []string, seen map[string]*token.Position) {
	name, at := keyText(kv.Key), start(kv)
	report := func(format string, args ...any) {
		d.problems = append(d.problems, Problem{d.name, at.Line, at.Column, path, fmt.Sprintf(format, args...)})
	}
	if first := seen[name]; first != nil {
		report("field %q is given twice, first in line %d", name, first.Line)
		return
	}
	seen[name] = at
	if slices.Contains(known, name) {
		return
	}
	for _, f := range all {
		if f.name == name {
			d.value(kv.Value, join(path, name), f.value, f)
			return
		}
	}
	report("%s", unknown(kv.Key, name, all, known))
}

func unknown(key ast.Node, name string, all []field, known []string) string {
	if key.Type() != ast.StringType {
		return "a field's name must be a plain word"
	}
	names := append([]string(nil), known...)
	for _, f := range all {
		names = append(names, f.name)
	}
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("unknown field %q; did you mean %q?", name, near)
	}
	return fmt.Sprintf("unknown field %q; want one of %s", name, strings.Join(names, ", "))
}

// absent fills in the default of a field that the file does not have, and goes on into structs for theirs.
func (d *decoder) absent(path string, f field) {
	switch {
	case f.required:
		d.Report(path, "required field %q is missing", f.name)
	case f.preset != "":
		if err := assign(f.value, f.preset); err != nil {
			d.Report(join(path, f.name), "%v", err)
		}
	case f.value.Kind() == reflect.Struct && !isText(f.value):
		d.defaults(f.value)
	}
}

// defaults sets the defaults of a struct that the file leaves out; what would be required in it then is not.
func (d *decoder) defaults(target reflect.Value) {
	for _, f := range fieldsOf(target) {
		f.required = false
		d.absent("", f)
	}
}

func (d *decoder) scalar(node ast.Node, path string, target reflect.Value, f field) {
	text, plain, ok := scalarText(node)
	if !ok {
		d.Report(path, "want %s, got %s", wanted(target, f), kind(node))
		return
	}
	expanded, had, err := d.expander.expand(text)
	if err != nil {
		d.Report(path, "%v", err)
		return
	}
	if wantsText(target) && plain && described(target) == nil {
		d.Report(path, "want %s, got %s; put it in quotes", wanted(target, f), kind(node))
		return
	}
	if wantsText(target) == plain && !had {
		d.Report(path, "want %s, got %s", wanted(target, f), kind(node))
		return
	}
	d.assign(path, target, f, expanded, had)
}

func (d *decoder) assign(path string, target reflect.Value, f field, text string, secret bool) {
	if len(f.oneOf) > 0 && !slices.Contains(f.oneOf, text) {
		d.Report(path, "%s", notListed(text, f.oneOf, secret))
		return
	}
	if text == "" {
		d.Report(path, "is empty; want %s", wanted(target, f))
		return
	}
	if err := assign(target, text); err != nil {
		d.Report(path, "%v", err)
	}
}

func notListed(text string, list []string, secret bool) string {
	want := "want " + alternatives(list)
	if near := nearest(text, list); near != "" && !secret {
		return fmt.Sprintf("%q is not a valid word; did you mean %q? (%s)", text, near, want)
	}
	return "not a valid word; " + want
}

// assign sets a scalar from its text. Its errors never hold the text.
func assign(target reflect.Value, text string) error {
	if unmarshaler, ok := target.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return unmarshaler.UnmarshalText([]byte(text))
	}
	switch target.Kind() {
	case reflect.Bool:
		if text != "true" && text != "false" {
			return errors.New("want true or false")
		}
		target.SetBool(text == "true")
	case reflect.Int:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return errors.New("want a whole number between -2147483648 and 2147483647")
		}
		target.SetInt(n)
	default:
		target.SetString(text)
	}
	return nil
}
