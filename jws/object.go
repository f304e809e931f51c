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
	// text is the object as it was written, size bytes, and behind it the table of its members, 8 bytes each: all that
	// an object needs is one allocation without pointers, which costs a verification least.
	text        string
	size, count uint32
}

// ParseObject parses exactly one JSON object (RFC 8259). It refuses what two parsers could read in two ways: invalid
// UTF-8 and lone surrogates, names that are there twice or differ only by case (at every depth), a name that differs
// only by case from a registered one such as "sub" (at the top), more than 8 levels of nesting, anything after the
// object, and more than 1 MiB. The error is a *[Refusal] with reason Malformed; it holds nothing of data.
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
	_, found := o.find(name)
	return found
}

// String returns a string member.
func (o Object) String(name string) (string, bool) {
	m, found := o.find(name)
	if !found {
		return "", false
	}
	return o.stringOf(m)
}

// Strings returns a member that is a string or an array of strings, as aud is (RFC 7519 section 4.1.3).
func (o Object) Strings(name string) ([]string, bool) {
	m, found := o.find(name)
	if !found {
		return nil, false
	}
	if s, ok := o.stringOf(m); ok {
		return []string{s}, true
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
	m, found := o.find(name)
	if !found {
		return 0, false
	}
	n, err := strconv.ParseInt(o.raw(m), 10, 64)
	return n, err == nil
}

// Bool returns a member that is true or false.
func (o Object) Bool(name string) (value, ok bool) {
	m, found := o.find(name)
	if !found {
		return false, false
	}
	raw := o.raw(m)
	return raw == "true", raw == "true" || raw == "false"
}

// Object returns a member that is an object.
func (o Object) Object(name string) (Object, bool) {
	m, found := o.find(name)
	if !found {
		return Object{}, false
	}
	return nested(o.raw(m))
}

// Objects returns a member that is an array of objects.
func (o Object) Objects(name string) ([]Object, bool) {
	m, found := o.find(name)
	if !found {
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
	for i := range child.Len() {
		m := child.at(i)
		if values[child.name(m)], ok = child.stringOf(m); !ok {
			return nil, false
		}
	}
	return values, true
}

// Raw returns a copy of a member's JSON text as it was written, nil if the member is absent.
func (o Object) Raw(name string) []byte {
	m, found := o.find(name)
	if !found {
		return nil
	}
	return []byte(o.raw(m))
}

// Names yields the names in the order in which they were written.
func (o Object) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range o.Len() {
			if !yield(o.name(o.at(i))) {
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

// at returns the member of that number.
func (o Object) at(i int) member { return member(eightBytes(o.text[int(o.size)+memberSize*i:])) }

func (o Object) find(name string) (member, bool) {
	for i := range o.Len() {
		m := o.at(i)
		if written := o.text[m.nameStart():m.nameEnd()]; written == name && !m.nameEscaped() || m.nameEscaped() && unescape(written) == name {
			return m, true
		}
	}
	return 0, false
}

func (o Object) name(m member) string {
	written := o.text[m.nameStart():m.nameEnd()]
	if m.nameEscaped() {
		return unescape(written)
	}
	return written
}

// raw returns the value of a member as it was written. Between it and the name's closing quote is a colon.
func (o Object) raw(m member) string {
	colon := skipSpace(o.text, m.nameEnd()+1)
	return o.text[skipSpace(o.text, colon+1):m.valueEnd()]
}

// stringOf returns the value of a member if it is a string.
func (o Object) stringOf(m member) (string, bool) {
	raw := o.raw(m)
	if raw[0] != '"' {
		return "", false
	}
	raw = raw[1 : len(raw)-1]
	if m.valueEscaped() {
		raw = unescape(raw)
	}
	return raw, true
}
