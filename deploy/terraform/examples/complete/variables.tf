variable "name" {
  description = "Prefix of every name, such as game-prod."
  type        = string
}

variable "region" {
  description = "Region of the game."
  type        = string
}

variable "domain_name" {
  description = "The name that players reach, such as game.example.com."
  type        = string
}

variable "edge_certificate_arn" {
  description = "ACM certificate of domain_name in us-east-1."
  type        = string
}

variable "origin_certificate_arn" {
  description = "ACM certificate of domain_name in region."
  type        = string
}

variable "origin_secret_arn" {
  description = "bootstrap's output origin_secret_arn."
  type        = string
}

variable "sallyport_image" {
  description = "Image of sallyport by digest; make deploy sets it."
  type        = string
}

variable "backend_image" {
  description = "Image of the backend by digest; make deploy sets it."
  type        = string
}

variable "topology" {
  description = "nakama or gate."
  type        = string
  default     = "nakama"
}

variable "socket_plane" {
  description = "alb or nlb."
  type        = string
  default     = "alb"
}

variable "origin_certificate_secret_arn" {
  description = "On the nlb plane: secret with the certificate and key that sallyport shows to CloudFront."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Off only to tear the environment down: apply it off, then destroy."
  type        = bool
  default     = true
}

variable "hosted_zone_id" {
  description = "Route 53 zone of domain_name; null if DNS is elsewhere."
  type        = string
  default     = null
}

variable "alarm_emails" {
  description = "Who is told of alarms and of the budget."
  type        = set(string)
  default     = []
}

variable "replica_regions" {
  description = "Other regions that the user pool is replicated to."
  type        = list(string)
  default     = []
}

variable "monthly_budget_usd" {
  description = "Costs of the account in a month, in US dollars, of which somebody is told in time."
  type        = number
  default     = 2000
}
