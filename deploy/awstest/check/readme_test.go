package check

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

var update = flag.Bool("update", false, "write the tables of the modules' READMEs anew")

const generated = "<!-- From here on generated of the code: cd deploy/awstest && go test ./check -run TestReadmes -update -->\n"

// TestReadmes: the tables of variables and outputs in each README are those of the code.
func TestReadmes(t *testing.T) {
	for _, module := range tf.Modules(t) {
		path := filepath.Join(tf.Root(), module, "README.md")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%s has no README.md: %v", module, err)
			continue
		}
		written, _, marked := bytes.Cut(text, []byte(generated))
		want := string(written) + generated + tables(t, filepath.Join(tf.Root(), module))
		switch {
		case !marked || len(bytes.TrimSpace(written)) < 100:
			t.Errorf("%s: the README says nothing of its own, or lacks the line %s", module, generated)
		case *update:
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Error(err)
			}
		case want != string(text):
			t.Errorf("%s: the README's tables are not the code's; run go test ./check -run TestReadmes -update", module)
		}
	}
}

func tables(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("\n## Variables\n\n| name | type | default | what it is |\n|---|---|---|---|\n")
	for _, v := range declared(t, filepath.Join(dir, "variables.tf"), "variable") {
		fallback := "required"
		if v.text["default"] != "" {
			fallback = "`" + v.text["default"] + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", v.name, cell(v.text["type"]), cell(fallback), cell(v.description))
	}
	b.WriteString("\n## Outputs\n\n| name | what it is |\n|---|---|\n")
	for _, o := range declared(t, filepath.Join(dir, "outputs.tf"), "output") {
		fmt.Fprintf(&b, "| `%s` | %s |\n", o.name, cell(o.description))
	}
	return b.String()
}

// cell makes a text fit into one cell of a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

// declaration is a variable or an output.
type declaration struct {
	name, description string
	text              map[string]string // an argument's source
}

func declared(t *testing.T, file, kind string) []declaration {
	t.Helper()
	parsed, diagnostics := hclparse.NewParser().ParseHCLFile(file)
	if diagnostics.HasErrors() {
		t.Fatal(diagnostics)
	}
	var found []declaration
	for _, block := range parsed.Body.(*hclsyntax.Body).Blocks {
		if block.Type != kind {
			continue
		}
		d := declaration{name: block.Labels[0], text: map[string]string{}}
		for name, attribute := range block.Body.Attributes {
			d.text[name] = source(parsed.Bytes, attribute.Expr.Range())
			if value, diagnostics := attribute.Expr.Value(nil); name == "description" && !diagnostics.HasErrors() {
				d.description = value.AsString()
			}
		}
		found = append(found, d)
	}
	slices.SortFunc(found, func(a, b declaration) int { return strings.Compare(a.name, b.name) })
	return found
}

func source(file []byte, r hcl.Range) string { return string(r.SliceBytes(file)) }
