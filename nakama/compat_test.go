package nakama

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A plugin loads only into a Nakama that has the very same version of every package that both link. These tests hold the
// plugin's packages against the go.mod of each Nakama that is supported; those in e2e/nakama hold the built file.

// release is a row of testdata/versions.txt.
type release struct {
	name, golang, server, builder string
	modules                       map[string]string // versions by module path, as far as the table has them
}

// oldest is the first supported release: the first whose Go can compile the root module.
const oldest = "v3.31.0"

func releases(t *testing.T) []release {
	t.Helper()
	var all []release
	for _, line := range lines(t, "versions.txt") {
		columns := strings.Split(line, " | ")
		if len(columns) != 5 {
			t.Fatalf("testdata/versions.txt: %q", line)
		}
		r := release{columns[0], columns[1], columns[2], columns[3], make(map[string]string)}
		for _, module := range strings.FieldsFunc(columns[4], func(c rune) bool { return c == ';' }) {
			path, version, _ := strings.Cut(module, " ")
			r.modules[modulePath(path)] = version
		}
		all = append(all, r)
		if r.name == oldest {
			return all
		}
	}
	t.Fatalf("testdata/versions.txt has no %s", oldest)
	return nil
}

func modulePath(short string) string {
	switch short {
	case "grpc", "protobuf":
		return "google.golang.org/" + short
	}
	return "github.com/" + short
}

func lines(t *testing.T, name string) (found []string) {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		if line := scanner.Text(); line != "" && !strings.HasPrefix(line, "#") {
			found = append(found, line)
		}
	}
	return found
}

// dependency is a package that the plugin links.
type dependency struct{ path, module, version string }

func dependencies(t *testing.T, flags ...string) (found []dependency) {
	t.Helper()
	arguments := append([]string{"list", "-deps", "-f", "{{with .Module}}{{$.ImportPath}} {{.Path}} {{.Version}}{{end}}"}, flags...)
	cmd := exec.Command("go", append(arguments, "./plugin")...)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v\n%s", flags, err, &complaint)
	}
	for line := range strings.Lines(string(out)) {
		columns := strings.Fields(line)
		if len(columns) == 3 && !strings.HasPrefix(columns[1], "github.com/sallyport-auth/sallyport") {
			found = append(found, dependency{columns[0], columns[1], columns[2]})
		}
	}
	return found
}

// mismatches says which packages would keep the plugin from loading into a release: those that both link, or may both
// link, whose version is another one or is not known to be the same.
func mismatches(all []dependency, r release, linked map[string]bool) (wrong []string) {
	for _, d := range all {
		version, known := r.modules[d.module]
		switch {
		case known && version != d.version:
			wrong = append(wrong, d.path+" is of "+d.version+", "+r.name+" has "+version)
		case !known && linked[d.path]:
			wrong = append(wrong, d.path+" is linked by Nakama too, and the table does not have "+d.module)
		}
	}
	return wrong
}

func linkedPackages(t *testing.T) map[string]bool {
	linked := make(map[string]bool)
	for _, path := range lines(t, "linked-packages-3.40.0.txt") {
		linked[path] = true
	}
	return linked
}

func TestPluginSharesOneVersionWithNakama(t *testing.T) {
	all := dependencies(t)
	if len(all) < 5 {
		t.Fatalf("the plugin links only %v", all)
	}
	newest := releases(t)[0]
	for _, wrong := range mismatches(all, newest, linkedPackages(t)) {
		t.Error(wrong)
	}
	if v := all[0].version; v == "" {
		t.Errorf("%s has no version: it is replaced", all[0].path)
	}
}

// TestReleasesGetTheirVersions holds what scripts/plugin would link for a release against that release: for one of each minor
// version of nakama-common, because module proxies do not have all patches of it. The script itself holds what it built.
func TestReleasesGetTheirVersions(t *testing.T) {
	linked, held := linkedPackages(t), 0
	for _, r := range releases(t) {
		if !strings.HasSuffix(r.modules["github.com/heroiclabs/nakama-common"], ".0") {
			continue
		}
		held++
		all := dependencies(t, "-mod=mod", "-modfile="+modfile(t, r))
		for _, wrong := range mismatches(all, r, linked) {
			t.Error(wrong)
		}
		if len(all) < 5 {
			t.Errorf("%s: the plugin links only %v", r.name, all)
		}
	}
	if held < 7 {
		t.Errorf("only %d releases were held", held)
	}
}

// TestOldestReleaseCompiles: nakama-common only grows, so what compiles with the oldest and the newest does between.
func TestOldestReleaseCompiles(t *testing.T) {
	all := releases(t)
	cmd := exec.Command("go", "build", "-mod=mod", "-modfile="+modfile(t, all[len(all)-1]), ".")
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// modfile is the go.mod with which scripts/plugin builds for a release.
func modfile(t *testing.T, r release) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(folder, "go.mod")
	cmd := exec.Command("go", "mod", "edit", "-go="+strings.TrimPrefix(r.golang, "go "),
		"-require=github.com/heroiclabs/nakama-common@"+r.modules["github.com/heroiclabs/nakama-common"],
		"-require=google.golang.org/protobuf@"+r.modules["google.golang.org/protobuf"], file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go mod edit: %v\n%s", err, out)
	}
	return file
}

// TestPluginLinksNakamaCommonAlone holds what makes the plugin safe for every release: two modules that the build chooses,
// both of which the table has.
func TestPluginLinksNakamaCommonAlone(t *testing.T) {
	for _, d := range dependencies(t) {
		if d.module != "github.com/heroiclabs/nakama-common" && d.module != "google.golang.org/protobuf" {
			t.Errorf("the plugin links %s of %s", d.path, d.module)
		}
	}
	for _, r := range releases(t) {
		for _, module := range []string{"github.com/heroiclabs/nakama-common", "google.golang.org/protobuf"} {
			if r.modules[module] == "" {
				t.Errorf("testdata/versions.txt: %s lacks %s", r.name, module)
			}
		}
	}
}

func TestMismatchesAreFound(t *testing.T) {
	newest, linked := releases(t)[0], linkedPackages(t)
	for what, d := range map[string]dependency{
		"another nakama-common":       {"github.com/heroiclabs/nakama-common/api", "github.com/heroiclabs/nakama-common", "v1.45.0"},
		"a raised protobuf":           {"google.golang.org/protobuf/proto", "google.golang.org/protobuf", "v1.36.12"},
		"a newer jwt":                 {"github.com/golang-jwt/jwt/v5", "github.com/golang-jwt/jwt/v5", "v5.4.0"},
		"a package that is not known": {"github.com/gofrs/uuid/v5", "github.com/gofrs/uuid/v5", "v5.3.0"},
	} {
		if len(mismatches([]dependency{d}, newest, linked)) != 1 {
			t.Errorf("%s is not found", what)
		}
	}
	alone := dependency{"github.com/tidwall/gjson", "github.com/tidwall/gjson", "v1.18.0"}
	if wrong := mismatches([]dependency{alone}, newest, linked); len(wrong) != 0 {
		t.Errorf("a package that Nakama does not link is no mismatch: %v", wrong)
	}
	if len(mismatches(dependencies(t), releases(t)[2], linked)) == 0 {
		t.Error("the plugin for 3.40.0 is said to load into 3.38.0")
	}
}
