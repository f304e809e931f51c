output "state_bucket" {
  description = "Bucket of the state."
  value       = aws_s3_bucket.state.id
}

output "kms_key_arn" {
  description = "Key of state, images and origin secret."
  value       = aws_kms_key.this.arn
}

output "backend_config" {
  description = "Contents of the file for terraform init -backend-config=FILE in an example."
  value       = <<-HCL
    bucket       = "${aws_s3_bucket.state.id}"
    key          = "${var.name}/terraform.tfstate"
    region       = "${var.region}"
    kms_key_id   = "${aws_kms_key.this.arn}"
    encrypt      = true
    use_lockfile = true
  HCL
}

output "repository_urls" {
  description = "Image repositories, by sallyport and backend."
  value       = { for key, repository in aws_ecr_repository.this : key => repository.repository_url }
}

output "origin_secret_arn" {
  description = "The origin secret, for the variable origin_secret_arn."
  value       = aws_secretsmanager_secret.origin.arn
}

output "deploy_role_arn" {
  description = "The role that GitHub's workflows deploy with; null if there is none."
  value       = one([for role in aws_iam_role.deploy : role.arn])
}
