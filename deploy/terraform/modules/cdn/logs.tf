resource "aws_cloudwatch_log_group" "access" {
  region            = local.edge
  name              = "/sallyport/${var.name}/cloudfront"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_cloudwatch_log_resource_policy" "delivery" {
  region      = local.edge
  policy_name = "${var.name}-cloudfront"
  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "delivery.logs.amazonaws.com" }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = ["${aws_cloudwatch_log_group.access.arn}:*"]
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:aws:logs:${local.edge}:${local.account}:*" }
      }
    }]
  })
}

resource "aws_cloudwatch_log_delivery_source" "access" {
  region       = local.edge
  name         = "${var.name}-cloudfront"
  log_type     = "ACCESS_LOGS"
  resource_arn = aws_cloudfront_distribution.this.arn
}

resource "aws_cloudwatch_log_delivery_destination" "access" {
  region        = local.edge
  name          = "${var.name}-cloudfront"
  output_format = "json"
  delivery_destination_configuration {
    destination_resource_arn = aws_cloudwatch_log_group.access.arn
  }
}

# cs-uri-query, cs(Cookie) and cs(Referer) are left out: tokens stand in them.
resource "aws_cloudwatch_log_delivery" "access" {
  region                   = local.edge
  delivery_source_name     = aws_cloudwatch_log_delivery_source.access.name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.access.arn
  record_fields = ["timestamp(ms)", "x-edge-location", "c-ip", "cs-method", "x-host-header", "cs-uri-stem", "sc-status",
    "cs(User-Agent)", "x-edge-result-type", "x-edge-detailed-result-type", "x-edge-request-id", "cs-protocol",
  "cs-protocol-version", "ssl-protocol", "ssl-cipher", "cs-bytes", "sc-bytes", "time-taken", "time-to-first-byte"]

  depends_on = [aws_cloudwatch_log_resource_policy.delivery]
}
