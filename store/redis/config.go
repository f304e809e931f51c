package redis

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

const (
	defaultNamespace = "sallyport"
	defaultTimeout   = 2 * time.Second
	minTimeout       = 50 * time.Millisecond
	maxTimeout       = 4 * time.Second // with the wait of the feed below the 15 s that a ledger gives it
	defaultRemember  = 100_000
	sentinelRefresh  = 5 * time.Second
	bufferBytes      = 64 << 10
)

// Config configures a [Store]. Addresses are required, and TLS for all but loopback addresses.
type Config struct {
	// Addresses are HOST:PORT of the server, of some nodes of the cluster, or of the sentinels. Without Cluster and
	// Sentinel exactly one.
	Addresses []string
	// Cluster says that the addresses are of a Redis Cluster.
	Cluster bool
	// Sentinel finds the master by the sentinels at Addresses. Not with Cluster.
	Sentinel *Sentinel
	// Username is the ACL user; "" is the server's default user.
	Username string
	// Password is the user's password.
	Password string
	// TLS secures the connections to servers and sentinels. Nil is no TLS, for loopback addresses alone.
	TLS *tls.Config
	// InsecurePlaintext allows other addresses than loopback without TLS: who can read the network can make refresh
	// tokens.
	InsecurePlaintext bool
	// Database is the number of the database. Default 0; a cluster has no other.
	Database int
	// Namespace begins every key, followed by a colon. Letters, digits, "-", "_" and ".". Default "sallyport".
	Namespace string
	// Timeout bounds each command, and each attempt to connect. Default 2 s, from 50 ms to 4 s.
	Timeout time.Duration
	// Replicas is how many replicas must have a revocation, a new family or a rotation before it is acknowledged. A
	// master that has fewer, seen within 10 s, is not followed. Default 0.
	Replicas int
	// InsecureKeepFamilies accepts families from before a fail-over or a restart of the server, whose players else sign in
	// again. A refresh token whose rotation was lost can then be used a second time without being noticed. It is safe
	// where nothing acknowledged is ever lost: a single server with appendfsync always.
	InsecureKeepFamilies bool
	// Remember is how many revocations this node keeps in memory, some 400 bytes each, of those it acknowledged and that
	// have not expired, to write them again after a fail-over. Beyond it the oldest are forgotten. Default 100,000.
	Remember int
	// Observe is called when a fail-over was noticed and when the revocations were written again. It must not block.
	Observe func(State)
}

// Sentinel says how to ask the sentinels.
type Sentinel struct {
	// Master is the name under which the sentinels know the master. Required.
	Master string
	// Username and Password are for the sentinels themselves; both may be "".
	Username, Password string
}

func (c Config) withDefaults() (Config, error) {
	c.Namespace = cmp.Or(c.Namespace, defaultNamespace)
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	c.Remember = cmp.Or(c.Remember, defaultRemember)
	if err := c.checkAddresses(); err != nil {
		return c, err
	}
	switch {
	case c.Sentinel != nil && c.Sentinel.Master == "":
		return c, errors.New("redis: Config.Sentinel.Master: set the name under which the sentinels know the master")
	case c.Username != "" && c.Password == "":
		return c, errors.New("redis: Config.Password: required with Username")
	case strings.ContainsFunc(c.Namespace, notInName):
		return c, errors.New(`redis: Config.Namespace: want letters, digits, "-", "_" and "."`)
	case c.Timeout < minTimeout || c.Timeout > maxTimeout:
		return c, fmt.Errorf("redis: Config.Timeout: want %v to %v", minTimeout, maxTimeout)
	case c.Database < 0 || c.Cluster && c.Database != 0:
		return c, errors.New("redis: Config.Database: want 0 or more, and 0 with Cluster")
	case c.Replicas < 0 || c.Remember < 0:
		return c, errors.New("redis: Config.Replicas, Config.Remember: want no negative number")
	}
	return c, nil
}

func notInName(r rune) bool {
	return !strings.ContainsRune("-_.", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

func (c Config) checkAddresses() error {
	switch {
	case len(c.Addresses) == 0:
		return errors.New("redis: Config.Addresses: set HOST:PORT of the server, of some nodes of the cluster, or of the sentinels")
	case c.Cluster && c.Sentinel != nil:
		return errors.New("redis: Config.Cluster, Config.Sentinel: set at most one")
	case len(c.Addresses) > 1 && !c.Cluster && c.Sentinel == nil:
		return errors.New("redis: Config.Addresses: want one, unless Cluster or Sentinel is set")
	}
	for _, address := range c.Addresses {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return errors.New("redis: Config.Addresses: want HOST:PORT")
		}
		ip := net.ParseIP(host)
		if loopback := host == "localhost" || ip != nil && ip.IsLoopback(); !loopback && c.TLS == nil && !c.InsecurePlaintext {
			return errors.New("redis: Config.TLS: set it, or InsecurePlaintext, for addresses that are not loopback")
		}
	}
	return nil
}

func (c Config) options() rueidis.ClientOption {
	o := rueidis.ClientOption{
		InitAddress: c.Addresses, ForceSingleClient: !c.Cluster && c.Sentinel == nil,
		Username: c.Username, Password: c.Password, TLSConfig: c.TLS, SelectDB: c.Database, ClientName: "sallyport",
		Dialer:           net.Dialer{Timeout: c.Timeout, KeepAlive: time.Second},
		ConnWriteTimeout: c.Timeout,
		// A lost connection is to be seen at once: the callers know what may be tried again.
		DisableRetry: true, DisableCache: true,
		AlwaysPipelining:   true, // without it a call would not end with its context
		ReadBufferEachConn: bufferBytes, WriteBufferEachConn: bufferBytes,
		BlockingPoolCleanup: time.Minute, BlockingPoolMinSize: 1,
	}
	if c.Cluster {
		o.ClusterOption.ShardsRefreshInterval = sentinelRefresh
	}
	if s := c.Sentinel; s != nil {
		o.Sentinel = rueidis.SentinelOption{
			MasterSet: s.Master, Username: s.Username, Password: s.Password, TLSConfig: c.TLS,
			Dialer: o.Dialer, TopologyRefreshInterval: sentinelRefresh,
		}
	}
	return o
}
