package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sallyport-auth/sallyport/deploy/awstest/values"
)

type place struct{ service, shape string }

// resources names, for each Terraform type, the shape of the API that its arguments go into.
var resources = map[string]place{
	"aws_acm_certificate":                                {"acm", "RequestCertificateRequest"},
	"aws_appautoscaling_policy":                          {"application-autoscaling", "PutScalingPolicyRequest"},
	"aws_appautoscaling_target":                          {"application-autoscaling", "RegisterScalableTargetRequest"},
	"aws_backup_plan":                                    {"backup", "BackupPlanInput"},
	"aws_budgets_budget":                                 {"budgets", "Budget"},
	"aws_cloudfront_cache_policy":                        {"cloudfront", "CachePolicyConfig"},
	"aws_cloudfront_distribution":                        {"cloudfront", "DistributionConfig"},
	"aws_cloudfront_origin_request_policy":               {"cloudfront", "OriginRequestPolicyConfig"},
	"aws_cloudfront_response_headers_policy":             {"cloudfront", "ResponseHeadersPolicyConfig"},
	"aws_cloudwatch_log_group":                           {"logs", "CreateLogGroupRequest"},
	"aws_cloudwatch_log_metric_filter":                   {"logs", "PutMetricFilterRequest"},
	"aws_cloudwatch_metric_alarm":                        {"monitoring", "PutMetricAlarmInput"},
	"aws_cognito_user_pool":                              {"cognito-idp", "CreateUserPoolRequest"},
	"aws_cognito_user_pool_client":                       {"cognito-idp", "CreateUserPoolClientRequest"},
	"aws_cognito_user_pool_domain":                       {"cognito-idp", "CreateUserPoolDomainRequest"},
	"aws_db_instance":                                    {"rds", "CreateDBInstanceMessage"},
	"aws_db_parameter_group":                             {"rds", "CreateDBParameterGroupMessage"},
	"aws_ecr_repository":                                 {"ecr", "CreateRepositoryRequest"},
	"aws_ecs_cluster":                                    {"ecs", "CreateClusterRequest"},
	"aws_ecs_service":                                    {"ecs", "CreateServiceRequest"},
	"aws_ecs_task_definition":                            {"ecs", "RegisterTaskDefinitionRequest"},
	"aws_elasticache_replication_group":                  {"elasticache", "CreateReplicationGroupMessage"},
	"aws_elasticache_user":                               {"elasticache", "CreateUserMessage"},
	"aws_elasticache_user_group":                         {"elasticache", "CreateUserGroupMessage"},
	"aws_flow_log":                                       {"ec2", "CreateFlowLogsRequest"},
	"aws_iam_policy":                                     {"iam", "CreatePolicyRequest"},
	"aws_iam_role":                                       {"iam", "CreateRoleRequest"},
	"aws_kms_key":                                        {"kms", "CreateKeyRequest"},
	"aws_lb":                                             {"elasticloadbalancingv2", "CreateLoadBalancerInput"},
	"aws_lb_listener":                                    {"elasticloadbalancingv2", "CreateListenerInput"},
	"aws_lb_listener_rule":                               {"elasticloadbalancingv2", "CreateRuleInput"},
	"aws_lb_target_group":                                {"elasticloadbalancingv2", "CreateTargetGroupInput"},
	"aws_s3_bucket_ownership_controls":                   {"s3", "OwnershipControls"},
	"aws_s3_bucket_server_side_encryption_configuration": {"s3", "ServerSideEncryptionConfiguration"},
	"aws_s3_bucket_versioning":                           {"s3", "PutBucketVersioningRequest"},
	"aws_secretsmanager_secret":                          {"secretsmanager", "CreateSecretRequest"},
	"aws_service_discovery_private_dns_namespace":        {"servicediscovery", "CreatePrivateDnsNamespaceRequest"},
	"aws_service_discovery_service":                      {"servicediscovery", "CreateServiceRequest"},
	"aws_sns_topic":                                      {"sns", "CreateTopicInput"},
	"aws_ssm_parameter":                                  {"ssm", "PutParameterRequest"},
	"aws_subnet":                                         {"ec2", "CreateSubnetRequest"},
	"aws_vpc":                                            {"ec2", "CreateVpcRequest"},
	"aws_vpc_endpoint":                                   {"ec2", "CreateVpcEndpointRequest"},
	"aws_wafv2_ip_set":                                   {"wafv2", "CreateIPSetRequest"},
	"aws_wafv2_web_acl":                                  {"wafv2", "CreateWebACLRequest"},
}

