package session

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
)

// StalePolicy says what a Ledger does when its store or feed is away and it can no longer know what was revoked since.
// Before the first [Ledger.Load] has succeeded every policy refuses everything.
type StalePolicy string

const (
	// Grace goes on with what is known for LedgerConfig.Grace after the last contact, then refuses everything.
	Grace StalePolicy = "grace"
	// Strict refuses everything from the first failed contact on, and 15 s after the last contact in any case.
	Strict StalePolicy = "strict"
	// Available goes on without end: a revocation made while the store is away takes effect when it is back. Only new
	// sessions are refused once LedgerConfig.Grace is over.
	Available StalePolicy = "available"
)

const (
	minGrace        = 15 * time.Second // a quiet feed is heard of every 10 s
	maxGrace        = 10 * time.Minute
	defaultGrace    = 30 * time.Second
	defaultKeep     = 30 * 24 * time.Hour
	defaultKeepLong = 365 * 24 * time.Hour
	maxKeep         = 20 * 365 * 24 * time.Hour
	strictLimit     = 15 * time.Second
	notYet          = time.Duration(math.MinInt64)
	forever         = time.Duration(math.MaxInt64)
)

// ErrReadOnly says that a ledger follows a feed and cannot revoke: revoke at the server whose feed it is.
var ErrReadOnly = errors.New("session: this ledger follows a feed and cannot write")

// LedgerConfig configures a [Ledger]. Exactly one of Store and Feed, and Policy, are required.
type LedgerConfig struct {
	// Store is the store that this ledger reads and writes.
	Store Revocations
	// Feed is what a ledger without a store follows, such as a [Follower]. Such a ledger cannot write.
	Feed Feed
	// Policy says what happens when the store or feed is away. Required.
	Policy StalePolicy
	// Grace is how long after the last contact the policies Grace and Available allow what they allow. Default 30 s,
	// from 15 s to 10 min; Strict ignores it.
	Grace time.Duration
	// SessionLifetime is the longest life of a session over all its refreshes, for Nakama that of its refresh tokens. A
	// revoked session is remembered for so long, and an alias for twice as long. Default 30 days, at most 20 years.
	SessionLifetime time.Duration
	// UpstreamLifetime is the longest time for which an issuer renews identity tokens without asking the player to sign in
	// (Cognito: the app client's refresh token expiration). Cut-offs and revoked upstream sessions are remembered for so
	// long, and an unban too. Default 365 days, from SessionLifetime to 20 years.
	UpstreamLifetime time.Duration
	// Now is the clock; nil is the machine's, whose steps then do not change what is stale.
	Now func() time.Time
	// Rand is the source of event ids; nil is [rand.Reader].
	Rand io.Reader
	// Observe is called by Run and Load whenever LedgerState's Loaded, Ready or Failing changed: once, not per request.
	// It must not block.
	Observe func(LedgerState)
}

// Ledger is a node's own copy of what is revoked, and of the aliases of players. Every verification asks it, without
// any network: one goroutine, [Ledger.Run], follows the store. All methods may be called concurrently.
//
// An event that the ledger once knew stays known until it expires, also when the store loses it. When the machine's clock
// had run ahead by more than a minute and is set back, the ledger reads the store again, within 10 s.
type Ledger struct {
	config LedgerConfig
	store  Revocations
	feed   Feed
	clock  clock
	index  *index

	// Until when, on the clock's elapsed time, checks and new sessions are allowed: the whole stale policy in one load.
	servesUntil, createsUntil atomic.Int64

	following sync.Mutex // one step of the follower at a time; guards cursor and sweeps
	cursor    string
	sweeps    int

	contact contact
}

// NewLedger returns a ledger that refuses everything until Load or Run has read the store.
func NewLedger(c LedgerConfig) (*Ledger, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	l := &Ledger{config: c, store: c.Store, feed: c.Feed, clock: newClock(c.Now)}
	if l.store != nil {
		l.feed = l.store
	}
	l.index = newIndex(l.clock.second)
	l.servesUntil.Store(int64(notYet))
	l.createsUntil.Store(int64(notYet))
	return l, nil
}

