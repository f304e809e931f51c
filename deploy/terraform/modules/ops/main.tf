data "aws_region" "this" {}

data "aws_caller_identity" "this" {}

locals {
  edge    = "us-east-1"
  account = data.aws_caller_identity.this.account_id
  topics  = { home = { region = data.aws_region.this.region, key = var.kms_key_arn }, edge = { region = local.edge, key = var.edge_kms_key_arn } }
  # The reasons of sallyport's refusals that have a metric of their own; everything else is in the sum.
  reasons = ["expired", "bad_signature", "unknown_key", "wrong_issuer", "wrong_audience", "revoked", "banned", "missing_token", "unavailable"]
}

# CloudFront and its WAF have their metrics in us-east-1, and an alarm tells a topic of its own region alone.
resource "aws_sns_topic" "alarms" {
  for_each          = local.topics
  region            = each.value.region
  name              = "${var.name}-alarms-${each.key}"
  kms_master_key_id = each.value.key
}

resource "aws_sns_topic_policy" "alarms" {
  for_each = local.topics
  region   = each.value.region
  arn      = aws_sns_topic.alarms[each.key].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Alarms"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms[each.key].arn
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each  = { for pair in setproduct(keys(local.topics), var.alarm_emails) : "${pair[0]} ${pair[1]}" => { topic = pair[0], email = pair[1] } }
  region    = local.topics[each.value.topic].region
  topic_arn = aws_sns_topic.alarms[each.value.topic].arn
  protocol  = "email"
  endpoint  = each.value.email
}

resource "aws_cloudwatch_log_metric_filter" "refusals" {
  for_each       = toset(concat(["all"], local.reasons))
  name           = "refusals-${each.key}"
  log_group_name = var.sallyport_log_group_name
  pattern        = each.key == "all" ? "{ ($.msg = \"admission\") && ($.allowed IS FALSE) }" : "{ ($.msg = \"admission\") && ($.reason = \"${each.key}\") }"

  metric_transformation {
    namespace = "Sallyport/${var.name}"
    name      = "refusals_${each.key}"
    value     = "1"
    unit      = "Count"
  }
}

resource "aws_budgets_budget" "monthly" {
  name         = var.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"

  dynamic "notification" {
    for_each = length(var.alarm_emails) == 0 ? {} : { ACTUAL = 80, FORECASTED = 100 }
    content {
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      notification_type          = notification.key
      subscriber_email_addresses = var.alarm_emails
    }
  }
}
