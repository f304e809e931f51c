package check

import (
	"regexp"
	"testing"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

func TestFormat(t *testing.T) {
	tree := tf.Copy(t)
	if r := tree.Run(t, ".", "fmt", "-check", "-recursive", "-diff"); r.Code != 0 {
		t.Errorf("not formatted (run terraform fmt -recursive deploy/terraform):\n%s", r.Output())
	}
}

var passed = regexp.MustCompile(`Success! (\d+) passed, 0 failed\.`)

// TestModules validates every module, and runs the tests that stand beside it.
func TestModules(t *testing.T) {
	tree := tf.Copy(t)
	tree.StubPasswords(t)
	for _, module := range tf.Modules(t) {
		t.Run(module, func(t *testing.T) {
			tree.Init(t, module)
			tree.Must(t, module, "validate", "-no-color")
			r := tree.Run(t, module, "test", "-no-color")
			count := passed.FindStringSubmatch(r.Stdout)
			if r.Code != 0 || count == nil {
				t.Fatalf("terraform test: exit status %d\n%s", r.Code, r.Output())
			}
			if count[1] == "0" {
				t.Error("the module has no tests")
			}
			t.Logf("%s passed", count[1])
		})
	}
}
