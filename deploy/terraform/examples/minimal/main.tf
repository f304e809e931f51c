# The cheapest deployment that is still closed: two zones, one NAT gateway instead of interface endpoints, small nodes with no
# standby. A lost zone or node means downtime, and a lost cache node that everybody signs in again.
module "sallyport" {
  source = "../../modules/sallyport"

  name                          = var.name
  topology                      = var.topology
  socket_plane                  = var.socket_plane
  domain_name                   = var.domain_name
  edge_certificate_arn          = var.edge_certificate_arn
  origin_certificate_arn        = var.origin_certificate_arn
  origin_certificate_secret_arn = var.origin_certificate_secret_arn
  origin_secret_arn             = var.origin_secret_arn
  sallyport_image               = var.sallyport_image
  backend_image                 = var.backend_image
  deletion_protection           = var.deletion_protection

  network            = { nat = "single", interface_endpoints = [] }
  gate               = { cpu = 256, memory = 512, max_tasks = 4 }
  backend            = { cpu = 512, memory = 1024 }
  database           = var.topology == "nakama" ? { instance_class = "db.t4g.micro", storage_gib = 20, multi_az = false, backup_days = 7 } : null
  cache              = { node_type = "cache.t4g.micro", replicas = 0 }
  log_retention_days = 30
  monthly_budget_usd = 200
}
