package jws

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Decode stores the object in the value that v points to, as encoding/json does, but names are compared exactly: a
// member whose name is a field's but for its case is an error, at every depth.
func (o Object) Decode(v any) error {
	target := reflect.TypeOf(v)
	if target == nil || target.Kind() != reflect.Pointer {
		return errors.New("jws: Decode wants a pointer")
	}
	if err := exactNames(target, o); err != nil {
		return err
	}
	text, _ := o.MarshalJSON()
	err := json.Unmarshal(text, v)
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return fmt.Errorf("jws: member %q does not fit a field of type %s", mismatch.Field, mismatch.Type)
	}
	if err != nil {
		return fmt.Errorf("jws: the object does not decode: %w", err)
	}
	return nil
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// exactNames compares the names of o with the field names of a struct type, and goes down into its fields.
func exactNames(t reflect.Type, o Object) error {
	for t.Kind() == reflect.Pointer && !t.Implements(unmarshaler) {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.Implements(unmarshaler) || reflect.PointerTo(t).Implements(unmarshaler) {
		return nil
	}
	fields := make(map[string]reflect.Type)
	addFields(fields, t, maxDepth)
	for name := range o.Names() {
		if err := exactField(fields, o, name); err != nil {
			return err
		}
	}
	return nil
}

func exactField(fields map[string]reflect.Type, o Object, name string) error {
	if t, found := fields[name]; found {
		return exactValue(t, o, name)
	}
	for field := range fields {
		if strings.EqualFold(field, name) {
			return fmt.Errorf("jws: a member's name differs from field %q only by case", field)
		}
	}
	return nil
}

// exactValue goes down into an object or an array of objects.
func exactValue(t reflect.Type, o Object, name string) error {
	if child, ok := o.Object(name); ok {
		return exactNames(t, child)
	}
	children, _ := o.Objects(name)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Slice && t.Kind() != reflect.Array {
		return nil
	}
	for _, child := range children {
		if err := exactNames(t.Elem(), child); err != nil {
			return err
		}
	}
	return nil
}

// addFields collects the JSON names of a struct's fields, those of embedded structs included; depth ends the search
// among types that embed each other.
func addFields(fields map[string]reflect.Type, t reflect.Type, depth int) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		embedded := f.Type
		if embedded.Kind() == reflect.Pointer {
			embedded = embedded.Elem()
		}
		switch {
		case name == "-" && f.Tag.Get("json") == "-":
		case f.Anonymous && name == "" && embedded.Kind() == reflect.Struct:
			if depth > 0 {
				addFields(fields, embedded, depth-1)
			}
		case !f.IsExported():
		case name == "":
			fields[f.Name] = f.Type
		default:
			fields[name] = f.Type
		}
	}
}
