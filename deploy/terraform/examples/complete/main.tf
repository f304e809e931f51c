# What a game with players runs on: three zones, a NAT gateway in each, interface endpoints, standbys, threat protection.
module "sallyport" {
  source = "../../modules/sallyport"

  name                          = var.name
  topology                      = var.topology
  socket_plane                  = var.socket_plane
  domain_name                   = var.domain_name
  hosted_zone_id                = var.hosted_zone_id
  edge_certificate_arn          = var.edge_certificate_arn
  origin_certificate_arn        = var.origin_certificate_arn
  origin_certificate_secret_arn = var.origin_certificate_secret_arn
  origin_secret_arn             = var.origin_secret_arn
  sallyport_image               = var.sallyport_image
  backend_image                 = var.backend_image
  deletion_protection           = var.deletion_protection

  network            = { zones = 3, nat = "per_zone" }
  gate               = { cpu = 1024, memory = 2048, min_tasks = 3, max_tasks = 20 }
  backend            = { cpu = 4096, memory = 8192 }
  database           = var.topology == "nakama" ? { instance_class = "db.m7g.large", storage_gib = 100 } : null
  cache              = { node_type = "cache.m7g.large", replicas = 2 }
  auth               = { tier = "PLUS", replica_regions = var.replica_regions }
  price_class        = "PriceClass_All"
  alarm_emails       = var.alarm_emails
  monthly_budget_usd = var.monthly_budget_usd
  log_retention_days = 365
}
