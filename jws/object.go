package jws

import (
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
)

// Object is one JSON object that was parsed strictly: see [ParseObject]. The zero value is the empty object. An Object
// is immutable and may be shared between goroutines.
//
// For an absent member and for one of another type the accessors both return false; Has tells them apart.
type Object struct {
	// text is the object as it was written, size bytes, and behind it the table of its members, 4 bytes
	// each. So an object needs one small allocation without pointers, which costs a verification least.
	text        string
	size, count uint32
}

// ParseObject parses exactly one JSON object (RFC 8259). It refuses what two parsers could read in two ways: invalid
// UTF-8 and lone surrogates, names that are there twice or differ only by case (at every depth), a name that differs
// only by case from a registered one such as "sub" (at the top), more than 8 levels of nesting, anything after the
// object, and more than 16 MiB. The error is a *[Refusal] with reason Malformed; it holds nothing of data.
func ParseObject(data []byte) (Object, error) {
	if len(data) > maxObject {
		return Object{}, malformed("", wantSmall)
	}
	s := scratches.Get().(*scratch)
	defer s.release()
	return s.object(append(s.buf[:0], data...), 0)
}

// Has reports whether there is a member with that name, of whatever type; null counts.
func (o Object) Has(name string) bool {
	_, _, found := o.find(name)
	return found
}

// value returns the value of a member as it was written, "" if the member is absent.
func (o Object) value(name string) string {
	i, quote, found := o.find(name)
	if !found {
		return ""
	}
	return o.raw(i, quote)
}

// String returns a string member.
func (o Object) String(name string) (string, bool) { return stringOf(o.value(name)) }

// Strings returns a member that is a string or an array of strings, as aud is (RFC 7519 section 4.1.3).
func (o Object) Strings(name string) ([]string, bool) {
	raw := o.value(name)
	if s, ok := stringOf(raw); ok {
		return []string{s}, true
	}
	list := []string{}
	ok := elements(raw, func(raw string) bool {
		s, isString := stringOf(raw)
		list = append(list, s)
		return isString
	})
	if !ok {
		return nil, false
	}
	return list, true
}

// Int64 returns a number member that is written as an integer, without fraction and exponent, and fits.
func (o Object) Int64(name string) (int64, bool) {
	raw := o.value(name)
	if raw == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(raw, 10, 64)
	return n, err == nil
}

// Bool returns a member that is true or false.
func (o Object) Bool(name string) (value, ok bool) {
	raw := o.value(name)
	return raw == "true", raw == "true" || raw == "false"
}

// Object returns a member that is an object.
func (o Object) Object(name string) (Object, bool) { return nested(o.value(name)) }

// Objects returns a member that is an array of objects.
func (o Object) Objects(name string) ([]Object, bool) {
	list := []Object{}
	ok := elements(o.value(name), func(raw string) bool {
		child, isObject := nested(raw)
		list = append(list, child)
		return isObject
	})
	if !ok {
		return nil, false
	}
	return list, true
}

// StringMap returns a member that is an object with string values only, as Nakama's vrs is.
func (o Object) StringMap(name string) (map[string]string, bool) {
	child, ok := o.Object(name)
	if !ok {
		return nil, false
	}
	values := make(map[string]string, child.Len())
	for i := range child.Len() {
		key, raw := child.entry(i)
		if values[key], ok = stringOf(raw); !ok {
			return nil, false
		}
	}
	return values, true
}

// Raw returns a copy of a member's JSON text as it was written, nil if the member is absent.
func (o Object) Raw(name string) []byte {
	if raw := o.value(name); raw != "" {
		return []byte(raw)
	}
	return nil
}

// Names yields the names in the order in which they were written.
func (o Object) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range o.Len() {
			if name, _ := o.entry(i); !yield(name) {
				return
			}
		}
	}
}

// Len returns the number of members.
func (o Object) Len() int { return int(o.count) }

// MarshalJSON returns the object's text as it was parsed.
func (o Object) MarshalJSON() ([]byte, error) {
	if o.size == 0 {
		return []byte("{}"), nil
	}
	return []byte(o.text[:o.size]), nil
}

// Format prints the number of members and none of their values, whatever the verb, so that claims do not enter a log
// by accident.
func (o Object) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "jws.Object(%d members)", o.Len()) }

var _ json.Marshaler = Object{}