func (c LedgerConfig) withDefaults() (LedgerConfig, error) {
	if (c.Store == nil) == (c.Feed == nil) {
		return c, errors.New("session: LedgerConfig.Store, LedgerConfig.Feed: set exactly one")
	}
	switch c.Policy {
	case Grace, Strict, Available:
	default:
		return c, errors.New("session: LedgerConfig.Policy: set Grace, Strict or Available: what happens when the store is away")
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	c.SessionLifetime = cmp.Or(c.SessionLifetime, defaultKeep)
	for _, d := range []struct {
		field              string
		value              *time.Duration
		least, normal, max time.Duration
	}{
		{"Grace", &c.Grace, minGrace, defaultGrace, maxGrace},
		{"SessionLifetime", &c.SessionLifetime, time.Second, 0, maxKeep},
		{"UpstreamLifetime", &c.UpstreamLifetime, c.SessionLifetime, max(defaultKeepLong, c.SessionLifetime), maxKeep},
	} {
		if *d.value == 0 {
			*d.value = d.normal
		}
		if *d.value < d.least || *d.value > d.max {
			return c, fmt.Errorf("session: LedgerConfig.%s: want %v to %v", d.field, d.least, d.max)
		}
	}
	return c, nil
}

// CheckSession refuses a session that is revoked, whose upstream session is, whose player is banned or was cut off
// after the oldest of the session's times (IssuedAt, Started, AuthTime, IdentityIssuedAt) or in the same second. A
// session without IssuedAt does not survive any cut-off. So is a session that a node which had not heard of a sign-out
// yet sold for an identity token from before it. A ban or cut-off of the realm and the backend's own id counts as one of
// the player, also once an alias leads from the id to the player. The error is a *jws.Refusal: Banned before Revoked, or Unavailable.
func (l *Ledger) CheckSession(s *Session) error {
	if err := l.usable(); err != nil {
		return err
	}
	byUserID := identity.Player{Realm: cmp.Or(s.userRealm, s.Player.Realm), Subject: s.UserID}
	if err := l.index.underEachName(s.Player, byUserID, l.index.checkBan); err != nil {
		return err
	}
	if err := l.index.checkRevoked(s.ID); err != nil {
		return err
	}
	if err := l.index.checkUpstream(s.Player.Realm, s.Upstream); err != nil {
		return err
	}
	if err := l.index.checkBought(s); err != nil {
		return err
	}
	return l.index.underEachName(s.Player, byUserID, func(p identity.Player) error {
		return l.index.checkCutOff(p, s.IssuedAt, s.Started, s.AuthTime, s.IdentityIssuedAt)
	})
}

// CheckIdentity refuses an identity whose player is banned or was cut off after the token's iat or auth_time or in the
// same second, whose upstream session is revoked, or whose token was issued before a session made from that upstream
// session was revoked, or in the same second. The error is as with CheckSession.
func (l *Ledger) CheckIdentity(id *identity.Identity) error {
	if err := l.usable(); err != nil {
		return err
	}
	if err := l.index.underEachName(id.Player, identity.Player{}, l.index.checkBan); err != nil {
		return err
	}
	if err := l.index.checkIdentityUpstream(id); err != nil {
		return err
	}
	return l.index.underEachName(id.Player, identity.Player{}, func(p identity.Player) error {
		return l.index.checkCutOff(p, id.IssuedAt, id.AuthTime)
	})
}

// CheckFamily refuses a refresh family as CheckSession refuses a session made at the family's CreatedAt.
func (l *Ledger) CheckFamily(f Family) error {
	return l.CheckSession(&Session{
		Player: f.Player, ID: f.ID, Upstream: f.Upstream, IssuedAt: f.CreatedAt, Started: f.CreatedAt,
		AuthTime: f.AuthTime, IdentityIssuedAt: f.IdentityIssuedAt,
	})
}

// CheckNew refuses, as Unavailable, to make new sessions while the stale policy forbids it. It says nothing about a
// player: that is for CheckIdentity and CheckFamily.
func (l *Ledger) CheckNew() error { return l.allowed(&l.createsUntil) }

func (l *Ledger) usable() error { return l.allowed(&l.servesUntil) }

func (l *Ledger) allowed(until *atomic.Int64) error {
	if t := time.Duration(until.Load()); t == forever || l.clock.elapsed() < t {
		return nil
	}
	return &jws.Refusal{
		Check: jws.CheckRevocation, Reason: jws.Unavailable, Verified: true,
		Want: "contact with the store of revocations, which is away for longer than the policy allows or was not read yet",
	}
}

// PlayerOf returns the player whom a backend knows as alias, and whether any is known. A UUID may be in upper case.
func (l *Ledger) PlayerOf(alias string) (identity.Player, bool) {
	return l.playerOf(canonicalID(alias))
}

// playerOf is PlayerOf for an alias that is spelt as the ledger spells it.
func (l *Ledger) playerOf(alias string) (identity.Player, bool) {
	known, ok := l.index.aliases.get(alias)
	if !ok || known.expires <= l.clock.second() {
		return identity.Player{}, false
	}
	return known.player, true
}

// Since serves the store's events to followers, see [Feed].
func (l *Ledger) Since(ctx context.Context, cursor string) (Batch, error) {
	return l.feed.Since(ctx, cursor)
}

// clock tells two times: the wall's, and what elapsed since it was made, which a step of the machine's clock leaves
// alone and which costs half as much.
type clock struct {
	now  func() time.Time
	base time.Time
	own  bool // now is the caller's
}

func newClock(now func() time.Time) clock {
	if now == nil {
		return clock{now: time.Now, base: time.Now()}
	}
	return clock{now: now, base: now(), own: true}
}

func (c *clock) elapsed() time.Duration {
	if c.own {
		return c.now().Sub(c.base)
	}
	return time.Since(c.base)
}

// second is the current second as the tables hold it.
func (c *clock) second() uint32 { return floorSecond(c.now()) }
