// Package tf runs Terraform over copies of the modules in deploy/terraform, so that tests need no AWS account.
//
//	tree := tf.Copy(t)                                   // a temporary copy of deploy/terraform, every module inside
//	tree.Init(t, "examples/minimal")
//	applied := tree.Apply(t, "examples/minimal", map[string]any{"topology": "gate"})
//	for _, lb := range applied.OfType("aws_lb") { … lb.Values["internal"] … }
//
// The provider is the stand-in of package standin, which serves the schema of hashicorp/aws 6.66.0. With
// SALLYPORT_AWS_REGISTRY=1 the same calls use the real provider out of the real registry; values that AWS would choose
// are then mocked by terraform test, so that no account is needed either. Linters that are missing are
// installed by go install into the user's cache folder; terraform itself must be there.
package tf

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// RegistryEnv is the switch: set to 1, the tests use the real provider and need its registry.
const RegistryEnv = "SALLYPORT_AWS_REGISTRY"

// patience is how long one run of a command may take. It only has to end what hangs.
const patience = 10 * time.Minute

// Real reports whether the tests run with the real provider.
func Real() bool { return os.Getenv(RegistryEnv) == "1" }

// Root is the folder deploy/terraform of this checkout.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "terraform")
}

// Tree is a copy of deploy/terraform that a test may run in and spoil.
type Tree struct {
	// Dir is its folder, absolute.
	Dir string
	// Env is added to the environment of every command, NAME=value.
	Env []string
}

// Copy copies deploy/terraform into a folder of the test. A lock file or state that a command leaves there is not
// committed by accident, and the stand-in's checksum never gets into one that is.
func Copy(t testing.TB) *Tree {
	t.Helper()
	tree := &Tree{Dir: filepath.Join(t.TempDir(), "terraform")}
	if err := os.CopyFS(tree.Dir, os.DirFS(Root())); err != nil {
		t.Fatalf("copy the modules: %v", err)
	}
	return tree
}

// Clone copies the tree as it is now, with what Init left in it, into a folder of the test. It takes a second less than
// Copy and Init.
func (tree *Tree) Clone(t testing.TB) *Tree {
	t.Helper()
	clone := &Tree{Dir: filepath.Join(t.TempDir(), "terraform"), Env: slices.Clone(tree.Env)}
	if out, err := exec.Command("cp", "-a", tree.Dir, clone.Dir).CombinedOutput(); err != nil {
		t.Fatalf("copy the modules: %v\n%s", err, out)
	}
	return clone
}

// Result is the end of one command.
type Result struct {
	// Stdout and Stderr are what it printed.
	Stdout, Stderr string
	// Code is its exit status.
	Code int
}

// Output is everything that it printed.
func (r Result) Output() string { return r.Stdout + r.Stderr }

// Errors is what it printed from the first error on, or its last 4 kB.
func (r Result) Errors() string {
	if _, after, found := strings.Cut(r.Output(), "Error:"); found {
		return "Error:" + after
	}
	return r.Output()[max(0, len(r.Output())-4096):]
}

// Run runs terraform in a module of the tree, such as examples/minimal, and reports how it ended.
func (tree *Tree) Run(t testing.TB, module string, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return tree.Command(t, ctx, module, args...).result(t)
}

// Must is Run for a command that has to succeed. It returns what it printed on standard output.
func (tree *Tree) Must(t testing.TB, module string, args ...string) string {
	t.Helper()
	r := tree.Run(t, module, args...)
	if r.Code != 0 {
		t.Fatalf("terraform %s in %s: exit status %d\n%s", strings.Join(args, " "), module, r.Code, r.Errors())
	}
	return r.Stdout
}

// Cmd is a terraform that was prepared and not started.
type Cmd struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
}

// Command prepares terraform in a module of the tree, for a test that has two of them run at once.
func (tree *Tree) Command(t testing.TB, ctx context.Context, module string, args ...string) *Cmd {
	t.Helper()
	c := &Cmd{Cmd: exec.CommandContext(ctx, Terraform(t), args...)}
	c.Dir = filepath.Join(tree.Dir, module)
	c.Env = append(environment(t), tree.Env...)
	c.Stdout, c.Stderr = &c.stdout, &c.stderr
	c.WaitDelay = 10 * time.Second
	return c
}

