locals {
  families = { redis = "redis7", valkey = "valkey8" }
  versions = { redis = "7.1", valkey = "8.0" }
}

resource "aws_secretsmanager_secret" "cache" {
  name                    = "${var.name}/cache"
  description             = "Password of sallyport's user in ElastiCache"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = 7
}

resource "aws_secretsmanager_secret_version" "cache" {
  secret_id                = aws_secretsmanager_secret.cache.id
  secret_string_wo         = var.cache_password
  secret_string_wo_version = var.cache_password_version
}

resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

# A store that evicts forgets bans; sallyport refuses to start on one.
resource "aws_elasticache_parameter_group" "this" {
  name   = "${var.name}-${local.families[var.cache.engine]}"
  family = local.families[var.cache.engine]

  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# A group of users of Redis must have a default user; this one can do nothing. It has a password because a group of Valkey takes no
# user without one.
resource "aws_elasticache_user" "default" {
  user_id       = "${var.name}-default"
  user_name     = "default"
  engine        = var.cache.engine
  access_string = "off ~keys* -@all +get"

  passwords_wo         = var.cache_password
  passwords_wo_version = var.cache_password_version
}

resource "aws_elasticache_user" "sallyport" {
  user_id   = "${var.name}-sallyport"
  user_name = "sallyport"
  engine    = var.cache.engine
  # Its own keys, and what the tests of store/redis run with, less what is dangerous; INFO says whether the server evicts. CONFIG
  # cannot be given back: ElastiCache refuses to make a user with a command that it forbids.
  access_string        = "on ~sallyport* &sallyport* -@all +@read +@write +@scripting +@connection -@dangerous +publish +subscribe +wait +info +time"
  passwords_wo         = var.cache_password
  passwords_wo_version = var.cache_password_version
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = var.name
  engine        = var.cache.engine
  user_ids      = [aws_elasticache_user.default.user_id, aws_elasticache_user.sallyport.user_id]
}

resource "aws_cloudwatch_log_group" "cache" {
  name              = "/sallyport/${var.name}/cache"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id = var.name
  description          = "Revocations, sessions and tickets of sallyport"
  engine               = var.cache.engine
  engine_version       = local.versions[var.cache.engine]
  node_type            = var.cache.node_type
  port                 = 6379
  parameter_group_name = aws_elasticache_parameter_group.this.name

  num_cache_clusters         = 1 + var.cache.replicas
  automatic_failover_enabled = var.cache.replicas > 0
  multi_az_enabled           = var.cache.replicas > 0

  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [var.cache_security_group_id]
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  user_group_ids             = [aws_elasticache_user_group.this.user_group_id]

  auto_minor_version_upgrade = true
  snapshot_retention_limit   = 7

  log_delivery_configuration {
    destination      = aws_cloudwatch_log_group.cache.name
    destination_type = "cloudwatch-logs"
    log_format       = "json"
    log_type         = "engine-log"
  }
}
