package check

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/deploy/awstest/checks"
	"github.com/sallyport-auth/sallyport/deploy/awstest/rules"
	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

// TestVariants plans and applies both examples in every topology on every socket plane.
func TestVariants(t *testing.T) {
	base := tf.Copy(t)
	for _, example := range tf.Examples {
		base.Init(t, example)
	}
	for _, example := range tf.Examples {
		for _, topology := range tf.Topologies {
			for _, plane := range tf.SocketPlanes {
				t.Run(strings.Join([]string{filepath.Base(example), topology, plane}, "-"), func(t *testing.T) {
					t.Parallel()
					variant(t, base.Clone(t), example, rules.Want{Topology: topology, SocketPlane: plane})
				})
			}
		}
	}
}

func variant(t *testing.T, tree *tf.Tree, example string, want rules.Want) {
	vars := tf.ExampleVars(want.Topology, want.SocketPlane)
	if !tf.Real() { // a mocked plan has no list of what is unknown, which the policies need
		policies(t, tree.Plan(t, example, vars).JSON)
	}
	applied := tree.ApplyPlan(t, example, vars)
	for _, hole := range rules.Check(applied, want) {
		t.Error(hole)
	}
	for _, finding := range checks.Deployment(applied, wanted(want)) {
		t.Error(finding)
	}
	policies(t, applied.JSON)
	t.Logf("%d resources", len(applied.Resources))
}

func wanted(want rules.Want) checks.Want {
	w := checks.Want{Paths: checks.NakamaPaths, SocketPaths: checks.SocketPaths, Sockets: want.SocketPlane}
	if want.Topology == "gate" {
		w.Paths, w.NoDatabase = checks.GatePaths, true
	}
	return w
}

// policies holds a plan or a state against deploy/terraform/policy/plan.
func policies(t *testing.T, document []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "document.json")
	if err := os.WriteFile(file, document, 0o600); err != nil {
		t.Fatal(err)
	}
	conftest(t, "--policy", filepath.Join(tf.Root(), "policy", "plan"), file)
}

// TestCheckFindsNothingInNothing: the rules must not be content with a deployment that is not there.
func TestCheckFindsNothingInNothing(t *testing.T) {
	holes := rules.Check(&tf.Document{}, rules.Want{Topology: "nakama", SocketPlane: "alb"})
	if len(holes) < 10 {
		t.Errorf("an empty state has only these holes: %q", holes)
	}
}

// TestIssuers: both issuer formats of every region are told, because tokens of each will come.
func TestIssuers(t *testing.T) {
	tree := tf.Copy(t)
	tree.Init(t, "examples/complete")
	vars := tf.ExampleVars("nakama", "alb")
	vars["replica_regions"] = []string{"us-west-2"}
	applied := tree.Apply(t, "examples/complete", vars)
	issuers, _ := json.Marshal(applied.Outputs["issuers"])
	for _, host := range []string{
		"https://cognito-idp.eu-central-1.amazonaws.com/", "https://issuer-cognito-idp.eu-central-1.amazonaws.com/",
		"https://cognito-idp.us-west-2.amazonaws.com/", "https://issuer-cognito-idp.us-west-2.amazonaws.com/",
	} {
		if !strings.Contains(string(issuers), host) {
			t.Errorf("no issuer at %s in %s", host, issuers)
		}
	}
}
