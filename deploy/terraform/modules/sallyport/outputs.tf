output "url" {
  description = "What clients connect to."
  value       = module.cdn.url
}

output "distribution_id" {
  description = "The CloudFront distribution's id."
  value       = module.cdn.distribution_id
}

output "distribution_domain_name" {
  description = "The distribution's own name, for a CNAME where DNS is elsewhere."
  value       = module.cdn.distribution_domain_name
}

output "allowed_paths" {
  description = "Every path that has a way in."
  value       = module.cdn.allowed_paths
}

output "cluster_name" {
  description = "The ECS cluster."
  value       = module.compute.cluster_name
}

output "service_names" {
  description = "The ECS services, by sallyport and backend."
  value       = module.compute.service_names
}

output "user_pool_id" {
  description = "The user pool's id."
  value       = module.auth.user_pool_id
}

output "client_id" {
  description = "The app client that game clients sign in with. It is public."
  value       = module.auth.client_id
}

output "issuers" {
  description = "Every iss that is taken."
  value       = module.auth.issuers
}

output "session_keys_secret_arn" {
  description = "In the gate topology: the secret to put the output of sallyport keys new into, before the first start. Null with Nakama."
  value       = one(aws_secretsmanager_secret.session_keys[*].arn)
}

output "dashboard_name" {
  description = "The dashboard."
  value       = module.ops.dashboard_name
}
