variable "name" {
  description = "Prefix of every name, such as game-prod. Bucket names are shared by all AWS accounts, so the account's number is added to them."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "The name must have 3 to 20 characters of a-z, 0-9 and -, and begin with a letter."
  }
}

variable "region" {
  description = "Region of state, images and game."
  type        = string
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "The name of a region, such as eu-central-1."
  }
}

variable "github_repository" {
  description = "OWNER/NAME of the GitHub repository whose workflows may deploy; null for none."
  type        = string
  default     = null
  validation {
    condition     = var.github_repository == null || can(regex("^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "OWNER/NAME."
  }
}

variable "github_environment" {
  description = "The GitHub environment that a workflow must run in to deploy; protect it with reviewers."
  type        = string
  default     = "production"
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+$", var.github_environment))
    error_message = "Letters, digits, _ and -: a * would let every workflow in."
  }
}

variable "github_provider_arn" {
  description = "The account's OIDC provider of GitHub, if it has one: an account can have it only once. Null makes it."
  type        = string
  default     = null
}

variable "deploy_policy_arns" {
  description = "Policies that the deploy role gets besides pushing images and reading and writing the state: what it needs to make the modules' resources. Terraform makes IAM roles, so this role is as good as an administrator's; AdministratorAccess says so openly."
  type        = set(string)
  default     = []
}

variable "kept_images" {
  description = "How many images each repository keeps."
  type        = number
  default     = 50
  validation {
    condition     = var.kept_images >= 2
    error_message = "Two or more, so that there is one to roll back to."
  }
}
