# Terraform cannot mock ephemeral resources: make test puts a stub in the place of module passwords.
mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                   = "game-test"
  topology               = "nakama"
  domain_name            = "game.example.com"
  edge_certificate_arn   = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
  origin_certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
  origin_secret_arn      = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:game/origin-AbCdEf"
  sallyport_image        = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/game-test/sallyport@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  backend_image          = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/game-test/backend@sha256:1111111111111111111111111111111111111111111111111111111111111111"
}

run "nakama" {
  assert {
    condition     = length([for path in output.allowed_paths : path if startswith(path, "/v2/account/")]) == 2 && contains(output.allowed_paths, "/v2/account/authenticate/custom") && contains(output.allowed_paths, "/v2/account/session/refresh")
    error_message = "Of /v2/account/ only custom sign-in and session refresh have a way in."
  }
  assert {
    condition     = length(setintersection(output.allowed_paths, ["/healthcheck", "/v1/*", "/v2/*", "/v2/account/authenticate/*", "/v1/events", "/metrics"])) == 0
    error_message = "A hole of the reference is open."
  }
  assert {
    condition     = output.session_keys_secret_arn == null && local.database != null
    error_message = "Nakama makes the session tokens, and has a database."
  }
}

run "gate" {
  variables {
    topology = "gate"
  }
  assert {
    condition     = output.session_keys_secret_arn != null && local.database == null
    error_message = "sallyport makes the session tokens, and there is no database unless asked for."
  }
  assert {
    condition     = contains(keys(local.config), "sessions") && !contains(keys(local.config), "nakama")
    error_message = "The configuration is not that of a gate."
  }
}

run "refuses" {
  command = plan
  variables {
    topology     = "both"
    socket_plane = "tcp"
    realm        = "two words"
  }
  expect_failures = [var.topology, var.socket_plane, var.realm]
}
