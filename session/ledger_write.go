package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/uuid"
)

// Append stores an event and applies it here before it returns. An event without ID is a new one: it gets one, and At
// is the store's to set. Without Expires it gets what the configuration says for its kind; one that is set must not come
// before the end of what the event is to refuse. A Session or Alias that is a UUID is stored in lower case.
//
// An error means that the event is not known to be stored and was not applied: the caller must not acknowledge it, and may
// try again with the same ID. It wraps ErrReadOnly, or the store's. An ID that the store has for something else is an
// error, too.
func (l *Ledger) Append(ctx context.Context, e Event) (Event, error) {
	if l.store == nil {
		return Event{}, ErrReadOnly
	}
	e, err := l.complete(e)
	if err != nil {
		return Event{}, err
	}
	stored, err := l.store.Append(ctx, e)
	if err != nil {
		return Event{}, fmt.Errorf("session: %s not stored: %w", e.Kind, err)
	}
	if !stored.says(e) || stored.At.IsZero() || stored.Validate() != nil {
		return Event{}, fmt.Errorf("session: %s not stored: the store answered with another event", e.Kind)
	}
	l.index.take(stored)
	return stored, nil
}

// says is whether the stored event is the one that was asked for. Another one under its ID would be acknowledged for
// nothing. At and Expires may differ: they are those of the first call.
func (e Event) says(asked Event) bool {
	return e.ID == asked.ID && e.Kind == asked.Kind && e.Player == asked.Player &&
		e.Session == asked.Session && e.Upstream == asked.Upstream && e.Alias == asked.Alias &&
		floorSecond(e.Until) == floorSecond(asked.Until)
}

func (l *Ledger) complete(e Event) (Event, error) {
	e.Reason = plainReason(e.Reason)
	e.Session, e.Alias = canonicalID(e.Session), canonicalID(e.Alias)
	now := l.clock.now()
	if e.ID == "" {
		id, err := uuid.NewV7(now, l.config.Rand)
		if err != nil {
			return Event{}, err
		}
		e.ID, e.At = id, time.Time{}
	}
	if e.Expires.IsZero() {
		e.Expires = l.expiry(e, now)
	}
	e = e.normal()
	return e, e.Validate()
}

// canonicalID spells a UUID as the sessions of verified tokens do: an event about another spelling would find none.
func canonicalID(s string) string {
	lower := strings.ToLower(s) // which is s itself, and costs no memory, almost always
	if _, ok := uuid.Bytes(lower); ok {
		return lower
	}
	return s
}

// expiry is until when an event can matter. A ban is remembered beyond its end, so that an older ban that comes back
// from a node's memory finds it.
func (l *Ledger) expiry(e Event, now time.Time) time.Time {
	switch {
	case e.Kind == SessionRevoked:
		return now.Add(l.config.SessionLifetime)
	case e.Kind == PlayerAlias:
		return now.Add(2 * l.config.SessionLifetime)
	case e.Kind == PlayerBanned && e.Until.IsZero():
		return time.Time{}
	case e.Kind == PlayerBanned:
		return e.Until.Add(l.config.UpstreamLifetime)
	default:
		return now.Add(l.config.UpstreamLifetime)
	}
}

func (l *Ledger) write(ctx context.Context, e Event) error {
	_, err := l.Append(ctx, e)
	return err
}

// RevokeSession ends a session. Identity tokens of its upstream session that were issued until now cannot buy a new
// one; tokens that the issuer renews later can, unless RevokeUpstream ends that session too. Errors as with Append.
func (l *Ledger) RevokeSession(ctx context.Context, s *Session, reason string) error {
	e := Event{Kind: SessionRevoked, Player: s.Player, Session: s.ID, Upstream: s.Upstream, Reason: reason}
	if s.Player.Realm == "" {
		e.Upstream = "" // an upstream session is known by its realm
	}
	return l.write(ctx, e)
}

// CutOff ends everything of the player from before now and within this second: sessions, and identity tokens that were
// issued, or whose player signed in, before. Errors as with Append.
func (l *Ledger) CutOff(ctx context.Context, p identity.Player, reason string) error {
	return l.write(ctx, Event{Kind: PlayerCutOff, Player: p, Reason: reason})
}

// Ban refuses the player until a time, or for good if until is zero. A later Ban replaces an earlier one. reason is for
// people and stands in the refusals. Errors as with Append.
func (l *Ledger) Ban(ctx context.Context, p identity.Player, reason string, until time.Time) error {
	return l.write(ctx, Event{Kind: PlayerBanned, Player: p, Reason: reason, Until: until})
}

// Unban ends a ban, if there is one: tokens from before it are accepted again as far as nothing else revoked them. Add
// CutOff to end those. Errors as with Append.
func (l *Ledger) Unban(ctx context.Context, p identity.Player) error {
	return l.write(ctx, Event{Kind: PlayerUnbanned, Player: p})
}

// RevokeUpstream ends a session of the issuer's for good: all sessions made from it and all its identity tokens.
// upstream is a key as [UpstreamOf] makes it, or the bare session id (Cognito's origin_jti, a sid). Errors as with Append.
func (l *Ledger) RevokeUpstream(ctx context.Context, realm, upstream, reason string) error {
	if upstream == "" {
		return errors.New("session: upstream: want the id of the issuer's session")
	}
	e := Event{Kind: UpstreamRevoked, Player: identity.Player{Realm: realm}, Upstream: upstreamKey(upstream), Reason: reason}
	return l.write(ctx, e)
}

// Learn remembers that a backend knows the player as alias. It writes only if that is new or was learned longer than a
// SessionLifetime ago, so it may be called at every sign-in. The latest player of an alias wins. Errors as with Append.
func (l *Ledger) Learn(ctx context.Context, alias string, p identity.Player) error {
	known, ok := l.index.aliases.get(canonicalID(alias))
	enough := floorSecond(l.clock.now().Add(l.config.SessionLifetime))
	if ok && known.player == p && known.expires >= enough {
		return nil
	}
	return l.write(ctx, Event{Kind: PlayerAlias, Player: p, Alias: alias})
}

// SignOut does what an issuer's message says: it ends the upstream session it names, cuts off the player when it means
// all sessions or a deleted player, and bans one whom the issuer banned. Errors as with Append; several are joined, and
// the message should then be answered so that the issuer sends it again.
func (l *Ledger) SignOut(ctx context.Context, s *identity.SignOut) error {
	var errs []error
	if s.Session != "" {
		key := upstreamSession + s.Session
		e := Event{Kind: UpstreamRevoked, Player: s.Player, Upstream: key, Reason: "signed out at the issuer"}
		errs = append(errs, l.write(ctx, e))
	}
	if s.All || s.Deleted {
		errs = append(errs, l.CutOff(ctx, s.Player, "signed out at the issuer"))
	}
	if s.Banned {
		errs = append(errs, l.Ban(ctx, s.Player, "banned by the issuer", time.Time{}))
	}
	if len(errs) == 0 {
		return errors.New("session: sign-out: names no session and no player")
	}
	return errors.Join(errs...)
}
