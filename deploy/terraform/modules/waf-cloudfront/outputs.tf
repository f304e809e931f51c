output "web_acl_arn" {
  description = "The web ACL, for the distribution."
  value       = aws_wafv2_web_acl.this.arn
}

output "web_acl_name" {
  description = "The web ACL's name, by which metrics know it."
  value       = aws_wafv2_web_acl.this.name
}

output "kms_key_arn" {
  description = "The key in us-east-1 for what belongs to CloudFront."
  value       = aws_kms_key.edge.arn
}
