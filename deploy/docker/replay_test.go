package docker

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

const epoch = 1_700_000_000

// replay runs the commands of a recipe's build stage on this machine, over the last commit, and returns the folder that the image
// would get. The places that the recipe names, /src and /rootfs, are folders of the test.
func replay(t *testing.T, r recipe, cache string) string {
	t.Helper()
	src, rootfs := filepath.Join(t.TempDir(), "src"), filepath.Join(t.TempDir(), "rootfs")
	run(t, "", nil, `mkdir "$0" && git -C "$1" archive HEAD | tar -x -C "$0"`, src, "../..")
	authorities := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(authorities, []byte("certificates\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	here := strings.NewReplacer("/src", src, "/rootfs", rootfs, "-m 0444 /etc/ssl/certs/ca-certificates.crt", "-m 0444 "+authorities, "-o 65532 -g 65532 ", owner())
	env := append(os.Environ(), "GOCACHE="+cache)
	for _, c := range r.build.Commands {
		switch c := c.(type) {
		case *instructions.ArgCommand:
			for _, kv := range c.Args {
				env = append(env, kv.Key+"="+kv.ValueString())
			}
			env = append(env, fmt.Sprint("SOURCE_DATE_EPOCH=", epoch))
		case *instructions.EnvCommand:
			for _, kv := range c.Env {
				env = append(env, kv.Key+"="+kv.Value)
			}
		case *instructions.RunCommand:
			run(t, src, env, here.Replace(strings.Join(c.CmdLine, " ")))
		}
	}
	return rootfs
}

// owner gives the volume's folder to the image's user, which only root can.
func owner() string {
	if os.Geteuid() == 0 {
		return "-o 65532 -g 65532 "
	}
	return ""
}

func run(t *testing.T, dir string, env []string, script string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-ec", script}, args...)...)
	cmd.Dir, cmd.Env = dir, env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// TestReproducible replays the recipe of sallyport's image twice, in two folders. In make test-all the second time has an empty build
// cache, so that everything is compiled again as well.
func TestReproducible(t *testing.T) {
	r := parse(t, "sallyport.Dockerfile")
	first, second := replay(t, r, defaultCache(t)), replay(t, r, otherCache(t))
	files := same(t, first, second)
	if want := []string{"etc/ssl/certs/ca-certificates.crt", "sallyport", "start"}; strings.Join(files, " ") != strings.Join(want, " ") {
		t.Errorf("the image has %q, want %q", files, want)
	}
	static(t, filepath.Join(first, "start"))
	static(t, filepath.Join(first, "sallyport"))
	checkConfig(t, filepath.Join(first, "sallyport"))
}

// TestReproduciblePlugin does so for the plugin, which takes minutes: make test-all.
func TestReproduciblePlugin(t *testing.T) {
	if os.Getenv("SALLYPORT_TEST_LONG") == "" {
		t.Skip("slow: SALLYPORT_TEST_LONG=1")
	}
	r := parse(t, "nakama.Dockerfile")
	same(t, replay(t, r, defaultCache(t)), replay(t, r, otherCache(t)))
}

func otherCache(t *testing.T) string {
	t.Helper()
	if os.Getenv("SALLYPORT_TEST_LONG") == "" {
		return defaultCache(t)
	}
	return t.TempDir()
}

func defaultCache(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// same holds two trees against each other, bytes, modes and times, and returns their files.
func same(t *testing.T, a, b string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(a, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(a, path)
		one, two := info(t, path), info(t, filepath.Join(b, name))
		if one.Mode() != two.Mode() || !one.ModTime().Equal(time.Unix(epoch, 0)) || !two.ModTime().Equal(time.Unix(epoch, 0)) {
			t.Errorf("%s: %v %v and %v %v", name, one.Mode(), one.ModTime(), two.Mode(), two.ModTime())
		}
		if entry.IsDir() {
			return nil
		}
		files = append(files, name)
		if !bytes.Equal(content(t, path), content(t, filepath.Join(b, name))) {
			t.Errorf("%s differs between two builds of one commit", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func info(t *testing.T, path string) fs.FileInfo {
	t.Helper()
	i, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// static fails for a binary that needs a loader, which an image from scratch has not.
func static(t *testing.T, path string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Errorf("%s is not static", path)
		}
	}
}

// checkConfig has the image's own binary check the configuration that compose.yaml mounts.
func checkConfig(t *testing.T, binary string) {
	t.Helper()
	cmd := exec.Command(binary, "check-config", "local/sallyport.yaml")
	cmd.Env = append(os.Environ(), filled...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("check-config: %v\n%s", err, out)
	}
}
