package values

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

const module = "modules/sallyport"

// vars are those of the examples that the module has as well.
func vars(topology, plane string) map[string]any {
	v := tf.ExampleVars(topology, plane)
	delete(v, "region")
	v["alarm_emails"] = []string{"ops@example.com"}
	return v
}

func TestEveryValueOfTheModulesIsOneThatAWSTakes(t *testing.T) {
	tree := tf.Copy(t)
	tree.Init(t, module)
	seen := map[string]bool{}
	for _, v := range [][2]string{{"nakama", "alb"}, {"gate", "nlb"}} {
		plan := tree.Plan(t, module, vars(v[0], v[1]))
		for _, p := range Check(AWS(), plan.Resources) {
			t.Error(p)
		}
		for _, r := range plan.Resources {
			seen[r.Type] = true
		}
	}
	for argument := range AWS() {
		if typ, _, _ := strings.Cut(argument, "."); seen[typ] {
			return
		}
	}
	t.Error("the table has nothing to do with the modules")
}

// wrong is a value that AWS refuses, put into a file of the modules in place of text that is there once. A survivor is one that nobody
// finds before AWS does; docs/aws.md names it.
type wrong struct {
	argument, file, find, replace, value string
	survives                             bool
}

const (
	balancers = "compute/balancers.tf"
	tasks     = "compute/main.tf"
	auth      = "auth/main.tf"
	cdn       = "cdn/main.tf"
)

var wrongs = []wrong{
	{"aws_lb.desync_mitigation_mode", balancers, `"strictest"`, `"strict"`, "strict", true},
	{"aws_lb_listener.ssl_policy", balancers, `"ELBSecurityPolicy-TLS13-1-2-2021-06"`, `"ELBSecurityPolicy-TLS13-1-9"`, "ELBSecurityPolicy-TLS13-1-9", true},
	{"aws_lb_listener.protocol", balancers, "protocol          = \"HTTPS\"", "protocol          = \"HTPS\"", "HTPS", false},
	{"aws_lb_listener.default_action.fixed_response.status_code", balancers, `"403"`, `"40"`, "40", false},
	{"aws_lb_listener_rule.priority", balancers, "tonumber(each.key)", "60000", "60000", false},
	{"aws_lb_target_group.target_type", balancers, "target_type          = \"ip\"", "target_type          = \"address\"", "address", false},
	{"aws_ecs_task_definition.runtime_platform.cpu_architecture", tasks, "= var.sallyport.architecture", `= "AMD64"`, "AMD64", false},
	{"aws_ecs_service.launch_type", "compute/services.tf", "task_definition                    = aws_ecs_task_definition.backend.arn\n  launch_type                        = \"FARGATE\"", "task_definition                    = aws_ecs_task_definition.backend.arn\n  launch_type                        = \"FARGAT\"", "FARGAT", false},
	{"aws_cloudwatch_log_group.retention_in_days", tasks, "retention_in_days = var.log_retention_days", "retention_in_days = 91", "91", false},
	{"aws_cognito_user_pool.mfa_configuration", auth, "mfa_configuration        = var.mfa", `mfa_configuration        = "SOMETIMES"`, "SOMETIMES", false},
	{"aws_cognito_user_pool_client.explicit_auth_flows", auth, `"ALLOW_USER_SRP_AUTH"`, `"ALLOW_SRP"`, "ALLOW_SRP", false},
	{"aws_cloudfront_distribution.viewer_certificate.minimum_protocol_version", cdn, `"TLSv1.2_2021"`, `"TLSv1.2_2020"`, "TLSv1.2_2020", false},
	{"aws_cloudfront_distribution.http_version", cdn, `"http2and3"`, `"http4"`, "http4", false},
	{"aws_flow_log.traffic_type", "network/main.tf", `traffic_type             = "ALL"`, `traffic_type             = "EVERYTHING"`, "EVERYTHING", false},
	{"aws_kms_key.deletion_window_in_days", "sallyport/kms.tf", "deletion_window_in_days = 30", "deletion_window_in_days = 5", "5", false},
	{"aws_db_instance.storage_type", "data/main.tf", `"gp3"`, `"gp5"`, "gp5", true},
	{"aws_elasticache_replication_group.transit_encryption_mode", "data/cache.tf", `"required"`, `"always"`, "always", false},
	{"aws_budgets_budget.notification.comparison_operator", "ops/main.tf", `"GREATER_THAN"`, `"MORE_THAN"`, "MORE_THAN", false},
}

