data "aws_caller_identity" "this" {}

locals {
  database = var.database == null ? {} : { this = var.database }
}

resource "aws_db_subnet_group" "this" {
  for_each   = local.database
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  for_each = local.database
  name     = "${var.name}-postgres${split(".", each.value.engine_version)[0]}"
  family   = "postgres${split(".", each.value.engine_version)[0]}"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_connections"
    value = "1"
  }

  # A change of the major version needs a group of another family while the old one is still in use.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "database" {
  for_each          = var.database == null ? toset([]) : toset(["postgresql", "upgrade"])
  name              = "/aws/rds/instance/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_iam_role" "monitoring" {
  for_each = local.database
  name     = "${var.name}-rds-monitoring"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  for_each   = local.database
  role       = aws_iam_role.monitoring[each.key].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

resource "aws_db_instance" "this" {
  for_each       = local.database
  identifier     = var.name
  engine         = "postgres"
  engine_version = each.value.engine_version
  instance_class = each.value.instance_class
  db_name        = "game"
  username       = "game"

  # RDS makes the password, keeps it in Secrets Manager and changes it: it is in no state and no variable.
  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.kms_key_arn

  storage_type          = "gp3"
  allocated_storage     = each.value.storage_gib
  max_allocated_storage = each.value.max_storage_gib
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  multi_az                            = each.value.multi_az
  publicly_accessible                 = false
  db_subnet_group_name                = aws_db_subnet_group.this[each.key].name
  vpc_security_group_ids              = [var.database_security_group_id]
  parameter_group_name                = aws_db_parameter_group.this[each.key].name
  ca_cert_identifier                  = "rds-ca-rsa2048-g1"
  iam_database_authentication_enabled = true

  backup_retention_period    = each.value.backup_days
  copy_tags_to_snapshot      = true
  delete_automated_backups   = false
  deletion_protection        = var.deletion_protection
  skip_final_snapshot        = !var.deletion_protection
  final_snapshot_identifier  = var.deletion_protection ? "${var.name}-final" : null
  auto_minor_version_upgrade = true

  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring[each.key].arn

  depends_on = [aws_cloudwatch_log_group.database]
}

resource "aws_secretsmanager_secret_rotation" "database" {
  for_each           = local.database
  secret_id          = aws_db_instance.this[each.key].master_user_secret[0].secret_arn
  rotate_immediately = false
  rotation_rules {
    automatically_after_days = each.value.password_days
  }
}
