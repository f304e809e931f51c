package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFirstDeployment(t *testing.T) {
	w := newWorld(t, "docker")
	out := w.succeeds("deploy")
	w.serves(1)
	if !strings.Contains(out, "release 1 of dev is up: https://d1.example.net") {
		t.Errorf("it does not say so:\n%s", out)
	}
	for _, call := range []string{
		"docker login --username AWS --password-stdin " + account1 + ".dkr.ecr.eu-central-1.amazonaws.com",
		"docker push " + registry + "sallyport:1",
		"aws ecs wait services-stable --cluster arena",
		"curl --silent",
	} {
		if len(w.calls(call)) == 0 {
			t.Errorf("no call %q of\n%s", call, w.get("calls"))
		}
	}
	if build := w.calls("docker build"); len(build) != 1 || !strings.Contains(build[0], "SOURCE_DATE_EPOCH=") ||
		!strings.Contains(build[0], "--platform linux/amd64") {
		t.Errorf("builds: %q", build)
	}
}

func TestTagsAreNumbers(t *testing.T) {
	w := newWorld(t, "docker")
	for _, tag := range strings.Fields("1 2 3 8 9 latest 09 010 v12 9-rc1") {
		w.put("ecr/game-dev/sallyport/"+tag, "sha256:old")
	}
	w.succeeds("deploy")
	w.serves(10)
	w.succeeds("deploy")
	w.serves(11)
}

func TestTwoImagesHaveOneNumber(t *testing.T) {
	w := newWorld(t, "docker")
	w.configure("IMAGES='sallyport_image=sallyport:sallyport backend_image=backend:nakama'\n")
	w.commit()
	w.put("ecr/game-dev/sallyport/3", "sha256:old")
	w.put("ecr/game-dev/backend/7", "sha256:old")
	w.succeeds("deploy")
	w.serves(8)
	if want := registry + "backend@" + w.get("ecr/game-dev/backend/8"); !strings.Contains(w.get("running"), want) {
		t.Errorf("running is %q, want %s too", w.get("running"), want)
	}
}

func TestPodman(t *testing.T) {
	w := newWorld(t, "podman")
	w.succeeds("deploy")
	w.serves(1)
	if build := w.calls("podman build"); len(build) != 1 || !strings.Contains(build[0], "--format docker --timestamp ") {
		t.Errorf("builds: %q", build)
	}
}

func TestPodmanBesideDocker(t *testing.T) {
	w := newWorld(t, "docker", "podman")
	w.succeeds("deploy", "ENGINE=podman")
	if w.calls("docker") != nil {
		t.Error("docker was used")
	}
}

func TestNoRepository(t *testing.T) {
	w := newWorld(t, "docker")
	if err := os.RemoveAll(filepath.Join(w.dir, "ecr")); err != nil {
		t.Fatal(err)
	}
	w.fails("deploy/terraform/bootstrap makes the repository", "deploy")
}

func TestNoEngine(t *testing.T) {
	w := newWorld(t)
	w.fails("neither docker nor podman is installed", "deploy")
}

func TestWrongAccount(t *testing.T) {
	for _, command := range []string{"deploy", "plan", "destroy"} {
		t.Run(command, func(t *testing.T) {
			w := newWorld(t, "docker")
			w.put("account", "999999999999")
			w.fails("these are credentials of account 999999999999, and dev is in "+account1, command)
			if w.calls("terraform") != nil || w.calls("docker") != nil {
				t.Error("something was done")
			}
		})
	}
}

func TestDirtyTree(t *testing.T) {
	w := newWorld(t, "docker")
	w.file("main.go", "package changed\n", 0o644)
	w.file("untracked.go", "package untracked\n", 0o644)
	out := w.fails("the work tree has changes that are in no commit", "deploy")
	if !strings.Contains(out, "main.go") || w.calls("aws") != nil {
		t.Errorf("it does not name the file, or has asked AWS:\n%s", out)
	}
	w.succeeds("deploy", "ALLOW_DIRTY=1")
	if got := w.get("built"); got != "package changed" {
		t.Errorf("built %q", got)
	}
}

func TestWhatFailsBeforeApplyingAppliesNothing(t *testing.T) {
	for name, test := range map[string]struct{ file, text, says string }{
		"build":  {"build-fails", "", "building sallyport failed; nothing was pushed or applied"},
		"push":   {"push-fails", "", "sallyport:2 failed; nothing was applied"},
		"digest": {"digest", "None", "the digest of game-dev/sallyport:2 is 'None', which is none; nothing was applied"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "docker")
			w.succeeds("deploy")
			w.put(test.file, test.text)
			w.remove("calls")
			w.fails(test.says, "deploy")
			w.serves(1)
			for _, call := range w.calls("terraform") {
				if strings.Contains(call, " plan") || strings.Contains(call, " apply") {
					t.Errorf("it called %s", call)
				}
			}
		})
	}
}

