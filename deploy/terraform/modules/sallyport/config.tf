# sallyport's configuration, and Nakama's. Secrets stand in both as $${NAME}.
locals {
  run     = "/run/sallyport"
  backend = "http://backend.${local.namespace}:${var.backend_port}"
  tls     = { certificate = "${local.run}/tls.crt", key = "${local.run}/tls.key" }

  base_config = {
    issuer = "https://${var.domain_name}"
    listen = "0.0.0.0:8444"
    tls    = local.tls
    store = {
      type      = "redis"
      addresses = ["${module.data.cache.address}:${module.data.cache.port}"]
      username  = module.data.cache.username
      password  = "$${STORE_PASSWORD}"
      tls       = {}
      namespace = "sallyport"
      replicas  = module.data.cache.replicas > 0 ? 1 : 0
    }
    revocation = { upstream_lifetime = "${var.auth.refresh_token_days}d" }
    issuers = [{
      type         = "cognito"
      realm        = var.realm
      user_pool_id = module.auth.user_pool_id
      region       = module.auth.region
      regions      = module.auth.replica_regions
      client_ids   = [module.auth.client_id]
      uses         = ["access"]
    }]
    callers = [{ id = "backend", secrets = ["$${BACKEND_SECRET}"], may = concat(["introspect", "redeem", "follow", "revoke"], local.nakama ? ["alias"] : []) }]
    gate = merge(local.topologies[var.topology].gate, {
      listen          = "0.0.0.0:8443"
      tls             = local.tls
      stale_sockets   = "close"
      origin_secret   = { header = local.origin_header, values = ["$${ORIGIN_SECRET_CURRENT}", "$${ORIGIN_SECRET_PREVIOUS}"] }
      trusted_proxies = [module.network.vpc_cidr]
      drain_window    = "${var.gate.drain_seconds}s"
    })
  }

  backend_keys = ["session_key", "refresh_key", "server_key", "http_key", "console_password", "console_signing_key", "caller_secret"]

  nakama_server = { type = "nakama", backend = local.backend, server_key = "$${NAKAMA_SERVER_KEY}", plugin = true }
  plain_servers = [for path in var.socket_paths : { type = "plain", path = path, backend = local.backend }]
  plain_routes = [for i, path in local.http_paths : {
    name    = "http-${i}"
    path    = path
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    who     = ["session"]
    backend = local.backend
  }]

  # Looked up instead of chosen with ?:, whose two sides would have to be of one type.
  topologies = {
    nakama = { task = local.nakama_task, gate = { servers = [local.nakama_server] }, config = local.nakama_config }
    gate   = { task = local.plain_task, gate = { servers = local.plain_servers, routes = local.plain_routes }, config = local.gate_config }
  }

  nakama_config = { nakama = { realm = var.realm, keys = ["$${NAKAMA_SESSION_KEY}"], refresh_keys = ["$${NAKAMA_REFRESH_KEY}"], aliases = "required" } }
  gate_config   = { sessions = { audiences = [{ name = "game" }], key_file = "${local.run}/session-keys.json" } }
  config        = merge(local.base_config, local.topologies[var.topology].config, var.config)

  gate_secrets = merge(
    {
      STORE_PASSWORD         = module.data.cache.secret_arn
      ORIGIN_SECRET_CURRENT  = "${var.origin_secret_arn}:current::"
      ORIGIN_SECRET_PREVIOUS = "${var.origin_secret_arn}:previous::"
      BACKEND_SECRET         = "${aws_secretsmanager_secret.backend.arn}:caller_secret::"
    },
    { for name, member in { NAKAMA_SESSION_KEY = "session_key", NAKAMA_REFRESH_KEY = "refresh_key", NAKAMA_SERVER_KEY = "server_key" } :
    name => "${aws_secretsmanager_secret.backend.arn}:${member}::" if local.nakama },
    { for secret in aws_secretsmanager_secret.session_keys : "SESSION_KEYS" => secret.arn },
  )
  gate_files = local.nakama ? {} : { "session-keys.json" = "SESSION_KEYS" }

  plain_task = {
    environment = merge({
      SALLYPORT_URL       = "https://sallyport.${local.namespace}:8444"
      SALLYPORT_CLIENT_ID = "backend"
    }, var.backend.environment)
    secrets = merge({ SALLYPORT_CLIENT_SECRET = "${aws_secretsmanager_secret.backend.arn}:caller_secret::" }, var.backend.secrets)
  }

  nakama_task = {
    entry_point = ["/start"]
    command     = ["/nakama/nakama", "--config", "${local.run}/nakama.yml"]
    migrate     = ["/nakama/nakama", "migrate", "up", "--config", "${local.run}/nakama.yml"]
    files       = { "nakama.yml" = "NAKAMA_CONFIG", "client-secret" = "CALLER_SECRET" }
    environment = merge({ NAKAMA_CONFIG = yamlencode(local.nakama_yml), TMPDIR = local.run }, var.backend.environment)
    secrets = merge(
      { for name, member in {
        SESSION_KEY         = "session_key"
        REFRESH_KEY         = "refresh_key"
        SERVER_KEY          = "server_key"
        HTTP_KEY            = "http_key"
        CONSOLE_PASSWORD    = "console_password"
        CONSOLE_SIGNING_KEY = "console_signing_key"
        CALLER_SECRET       = "caller_secret"
      } : name => "${aws_secretsmanager_secret.backend.arn}:${member}::" },
      { for database in module.data.database[*] : "DATABASE_PASSWORD" => "${database.secret_arn}:password::" },
      var.backend.secrets,
    )
  }

  # /start replaces the variables in it; url: escapes what has a meaning in a URL.
  nakama_yml = {
    name     = "backend"
    logger   = { level = "INFO", stdout = true }
    database = { address = [for database in module.data.database[*] : "${database.username}:$${url:DATABASE_PASSWORD}@${database.address}:${database.port}/${database.name}?sslmode=require"] }
    session = {
      encryption_key         = "$${SESSION_KEY}"
      refresh_encryption_key = "$${REFRESH_KEY}"
      token_expiry_sec       = 7200
      single_socket          = true
    }
    socket  = { server_key = "$${SERVER_KEY}", port = var.backend_port }
    console = { username = "operator", password = "$${CONSOLE_PASSWORD}", signing_key = "$${CONSOLE_SIGNING_KEY}", address = "127.0.0.1" }
    runtime = {
      path     = "/nakama/data/modules"
      http_key = "$${HTTP_KEY}"
      env = [
        "sallyport_realm=${var.realm}",
        "sallyport_issuers=cognito",
        "sallyport_cognito_user_pool_id=${module.auth.user_pool_id}",
        "sallyport_cognito_client_ids=${module.auth.client_id}",
        "sallyport_cognito_uses=access",
        "sallyport_server=https://sallyport.${local.namespace}:8444",
        "sallyport_client_id=backend",
        "sallyport_client_secret=file:${local.run}/client-secret",
      ]
    }
  }
}

resource "aws_secretsmanager_secret" "backend" {
  name                    = "${var.name}/backend"
  description             = "Keys of the backend: Nakama's own, and its secret towards sallyport"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = 7
}

resource "aws_secretsmanager_secret_version" "backend" {
  secret_id                = aws_secretsmanager_secret.backend.id
  secret_string_wo         = jsonencode({ for name in local.backend_keys : name => module.passwords.values[name] })
  secret_string_wo_version = var.backend_secrets_version
}

# The keys that sign session tokens are made by sallyport keys new and put here by an operator: Terraform never has them.
resource "aws_secretsmanager_secret" "session_keys" {
  count                   = local.nakama ? 0 : 1
  name                    = "${var.name}/session-keys"
  description             = "Signing keys of session tokens: the file that sallyport keys new makes"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = 7
}
