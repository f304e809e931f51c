package tf

import (
	"slices"
	"testing"
)

// TestMocked: with the real provider plans and states come out of terraform test. What it shows there must be what plan and
// apply show here, or the same tests would look at something else.
func TestMocked(t *testing.T) {
	base, vars := Copy(t), ExampleVars("nakama", "nlb")
	base.Init(t, Examples[0])
	applied := base.Clone(t).Apply(t, Examples[0], vars)
	want := addresses(applied)
	for _, command := range []string{"plan", "apply"} {
		mocked := base.Clone(t).mocked(t, Examples[0], vars, command)
		if got := addresses(mocked); !slices.Equal(got, want) {
			t.Errorf("%s shows %d resources, want the %d that are applied", command, len(got), len(want))
		}
		for _, lb := range mocked.OfType("aws_lb") {
			if lb.Text("internal") != "true" {
				t.Errorf("%s shows %s without its values: %v", command, lb.Address, lb.Values)
			}
		}
		if command == "apply" && mocked.Outputs["url"] != applied.Outputs["url"] {
			t.Errorf("%s shows the outputs %v", command, mocked.Outputs)
		}
	}
}

// addresses are those of the managed resources, because a plan has no data sources.
func addresses(d *Document) []string {
	var found []string
	for _, r := range d.Resources {
		if r.Mode == "managed" {
			found = append(found, r.Address)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func TestAt(t *testing.T) {
	r := Resource{Values: map[string]any{"a": []any{map[string]any{"b": "x", "n": 1.0}}}}
	for path, want := range map[string]string{"a.0.b": "x", "a.0.n": "1", "a.1.b": "", "a.b": "", "a.-1.b": "", "b": "", "a.0.b.c": ""} {
		if got := r.Text(path); got != want {
			t.Errorf("Text(%q) = %q, want %q", path, got, want)
		}
	}
}
