variable "name" {
  description = "Prefix of every name, such as game-prod."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "The name must have 3 to 20 characters of a-z, 0-9 and -, and begin with a letter."
  }
}

variable "replica_regions" {
  description = "Other regions that the pool is replicated to. Terraform's provider cannot make replicas yet, so the replication is set up beside it; sallyport then takes tokens of every region."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for region in var.replica_regions : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", region))])
    error_message = "Names of regions, such as us-west-2."
  }
}

variable "access_token_minutes" {
  description = "Lifetime of access and ID tokens, in minutes."
  type        = number
  default     = 60
  validation {
    condition     = var.access_token_minutes >= 5 && var.access_token_minutes <= 1440
    error_message = "From 5 minutes to a day."
  }
}

variable "refresh_token_days" {
  description = "Lifetime of refresh tokens, in days. sallyport remembers cut-offs for so long."
  type        = number
  default     = 30
  validation {
    condition     = var.refresh_token_days >= 1 && var.refresh_token_days <= 3650
    error_message = "From 1 to 3650 days."
  }
}

variable "mfa" {
  description = "Second factor by an authenticator app: OPTIONAL lets each player choose, ON demands it."
  type        = string
  default     = "OPTIONAL"
  validation {
    condition     = contains(["OPTIONAL", "ON"], var.mfa)
    error_message = "One of OPTIONAL, ON."
  }
}

variable "tier" {
  description = "Feature plan of the pool. PLUS adds threat protection and is paid by active user."
  type        = string
  default     = "ESSENTIALS"
  validation {
    condition     = contains(["ESSENTIALS", "PLUS"], var.tier)
    error_message = "One of ESSENTIALS, PLUS."
  }
}

variable "ses_identity_arn" {
  description = "ARN of a verified SES identity that sends the e-mails. Without it Cognito sends at most 50 a day, from its own address."
  type        = string
  default     = null
  validation {
    condition     = var.ses_identity_arn == null || can(regex("^arn:aws[a-z-]*:ses:[a-z0-9-]+:[0-9]{12}:identity/.+$", var.ses_identity_arn))
    error_message = "The ARN of an SES identity."
  }
}

variable "from_email" {
  description = "Sender of the e-mails, such as Game <no-reply@example.com>. Needs ses_identity_arn."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Keep the pool from being deleted. Off only to tear an environment down: the players' accounts go with it."
  type        = bool
  default     = true
}
