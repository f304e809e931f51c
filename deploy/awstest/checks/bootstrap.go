package checks

import (
	"strings"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

// bootstrapChecks are those of what is there before the first deployment.
var bootstrapChecks = []check{
	{"repository", repository},
	{"state-log", stateLog},
	{"state-key", stateKey},
}

func repository(s *scene) {
	s.each("aws_ecr_repository", func(r tf.Resource) {
		s.is(r, "image_tag_mutability", "IMMUTABLE")
		s.is(r, "image_scanning_configuration.0.scan_on_push", "true")
		s.is(r, "encryption_configuration.0.encryption_type", "KMS")
	})
	s.each("aws_ecr_lifecycle_policy", func(tf.Resource) {})
}

func stateLog(s *scene) {
	s.each("aws_s3_bucket_logging", func(r tf.Resource) {
		if !strings.HasPrefix(r.Text("target_prefix"), "state") || r.Text("bucket") == r.Text("target_bucket") {
			s.report(r, "does not log the state's bucket into another")
		}
	})
}

// stateKey wants objects under another key refused: such a state would be read by whoever has that key.
func stateKey(s *scene) {
	for _, r := range s.OfType("aws_s3_bucket_policy") {
		for _, st := range statements(r, "policy") {
			if st.Effect == "Deny" && len(st.Condition["StringNotEqualsIfExists"]["s3:x-amz-server-side-encryption-aws-kms-key-id"]) == 1 {
				return
			}
		}
	}
	s.report(tf.Resource{Address: "aws_s3_bucket_policy"}, "takes states under any key")
}
