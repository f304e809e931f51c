# What scripts/deploy needs of a root: the variables and outputs of deploy/terraform/examples, and nothing of AWS.
terraform {
  backend "s3" {}
}

variable "sallyport_image" { type = string }
variable "backend_image" {
  type    = string
  default = null
}
variable "world" { type = string }
variable "deletion_protection" {
  type    = bool
  default = false
}

# The services run the images, unless one of them is poison.
resource "terraform_data" "services" {
  triggers_replace = [var.sallyport_image, var.backend_image]
  provisioner "local-exec" {
    command = <<-EOT
      touch ${var.world}/applying
      while [ -e ${var.world}/hold ]; do sleep 0.05; done
      if grep -qsF '${var.sallyport_image}' ${var.world}/poison; then exit 1; fi
      echo '${var.sallyport_image} ${coalesce(var.backend_image, "none")}' > ${var.world}/running
    EOT
  }
}

output "sallyport_image" { value = var.sallyport_image }
output "backend_image" { value = coalesce(var.backend_image, "none") }
output "cluster_name" { value = terraform_data.services.id == "" ? "" : "arena" }
output "url" { value = "https://d1.example.net" }
output "deletion_protection" { value = var.deletion_protection }
