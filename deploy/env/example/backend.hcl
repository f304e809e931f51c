# Where the state is: bootstrap's outputs say it. The workspace has the environment's name.
bucket       = "sallyport-state-123456789012"
key          = "sallyport/terraform.tfstate"
region       = "eu-central-1"
kms_key_id   = "arn:aws:kms:eu-central-1:123456789012:key/REPLACE"
encrypt      = true
use_lockfile = true
