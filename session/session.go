package session

import (
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
)

// Session is a verified game session: who plays, where, and until when. A *Session that a Verifier returned is shared
// between callers and must not be changed.
type Session struct {
	// Player is who plays: the key for bans, cut-offs and the ownership of sockets. When a
	// token names only a backend's own id whose alias is not known, and [AliasOptional] allows that, it is
	// [NakamaConfig].Realm and that id.
	Player identity.Player
	// PlayerID is the player's stable id, a UUID in lower-case text form (the token's sub).
	PlayerID string
	// UserID is the backend's own id of the player, Nakama's users.id. Where the backend has none it equals PlayerID.
	UserID string
	// ID names the session and stays the same over every refresh: the token's sid, Nakama's tid.
	ID string
	// TokenID names this token (jti, RFC 7519 section 4.1.7), "" if it has none.
	TokenID string
	// Issuer is the token's iss, "" if it has none (Nakama).
	Issuer string
	// ClientID is the client the token was issued to (RFC 9068 section 2.2).
	ClientID string
	// Audience is the token's aud: the backends that may accept it.
	Audience []string
	// Username is the name the player signed in with, "" if the token has none.
	Username string
	// Groups are the groups of the identity that the session was made from.
	Groups []string
	// Scopes are the scopes that were granted (RFC 8693 section 4.2).
	Scopes []string
	// Roles are the roles of the identity that the session was made from.
	Roles []string
	// Upstream is the key of the issuer's session behind this one, see [UpstreamOf].
	Upstream string
	// IssuedAt is the token's iat in UTC, zero if it has none.
	IssuedAt time.Time
	// Started is when the session was made, which is before IssuedAt once it was refreshed. It is zero if unknown.
	Started time.Time
	// AuthTime is when the player proved who he is (auth_time, OpenID Connect Core 1.0 section 2), zero if unknown.
	AuthTime time.Time
	// IdentityIssuedAt is when the identity token was issued that bought this session, zero if unknown. A cut-off or
	// sign-out from after it counts even where the node that sold the session had not heard of it.
	IdentityIssuedAt time.Time
	// Expiry is the token's exp in UTC. From that second on the token is refused.
	Expiry time.Time
	// Vars are Nakama's session variables (vrs). Clients choose them freely unless the Nakama plugin is there, so no
	// decision may rest on them. Nil for every other backend.
	Vars map[string]string
	// Claims are all claims of the token.
	Claims jws.Object

	// userRealm is the realm of the player that UserID is without an alias, "" if it is Player's.
	userRealm string
}

// HasGroup says whether the player is in the group, compared exactly.
func (s *Session) HasGroup(group string) bool { return slices.Contains(s.Groups, group) }

// HasScope says whether the scope was granted, compared exactly (RFC 6749 section 3.3).
func (s *Session) HasScope(scope string) bool { return slices.Contains(s.Scopes, scope) }

// HasRole says whether the player has the role, compared exactly.
func (s *Session) HasRole(role string) bool { return slices.Contains(s.Roles, role) }

// The prefixes keep the three forms of an upstream key apart.
const (
	upstreamSession = "sid:"
	upstreamToken   = "jti:"
	upstreamPlayer  = "sub:"
)

// UpstreamOf returns the key under which the issuer's session behind an identity is revoked, within the identity's
// realm: "sid:" and the issuer's session id, the same over the issuer's refreshes. An issuer that names no session gets
// "jti:" and the token's id, so that at least this token can be cut off, and one without token ids gets "sub:" and the
// subject.
func UpstreamOf(id *identity.Identity) string {
	switch {
	case id.Session != "":
		return upstreamSession + id.Session
	case id.TokenID != "":
		return upstreamToken + id.TokenID
	default:
		return upstreamPlayer + id.Player.Subject
	}
}

// upstreamKey makes a key of what an operator or an issuer calls the session: a key stays itself.
func upstreamKey(name string) string {
	for _, prefix := range []string{upstreamSession, upstreamToken, upstreamPlayer} {
		if strings.HasPrefix(name, prefix) {
			return name
		}
	}
	return upstreamSession + name
}
