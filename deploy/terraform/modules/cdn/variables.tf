variable "name" {
  description = "Prefix of every name, such as game-prod."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "The name must have 3 to 20 characters of a-z, 0-9 and -, and begin with a letter."
  }
}
variable "domain_name" {
  description = "The name that players reach, such as game.example.com. CloudFront passes it on, so the origins' certificates are for it too."
  type        = string
  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,}$", var.domain_name))
    error_message = "A domain name in lower case."
  }
}

variable "certificate_arn" {
  description = "ACM certificate of domain_name in us-east-1."
  type        = string
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:acm:us-east-1:[0-9]{12}:certificate/.+$", var.certificate_arn))
    error_message = "The ARN of an ACM certificate in us-east-1."
  }
}

variable "web_acl_arn" {
  description = "The web ACL before the distribution."
  type        = string
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:wafv2:us-east-1:[0-9]{12}:global/webacl/.+$", var.web_acl_arn))
    error_message = "The ARN of a web ACL of scope CLOUDFRONT."
  }
}

variable "http_origin" {
  description = "The internal ALB: arn and dns_name."
  type        = object({ arn = string, dns_name = string })
}

variable "socket_origin" {
  description = "The internal NLB of the socket plane: arn and dns_name; null if sockets go through the ALB."
  type        = object({ arn = string, dns_name = string })
  default     = null
}

variable "http_paths" {
  description = "The paths that may come in by HTTP, sallyport's own among them. Everything else is answered 403 at the edge."
  type        = list(string)
  validation {
    condition     = length(var.http_paths) > 0 && !contains(var.http_paths, "/*")
    error_message = "At least one path, and not /*."
  }
}

variable "socket_paths" {
  description = "The paths on which sockets open."
  type        = list(string)
  validation {
    condition     = length(var.socket_paths) > 0 && !contains(var.socket_paths, "/*")
    error_message = "At least one path, and not /*."
  }
}

variable "origin_header" {
  description = "Header in which the origin secret travels."
  type        = string
  default     = "X-CloudFront-Secret"
}

variable "origin_secret" {
  description = "The current origin secret. CloudFront has no write-only form for it, so it is in the state."
  type        = string
  sensitive   = true
  validation {
    condition     = can(regex("^[A-Za-z0-9-]{32,128}$", var.origin_secret))
    error_message = "32 to 128 letters, digits and hyphens."
  }
}

variable "kms_key_arn" {
  description = "Key in us-east-1 that encrypts the logs."
  type        = string
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:us-east-1:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "The ARN of a KMS key in us-east-1."
  }
}

variable "hosted_zone_id" {
  description = "Route 53 zone in which domain_name is made to point here; null if DNS is elsewhere."
  type        = string
  default     = null
}

variable "price_class" {
  description = "Where CloudFront answers: PriceClass_All, PriceClass_200 or PriceClass_100 (North America and Europe, the cheapest)."
  type        = string
  default     = "PriceClass_100"
  validation {
    condition     = contains(["PriceClass_All", "PriceClass_200", "PriceClass_100"], var.price_class)
    error_message = "One of PriceClass_All, PriceClass_200, PriceClass_100."
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
