data "aws_region" "this" {}

data "aws_caller_identity" "this" {}

# Listener rules and CloudFront have no write-only form for the secret's values, so this one secret is in the state.
data "aws_secretsmanager_secret_version" "origin" {
  secret_id = var.origin_secret_arn
}

locals {
  account   = data.aws_caller_identity.this.account_id
  region    = data.aws_region.this.region
  namespace = "internal.${var.domain_name}"
  nakama    = var.topology == "nakama"

  origin         = jsondecode(data.aws_secretsmanager_secret_version.origin.secret_string)
  origin_secrets = distinct([local.origin.current, local.origin.previous])
  origin_header  = "X-CloudFront-Secret"

  http_paths = var.http_paths != null ? var.http_paths : local.preset_paths[var.topology]
  api_paths  = local.preset_api_paths[var.topology]
  database   = var.database != null ? var.database : local.nakama ? {} : null

  # Not secret: the ids of the secrets' versions, so that tasks start again when one changes.
  secrets_version = join(" ", [data.aws_secretsmanager_secret_version.origin.version_id,
  tostring(var.backend_secrets_version), tostring(var.cache_password_version)])
}

module "passwords" {
  source = "../passwords"
  names  = concat(["cache", "tls_seed"], local.backend_keys)
}

module "network" {
  source                       = "../network"
  name                         = var.name
  cidr                         = var.network.cidr
  zones                        = var.network.zones
  nat                          = var.network.nat
  interface_endpoints          = var.network.interface_endpoints
  vpc_origin_security_group_id = var.network.vpc_origin_security_group_id
  socket_plane                 = var.socket_plane
  backend_port                 = var.backend_port
  kms_key_arn                  = aws_kms_key.this.arn
  flow_log_retention_days      = var.log_retention_days
}

module "auth" {
  source               = "../auth"
  name                 = var.name
  replica_regions      = var.auth.replica_regions
  access_token_minutes = var.auth.access_token_minutes
  refresh_token_days   = var.auth.refresh_token_days
  mfa                  = var.auth.mfa
  tier                 = var.auth.tier
  ses_identity_arn     = var.auth.ses_identity_arn
  from_email           = var.auth.from_email
  deletion_protection  = var.deletion_protection
}

module "data" {
  source                     = "../data"
  name                       = var.name
  subnet_ids                 = module.network.data_subnet_ids
  database                   = local.database
  cache                      = var.cache
  database_security_group_id = module.network.security_group_ids.database
  cache_security_group_id    = module.network.security_group_ids.cache
  cache_password             = module.passwords.values["cache"]
  cache_password_version     = var.cache_password_version
  kms_key_arn                = aws_kms_key.this.arn
  log_retention_days         = var.log_retention_days
  deletion_protection        = var.deletion_protection
}

module "compute" {
  source                        = "../compute"
  name                          = var.name
  vpc_id                        = module.network.vpc_id
  subnet_ids                    = module.network.private_subnet_ids
  namespace                     = local.namespace
  socket_plane                  = var.socket_plane
  http_paths                    = local.http_paths
  api_paths                     = local.api_paths
  socket_paths                  = var.socket_paths
  origin_header                 = local.origin_header
  origin_secrets                = local.origin_secrets
  origin_certificate_arn        = var.origin_certificate_arn
  origin_certificate_secret_arn = var.origin_certificate_secret_arn
  secrets_version               = local.secrets_version
  tls_seed                      = module.passwords.values["tls_seed"]
  kms_key_arn                   = aws_kms_key.this.arn
  log_retention_days            = var.log_retention_days
  deletion_protection           = var.deletion_protection
  exec_enabled                  = var.exec_enabled
  sallyport_config              = yamlencode(local.config)
  sallyport_secrets             = local.gate_secrets
  sallyport_files               = local.gate_files

  security_group_ids = {
    alb       = module.network.security_group_ids.alb
    nlb       = module.network.security_group_ids.nlb
    sallyport = module.network.security_group_ids.sallyport
    backend   = module.network.security_group_ids.backend
  }

  sallyport = merge({ image = var.sallyport_image }, var.gate)
  backend   = merge({ image = var.backend_image, port = var.backend_port }, var.backend, local.topologies[var.topology].task)
}

module "waf" {
  source                 = "../waf-cloudfront"
  name                   = var.name
  origin_header          = local.origin_header
  requests_per_5_minutes = var.waf.requests_per_5_minutes
  signins_per_5_minutes  = var.waf.signins_per_5_minutes
  log_retention_days     = var.log_retention_days
}

module "cdn" {
  source             = "../cdn"
  name               = var.name
  domain_name        = var.domain_name
  hosted_zone_id     = var.hosted_zone_id
  certificate_arn    = var.edge_certificate_arn
  web_acl_arn        = module.waf.web_acl_arn
  kms_key_arn        = module.waf.kms_key_arn
  http_paths         = concat(local.api_paths, local.http_paths)
  socket_paths       = var.socket_paths
  origin_header      = local.origin_header
  origin_secret      = module.compute.accepted_origin_secret
  price_class        = var.price_class
  log_retention_days = var.log_retention_days

  http_origin   = { arn = module.compute.alb.arn, dns_name = module.compute.alb.dns_name }
  socket_origin = var.socket_plane == "nlb" ? { arn = module.compute.nlb.arn, dns_name = module.compute.nlb.dns_name } : null
}

module "ops" {
  source                   = "../ops"
  name                     = var.name
  kms_key_arn              = aws_kms_key.this.arn
  edge_kms_key_arn         = module.waf.kms_key_arn
  alarm_emails             = var.alarm_emails
  monthly_budget_usd       = var.monthly_budget_usd
  cluster_name             = module.compute.cluster_name
  service_names            = module.compute.service_names
  sallyport_log_group_name = module.compute.log_group_names.sallyport
  alb                      = { suffix = module.compute.alb.suffix, target_group = module.compute.alb.target_group }
  nlb                      = var.socket_plane == "nlb" ? { suffix = module.compute.nlb.suffix, target_group = module.compute.nlb.target_group } : null
  distribution_id          = module.cdn.distribution_id
  web_acl_name             = module.waf.web_acl_name
  database_identifier      = local.database == null ? null : module.data.database.identifier
  cache_id                 = module.data.cache.id
  cache_nodes              = 1 + var.cache.replicas
  max_sockets              = var.gate.max_tasks * var.gate.sockets_per_task
}
