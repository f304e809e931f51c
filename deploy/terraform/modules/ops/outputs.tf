output "alarm_topic_arns" {
  description = "Topics that alarms go to: home, and edge (us-east-1) for CloudFront and its WAF."
  value       = { for key, topic in aws_sns_topic.alarms : key => topic.arn }
}

output "alarm_names" {
  description = "Every alarm."
  value       = sort(concat([for alarm in aws_cloudwatch_metric_alarm.home : alarm.alarm_name], [for alarm in aws_cloudwatch_metric_alarm.edge : alarm.alarm_name]))
}

output "dashboard_name" {
  description = "The dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