// TestWrongValuesAreFound plants all wrong values at once. What the stand-in refuses by itself is taken back until there is a plan, for
// the table to judge the rest; the table must know what is allowed for the refused ones as well.
func TestWrongValuesAreFound(t *testing.T) {
	tree := tf.Copy(t)
	tree.Init(t, module)
	for _, w := range wrongs {
		w.plant(t, tree, w.find, w.replace)
	}
	found := 0
	left := refuse(t, tree, wrongs, func(w wrong) {
		rule, ok := AWS()[w.argument]
		w.judge(t, ok && (!rule.allowsText(w.value) || rule.Min != nil || rule.Max != nil))
		found++
	})
	t.Logf("%d of %d are refused by the stand-in", found, len(wrongs))
	problems := Check(AWS(), tree.Plan(t, module, vars("nakama", "alb")).Resources)
	for _, w := range left {
		i := slices.IndexFunc(problems, func(p Problem) bool { return strings.HasSuffix(w.argument, "."+p.Argument) && p.Value == w.value })
		w.judge(t, i >= 0)
		if i >= 0 {
			t.Log(problems[i])
			found++
		}
	}
	t.Logf("%d of %d are found", found, len(wrongs))
	if len(wrongs) != 18 || found < 14 {
		t.Errorf("%d of %d; want 14 of 18", found, len(wrongs))
	}
}

// refuse plans until nothing is refused any more, and returns the wrong values that are left in the modules.
func refuse(t *testing.T, tree *tf.Tree, planted []wrong, refused func(wrong)) []wrong {
	t.Helper()
	for {
		r := tree.Run(t, module, "plan", "-no-color", "-input=false", "-refresh=false", tree.VarsFile(t, module, vars("nakama", "alb")))
		if r.Code == 0 {
			return planted
		}
		says := strings.Join(strings.Fields(r.Output()), " ")
		var left []wrong
		for _, w := range planted {
			if !strings.Contains(says, w.argument) || !strings.Contains(says, `"`+w.value+`"`) && !strings.Contains(says, "got "+w.value) {
				left = append(left, w)
				continue
			}
			w.plant(t, tree, w.replace, w.find)
			refused(w)
		}
		if len(left) == len(planted) {
			t.Fatalf("terraform fails for another reason:\n%s", r.Errors())
		}
		planted = left
	}
}

// judge compares what happened with what is promised, so that a survivor which is found one day is no longer called one.
func (w wrong) judge(t *testing.T, found bool) {
	t.Helper()
	if found == w.survives {
		t.Errorf("%s = %q: found %v, survivor %v", w.argument, w.value, found, w.survives)
	}
}

func (w wrong) plant(t *testing.T, tree *tf.Tree, find, replace string) {
	t.Helper()
	path := filepath.Join(tree.Dir, "modules", w.file)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), find); n != 1 {
		t.Fatalf("%s has %q %d times, not once", w.file, find, n)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(data), find, replace, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSurvivorsAreNamed(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join(tf.Root(), "..", "..", "docs", "aws.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrongs {
		if w.survives && !strings.Contains(string(doc), "`"+w.argument+"`") {
			t.Errorf("docs/aws.md does not name the survivor %s", w.argument)
		}
	}
}

func TestRules(t *testing.T) {
	low, high := 2.0, 4.0
	for name, test := range map[string]struct {
		rule Rule
		ok   []any
		bad  []any
	}{
		"enumeration": {Rule{OneOf: []string{"a", "b"}}, []any{"a", "", nil, true}, []any{"c", "A"}},
		"numbers":     {Rule{OneOf: []string{"1", "3"}}, []any{1.0, 3.0}, []any{2.0}},
		"range":       {Rule{Min: &low, Max: &high}, []any{2.0, 4.0}, []any{1.0, 5.0}},
		"length":      {Rule{Shortest: &low, Longest: &high}, []any{"éé", "abcd"}, []any{"a", "abcde"}},
		"pattern":     {Rule{Pattern: "[a-z]+"}, []any{"abc"}, []any{"abc1", "1abc"}},
	} {
		for _, v := range test.ok {
			if !test.rule.allows(v) {
				t.Errorf("%s: %v is refused; allowed is %s", name, v, test.rule)
			}
		}
		for _, v := range test.bad {
			if test.rule.allows(v) {
				t.Errorf("%s: %v is allowed; allowed is %s", name, v, test.rule)
			}
		}
	}
}
