package tf

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// The tools that the tests use. Linters come from the Go module proxy, because it is the one registry that every machine
// which builds this project reaches.
const (
	providerVersion = "6.66.0"

	// TFLint, Tfsec and Conftest are the linters; KICS, which takes minutes to build, is for make test-all. Those without a version have
	// it in internal/tools/linters.
	TFLint   = "github.com/terraform-linters/tflint"
	Tfsec    = "github.com/aquasecurity/tfsec/cmd/tfsec@v1.26.0"
	Conftest = "github.com/open-policy-agent/conftest"
	KICS     = "github.com/Checkmarx/kics/v2/cmd/console@v2.2.0"
)

// GoBuild is how the tools, the stand-in and the binary are built: alike, so that the standard library is compiled once for all of
// them, and without what only a debugger reads, which is a fifth of the work.
var GoBuild = []string{"-trimpath", "-gcflags=all=-dwarf=false", "-ldflags=-s -w"}

// once holds a func() (string, error) for each tool, so that a process builds each once.
var once sync.Map

func build(t testing.TB, key string, make func() (string, error)) string {
	t.Helper()
	path, err := first(key, make)()
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return path
}

func first(key string, make func() (string, error)) func() (string, error) {
	f, _ := once.LoadOrStore(key, sync.OnceValues(make))
	return f.(func() (string, error))
}

// Begin installs linters while tests run that need none: on a bare machine that takes minutes. The stand-in comes first, because most
// tests wait for it. Tool waits for its own, and says what went wrong.
func Begin(tools ...string) {
	go func() {
		if !Real() {
			_, _ = first(standin, buildStandin)()
		}
		for _, tool := range tools {
			_, _ = first(tool, func() (string, error) { return install(tool) })()
		}
	}()
}

// Terraform returns the path of the terraform on this machine. It is the one tool that cannot be installed from here: it is
// no Debian package, and its modules have replace directives and parts that the Go module proxy does not have.
func Terraform(t testing.TB) string {
	t.Helper()
	return build(t, "terraform", func() (string, error) {
		path, err := exec.LookPath("terraform")
		if err != nil || !newEnough(path) {
			return "", errors.New("these tests need terraform 1.11 or later in PATH: see https://developer.hashicorp.com/terraform/install")
		}
		return path, nil
	})
}

// newEnough reports whether a terraform knows write-only arguments (1.11).
func newEnough(path string) bool {
	out, err := exec.Command(path, "version").Output()
	var major, minor int
	if _, scan := fmt.Sscanf(string(out), "Terraform v%d.%d", &major, &minor); err != nil || scan != nil {
		return false
	}
	return major > 1 || major == 1 && minor >= 11
}

// Tool returns the path of a linter, installing it where it is missing.
func Tool(t testing.TB, tool string) string {
	t.Helper()
	return build(t, tool, func() (string, error) { return install(tool) })
}

// Source returns the folder of the module that a tool is built of: the queries of KICS are there, and not in its binary.
func Source(t testing.TB, tool string) string {
	t.Helper()
	path, version, _ := strings.Cut(tool, "@")
	module, _, _ := strings.Cut(path, "/cmd/")
	cmd := exec.Command("go", "mod", "download", "-json", module+"@"+version)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	out, err := cmd.Output()
	var downloaded struct{ Dir string }
	if err != nil || json.Unmarshal(out, &downloaded) != nil {
		t.Fatalf("go mod download %s: %v\n%s", module, err, out)
	}
	return downloaded.Dir
}

// install builds a Go command into the cache. Several test processes may come here at once; one builds, the others wait.
func install(tool string) (string, error) {
	path, version, alone := strings.Cut(tool, "@")
	linters := filepath.Join(Root(), "..", "..", "internal", "tools", "linters")
	if !alone {
		pins, err := os.ReadFile(filepath.Join(linters, "go.mod"))
		if err != nil {
			return "", err
		}
		version = fmt.Sprintf("%x", sha256.Sum256(pins))[:16]
	}
	dir, err := cache("tools", strings.ReplaceAll(path, "/", "_")+"_"+version)
	if err != nil {
		return "", err
	}
	unlock, err := lock(dir)
	if err != nil {
		return "", err
	}
	defer unlock()
	binary := filepath.Join(dir, filepath.Base(path))
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	cmd := exec.Command("go", slices.Concat([]string{"install"}, GoBuild, []string{tool})...)
	cmd.Dir = linters // a tool with a version of its own ignores the module that it is built in
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=auto", "GOBIN="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go install %s: %w\n%s", tool, err, out)
	}
	return binary, nil
}

// standin is the key of once for the stand-in.
const standin = "the stand-in"

// mirror returns the path of a terraform configuration that uses the stand-in.
func mirror(t testing.TB) string {
	t.Helper()
	return build(t, standin, buildStandin)
}

// buildStandin builds the stand-in into a mirror folder and returns the path of its terraform configuration.
func buildStandin() (string, error) {
	dir, err := cache("standin")
	if err != nil {
		return "", err
	}
	unlock, err := lock(dir)
	if err != nil {
		return "", err
	}
	defer unlock()
	fresh := filepath.Join(dir, "fresh")
	_, file, _, _ := runtime.Caller(0)
	cmd := exec.Command("go", slices.Concat([]string{"build", "-o", fresh}, GoBuild, []string{"./standin"})...)
	cmd.Dir = filepath.Join(filepath.Dir(file), "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the stand-in: %w\n%s", err, out)
	}
	return place(dir, fresh)
}

// place moves a stand-in to a folder named by its content, so that a test process that uses another one is not disturbed.
func place(dir, binary string) (config string, err error) {
	data, err := os.ReadFile(binary)
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, fmt.Sprintf("%x", sha256.Sum256(data))[:16])
	at := filepath.Join(dir, "registry.terraform.io", "hashicorp", "aws", providerVersion, runtime.GOOS+"_"+runtime.GOARCH)
	if err := os.MkdirAll(at, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(binary, filepath.Join(at, "terraform-provider-aws_v"+providerVersion)); err != nil {
		return "", err
	}
	config = filepath.Join(dir, "terraform.rc")
	return config, os.WriteFile(config, fmt.Appendf(nil, `disable_checkpoint = true
provider_installation {
  filesystem_mirror {
    path = %q
  }
}
`, dir), 0o600)
}

func folder(t testing.TB, name string) string {
	t.Helper()
	dir, err := cache(name)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// cache makes a folder in the user's cache folder.
func cache(name ...string) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(append([]string{base, "sallyport-aws"}, name...)...)
	return dir, os.MkdirAll(dir, 0o755)
}

func lock(dir string) (unlock func(), err error) {
	file, err := os.Create(filepath.Join(dir, ".lock"))
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	return func() { _ = file.Close() }, nil
}
