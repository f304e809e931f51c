package config

import (
	"fmt"
	"net"
	"regexp"
	"time"
)

// Store is where revocations, refresh families and tickets are kept. Its type decides which fields it has.
type Store struct {
	// Type is memory, bolt or redis.
	Type string
	// Bolt holds the fields of type bolt, nil for another.
	Bolt *BoltStore
	// Redis holds the fields of type redis, nil for another.
	Redis *RedisStore
}

// MemoryStore forgets everything at the end of the process (type: memory). After a restart players must sign in again, and
// what was revoked or banned before is forgotten, so that tokens which have not expired are good again.
type MemoryStore struct{}

// BoltStore is one file that survives restarts, crashes and kill -9, for a single node (type: bolt).
type BoltStore struct {
	// File is the store's file, on a local disk, not on NFS. It is made if it is not there; its folder must be. One
	// process has it at a time. It holds what refresh tokens are made from.
	File string `yaml:"file,required"`
}

// RedisStore is a Redis 7.0 or later, for any number of nodes (type: redis). It must never evict (maxmemory-policy
// noeviction) and should write to disk (appendonly yes).
type RedisStore struct {
	// Addresses are HOST:PORT of the server (mode: single), of the sentinels (mode: sentinel) or of some nodes of the
	// cluster (mode: cluster).
	Addresses []string `yaml:"addresses,required"`
	// Mode says what is at the addresses.
	Mode string `yaml:"mode" oneof:"single sentinel cluster" default:"single"`
	// MasterName is the name under which the sentinels know the master. Required with mode: sentinel.
	MasterName string `yaml:"master_name"`
	// Username is the ACL user. Without it the server's default user.
	Username string `yaml:"username"`
	// Password is the user's password.
	Password Secret `yaml:"password"`
	// SentinelUsername is the ACL user at the sentinels.
	SentinelUsername string `yaml:"sentinel_username"`
	// SentinelPassword is the password at the sentinels, which have users of their own.
	SentinelPassword Secret `yaml:"sentinel_password"`
	// TLS secures the connections to servers and sentinels; "tls: {}" takes the system's authorities. Required, unless every
	// address is a loopback address or insecure_plaintext is set.
	TLS *StoreTLS `yaml:"tls"`
	// InsecurePlaintext does without TLS on the way to other machines: who can read the network can make refresh tokens.
	InsecurePlaintext bool `yaml:"insecure_plaintext"`
	// Database is the number of the database. A cluster has 0 alone.
	Database int `yaml:"database"`
	// Namespace begins every key. All nodes have the same one; another Sallyport on the same server has another. Letters,
	// digits, "-", "_" and ".".
	Namespace string `yaml:"namespace" default:"sallyport"`
	// Timeout bounds each command and each attempt to connect, from 50ms to 4s.
	Timeout Duration `yaml:"timeout" default:"2s"`
	// Replicas is how many replicas must have a revocation, a new session or a refresh before it is acknowledged. Set it to
	// 1 where there are replicas, with min-replicas-to-write 1 at the server.
	Replicas int `yaml:"replicas"`
	// Remember is how many of the revocations that it acknowledged this node keeps in memory, some 400 bytes each, to write
	// them again after a fail-over that lost some.
	Remember int `yaml:"remember" default:"100000"`
	// InsecureKeepFamilies goes on with refresh tokens from before a fail-over or a restart of the server, whose players else
	// sign in again. One whose use was lost in it can then be used a second time. It is safe where nothing acknowledged
	// is ever lost: a single server with appendfsync always.
	InsecureKeepFamilies bool `yaml:"insecure_keep_families"`
}

// StoreTLS names the files that secure the connections to the store. They are read at the start.
type StoreTLS struct {
	// CA is the file with the authorities that may have signed the server's certificate, PEM. Without it the system's.
	CA string `yaml:"ca"`
	// Certificate is the file with the certificate that this client shows, with its chain, PEM.
	Certificate string `yaml:"certificate"`
	// Key is the file with the certificate's private key, PEM. It must be readable by its owner alone.
	Key string `yaml:"key"`
	// ServerName is the name that the server's certificate must have, where it is not the host of the address.
	ServerName string `yaml:"server_name"`
}

// Types are the kinds of stores.
func (s *Store) Types() []string { return []string{"memory", "bolt", "redis"} }

// Select makes the fields of a type.
func (s *Store) Select(name string) any {
	s.Type = name
	switch name {
	case "memory":
		return new(MemoryStore)
	case "bolt":
		s.Bolt = new(BoltStore)
		return s.Bolt
	case "redis":
		s.Redis = new(RedisStore)
		return s.Redis
	default:
		return nil
	}
}

var namespaceForm = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

func (f *File) checkStore() {
	r := f.Store.Redis
	if r == nil {
		return
	}
	f.checkRedisAddresses(r)
	f.checkMode(r)
	f.bounds("store.timeout", r.Timeout, 50*time.Millisecond, 4*time.Second)
	if r.Namespace != "" && !namespaceForm.MatchString(r.Namespace) {
		f.report("store.namespace", `want letters, digits, "-", "_" and "."`)
	}
	f.notNegative("store.database", r.Database)
	f.notNegative("store.replicas", r.Replicas)
	f.notNegative("store.remember", r.Remember)
	if r.Username != "" && r.Password == "" && !f.yaml.Has("store.password") {
		f.report("store.username", "needs a password: set password")
	}
	if t := r.TLS; t != nil && (t.Certificate == "") != (t.Key == "") {
		f.report("store.tls", "has one of certificate and key: set both, or none")
	}
}

func (f *File) notNegative(path string, n int) {
	if n < 0 {
		f.report(path, "want no negative number")
	}
}

func (f *File) checkRedisAddresses(r *RedisStore) {
	for i, address := range r.Addresses {
		path := fmt.Sprintf("store.addresses[%d]", i)
		host, port, err := net.SplitHostPort(address)
		switch {
		case address == "": // reported as empty
		case err != nil || host == "" || port == "":
			f.report(path, "want HOST:PORT, such as redis.example.com:6379")
		case r.TLS == nil && !r.InsecurePlaintext && !loopback(host):
			f.report(path, `is not on this machine and there is no TLS: set tls ("tls: {}" trusts the system's authorities), or insecure_plaintext: true`)
		}
	}
}

func (f *File) checkMode(r *RedisStore) {
	switch {
	case r.Mode == "single" && len(r.Addresses) > 1:
		f.report("store.addresses", "has %d entries, want one for mode: single; set mode to sentinel or cluster", len(r.Addresses))
	case r.Mode == "sentinel" && r.MasterName == "":
		f.report("store", "master_name is missing: the name under which the sentinels know the master")
	case r.Mode == "cluster" && r.Database != 0:
		f.report("store.database", "want 0: a cluster has no other database")
	}
	if r.Mode == "sentinel" {
		return
	}
	for name, set := range map[string]bool{"master_name": r.MasterName != "", "sentinel_username": r.SentinelUsername != "", "sentinel_password": r.SentinelPassword != ""} {
		if set {
			f.report("store."+name, "is for mode: sentinel alone")
		}
	}
}
