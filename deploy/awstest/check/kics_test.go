package check

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

// exception is a query that may find something in some files, both regular expressions, and why.
type exception struct{ query, files, why string }

// accepted are KICS's queries that find something here which stays as it is. Whatever else it finds, or finds in another file, fails
// the test; so does an entry that nothing is found for any more.
var accepted = []exception{
	{`CloudWatch .*|Cloudwatch .*`, `modules/ops/main.tf`, "alarms on the account's CloudTrail are the account's, not a game's"},
	{`IAM Access Analyzer Not Enabled`, `.*`, "one for each account, not for each game"},
	{`Shield Advanced Not In Use`, `.*`, "3,000 US$ a month; the account's choice"},
	{`VPC Without Network Firewall`, `modules/network/main.tf`, "nothing comes in but CloudFront, and only HTTPS goes out, by security groups"},
	{`KMS Key With Vulnerable Policy`, `bootstrap/main.tf`, "kms:* for the account's root is what hands the key to IAM; without it nobody could manage it"},
	{`Passwords And Secrets - Generic (Password|Secret)`, `modules/sallyport/config.tf`, "names of variables that /start replaces, not values"},
	{`Passwords And Secrets - Generic Token`, `modules/auth/main.tf`, "lifetimes of tokens"},
	{`CloudFront Logging Disabled`, `modules/cdn/main.tf`, "logs.tf delivers them; the older kind has query strings, where tokens stand"},
	{`CDN Configuration Is Missing`, `modules/cdn/main.tf`, "the origins are dynamic blocks, which it does not read"},
	{`ELBv2 LB Access Log Disabled`, `modules/compute/balancers.tf`, "they hold whole URLs, where tokens stand"},
	{`EFS Volume With Disabled Transit Encryption`, `modules/compute/main.tf`, "the volume is the task's own disk; there is no EFS"},
	{`S3 Bucket Policy Accepts HTTP Requests`, `bootstrap/main.tf`, "the first statement denies them; it reads only one"},
	{`S3 Bucket Without Enabled MFA Delete`, `bootstrap/main.tf`, "only the root user can switch it on, by hand"},
	{`S3 bucket notifications disabled`, `modules/ops/main.tf`, "the topic is for alarms; no bucket has anything to tell"},
	{`AWS EIP not attached to any instance`, `modules/network/main.tf`, "it is the NAT gateway's"},
	{`ECR Repository Without Policy`, `bootstrap/main.tf`, "without one only this account's IAM decides"},
	{`Postgres RDS logging disabled`, `modules/data/main.tf`, "logged statements would hold what players write; connections are logged"},
	{`Security Group Not Used`, `modules/network/security.tf`, "modules/compute uses them; it does not look across modules"},
}

// place is where KICS found something: a query, and a file below deploy/terraform.
type place struct{ query, file, detail string }

func TestKICS(t *testing.T) {
	if os.Getenv("SALLYPORT_TEST_LONG") == "" {
		t.Skip("slow: SALLYPORT_TEST_LONG=1")
	}
	found := scan(t)
	for _, f := range found {
		if !slices.ContainsFunc(accepted, f.accepted) {
			t.Errorf("%s: %s: %s", f.file, f.query, f.detail)
		}
	}
	for _, a := range accepted {
		if !slices.ContainsFunc(found, func(f place) bool { return f.accepted(a) }) {
			t.Errorf("%s is not found in %s any more; take the exception away", a.query, a.files)
		}
	}
	t.Logf("%d places, all accepted by %d exceptions", len(found), len(accepted))
}

func (f place) accepted(a exception) bool {
	return regexp.MustCompile("^("+a.query+")$").MatchString(f.query) && regexp.MustCompile("^("+a.files+")$").MatchString(f.file)
}

// scan runs KICS with the queries of its own module over a copy of the modules.
func scan(t *testing.T) []place {
	t.Helper()
	tool, tree, out := tf.Tool(t, tf.KICS), tf.Copy(t), t.TempDir()
	assets := filepath.Join(tf.Source(t, tf.KICS), "assets")
	cmd := exec.CommandContext(t.Context(), tool, "scan", "--ci", "--no-progress", "--type", "Terraform", "--path", tree.Dir, "--queries-path",
		filepath.Join(assets, "queries"), "--libraries-path", filepath.Join(assets, "libraries"), "--report-formats", "json",
		"--output-path", out, "--ignore-on-exit", "results")
	cmd.Env = append(os.Environ(), "DISABLE_CRASH_REPORT=1")
	cmd.Dir = out
	if log, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("kics: %v\n%s", err, log)
	}
	data, err := os.ReadFile(filepath.Join(out, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	return results(t, data, tree.Dir)
}

func results(t *testing.T, data []byte, dir string) []place {
	t.Helper()
	var report struct {
		Scanned int `json:"files_scanned"`
		Failed  int `json:"queries_failed_to_execute"`
		Queries []struct {
			Name  string `json:"query_name"`
			Files []struct {
				File   string `json:"file_name"`
				Detail string `json:"actual_value"`
			} `json:"files"`
		} `json:"queries"`
	}
	if err := json.Unmarshal(data, &report); err != nil || report.Scanned < 40 || report.Failed != 0 {
		t.Fatalf("%d files scanned, %d queries failed: %v", report.Scanned, report.Failed, err)
	}
	var found []place
	for _, q := range report.Queries {
		for _, f := range q.Files {
			_, file, _ := strings.Cut(f.File, filepath.Base(dir)+"/")
			found = append(found, place{q.Name, file, f.Detail})
		}
	}
	return found
}
