# What scripts/deploy reads besides url and cluster_name: what is deployed, so that it can go back to it.
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
