output "values" {
  description = "The passwords by name, other ones at every run: use them with a version number that says when they count."
  # Terraform takes what it does not know yet for not ephemeral, and refuses it here; a condition that is ephemeral makes it so.
  value     = var.draw ? { for name, drawn in ephemeral.aws_secretsmanager_random_password.this : name => drawn.random_password } : {}
  ephemeral = true
}
