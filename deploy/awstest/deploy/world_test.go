package deploy

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/deploy/awstest/fakes3"
	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

const account1 = "123456789012"

// world is an account, a checkout of a small repository in it, and a PATH of stubs.
type world struct {
	t               *testing.T
	dir, checkout   string
	env             []string
	root, terraform string
}

func newWorld(t *testing.T, engines ...string) *world {
	t.Helper()
	t.Parallel()
	dir := t.TempDir()
	w := &world{t: t, dir: dir, checkout: filepath.Join(dir, "checkout"), terraform: tf.Terraform(t)}
	w.root = filepath.Join(w.checkout, "deploy", "terraform", "arena")
	w.stubs(append([]string{"aws", "curl", "terraform"}, engines...))
	w.file("scripts/deploy", read(t, repository("scripts", "deploy")), 0o755)
	w.file("deploy/terraform/arena/main.tf", read(t, "testdata/main.tf"), 0o644)
	w.file("deploy/docker/sallyport.Dockerfile", "FROM scratch\n", 0o644)
	w.file("deploy/docker/nakama.Dockerfile", "FROM scratch\n", 0o644)
	w.file("main.go", "package committed\n", 0o644)
	w.file(".gitignore", ".terraform*\n", 0o644)
	w.env = append(w.env, fakes3.Start(t).Env()...)
	w.file("deploy/env/dev/backend.hcl", `bucket = "state"
key = "game-dev/terraform.tfstate"
region = "eu-central-1"
use_lockfile = true
use_path_style = true
skip_credentials_validation = true
skip_requesting_account_id = true
skip_s3_checksum = true
`, 0o644)
	w.file("deploy/env/dev/terraform.tfvars", fmt.Sprintf("world = %q\n", dir), 0o644)
	w.configure("")
	for _, name := range []string{"sallyport", "backend"} {
		if err := os.MkdirAll(filepath.Join(dir, "ecr", "game-dev", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.git("init", "-q")
	w.commit()
	return w
}

// configure writes the environment's settings with lines of the test's own.
func (w *world) configure(lines string) {
	w.file("deploy/env/dev/deploy.conf", `ACCOUNT=`+account1+`
REGION=eu-central-1
ROOT=deploy/terraform/arena
PREFIX=game-dev
IMAGES=sallyport_image=sallyport:sallyport
SMOKE_OPEN=/open
SMOKE_GUARDED=/v1/account
SMOKE_SOCKET=/ws
`+lines, 0o644)
}

func (w *world) stubs(names []string) {
	bin := filepath.Join(w.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		w.t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range names {
		w.link(self, filepath.Join(bin, name))
	}
	for _, name := range strings.Fields("sh git tar grep cat cp mktemp mkdir rm sleep tr dirname touch env ls sed") {
		path, err := exec.LookPath(name)
		if err != nil {
			w.t.Fatal(err)
		}
		w.link(path, filepath.Join(bin, name))
	}
	// A binary built with -race sleeps for a second before it ends, in case another thread is about to report. A stub has no other thread,
	// and each deployment calls some fifteen.
	w.env = []string{
		"PATH=" + bin, "HOME=" + w.dir, "WORLD=" + w.dir, "REAL_TERRAFORM=" + w.terraform, "ROOT_DIR=" + w.root, "GORACE=atexit_sleep_ms=0",
		"CHECKPOINT_DISABLE=1", "GOGC=400", "AWS_EC2_METADATA_DISABLED=true", "SMOKE_TRIES=2", "SMOKE_PAUSE=0", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.com",
		"GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.com", "GIT_CONFIG_NOSYSTEM=1",
	}
}

func (w *world) link(from, to string) {
	if err := os.Symlink(from, to); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) git(args ...string) {
	w.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = w.checkout, w.env
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func (w *world) commit() {
	w.t.Helper()
	w.git("add", "-A")
	w.git("commit", "-qm", "arena: open")
}

// file writes a file of the checkout.
func (w *world) file(name, text string, mode os.FileMode) {
	w.t.Helper()
	path := filepath.Join(w.checkout, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		w.t.Fatal(err)
	}
}

// put changes the account: a tag of a repository, or a switch of the stubs.
func (w *world) put(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) remove(name string) { os.Remove(filepath.Join(w.dir, name)) }

func (w *world) get(name string) string {
	data, _ := os.ReadFile(filepath.Join(w.dir, name))
	return strings.TrimSpace(string(data))
}

// calls are the stubs' calls that begin with a prefix.
func (w *world) calls(prefix string) []string {
	var found []string
	for line := range strings.Lines(w.get("calls")) {
		if strings.HasPrefix(line, prefix) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// run is a running script.
type run struct {
	*exec.Cmd
	out bytes.Buffer
}

func (w *world) start(command string, env ...string) *run {
	w.t.Helper()
	r := &run{Cmd: exec.CommandContext(w.t.Context(), filepath.Join(w.checkout, "scripts", "deploy"), command, "dev")}
	r.Dir, r.Env = w.dir, append(append([]string{}, w.env...), env...)
	r.Stdout, r.Stderr = &r.out, &r.out
	if err := r.Start(); err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (r *run) end() (ok bool, out string) {
	return r.Wait() == nil, r.out.String()
}

// succeeds runs the script, which must do what it is told.
func (w *world) succeeds(command string, env ...string) string {
	w.t.Helper()
	ok, out := w.start(command, env...).end()
	if !ok {
		w.t.Fatalf("%s failed:\n%s", command, out)
	}
	return out
}

// fails runs the script, which must fail and say so.
func (w *world) fails(says, command string, env ...string) string {
	w.t.Helper()
	ok, out := w.start(command, env...).end()
	if ok || !strings.Contains(out, says) {
		w.t.Fatalf("%s: success %v, want a failure that says %q:\n%s", command, ok, says, out)
	}
	return out
}

// serves says what runs after a deployment: the image of a release.
func (w *world) serves(release int) {
	w.t.Helper()
	tag := w.get(fmt.Sprintf("ecr/game-dev/sallyport/%d", release))
	if got := w.get("running"); tag == "" || !strings.Contains(got, registry+"sallyport@"+tag) {
		w.t.Fatalf("running is %q, want release %d, %s", got, release, tag)
	}
}

const registry = account1 + ".dkr.ecr.eu-central-1.amazonaws.com/game-dev/"

func repository(path ...string) string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(append([]string{filepath.Dir(file), "..", "..", ".."}, path...)...)
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
