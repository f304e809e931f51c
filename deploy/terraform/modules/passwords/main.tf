# Passwords that live as long as one run of Terraform: they go into write-only arguments and are in no state and no plan. A
# module of their own, because Terraform cannot mock ephemeral resources: tests put a stub in its place.
ephemeral "aws_secretsmanager_random_password" "this" {
  for_each            = var.names
  password_length     = var.length
  exclude_punctuation = true
}
