package main

import (
	"fmt"
	"strings"
)

// shapes are the ARNs of what is named elsewhere by its ARN, because variables and other services check their form. %s is
// an id; a service without region or account has none in its ARN.
var shapes = map[string]string{
	"aws_acm_certificate":           "acm:REGION:ACCOUNT:certificate/UUID",
	"aws_cloudfront_distribution":   "cloudfront::ACCOUNT:distribution/E%s",
	"aws_cloudfront_function":       "cloudfront::ACCOUNT:function/%s",
	"aws_cloudfront_vpc_origin":     "cloudfront::ACCOUNT:vpcorigin/vo_%s",
	"aws_cloudwatch_log_group":      "logs:REGION:ACCOUNT:log-group:%s",
	"aws_cognito_user_pool":         "cognito-idp:REGION:ACCOUNT:userpool/REGION_%s",
	"aws_db_instance":               "rds:REGION:ACCOUNT:db:%s",
	"aws_ecr_repository":            "ecr:REGION:ACCOUNT:repository/%s",
	"aws_ecs_cluster":               "ecs:REGION:ACCOUNT:cluster/%s",
	"aws_iam_role":                  "iam::ACCOUNT:role/%s",
	"aws_kms_key":                   "kms:REGION:ACCOUNT:key/UUID",
	"aws_lb":                        "elasticloadbalancing:REGION:ACCOUNT:loadbalancer/app/mock/%s",
	"aws_lb_listener":               "elasticloadbalancing:REGION:ACCOUNT:listener/app/mock/0123456789abcdef/%s",
	"aws_lb_listener_rule":          "elasticloadbalancing:REGION:ACCOUNT:listener-rule/app/mock/0123456789abcdef/0123456789abcdef/%s",
	"aws_lb_target_group":           "elasticloadbalancing:REGION:ACCOUNT:targetgroup/mock/%s",
	"aws_s3_bucket":                 "s3:::%s",
	"aws_secretsmanager_secret":     "secretsmanager:REGION:ACCOUNT:secret:mock-%s",
	"aws_service_discovery_service": "servicediscovery:REGION:ACCOUNT:service/srv-%s",
	"aws_sns_topic":                 "sns:REGION:ACCOUNT:%s",
	"aws_wafv2_web_acl":             "wafv2:REGION:ACCOUNT:global/webacl/mock/UUID",
}

// arnID are the types whose id is their ARN.
var arnID = map[string]bool{
	"aws_lb": true, "aws_lb_listener": true, "aws_lb_listener_rule": true, "aws_lb_target_group": true, "aws_ecs_cluster": true,
	"aws_ecs_service": true, "aws_acm_certificate": true, "aws_secretsmanager_secret": true, "aws_sns_topic": true,
}

// prefixID are the beginnings of ids.
var prefixID = map[string]string{
	"aws_vpc": "vpc-", "aws_subnet": "subnet-", "aws_security_group": "sg-", "aws_route_table": "rtb-", "aws_nat_gateway": "nat-",
	"aws_internet_gateway": "igw-", "aws_eip": "eipalloc-", "aws_vpc_endpoint": "vpce-", "aws_cloudfront_distribution": "E",
	"aws_cloudfront_vpc_origin": "vo_", "aws_service_discovery_private_dns_namespace": "ns-", "aws_service_discovery_service": "srv-",
}

// arn makes up the ARN in an attribute: that of the resource itself, or of something of the kind that the name says.
func (s *server) arn(typ, name, region, id string) string {
	shape, known := shapes[typ]
	if !known || (name != "arn" && name != "id") {
		short := strings.TrimPrefix(typ, "aws_")
		shape = strings.SplitN(short, "_", 2)[0] + ":REGION:ACCOUNT:" + strings.ReplaceAll(short, "_", "-") + "/%s"
	}
	uuid := fmt.Sprintf("%s-%s-4%s-8%s-%s0", id[:8], id[8:12], id[:3], id[3:6], id[:11])
	shape = strings.NewReplacer("REGION", region, "ACCOUNT", s.account, "UUID", uuid).Replace(shape)
	return "arn:aws:" + strings.ReplaceAll(shape, "%s", id)
}
