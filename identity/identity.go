package identity

import (
	"context"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/internal/uuid"
	"github.com/sallyport-auth/sallyport/jws"
)

// Player names one player of one user base. It is the key for bans, cut-offs and socket ownership, and comparable.
type Player struct {
	// Realm is the operator's name for the user base, from the issuer's configuration. It never comes from a token,
	// because one user base may have several issuer spellings.
	Realm string `json:"realm"`
	// Subject is the player's id within the realm: the token's sub, or what an issuer's documentation says is the
	// stable id (Microsoft: oid and tid; Firebase: tenant and sub).
	Subject string `json:"subject"`
}

// ID returns the player's id as a UUID in lower-case text form: the subject itself if it is a UUID and singleRealm
// says that no other realm exists, else the UUID version 5 of realm and subject (RFC 9562 section 5.5). The same
// player has the same ID on every machine as long as singleRealm stays the same.
func (p Player) ID(singleRealm bool) string {
	if singleRealm {
		if id, ok := uuid.Canonical(p.Subject); ok {
			return id
		}
	}
	return uuid.V5(p.Realm, p.Subject)
}

// Use says what an issuer made a token for.
type Use string

const (
	// AccessToken is a token made for an API (RFC 9068, Cognito's token_use=access).
	AccessToken Use = "access"
	// IDToken is a token made for a client (OpenID Connect Core 1.0 section 2, Cognito's token_use=id).
	IDToken Use = "id"
	// SessionToken is an issuer's own short-lived session token (Clerk, Firebase session cookies).
	SessionToken Use = "session"
)

// Identity is what a verified identity token says. It is shared between callers and must not be changed.
type Identity struct {
	// Player is who it is.
	Player Player
	// Issuer is the token's iss, as it was sent.
	Issuer string
	// Subject is the token's sub.
	Subject string
	// Username is the name the player signs in with, "" if the token has none.
	Username string
	// Email is "" if the token has none. Use it as an address, never as an identity.
	Email string
	// EmailVerified says that the issuer checked the address.
	EmailVerified bool
	// Name is a name for display, "" if the token has none.
	Name string
	// Groups are the groups or, with Clerk, the id of the active organisation.
	Groups []string
	// Scopes are the scopes of RFC 8693 section 4.2 (the scope or scp claim).
	Scopes []string
	// Roles are the roles, for Clerk as "org:admin" in both versions of its claims.
	Roles []string
	// Permissions are the permissions, for Clerk as "org:feature:permission".
	Permissions []string
	// Use is what the token was made for.
	Use Use
	// ClientID is the client that asked for the token: client_id or azp, for an ID token with one audience its aud.
	ClientID string
	// Audience is the token's aud.
	Audience []string
	// Session is the upstream session, the same over refreshes: Cognito's origin_jti, the sid of Clerk and OpenID
	// Connect, Supabase's session_id. It is "" if the issuer names none.
	Session string
	// TokenID is the token's jti, "" if it has none.
	TokenID string
	// IssuedAt is the token's iat in UTC, zero if it has none.
	IssuedAt time.Time
	// Expiry is the token's exp in UTC.
	Expiry time.Time
	// AuthTime is when the player last proved who they are (auth_time) in UTC, zero if the token does not say.
	AuthTime time.Time
	// Claims are all the token's claims.
	Claims jws.Object
	// Header is the token's JOSE header.
	Header jws.Header
}

// HasGroup says whether the identity is in the group.
func (id *Identity) HasGroup(group string) bool { return slices.Contains(id.Groups, group) }

// HasScope says whether the token has the scope.
func (id *Identity) HasScope(scope string) bool { return slices.Contains(id.Scopes, scope) }

// HasRole says whether the identity has the role.
func (id *Identity) HasRole(role string) bool { return slices.Contains(id.Roles, role) }

// HasPermission says whether the identity has the permission.
func (id *Identity) HasPermission(permission string) bool {
	return slices.Contains(id.Permissions, permission)
}

// Verifier answers who a token is from. *Issuer and *Issuers implement it. Errors are *jws.Refusal; the identity is
// shared and immutable.
type Verifier interface {
	Verify(ctx context.Context, token string) (*Identity, error)
}

// SignOut is an issuer's message that a session, or every session of a player, has ended: an OpenID Connect logout
// token or a Clerk webhook.
type SignOut struct {
	// Issuer is the issuer's iss.
	Issuer string
	// Player is who signed out. Its Subject is "" if the message names only a session.
	Player Player
	// Session is the upstream session that ended, "" if All is true.
	Session string
	// All says that every session of the player ended.
	All bool
	// Banned says that the issuer banned the player (Clerk's user.updated with banned).
	Banned bool
	// Deleted says that the issuer deleted the player (Clerk's user.deleted).
	Deleted bool
	// TokenID names the message: the logout token's jti or the webhook's svix-id.
	TokenID string
	// At is the issuer's time of the event, in UTC.
	At time.Time
}
