// Package values holds the arguments of a Terraform plan against the values that AWS takes, which the stand-in for the provider knows
// only in part. The table is generated from the API models of the AWS SDK (see generate); it has a row for each argument that our
// modules may set and whose counterpart in the API has an enumeration, bounds or a pattern.
//
//	problems := values.Check(values.AWS(), tree.Plan(t, "examples/complete", vars).Resources)
//	// aws_lb.main: load_balancer_type is "aplication"; AWS takes application, gateway, network
package values

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

//go:generate go run ./generate

//go:embed table.json
var tableJSON []byte

// Rule says what an argument may be. Empty fields say nothing.
type Rule struct {
	OneOf    []string `json:"one_of,omitempty"`
	Min      *float64 `json:"min,omitempty"`      // of a number
	Max      *float64 `json:"max,omitempty"`      // of a number
	Shortest *float64 `json:"shortest,omitempty"` // of a text, in characters
	Longest  *float64 `json:"longest,omitempty"`  // of a text, in characters
	Pattern  string   `json:"pattern,omitempty"`  // of the whole text
}

// Empty says whether the rule allows everything.
func (r Rule) Empty() bool {
	return len(r.OneOf) == 0 && r.Min == nil && r.Max == nil && r.Shortest == nil && r.Longest == nil && r.Pattern == ""
}

// Table is the rules by argument: aws_lb_listener.default_action.type.
type Table map[string]Rule

// AWS is the generated table.
var AWS = sync.OnceValue(func() Table {
	t := Table{}
	if err := json.Unmarshal(tableJSON, &t); err != nil {
		panic("table.json: " + err.Error())
	}
	return t
})

// Problem is an argument with a value that AWS does not take.
type Problem struct {
	Address  string // of the resource: module.compute.aws_lb.internal
	Argument string // within it: default_action.type
	Value    string
	Allowed  string // what the rule says, for people
}

// String is the problem as a sentence.
func (p Problem) String() string {
	return fmt.Sprintf("%s: %s is %q; AWS takes %s", p.Address, p.Argument, p.Value, p.Allowed)
}

// Check holds the resources of a plan or a state against a table.
func Check(t Table, resources []tf.Resource) []Problem {
	var found []Problem
	for _, r := range resources {
		if r.Mode == "managed" {
			found = append(found, t.walk(r.Address, r.Type, "", r.Values)...)
		}
	}
	slices.SortFunc(found, func(a, b Problem) int { return strings.Compare(a.String(), b.String()) })
	return found
}

func (t Table) walk(address, typ, path string, v any) []Problem {
	var found []Problem
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			found = append(found, t.walk(address, typ, strings.TrimPrefix(path+"."+name, "."), inner)...)
		}
	case []any:
		for _, inner := range v {
			found = append(found, t.walk(address, typ, path, inner)...)
		}
	default:
		if r, ok := t[typ+"."+path]; ok && !r.allows(v) {
			found = append(found, Problem{address, path, fmt.Sprint(v), r.String()})
		}
	}
	return found
}

// allows takes null and the empty text: the provider takes both for "not set".
func (r Rule) allows(v any) bool {
	switch v := v.(type) {
	case string:
		return v == "" || r.allowsText(v)
	case float64:
		return (r.Min == nil || v >= *r.Min) && (r.Max == nil || v <= *r.Max) &&
			(len(r.OneOf) == 0 || slices.Contains(r.OneOf, fmt.Sprint(v)))
	default:
		return true
	}
}

func (r Rule) allowsText(s string) bool {
	n := float64(utf8.RuneCountInString(s))
	return (len(r.OneOf) == 0 || slices.Contains(r.OneOf, s)) && (r.Shortest == nil || n >= *r.Shortest) &&
		(r.Longest == nil || n <= *r.Longest) && (r.Pattern == "" || matchesWhole(r.Pattern, s))
}

func matchesWhole(pattern, s string) bool {
	return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(s)
}

// String says what the rule allows.
func (r Rule) String() string {
	var says []string
	if len(r.OneOf) > 0 {
		says = append(says, strings.Join(r.OneOf, ", "))
	}
	says = append(says, bounds(r.Min, r.Max, "")...)
	says = append(says, bounds(r.Shortest, r.Longest, " characters")...)
	if r.Pattern != "" {
		says = append(says, "what matches "+r.Pattern)
	}
	return strings.Join(says, "; ")
}

func bounds(low, high *float64, of string) []string {
	switch {
	case low != nil && high != nil:
		return []string{fmt.Sprintf("%.0f to %.0f%s", *low, *high, of)}
	case low != nil:
		return []string{fmt.Sprintf("at least %.0f%s", *low, of)}
	case high != nil:
		return []string{fmt.Sprintf("at most %.0f%s", *high, of)}
	}
	return nil
}
