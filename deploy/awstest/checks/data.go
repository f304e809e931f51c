package checks

import (
	"regexp"
	"strings"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

// dataChecks are those of database, cache and whatever must not be deleted by accident.
var dataChecks = []check{
	{"database-encrypted", databaseEncrypted},
	{"database-private", databasePrivate},
	{"database-password", databasePassword},
	{"database-tls", databaseTLS},
	{"database-backup", databaseBackup},
	{"deletion-protection", deletionProtection},
	{"cache-encrypted", cacheEncrypted},
	{"cache-users", cacheUsers},
	{"cache-eviction", cacheEviction},
}

func databases(s *scene, f func(tf.Resource)) {
	if !s.want.NoDatabase {
		s.each("aws_db_instance", f)
	}
}

func databaseEncrypted(s *scene) {
	databases(s, func(r tf.Resource) {
		s.is(r, "storage_encrypted", "true")
		s.set(r, "kms_key_id")
	})
}

func databasePrivate(s *scene) {
	databases(s, func(r tf.Resource) { s.is(r, "publicly_accessible", "false") })
}

// databasePassword wants RDS to make the password, so that neither a variable nor the state has it.
func databasePassword(s *scene) {
	databases(s, func(r tf.Resource) {
		s.is(r, "manage_master_user_password", "true")
		s.is(r, "password", "")
	})
}

func databaseTLS(s *scene) {
	if s.want.NoDatabase {
		return
	}
	s.each("aws_db_parameter_group", func(r tf.Resource) {
		for _, p := range list(r, "parameter") {
			if p.Text("name") == "rds.force_ssl" && p.Text("value") == "1" {
				return
			}
		}
		s.report(r, "takes connections without TLS")
	})
}

func databaseBackup(s *scene) {
	databases(s, func(r tf.Resource) {
		if days := r.Text("backup_retention_period"); days == "" || days == "0" {
			s.report(r, "has no point-in-time recovery")
		}
		s.is(r, "skip_final_snapshot", "false")
	})
}

func deletionProtection(s *scene) {
	databases(s, func(r tf.Resource) { s.is(r, "deletion_protection", "true") })
	s.each("aws_lb", func(r tf.Resource) { s.is(r, "enable_deletion_protection", "true") })
	s.each("aws_cognito_user_pool", func(r tf.Resource) { s.is(r, "deletion_protection", "ACTIVE") })
}

func cacheEncrypted(s *scene) {
	s.each("aws_elasticache_replication_group", func(r tf.Resource) {
		s.is(r, "at_rest_encryption_enabled", "true")
		s.is(r, "transit_encryption_enabled", "true")
		s.is(r, "transit_encryption_mode", "required")
		s.set(r, "kms_key_id")
	})
}

// forbidden matches an access string that gives one of ElastiCache's restricted commands (its user guide, "Supported and restricted
// commands"): a user with it cannot be made.
var forbidden = regexp.MustCompile(`\+(acl\|(setuser|deluser|load|save)|bgrewriteaof|bgsave|config|debug|migrate|psync|replicaof|save|shutdown|slaveof|sync)\b`)

// cacheUsers wants a user that the password lets in, with its own keys, and a default user that can do nothing.
func cacheUsers(s *scene) {
	s.each("aws_elasticache_replication_group", func(r tf.Resource) {
		if len(texts(r, "user_group_ids")) == 0 {
			s.report(r, "lets everybody in")
		}
	})
	s.each("aws_elasticache_user", func(r tf.Resource) {
		access := r.Text("access_string")
		switch {
		case r.Text("user_name") == "default" && !strings.HasPrefix(access, "off "):
			s.report(r, "is on without a password")
		case r.Text("user_name") != "default" && (strings.Contains(access, "~*") || !strings.Contains(access, "-@dangerous")):
			s.report(r, "may do %s", access)
		case forbidden.MatchString(access):
			s.report(r, "is given a command that ElastiCache forbids, so it cannot be made: %s", access)
		case r.Text("authentication_mode.0.type") == "no-password-required":
			s.report(r, "has no password, so no group of Valkey takes it")
		}
	})
}

func cacheEviction(s *scene) {
	s.each("aws_elasticache_parameter_group", func(r tf.Resource) {
		for _, p := range list(r, "parameter") {
			if p.Text("name") == "maxmemory-policy" && p.Text("value") == "noeviction" {
				return
			}
		}
		s.report(r, "forgets bans when its memory is full")
	})
}
