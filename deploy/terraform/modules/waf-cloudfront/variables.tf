variable "name" {
  description = "Prefix of every name, such as game-prod."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "The name must have 3 to 20 characters of a-z, 0-9 and -, and begin with a letter."
  }
}
variable "origin_header" {
  description = "Header with the origin secret, kept out of the logs."
  type        = string
  default     = "X-CloudFront-Secret"
}

variable "requests_per_5_minutes" {
  description = "Requests that one address may make in five minutes, of any kind. Players behind one address share it."
  type        = number
  default     = 3000
  validation {
    condition     = var.requests_per_5_minutes >= 10 && var.requests_per_5_minutes <= 2000000000
    error_message = "10 or more."
  }
}

variable "signins_per_5_minutes" {
  description = "Requests to signin_path_prefixes that one address may make in five minutes."
  type        = number
  default     = 100
  validation {
    condition     = var.signins_per_5_minutes >= 10 && var.signins_per_5_minutes <= 2000000000
    error_message = "10 or more."
  }
}

variable "signin_path_prefixes" {
  description = "Paths on which tokens are bought, by their beginnings."
  type        = list(string)
  default     = ["/v2/account/authenticate/", "/v2/account/session/", "/oauth2/token"]
  validation {
    condition     = length(var.signin_path_prefixes) > 0 && length(join("|", var.signin_path_prefixes)) <= 500 && alltrue([for prefix in var.signin_path_prefixes : can(regex("^/[A-Za-z0-9/_-]+$", prefix))])
    error_message = "At least one beginning of a path, of letters, digits, / _ and -, and 500 characters in all."
  }
}

variable "managed_rules" {
  description = "AWS's rule groups, in order, and the rules in them that only count. Bodies are game data, so their size is left to sallyport, which has a limit for each route. Game engines open sockets without a User-Agent (.NET's ClientWebSocket sends none), so that is no reason to block."
  type = list(object({
    name  = string
    count = optional(list(string), [])
  }))
  default = [
    { name = "AWSManagedRulesAmazonIpReputationList" },
    { name = "AWSManagedRulesKnownBadInputsRuleSet" },
    { name = "AWSManagedRulesCommonRuleSet", count = ["SizeRestrictions_BODY", "NoUserAgent_HEADER"] },
  ]
  validation {
    condition     = length(setsubtract(["AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesCommonRuleSet"], [for group in var.managed_rules : group.name])) == 0
    error_message = "The reputation list, known bad inputs and the common rule set are always among them."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept, in days."
  type        = number
  default     = 90
  validation {
    condition     = contains([7, 14, 30, 60, 90, 120, 180, 365, 400, 731], var.log_retention_days)
    error_message = "A retention that CloudWatch Logs knows: 7, 14, 30, 60, 90, 120, 180, 365, 400 or 731."
  }
}
