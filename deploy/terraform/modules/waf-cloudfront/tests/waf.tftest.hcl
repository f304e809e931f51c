mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name = "game-test"
}

run "rules_and_silence" {
  assert {
    condition     = aws_wafv2_web_acl.this.scope == "CLOUDFRONT" && aws_wafv2_web_acl.this.region == "us-east-1"
    error_message = "A web ACL for CloudFront is in us-east-1."
  }
  assert {
    condition     = length(setsubtract(["side-doors", "rate", "signin-rate", "AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesCommonRuleSet"], [for rule in aws_wafv2_web_acl.this.rule : rule.name])) == 0
    error_message = "A rule is missing."
  }
  assert {
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : !rule.visibility_config[0].sampled_requests_enabled])
    error_message = "Samples would show tokens."
  }
  assert {
    condition = length([for field in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : field if length(field.query_string) > 0]) == 1 && length(setsubtract(
      ["authorization", "cookie", "sec-websocket-protocol", "x-cloudfront-secret"],
    flatten([for field in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : field.single_header[*].name]))) == 0
    error_message = "Tokens and the origin secret must not be logged."
  }
  assert {
    condition     = startswith(aws_cloudwatch_log_group.waf.name, "aws-waf-logs-")
    error_message = "WAF logs only to groups of that name."
  }
}

run "side_doors" {
  command = plan
  assert {
    condition = alltrue([for door in ["device", "email", "apple", "facebook", "facebookinstantgame", "gamecenter", "google", "steam"] :
    can(regex(local.side_doors, "/v2/account/authenticate/${door}")) && can(regex(local.side_doors, "/v2/account/link/${door}"))])
    error_message = "A side door of Nakama is open."
  }
  assert {
    condition     = !can(regex(local.side_doors, "/v2/account/authenticate/custom")) && !can(regex(local.side_doors, "/v2/account"))
    error_message = "The front door is shut."
  }
}

run "refuses" {
  command = plan
  variables {
    requests_per_5_minutes = 1
    signins_per_5_minutes  = 1
    signin_path_prefixes   = ["/v2/account/.*"]
    managed_rules          = [{ name = "AWSManagedRulesCommonRuleSet" }]
  }
  expect_failures = [var.requests_per_5_minutes, var.signins_per_5_minutes, var.signin_path_prefixes, var.managed_rules]
}
