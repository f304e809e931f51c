package main

import rego.v1

# Policies of every kind, with the resource that they are in. A policy is text, unknown in a plan until its ARNs are known.
policies contains {"address": r.address, "type": r.type, "attribute": name, "document": json.unmarshal(r.values[name])} if {
	some r in resources
	some name in ["policy", "assume_role_policy", "access_policies", "policy_document"]
	is_string(r.values[name])
	startswith(r.values[name], "{")
}

statements contains object.union(p, {"statement": s}) if {
	some p in policies
	some s in listed(p.document.Statement)
}

listed(x) := x if is_array(x)

listed(x) := [x] if not is_array(x)

# The policy of a key, bucket or topic speaks of that resource alone, whatever its Resource says.
of_identity(type) if not type in ["aws_kms_key", "aws_s3_bucket_policy", "aws_sns_topic_policy", "aws_ecr_lifecycle_policy", "aws_vpc_endpoint"]

deny contains sprintf("%s: %s allows %s on %s", [p.address, p.attribute, action, resource]) if {
	some p in statements
	of_identity(p.type)
	p.statement.Effect == "Allow"
	some action in listed(p.statement.Action)
	contains(action, "*")
	some resource in listed(object.get(p.statement, "Resource", ["*"]))
	endswith(resource, "*")
}

deny contains sprintf("%s: %s allows every action", [p.address, p.attribute]) if {
	some p in statements
	p.type != "aws_kms_key"
	p.statement.Effect == "Allow"
	some action in listed(p.statement.Action)
	action in ["*", "s3:*", "sns:*", "iam:*", "kms:*"]
}

# Actions that know no resource, so that * is all that can be said.
resourceless := {
	"ecr:GetAuthorizationToken",
	"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
}

deny contains sprintf("%s: %s allows %s on everything", [p.address, p.attribute, action]) if {
	some p in statements
	of_identity(p.type)
	p.attribute != "assume_role_policy"
	p.statement.Effect == "Allow"
	some resource in listed(p.statement.Resource)
	resource == "*"
	some action in listed(p.statement.Action)
	not action in resourceless
}

deny contains sprintf("%s: %s says Not%s, which allows what nobody has thought of", [p.address, p.attribute, word]) if {
	some p in statements
	some word in ["Action", "Resource", "Principal"]
	p.statement[sprintf("Not%s", [word])]
}

anybody(principal) if principal == "*"

anybody(principal) if "*" in listed(principal.AWS)

deny contains sprintf("%s: %s lets anybody in", [p.address, p.attribute]) if {
	some p in statements
	p.type != "aws_vpc_endpoint" # there it is what AWS calls everybody who comes through the endpoint
	p.statement.Effect == "Allow"
	anybody(p.statement.Principal)
}

deny contains sprintf("%s: %s does not say for which account the service comes (aws:SourceAccount)", [p.address, p.attribute]) if {
	some p in statements
	p.attribute == "assume_role_policy"
	p.statement.Principal.Service
	not p.statement.Condition.StringEquals["aws:SourceAccount"]
}

deny contains sprintf("%s: any workflow of any repository may take the role", [p.address]) if {
	some p in statements
	p.attribute == "assume_role_policy"
	p.statement.Principal.Federated
	subject := object.get(p.statement, ["Condition", "StringEquals", "token.actions.githubusercontent.com:sub"], "*")
	contains(subject, "*")
}

deny contains sprintf("%s: AWS's policy %s is more than a task needs", [r.address, r.values.policy_arn]) if {
	some r in of(["aws_iam_role_policy_attachment"])
	r.name != "deploy"
	not endswith(r.values.policy_arn, "/AmazonRDSEnhancedMonitoringRole")
}
