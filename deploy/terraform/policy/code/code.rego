# What the code itself must hold, whatever is planned with it:
#
#   conftest test --parser hcl2 --policy deploy/terraform/policy/code deploy/terraform
package main

import rego.v1

deny contains sprintf("variable %s has no %s", [name, word]) if {
	some name, blocks in input.variable
	some block in blocks
	some word in ["description", "type"]
	not word in object.keys(block)
}

deny contains sprintf("output %s has no description", [name]) if {
	some name, blocks in input.output
	some block in blocks
	not "description" in object.keys(block)
}

secret_arguments := ["secret_string", "secret_binary", "password", "passwords", "master_password", "auth_token"]

deny contains sprintf("%s.%s: %s would be in the state; use the write-only form", [type, name, argument]) if {
	some type, named in input.resource
	some name, blocks in named
	some block in blocks
	some argument in secret_arguments
	argument in object.keys(block)
}

deny contains "required_version must be >= 1.11, which write-only arguments need" if {
	some block in input.terraform
	"required_providers" in object.keys(block)
	object.get(block, "required_version", "") != ">= 1.11"
}

deny contains sprintf("the AWS provider must be >= 6.66, < 7, not %v", [provider.version]) if {
	some block in input.terraform
	some providers in block.required_providers
	some name, provider in providers
	name == "aws"
	provider.version != ">= 6.66, < 7"
}

deny contains "the state must be locked and encrypted: use_lockfile and encrypt" if {
	some block in input.terraform
	some kind, backends in block.backend
	some backend in backends
	not secure(kind, backend)
}

secure(kind, backend) if {
	kind == "s3"
	backend.use_lockfile == true
	backend.encrypt == true
}

deny contains sprintf("aws_s3_bucket.%s can be destroyed with what is in it: prevent_destroy", [name]) if {
	some name, blocks in input.resource.aws_s3_bucket
	some block in blocks
	not block.lifecycle[0].prevent_destroy == true
}

deny contains sprintf("aws_s3_bucket.%s: force_destroy empties it", [name]) if {
	some name, blocks in input.resource.aws_s3_bucket
	some block in blocks
	block.force_destroy == true
}
