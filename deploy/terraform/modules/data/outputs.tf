output "database" {
  description = "The database, null if there is none: identifier, address, port, name, user and the ARN of the secret with the password (member password)."
  value = one([for instance in aws_db_instance.this : {
    identifier = instance.identifier
    address    = instance.address
    port       = 5432
    name       = instance.db_name
    username   = instance.username
    secret_arn = instance.master_user_secret[0].secret_arn
  }])
}

output "cache" {
  description = "The cache: id, address of the primary, port, user, the ARN of the secret with the password and the version of it, and the number of replicas."
  value = {
    id               = aws_elasticache_replication_group.this.id
    address          = aws_elasticache_replication_group.this.primary_endpoint_address
    port             = 6379
    username         = aws_elasticache_user.sallyport.user_name
    secret_arn       = aws_secretsmanager_secret.cache.arn
    password_version = var.cache_password_version
    replicas         = var.cache.replicas
  }
}
