# What belongs to CloudFront lives in us-east-1, wherever the game runs.

data "aws_caller_identity" "this" {}

locals {
  edge    = "us-east-1"
  account = data.aws_caller_identity.this.account_id
  # Nakama's sign-ups by anything but a token that sallyport verified, and the ways to add one to an account.
  side_doors = "^/v2/account/(authenticate|link|unlink)/(apple|device|email|facebook|facebookinstantgame|gamecenter|google|steam)"
}

resource "aws_kms_key" "edge" {
  region              = local.edge
  description         = "Logs and alarms of CloudFront and its WAF for ${var.name}"
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${local.account}:root" }
        # A key's policy speaks of that key alone: "*" is the key itself.
        Action   = ["kms:*"]
        Resource = "*"
      },
      {
        Sid       = "Logs"
        Effect    = "Allow"
        Principal = { Service = "logs.${local.edge}.amazonaws.com" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${local.edge}:${local.account}:log-group:*" } }
      },
      {
        Sid       = "Alarms"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}

resource "aws_kms_alias" "edge" {
  region        = local.edge
  name          = "alias/${var.name}-edge"
  target_key_id = aws_kms_key.edge.key_id
}

resource "aws_wafv2_web_acl" "this" {
  region      = local.edge
  name        = var.name
  description = "Before CloudFront: reputation, known attacks, side doors and rates"
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  rule {
    name     = "side-doors"
    priority = 0

    action {
      block {}
    }

    statement {
      regex_match_statement {
        regex_string = local.side_doors
        field_to_match {
          uri_path {}
        }
        text_transformation {
          priority = 0
          type     = "URL_DECODE"
        }
        text_transformation {
          priority = 1
          type     = "NORMALIZE_PATH"
        }
        text_transformation {
          priority = 2
          type     = "LOWERCASE"
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "side-doors"
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "rate"
    priority = 1

    action {
      block {}
    }

    statement {
      rate_based_statement {
        limit                 = var.requests_per_5_minutes
        aggregate_key_type    = "IP"
        evaluation_window_sec = 300
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "rate"
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "signin-rate"
    priority = 2

    action {
      block {}
    }

    statement {
      rate_based_statement {
        limit                 = var.signins_per_5_minutes
        aggregate_key_type    = "IP"
        evaluation_window_sec = 300

        scope_down_statement {
          regex_match_statement {
            regex_string = "^(${join("|", var.signin_path_prefixes)})"
            field_to_match {
              uri_path {}
            }
            text_transformation {
              priority = 0
              type     = "URL_DECODE"
            }
            text_transformation {
              priority = 1
              type     = "NORMALIZE_PATH"
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "signin-rate"
      sampled_requests_enabled   = false
    }
  }

  dynamic "rule" {
    for_each = { for i, group in var.managed_rules : i => group }
    content {
      name     = rule.value.name
      priority = 10 + rule.key

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.value.name

          dynamic "rule_action_override" {
            for_each = rule.value.count
            content {
              name = rule_action_override.value
              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = rule.value.name
        sampled_requests_enabled   = false
      }
    }
  }

  # Samples show whole requests, with the tokens in them.
  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.name
    sampled_requests_enabled   = false
  }
}

resource "aws_cloudwatch_log_group" "waf" {
  region            = local.edge
  name              = "aws-waf-logs-${var.name}" # WAF demands the beginning
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.edge.arn
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  region                  = local.edge
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.waf.arn]

  # Tokens travel in the query (?token=), in Authorization, in the subprotocol and in cookies.
  redacted_fields {
    query_string {}
  }

  dynamic "redacted_fields" {
    for_each = toset(["authorization", "cookie", "sec-websocket-protocol", lower(var.origin_header)])
    content {
      single_header {
        name = redacted_fields.value
      }
    }
  }

  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"
      condition {
        action_condition {
          action = "BLOCK"
        }
      }
      condition {
        action_condition {
          action = "COUNT"
        }
      }
    }
  }
}
