package check

import (
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

// TestMain has the linters built while the modules are tested, unless only some tests run.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.run").Value.String() == "" {
		tf.Begin(tf.Conftest, tf.TFLint, tf.Tfsec)
	}
	os.Exit(m.Run())
}

// lint runs a linter and fails the test with what it prints unless it is content.
func lint(t *testing.T, dir, tool string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", filepath.Base(tool), strings.Join(args, " "), err, out)
	}
}

func conftest(t *testing.T, args ...string) {
	t.Helper()
	lint(t, tf.Root(), tf.Tool(t, tf.Conftest), append([]string{"test", "--no-color"}, args...)...)
}

func TestCodePolicies(t *testing.T) {
	t.Parallel()
	conftest(t, append([]string{"--parser", "hcl2", "--policy", "policy/code"}, sources(t)...)...)
}

// sources are the .tf files of the tree, relative to it.
func sources(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(tf.Root(), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".tf") && !strings.Contains(path, ".terraform") {
			relative, _ := filepath.Rel(tf.Root(), path)
			files = append(files, relative)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	return files
}

func TestTFLint(t *testing.T) {
	t.Parallel()
	tool := tf.Tool(t, tf.TFLint)
	for _, module := range tf.Modules(t) {
		lint(t, filepath.Join(tf.Root(), module), tool, "--no-color", "--config", filepath.Join(tf.Root(), ".tflint.hcl"))
	}
}

func TestTfsec(t *testing.T) {
	t.Parallel()
	tool := tf.Tool(t, tf.Tfsec)
	tree := tf.Copy(t) // without .terraform, whose copies of modules would be looked at as well
	for _, root := range append([]string{"bootstrap"}, tf.Examples...) {
		lint(t, filepath.Join(tree.Dir, root), tool, "--no-color", "--concise-output", "--minimum-severity", "LOW")
	}
}
