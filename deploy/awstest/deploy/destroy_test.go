package deploy

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

func TestDestroyAsksFirst(t *testing.T) {
	w := newWorld(t, "docker")
	w.succeeds("deploy")
	w.fails("destroying needs CONFIRM=dev", "destroy")
	w.fails("destroying needs CONFIRM=dev", "destroy", "CONFIRM=prod")
	w.serves(1)
}

func TestDestroyNamesTheProtection(t *testing.T) {
	w := newWorld(t, "docker")
	w.file("deploy/env/dev/terraform.tfvars", "world = \""+w.dir+"\"\ndeletion_protection = true\n", 0o644)
	w.commit()
	w.succeeds("deploy")
	w.fails("deletion protection is on (database, user pool, load balancers): set deletion_protection = false", "destroy", "CONFIRM=dev")
}

func TestDestroy(t *testing.T) {
	w := newWorld(t, "docker")
	w.succeeds("deploy")
	out := w.succeeds("destroy", "CONFIRM=dev")
	if !strings.Contains(out, "dev is gone") || !strings.Contains(out, "is still there; BOOTSTRAP=1 takes it as well") {
		t.Errorf("it does not say what is left:\n%s", out)
	}
	if out := w.succeeds("plan"); !strings.Contains(out, "nothing is deployed yet") {
		t.Errorf("something is left:\n%s", out)
	}
}

// TestDestroyWithBootstrap destroys the real bootstrap, on the stand-in for the provider, after everything else.
func TestDestroyWithBootstrap(t *testing.T) {
	w := newWorld(t, "docker")
	w.bootstrap()
	w.succeeds("deploy")
	out := w.succeeds("destroy", "CONFIRM=dev", "BOOTSTRAP=1")
	if main, boot := strings.Index(out, "dev is gone"), strings.Index(out, "bootstrap is gone"); main < 0 || boot < main {
		t.Errorf("the order is not main, then bootstrap:\n%s", out)
	}
	if left := w.bootstrapState(); len(left) != 0 {
		t.Errorf("%d resources are left", len(left))
	}
}

func TestBootstrapStaysForOtherEnvironments(t *testing.T) {
	w := newWorld(t, "docker")
	w.bootstrap()
	w.file("deploy/env/prod/deploy.conf", read(t, filepath.Join(w.checkout, "deploy/env/dev/deploy.conf")), 0o644)
	w.file("deploy/env/prod/backend.hcl", read(t, filepath.Join(w.checkout, "deploy/env/dev/backend.hcl")), 0o644)
	w.file("deploy/env/prod/terraform.tfvars", read(t, filepath.Join(w.checkout, "deploy/env/dev/terraform.tfvars")), 0o644)
	w.commit()
	w.succeeds("deploy")
	r := exec.Command(filepath.Join(w.checkout, "scripts", "deploy"), "deploy", "prod")
	r.Env = w.env
	if out, err := r.CombinedOutput(); err != nil {
		t.Fatalf("prod: %v\n%s", err, out)
	}
	w.fails("bootstrap stays: its bucket holds the state of prod", "destroy", "CONFIRM=dev", "BOOTSTRAP=1")
	if len(w.bootstrapState()) == 0 {
		t.Error("bootstrap is gone")
	}
}

// bootstrap applies the real bootstrap into the checkout.
func (w *world) bootstrap() {
	w.t.Helper()
	for _, folder := range []string{"bootstrap", "modules", "mocks"} {
		if err := os.CopyFS(filepath.Join(w.checkout, "deploy", "terraform", folder), os.DirFS(filepath.Join(tf.Root(), folder))); err != nil {
			w.t.Fatal(err)
		}
	}
	w.file("deploy/env/dev/bootstrap.tfvars", "name = \"game-dev\"\nregion = \"eu-central-1\"\n", 0o644)
	w.file(".gitignore", ".terraform*\n*.tfstate*\n", 0o644)
	w.commit()
	standin := (&tf.Tree{Dir: w.dir}).Command(w.t, w.t.Context(), ".", "version").Env
	for _, v := range standin {
		if strings.HasPrefix(v, "TF_CLI_CONFIG_FILE=") {
			w.env = append(w.env, v)
		}
	}
	for _, args := range [][]string{{"init"}, {"apply", "-auto-approve", "-var-file=../../env/dev/bootstrap.tfvars"}} {
		cmd := exec.Command(w.terraform, args...)
		cmd.Dir, cmd.Env = filepath.Join(w.checkout, "deploy", "terraform", "bootstrap"), w.env
		if out, err := cmd.CombinedOutput(); err != nil {
			w.t.Fatalf("bootstrap: terraform %v: %v\n%s", args, err, out)
		}
	}
}

func (w *world) bootstrapState() []any {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.checkout, "deploy/terraform/bootstrap/terraform.tfstate"))
	if err != nil {
		w.t.Fatal(err)
	}
	var state struct{ Resources []any }
	if err := json.Unmarshal(data, &state); err != nil {
		w.t.Fatal(err)
	}
	return state.Resources
}
