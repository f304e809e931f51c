resource "aws_ecs_service" "sallyport" {
  name                               = "sallyport"
  cluster                            = aws_ecs_cluster.this.arn
  task_definition                    = aws_ecs_task_definition.sallyport.arn
  launch_type                        = "FARGATE"
  platform_version                   = "1.4.0"
  desired_count                      = var.sallyport.min_tasks
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 60
  enable_execute_command             = false
  propagate_tags                     = "SERVICE"
  # CloudFront gets the new origin secret only once every task and rule knows it.
  wait_for_steady_state = true

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_ids.sallyport]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = aws_lb_target_group.https
    content {
      target_group_arn = load_balancer.value.arn
      container_name   = "sallyport"
      container_port   = load_balancer.value.port
    }
  }

  dynamic "load_balancer" {
    for_each = aws_lb_target_group.sockets
    content {
      target_group_arn = load_balancer.value.arn
      container_name   = "sallyport"
      container_port   = local.ports.gate
    }
  }

  service_registries {
    registry_arn = aws_service_discovery_service.task["sallyport"].arn
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  lifecycle {
    ignore_changes = [desired_count] # autoscaling's
  }

  depends_on = [aws_lb_listener.https, aws_lb_listener.sockets, aws_iam_role_policy.execution,
  aws_secretsmanager_secret_version.tls_seed]
}

resource "aws_ecs_service" "backend" {
  name                               = "backend"
  cluster                            = aws_ecs_cluster.this.arn
  task_definition                    = aws_ecs_task_definition.backend.arn
  launch_type                        = "FARGATE"
  platform_version                   = "1.4.0"
  desired_count                      = var.backend.tasks
  deployment_minimum_healthy_percent = var.backend.single ? 0 : 100
  deployment_maximum_percent         = var.backend.single ? 100 : 200
  enable_execute_command             = var.exec_enabled
  propagate_tags                     = "SERVICE"
  wait_for_steady_state              = true

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_ids.backend]
    assign_public_ip = false
  }

  service_registries {
    registry_arn = aws_service_discovery_service.task["backend"].arn
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  depends_on = [aws_iam_role_policy.execution, aws_secretsmanager_secret_version.tls_seed]
}

resource "aws_appautoscaling_target" "sallyport" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.sallyport.name}"
  min_capacity       = var.sallyport.min_tasks
  max_capacity       = var.sallyport.max_tasks
}

resource "aws_appautoscaling_policy" "cpu" {
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.sallyport.service_namespace
  scalable_dimension = aws_appautoscaling_target.sallyport.scalable_dimension
  resource_id        = aws_appautoscaling_target.sallyport.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.sallyport.cpu_percent
    scale_out_cooldown = 60
    scale_in_cooldown  = 300
    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

# An ALB counts a socket twice, towards the client and towards the target; an NLB counts it once.
resource "aws_appautoscaling_policy" "sockets" {
  name               = "sockets"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.sallyport.service_namespace
  scalable_dimension = aws_appautoscaling_target.sallyport.scalable_dimension
  resource_id        = aws_appautoscaling_target.sallyport.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.sallyport.sockets_per_task
    scale_out_cooldown = 60
    scale_in_cooldown  = 900

    customized_metric_specification {
      metrics {
        id          = "sockets"
        label       = "Sockets for each task"
        expression  = "connections / ${var.socket_plane == "nlb" ? 1 : 2} / tasks"
        return_data = true
      }

      metrics {
        id          = "connections"
        return_data = false
        metric_stat {
          stat = var.socket_plane == "nlb" ? "Average" : "Sum"
          metric {
            namespace   = var.socket_plane == "nlb" ? "AWS/NetworkELB" : "AWS/ApplicationELB"
            metric_name = var.socket_plane == "nlb" ? "ActiveFlowCount" : "ActiveConnectionCount"
            dimensions {
              name  = "LoadBalancer"
              value = var.socket_plane == "nlb" ? aws_lb.nlb[0].arn_suffix : aws_lb.alb.arn_suffix
            }
          }
        }
      }

      metrics {
        id          = "tasks"
        return_data = false
        metric_stat {
          stat = "Average"
          metric {
            namespace   = "ECS/ContainerInsights"
            metric_name = "RunningTaskCount"
            dimensions {
              name  = "ClusterName"
              value = aws_ecs_cluster.this.name
            }
            dimensions {
              name  = "ServiceName"
              value = aws_ecs_service.sallyport.name
            }
          }
        }
      }
    }
  }
}
