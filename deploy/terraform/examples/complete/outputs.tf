output "url" {
  description = "What clients connect to."
  value       = module.sallyport.url
}

output "cluster_name" {
  description = "The ECS cluster."
  value       = module.sallyport.cluster_name
}

output "sallyport_service_name" {
  description = "sallyport's ECS service."
  value       = module.sallyport.service_names.sallyport
}

output "backend_service_name" {
  description = "The backend's ECS service."
  value       = module.sallyport.service_names.backend
}

output "distribution_id" {
  description = "The CloudFront distribution's id."
  value       = module.sallyport.distribution_id
}

output "distribution_domain_name" {
  description = "The distribution's own name, for a CNAME where DNS is elsewhere."
  value       = module.sallyport.distribution_domain_name
}

output "user_pool_id" {
  description = "The user pool's id."
  value       = module.sallyport.user_pool_id
}

output "client_id" {
  description = "The app client that game clients sign in with."
  value       = module.sallyport.client_id
}

output "issuers" {
  description = "Every iss that is taken."
  value       = module.sallyport.issuers
}

output "allowed_paths" {
  description = "Every path that has a way in."
  value       = module.sallyport.allowed_paths
}

output "session_keys_secret_arn" {
  description = "In the gate topology: the secret for the output of sallyport keys new."
  value       = module.sallyport.session_keys_secret_arn
}

output "sallyport_image" {
  description = "The image of sallyport that is deployed."
  value       = var.sallyport_image
}

output "backend_image" {
  description = "The image of the backend that is deployed."
  value       = var.backend_image
}

output "deletion_protection" {
  description = "Whether database, user pool and load balancers are protected from deletion."
  value       = var.deletion_protection
}
