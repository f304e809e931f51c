mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name        = "game-test"
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
}

run "one_way_in" {
  assert {
    condition = alltrue([for rule in concat(
      values(aws_vpc_security_group_ingress_rule.cloudfront), values(aws_vpc_security_group_ingress_rule.sallyport),
      [aws_vpc_security_group_ingress_rule.backend, aws_vpc_security_group_ingress_rule.database, aws_vpc_security_group_ingress_rule.cache],
    ) : rule.cidr_ipv4 == null && rule.cidr_ipv6 == null])
    error_message = "An ingress rule has an address range as its source."
  }
  assert {
    condition     = join(" ", keys(aws_vpc_security_group_ingress_rule.cloudfront)) == "alb" && aws_vpc_security_group_ingress_rule.cloudfront["alb"].prefix_list_id == "pl-3b927c52"
    error_message = "On the alb plane CloudFront's prefix list comes to the ALB alone."
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 2
    error_message = "A single NAT gateway serves both zones."
  }
  assert {
    condition     = length(aws_security_group.nlb) == 0
    error_message = "There is no NLB on the alb plane."
  }
}

run "nlb_plane" {
  variables {
    socket_plane = "nlb"
    zones        = 3
    nat          = "per_zone"
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.cloudfront) == 2 && length(aws_vpc_security_group_ingress_rule.sallyport) == 2
    error_message = "On the nlb plane both balancers are between CloudFront and sallyport."
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 3 && length(aws_subnet.private) == 3
    error_message = "Three zones, a NAT gateway in each."
  }
}

run "no_way_out" {
  variables {
    nat = "none"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_vpc_security_group_egress_rule.tasks_to_internet) == 0 && length(aws_route.nat) == 0
    error_message = "Without NAT there is neither a route nor a rule to the internet."
  }
}

run "vpc_origin_group" {
  variables {
    vpc_origin_security_group_id = "sg-0123456789abcdef0"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.cloudfront["alb"].prefix_list_id == null && aws_vpc_security_group_ingress_rule.cloudfront["alb"].referenced_security_group_id == "sg-0123456789abcdef0"
    error_message = "The VPC origins' own group takes the place of the prefix list."
  }
}

run "refuses" {
  command = plan
  variables {
    name         = "Game_1"
    cidr         = "10.0.0.0/8"
    zones        = 1
    nat          = "public"
    socket_plane = "both"
    backend_port = 8443
  }
  expect_failures = [var.name, var.cidr, var.zones, var.nat, var.socket_plane, var.backend_port]
}
