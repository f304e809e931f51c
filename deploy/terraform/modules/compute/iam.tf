# The execution roles fetch images and secrets before a task starts; the task roles are what the processes in it hold, and
# those may do nothing.

locals {
  task_trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:aws:ecs:${local.region}:${local.account}:*" }
      }
    }]
  })
  images = { sallyport = var.sallyport.image, backend = var.backend.image }
  # ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:… → the repository's ARN; null for another registry.
  repositories = { for task, image in local.images : task =>
    try("arn:aws:ecr:${regex("^[0-9]{12}[.]dkr[.]ecr[.]([a-z0-9-]+)[.]", image)[0]}:${regex("^([0-9]{12})[.]dkr[.]ecr[.]", image)[0]}:repository/${regex("^[^/]+/([^@]+)@", image)[0]}", null)
  }
}

resource "aws_iam_role" "execution" {
  for_each           = local.images
  name               = "${var.name}-${each.key}-execution"
  assume_role_policy = local.task_trust
}

resource "aws_iam_role_policy" "execution" {
  for_each = local.images
  name     = "start"
  role     = aws_iam_role.execution[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      local.repositories[each.key] == null ? [] : [
        { Sid = "Login", Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] },
        {
          Sid      = "Pull"
          Effect   = "Allow"
          Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          Resource = [local.repositories[each.key]]
        },
      ],
      [
        {
          Sid      = "Log"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = ["${aws_cloudwatch_log_group.task[each.key].arn}:*"]
        },
        {
          Sid      = "Secrets"
          Effect   = "Allow"
          Action   = ["secretsmanager:GetSecretValue"]
          Resource = local.secret_arns[each.key]
        },
        {
          # The origin secret has bootstrap's key and others may have one of yours: what counts is which secret, and that
          # Secrets Manager asks.
          Sid      = "Decrypt"
          Effect   = "Allow"
          Action   = ["kms:Decrypt"]
          Resource = ["arn:aws:kms:${local.region}:${local.account}:key/*"]
          Condition = { StringEquals = {
            "kms:ViaService"                  = "secretsmanager.${local.region}.amazonaws.com"
            "kms:EncryptionContext:SecretARN" = local.secret_arns[each.key]
          } }
        },
      ],
    )
  })
}

resource "aws_iam_role" "task" {
  for_each           = local.images
  name               = "${var.name}-${each.key}-task"
  assume_role_policy = local.task_trust
}

resource "aws_iam_role_policy" "exec" {
  count = var.exec_enabled ? 1 : 0
  name  = "exec"
  role  = aws_iam_role.task["backend"].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      # These four know no resource.
      Action   = ["ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"]
      Resource = ["*"]
    }]
  })
}
