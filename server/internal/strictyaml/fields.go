package strictyaml

import (
	"encoding"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// field is what a struct says of one of its fields by tags:
//
//	yaml:"name" or yaml:"name,required"; oneof:"word word"; default:"value"
//
// Structs embedded without a tag add their fields to those of the struct around them.
type field struct {
	name     string
	required bool
	oneOf    []string
	preset   string
	value    reflect.Value
}

func fieldsOf(target reflect.Value) []field {
	var all []field
	for i := range target.NumField() {
		sf := target.Type().Field(i)
		tag, tagged := sf.Tag.Lookup("yaml")
		switch {
		case sf.Anonymous && !tagged:
			all = append(all, fieldsOf(target.Field(i))...)
		case tagged:
			name, option, _ := strings.Cut(tag, ",")
			all = append(all, field{
				name:     name,
				required: option == "required",
				oneOf:    strings.Fields(sf.Tag.Get("oneof")),
				preset:   sf.Tag.Get("default"),
				value:    target.Field(i),
			})
		}
	}
	return all
}

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

// Described is a type of text that has a form, such as a duration. Its Want names that form, with an example, in place
// of "text".
type Described interface {
	Want() string
}

// isText reports whether a type reads itself from text.
func isText(target reflect.Value) bool {
	return reflect.PointerTo(target.Type()).Implements(textType)
}

func isScalar(target reflect.Value) bool {
	switch target.Kind() {
	case reflect.String, reflect.Bool, reflect.Int:
		return true
	default:
		return false
	}
}

// wantsText reports whether a YAML string is what the target takes, as opposed to a number or a truth value.
func wantsText(target reflect.Value) bool {
	return isText(target) || target.Kind() == reflect.String
}

// wanted names what a field takes, for a reader of the file.
func wanted(target reflect.Value, f field) string {
	switch {
	case len(f.oneOf) > 0 && target.Kind() != reflect.Slice:
		return alternatives(f.oneOf)
	case described(target) != nil:
		return described(target).Want()
	case wantsText(target):
		return "text"
	case target.Kind() == reflect.Bool:
		return "true or false"
	case target.Kind() == reflect.Int:
		return "a whole number"
	case target.Kind() == reflect.Slice:
		return "a list"
	default:
		return "a mapping"
	}
}

func described(target reflect.Value) Described {
	d, _ := target.Interface().(Described)
	return d
}

func alternatives(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return "one of " + strings.Join(words, ", ")
}

// kind names what a node is, for a reader of the file.
func kind(node ast.Node) string {
	switch node.Type() {
	case ast.StringType, ast.LiteralType:
		return "text"
	case ast.IntegerType, ast.FloatType, ast.InfinityType, ast.NanType:
		return "a number"
	case ast.BoolType:
		return "true or false"
	case ast.SequenceType:
		return "a list"
	case ast.MappingType, ast.MappingValueType:
		return "a mapping"
	default:
		return "nothing"
	}
}

// refused says why a node may not be in a configuration, "" if it may.
func refused(node ast.Node) string {
	switch node.Type() {
	case ast.AnchorType, ast.AliasType, ast.MergeKeyType:
		return "anchors, aliases and merge keys are not allowed; write the value out"
	case ast.TagType:
		return "tags (!…) are not allowed"
	case ast.DirectiveType:
		return "directives (%…) are not allowed"
	default:
		return ""
	}
}

// scalarText returns a scalar's text, and whether it is a bare number or truth value instead of a string.
func scalarText(node ast.Node) (text string, plain, ok bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, false, true
	case *ast.LiteralNode:
		return n.Value.Value, false, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return node.GetToken().Value, true, true
	default:
		return "", false, false
	}
}

// keyText returns a mapping key as it is written.
func keyText(key ast.Node) string {
	if s, ok := key.(*ast.StringNode); ok {
		return s.Value
	}
	return key.GetToken().Value
}

// start returns where a node begins; that of a block mapping is its first key.
func start(node ast.Node) *token.Position {
	switch n := node.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 && !n.IsFlowStyle {
			return start(n.Values[0])
		}
	case *ast.MappingValueNode:
		return start(n.Key)
	}
	return node.GetToken().Position
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
