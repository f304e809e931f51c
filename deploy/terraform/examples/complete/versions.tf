terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.66, < 7"
    }
  }

  # The rest comes from the file that bootstrap's output backend_config is put into:
  # terraform init -backend-config=FILE
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "sallyport", environment = var.name, managed-by = "terraform" }
  }
}
