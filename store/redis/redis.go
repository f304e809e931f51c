// Package redis keeps revocations, refresh families, tickets and the owners of sockets in Redis (7.0 or later), for any
// number of nodes: one server, Sentinel, or a cluster. Valkey has the same commands but is not tested.
//
//	store, err := redis.Open(ctx, redis.Config{Addresses: []string{"redis:6379"}, TLS: &tls.Config{}})
//	...
//	defer store.Close()
//	ledger, err := session.NewLedger(session.LedgerConfig{Store: store, Policy: session.Grace})
//
// A [Store] is session.Revocations, session.Families, session.Tickets and session.Cluster. Every change is one script, which runs whole or
// not at all and goes by the server's clock.
//
// # What a fail-over does
//
// Redis acknowledges before its replicas have a write, so a fail-over may forget the last ones. Each server has an epoch
// (its replication id), new after every start and every promotion, and the scripts compare it. Where it changed:
//
//   - Revocations are written again by the nodes that acknowledged them and still run. Followers get the whole set.
//   - Families and tickets from before are refused, because a rotation or a use of them may be what was lost: players sign
//     in again. See Config.InsecureKeepFamilies.
//   - Owners of sockets store their claims again with the fencing numbers that they have, of which the highest wins. A server
//     whose clock is behind that of the one it replaces, by more than the fail-over took, gives lower numbers for so long.
//
// The epoch is new too when the first replica joins, when all replicas were gone for an hour, and for what a cluster moves
// to another server.
//
// # What the server must be
//
// The maxmemory-policy must be noeviction, which Open checks: an evicted revocation is a lifted one. Use appendonly yes.
// With replicas set min-replicas-to-write 1 and Config.Replicas. An ACL user needs
//
//	~NAMESPACE:* &NAMESPACE:* +publish +subscribe +@read +@write +@scripting +@connection +wait +info +time
//
// and, for a cluster, +cluster|slots +cluster|shards. Who can read the keys can make refresh tokens: the families' secrets
// are among them.
package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/sallyport-auth/sallyport/session"
)

// Store is the store of many nodes. All methods may be called concurrently.
type Store struct {
	config Config
	client rueidis.Client
	keys   revocationKeys
	now    func() string // "" for the server's clock; tests have their own
	head   head
	healer healer
	closed context.CancelFunc
}

var (
	_ session.Revocations = (*Store)(nil)
	_ session.Pusher      = (*Store)(nil)
	_ session.Families    = (*Store)(nil)
	_ session.Tickets     = (*Store)(nil)
	_ session.Cluster     = (*Store)(nil)
)

// Open connects and checks the server's maxmemory-policy. An error wraps session.ErrStoreUnavailable, or it names the
// field of the configuration to set.
func Open(ctx context.Context, c Config) (*Store, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	client, err := rueidis.NewClient(c.options())
	if err != nil {
		return nil, unavailable(err)
	}
	s := &Store{config: c, client: client, keys: newRevocationKeys(c.Namespace), now: func() string { return "" }}
	if err := s.checkEviction(ctx); err != nil {
		client.Close()
		return nil, err
	}
	s.loadScripts(ctx)
	life, closed := context.WithCancel(context.WithoutCancel(ctx))
	s.closed = closed
	s.healer.life = life
	return s, nil
}

// Close ends the connections and waits for what runs in the background. Calls that still wait get an error.
func (s *Store) Close() {
	s.closed()
	s.healer.wait()
	s.client.Close()
}

// checkEviction refuses a server that would throw away revocations when its memory is full.
func (s *Store) checkEviction(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	for address, node := range s.client.Nodes() {
		info, err := node.Do(ctx, node.B().Info().Section("memory").Build()).ToString()
		if err != nil {
			return unavailable(err)
		}
		_, rest, _ := strings.Cut(info, "maxmemory_policy:")
		if policy, _, _ := strings.Cut(rest, "\r\n"); policy != "noeviction" {
			return fmt.Errorf("redis: server %s: maxmemory-policy is %q: set noeviction, or revocations are thrown away when memory is full", address, policy)
		}
	}
	return nil
}

// loadScripts spares the first calls a second way to the server. A server that has not got them is sent them then.
func (s *Store) loadScripts(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	for _, node := range s.client.Nodes() {
		commands := make([]rueidis.Completed, len(scripts))
		for i, c := range scripts {
			commands[i] = node.B().ScriptLoad().Script(c.source).Build()
		}
		node.DoMulti(ctx, commands...)
	}
}

func unavailable(err error) error {
	return fmt.Errorf("redis: %w: %w", session.ErrStoreUnavailable, err)
}

var errReplicas = errors.New("the write was not acknowledged by enough replicas")

// attempts is one more than the connections that are shared for commands, all of which may be lost at once.
const attempts = 5

// call runs a script and returns the array that it answers with. What may be repeated is, at once, when the connection is
// lost: that an idle one was closed is noticed no sooner.
func (s *Store) call(ctx context.Context, c *script, keys []string, args ...string) ([]rueidis.RedisMessage, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	args = append([]string{s.now()}, args...)
	answer, err := s.attempt(ctx, c, keys, args)
	for n := 1; c.repeats && n < attempts && lost(err) && ctx.Err() == nil; n++ {
		answer, err = s.attempt(ctx, c, keys, args)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return answer, nil
}

// lost says whether an error is the connection's and not the server's answer.
func lost(err error) bool {
	_, answered := rueidis.IsRedisErr(err)
	return err != nil && !answered && !errors.Is(err, errReplicas)
}

func (s *Store) attempt(ctx context.Context, c *script, keys, args []string) (answer []rueidis.RedisMessage, err error) {
	if !c.waits || s.config.Replicas == 0 {
		return c.run(ctx, s.client, keys, args)
	}
	err = s.client.Dedicated(func(conn rueidis.DedicatedClient) error {
		if answer, err = c.run(ctx, conn, keys, args); err != nil {
			return err
		}
		return s.replicated(ctx, conn)
	})
	return answer, err
}

// replicated waits on the connection of a write until enough replicas have it.
func (s *Store) replicated(ctx context.Context, conn rueidis.DedicatedClient) error {
	wait := conn.B().Wait().Numreplicas(int64(s.config.Replicas)).Timeout((s.config.Timeout / 2).Milliseconds()).Build()
	n, err := conn.Do(ctx, wait).AsInt64()
	if err == nil && n < int64(s.config.Replicas) {
		return errReplicas
	}
	return err
}

// micros writes a time for a script, in microseconds, rounded down; the zero time is "".
func micros(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMicro(), 10)
}

// microsUp is micros rounded up.
func microsUp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return micros(t.Add(time.Microsecond - time.Nanosecond))
}
