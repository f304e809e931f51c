mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name            = "game-test"
  domain_name     = "game.example.com"
  certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
  web_acl_arn     = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/game/12345678-1234-1234-1234-123456789012"
  kms_key_arn     = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"
  http_origin     = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/a/0123456789abcdef", dns_name = "a.elb.amazonaws.com" }
  http_paths      = ["/v2/account", "/v1/ticket"]
  socket_paths    = ["/ws"]
  origin_secret   = "test-origin-secret-of-forty-characters-00"
}

run "closed_by_default" {
  assert {
    condition     = length(aws_cloudfront_distribution.this.default_cache_behavior[0].function_association) == 1 && strcontains(aws_cloudfront_function.closed.code, "statusCode: 403")
    error_message = "What no behaviour names must end at the edge with 403."
  }
  assert {
    condition     = join(" ", output.allowed_paths) == "/ws /v2/account /v1/ticket" && join(" ", aws_cloudfront_distribution.this.ordered_cache_behavior[*].path_pattern) == join(" ", output.allowed_paths)
    error_message = "The behaviours are the allow-list."
  }
  assert {
    condition     = alltrue([for b in aws_cloudfront_distribution.this.ordered_cache_behavior : b.viewer_protocol_policy == "https-only"])
    error_message = "No plain HTTP from viewers."
  }
  assert {
    condition     = alltrue([for o in aws_cloudfront_vpc_origin.this : o.vpc_origin_endpoint_config[0].origin_protocol_policy == "https-only"])
    error_message = "No plain HTTP to origins."
  }
  assert {
    condition     = length(setintersection(aws_cloudwatch_log_delivery.access.record_fields, ["cs-uri-query", "cs(Cookie)", "cs(Referer)"])) == 0
    error_message = "Tokens must not be logged."
  }
}

run "nlb_plane" {
  variables {
    socket_origin = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/b/0123456789abcdef", dns_name = "b.elb.amazonaws.com" }
  }
  assert {
    condition     = { for b in aws_cloudfront_distribution.this.ordered_cache_behavior : b.path_pattern => b.target_origin_id } == { "/ws" = "sockets", "/v2/account" = "http", "/v1/ticket" = "http" }
    error_message = "Sockets go to the NLB, everything else to the ALB."
  }
}

run "refuses" {
  command = plan
  variables {
    domain_name     = "Game"
    certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    http_paths      = ["/*"]
    socket_paths    = []
    origin_secret   = "short"
    price_class     = "PriceClass_1"
  }
  expect_failures = [var.domain_name, var.certificate_arn, var.http_paths, var.socket_paths, var.origin_secret, var.price_class]
}
