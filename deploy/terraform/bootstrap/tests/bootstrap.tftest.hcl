# Terraform cannot mock ephemeral resources: make test puts a stub in the place of module passwords.
mock_provider "aws" {
  source = "../mocks"
}

variables {
  name   = "game-test"
  region = "eu-central-1"
}

run "plan" {
  command = plan
  assert {
    condition     = alltrue([for v in [aws_s3_bucket_versioning.state, aws_s3_bucket_versioning.logs] : v.versioning_configuration[0].status == "Enabled"])
    error_message = "Both buckets keep versions."
  }
  assert {
    condition     = alltrue([for b in [aws_s3_bucket_public_access_block.state, aws_s3_bucket_public_access_block.logs] : b.block_public_acls && b.block_public_policy && b.ignore_public_acls && b.restrict_public_buckets])
    error_message = "No bucket is public."
  }
  assert {
    condition     = alltrue([for r in aws_ecr_repository.this : r.image_tag_mutability == "IMMUTABLE" && r.image_scanning_configuration[0].scan_on_push])
    error_message = "Tags do not move, images are scanned."
  }
  assert {
    condition     = length(aws_iam_role.deploy) == 0
    error_message = "Nobody may deploy from GitHub unless a repository is named."
  }
}

run "github" {
  command = plan
  variables {
    github_repository = "example/game"
  }
  assert {
    condition     = length(aws_iam_role.deploy) == 1 && aws_iam_openid_connect_provider.github["example/game"].client_id_list == toset(["sts.amazonaws.com"])
    error_message = "The repository's workflows may deploy."
  }
}

run "refuses" {
  command = plan
  variables {
    name               = "x"
    region             = "Frankfurt"
    github_repository  = "game"
    github_environment = "*"
    kept_images        = 1
  }
  expect_failures = [var.name, var.region, var.github_repository, var.github_environment, var.kept_images]
}
