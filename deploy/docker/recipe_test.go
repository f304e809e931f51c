package docker

import (
	"bytes"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// recipe is a parsed Dockerfile: the stage that builds, and the one that is the image.
type recipe struct {
	build, image instructions.Stage
	args         map[string]string // those before the first stage
}

// parse reads a Dockerfile as BuildKit does, which must have nothing to remark.
func parse(t *testing.T, file string) recipe {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := parser.Parse(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, w := range tree.Warnings {
		t.Errorf("%s: %s", file, w.Short)
	}
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, message string, at []parser.Range) {
		t.Errorf("%s:%d: %s: %s", file, at[0].Start.Line, rule, message)
	}})
	stages, global, err := instructions.Parse(tree.AST, lint)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if len(stages) != 2 || stages[0].Name != "build" {
		t.Fatalf("%s: %d stages, want build and the image", file, len(stages))
	}
	r := recipe{build: stages[0], image: stages[1], args: map[string]string{}}
	for _, a := range global {
		for _, kv := range a.Args {
			r.args[kv.Key] = kv.ValueString()
		}
	}
	return r
}

// only returns the one command of a kind that a stage has.
func only[T instructions.Command](t *testing.T, s instructions.Stage) T {
	t.Helper()
	found := all[T](s)
	if len(found) != 1 {
		t.Fatalf("%d commands %T, want one", len(found), *new(T))
	}
	return found[0]
}

func all[T instructions.Command](s instructions.Stage) []T {
	var found []T
	for _, c := range s.Commands {
		if c, ok := c.(T); ok {
			found = append(found, c)
		}
	}
	return found
}

func TestRecipes(t *testing.T) {
	for _, file := range []string{"sallyport.Dockerfile", "nakama.Dockerfile"} {
		t.Run(file, func(t *testing.T) {
			r := parse(t, file)
			if user := only[*instructions.UserCommand](t, r.image).User; user != "65532:65532" {
				t.Errorf("the image runs as %s", user)
			}
			if volumes := only[*instructions.VolumeCommand](t, r.image).Volumes; !slices.Equal(volumes, []string{"/run/sallyport"}) {
				t.Errorf("volumes %q: without /run/sallyport the volume of a task is root's", volumes)
			}
			for _, s := range []instructions.Stage{r.build, r.image} {
				if !slices.ContainsFunc(all[*instructions.ArgCommand](s), hasEpoch) {
					t.Errorf("the stage %q has no ARG SOURCE_DATE_EPOCH, so its time is that of the build", s.Name)
				}
				if len(all[*instructions.AddCommand](s)) > 0 {
					t.Error("ADD fetches and unpacks; COPY copies")
				}
			}
			copied := only[*instructions.CopyCommand](t, r.image)
			if copied.From != "build" || !slices.Equal(copied.SourcePaths, []string{"/rootfs/"}) || copied.DestPath != "/" {
				t.Errorf("the image has %s, want the tree /rootfs of the stage build alone: its files' times are set", copied)
			}
			if test := only[*instructions.HealthCheckCommand](t, r.image).Health.Test; test[0] != "CMD" || !strings.HasPrefix(test[1], "/") {
				t.Errorf("the health check %q is no path: there may be no shell", test)
			}
			if entry := only[*instructions.EntrypointCommand](t, r.image); entry.PrependShell {
				t.Error("the entry point goes through a shell, which does not pass signals on")
			}
			if runs := all[*instructions.RunCommand](r.image); len(runs) > 0 {
				t.Errorf("the image's stage runs %v: what that leaves has the time of the build", runs)
			}
		})
	}
}

func hasEpoch(a *instructions.ArgCommand) bool {
	return slices.ContainsFunc(a.Args, func(kv instructions.KeyValuePairOptional) bool { return kv.Key == "SOURCE_DATE_EPOCH" })
}

func TestSallyportsImageHasNothingElse(t *testing.T) {
	r := parse(t, "sallyport.Dockerfile")
	if r.image.BaseName != "scratch" {
		t.Errorf("it is made from %s", r.image.BaseName)
	}
}

// TestNakamasBuilderIsItsServers: a plugin loads only into the very release whose builder made it.
func TestNakamasBuilderIsItsServers(t *testing.T) {
	r := parse(t, "nakama.Dockerfile")
	if builder, server := path.Base(r.args["BUILDER"]), path.Base(r.args["SERVER"]); builder != "nakama-pluginbuilder:3.40.0" || server != "nakama:3.40.0" {
		t.Errorf("built by %s for %s", builder, server)
	}
	command := strings.Join(all[*instructions.RunCommand](r.build)[0].CmdLine, " ")
	for _, flag := range []string{"-trimpath", "-buildmode=plugin"} {
		if !strings.Contains(command, flag) {
			t.Errorf("%q has no %s: Nakama would refuse the plugin", command, flag)
		}
	}
}
