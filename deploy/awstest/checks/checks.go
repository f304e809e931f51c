// Package checks holds an applied deployment against what may never be otherwise: each check has a name, looks at every resource of
// its kind wherever it stands, and says what is wrong with which one. A resource that is missing is as wrong as an open one.
//
//	applied := tree.Apply(t, "modules/sallyport", vars)
//	for _, f := range checks.Deployment(applied, checks.Want{Paths: paths, Sockets: "alb"}) {
//		t.Error(f)
//	}
//
// It wants a state and not a plan, because who may reach whom is known only by ids.
package checks

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

// Finding is one thing that is wrong.
type Finding struct {
	Check   string // the check's name
	Address string // the resource's
	Text    string // what is wrong with it
}

// String is the finding as a sentence.
func (f Finding) String() string { return f.Check + ": " + f.Address + " " + f.Text }

// Want is what is wanted of one deployment in particular.
type Want struct {
	// Paths are all that may have a way in, by HTTP, and SocketPaths those on which sockets open.
	Paths, SocketPaths []string
	// Sockets is the plane that carries them: alb or nlb.
	Sockets string
	// NoDatabase says that there is no database to check.
	NoDatabase bool
}

// scene is what a check looks at, and where it reports.
type scene struct {
	*tf.Document
	want  Want
	check string
	found []Finding
}

type check struct {
	name string
	run  func(*scene)
}

// deployment are the checks of modules/sallyport, bootstrap those of the state's bucket and the repositories.
var (
	deployment = slices.Concat(edgeChecks, balancerChecks, networkChecks, taskChecks, dataChecks, identityChecks, everywhere)
	bootstrap  = slices.Concat(bootstrapChecks, everywhere)
)

// Deployment runs the checks of a whole deployment (modules/sallyport, the examples).
func Deployment(d *tf.Document, want Want) []Finding { return run(deployment, d, want) }

// Bootstrap runs the checks of bootstrap.
func Bootstrap(d *tf.Document) []Finding { return run(bootstrap, d, Want{}) }

// Names are the names of all checks.
func Names() []string {
	var names []string
	for _, c := range slices.Concat(deployment, bootstrap) {
		names = append(names, c.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func run(list []check, d *tf.Document, want Want) []Finding {
	s := &scene{Document: d, want: want}
	for _, c := range list {
		s.check = c.name
		c.run(s)
	}
	return s.found
}

func (s *scene) report(r tf.Resource, format string, args ...any) {
	s.found = append(s.found, Finding{s.check, r.Address, fmt.Sprintf(format, args...)})
}

// each runs f for every resource of a type, of which there must be one at least.
func (s *scene) each(typ string, f func(tf.Resource)) {
	all := s.OfType(typ)
	if len(all) == 0 {
		s.report(tf.Resource{Address: typ}, "is not there at all")
	}
	for _, r := range all {
		f(r)
	}
}

// is reports an attribute whose text is none of those wanted.
func (s *scene) is(r tf.Resource, path string, wanted ...string) {
	if got := r.Text(path); !slices.Contains(wanted, got) {
		s.report(r, "has %s = %q, want %s", path, got, strings.Join(wanted, " or "))
	}
}

// set reports an attribute that is empty.
func (s *scene) set(r tf.Resource, path string) {
	if r.Text(path) == "" {
		s.report(r, "has no %s", path)
	}
}

// same reports a list that is not exactly the one wanted, in any order.
func (s *scene) same(r tf.Resource, what string, got, want []string) {
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		s.report(r, "has %s %q, want %q", what, got, want)
	}
}

// list is the list at a path, each member as a resource of its own so that paths go on in it.
func list(r tf.Resource, path string) []tf.Resource {
	items, _ := r.At(path).([]any)
	var found []tf.Resource
	for _, item := range items {
		values, ok := item.(map[string]any)
		if ok {
			found = append(found, tf.Resource{Address: r.Address, Values: values})
		}
	}
	return found
}

// texts is the list of texts at a path.
func texts(r tf.Resource, path string) []string {
	items, _ := r.At(path).([]any)
	var found []string
	for _, item := range items {
		found = append(found, fmt.Sprint(item))
	}
	return found
}

// statement is one of an IAM policy.
type statement struct {
	Effect           string
	Action, Resource words
	Principal        any
	Condition        map[string]map[string]words
}

// words are a text or a list of texts, as IAM has them.
type words []string

// UnmarshalJSON takes both forms.
func (w *words) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*w = words{one}
		return nil
	}
	var many []string
	err := json.Unmarshal(data, &many)
	*w = many
	return err
}

// statements are those of the policy at a path.
func statements(r tf.Resource, path string) []statement {
	var p struct{ Statement []statement }
	if json.Unmarshal([]byte(r.Text(path)), &p) != nil {
		return nil
	}
	return p.Statement
}
