variable "name" {
  description = "Prefix of every name, such as game-prod."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "The name must have 3 to 20 characters of a-z, 0-9 and -, and begin with a letter."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts what this module stores."
  type        = string
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "The ARN of a KMS key."
  }
}
variable "edge_kms_key_arn" {
  description = "Key in us-east-1 that encrypts the topic of CloudFront's and the WAF's alarms."
  type        = string
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:us-east-1:[0-9]{12}:key/.+$", var.edge_kms_key_arn))
    error_message = "The ARN of a KMS key in us-east-1."
  }
}

variable "alarm_emails" {
  description = "Who is told of alarms and of the budget. Each must confirm the subscription."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for email in var.alarm_emails : can(regex("^[^@ ]+@[^@ ]+[.][^@ ]+$", email))])
    error_message = "E-mail addresses."
  }
}

variable "monthly_budget_usd" {
  description = "Costs of the account in a month, in US dollars, at 80 % and at the forecast of 100 % of which somebody is told."
  type        = number
  default     = 500
  validation {
    condition     = var.monthly_budget_usd > 0
    error_message = "More than 0."
  }
}

variable "cluster_name" {
  description = "The ECS cluster."
  type        = string
}

variable "service_names" {
  description = "ECS services, by sallyport and backend."
  type        = object({ sallyport = string, backend = string })
}

variable "sallyport_log_group_name" {
  description = "Log group of sallyport, in which refusals are counted by reason."
  type        = string
}

variable "alb" {
  description = "Suffixes by which metrics know the ALB and its target group."
  type        = object({ suffix = string, target_group = string })
}

variable "nlb" {
  description = "As alb, of the NLB; null on the alb plane."
  type        = object({ suffix = string, target_group = string })
  default     = null
}

variable "distribution_id" {
  description = "The CloudFront distribution."
  type        = string
}

variable "web_acl_name" {
  description = "The web ACL."
  type        = string
}

variable "database_identifier" {
  description = "The RDS instance; null if there is none."
  type        = string
  default     = null
}

variable "cache_id" {
  description = "The ElastiCache replication group."
  type        = string
}

variable "cache_nodes" {
  description = "Number of nodes in it."
  type        = number
  default     = 1
}

variable "max_sockets" {
  description = "Sockets that all tasks together are made for; the alarm comes at 80 % of it."
  type        = number
  default     = 50000
}

variable "thresholds" {
  description = "When an alarm comes: 5xx answers in five minutes, requests that the WAF blocks in five minutes, refusals in five minutes, CPU in percent, free storage of the database in bytes, connections to the database."
  type = object({
    errors_5xx           = optional(number, 25)
    waf_blocks           = optional(number, 2000)
    refusals             = optional(number, 500)
    cpu_percent          = optional(number, 85)
    free_storage_bytes   = optional(number, 5368709120)
    database_connections = optional(number, 200)
  })
  default = {}
}
