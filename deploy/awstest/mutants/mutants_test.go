package mutants

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/deploy/awstest/checks"
	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

// mutant is a hole: in a file of deploy/terraform the text find, which is there exactly once, becomes replace. The check that is named
// must find it in a scene (nakama-alb without one). Where terraform itself refuses it, says is what it says.
type mutant struct {
	name, file, find, replace string
	check, scene, says        string
}

// batch is holes of one scene in one copy of the modules, each for a check of its own: what a check finds is that hole.
type batch struct {
	scene string
	holes []mutant
	files map[string]string // as changed, by path below deploy/terraform
}

// TestEveryHoleIsFound plants every hole. Those for different checks share a copy, because a copy takes seconds; in make test-all each
// has one of its own, which shows that no hole is found only because of another.
func TestEveryHoleIsFound(t *testing.T) {
	tree := tf.Copy(t)
	for _, module := range []string{"modules/sallyport", "bootstrap"} {
		tree.Init(t, module)
	}
	known := checks.Names()
	for _, name := range known {
		if !slices.ContainsFunc(mutants, func(m mutant) bool { return m.check == name }) {
			t.Errorf("no mutant shows that the check %s can fail", name)
		}
	}
	all := batches(t, os.Getenv("SALLYPORT_TEST_LONG") != "")
	t.Logf("%d mutants in %d copies, %d checks", len(mutants), len(all), len(known))
	if len(mutants) < 40 {
		t.Errorf("%d mutants, want 40 or more", len(mutants))
	}
	for _, b := range all {
		t.Run(b.holes[0].name, func(t *testing.T) {
			t.Parallel()
			b.run(t, tree.Clone(t))
		})
	}
}

// batches puts each hole into the first copy where it has its check to itself and still fits.
func batches(t *testing.T, alone bool) []*batch {
	t.Helper()
	var all []*batch
	for _, m := range mutants {
		if m.scene == "" {
			m.scene = "nakama-alb"
		}
		original := read(t, m.file)
		if n := strings.Count(original, m.find); n != 1 {
			t.Errorf("%s: %s has %q %d times, not once: this mutant is stale", m.name, m.file, m.find, n)
			continue
		}
		if m.says == "" && !alone && slices.ContainsFunc(all, func(b *batch) bool { return b.take(m, original) }) {
			continue
		}
		b := &batch{scene: m.scene, files: map[string]string{}}
		b.take(m, original)
		all = append(all, b)
	}
	return all
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(tf.Root(), file))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// take plants a hole if there is room for it.
func (b *batch) take(m mutant, original string) bool {
	if b.scene != m.scene || slices.ContainsFunc(b.holes, func(o mutant) bool { return o.check == m.check || o.says != "" }) {
		return false
	}
	text, ok := b.files[m.file]
	if !ok {
		text = original
	}
	if strings.Count(text, m.find) != 1 {
		return false
	}
	b.files[m.file] = strings.Replace(text, m.find, m.replace, 1)
	b.holes = append(b.holes, m)
	return true
}

func (b *batch) run(t *testing.T, tree *tf.Tree) {
	for file, text := range b.files {
		if err := os.WriteFile(filepath.Join(tree.Dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := scenes[b.scene]
	if m := b.holes[0]; m.says != "" {
		m.refused(t, tree, s)
		return
	}
	found := s.check(tree.Apply(t, s.module, s.vars))
	for _, m := range b.holes {
		if !slices.ContainsFunc(found, func(f checks.Finding) bool { return f.Check == m.check }) {
			t.Errorf("%s: %s does not find it; found otherwise: %q", m.name, m.check, found)
		}
	}
}

func (m mutant) refused(t *testing.T, tree *tf.Tree, s scene) {
	t.Helper()
	vars, err := json.Marshal(s.vars)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tree.Dir, s.module, "refused.auto.tfvars.json"), vars, 0o600); err != nil {
		t.Fatal(err)
	}
	r := tree.Run(t, s.module, "plan", "-input=false", "-no-color", "-refresh=false")
	if r.Code == 0 || !strings.Contains(r.Output(), m.says) {
		t.Errorf("terraform does not say %q:\n%s", m.says, r.Errors())
	}
}
