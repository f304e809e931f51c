package jws

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Decode stores the object in the value that v points to, as encoding/json does, but names are compared exactly: a
// member whose name is a field's but for its case is an error, at every depth. No error quotes a value; that of a type
// with an UnmarshalJSON of its own can be had by errors.As.
func (o Object) Decode(v any) error {
	target := reflect.TypeOf(v)
	if target == nil || target.Kind() != reflect.Pointer {
		return errors.New("jws: Decode wants a pointer")
	}
	text, _ := o.MarshalJSON()
	if err := exactValue(target, strings.TrimLeft(string(text), " \t\r\n")); err != nil {
		return err
	}
	err := json.Unmarshal(text, v)
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return fmt.Errorf("jws: member %q does not fit a field of type %s", mismatch.Field, mismatch.Type)
	}
	if err != nil {
		return &decodeError{err}
	}
	return nil
}

// decodeError keeps an error that may quote a value, without showing it.
type decodeError struct{ cause error }

func (e *decodeError) Error() string {
	return "jws: the object does not decode: a field's own type refuses its value"
}

func (e *decodeError) Unwrap() error { return e.cause }

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// exactValue compares the names in a value's text with the field names of the struct types in t.
func exactValue(t reflect.Type, raw string) error {
	for t.Kind() == reflect.Pointer && !t.Implements(unmarshaler) {
		t = t.Elem()
	}
	if t.Implements(unmarshaler) || reflect.PointerTo(t).Implements(unmarshaler) {
		return nil
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		if o, ok := nested(raw); ok {
			return exactMembers(t, o)
		}
	case reflect.Slice, reflect.Array:
		return exactElements(t.Elem(), raw)
	}
	return nil
}

// exactMembers is exactValue for an object that goes into a struct or a map.
func exactMembers(t reflect.Type, o Object) error {
	fields := make(map[string]reflect.Type)
	if t.Kind() == reflect.Struct {
		addFields(fields, t, maxDepth)
	}
	for i := range o.Len() {
		name, raw := o.entry(i)
		if t.Kind() == reflect.Map {
			fields = map[string]reflect.Type{name: t.Elem()}
		}
		if err := exactField(fields, name, raw); err != nil {
			return err
		}
	}
	return nil
}

func exactField(fields map[string]reflect.Type, name, raw string) error {
	if t, found := fields[name]; found {
		return exactValue(t, raw)
	}
	for field := range fields {
		if strings.EqualFold(field, name) {
			return fmt.Errorf("jws: a member's name differs from field %q only by case", field)
		}
	}
	return nil
}

// exactElements goes down into the elements of an array.
func exactElements(t reflect.Type, raw string) (err error) {
	elements(raw, func(element string) bool {
		err = exactValue(t, element)
		return err == nil
	})
	return err
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
