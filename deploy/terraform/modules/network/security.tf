# The way in is one chain: CloudFront → load balancer → sallyport → backend → database. Every rule names the group before
# it; no rule has 0.0.0.0/0 as its source.

locals {
  tls_port      = 443
  gate_port     = 8443 # game traffic
  api_port      = 8444 # sallyport's token API and its health
  database_port = 5432
  cache_port    = 6379

  balancers = merge({ alb = aws_security_group.alb.id }, { for g in aws_security_group.nlb : "nlb" => g.id })
  tasks     = { sallyport = aws_security_group.sallyport.id, backend = aws_security_group.backend.id }
}

resource "aws_security_group" "alb" {
  name        = "${var.name}-alb"
  description = "Internal ALB: from CloudFront, to sallyport"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-alb" }
}

resource "aws_security_group" "nlb" {
  count       = var.socket_plane == "nlb" ? 1 : 0
  name        = "${var.name}-nlb"
  description = "Internal NLB of the socket plane: from CloudFront, to sallyport"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-nlb" }
}

resource "aws_security_group" "sallyport" {
  name        = "${var.name}-sallyport"
  description = "Tasks of the gate: from the load balancers and the backend, to backend and cache"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-sallyport" }
}

resource "aws_security_group" "backend" {
  name        = "${var.name}-backend"
  description = "Tasks of the game backend: from sallyport, to database"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-backend" }
}

resource "aws_security_group" "database" {
  name        = "${var.name}-database"
  description = "PostgreSQL: from the backend"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-database" }
}

resource "aws_security_group" "cache" {
  name        = "${var.name}-cache"
  description = "ElastiCache: from sallyport"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-cache" }
}

resource "aws_security_group" "endpoints" {
  name        = "${var.name}-endpoints"
  description = "Interface endpoints of AWS services: from the tasks"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-endpoints" }
}

# The prefix list counts as 55 of the 60 rules that a group may have, so nothing else fits beside it. With internal load
# balancers it admits nobody but VPC origins of this account: nobody else's distribution has a way into the VPC.
resource "aws_vpc_security_group_ingress_rule" "cloudfront" {
  for_each                     = local.balancers
  security_group_id            = each.value
  description                  = "CloudFront VPC origins"
  ip_protocol                  = "tcp"
  from_port                    = local.tls_port
  to_port                      = local.tls_port
  prefix_list_id               = var.vpc_origin_security_group_id == null ? data.aws_ec2_managed_prefix_list.cloudfront.id : null
  referenced_security_group_id = var.vpc_origin_security_group_id
}

resource "aws_vpc_security_group_egress_rule" "balancer_to_sallyport" {
  for_each                     = local.balancers
  security_group_id            = each.value
  description                  = "sallyport, TLS: game traffic, and the token API or its health"
  ip_protocol                  = "tcp"
  from_port                    = local.gate_port
  to_port                      = local.api_port
  referenced_security_group_id = aws_security_group.sallyport.id
}

resource "aws_vpc_security_group_ingress_rule" "sallyport" {
  for_each                     = local.balancers
  security_group_id            = aws_security_group.sallyport.id
  description                  = "from ${each.key}, TLS"
  ip_protocol                  = "tcp"
  from_port                    = local.gate_port
  to_port                      = local.api_port
  referenced_security_group_id = each.value
}

# The backend comes for the feed of revocations and to verify tokens.
resource "aws_vpc_security_group_ingress_rule" "sallyport_api" {
  security_group_id            = aws_security_group.sallyport.id
  description                  = "from the backend, TLS"
  ip_protocol                  = "tcp"
  from_port                    = local.api_port
  to_port                      = local.api_port
  referenced_security_group_id = aws_security_group.backend.id
}

resource "aws_vpc_security_group_egress_rule" "sallyport_to_backend" {
  security_group_id            = aws_security_group.sallyport.id
  description                  = "game backend"
  ip_protocol                  = "tcp"
  from_port                    = var.backend_port
  to_port                      = var.backend_port
  referenced_security_group_id = aws_security_group.backend.id
}

resource "aws_vpc_security_group_ingress_rule" "backend" {
  security_group_id            = aws_security_group.backend.id
  description                  = "from sallyport"
  ip_protocol                  = "tcp"
  from_port                    = var.backend_port
  to_port                      = var.backend_port
  referenced_security_group_id = aws_security_group.sallyport.id
}

resource "aws_vpc_security_group_egress_rule" "backend_to_sallyport" {
  security_group_id            = aws_security_group.backend.id
  description                  = "feed of revocations, TLS"
  ip_protocol                  = "tcp"
  from_port                    = local.api_port
  to_port                      = local.api_port
  referenced_security_group_id = aws_security_group.sallyport.id
}

resource "aws_vpc_security_group_egress_rule" "backend_to_database" {
  security_group_id            = aws_security_group.backend.id
  description                  = "PostgreSQL, TLS"
  ip_protocol                  = "tcp"
  from_port                    = local.database_port
  to_port                      = local.database_port
  referenced_security_group_id = aws_security_group.database.id
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  security_group_id            = aws_security_group.database.id
  description                  = "from the backend"
  ip_protocol                  = "tcp"
  from_port                    = local.database_port
  to_port                      = local.database_port
  referenced_security_group_id = aws_security_group.backend.id
}

resource "aws_vpc_security_group_egress_rule" "sallyport_to_cache" {
  security_group_id            = aws_security_group.sallyport.id
  description                  = "ElastiCache, TLS"
  ip_protocol                  = "tcp"
  from_port                    = local.cache_port
  to_port                      = local.cache_port
  referenced_security_group_id = aws_security_group.cache.id
}

resource "aws_vpc_security_group_ingress_rule" "cache" {
  security_group_id            = aws_security_group.cache.id
  description                  = "from sallyport"
  ip_protocol                  = "tcp"
  from_port                    = local.cache_port
  to_port                      = local.cache_port
  referenced_security_group_id = aws_security_group.sallyport.id
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  for_each                     = local.tasks
  security_group_id            = aws_security_group.endpoints.id
  description                  = "from ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = local.tls_port
  to_port                      = local.tls_port
  referenced_security_group_id = each.value
}

resource "aws_vpc_security_group_egress_rule" "tasks_to_endpoints" {
  for_each                     = local.tasks
  security_group_id            = each.value
  description                  = "interface endpoints"
  ip_protocol                  = "tcp"
  from_port                    = local.tls_port
  to_port                      = local.tls_port
  referenced_security_group_id = aws_security_group.endpoints.id
}

resource "aws_vpc_security_group_egress_rule" "tasks_to_s3" {
  for_each          = local.tasks
  security_group_id = each.value
  description       = "image layers in S3"
  ip_protocol       = "tcp"
  from_port         = local.tls_port
  to_port           = local.tls_port
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
}

# Identity providers have no fixed addresses, so the way out is all of HTTPS where there is a NAT gateway, and none where
# there is not.
resource "aws_vpc_security_group_egress_rule" "tasks_to_internet" {
  for_each          = var.nat == "none" ? {} : local.tasks
  security_group_id = each.value
  description       = "HTTPS out through the NAT gateway"
  ip_protocol       = "tcp"
  from_port         = local.tls_port
  to_port           = local.tls_port
  cidr_ipv4         = "0.0.0.0/0"
}
