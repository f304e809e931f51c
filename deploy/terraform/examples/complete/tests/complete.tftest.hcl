# Terraform cannot mock ephemeral resources: make test puts a stub in the place of module passwords.
mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                   = "game-test"
  region                 = "eu-central-1"
  domain_name            = "game.example.com"
  edge_certificate_arn   = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
  origin_certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
  origin_secret_arn      = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:game-test/origin-AbCdEf"
  sallyport_image        = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/game-test/sallyport@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  backend_image          = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/game-test/backend@sha256:1111111111111111111111111111111111111111111111111111111111111111"
}

run "plans" {
  command = plan
  assert {
    condition     = output.url == "https://game.example.com" && contains(output.allowed_paths, "/ws")
    error_message = "The outputs that make deploy reads are not right."
  }
}
