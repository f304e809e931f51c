package check

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/deploy/awstest/fakes3"
	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

const stateKey = "game-test/terraform.tfstate"

// TestLife takes a deployment from bootstrap to destroy, with its state in a bucket.
func TestLife(t *testing.T) {
	if tf.Real() {
		t.Skip("the real provider would want an account; this one is the stand-in's")
	}
	t.Parallel()
	tree, s3 := tf.Copy(t), fakes3.Start(t)
	tree.Env = s3.Env()
	made := bootstrap(t, tree)

	l := &life{tree: tree, s3: s3, vars: tf.ExampleVars("nakama", "alb")}
	l.vars["origin_secret_arn"] = made.Outputs["origin_secret_arn"]
	l.begin(t, fmt.Sprint(made.Outputs["backend_config"]))
	l.state(t, made)
	l.contention(t)
	l.end(t)
	unbootstrap(t, tree)
}

func bootstrap(t *testing.T, tree *tf.Tree) *tf.Document {
	t.Helper()
	tree.Init(t, "bootstrap")
	made := tree.Apply(t, "bootstrap", bootstrapVars())
	policies(t, made.JSON)
	if made.Outputs["deploy_role_arn"] == nil {
		t.Error("no role to deploy with")
	}
	return made
}

func bootstrapVars() map[string]any {
	return map[string]any{"name": "game-test", "region": "eu-central-1", "github_repository": "example/game"}
}

// life is one deployment.
type life struct {
	tree *tf.Tree
	s3   *fakes3.Server
	vars map[string]any
}

const example = "examples/minimal"

// begin initialises with what bootstrap said, applies, and plans again: there must be nothing left to do.
func (l *life) begin(t *testing.T, config string) {
	t.Helper()
	config += "skip_credentials_validation = true\nskip_requesting_account_id = true\nskip_metadata_api_check = true\nuse_path_style = true\n"
	file := filepath.Join(l.tree.Dir, example, "test.s3.tfbackend")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	l.tree.Must(t, example, "init", "-input=false", "-no-color", "-backend-config=test.s3.tfbackend")
	l.tree.Apply(t, example, l.vars)
	if r := l.run(t, "plan", "-detailed-exitcode"); r.Code != 0 {
		t.Errorf("the second plan is not empty (exit status %d):\n%s", r.Code, r.Output())
	}
}

func (l *life) run(t *testing.T, command string, args ...string) tf.Result {
	t.Helper()
	args = append([]string{command, "-input=false", "-no-color", l.tree.VarsFile(t, example, l.vars)}, args...)
	return l.tree.Run(t, example, args...)
}

// state: it lies in the bucket, encrypted with bootstrap's key, was locked, and holds no password.
func (l *life) state(t *testing.T, made *tf.Document) {
	t.Helper()
	state := l.s3.Object(stateKey)
	if !bytes.Contains(state, []byte("aws_cloudfront_distribution")) {
		t.Fatalf("no state in the bucket, %d bytes", len(state))
	}
	for _, drawn := range []string{"mock-random-password", "stub-password"} {
		if bytes.Contains(state, []byte(drawn)) {
			t.Error("a password is in the state")
		}
	}
	// Without the key's name bootstrap's bucket policy refuses the lock as well.
	for _, put := range slices.Concat(l.s3.Puts(stateKey), l.s3.Puts(stateKey+".tflock")) {
		if put.Header.Get("X-Amz-Server-Side-Encryption") != "aws:kms" ||
			put.Header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id") != made.Outputs["kms_key_arn"] {
			t.Errorf("the state or its lock was written with %v", put.Header)
		}
	}
	locks := l.s3.Puts(stateKey + ".tflock")
	if len(locks) == 0 || locks[0].Header.Get("If-None-Match") != "*" {
		t.Errorf("the state was not locked: %d locks", len(locks))
	}
	if l.s3.Object(stateKey+".tflock") != nil {
		t.Error("the lock is still there")
	}
}

// contention: while one run writes the state another one is told who has it, and changes nothing.
func (l *life) contention(t *testing.T) {
	t.Helper()
	l.vars["deletion_protection"] = false
	hold := l.s3.Hold(stateKey)
	first := l.tree.Command(t, t.Context(), example, "apply", "-auto-approve", "-input=false", "-no-color", l.tree.VarsFile(t, example, l.vars))
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-hold.Arrived:
	case <-time.After(5 * time.Minute):
		_ = first.Process.Kill()
		hold.Release()
		t.Fatalf("the first run wrote no state: %s", first.Finish(t).Output())
	}
	second := l.run(t, "plan")
	hold.Release()
	if second.Code == 0 || !strings.Contains(second.Output(), "Error acquiring the state lock") {
		t.Errorf("the second run, exit status %d, was not stopped by the lock:\n%s", second.Code, second.Output())
	}
	if r := first.Finish(t); r.Code != 0 {
		t.Errorf("the first run: exit status %d\n%s", r.Code, r.Errors())
	}
}

// end destroys the deployment; nothing is left of it.
func (l *life) end(t *testing.T) {
	t.Helper()
	if r := l.run(t, "destroy", "-auto-approve"); r.Code != 0 {
		t.Fatalf("destroy: exit status %d\n%s", r.Code, r.Errors())
	}
	if left := l.tree.Must(t, example, "state", "list"); left != "" {
		t.Errorf("destroy left %s", left)
	}
}

// unbootstrap: the state's bucket cannot be destroyed by mistake; and once somebody takes the guards away, all of it can.
func unbootstrap(t *testing.T, tree *tf.Tree) {
	t.Helper()
	destroy := []string{"destroy", "-auto-approve", "-input=false", "-no-color", tree.VarsFile(t, "bootstrap", bootstrapVars())}
	if r := tree.Run(t, "bootstrap", destroy...); r.Code == 0 || !strings.Contains(r.Output(), "prevent_destroy") {
		t.Fatalf("the state's bucket could be destroyed: exit status %d\n%s", r.Code, r.Output())
	}
	main := filepath.Join(tree.Dir, "bootstrap", "main.tf")
	code, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(main, bytes.ReplaceAll(code, []byte("prevent_destroy = true"), []byte("prevent_destroy = false")), 0o600); err != nil {
		t.Fatal(err)
	}
	tree.Must(t, "bootstrap", destroy...)
	if left := tree.Must(t, "bootstrap", "state", "list"); left != "" {
		t.Errorf("destroy left %s", left)
	}
}
