# Values that AWS would choose, of the form that it gives them: the real provider checks the form of ARNs.

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_region" {
  defaults = { region = "eu-central-1" }
}

mock_data "aws_availability_zones" {
  defaults = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
}

mock_data "aws_ec2_managed_prefix_list" {
  defaults = { id = "pl-3b927c52" }
}

mock_data "aws_secretsmanager_secret_version" {
  defaults = {
    secret_string = "{\"current\":\"mocked-origin-secret-current-00000000000000\",\"previous\":\"mocked-origin-secret-previous-0000000000000\"}"
    version_id    = "12345678-1234-1234-1234-123456789012"
  }
}

mock_resource "aws_kms_key" {
  defaults = {
    arn    = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"
    key_id = "12345678-1234-1234-1234-123456789012"
  }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
}

mock_resource "aws_iam_openid_connect_provider" {
  defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:mocked" }
}

mock_resource "aws_cloudwatch_log_delivery_destination" {
  defaults = { arn = "arn:aws:logs:us-east-1:123456789012:delivery-destination:mocked" }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = {
    id  = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mocked-AbCdEf"
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mocked-AbCdEf"
  }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:mocked" }
}

mock_resource "aws_s3_bucket" {
  defaults = { arn = "arn:aws:s3:::mocked" }
}

mock_resource "aws_ecr_repository" {
  defaults = {
    arn            = "arn:aws:ecr:eu-central-1:123456789012:repository/mocked"
    repository_url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/mocked"
  }
}

mock_resource "aws_lb" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/mocked/0123456789abcdef"
    arn_suffix = "app/mocked/0123456789abcdef"
    dns_name   = "internal-mocked.eu-central-1.elb.amazonaws.com"
  }
}

mock_resource "aws_lb_target_group" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/mocked/0123456789abcdef"
    arn_suffix = "targetgroup/mocked/0123456789abcdef"
  }
}

mock_resource "aws_lb_listener" {
  defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/mocked/0123456789abcdef/0123456789abcdef" }
}

mock_resource "aws_ecs_cluster" {
  defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/mocked" }
}

mock_resource "aws_ecs_task_definition" {
  defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/mocked:1" }
}

mock_resource "aws_service_discovery_service" {
  defaults = { arn = "arn:aws:servicediscovery:eu-central-1:123456789012:service/srv-mocked0123456789" }
}

mock_resource "aws_db_instance" {
  defaults = {
    address = "mocked.eu-central-1.rds.amazonaws.com"
    master_user_secret = [{
      kms_key_id    = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
      secret_arn    = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-mocked-AbCdEf"
      secret_status = "active"
    }]
  }
}

mock_resource "aws_elasticache_replication_group" {
  defaults = { primary_endpoint_address = "master.mocked.euc1.cache.amazonaws.com" }
}

mock_resource "aws_cognito_user_pool" {
  defaults = {
    id  = "eu-central-1_Mocked123"
    arn = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_Mocked123"
  }
}

mock_resource "aws_wafv2_web_acl" {
  defaults = { arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/mocked/12345678-1234-1234-1234-123456789012" }
}

mock_resource "aws_cloudfront_distribution" {
  defaults = {
    arn            = "arn:aws:cloudfront::123456789012:distribution/EMOCKED0123456"
    domain_name    = "mocked.cloudfront.net"
    hosted_zone_id = "Z2FDTNDATAQYW2"
  }
}

mock_resource "aws_cloudfront_function" {
  defaults = { arn = "arn:aws:cloudfront::123456789012:function/mocked" }
}
