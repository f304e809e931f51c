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
	data    string
	members []member
}

// member is one name and its value. The name's span is without quotes, the value's is all of it, quotes included.
type member struct{ name, value span }

// span is a part of an object's data. A member is 16 bytes, so that a token and its members are one small allocation.
type span struct {
	start uint32
	// last is the end, with the bit spanEscaped set for a string with escapes.
	last uint32
}

const spanEscaped = 1 << 31

func newSpan(start, end int, escaped bool) span {
	last := uint32(end)
	if escaped {
		last |= spanEscaped
	}
	return span{uint32(start), last}
}

func (s span) escaped() bool { return s.last >= spanEscaped }

func (s span) of(data string) string { return data[s.start : s.last&^spanEscaped] }

// ParseObject parses exactly one JSON object (RFC 8259). It refuses what two parsers could read in two ways: invalid
// UTF-8 and lone surrogates, names that are there twice or differ only by case (at every depth), a name that differs
// only by case from a registered one such as "sub" (at the top), more than 8 levels of nesting, anything after the
// object, and more than 16 MiB. The error is a *[Refusal] with reason Malformed; it holds nothing of data.
func ParseObject(data []byte) (Object, error) { return parseObject(string(data), nil) }

// Has reports whether there is a member with that name, of whatever type; null counts.
func (o Object) Has(name string) bool { return o.find(name) != nil }

// String returns a string member.
func (o Object) String(name string) (string, bool) {
	m := o.find(name)
	if m == nil || o.data[m.value.start] != '"' {
		return "", false
	}
	return o.text(m), true
}

// Strings returns a member that is a string or an array of strings, as aud is (RFC 7519 section 4.1.3).
func (o Object) Strings(name string) ([]string, bool) {
	m := o.find(name)
	if m == nil {
		return nil, false
	}
	if o.data[m.value.start] == '"' {
		return []string{o.text(m)}, true
	}
	list := []string{}
	ok := elements(o.raw(m), func(raw string) bool {
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
	m := o.find(name)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(o.raw(m), 10, 64)
	return n, err == nil
}

// Bool returns a member that is true or false.
func (o Object) Bool(name string) (value, ok bool) {
	m := o.find(name)
	if m == nil {
		return false, false
	}
	raw := o.raw(m)
	return raw == "true", raw == "true" || raw == "false"
}

// Object returns a member that is an object.
func (o Object) Object(name string) (Object, bool) {
	m := o.find(name)
	if m == nil {
		return Object{}, false
	}
	return nested(o.raw(m))
}

// Objects returns a member that is an array of objects.
func (o Object) Objects(name string) ([]Object, bool) {
	m := o.find(name)
	if m == nil {
		return nil, false
	}
	list := []Object{}
	ok := elements(o.raw(m), func(raw string) bool {
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
	for i := range child.members {
		m := &child.members[i]
		if values[child.name(m)], ok = stringOf(child.raw(m)); !ok {
			return nil, false
		}
	}
	return values, true
}

// Raw returns a copy of a member's JSON text as it was written, nil if the member is absent.
func (o Object) Raw(name string) []byte {
	m := o.find(name)
	if m == nil {
		return nil
	}
	return []byte(o.raw(m))
}

// Names yields the names in the order in which they were written.
func (o Object) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range o.members {
			if !yield(o.name(&o.members[i])) {
				return
			}
		}
	}
}

// Len returns the number of members.
func (o Object) Len() int { return len(o.members) }

// MarshalJSON returns the object's text as it was parsed.
func (o Object) MarshalJSON() ([]byte, error) {
	if o.data == "" {
		return []byte("{}"), nil
	}
	return []byte(o.data), nil
}

// Format prints the number of members and none of their values, whatever the verb, so that claims do not enter a log
// by accident.
func (o Object) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "jws.Object(%d members)", len(o.members)) }

var _ json.Marshaler = Object{}

func (o Object) find(name string) *member {
	for i := range o.members {
		m := &o.members[i]
		if m.name.of(o.data) == name && !m.name.escaped() || m.name.escaped() && o.name(m) == name {
			return m
		}
	}
	return nil
}

func (o Object) name(m *member) string {
	if m.name.escaped() {
		return unescape(m.name.of(o.data))
	}
	return m.name.of(o.data)
}

func (o Object) raw(m *member) string { return m.value.of(o.data) }

// text returns the value of a member that is a string.
func (o Object) text(m *member) string {
	s := m.value.of(o.data)
	s = s[1 : len(s)-1]
	if m.value.escaped() {
		return unescape(s)
	}
	return s
}
