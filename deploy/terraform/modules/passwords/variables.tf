variable "names" {
  description = "Names of the passwords to draw."
  type        = set(string)
  validation {
    condition     = length(var.names) > 0
    error_message = "At least one name."
  }
}

variable "length" {
  description = "Characters of each, letters and digits: 43 hold 256 bits."
  type        = number
  default     = 48
  validation {
    condition     = var.length >= 32 && var.length <= 4096
    error_message = "From 32 to 4096 characters."
  }
}

variable "draw" {
  description = "Always true: it is there because it is ephemeral (see outputs.tf)."
  type        = bool
  default     = true
  ephemeral   = true
}
