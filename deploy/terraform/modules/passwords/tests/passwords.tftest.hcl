# Terraform cannot mock ephemeral resources: make test puts a stub in the place of what this module draws.
mock_provider "aws" {
  source = "../../mocks"
}

run "refuses" {
  command = plan
  variables {
    names  = []
    length = 31
  }
  expect_failures = [var.names, var.length]
}
