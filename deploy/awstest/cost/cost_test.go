package cost

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

var update = flag.Bool("update", false, "write the tables into docs/aws.md")

// TestTheDocumentsFigures reckons the tables of docs/aws.md again, of the examples as they are.
func TestTheDocumentsFigures(t *testing.T) {
	path := filepath.Join(tf.Root(), "..", "..", "docs", "aws.md")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(data)
	tree := tf.Copy(t)
	minimal, complete := count(t, tree, "examples/minimal"), count(t, tree, "examples/complete")
	for name, table := range map[string]string{
		"minimal, idle":            Table(List, minimal, Idle),
		"complete, idle":           Table(List, complete, Idle),
		"complete, 10,000 players": Table(List, complete, TenThousand),
	} {
		begin, end := "<!-- cost: "+name+" -->\n", "<!-- end of cost -->"
		before, rest, ok := strings.Cut(doc, begin)
		old, after, closed := strings.Cut(rest, end)
		switch {
		case !ok || !closed:
			t.Errorf("docs/aws.md has no table %s", name)
		case *update:
			doc = before + begin + table + end + after
		case old != table:
			t.Errorf("docs/aws.md, %s: go test ./cost -update writes\n%s\ninstead of\n%s", name, table, old)
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(doc, List.Date) || !strings.Contains(doc, List.Region) {
		t.Errorf("docs/aws.md does not say that the prices are those of %s in %s", List.Date, List.Region)
	}
}

// count applies an example, with a state in its own folder instead of S3.
func count(t *testing.T, tree *tf.Tree, example string) Deployed {
	t.Helper()
	local := []byte("terraform {\n  backend \"local\" {}\n}\n")
	if err := os.WriteFile(filepath.Join(tree.Dir, example, "backend_override.tf"), local, 0o600); err != nil {
		t.Fatal(err)
	}
	tree.Must(t, example, "init", "-input=false", "-no-color")
	digest := "@sha256:" + strings.Repeat("0123456789abcdef", 4)
	certificate := "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
	applied := tree.Apply(t, example, map[string]any{
		"name": "game-test", "region": "us-east-1", "domain_name": "game.example.com",
		"edge_certificate_arn": certificate, "origin_certificate_arn": certificate,
		"origin_secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:game/origin-AbCdEf",
		"sallyport_image":   "123456789012.dkr.ecr.us-east-1.amazonaws.com/game-test/sallyport" + digest,
		"backend_image":     "123456789012.dkr.ecr.us-east-1.amazonaws.com/game-test/backend" + digest,
	})
	d := Count(applied.Resources)
	if d.GateTasks < 2 || d.BackendVCPU == 0 || d.ALBs != 1 || d.DatabaseZones == 0 || d.CacheNodes == 0 || d.Alarms == 0 || d.WebACLRules == 0 ||
		List.DatabaseHour[d.DatabaseClass] == 0 || List.CacheHour[d.CacheNode] == 0 {
		t.Fatalf("%s: counted %+v, or there is no price", example, d)
	}
	return d
}

// TestArithmetic reckons one small bill by hand.
func TestArithmetic(t *testing.T) {
	p := Prices{FargateVCPUHour: 0.04, FargateGBHour: 0.004, ALBHour: 0.02, EdgeGB: 0.1, EdgeFreeGB: 1000, LCUHour: 0.01, EssentialsMAU: 0.5, FreeMAU: 10}
	d := Deployed{GateTasks: 2, GateVCPU: 0.5, GateGB: 1, ALBs: 1}
	if got, want := Total(p, d, Idle), 730*(2*0.5*0.04+2*1*0.004+0.02); math.Abs(got-want) > 1e-9 {
		t.Errorf("idle is %v, want %v", got, want)
	}
	l := Load{Players: 1000, BytesPerSecond: 1000, Tasks: 3, MAU: 12}
	gb := 1000.0 * 1000 * 730 * 3600 / 1e9 // 2628
	want := 730*(3*0.5*0.04+3*1*0.004+0.02) + gb*0.01 + (gb-1000)*0.1 + 2*0.5
	if got := Total(p, d, l); math.Abs(got-want) > 1e-9 {
		t.Errorf("with players it is %v, want %v", got, want)
	}
}
