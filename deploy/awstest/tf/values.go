package tf

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Resource is one resource, or one read data source, of a plan or a state.
type Resource struct {
	// Address is its full address, such as module.compute.aws_lb.http.
	Address string `json:"address"`
	// Mode is managed or data.
	Mode string `json:"mode"`
	// Type is its type, such as aws_lb.
	Type string `json:"type"`
	// Name is its name in its module.
	Name string `json:"name"`
	// Values are its arguments and attributes. What is not known in a plan is absent.
	Values map[string]any `json:"values"`
}

// Text is the string at a path of names and indices, such as "default_action.0.type"; empty if there is none.
func (r Resource) Text(path string) string {
	v := r.At(path)
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// At is the value at a path of names and indices; nil if there is none.
func (r Resource) At(path string) any {
	var v any = r.Values
	for word := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[word]
		case []any:
			var i int
			if _, err := fmt.Sscan(word, &i); err != nil || i < 0 || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// Document is a plan or a state in the form of terraform show -json, and what is in it.
type Document struct {
	// JSON is the document, for conftest.
	JSON []byte
	// Resources are those of every module in it.
	Resources []Resource
	// Outputs are the root module's outputs.
	Outputs map[string]any
}

// OfType returns the managed resources of a type.
func (d *Document) OfType(typ string) []Resource {
	var found []Resource
	for _, r := range d.Resources {
		if r.Type == typ && r.Mode == "managed" {
			found = append(found, r)
		}
	}
	return found
}

// ByAddress returns the resource with an address, or one without values.
func (d *Document) ByAddress(address string) Resource {
	for _, r := range d.Resources {
		if r.Address == address {
			return r
		}
	}
	return Resource{Address: address}
}

// Plan plans a module of the tree that was initialised, from nothing.
func (tree *Tree) Plan(t testing.TB, module string, vars map[string]any) *Document {
	t.Helper()
	if Real() {
		return tree.mocked(t, module, vars, "plan")
	}
	tree.Must(t, module, "plan", "-input=false", "-no-color", "-refresh=false", "-out=plan.bin", tree.VarsFile(t, module, vars))
	return parse(t, []byte(tree.Must(t, module, "show", "-json", "plan.bin")), "planned_values")
}

// Apply applies a module of the tree that was initialised, and returns its state, in which everything is known. It stands
// for no account: the values that AWS would choose are the stand-in's, or mocked.
func (tree *Tree) Apply(t testing.TB, module string, vars map[string]any) *Document {
	t.Helper()
	if Real() {
		return tree.mocked(t, module, vars, "apply")
	}
	tree.Must(t, module, "apply", "-auto-approve", "-input=false", "-no-color", tree.VarsFile(t, module, vars))
	return tree.State(t, module)
}

// ApplyPlan is Apply of what Plan has planned, which saves planning again.
func (tree *Tree) ApplyPlan(t testing.TB, module string, vars map[string]any) *Document {
	t.Helper()
	if Real() {
		return tree.mocked(t, module, vars, "apply")
	}
	tree.Must(t, module, "apply", "-input=false", "-no-color", "plan.bin")
	return tree.State(t, module)
}

// State is the state of a module that was applied.
func (tree *Tree) State(t testing.TB, module string) *Document {
	t.Helper()
	return parse(t, []byte(tree.Must(t, module, "show", "-json")), "values")
}

// mocked plans or applies under terraform test, which asks the real provider for its schema and its checks alone.
func (tree *Tree) mocked(t testing.TB, module string, vars map[string]any, command string) *Document {
	t.Helper()
	up, err := filepath.Rel(filepath.Join(tree.Dir, module), filepath.Join(tree.Dir, "mocks"))
	if err != nil {
		t.Fatal(err)
	}
	tree.StubPasswords(t)
	if err := os.MkdirAll(filepath.Join(tree.Dir, module, "mocked"), 0o755); err != nil {
		t.Fatal(err)
	}
	tree.write(t, filepath.Join(module, "mocked", "it.tftest.hcl"),
		fmt.Sprintf("mock_provider \"aws\" {\n  source = %q\n}\n\nrun \"it\" {\n  command = %s\n}\n", up, command))
	tree.Must(t, module, "init", "-backend=false", "-input=false", "-no-color", "-test-directory=mocked")
	out := tree.Must(t, module, "test", "-json", "-verbose", "-test-directory=mocked", tree.VarsFile(t, module, vars))
	return fromTest(t, out, command)
}

// fromTest finds the plan or the state among the messages of terraform test -json -verbose.
func fromTest(t testing.TB, out, command string) *Document {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(out))
	lines.Buffer(nil, 1<<30)
	for lines.Scan() {
		var message struct {
			Plan  map[string]any `json:"test_plan"`
			State map[string]any `json:"test_state"`
		}
		if json.Unmarshal(lines.Bytes(), &message) != nil {
			continue
		}
		if command == "plan" && message.Plan != nil {
			return fromChanges(t, message.Plan)
		}
		if command == "apply" && message.State != nil {
			data, _ := json.Marshal(map[string]any{"format_version": "1.0", "values": map[string]any{
				"root_module": message.State["root_module"], "outputs": message.State["outputs"],
			}})
			return parse(t, data, "values")
		}
	}
	t.Fatalf("terraform test shows no %s:\n%s", command, out)
	return nil
}

// fromChanges makes a plan's planned values out of its changes, which is all that terraform test shows.
func fromChanges(t testing.TB, plan map[string]any) *Document {
	t.Helper()
	var resources []any
	changes, _ := plan["resource_changes"].([]any)
	for _, c := range changes {
		change, _ := c.(map[string]any)
		if inner, ok := change["change"].(map[string]any); ok {
			change["values"] = inner["after"]
			delete(change, "change")
		}
		resources = append(resources, change)
	}
	data, err := json.Marshal(map[string]any{
		"format_version": "1.2",
		"planned_values": map[string]any{"root_module": map[string]any{"resources": resources}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, data, "planned_values")
}

type moduleValues struct {
	Resources []Resource     `json:"resources"`
	Children  []moduleValues `json:"child_modules"`
}

func (m moduleValues) all() []Resource {
	found := m.Resources
	for _, child := range m.Children {
		found = append(found, child.all()...)
	}
	return found
}

func parse(t testing.TB, data []byte, member string) *Document {
	t.Helper()
	var members map[string]json.RawMessage
	var values struct {
		Root    moduleValues `json:"root_module"`
		Outputs map[string]struct {
			Value any `json:"value"`
		} `json:"outputs"`
	}
	if err := json.Unmarshal(data, &members); err != nil {
		t.Fatalf("terraform show -json: %v", err)
	}
	if raw, ok := members[member]; !ok || json.Unmarshal(raw, &values) != nil {
		t.Fatalf("terraform show -json has no %s", member)
	}
	d := &Document{JSON: data, Resources: values.Root.all(), Outputs: map[string]any{}}
	for name, output := range values.Outputs {
		d.Outputs[name] = output.Value
	}
	return d
}
