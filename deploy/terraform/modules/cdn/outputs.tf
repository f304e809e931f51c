output "url" {
  description = "What clients connect to."
  value       = "https://${var.domain_name}"
}

output "distribution_id" {
  description = "The distribution's id."
  value       = aws_cloudfront_distribution.this.id
}

output "distribution_domain_name" {
  description = "The distribution's own name, for a CNAME where DNS is elsewhere."
  value       = aws_cloudfront_distribution.this.domain_name
}

output "allowed_paths" {
  description = "Every path that has a way in, sockets first."
  value       = [for behavior in local.behaviors : behavior.path]
}
