output "values" {
  description = "The passwords by name, other ones at every run: use them with a version number that says when they count."
  value       = { for name, drawn in ephemeral.aws_secretsmanager_random_password.this : name => drawn.random_password }
  ephemeral   = true
}
