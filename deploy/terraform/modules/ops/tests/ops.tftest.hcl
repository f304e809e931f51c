mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                     = "game-test"
  kms_key_arn              = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
  edge_kms_key_arn         = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"
  cluster_name             = "game-test"
  service_names            = { sallyport = "sallyport", backend = "backend" }
  sallyport_log_group_name = "/sallyport/game-test/sallyport"
  alb                      = { suffix = "app/a/0", target_group = "targetgroup/a/0" }
  distribution_id          = "E123"
  web_acl_name             = "game-test"
  cache_id                 = "game-test"
}

run "alb_without_database" {
  assert {
    condition     = length(setsubtract(["balancer-5xx", "target-5xx", "unhealthy", "connections", "sallyport-cpu", "backend-cpu", "refusals", "cache-memory-1"], keys(aws_cloudwatch_metric_alarm.home))) == 0
    error_message = "An alarm is missing."
  }
  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.edge)) == toset(["cloudfront-5xx", "waf-blocks"]) && alltrue([for alarm in aws_cloudwatch_metric_alarm.edge : alarm.region == "us-east-1"])
    error_message = "CloudFront's and the WAF's alarms are in us-east-1."
  }
  assert {
    condition     = alltrue([for topic in aws_sns_topic.alarms : topic.kms_master_key_id != null])
    error_message = "Topics are encrypted."
  }
}

run "nlb_with_database" {
  variables {
    nlb                 = { suffix = "net/b/0", target_group = "targetgroup/b/0" }
    database_identifier = "game-test"
    cache_nodes         = 2
    alarm_emails        = ["ops@example.com"]
  }
  assert {
    condition     = length(setsubtract(["sockets", "sockets-unhealthy", "database-cpu", "database-connections", "database-storage", "cache-memory-2"], keys(aws_cloudwatch_metric_alarm.home))) == 0
    error_message = "An alarm is missing."
  }
  assert {
    condition     = length(aws_sns_topic_subscription.email) == 2 && length(aws_budgets_budget.monthly.notification) == 2
    error_message = "Both topics and the budget tell somebody."
  }
  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 2 + length(output.alarm_names)
    error_message = "The dashboard shows what alarms watch."
  }
}

run "refuses" {
  command = plan
  variables {
    alarm_emails       = ["nobody"]
    monthly_budget_usd = 0
    edge_kms_key_arn   = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
  }
  expect_failures = [var.alarm_emails, var.monthly_budget_usd, var.edge_kms_key_arn]
}
