locals {
  github = var.github_repository == null ? toset([]) : toset([var.github_repository])
}

resource "aws_iam_openid_connect_provider" "github" {
  for_each       = var.github_provider_arn == null ? local.github : toset([])
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "deploy" {
  for_each             = local.github
  name                 = "${var.name}-deploy"
  max_session_duration = 3600
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = var.github_provider_arn != null ? var.github_provider_arn : aws_iam_openid_connect_provider.github[each.key].arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = "repo:${each.key}:environment:${var.github_environment}"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "deploy" {
  for_each = local.github
  name     = "images-and-state"
  role     = aws_iam_role.deploy[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "Login", Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] },
      {
        Sid    = "Images"
        Effect = "Allow"
        Action = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
        "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:ListImages", "ecr:PutImage", "ecr:UploadLayerPart"]
        Resource = [for repository in aws_ecr_repository.this : repository.arn]
      },
      { Sid = "StateBucket", Effect = "Allow", Action = ["s3:ListBucket"], Resource = [aws_s3_bucket.state.arn] },
      {
        # Deleting is for the lock file alone.
        Sid      = "State"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = ["${aws_s3_bucket.state.arn}/*"]
      },
      { Sid = "Lock", Effect = "Allow", Action = ["s3:DeleteObject"], Resource = ["${aws_s3_bucket.state.arn}/*.tflock"] },
      { Sid = "OriginSecret", Effect = "Allow", Action = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"], Resource = [aws_secretsmanager_secret.origin.arn] },
      { Sid = "Key", Effect = "Allow", Action = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"], Resource = [aws_kms_key.this.arn] },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "deploy" {
  for_each   = var.github_repository == null ? toset([]) : var.deploy_policy_arns
  role       = aws_iam_role.deploy[var.github_repository].name
  policy_arn = each.key
}
