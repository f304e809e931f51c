package nakama_test

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckLoadsPlugin has Nakama itself load the shipped file.
func TestCheckLoadsPlugin(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command(nakamaBinary(t), "check", "--runtime.path", pluginFolder(t)).CombinedOutput(); err != nil {
		t.Errorf("nakama check: %v\n%s", err, out)
	}
	other, err := pluginFor("3.38.0")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(nakamaBinary(t), "check", "--runtime.path", other).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "different version of package") {
		t.Errorf("nakama check takes the plugin of another release: %v\n%s", err, out)
	}
}

// TestVersionsAreNakamasOwn holds the modules in the plugin, and those in the Nakama that these tests run, against the
// go.mod of Nakama's release: in one build list a newer requirement raises Nakama's own copy, so that everything loads
// here and nothing in the official image.
func TestVersionsAreNakamasOwn(t *testing.T) {
	t.Parallel()
	own := nakamasOwn(t)
	shared := 0
	for what, file := range map[string]string{"the plugin": filepath.Join(pluginFolder(t), "sallyport.so"), "this Nakama": nakamaBinary(t)} {
		info, err := buildinfo.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, dep := range info.Deps {
			version, known := own[dep.Path]
			if !known {
				continue
			}
			shared++
			if dep.Replace != nil || dep.Version != version {
				t.Errorf("%s has %s %s, Nakama's go.mod says %s", what, dep.Path, dep.Version, version)
			}
		}
	}
	if shared < 20 {
		t.Errorf("only %d modules were compared", shared)
	}
}

// nakamasOwn reads the go.mod of the release in the module cache.
func nakamasOwn(t *testing.T) map[string]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-m", "-f", "{{.GoMod}}", "github.com/heroiclabs/nakama/v3")
	cmd.Env = append(os.Environ(), "GOWORK=off")
	path, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(strings.TrimSpace(string(path)))
	if err != nil {
		t.Fatal(err)
	}
	versions := make(map[string]string)
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && strings.HasPrefix(fields[1], "v") {
			versions[fields[0]] = fields[1]
		}
	}
	return versions
}
