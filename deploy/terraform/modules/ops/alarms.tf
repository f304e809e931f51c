locals {
  alb     = { LoadBalancer = var.alb.suffix }
  targets = { LoadBalancer = var.alb.suffix, TargetGroup = var.alb.target_group }

  alarms = merge(
    {
      balancer-5xx = {
        why       = "The ALB finds no healthy target, or cannot speak to it."
        namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum", dimensions = local.alb
        threshold = var.thresholds.errors_5xx
      }
      target-5xx = {
        why       = "sallyport or the backend answers with errors."
        namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum", dimensions = local.alb
        threshold = var.thresholds.errors_5xx
      }
      unhealthy = {
        why       = "A task of sallyport is not ready."
        namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", statistic = "Maximum", dimensions = local.targets
        threshold = 0
      }
      connections = {
        why       = "Four fifths of the sockets that the tasks are made for; an ALB counts each twice."
        namespace = "AWS/ApplicationELB", metric = "ActiveConnectionCount", statistic = "Sum", dimensions = local.alb
        threshold = 2 * 0.8 * var.max_sockets, period = 60
      }
      sallyport-cpu = {
        why        = "Autoscaling does not keep up."
        namespace  = "AWS/ECS", metric = "CPUUtilization", statistic = "Average", threshold = var.thresholds.cpu_percent
        dimensions = { ClusterName = var.cluster_name, ServiceName = var.service_names.sallyport }
      }
      backend-cpu = {
        why        = "The backend does not scale by itself."
        namespace  = "AWS/ECS", metric = "CPUUtilization", statistic = "Average", threshold = var.thresholds.cpu_percent
        dimensions = { ClusterName = var.cluster_name, ServiceName = var.service_names.backend }
      }
      refusals = {
        why       = "Many refusals: an issuer changed its keys, a client is broken, or somebody tries tokens. The dashboard has them by reason."
        namespace = "Sallyport/${var.name}", metric = "refusals_all", statistic = "Sum", dimensions = {}
        threshold = var.thresholds.refusals
      }
    },
    { for i in range(var.cache_nodes) : "cache-memory-${i + 1}" => {
      why        = "The store fills up; it refuses writes when it is full, because it must not evict."
      namespace  = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", statistic = "Maximum", threshold = 75
      dimensions = { CacheClusterId = format("%s-%03d", var.cache_id, i + 1) }
    } },
    { for name, alarm in {
      sockets-unhealthy = {
        why        = "A task of sallyport is not ready for sockets."
        namespace  = "AWS/NetworkELB", metric = "UnHealthyHostCount", statistic = "Maximum", threshold = 0
        dimensions = { LoadBalancer = try(var.nlb.suffix, ""), TargetGroup = try(var.nlb.target_group, "") }
      }
      sockets = {
        why       = "Four fifths of the sockets that the tasks are made for."
        namespace = "AWS/NetworkELB", metric = "ActiveFlowCount", statistic = "Average", dimensions = { LoadBalancer = try(var.nlb.suffix, "") }
        threshold = 0.8 * var.max_sockets, period = 60
      }
    } : name => alarm if var.nlb != null },
    { for name, alarm in {
      database-cpu = {
        why        = "The database is too small, or a query is too slow."
        namespace  = "AWS/RDS", metric = "CPUUtilization", statistic = "Average", threshold = var.thresholds.cpu_percent
        dimensions = { DBInstanceIdentifier = coalesce(var.database_identifier, "none") }
      }
      database-connections = {
        why        = "The backend opens more connections than it should."
        namespace  = "AWS/RDS", metric = "DatabaseConnections", statistic = "Maximum", threshold = var.thresholds.database_connections
        dimensions = { DBInstanceIdentifier = coalesce(var.database_identifier, "none") }
      }
      database-storage = {
        why        = "The database's disk fills up."
        namespace  = "AWS/RDS", metric = "FreeStorageSpace", statistic = "Minimum", threshold = var.thresholds.free_storage_bytes
        dimensions = { DBInstanceIdentifier = coalesce(var.database_identifier, "none") }, comparison = "LessThanThreshold"
      }
    } : name => alarm if var.database_identifier != null },
  )

  edge_alarms = {
    cloudfront-5xx = {
      why        = "More than 5 % of the answers are errors of ours."
      namespace  = "AWS/CloudFront", metric = "5xxErrorRate", statistic = "Average", threshold = 5
      dimensions = { DistributionId = var.distribution_id, Region = "Global" }
    }
    waf-blocks = {
      why        = "The WAF blocks many requests: an attack, or a rule that hits players."
      namespace  = "AWS/WAFV2", metric = "BlockedRequests", statistic = "Sum", threshold = var.thresholds.waf_blocks
      dimensions = { WebACL = var.web_acl_name, Rule = "ALL" }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "home" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.why
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = try(each.value.period, 300)
  evaluation_periods  = try(each.value.period, 300) == 60 ? 3 : 1
  comparison_operator = try(each.value.comparison, "GreaterThanThreshold")
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms["home"].arn]
  ok_actions          = [aws_sns_topic.alarms["home"].arn]

  depends_on = [aws_sns_topic_policy.alarms]
}

resource "aws_cloudwatch_metric_alarm" "edge" {
  for_each            = local.edge_alarms
  region              = local.edge
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.why
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms["edge"].arn]
  ok_actions          = [aws_sns_topic.alarms["edge"].arn]

  depends_on = [aws_sns_topic_policy.alarms]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for i, widget in concat(
      [
        {
          title   = "Refusals by reason"
          region  = data.aws_region.this.region
          stat    = "Sum"
          metrics = [for reason in local.reasons : ["Sallyport/${var.name}", "refusals_${reason}"]]
        },
        {
          title   = "CloudFront"
          region  = local.edge
          stat    = "Sum"
          metrics = [["AWS/CloudFront", "Requests", "DistributionId", var.distribution_id, "Region", "Global"]]
        },
      ],
      [for name, alarm in merge(local.edge_alarms, local.alarms) : {
        title   = name
        region  = contains(keys(local.edge_alarms), name) ? local.edge : data.aws_region.this.region
        stat    = alarm.statistic
        metrics = [concat([alarm.namespace, alarm.metric], flatten([for key, value in alarm.dimensions : [key, value]]))]
      }],
      ) : {
      type   = "metric"
      x      = (i % 3) * 8
      y      = floor(i / 3) * 6
      width  = 8
      height = 6
      properties = {
        title   = widget.title
        region  = widget.region
        stat    = widget.stat
        period  = 300
        view    = "timeSeries"
        metrics = widget.metrics
      }
    }]
  })
}
