mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                   = "game-test"
  kms_key_arn            = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
  vpc_id                 = "vpc-0123456789abcdef0"
  subnet_ids             = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  namespace              = "internal.game.example.com"
  security_group_ids     = { alb = "sg-0123456789abcdef0", nlb = "sg-0123456789abcdef1", sallyport = "sg-0123456789abcdef2", backend = "sg-0123456789abcdef3" }
  http_paths             = ["/v2/account", "/v2/storage", "/v2/storage/*", "/v2/rpc/*"]
  origin_secrets         = ["test-origin-secret-current-000000000000000", "test-origin-secret-previous-00000000000000"]
  origin_certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
  sallyport_config       = "issuer: https://game.example.com"
  sallyport_secrets      = { STORE_PASSWORD = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:cache-AbCdEf" }
  tls_seed               = "test-seed-of-forty-characters-00000000000"
  sallyport              = { image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/game-test/sallyport@sha256:0000000000000000000000000000000000000000000000000000000000000000" }
  backend                = { image = "ghcr.io/example/game@sha256:1111111111111111111111111111111111111111111111111111111111111111", port = 7350 }
}

run "alb_plane" {
  assert {
    condition     = aws_lb.alb.internal && aws_lb.alb.drop_invalid_header_fields && length(aws_lb.nlb) == 0
    error_message = "One balancer, internal, that drops invalid headers."
  }
  assert {
    condition     = aws_lb_listener.https.default_action[0].type == "fixed-response" && aws_lb_listener.https.default_action[0].fixed_response[0].status_code == "403"
    error_message = "What no rule names is 403."
  }
  assert {
    condition = toset(flatten([for rule in aws_lb_listener_rule.allowed : [for c in rule.condition : [for p in c.path_pattern : tolist(p.values)]]])) == toset(
    ["/ws", "/v2/account", "/v2/storage", "/v2/storage/*", "/v2/rpc/*", "/v1/ticket"])
    error_message = "The rules' paths are not the allow-list."
  }
  assert {
    condition     = alltrue([for rule in aws_lb_listener_rule.allowed : length(flatten([for c in rule.condition : concat([for p in c.path_pattern : tolist(p.values)], [for h in c.http_header : tolist(h.values)])])) <= 5])
    error_message = "A rule has more than five condition values."
  }
  assert {
    condition     = alltrue([for group in aws_lb_target_group.https : group.protocol == "HTTPS" && tonumber(group.deregistration_delay) == 100])
    error_message = "TLS to the targets, and a drain of 90 s fits into the deregistration."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.sallyport.container_definitions)[0].stopTimeout == 100 && jsondecode(aws_ecs_task_definition.sallyport.container_definitions)[0].readonlyRootFilesystem
    error_message = "The drain fits into the stop timeout; the root file system is read-only."
  }
  assert {
    condition     = aws_ecs_service.sallyport.deployment_circuit_breaker[0].rollback && aws_ecs_service.sallyport.desired_count == 2
    error_message = "Two tasks, and a failed deployment goes back."
  }
  assert {
    condition     = strcontains(aws_iam_role_policy.execution["sallyport"].policy, "arn:aws:ecr:eu-central-1:123456789012:repository/game-test/sallyport") && !strcontains(aws_iam_role_policy.execution["backend"].policy, "ecr:")
    error_message = "Each task may pull its own repository, and none where the image is from elsewhere."
  }
  assert {
    condition = anytrue([for statement in jsondecode(aws_iam_role_policy.execution["sallyport"].policy).Statement :
    contains(try(statement.Condition.StringEquals["kms:EncryptionContext:SecretARN"], []), "arn:aws:secretsmanager:eu-central-1:123456789012:secret:cache-AbCdEf") if statement.Sid == "Decrypt"])
    error_message = "The key opens the task's own secrets alone."
  }
}

run "nlb_plane" {
  variables {
    socket_plane                  = "nlb"
    origin_certificate_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:certificate-AbCdEf"
  }
  assert {
    condition     = aws_lb.nlb[0].internal && aws_lb_listener.sockets[0].protocol == "TCP" && aws_lb_listener.sockets[0].tcp_idle_timeout_seconds == 350
    error_message = "An internal NLB passes TLS on as it is."
  }
  assert {
    condition     = !contains(flatten(values(output.listener_rules)), "/ws")
    error_message = "On the nlb plane the ALB carries no sockets."
  }
  assert {
    condition     = contains([for s in jsondecode(aws_ecs_task_definition.sallyport.container_definitions)[0].secrets : s.valueFrom], "arn:aws:secretsmanager:eu-central-1:123456789012:secret:certificate-AbCdEf:key::")
    error_message = "sallyport shows the certificate that CloudFront trusts."
  }
}

run "nlb_needs_a_certificate" {
  command = plan
  variables {
    socket_plane = "nlb"
  }
  expect_failures = [var.origin_certificate_secret_arn]
}

run "refuses" {
  command = plan
  variables {
    http_paths     = ["/v2/*"]
    api_paths      = ["/v1/events"]
    socket_paths   = ["/*"]
    origin_header  = "Authorization"
    origin_secrets = ["with-a-wildcard-*-it-is-no-secret-at-all"]
    sallyport      = { image = "sallyport:latest", min_tasks = 1, drain_seconds = 300, architecture = "MIPS" }
    backend        = { image = "nakama:3", port = 7350, tasks = 2, user = "root", stop_seconds = 600 }
  }
  expect_failures = [var.http_paths, var.api_paths, var.socket_paths, var.origin_header, var.origin_secrets, var.sallyport, var.backend]
}
