# What deploy/terraform/bootstrap is applied with.
name   = "game-dev"
region = "eu-central-1"