func TestRollBack(t *testing.T) {
	for name, spoil := range map[string]func(*world){
		"a failed apply":            func(w *world) { w.put("poison", registry+"sallyport@"+w.digestOf(2)) },
		"a failed smoke test":       func(w *world) { w.put("smoke-fails-with", w.digestOf(2)) },
		"ECS rolled back by itself": func(w *world) { w.put("rolled-back-by-ecs", w.get("running")) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "docker")
			w.succeeds("deploy")
			spoil(w)
			w.fails("the deployment failed and was rolled back", "deploy")
			w.serves(1)
			w.remove("poison")
			w.remove("smoke-fails-with")
			w.remove("rolled-back-by-ecs")
			w.succeeds("deploy")
			w.serves(3)
		})
	}
}

func TestRollBackThatDoesNotGetStable(t *testing.T) {
	w := newWorld(t, "docker")
	w.succeeds("deploy")
	w.put("unstable", "")
	out := w.fails("rolled back, and the services are not stable", "deploy")
	if !strings.Contains(out, "not stable after 2 times") {
		t.Errorf("it does not say why:\n%s", out)
	}
}

func TestFirstDeploymentHasNothingToGoBackTo(t *testing.T) {
	w := newWorld(t, "docker")
	w.put("smoke-fails-with", "sha256:")
	w.fails("there is nothing to go back to", "deploy")
	w.remove("smoke-fails-with")
	w.succeeds("deploy")
	w.serves(2)
}

func TestTwoPushesAtOnce(t *testing.T) {
	w := newWorld(t, "docker")
	w.succeeds("deploy")
	w.put("pushes-meet", "")
	one, two := w.start("deploy"), w.start("deploy")
	ok1, out1 := one.end()
	ok2, out2 := two.end()
	lost := out1
	if ok1 {
		lost = out2
	}
	if ok1 == ok2 || !strings.Contains(lost, "somebody else pushed release 2 in the meantime; nothing was applied") {
		t.Fatalf("first: %v, second: %v, one must win and the other say so\n%s\n---\n%s", ok1, ok2, out1, out2)
	}
	w.serves(2)
}

func TestTwoDeploymentsAtOnceWaitForTheState(t *testing.T) {
	w := newWorld(t, "docker")
	w.succeeds("deploy")
	w.remove("applying")
	w.put("hold", "")
	first := w.start("deploy")
	w.waitFor("applying")
	w.fails("planning failed, nothing was applied; see above. If it is a lock", "deploy", "LOCK_TIMEOUT=0s")
	waiting := w.start("deploy", "LOCK_TIMEOUT=5m")
	w.waitFor("ecr/game-dev/sallyport/4")
	w.remove("hold")
	// The one that waits may be through before the first has looked at what runs.
	if ok, out := first.end(); !ok && !strings.Contains(out, "since, so this release cannot be judged any more") {
		t.Fatalf("the first failed:\n%s", out)
	}
	if ok, out := waiting.end(); !ok {
		t.Fatalf("the one that waits failed:\n%s", out)
	}
	w.serves(4)
}

func TestStalePlan(t *testing.T) {
	w := newWorld(t, "docker")
	w.succeeds("deploy")
	w.put("deploys-before-apply", "theirs@sha256:1")
	w.fails("somebody else deployed between this plan and applying it; nothing was applied", "deploy")
	if got := w.get("running"); got != "theirs@sha256:1 none" {
		t.Errorf("running is %q", got)
	}
}

func TestRollBackLeavesWhatSomebodyElseDeployed(t *testing.T) {
	w := newWorld(t, "docker")
	w.succeeds("deploy")
	w.put("smoke-fails-with", "sha256:")
	w.put("deploys-before-smoke", "theirs@sha256:1")
	w.fails("somebody else has deployed sallyport_image=theirs@sha256:1 since, so this release cannot be judged any more; nothing was rolled back", "deploy")
	if got := w.get("running"); got != "theirs@sha256:1 none" {
		t.Errorf("running is %q", got)
	}
}

func TestPlan(t *testing.T) {
	w := newWorld(t, "docker")
	if out := w.succeeds("plan"); !strings.Contains(out, "nothing is deployed yet") {
		t.Errorf("it does not say that nothing is deployed:\n%s", out)
	}
	w.succeeds("deploy")
	if out := w.succeeds("plan"); !strings.Contains(out, "No changes.") {
		t.Errorf("what was just deployed has changes:\n%s", out)
	}
	w.serves(1)
}

func TestUsage(t *testing.T) {
	w := newWorld(t)
	for says, args := range map[string][]string{
		"usage: scripts/deploy": {"deploy"},
		"there is no":           {"deploy", "nowhere"},
		"lower-case letters":    {"deploy", "../dev"},
	} {
		cmd := exec.Command(filepath.Join(w.checkout, "scripts", "deploy"), args...)
		cmd.Env = w.env
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), says) {
			t.Errorf("deploy %v: %v, want a failure that says %q:\n%s", args, err, says, out)
		}
	}
}

func TestShellcheck(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("shellcheck", repository("scripts", "deploy")).CombinedOutput(); err != nil {
		t.Errorf("shellcheck: %v\n%s", err, out)
	}
}

// digestOf is the digest that a release will have.
func (w *world) digestOf(release int) string {
	w.t.Helper()
	return digest(registry+"sallyport:", release)
}

// waitFor waits until the stubs have made a file.
func (w *world) waitFor(name string) {
	w.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, ok := (stub{world: w.dir}).has(name); ok {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("no %s after two minutes; calls:\n%s", name, w.get("calls"))
		}
	}
}
