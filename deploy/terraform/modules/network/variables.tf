variable "name" {
  description = "Prefix of every name, such as game-prod."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "The name must have 3 to 20 characters of a-z, 0-9 and -, and begin with a letter."
  }
}

variable "cidr" {
  description = "IPv4 range of the VPC. Each subnet gets a sixteenth of it."
  type        = string
  default     = "10.20.0.0/16"
  validation {
    condition     = can(cidrsubnet(var.cidr, 4, 15)) && try(tonumber(split("/", var.cidr)[1]), 0) >= 16 && try(tonumber(split("/", var.cidr)[1]), 99) <= 20
    error_message = "The range must be an IPv4 CIDR of /16 to /20."
  }
}

variable "zones" {
  description = "Number of availability zones. Load balancers need two."
  type        = number
  default     = 2
  validation {
    condition     = contains([2, 3], var.zones)
    error_message = "Two or three zones."
  }
}

variable "nat" {
  description = "Way out for tasks: none (interface endpoints only), single (one NAT gateway: one zone's failure cuts the others off) or per_zone."
  type        = string
  default     = "single"
  validation {
    condition     = contains(["none", "single", "per_zone"], var.nat)
    error_message = "One of none, single, per_zone."
  }
}

variable "interface_endpoints" {
  description = "AWS services reached through interface endpoints in every zone; each costs by the hour and zone. Without a NAT gateway all five of the default are needed."
  type        = set(string)
  default     = ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "cognito-idp"]
  validation {
    condition     = length(setsubtract(var.interface_endpoints, ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "cognito-idp", "ssmmessages", "kms", "monitoring"])) == 0
    error_message = "Only ecr.api, ecr.dkr, logs, secretsmanager, cognito-idp, ssmmessages, kms and monitoring."
  }
}

variable "socket_plane" {
  description = "Which load balancer carries sockets: alb or nlb."
  type        = string
  default     = "alb"
  validation {
    condition     = contains(["alb", "nlb"], var.socket_plane)
    error_message = "One of alb, nlb."
  }
}

variable "vpc_origin_security_group_id" {
  description = "The security group CloudFront-VPCOrigins-Service-SG, which CloudFront makes with the first VPC origin of a VPC. Set it after the first apply: the load balancers then admit that group alone instead of CloudFront's prefix list."
  type        = string
  default     = null
  validation {
    condition     = var.vpc_origin_security_group_id == null || can(regex("^sg-[0-9a-f]+$", var.vpc_origin_security_group_id))
    error_message = "A security group id, sg-…"
  }
}

variable "backend_port" {
  description = "Port on which the game backend listens."
  type        = number
  default     = 7350
  validation {
    condition     = var.backend_port >= 1024 && var.backend_port <= 65535 && !contains([8443, 8444], var.backend_port)
    error_message = "A port from 1024 to 65535 other than 8443 and 8444, which are sallyport's."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts the flow logs."
  type        = string
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "The ARN of a KMS key."
  }
}

variable "flow_log_retention_days" {
  description = "How long flow logs are kept, in days."
  type        = number
  default     = 90
  validation {
    condition     = contains([7, 14, 30, 60, 90, 120, 180, 365, 400, 731], var.flow_log_retention_days)
    error_message = "A retention that CloudWatch Logs knows: 7, 14, 30, 60, 90, 120, 180, 365, 400 or 731."
  }
}
