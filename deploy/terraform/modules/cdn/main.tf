data "aws_caller_identity" "this" {}

# Nothing here may be cached, and the origin needs all that the viewer sent: AllViewer is also what carries the headers of
# the WebSocket handshake.
data "aws_cloudfront_cache_policy" "none" {
  name = "Managed-CachingDisabled"
}

data "aws_cloudfront_origin_request_policy" "all" {
  name = "Managed-AllViewer"
}

data "aws_cloudfront_response_headers_policy" "security" {
  name = "Managed-SecurityHeadersPolicy"
}

locals {
  edge    = "us-east-1"
  account = data.aws_caller_identity.this.account_id
  # By name, because what is known in advance decides how many there are.
  origins       = merge({ http = var.http_origin }, var.socket_origin == null ? {} : { sockets = var.socket_origin })
  socket_origin = var.socket_origin == null ? "http" : "sockets"
  behaviors = concat(
    [for path in var.socket_paths : { path = path, origin = local.socket_origin }],
    [for path in var.http_paths : { path = path, origin = "http" }],
  )
}

resource "aws_cloudfront_vpc_origin" "this" {
  for_each = local.origins

  vpc_origin_endpoint_config {
    name                   = "${var.name}-${each.key}"
    arn                    = each.value.arn
    http_port              = 80 # demanded, never used: https-only
    https_port             = 443
    origin_protocol_policy = "https-only"
    origin_ssl_protocols {
      items    = ["TLSv1.2"]
      quantity = 1
    }
  }
}

# What no behaviour names ends at the edge.
resource "aws_cloudfront_function" "closed" {
  name    = "${var.name}-closed"
  runtime = "cloudfront-js-2.0"
  comment = "403 for every path that is not allowed"
  publish = true
  code    = <<-JS
    function handler(event) {
      return { statusCode: 403, statusDescription: 'Forbidden' };
    }
  JS
}

# It is logged, by the deliveries in logs.tf, which tfsec does not know: the older logging_config always has query strings.
#tfsec:ignore:aws-cloudfront-enable-logging
resource "aws_cloudfront_distribution" "this" {
  enabled         = true
  comment         = var.name
  aliases         = [var.domain_name]
  price_class     = var.price_class
  http_version    = "http2and3"
  is_ipv6_enabled = true
  web_acl_id      = var.web_acl_arn

  dynamic "origin" {
    for_each = local.origins
    content {
      origin_id   = origin.key
      domain_name = origin.value.dns_name

      vpc_origin_config {
        vpc_origin_id            = aws_cloudfront_vpc_origin.this[origin.key].id
        origin_keepalive_timeout = 40
        origin_read_timeout      = 60
      }

      custom_header {
        name  = var.origin_header
        value = var.origin_secret
      }
    }
  }

  default_cache_behavior {
    target_origin_id           = "http"
    viewer_protocol_policy     = "https-only"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    cache_policy_id            = data.aws_cloudfront_cache_policy.none.id
    response_headers_policy_id = data.aws_cloudfront_response_headers_policy.security.id

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.closed.arn
    }
  }

  # https-only and no redirect: a token that came by http has already been seen by everybody on the way.
  dynamic "ordered_cache_behavior" {
    for_each = local.behaviors
    content {
      path_pattern               = ordered_cache_behavior.value.path
      target_origin_id           = ordered_cache_behavior.value.origin
      viewer_protocol_policy     = "https-only"
      allowed_methods            = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
      cached_methods             = ["GET", "HEAD"]
      cache_policy_id            = data.aws_cloudfront_cache_policy.none.id
      origin_request_policy_id   = data.aws_cloudfront_origin_request_policy.all.id
      response_headers_policy_id = data.aws_cloudfront_response_headers_policy.security.id
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    acm_certificate_arn      = var.certificate_arn
    ssl_support_method       = "sni-only"
    minimum_protocol_version = "TLSv1.2_2021"
  }
}

resource "aws_route53_record" "this" {
  for_each = var.hosted_zone_id == null ? toset([]) : toset(["A", "AAAA"])
  zone_id  = var.hosted_zone_id
  name     = var.domain_name
  type     = each.key
  alias {
    name                   = aws_cloudfront_distribution.this.domain_name
    zone_id                = aws_cloudfront_distribution.this.hosted_zone_id
    evaluate_target_health = false
  }
}
