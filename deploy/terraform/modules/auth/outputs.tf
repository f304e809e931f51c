output "user_pool_id" {
  description = "The user pool's id."
  value       = aws_cognito_user_pool.this.id
}

output "user_pool_arn" {
  description = "The user pool's ARN."
  value       = aws_cognito_user_pool.this.arn
}

output "client_id" {
  description = "The app client that game clients sign in with. It is public."
  value       = aws_cognito_user_pool_client.game.id
}

output "region" {
  description = "The pool's home region."
  value       = data.aws_region.this.region
}

output "replica_regions" {
  description = "The other regions whose tokens are taken."
  value       = var.replica_regions
}

output "issuers" {
  description = "Every iss that a token of the pool may carry: both issuer formats (original and updated), of every region."
  value = flatten([for region in concat([data.aws_region.this.region], var.replica_regions) : [
    "https://cognito-idp.${region}.amazonaws.com/${aws_cognito_user_pool.this.id}",
    "https://issuer-cognito-idp.${region}.amazonaws.com/${aws_cognito_user_pool.this.id}",
  ]])
}
