package checks

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

// identityChecks are those of Cognito; everywhere are those that hold in bootstrap as well.
var (
	identityChecks = []check{
		{"auth-flows", authFlows},
		{"public-client", publicClient},
		{"client-answers", clientAnswers},
		{"pool", pool},
		{"task-role", taskRole},
	}
	everywhere = []check{
		{"iam-wildcard", iamWildcard},
		{"role-trust", roleTrust},
		{"key-rotation", keyRotation},
		{"log-encrypted", logEncrypted},
		{"secret-in-state", secretInState},
		{"bucket", bucket},
	}
)

func clients(s *scene, f func(tf.Resource)) { s.each("aws_cognito_user_pool_client", f) }

func authFlows(s *scene) {
	clients(s, func(r tf.Resource) {
		s.same(r, "flows", texts(r, "explicit_auth_flows"), []string{"ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"})
	})
}

func publicClient(s *scene) {
	clients(s, func(r tf.Resource) { s.is(r, "generate_secret", "false") })
}

func clientAnswers(s *scene) {
	clients(s, func(r tf.Resource) {
		s.is(r, "prevent_user_existence_errors", "ENABLED")
		s.is(r, "enable_token_revocation", "true")
		if slices.Contains(texts(r, "write_attributes"), "email_verified") || len(texts(r, "write_attributes")) == 0 {
			s.report(r, "lets players say that their address is verified")
		}
	})
}

func pool(s *scene) {
	s.each("aws_cognito_user_pool", func(r tf.Resource) {
		s.is(r, "mfa_configuration", "OPTIONAL", "ON")
		s.same(r, "attributes verified before they change", texts(r, "user_attribute_update_settings.0.attributes_require_verification_before_update"), []string{"email"})
	})
}

// taskRole allows the processes in the tasks nothing at all.
func taskRole(s *scene) {
	for _, typ := range []string{"aws_iam_role_policy", "aws_iam_role_policy_attachment"} {
		for _, r := range s.OfType(typ) {
			if strings.HasSuffix(r.Text("role"), "-task") || s.isTaskRole(r.Text("role")) {
				s.report(r, "lets the processes of a task ask AWS for something")
			}
		}
	}
}

func (s *scene) isTaskRole(id string) bool {
	return slices.ContainsFunc(s.OfType("aws_iam_role"), func(r tf.Resource) bool {
		return r.Text("id") == id && strings.HasSuffix(r.Text("name"), "-task")
	})
}

// unlisted are the actions that know no resource.
var unlisted = []string{"ecr:GetAuthorizationToken"}

// policies are the attributes that hold the policies of principals: those of resources speak of one resource alone.
var policies = map[string]string{"aws_iam_role_policy": "policy", "aws_iam_policy": "policy"}

func iamWildcard(s *scene) {
	for typ, path := range policies {
		for _, r := range s.OfType(typ) {
			for _, st := range statements(r, path) {
				s.wildcard(r, st)
			}
		}
	}
	for _, r := range s.OfType("aws_iam_role_policy_attachment") {
		if strings.HasSuffix(r.Text("policy_arn"), "/AdministratorAccess") || strings.HasSuffix(r.Text("policy_arn"), "FullAccess") {
			s.report(r, "attaches %s", r.Text("policy_arn"))
		}
	}
}

func (s *scene) wildcard(r tf.Resource, st statement) {
	if st.Effect != "Allow" {
		return
	}
	for _, a := range st.Action {
		if strings.Contains(a, "*") {
			s.report(r, "allows %s", a)
		}
		if slices.Contains(st.Resource, "*") && !slices.Contains(unlisted, a) {
			s.report(r, "allows %s on everything", a)
		}
	}
}

var subject = regexp.MustCompile(`^repo:[^*:]+/[^*:]+:environment:[^*]+$`)

// roleTrust wants services to act for this account alone, and workflows from one environment of one repository.
func roleTrust(s *scene) {
	for _, r := range s.OfType("aws_iam_role") {
		for _, st := range statements(r, "assume_role_policy") {
			principal, _ := json.Marshal(st.Principal)
			switch {
			case strings.Contains(string(principal), `"*"`):
				s.report(r, "can be taken by anybody")
			case strings.Contains(string(principal), `"Service"`) && len(st.Condition["StringEquals"]["aws:SourceAccount"]) == 0:
				s.report(r, "can be taken by a service that acts for another account")
			case strings.Contains(string(principal), `"Federated"`):
				sub := st.Condition["StringEquals"]["token.actions.githubusercontent.com:sub"]
				if len(sub) != 1 || !subject.MatchString(sub[0]) {
					s.report(r, "can be taken by workflows %q", sub)
				}
			}
		}
	}
}

func keyRotation(s *scene) {
	s.each("aws_kms_key", func(r tf.Resource) { s.is(r, "enable_key_rotation", "true") })
}

func logEncrypted(s *scene) {
	for _, r := range s.OfType("aws_cloudwatch_log_group") {
		s.set(r, "kms_key_id")
		if days := r.Text("retention_in_days"); days == "" || days == "0" {
			s.report(r, "is kept for ever")
		}
	}
}

// secretInState finds values that were given by an argument which the state keeps.
func secretInState(s *scene) {
	for _, r := range s.OfType("aws_secretsmanager_secret_version") {
		if r.Text("secret_string")+r.Text("secret_binary") != "" {
			s.report(r, "has its value in the state")
		}
	}
	for _, r := range s.OfType("aws_secretsmanager_secret") {
		s.set(r, "kms_key_id")
	}
	for _, r := range s.OfType("aws_elasticache_user") {
		if len(texts(r, "passwords"))+len(texts(r, "authentication_mode.0.passwords")) > 0 {
			s.report(r, "has its password in the state")
		}
	}
}

// bucket wants every bucket encrypted, private, versioned, and shut to what is not TLS.
func bucket(s *scene) {
	for _, r := range s.OfType("aws_s3_bucket") {
		id := r.Text("id")
		of := func(typ string) tf.Resource {
			for _, other := range s.OfType(typ) {
				if other.Text("bucket") == id {
					return other
				}
			}
			s.report(r, "has no %s", typ)
			return tf.Resource{Address: r.Address}
		}
		encryption := of("aws_s3_bucket_server_side_encryption_configuration")
		if r.Name == "state" {
			s.is(encryption, "rule.0.apply_server_side_encryption_by_default.0.sse_algorithm", "aws:kms")
		}
		block := of("aws_s3_bucket_public_access_block")
		for _, what := range []string{"block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"} {
			s.is(block, what, "true")
		}
		s.is(of("aws_s3_bucket_versioning"), "versioning_configuration.0.status", "Enabled")
		if !slices.ContainsFunc(statements(of("aws_s3_bucket_policy"), "policy"), deniesPlain) {
			s.report(r, "takes requests without TLS")
		}
	}
}

func deniesPlain(st statement) bool {
	return st.Effect == "Deny" && slices.Equal(st.Action, words{"s3:*"}) && len(st.Resource) == 2 &&
		slices.Equal(st.Condition["Bool"]["aws:SecureTransport"], words{"false"})
}
