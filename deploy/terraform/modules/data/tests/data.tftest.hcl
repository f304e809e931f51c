mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                       = "game-test"
  subnet_ids                 = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  database_security_group_id = "sg-0123456789abcdef0"
  cache_security_group_id    = "sg-0123456789abcdef1"
  cache_password             = "test-password-of-forty-characters-0000000"
  kms_key_arn                = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
}

run "closed_and_kept" {
  assert {
    condition     = alltrue([for db in aws_db_instance.this : db.storage_encrypted && !db.publicly_accessible && db.multi_az && db.deletion_protection && db.manage_master_user_password && db.backup_retention_period >= 7])
    error_message = "The database is encrypted, private, doubled, protected, backed up, and RDS keeps its password."
  }
  assert {
    condition     = alltrue([for group in aws_db_parameter_group.this : contains([for p in group.parameter : "${p.name}=${p.value}"], "rds.force_ssl=1")])
    error_message = "The database takes no connection without TLS."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.transit_encryption_mode == "required" && aws_elasticache_replication_group.this.at_rest_encryption_enabled == "true"
    error_message = "The cache is encrypted at rest and on the way."
  }
  assert {
    condition     = contains([for p in aws_elasticache_parameter_group.this.parameter : "${p.name}=${p.value}"], "maxmemory-policy=noeviction")
    error_message = "A store that evicts forgets bans."
  }
  assert {
    condition     = startswith(aws_elasticache_user.default.access_string, "off ")
    error_message = "The default user of the cache is off."
  }
}

run "none" {
  variables {
    database = null
    cache    = { replicas = 0, engine = "valkey" }
  }
  assert {
    condition     = length(aws_db_instance.this) == 0 && output.database == null && aws_elasticache_replication_group.this.num_cache_clusters == 1 && !aws_elasticache_replication_group.this.automatic_failover_enabled
    error_message = "No database, and one node cannot fail over."
  }
}

run "refuses" {
  command = plan
  variables {
    database           = { backup_days = 0, engine_version = "9.6", password_days = 0 }
    cache              = { engine = "memcached", replicas = 9 }
    subnet_ids         = ["subnet-0123456789abcdef0"]
    log_retention_days = 8
  }
  expect_failures = [var.database, var.cache, var.subnet_ids, var.log_retention_days]
}