// Finish waits for a command that was started and reports how it ended.
func (c *Cmd) Finish(t testing.TB) Result {
	t.Helper()
	return c.end(t, c.Wait())
}

func (c *Cmd) result(t testing.TB) Result {
	t.Helper()
	return c.end(t, c.Cmd.Run())
}

func (c *Cmd) end(t testing.TB, err error) Result {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("terraform: %v\n%s", err, c.stderr.String())
	}
	return Result{Stdout: c.stdout.String(), Stderr: c.stderr.String(), Code: c.ProcessState.ExitCode()}
}

// Init prepares a module of the tree for the other commands, with its state in a local file.
func (tree *Tree) Init(t testing.TB, module string) {
	t.Helper()
	versions, err := os.ReadFile(filepath.Join(tree.Dir, module, "versions.tf"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(versions, []byte("backend \"s3\"")) {
		tree.write(t, filepath.Join(module, "backend_override.tf"), "terraform {\n  backend \"local\" {}\n}\n")
	}
	tree.Must(t, module, "init", "-input=false", "-no-color")
}

// StubPasswords makes the module that draws passwords give fixed ones, because terraform test cannot mock what is ephemeral.
func (tree *Tree) StubPasswords(t testing.TB) {
	t.Helper()
	tree.write(t, "modules/passwords/main.tf", "")
	tree.write(t, "modules/passwords/outputs.tf", `output "values" {
  value     = { for name in var.names : name => "stub-password-of-forty-characters-${substr(sha256(name), 0, 8)}" }
  sensitive = true
}
`)
}

func (tree *Tree) write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(tree.Dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// environment is that of every terraform: no account, no telemetry, and the stand-in unless the real provider is asked for.
func environment(t testing.TB) []string {
	t.Helper()
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TF_") && !strings.HasPrefix(v, "AWS_") {
			env = append(env, v)
		}
	}
	// Each process lives for seconds, so that collecting less garbage saves a quarter of its work. The stand-in would write thousands of
	// lines of its trace, which terraform reads and throws away.
	env = append(env, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "AWS_EC2_METADATA_DISABLED=true", "AWS_REGION=us-east-1", "GOGC=400",
		"TF_LOG_SDK=off", "TF_LOG_SDK_PROTO=off")
	if Real() {
		return append(env, "TF_PLUGIN_CACHE_DIR="+folder(t, "providers"), "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE=1")
	}
	return append(env, "TF_CLI_CONFIG_FILE="+mirror(t))
}

// VarsFile writes the variables of one run beside the module, because command lines hold no lists, and returns the argument.
func (tree *Tree) VarsFile(t testing.TB, module string, vars map[string]any) string {
	t.Helper()
	data, err := json.Marshal(vars)
	if err != nil {
		t.Fatalf("variables: %v", err)
	}
	file, err := os.CreateTemp(filepath.Join(tree.Dir, module), "run-*.tfvars.json")
	if err != nil {
		t.Fatalf("variables: %v", err)
	}
	defer file.Close()
	if _, err := file.Write(data); err != nil {
		t.Fatalf("variables: %v", err)
	}
	return "-var-file=" + filepath.Base(file.Name())
}

// Modules are the folders of deploy/terraform that hold a configuration of their own, relative to it.
func Modules(t testing.TB) []string {
	t.Helper()
	var dirs []string
	for _, pattern := range []string{"modules/*/versions.tf", "examples/*/versions.tf", "versions.tf", "bootstrap/versions.tf"} {
		found, err := filepath.Glob(filepath.Join(Root(), pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			dir, _ := filepath.Rel(Root(), filepath.Dir(path))
			dirs = append(dirs, filepath.ToSlash(dir))
		}
	}
	if len(dirs) == 0 {
		t.Fatal(fmt.Errorf("no module in %s", Root()))
	}
	return dirs
}
