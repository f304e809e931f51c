package jws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

func object(t *testing.T, text string) jws.Object {
	t.Helper()
	o, err := jws.ParseObject([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

// TestAccessors asks every accessor for members of every type.
func TestAccessors(t *testing.T) {
	t.Parallel()
	o := object(t, `{"s":"a\nb","l":["x","\u0079"],"m":["x",1],"e":[],"i":-42,"f":1.0,"x":1e2,"big":9223372036854775808,`+
		`"t":true,"n":null,"o":{"k":"v"},"p":{"k":1},"os":[{"a":1},{"a":2}],"mixed":[{},1],"\u006eame":"escaped"}`)
	names := slices.Collect(o.Names())
	if len(names) != o.Len() || names[0] != "s" || names[len(names)-1] != "name" {
		t.Errorf("names %q", names)
	}
	got := make(map[string]string)
	for _, name := range append(names, "absent") {
		var fits []string
		if v, ok := o.String(name); ok {
			fits = append(fits, fmt.Sprintf("string %q", v))
		}
		if v, ok := o.Strings(name); ok {
			fits = append(fits, fmt.Sprintf("strings %q", v))
		}
		if v, ok := o.Int64(name); ok {
			fits = append(fits, fmt.Sprintf("int %d", v))
		}
		if v, ok := o.Bool(name); ok {
			fits = append(fits, fmt.Sprintf("bool %v", v))
		}
		if v, ok := o.Object(name); ok {
			fits = append(fits, fmt.Sprintf("object %d", v.Len()))
		}
		if v, ok := o.Objects(name); ok {
			fits = append(fits, fmt.Sprintf("objects %d", len(v)))
		}
		if v, ok := o.StringMap(name); ok {
			fits = append(fits, fmt.Sprintf("map %v", v))
		}
		got[name] = strings.Join(fits, ", ")
		if o.Has(name) == (name == "absent") || (o.Raw(name) == nil) != (name == "absent") {
			t.Errorf("%s: Has is %v, Raw %q", name, o.Has(name), o.Raw(name))
		}
	}
	want := map[string]string{
		"s": `string "a\nb", strings ["a\nb"]`, "l": `strings ["x" "y"]`, "m": "", "e": "strings [], objects 0", "i": "int -42",
		"f": "", "x": "", "big": "", "t": "bool true", "n": "", "o": "object 1, map map[k:v]", "p": "object 1", "os": "objects 2",
		"mixed": "", "name": `string "escaped", strings ["escaped"]`, "absent": "",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for range o.Names() {
		break // a loop may end early
	}
}

func TestZeroObject(t *testing.T) {
	t.Parallel()
	var o jws.Object
	text, err := json.Marshal(o)
	if err != nil || string(text) != "{}" || o.Len() != 0 || o.Has("a") {
		t.Errorf("got %s, %v", text, err)
	}
	var v struct{ A int }
	if err := o.Decode(&v); err != nil {
		t.Error(err)
	}
}

// TestObjectIsNotPrinted: claims must not enter a log by way of a verb.
func TestObjectIsNotPrinted(t *testing.T) {
	t.Parallel()
	o := object(t, `{"email":"someone@example.com"}`)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(verb, o); got != "jws.Object(1 members)" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

type embedded struct {
	Realm string `json:"realm"`
}

type target struct {
	embedded
	*Node
	Subject string    `json:"sub"`
	Level   int       `json:"level"`
	Inner   *inner    `json:"inner"`
	List    []inner   `json:"list"`
	At      time.Time `json:"at"`
	Plain   string
	Hidden  string `json:"-"`
	private int
	Map     map[string]inner `json:"map"`
	Nested  [][]*inner       `json:"nested"`
}

type inner struct {
	Score int `json:"score"`
}

// Node embeds itself, which must not keep Decode busy for ever.
type Node struct{ *Node }

func TestDecode(t *testing.T) {
	t.Parallel()
	var v target
	o := object(t, `{"sub":"a","level":3,"inner":{"score":4},"list":[{"score":5}],"realm":"r","Plain":"p","Hidden":"h","other":{"Score":1}}`)
	if err := o.Decode(&v); err != nil {
		t.Fatal(err)
	}
	if v.Subject != "a" || v.Level != 3 || v.Inner.Score != 4 || v.List[0].Score != 5 || v.Realm != "r" || v.Plain != "p" || v.private != 0 {
		t.Errorf("got %+v", v)
	}
	for text, want := range map[string]string{
		`{"Level":3}`:               `"level" only by case`,
		`{"REALM":"r"}`:             `"realm" only by case`,
		`{"plain":"p"}`:             `"Plain" only by case`,
		`{"inner":{"Score":1}}`:     `"score" only by case`,
		`{"list":[{},{"SCORE":1}]}`: `"score" only by case`,
		// encoding/json leaves out what is null.
		`{"list":[null,{"SCORE":1}]}`:      `"score" only by case`,
		`{"map":{"a":{},"b":{"Score":1}}}`: `"score" only by case`,
		`{"nested":[[],[{"Score":1}]]}`:    `"score" only by case`,
		" \t{\"Level\":3}":                 `"level" only by case`,
		`{"at":"secret value"}`:            "does not decode",
		`{"level":"secret value"}`:         `"level" does not fit a field of type int`,
		`{"at":"yesterday"}`:               "does not decode",
	} {
		err := object(t, text).Decode(new(target))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	var cause *time.ParseError
	if err := object(t, `{"at":"yesterday"}`).Decode(new(target)); !errors.As(err, &cause) {
		t.Errorf("the cause of %v is not found", err)
	}
	for _, v := range []any{nil, target{}} {
		if o.Decode(v) == nil {
			t.Errorf("decoded into %T", v)
		}
	}
	free := make(map[string]any)
	if err := o.Decode(&free); err != nil || len(free) != o.Len() {
		t.Errorf("into a map: %v", err)
	}
}

// TestManyMembersInLinearTime: what reads every member of an object takes as long as its text is, not its square. With a
// look-up for each name the two would take minutes.
func TestManyMembersInLinearTime(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	const many = 300_000
	for i := range many {
		fmt.Fprintf(&b, `,"%d":""`, i)
	}
	text := `{` + b.String()[1:] + `}`
	start := time.Now()
	if keys, skipped, err := jws.ParseX509Set([]byte(text)); err != nil || keys != nil || len(skipped) != many {
		t.Errorf("%d keys, %d skipped, %v", len(keys), len(skipped), err)
	}
	if values, ok := object(t, `{"vrs":`+text+`}`).StringMap("vrs"); !ok || len(values) != many {
		t.Errorf("%d values, %v", len(values), ok)
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("took %v", took)
	}
}

func TestParseObjectTooLarge(t *testing.T) {
	t.Parallel()
	text := `{"a":"` + strings.Repeat("x", 16<<20) + `"}`
	if _, err := jws.ParseObject([]byte(text)); err == nil || !strings.Contains(err.Error(), "16 MiB") {
		t.Errorf("got %v", err)
	}
}
