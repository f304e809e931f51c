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
variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "namespace" {
  description = "DNS zone of the tasks, in the VPC alone: sallyport. and backend. are in it. On the nlb plane the origin certificate must name sallyport. in it as well, because the backend verifies it."
  type        = string
  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,}$", var.namespace))
    error_message = "A domain name in lower case."
  }
}

variable "subnet_ids" {
  description = "Private subnets of load balancers and tasks, in two zones or more."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Two subnets or more."
  }
}

variable "security_group_ids" {
  description = "Security groups of alb, nlb (null on the alb plane), sallyport and backend."
  type = object({
    alb       = string
    nlb       = optional(string)
    sallyport = string
    backend   = string
  })
}

variable "socket_plane" {
  description = "Which load balancer carries sockets: alb (its rules check path and origin secret before sallyport does) or nlb (layer 4: sallyport alone checks; TLS ends at sallyport, with origin_certificate_secret_arn)."
  type        = string
  default     = "alb"
  validation {
    condition     = contains(["alb", "nlb"], var.socket_plane)
    error_message = "One of alb, nlb."
  }
}

variable "http_paths" {
  description = "The paths that may come in by HTTP, exact or with * at the end. Everything else is answered 403 by the load balancer."
  type        = list(string)
  validation {
    condition     = length(var.http_paths) > 0 && alltrue([for path in var.http_paths : can(regex("^/[A-Za-z0-9._/-]+[*]?$", path)) && !contains(["/*", "/v1/*", "/v2/*"], path)])
    error_message = "Each path begins with /, has * at the end only, and is narrower than /*, /v1/* and /v2/*: those hold Nakama's own sign-ups."
  }
}

variable "api_paths" {
  description = "The paths of sallyport's own token API that may come in, as http_paths."
  type        = list(string)
  default     = ["/v1/ticket"]
  validation {
    condition = alltrue([for path in var.api_paths : can(regex("^/[A-Za-z0-9._/-]+$", path)) && !can(regex("^/v1/(admin|events|sockets)", path)) &&
    !contains(["/metrics", "/readyz", "/livez", "/oauth2/introspect", "/v1/ticket/redeem"], path)])
    error_message = "Exact paths that begin with /, and none of the operator's or the backend's: /metrics, /readyz, /livez, /v1/admin/…, /v1/events, /v1/sockets, /v1/ticket/redeem, /oauth2/introspect."
  }
}

variable "socket_paths" {
  description = "The paths on which sockets open."
  type        = list(string)
  default     = ["/ws"]
  validation {
    condition     = length(var.socket_paths) > 0 && alltrue([for path in var.socket_paths : can(regex("^/[A-Za-z0-9._/-]+[*]?$", path))])
    error_message = "Each path begins with / and has * at the end only, and is not /*."
  }
}

variable "origin_header" {
  description = "Header in which CloudFront shows the origin secret."
  type        = string
  default     = "X-CloudFront-Secret"
  validation {
    condition     = can(regex("^X-[A-Za-z0-9-]{1,38}$", var.origin_header))
    error_message = "A header name that begins with X-, of 40 characters at most."
  }
}

variable "origin_secrets" {
  description = "The values of the origin secret that are accepted: the current one and, during a rotation, the one before. Listener rules have no write-only form, so these are in the state."
  type        = list(string)
  sensitive   = true
  validation {
    condition     = contains([1, 2], length(var.origin_secrets)) && alltrue([for secret in var.origin_secrets : can(regex("^[A-Za-z0-9-]{32,128}$", secret))])
    error_message = "One or two values of 32 to 128 letters, digits and hyphens: * and ? would be wildcards in a listener rule."
  }
}

variable "origin_certificate_arn" {
  description = "ACM certificate of the origin's name in this region, which the ALB shows to CloudFront."
  type        = string
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$", var.origin_certificate_arn))
    error_message = "The ARN of an ACM certificate."
  }
}

variable "origin_certificate_secret_arn" {
  description = "Secret with members certificate and key (PEM, publicly trusted, for the socket origin's name). Required on the nlb plane, where CloudFront sees sallyport's own certificate."
  type        = string
  default     = null
  validation {
    condition     = (var.socket_plane == "nlb") == (var.origin_certificate_secret_arn != null)
    error_message = "The nlb plane needs a certificate that CloudFront trusts; the alb plane takes none."
  }
}

