output "cluster_name" {
  description = "The ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_names" {
  description = "The ECS services, by sallyport and backend."
  value       = { sallyport = aws_ecs_service.sallyport.name, backend = aws_ecs_service.backend.name }
}

output "log_group_names" {
  description = "The log groups, by sallyport and backend."
  value       = { for task, group in aws_cloudwatch_log_group.task : task => group.name }
}

# CloudFront takes the secret from here, so that it begins to send a new one only when every rule and task accepts it.
output "accepted_origin_secret" {
  description = "The current origin secret, once everything behind CloudFront accepts it."
  value       = var.origin_secrets[0]
  sensitive   = true
  depends_on  = [aws_ecs_service.sallyport, aws_lb_listener_rule.allowed]
}

output "alb" {
  description = "The ALB: arn, and the suffixes that metrics know it and its target group by."
  value = {
    arn          = aws_lb.alb.arn
    dns_name     = aws_lb.alb.dns_name
    suffix       = aws_lb.alb.arn_suffix
    target_group = aws_lb_target_group.https["gate"].arn_suffix
  }
}

output "nlb" {
  description = "The NLB of the socket plane, as alb; null on the alb plane."
  value = one([for i, balancer in aws_lb.nlb : {
    arn          = balancer.arn
    dns_name     = balancer.dns_name
    suffix       = balancer.arn_suffix
    target_group = aws_lb_target_group.sockets[i].arn_suffix
  }])
}

output "listener_rules" {
  description = "The paths that each rule lets pass, by its priority."
  value       = { for priority, rule in aws_lb_listener_rule.allowed : priority => local.rules[priority].paths }
}
