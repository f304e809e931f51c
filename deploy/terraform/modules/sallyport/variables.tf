variable "name" {
  description = "Prefix of every name, such as game-prod."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "The name must have 3 to 20 characters of a-z, 0-9 and -, and begin with a letter."
  }
}
variable "topology" {
  description = "What is behind the gate: nakama (the plugin image, with PostgreSQL, and Nakama's own session tokens) or gate (any backend; sallyport makes the session tokens)."
  type        = string
  validation {
    condition     = contains(["nakama", "gate"], var.topology)
    error_message = "One of nakama, gate."
  }
}

variable "socket_plane" {
  description = "Which load balancer carries sockets: alb, or nlb as in the AWS reference. sallyport is behind both."
  type        = string
  default     = "alb"
  validation {
    condition     = contains(["alb", "nlb"], var.socket_plane)
    error_message = "One of alb, nlb."
  }
}

variable "domain_name" {
  description = "The name that players reach, such as game.example.com."
  type        = string
}

variable "hosted_zone_id" {
  description = "Route 53 zone in which domain_name is made to point to CloudFront; null if DNS is elsewhere."
  type        = string
  default     = null
}

variable "edge_certificate_arn" {
  description = "ACM certificate of domain_name in us-east-1, for CloudFront."
  type        = string
}

variable "origin_certificate_arn" {
  description = "ACM certificate of domain_name in the region of the game, for the ALB. CloudFront passes the name on and verifies the certificate by it."
  type        = string
}

variable "origin_certificate_secret_arn" {
  description = "On the nlb plane: secret with members certificate and key (PEM) of a publicly trusted certificate for domain_name and sallyport.internal.DOMAIN_NAME, which sallyport shows to CloudFront. ACM's exportable certificates are one way to get it."
  type        = string
  default     = null
}

variable "origin_secret_arn" {
  description = "Secret with members current and previous, which bootstrap makes: what CloudFront shows, and what is accepted."
  type        = string
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$", var.origin_secret_arn))
    error_message = "The ARN of a secret."
  }
}

variable "sallyport_image" {
  description = "Image of sallyport by digest: REPOSITORY@sha256:…"
  type        = string
}

variable "backend_image" {
  description = "Image of the backend by digest: Nakama with the plugin (deploy/docker/nakama.Dockerfile), or your own server."
  type        = string
}

variable "http_paths" {
  description = "The paths that may come in by HTTP; null for what the topology needs. /healthcheck, /v1/*, /v2/* and Nakama's other sign-ups are not among them, on purpose."
  type        = list(string)
  default     = null
}

variable "socket_paths" {
  description = "The paths on which sockets open."
  type        = list(string)
  default     = ["/ws"]
}

variable "backend_port" {
  description = "Port of the backend."
  type        = number
  default     = 7350
}

variable "backend" {
  description = "Size of the backend and, in the gate topology, how it is started: command and entry_point are the image's own if null."
  type = object({
    cpu         = optional(number, 1024)
    memory      = optional(number, 2048)
    tasks       = optional(number, 1)
    single      = optional(bool, true)
    entry_point = optional(list(string))
    command     = optional(list(string))
    environment = optional(map(string), {})
    secrets     = optional(map(string), {})
    user        = optional(string, "65532:65532")
  })
  default = {}
  validation {
    condition     = var.topology != "nakama" || (var.backend.tasks == 1 && var.backend.single)
    error_message = "Nakama's open source server does not cluster: one task, and the old one stops before the new one starts."
  }
}

variable "gate" {
  description = "Size of sallyport: see the variable sallyport of module compute."
  type = object({
    cpu              = optional(number, 512)
    memory           = optional(number, 1024)
    min_tasks        = optional(number, 2)
    max_tasks        = optional(number, 10)
    sockets_per_task = optional(number, 5000)
    drain_seconds    = optional(number, 90)
    architecture     = optional(string, "X86_64")
  })
  default = {}
}

variable "network" {
  description = "VPC: range, zones, way out and endpoints; see module network."
  type = object({
    cidr                         = optional(string, "10.20.0.0/16")
    zones                        = optional(number, 2)
    nat                          = optional(string, "single")
    interface_endpoints          = optional(set(string), ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "cognito-idp"])
    vpc_origin_security_group_id = optional(string)
  })
  default = {}
}

variable "database" {
  description = "PostgreSQL: see module data. In the gate topology there is none unless this is set."
  type = object({
    instance_class  = optional(string, "db.t4g.medium")
    engine_version  = optional(string, "17")
    storage_gib     = optional(number, 50)
    max_storage_gib = optional(number, 500)
    multi_az        = optional(bool, true)
    backup_days     = optional(number, 14)
    password_days   = optional(number, 365)
  })
  default = null
}

variable "cache" {
  description = "ElastiCache for sallyport's store: see module data."
  type = object({
    node_type = optional(string, "cache.t4g.small")
    engine    = optional(string, "redis")
    replicas  = optional(number, 1)
  })
  default = {}
}

variable "auth" {
  description = "Cognito: see module auth."
  type = object({
    replica_regions      = optional(list(string), [])
    access_token_minutes = optional(number, 60)
    refresh_token_days   = optional(number, 30)
    mfa                  = optional(string, "OPTIONAL")
    tier                 = optional(string, "ESSENTIALS")
    ses_identity_arn     = optional(string)
    from_email           = optional(string)
  })
  default = {}
}

variable "waf" {
  description = "Rates of the WAF: see module waf-cloudfront."
  type = object({
    requests_per_5_minutes = optional(number, 3000)
    signins_per_5_minutes  = optional(number, 100)
  })
  default = {}
}

variable "price_class" {
  description = "Where CloudFront answers: PriceClass_All, PriceClass_200 or PriceClass_100."
  type        = string
  default     = "PriceClass_100"
}

variable "alarm_emails" {
  description = "Who is told of alarms and of the budget."
  type        = set(string)
  default     = []
}

variable "monthly_budget_usd" {
  description = "Costs of the account in a month, in US dollars, of which somebody is told in time."
  type        = number
  default     = 500
}

variable "realm" {
  description = "sallyport's name for this user base. It is part of every player's id, so it must never change."
  type        = string
  default     = "players"
  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{1,64}$", var.realm))
    error_message = "1 to 64 letters, digits, '.', '_' and '-'."
  }
}

variable "config" {
  description = "More of sallyport's configuration: top-level members that are added to the file, or put in the place of what is made here."
  type        = any
  default     = {}
}

variable "backend_secrets_version" {
  description = "Raise it to give the backend new keys: Nakama's session keys among them, so that every player must sign in again."
  type        = number
  default     = 1
}

variable "cache_password_version" {
  description = "Raise it to give sallyport's cache user a new password."
  type        = number
  default     = 1
}

variable "log_retention_days" {
  description = "How long logs are kept, in days."
  type        = number
  default     = 90
}

variable "deletion_protection" {
  description = "Keep database, user pool and load balancers from being deleted. Off only to tear the environment down."
  type        = bool
  default     = true
}

variable "exec_enabled" {
  description = "Let operators open a shell in the backend's tasks by Systems Manager."
  type        = bool
  default     = false
}
