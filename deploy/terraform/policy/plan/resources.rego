# What every plan and state must hold, resource by resource:
#
#   terraform show -json plan.bin | conftest test --policy deploy/terraform/policy/plan -
#
# What several resources must hold together is in deploy/awstest/rules.
package main

import rego.v1

roots := [root | some part in ["planned_values", "values"]; root := input[part].root_module]

resources contains r if {
	some root in roots
	walk(root, [_, m])
	some r in m.resources
	r.mode == "managed"
}

unknown[address] := change.after_unknown if {
	some r in input.resource_changes
	address := r.address
	change := r.change
}

# absent: a plan leaves out what is known after the apply, and that is no hole.
absent(r, name) if {
	object.get(r.values, name, null) in [null, "", [], {}]
	object.get(object.get(unknown, r.address, {}), name, false) in [false, [], {}]
}

of(types) := {r | some r in resources; r.type in types}

deny contains sprintf("%s: has no %s", [r.address, name]) if {
	some type, names in required
	some r in of([type])
	some name in names
	absent(r, name)
}

deny contains sprintf("%s: %s is %v, want %v", [r.address, name, got, want]) if {
	some type, wants in fixed
	some r in of([type])
	some name, want in wants
	object.get(object.get(unknown, r.address, {}), name, false) != true
	got := object.get(r.values, name, null)
	got != want
}

# What must be set, to whatever it is.
required := {
	"aws_cloudwatch_log_group": ["kms_key_id"],
	"aws_secretsmanager_secret": ["kms_key_id"],
	"aws_sns_topic": ["kms_master_key_id"],
	"aws_db_instance": ["kms_key_id", "master_user_secret_kms_key_id", "performance_insights_kms_key_id", "monitoring_role_arn"],
	"aws_elasticache_replication_group": ["kms_key_id", "user_group_ids"],
	"aws_cloudfront_distribution": ["web_acl_id"],
	"aws_lb": ["security_groups"],
	"aws_vpc_security_group_ingress_rule": ["description"],
}

# What must be just so.
fixed := {
	"aws_lb": {"internal": true},
	"aws_kms_key": {"enable_key_rotation": true},
	"aws_db_instance": {
		"storage_encrypted": true, "publicly_accessible": false, "manage_master_user_password": true,
		"performance_insights_enabled": true, "copy_tags_to_snapshot": true,
	},
	"aws_elasticache_replication_group": {
		"at_rest_encryption_enabled": "true", "transit_encryption_enabled": true, "transit_encryption_mode": "required",
	},
	"aws_ecr_repository": {"image_tag_mutability": "IMMUTABLE"},
	"aws_s3_bucket_public_access_block": {
		"block_public_acls": true, "block_public_policy": true, "ignore_public_acls": true, "restrict_public_buckets": true,
	},
	"aws_cognito_user_pool_client": {
		"generate_secret": false, "prevent_user_existence_errors": "ENABLED", "enable_token_revocation": true,
		"allowed_oauth_flows_user_pool_client": false,
	},
}

deny contains sprintf("%s: logs are kept for ever, or not for a week", [r.address]) if {
	some r in of(["aws_cloudwatch_log_group"])
	not r.values.retention_in_days >= 7
}

deny contains sprintf("%s: lets %v in", [r.address, cidr]) if {
	some r in of(["aws_vpc_security_group_ingress_rule"])
	some name in ["cidr_ipv4", "cidr_ipv6"]
	cidr := r.values[name]
	cidr != null
}

deny contains sprintf("%s: has rules of its own; write them as aws_vpc_security_group_ingress_rule", [r.address]) if {
	some r in of(["aws_security_group", "aws_default_security_group"])
	some side in ["ingress", "egress"]
	count(object.get(r.values, side, [])) > 0
}

deny contains sprintf("%s: is of the older kind; write aws_vpc_security_group_ingress_rule", [r.address]) if {
	some r in of(["aws_security_group_rule"])
}

deny contains sprintf("%s: TLS policy %v takes TLS before 1.2", [r.address, r.values.ssl_policy]) if {
	some r in of(["aws_lb_listener"])
	r.values.protocol in ["HTTPS", "TLS"]
	not startswith(r.values.ssl_policy, "ELBSecurityPolicy-TLS13-1-2-")
	not startswith(r.values.ssl_policy, "ELBSecurityPolicy-TLS13-1-3-")
}

deny contains sprintf("%s: an ALB must drop invalid header fields", [r.address]) if {
	some r in of(["aws_lb"])
	r.values.load_balancer_type == "application"
	not r.values.drop_invalid_header_fields == true
}

deny contains sprintf("%s: sign-in flows are %v, want SRP and refresh and no other", [r.address, r.values.explicit_auth_flows]) if {
	some r in of(["aws_cognito_user_pool_client"])
	{flow | some flow in r.values.explicit_auth_flows} != {"ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}
}

deny contains sprintf("%s: players may write %s", [r.address, name]) if {
	some r in of(["aws_cognito_user_pool_client"])
	some name in ["email_verified", "phone_number_verified"]
	name in r.values.write_attributes
}

deny contains sprintf("%s: keeps no backups to go back to a point in time", [r.address]) if {
	some r in of(["aws_db_instance"])
	not r.values.backup_retention_period >= 1
}

deny contains sprintf("%s: images are not scanned", [r.address]) if {
	some r in of(["aws_ecr_repository"])
	not r.values.image_scanning_configuration[0].scan_on_push == true
}

deny contains sprintf("%s: images are not encrypted with a key of ours", [r.address]) if {
	some r in of(["aws_ecr_repository"])
	not r.values.encryption_configuration[0].encryption_type == "KMS"
}

deny contains sprintf("%s: must force TLS (rds.force_ssl = 1)", [r.address]) if {
	some r in of(["aws_db_parameter_group"])
	count([p | some p in r.values.parameter; p.name == "rds.force_ssl"; p.value == "1"]) == 0
}

deny contains sprintf("%s: the store must not evict (maxmemory-policy = noeviction)", [r.address]) if {
	some r in of(["aws_elasticache_parameter_group"])
	count([p | some p in r.values.parameter; p.name == "maxmemory-policy"; p.value == "noeviction"]) == 0
}

deny contains sprintf("%s: the default user of the cache is on", [r.address]) if {
	some r in of(["aws_elasticache_user"])
	r.values.user_name == "default"
	not startswith(r.values.access_string, "off ")
}
