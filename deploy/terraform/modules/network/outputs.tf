output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "vpc_cidr" {
  description = "The VPC's range: CloudFront's VPC origins and the load balancers have addresses in it."
  value       = aws_vpc.this.cidr_block
}

output "private_subnet_ids" {
  description = "Subnets of load balancers, tasks and endpoints, one for each zone."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]
}

output "data_subnet_ids" {
  description = "Subnets of databases, one for each zone, without a way out."
  value       = [for zone in local.zones : aws_subnet.data[zone].id]
}

output "security_group_ids" {
  description = "Security groups by what they are for: alb, nlb (null on the alb plane), sallyport, backend, database, cache."
  value = {
    alb       = aws_security_group.alb.id
    nlb       = one(aws_security_group.nlb[*].id)
    sallyport = aws_security_group.sallyport.id
    backend   = aws_security_group.backend.id
    database  = aws_security_group.database.id
    cache     = aws_security_group.cache.id
  }
}

output "nat_gateway_ids" {
  description = "NAT gateways by zone."
  value       = { for zone, gateway in aws_nat_gateway.this : zone => gateway.id }
}
