data "aws_region" "this" {}

data "aws_caller_identity" "this" {}

locals {
  run     = "/run/sallyport"
  region  = data.aws_region.this.region
  account = data.aws_caller_identity.this.account_id

  gate_secrets = merge(var.sallyport_secrets, { START_TLS_SEED = aws_secretsmanager_secret.tls_seed.arn },
    var.origin_certificate_secret_arn == null ? {} : {
      START_TLS_CERTIFICATE = "${var.origin_certificate_secret_arn}:certificate::"
      START_TLS_KEY         = "${var.origin_certificate_secret_arn}:key::"
  })
  backend_secrets = merge(var.backend.secrets, { START_TLS_SEED = aws_secretsmanager_secret.tls_seed.arn })

  # A member of a JSON secret is named behind its ARN; permissions want the ARN.
  secret_arns = { for task, secrets in { sallyport = local.gate_secrets, backend = local.backend_secrets } :
    task => distinct([for value in values(secrets) : join(":", slice(split(":", value), 0, 7))])
  }
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }

  configuration {
    managed_storage_configuration {
      fargate_ephemeral_storage_kms_key_id = var.kms_key_arn
    }
  }
}

resource "aws_cloudwatch_log_group" "task" {
  for_each          = toset(["sallyport", "backend"])
  name              = "/sallyport/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# Of this seed every task makes the same certificate authority when it starts, so that the backend can verify sallyport without
# anybody keeping a certificate; see deploy/docker/start.
resource "aws_secretsmanager_secret" "tls_seed" {
  name                    = "${var.name}/tls-seed"
  description             = "Seed of the certificate authority of the tasks"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = 7
}

resource "aws_secretsmanager_secret_version" "tls_seed" {
  secret_id                = aws_secretsmanager_secret.tls_seed.id
  secret_string_wo         = var.tls_seed
  secret_string_wo_version = 1
}

resource "aws_service_discovery_private_dns_namespace" "this" {
  name        = var.namespace
  description = "Names of the tasks, in the VPC alone"
  vpc         = var.vpc_id
}

resource "aws_service_discovery_service" "task" {
  for_each = toset(["sallyport", "backend"])
  name     = each.key

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.this.id
    routing_policy = "MULTIVALUE"
    dns_records {
      type = "A"
      ttl  = 10
    }
  }
}

resource "aws_ecs_task_definition" "sallyport" {
  family                   = "${var.name}-sallyport"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = tostring(var.sallyport.cpu)
  memory                   = tostring(var.sallyport.memory)
  execution_role_arn       = aws_iam_role.execution["sallyport"].arn
  task_role_arn            = aws_iam_role.task["sallyport"].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.sallyport.architecture
  }

  volume {
    name = "run"
  }

  container_definitions = jsonencode([{
    name                   = "sallyport"
    image                  = var.sallyport.image
    essential              = true
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    stopTimeout            = local.deregistration_seconds
    entryPoint             = ["/start"]
    command                = ["/sallyport", "serve", "--config", "${local.run}/sallyport.yaml"]
    portMappings           = [for port in values(local.ports) : { containerPort = port, protocol = "tcp" }]
    mountPoints            = [{ sourceVolume = "run", containerPath = local.run, readOnly = false }]
    ulimits                = [{ name = "nofile", softLimit = 65535, hardLimit = 65535 }]
    environment = [for name, value in {
      SALLYPORT_CONFIG = var.sallyport_config
      START_FILES      = jsonencode(merge(var.sallyport_files, { "sallyport.yaml" = "SALLYPORT_CONFIG" }))
      START_TLS_NAMES  = "sallyport.${var.namespace}"
      SSL_CERT_DIR     = "/etc/ssl/certs:${local.run}/authorities"
      SECRETS_VERSION  = var.secrets_version
    } : { name = name, value = value }]
    secrets          = [for name, arn in local.gate_secrets : { name = name, valueFrom = arn }]
    logConfiguration = local.logging["sallyport"]
  }])
}

resource "aws_ecs_task_definition" "backend" {
  family                   = "${var.name}-backend"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = tostring(var.backend.cpu)
  memory                   = tostring(var.backend.memory)
  execution_role_arn       = aws_iam_role.execution["backend"].arn
  task_role_arn            = aws_iam_role.task["backend"].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.backend.architecture
  }

  volume {
    name = "run"
  }

  container_definitions = jsonencode(concat(
    var.backend.migrate == null ? [] : [merge(local.backend_container, {
      name         = "migrate"
      essential    = false
      command      = var.backend.migrate
      portMappings = []
    })],
    [merge(local.backend_container, {
      name         = "backend"
      essential    = true
      command      = var.backend.command
      portMappings = [{ containerPort = var.backend.port, protocol = "tcp" }]
      dependsOn    = var.backend.migrate == null ? [] : [{ containerName = "migrate", condition = "SUCCESS" }]
    })],
  ))
}

locals {
  logging = { for task, group in aws_cloudwatch_log_group.task : task => {
    logDriver = "awslogs"
    options = {
      "awslogs-group"         = group.name
      "awslogs-region"        = local.region
      "awslogs-stream-prefix" = task
      "mode"                  = "non-blocking"
      "max-buffer-size"       = "25m"
    }
  } }

  backend_container = {
    image                  = var.backend.image
    user                   = var.backend.user
    readonlyRootFilesystem = !var.exec_enabled
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    stopTimeout            = var.backend.stop_seconds
    entryPoint             = var.backend.entry_point
    mountPoints            = [{ sourceVolume = "run", containerPath = local.run, readOnly = false }]
    environment = [for name, value in merge(var.backend.environment, {
      START_FILES     = jsonencode(var.backend.files)
      START_TLS_NAMES = "backend.${var.namespace}"
      SSL_CERT_DIR    = "/etc/ssl/certs:${local.run}/authorities"
      SECRETS_VERSION = var.secrets_version
    }) : { name = name, value = value }]
    secrets          = [for name, arn in local.backend_secrets : { name = name, valueFrom = arn }]
    logConfiguration = local.logging["backend"]
  }
}
