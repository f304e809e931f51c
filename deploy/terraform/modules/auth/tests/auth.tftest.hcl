mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name = "game-test"
}

run "public_client" {
  assert {
    condition     = aws_cognito_user_pool_client.game.generate_secret == false && toset(aws_cognito_user_pool_client.game.explicit_auth_flows) == toset(["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    error_message = "The client is public, with SRP and refresh and nothing else."
  }
  assert {
    condition     = aws_cognito_user_pool_client.game.prevent_user_existence_errors == "ENABLED" && aws_cognito_user_pool_client.game.enable_token_revocation
    error_message = "It tells nobody who exists, and its tokens can be revoked."
  }
  assert {
    condition     = !contains(aws_cognito_user_pool_client.game.write_attributes, "email_verified")
    error_message = "A player may not verify an address by writing so."
  }
  assert {
    condition     = aws_cognito_user_pool.this.deletion_protection == "ACTIVE" && aws_cognito_user_pool.this.mfa_configuration == "OPTIONAL"
    error_message = "The pool is protected, a second factor is offered."
  }
}

run "issuers_of_every_region" {
  variables {
    replica_regions = ["us-west-2"]
  }
  assert {
    condition = tolist(output.issuers) == tolist([
      "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Mocked123",
      "https://issuer-cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Mocked123",
      "https://cognito-idp.us-west-2.amazonaws.com/eu-central-1_Mocked123",
      "https://issuer-cognito-idp.us-west-2.amazonaws.com/eu-central-1_Mocked123",
    ])
    error_message = "Both issuer formats of both regions."
  }
}

run "refuses" {
  command = plan
  variables {
    mfa                  = "OFF"
    tier                 = "LITE"
    access_token_minutes = 2
    refresh_token_days   = 0
    replica_regions      = ["frankfurt"]
    ses_identity_arn     = "example.com"
  }
  expect_failures = [var.mfa, var.tier, var.access_token_minutes, var.refresh_token_days, var.replica_regions, var.ses_identity_arn]
}