// renamed are the arguments whose member of the API has another name: the shape itself.
var renamed = map[string]place{
	"aws_lb.load_balancer_type":                                                                                     {"elasticloadbalancingv2", "LoadBalancerTypeEnum"},
	"aws_lb_target_group.health_check.protocol":                                                                     {"elasticloadbalancingv2", "ProtocolEnum"},
	"aws_lb_target_group.health_check.interval":                                                                     {"elasticloadbalancingv2", "HealthCheckIntervalSeconds"},
	"aws_lb_target_group.health_check.timeout":                                                                      {"elasticloadbalancingv2", "HealthCheckTimeoutSeconds"},
	"aws_lb_target_group.health_check.healthy_threshold":                                                            {"elasticloadbalancingv2", "HealthCheckThresholdCount"},
	"aws_lb_target_group.health_check.unhealthy_threshold":                                                          {"elasticloadbalancingv2", "HealthCheckThresholdCount"},
	"aws_lb_listener.default_action.fixed_response.status_code":                                                     {"elasticloadbalancingv2", "FixedResponseActionStatusCode"},
	"aws_lb_listener_rule.action.fixed_response.status_code":                                                        {"elasticloadbalancingv2", "FixedResponseActionStatusCode"},
	"aws_lb_listener_rule.action.fixed_response.content_type":                                                       {"elasticloadbalancingv2", "FixedResponseActionContentType"},
	"aws_kms_key.customer_master_key_spec":                                                                          {"kms", "KeySpec"},
	"aws_s3_bucket_versioning.versioning_configuration.status":                                                      {"s3", "BucketVersioningStatus"},
	"aws_s3_bucket_ownership_controls.rule.object_ownership":                                                        {"s3", "ObjectOwnership"},
	"aws_s3_bucket_server_side_encryption_configuration.rule.apply_server_side_encryption_by_default.sse_algorithm": {"s3", "ServerSideEncryption"},
	"aws_cognito_user_pool_client.token_validity_units.access_token":                                                {"cognito-idp", "TimeUnitsType"},
	"aws_cognito_user_pool_client.token_validity_units.id_token":                                                    {"cognito-idp", "TimeUnitsType"},
	"aws_cognito_user_pool_client.token_validity_units.refresh_token":                                               {"cognito-idp", "TimeUnitsType"},
	"aws_cloudfront_distribution.restrictions.geo_restriction.restriction_type":                                     {"cloudfront", "GeoRestrictionType"},
	"aws_cloudfront_distribution.origin.custom_origin_config.origin_ssl_protocols":                                  {"cloudfront", "SslProtocol"},
	"aws_wafv2_web_acl.scope":                                                                                       {"wafv2", "Scope"},
	"aws_ecs_cluster.setting.name":                                                                                  {"ecs", "ClusterSettingName"},
	"aws_ecs_cluster.configuration.execute_command_configuration.logging":                                           {"ecs", "ExecuteCommandLogging"},
	"aws_flow_log.log_destination_type":                                                                             {"ec2", "LogDestinationType"},
	"aws_flow_log.traffic_type":                                                                                     {"ec2", "TrafficType"},
	"aws_ecr_repository.encryption_configuration.encryption_type":                                                   {"ecr", "EncryptionType"},
	"aws_budgets_budget.notification.notification_type":                                                             {"budgets", "NotificationType"},
	"aws_budgets_budget.notification.comparison_operator":                                                           {"budgets", "ComparisonOperator"},
	"aws_budgets_budget.notification.threshold_type":                                                                {"budgets", "ThresholdType"},
}

// prose are bounds that the API's documentation states and its model does not. quote must be in the documentation.
var prose = []struct {
	argument, service, quote string
	rule                     values.Rule
}{
	{
		"aws_cloudwatch_log_group.retention_in_days", "logs",
		"Possible values are: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, and 3653",
		values.Rule{OneOf: strings.Split("0 1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653", " ")},
	},
	{"aws_kms_key.deletion_window_in_days", "kms", "If you include a value, it must be between 7 and 30, inclusive.", between(7, 30)},
	{"aws_db_instance.backup_retention_period", "rds", "Must be a value from 0 to 35.", between(0, 35)},
	{
		"aws_secretsmanager_secret.recovery_window_in_days", "secretsmanager", "The number of days from 7 to 30 that Secrets Manager waits",
		values.Rule{OneOf: strings.Fields("0 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30")},
	},
}

// loose are arguments that share a name with a member of the API but not its values: the provider takes a form of its own.
var loose = []string{}

func between(low, high float64) values.Rule { return values.Rule{Min: &low, Max: &high} }

// rename adds the renamed arguments, and fails for one that the schema does not have: the row is stale.
func (g *generator) rename(schema map[string]resource) error {
	var errs []error
	for argument, p := range renamed {
		m, err := g.model(p.service)
		switch {
		case err != nil:
			errs = append(errs, err)
		case m.Shapes[p.shape] == nil:
			errs = append(errs, fmt.Errorf("%s: %s has no shape %s", argument, p.service, p.shape))
		case !exists(schema, argument):
			errs = append(errs, fmt.Errorf("%s is no argument", argument))
		default:
			g.add(argument, m.leaf(m.Shapes[p.shape]))
		}
	}
	return errors.Join(errs...)
}

func exists(schema map[string]resource, argument string) bool {
	names := strings.Split(argument, ".")
	b := schema[names[0]].Block
	for _, name := range names[1 : len(names)-1] {
		b = b.Blocks[name].Block
	}
	_, ok := b.Attributes[names[len(names)-1]]
	return ok
}

func (g *generator) prose() error {
	for _, row := range prose {
		m, err := g.model(row.service)
		if err != nil {
			return err
		}
		docs, err := os.ReadFile(filepath.Join(m.folder, "docs-2.json"))
		if err != nil {
			return err
		}
		if !strings.Contains(string(docs), row.quote) {
			return fmt.Errorf("%s: the documentation of %s has no sentence %q", row.argument, row.service, row.quote)
		}
		g.table[row.argument] = row.rule
	}
	return nil
}