variable "sallyport" {
  description = "The gate's tasks: image by digest, CPU units and memory (MiB) that Fargate knows together, least and most tasks, sockets for each task at which another one starts, seconds over which a task spreads its closing sockets, and architecture (X86_64 or ARM64)."
  type = object({
    image            = string
    cpu              = optional(number, 512)
    memory           = optional(number, 1024)
    min_tasks        = optional(number, 2)
    max_tasks        = optional(number, 10)
    sockets_per_task = optional(number, 5000)
    cpu_percent      = optional(number, 60)
    drain_seconds    = optional(number, 90)
    architecture     = optional(string, "X86_64")
  })
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.sallyport.image))
    error_message = "The image must be named by its digest: REPOSITORY@sha256:…"
  }
  validation {
    condition     = var.sallyport.min_tasks >= 2 && var.sallyport.max_tasks >= var.sallyport.min_tasks
    error_message = "Two tasks or more, and max_tasks no less than min_tasks."
  }
  validation {
    condition     = var.sallyport.drain_seconds >= 5 && var.sallyport.drain_seconds <= 110
    error_message = "From 5 to 110 seconds: Fargate kills a task 120 seconds after SIGTERM."
  }
  validation {
    condition     = contains(["X86_64", "ARM64"], var.sallyport.architecture)
    error_message = "architecture must be X86_64 or ARM64."
  }
}

variable "sallyport_config" {
  description = "sallyport's configuration file (YAML). Secrets stand in it as $${NAME} and come from the environment."
  type        = string
}

variable "sallyport_secrets" {
  description = "Environment variables of sallyport that come from Secrets Manager: name → ARN, with :member:: at the end for a member of a JSON secret."
  type        = map(string)
  default     = {}
}

variable "sallyport_files" {
  description = "Files that are made of such variables when a task starts: file name in /run/sallyport → variable."
  type        = map(string)
  default     = {}
}

variable "tls_seed" {
  description = "Random text of which the tasks make their certificate authority, 32 characters or more. It counts at the first apply."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "secrets_version" {
  description = "Anything that changes when a secret does, so that tasks start again with the new value. It is not secret."
  type        = string
  default     = "1"
}

variable "backend" {
  description = "The game backend's tasks. Nakama's open source server does not cluster, so tasks stays 1 for it. command and entry_point are those of the image if null; files are made in /run/sallyport of environment variables, with $${NAME} replaced; migrate is a command that must succeed before each start; single stops the old task before the new one starts."
  type = object({
    image        = string
    port         = number
    cpu          = optional(number, 1024)
    memory       = optional(number, 2048)
    tasks        = optional(number, 1)
    single       = optional(bool, true)
    entry_point  = optional(list(string))
    command      = optional(list(string))
    migrate      = optional(list(string))
    environment  = optional(map(string), {})
    secrets      = optional(map(string), {})
    files        = optional(map(string), {})
    user         = optional(string, "65532:65532")
    architecture = optional(string, "X86_64")
    stop_seconds = optional(number, 60)
  })
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.backend.image))
    error_message = "The image must be named by its digest: REPOSITORY@sha256:…"
  }
  validation {
    condition     = !var.backend.single || var.backend.tasks == 1
    error_message = "A single backend has one task."
  }
  validation {
    condition     = !contains(["0", "root", "0:0"], var.backend.user)
    error_message = "The backend does not run as root."
  }
  validation {
    condition     = var.backend.stop_seconds >= 2 && var.backend.stop_seconds <= 120
    error_message = "stop_seconds must be 2 to 120."
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

variable "deletion_protection" {
  description = "Keep the load balancers from being deleted. Off only to tear an environment down."
  type        = bool
  default     = true
}

variable "exec_enabled" {
  description = "Let operators open a shell in the backend's tasks by Systems Manager. It needs a way to ssmmessages, and makes the backend's root file system writable, because the agent writes to it."
  type        = bool
  default     = false
}
