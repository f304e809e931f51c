# Access logs of a load balancer hold whole URLs, and sockets may carry a token there, so there are none: CloudFront logs
# without query strings, and sallyport logs every decision. Both balancers are internal: only VPC origins reach them.

# A rule has five condition values at most: two for the secret's values, three for paths.
locals {
  gate_paths = concat(var.socket_plane == "alb" ? var.socket_paths : [], var.http_paths)
  rules = merge(
    { for i, paths in chunklist(var.api_paths, 3) : tostring(10 + i) => { paths = paths, target = "api" } },
    { for i, paths in chunklist(local.gate_paths, 3) : tostring(50 + i) => { paths = paths, target = "gate" } },
  )
  ports = { gate = 8443, api = 8444 }
  # The whole of a drain fits between the balancer's goodbye and the end of its patience.
  deregistration_seconds = var.sallyport.drain_seconds + 10
}

resource "aws_lb" "alb" {
  name                       = "${var.name}-alb"
  load_balancer_type         = "application"
  internal                   = true
  subnets                    = var.subnet_ids
  security_groups            = [var.security_group_ids.alb]
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "strictest"
  xff_header_processing_mode = "append"
  # Longer than CloudFront keeps an idle connection (40 s), shorter than sallyport does (60 s): who is nearer to the player ends
  # it, or a request would meet a connection that is just closed. A socket, pinged every 10 s, is never silent for so long.
  idle_timeout               = 50
  enable_deletion_protection = var.deletion_protection
}

resource "aws_lb_target_group" "https" {
  for_each             = local.ports
  name                 = "${var.name}-${each.key}"
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "HTTPS"
  port                 = each.value
  deregistration_delay = local.deregistration_seconds

  health_check {
    protocol            = "HTTPS"
    port                = tostring(local.ports.api)
    path                = "/readyz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.alb.arn
  protocol          = "HTTPS"
  port              = 443
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.origin_certificate_arn

  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = "Forbidden"
      status_code  = "403"
    }
  }
}

# The secret is compared here without regard to case, as listener rules do. sallyport compares it again, exactly.
resource "aws_lb_listener_rule" "allowed" {
  for_each     = local.rules
  listener_arn = aws_lb_listener.https.arn
  priority     = tonumber(each.key)

  condition {
    path_pattern {
      values = each.value.paths
    }
  }

  condition {
    http_header {
      http_header_name = var.origin_header
      values           = var.origin_secrets
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.https[each.value.target].arn
  }
}

resource "aws_lb" "nlb" {
  count                            = var.socket_plane == "nlb" ? 1 : 0
  name                             = "${var.name}-nlb"
  load_balancer_type               = "network"
  internal                         = true
  subnets                          = var.subnet_ids
  security_groups                  = [var.security_group_ids.nlb]
  enable_cross_zone_load_balancing = true
  enable_deletion_protection       = var.deletion_protection
}

resource "aws_lb_target_group" "sockets" {
  count                  = var.socket_plane == "nlb" ? 1 : 0
  name                   = "${var.name}-sockets"
  vpc_id                 = var.vpc_id
  target_type            = "ip"
  protocol               = "TCP"
  port                   = local.ports.gate
  deregistration_delay   = local.deregistration_seconds
  connection_termination = false
  preserve_client_ip     = false

  health_check {
    protocol            = "HTTPS"
    port                = tostring(local.ports.api)
    path                = "/readyz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

# TCP and not TLS: a VPC origin takes no NLB with a TLS listener, and this way TLS runs from CloudFront to sallyport itself.
# The idle timeout is the default, said aloud: sallyport's pings, every 10 s, keep a socket alive well within it.
resource "aws_lb_listener" "sockets" {
  count                    = var.socket_plane == "nlb" ? 1 : 0
  load_balancer_arn        = aws_lb.nlb[0].arn
  protocol                 = "TCP"
  port                     = 443
  tcp_idle_timeout_seconds = 350

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.sockets[0].arn
  }
}
