package mutants

const (
	balancers = "modules/compute/balancers.tf"
	services  = "modules/compute/services.tf"
	tasks     = "modules/compute/main.tf"
	roles     = "modules/compute/iam.tf"
	groups    = "modules/network/security.tf"
	vpc       = "modules/network/main.tf"
	cdn       = "modules/cdn/main.tf"
	cdnLogs   = "modules/cdn/logs.tf"
	waf       = "modules/waf-cloudfront/main.tf"
	auth      = "modules/auth/main.tf"
	database  = "modules/data/main.tf"
	cache     = "modules/data/cache.tf"

	config   = "modules/sallyport/config.tf"
	keys     = "modules/sallyport/kms.tf"
	paths    = "modules/sallyport/paths.tf"
	boot     = "bootstrap/main.tf"
	deployer = "bootstrap/deploy.tf"
)

var mutants = []mutant{
	// The edge.
	{
		name: "viewers may come by HTTP", check: "viewer-tls", file: cdn,
		find:    "target_origin_id           = \"http\"\n    viewer_protocol_policy     = \"https-only\"",
		replace: "target_origin_id           = \"http\"\n    viewer_protocol_policy     = \"allow-all\"",
	},
	{name: "viewers may speak TLS 1.0", check: "viewer-tls", file: cdn, find: `"TLSv1.2_2021"`, replace: `"TLSv1"`},
	{
		name: "the edge passes one path more", check: "edge-paths", file: cdn,
		find:    `[for path in var.http_paths : { path = path, origin = "http" }],`,
		replace: `[for path in concat(var.http_paths, ["/healthcheck"]) : { path = path, origin = "http" }],`,
	},
	{
		name: "the edge passes what is not listed", check: "edge-default", file: cdn,
		find: "    function_association {\n      event_type   = \"viewer-request\"\n      function_arn = aws_cloudfront_function.closed.arn\n    }\n", replace: "",
	},
	{name: "the closed function lets requests go on", check: "edge-default", file: cdn, find: "return { statusCode: 403, statusDescription: 'Forbidden' };", replace: "return event.request;"},
	{
		name: "the origin sees no secret", check: "origin-header", file: cdn,
		find: "      custom_header {\n        name  = var.origin_header\n        value = var.origin_secret\n      }\n", replace: "",
	},
	{name: "CloudFront may speak HTTP to the origin", check: "origin-tls", file: cdn, find: `origin_protocol_policy = "https-only"`, replace: `origin_protocol_policy = "match-viewer"`},
	{name: "CloudFront may speak TLS 1.0 to the origin", check: "origin-tls", file: cdn, find: "items    = [\"TLSv1.2\"]\n      quantity = 1", replace: "items    = [\"TLSv1\", \"TLSv1.2\"]\n      quantity = 2"},
	{
		name: "the origin is a public one", check: "vpc-origin", file: cdn,
		find:    "      vpc_origin_config {\n        vpc_origin_id            = aws_cloudfront_vpc_origin.this[origin.key].id\n        origin_keepalive_timeout = 40\n        origin_read_timeout      = 60\n      }\n",
		replace: "      custom_origin_config {\n        http_port              = 80\n        https_port             = 443\n        origin_protocol_policy = \"https-only\"\n        origin_ssl_protocols   = [\"TLSv1.2\"]\n      }\n",
	},
	{name: "no WAF before CloudFront", check: "vpc-origin", file: cdn, find: "  web_acl_id      = var.web_acl_arn\n", replace: ""},
	{name: "the WAF has no rate for sign-ins", check: "waf", file: waf, find: "name     = \"signin-rate\"", replace: "name     = \"signin-rates\""},
	{
		name: "the WAF only counts the side doors", check: "waf", file: waf,
		find:    "name     = \"side-doors\"\n    priority = 0\n\n    action {\n      block {}\n    }",
		replace: "name     = \"side-doors\"\n    priority = 0\n\n    action {\n      count {}\n    }",
	},
	{name: "the WAF's managed rules only count", check: "waf", file: waf, find: "override_action {\n        none {}\n      }", replace: "override_action {\n        count {}\n      }"},
	{name: "the WAF blocks sockets of game engines", check: "waf", file: "modules/waf-cloudfront/variables.tf", find: `, "NoUserAgent_HEADER"]`, replace: "]"},
	{name: "the WAF writes tokens from the query", check: "waf-log", file: waf, find: "  redacted_fields {\n    query_string {}\n  }\n", replace: ""},
	{name: "the WAF writes Authorization", check: "waf-log", file: waf, find: `toset(["authorization", "cookie",`, replace: `toset(["cookie",`},
	{name: "CloudFront writes query strings", check: "access-log", file: cdnLogs, find: `"cs-uri-stem",`, replace: `"cs-uri-stem", "cs-uri-query",`},

	// The load balancers.
	{
		name: "a public load balancer", check: "internal-balancer", file: balancers,
		find:    "load_balancer_type         = \"application\"\n  internal                   = true",
		replace: "load_balancer_type         = \"application\"\n  internal                   = false",
	},
	{
		name: "a public NLB", check: "internal-balancer", scene: "nakama-nlb", file: balancers,
		find:    "load_balancer_type               = \"network\"\n  internal                         = true",
		replace: "load_balancer_type               = \"network\"\n  internal                         = false",
	},
	{name: "bad headers pass the ALB", check: "header-hygiene", file: balancers, find: "drop_invalid_header_fields = true", replace: "drop_invalid_header_fields = false"},
	{
		name: "the listener forwards by default", check: "listener-default", file: balancers,
		find:    "    type = \"fixed-response\"\n    fixed_response {\n      content_type = \"text/plain\"\n      message_body = \"Forbidden\"\n      status_code  = \"403\"\n    }\n",
		replace: "    type             = \"forward\"\n    target_group_arn = aws_lb_target_group.https[\"gate\"].arn\n",
	},
	{name: "the listener answers 200 by default", check: "listener-default", file: balancers, find: `status_code  = "403"`, replace: `status_code  = "200"`},
	{name: "an old TLS policy", check: "listener-tls", file: balancers, find: "ELBSecurityPolicy-TLS13-1-2-2021-06", replace: "ELBSecurityPolicy-2016-08"},
	{
		name: "a plain HTTP listener", check: "listener-tls", file: balancers,
		find:    "  protocol          = \"HTTPS\"\n  port              = 443\n  ssl_policy        = \"ELBSecurityPolicy-TLS13-1-2-2021-06\"\n  certificate_arn   = var.origin_certificate_arn\n",
		replace: "  protocol          = \"HTTP\"\n  port              = 80\n",
	},
	{
		name: "the header rule is dropped", check: "rule-secret", file: balancers,
		find: "  condition {\n    http_header {\n      http_header_name = var.origin_header\n      values           = var.origin_secrets\n    }\n  }\n", replace: "",
	},
	{name: "the rules forget the previous secret", check: "rule-secret", file: balancers, find: "values           = var.origin_secrets\n", replace: "values           = [var.origin_secrets[0]]\n"},
	{name: "/v2/* is widened at the balancer", check: "rule-paths", file: balancers, find: "values = each.value.paths", replace: "values = [for path in each.value.paths : startswith(path, \"/v2/\") ? \"/v2/*\" : path]"},
	{name: "/v2/* is widened in the list", check: "rule-paths", file: paths, find: `"/v2/account/authenticate/custom",`, replace: `"/v2/account/authenticate/*",`},
	{
		name: "all of /v2 in the list", file: paths, find: `"/v2/rpc/*",`, replace: `"/v2/rpc/*", "/v2/*",`,
		says: "those hold Nakama's own sign-ups",
	},
	{
		name: "the operator's paths in the list", file: paths, find: `nakama = ["/v1/ticket"]`, replace: `nakama = ["/v1/ticket", "/v1/admin/revoke"]`,
		says: "none of the operator's or the backend's",
	},
	{name: "plaintext to the targets", check: "target-tls", file: balancers, find: "protocol             = \"HTTPS\"\n  port                 = each.value", replace: "protocol             = \"HTTP\"\n  port                 = each.value"},
	{name: "no time to drain", check: "drain", file: balancers, find: "deregistration_seconds = var.sallyport.drain_seconds + 10", replace: "deregistration_seconds = 10"},

	// The network.
	{
		name: "a group opened to the internet", check: "open-ingress", file: groups,
		find:    "  prefix_list_id               = var.vpc_origin_security_group_id == null ? data.aws_ec2_managed_prefix_list.cloudfront.id : null\n  referenced_security_group_id = var.vpc_origin_security_group_id\n",
		replace: "  cidr_ipv4                    = \"0.0.0.0/0\"\n",
	},
	{name: "another prefix list", check: "group-chain", file: vpc, find: "com.amazonaws.global.cloudfront.origin-facing", replace: "com.amazonaws.us-east-1.s3"},
	{
		name: "the backend is reached past sallyport", check: "group-chain", file: groups,
		find:    "  description                  = \"from sallyport\"\n  ip_protocol                  = \"tcp\"\n  from_port                    = var.backend_port\n  to_port                      = var.backend_port\n  referenced_security_group_id = aws_security_group.sallyport.id\n",
		replace: "  description                  = \"from sallyport\"\n  ip_protocol                  = \"tcp\"\n  from_port                    = var.backend_port\n  to_port                      = var.backend_port\n  referenced_security_group_id = aws_security_group.alb.id\n",
	},
	{
		name: "every port of the database", check: "group-chain", file: groups,
		find:    "  description                  = \"from the backend\"\n  ip_protocol                  = \"tcp\"\n  from_port                    = local.database_port",
		replace: "  description                  = \"from the backend\"\n  ip_protocol                  = \"tcp\"\n  from_port                    = 0",
	},
	{name: "every port out", check: "open-egress", file: groups, find: "  from_port         = local.tls_port\n  to_port           = local.tls_port\n  cidr_ipv4         = \"0.0.0.0/0\"", replace: "  from_port         = 0\n  to_port           = 65535\n  cidr_ipv4         = \"0.0.0.0/0\""},
	{name: "a rule in the default group", check: "default-group", file: vpc, find: "  tags   = { Name = \"${var.name}-default-closed\" }\n", replace: "  ingress {\n    protocol  = \"-1\"\n    self      = true\n    from_port = 0\n    to_port   = 0\n  }\n"},
	{name: "public addresses for tasks", check: "public-subnet", file: services, find: "security_groups  = [var.security_group_ids.backend]\n    assign_public_ip = false", replace: "security_groups  = [var.security_group_ids.backend]\n    assign_public_ip = true"},
	{name: "the database's subnet on the internet", check: "public-subnet", file: vpc, find: "route_table_id = aws_route_table.data.id", replace: "route_table_id = values(aws_route_table.nat)[0].id"},
	{name: "flow logs of what is refused only", check: "flow-log", file: vpc, find: `traffic_type             = "ALL"`, replace: `traffic_type             = "REJECT"`},

	// The tasks.
	{name: "sallyport can write to its image", check: "read-only-root", file: tasks, find: "readonlyRootFilesystem = true", replace: "readonlyRootFilesystem = false"},
	{name: "sallyport runs as root", check: "nonroot", file: tasks, find: `user                   = "65532:65532"`, replace: `user                   = "0:0"`},
	{name: "the backend keeps capabilities", check: "no-capabilities", file: tasks, find: "    linuxParameters        = { capabilities = { drop = [\"ALL\"] } }\n    stopTimeout            = var.backend.stop_seconds\n", replace: "    stopTimeout            = var.backend.stop_seconds\n"},
	{name: "sallyport by a tag", check: "image-digest", file: tasks, find: "image                  = var.sallyport.image\n", replace: "image                  = \"${split(\"@\", var.sallyport.image)[0]}:latest\"\n"},
	{name: "a secret in the environment", check: "secret-in-environment", file: tasks, find: "      SALLYPORT_CONFIG = var.sallyport_config\n", replace: "      SALLYPORT_CONFIG = var.sallyport_config\n      ORIGIN_SECRET    = nonsensitive(var.origin_secrets[0])\n"},
	{name: "no log of the backend", check: "container-log", file: tasks, find: "    logConfiguration = local.logging[\"backend\"]\n", replace: ""},
	{name: "sallyport does not check the secret", check: "server-checks-secret", file: config, find: `values = ["$${ORIGIN_SECRET_CURRENT}", "$${ORIGIN_SECRET_PREVIOUS}"]`, replace: `values = ["$${ORIGIN_SECRET_CURRENT}"]`},
	{name: "a failed deployment stays", check: "service", file: services, find: "    enable   = true\n    rollback = true\n  }\n\n  lifecycle", replace: "    enable   = false\n    rollback = false\n  }\n\n  lifecycle"},

	// Roles.
	{name: "a wildcard of actions", check: "iam-wildcard", file: roles, find: `Action   = ["secretsmanager:GetSecretValue"]`, replace: `Action   = ["secretsmanager:*"]`},
	{name: "every secret of the account", check: "iam-wildcard", file: roles, find: "Resource = local.secret_arns[each.key]", replace: "Resource = [\"*\"]"},
	{name: "tasks may ask AWS", check: "task-role", file: roles, find: "count = var.exec_enabled ? 1 : 0", replace: "count = 1"},
	{name: "roles for every account's tasks", check: "role-trust", file: roles, find: "        StringEquals = { \"aws:SourceAccount\" = local.account }\n", replace: ""},
	{name: "every workflow of the repository deploys", check: "role-trust", scene: "bootstrap", file: deployer, find: `"repo:${each.key}:environment:${var.github_environment}"`, replace: `"repo:${each.key}:*"`},

	// Cognito.
	{name: "an authentication flow more", check: "auth-flows", file: auth, find: `["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]`, replace: `["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH"]`},
	{name: "a client secret in the game", check: "public-client", file: auth, find: "generate_secret               = false", replace: "generate_secret               = true"},
	{name: "Cognito tells who has an account", check: "client-answers", file: auth, find: `prevent_user_existence_errors = "ENABLED"`, replace: `prevent_user_existence_errors = "LEGACY"`},
	{name: "tokens cannot be revoked", check: "client-answers", file: auth, find: "enable_token_revocation       = true", replace: "enable_token_revocation       = false"},
	{name: "players verify their own address", check: "client-answers", file: auth, find: `write_attributes = ["email",`, replace: `write_attributes = ["email", "email_verified",`},
	{name: "no second factor", check: "pool", file: auth, find: "mfa_configuration        = var.mfa\n", replace: "mfa_configuration        = \"OFF\"\n"},

	// Data.
	{name: "an unencrypted database", check: "database-encrypted", file: database, find: "storage_encrypted     = true", replace: "storage_encrypted     = false"},
	{name: "a public database", check: "database-private", file: database, find: "publicly_accessible                 = false", replace: "publicly_accessible                 = true"},
	{name: "a password in the state", check: "database-password", file: database, find: "manage_master_user_password   = true\n  master_user_secret_kms_key_id = var.kms_key_arn\n", replace: "password                      = \"correct horse battery staple\"\n"},
	{name: "the database takes plaintext", check: "database-tls", file: database, find: "    name  = \"rds.force_ssl\"\n    value = \"1\"", replace: "    name  = \"rds.force_ssl\"\n    value = \"0\""},
	{name: "no last snapshot", check: "database-backup", file: database, find: "skip_final_snapshot        = !var.deletion_protection", replace: "skip_final_snapshot        = true"},
	{name: "the database can be deleted", check: "deletion-protection", file: database, find: "deletion_protection        = var.deletion_protection", replace: "deletion_protection        = false"},
	{name: "the user pool can be deleted", check: "deletion-protection", file: auth, find: `var.deletion_protection ? "ACTIVE" : "INACTIVE"`, replace: `"INACTIVE"`},
	{name: "the cache takes plaintext too", check: "cache-encrypted", file: cache, find: `transit_encryption_mode    = "required"`, replace: `transit_encryption_mode    = "preferred"`},
	{name: "the cache is not encrypted at rest", check: "cache-encrypted", file: cache, find: "at_rest_encryption_enabled = true", replace: "at_rest_encryption_enabled = false"},
	{name: "the cache's default user is on", check: "cache-users", file: cache, find: `"off ~keys* -@all +get"`, replace: `"on ~* +@all"`},
	{name: "a user that ElastiCache does not make", check: "cache-users", file: cache, find: "+info +time", replace: "+info +time +config|get"},
	{name: "a user that Valkey does not take", check: "cache-users", file: cache, find: "+get\"\n\n  passwords_wo         = var.cache_password\n  passwords_wo_version = var.cache_password_version\n", replace: "+get\"\n\n  authentication_mode {\n    type = \"no-password-required\"\n  }\n"},
	{name: "the cache evicts bans", check: "cache-eviction", file: cache, find: `value = "noeviction"`, replace: `value = "allkeys-lru"`},

	// Logs, keys, buckets, images.
	{name: "logs are kept for ever", check: "log-encrypted", file: tasks, find: "  retention_in_days = var.log_retention_days\n", replace: ""},
	{name: "logs without our key", check: "log-encrypted", file: vpc, find: "  retention_in_days = var.flow_log_retention_days\n  kms_key_id        = var.kms_key_arn\n", replace: "  retention_in_days = var.flow_log_retention_days\n"},
	{name: "a key that is never rotated", check: "key-rotation", file: keys, find: "enable_key_rotation     = true", replace: "enable_key_rotation     = false"},
	{name: "a secret by an argument that the state keeps", check: "secret-in-state", file: cache, find: "secret_string_wo         = ", replace: "secret_string            = \"hunter2\" #", scene: "nakama-alb"},
	{name: "the state's bucket is not encrypted", check: "bucket", scene: "bootstrap", file: boot, find: `sse_algorithm     = "aws:kms"`, replace: `sse_algorithm     = "AES256"`},
	{name: "the state's bucket takes plaintext", check: "bucket", scene: "bootstrap", file: boot, find: "Resource  = [aws_s3_bucket.state.arn, \"${aws_s3_bucket.state.arn}/*\"]\n        Condition = { Bool = { \"aws:SecureTransport\" = \"false\" } }", replace: "Resource  = [aws_s3_bucket.state.arn, \"${aws_s3_bucket.state.arn}/*\"]\n        Condition = { Bool = { \"aws:SecureTransport\" = \"true\" } }"},
	{name: "buckets may be public", check: "bucket", scene: "bootstrap", file: boot, find: "bucket                  = aws_s3_bucket.state.id\n  block_public_acls       = true\n  block_public_policy     = true", replace: "bucket                  = aws_s3_bucket.state.id\n  block_public_acls       = true\n  block_public_policy     = false"},
	{name: "the state has no versions", check: "bucket", scene: "bootstrap", file: boot, find: "bucket = aws_s3_bucket.state.id\n  versioning_configuration {\n    status = \"Enabled\"", replace: "bucket = aws_s3_bucket.state.id\n  versioning_configuration {\n    status = \"Suspended\""},
	{name: "the state under another key", check: "state-key", scene: "bootstrap", file: boot, find: "StringNotEqualsIfExists", replace: "StringEqualsIfExists"},
	{name: "who reads the state is not logged", check: "state-log", scene: "bootstrap", file: boot, find: "target_bucket = aws_s3_bucket.logs.id", replace: "target_bucket = aws_s3_bucket.state.id"},
	{name: "tags can be moved", check: "repository", scene: "bootstrap", file: boot, find: `"IMMUTABLE"`, replace: `"MUTABLE"`},
	{name: "images are not scanned", check: "repository", scene: "bootstrap", file: boot, find: "scan_on_push = true", replace: "scan_on_push = false"},
}
