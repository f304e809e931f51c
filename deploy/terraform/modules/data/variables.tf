variable "name" {
  description = "Prefix of every name, such as game-prod."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "The name must have 3 to 20 characters of a-z, 0-9 and -, and begin with a letter."
  }
}

variable "subnet_ids" {
  description = "Subnets of the databases, in two zones or more."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Two subnets or more."
  }
}

variable "database" {
  description = "PostgreSQL for the backend, null for none. multi_az keeps a standby in another zone; backup_days is how far back a point-in-time restore reaches; password_days is after how long RDS changes the master password (the backend's tasks must be started again then)."
  type = object({
    instance_class  = optional(string, "db.t4g.medium")
    engine_version  = optional(string, "17")
    storage_gib     = optional(number, 50)
    max_storage_gib = optional(number, 500)
    multi_az        = optional(bool, true)
    backup_days     = optional(number, 14)
    password_days   = optional(number, 365)
  })
  default = {}
  validation {
    condition     = var.database == null || try(var.database.backup_days >= 1 && var.database.backup_days <= 35, false)
    error_message = "backup_days must be 1 to 35: without backups there is no point-in-time recovery."
  }
  validation {
    condition     = var.database == null || try(contains(["15", "16", "17", "18"], split(".", var.database.engine_version)[0]), false)
    error_message = "engine_version must be 15 to 18, of which rds.force_ssl can be said."
  }
  validation {
    condition     = var.database == null || try(var.database.password_days >= 1 && var.database.password_days <= 1000, false)
    error_message = "password_days must be 1 to 1000."
  }
}

variable "cache" {
  description = "ElastiCache for sallyport's store: node type, engine (redis 7.1, which sallyport is tested with the like of, or valkey) and number of replicas. None (0) means that a lost node signs everybody out."
  type = object({
    node_type = optional(string, "cache.t4g.small")
    engine    = optional(string, "redis")
    replicas  = optional(number, 1)
  })
  default = {}
  validation {
    condition     = contains(["redis", "valkey"], var.cache.engine)
    error_message = "engine must be redis or valkey."
  }
  validation {
    condition     = var.cache.replicas >= 0 && var.cache.replicas <= 5
    error_message = "replicas must be 0 to 5."
  }
}

variable "database_security_group_id" {
  description = "Security group of the database."
  type        = string
}

variable "cache_security_group_id" {
  description = "Security group of the cache."
  type        = string
}

variable "cache_password" {
  description = "Password of sallyport's user in the cache, 16 to 128 characters. It counts when cache_password_version changes."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "cache_password_version" {
  description = "Raise it to give sallyport's cache user a new password. The next apply starts the tasks again with it."
  type        = number
  default     = 1
}

variable "deletion_protection" {
  description = "Keep the database from being deleted, and take a last snapshot when it is. Off only to tear an environment down."
  type        = bool
  default     = true
}

variable "log_retention_days" {
  description = "How long the logs of database and cache are kept, in days."
  type        = number
  default     = 90
  validation {
    condition     = contains([7, 14, 30, 60, 90, 120, 180, 365, 400, 731], var.log_retention_days)
    error_message = "A retention that CloudWatch Logs knows: 7, 14, 30, 60, 90, 120, 180, 365, 400 or 731."
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

