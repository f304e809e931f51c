# What the root is applied with, besides the images.
name                   = "game-dev"
region                 = "eu-central-1"
domain_name            = "game.example.com"
edge_certificate_arn   = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
origin_certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
origin_secret_arn      = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:game-dev/origin-000000"
hosted_zone_id         = null
alarm_emails           = []
