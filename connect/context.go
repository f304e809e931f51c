package connect

import (
	"context"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// Principal is whom a verified token speaks for: a session or an identity. Exactly one of the two is set.
type Principal struct {
	// Session is set where a session token or a ticket was accepted.
	Session *session.Session
	// Identity is set where an identity token was accepted.
	Identity *identity.Identity
}

// Player returns the player, the key of bans and socket ownership.
func (p Principal) Player() identity.Player {
	switch {
	case p.Session != nil:
		return p.Session.Player
	case p.Identity != nil:
		return p.Identity.Player
	}
	return identity.Player{}
}

// Expiry returns when the token ends (exp), in UTC.
func (p Principal) Expiry() time.Time {
	switch {
	case p.Session != nil:
		return p.Session.Expiry
	case p.Identity != nil:
		return p.Identity.Expiry
	}
	return time.Time{}
}

func (p Principal) claims() jws.Object {
	switch {
	case p.Session != nil:
		return p.Session.Claims
	case p.Identity != nil:
		return p.Identity.Claims
	}
	return jws.Object{}
}

// principalContext is a context that carries a principal: one allocation instead of one per value.
type principalContext struct {
	context.Context
	principal Principal
}

// principalKey asks a context for its principal.
type principalKey struct{}

// Value returns the principal for this package's own key, and the parent's value for any other.
func (c *principalContext) Value(key any) any {
	if _, ours := key.(principalKey); ours {
		return c
	}
	return c.Context.Value(key)
}

func principalOf(ctx context.Context) Principal {
	if c, ok := ctx.Value(principalKey{}).(*principalContext); ok {
		return c.principal
	}
	return Principal{}
}

// SessionFromContext returns the session that the guard let in, and false if there is none: the route is open to
// signed-out callers, or an identity token was accepted. The session is shared: do not change it.
func SessionFromContext(ctx context.Context) (*session.Session, bool) {
	s := principalOf(ctx).Session
	return s, s != nil
}

// IdentityFromContext returns the identity that the guard let in, and false if there is none: the route is open to
// signed-out callers, or a session token was accepted. The identity is shared: do not change it.
func IdentityFromContext(ctx context.Context) (*identity.Identity, bool) {
	id := principalOf(ctx).Identity
	return id, id != nil
}

// ContextWithSession returns a context as a handler behind the guard sees it, for tests of such handlers.
func ContextWithSession(ctx context.Context, s *session.Session) context.Context {
	return &principalContext{ctx, Principal{Session: s}}
}

// ContextWithIdentity returns a context as a handler behind the guard sees it, for tests of such handlers.
func ContextWithIdentity(ctx context.Context, id *identity.Identity) context.Context {
	return &principalContext{ctx, Principal{Identity: id}}
}
