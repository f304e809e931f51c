package connect

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The headers that tell a server behind a gate who was verified. A gate sets every one of them in every request, empty where
// there is nothing to say, so that what a client sent under these names is overwritten. Bytes outside printable ASCII, commas
// and percent signs within a value are percent-encoded; lists are joined by commas.
const (
	HeaderUser     = "X-Auth-User"     // the player's id, a UUID; for Nakama the user id
	HeaderRealm    = "X-Auth-Realm"    // the player's realm
	HeaderSubject  = "X-Auth-Subject"  // the player's subject within the realm
	HeaderUsername = "X-Auth-Username" // the name the player signed in with
	HeaderSession  = "X-Auth-Session"  // the session's id; the upstream session's for an identity token
	HeaderClient   = "X-Auth-Client"   // the client_id
	HeaderIssuer   = "X-Auth-Issuer"   // the iss of the token
	HeaderGroups   = "X-Auth-Groups"   // the groups
	HeaderRoles    = "X-Auth-Roles"    // the roles
	HeaderScopes   = "X-Auth-Scopes"   // the scopes
	HeaderExpires  = "X-Auth-Expires"  // the token's exp, in Unix seconds
)

// identityHeaders are all of them, in the order of IdentityValues.
var identityHeaders = []string{
	HeaderUser, HeaderRealm, HeaderSubject, HeaderUsername, HeaderSession, HeaderClient, HeaderIssuer, HeaderGroups,
	HeaderRoles, HeaderScopes, HeaderExpires,
}

// IdentityHeaders returns the names of all identity headers.
func IdentityHeaders() []string { return slices.Clone(identityHeaders) }

// SetIdentityHeaders sets every identity header to what it is for the principal, empty for the zero Principal. singleRealm says
// that players come from one realm only, see identity.Player.ID.
func SetIdentityHeaders(header http.Header, p Principal, singleRealm bool) {
	for i, value := range IdentityValues(p, singleRealm) {
		header[identityHeaders[i]] = []string{value}
	}
}

// IdentityValues returns the values of the headers of IdentityHeaders, in that order.
func IdentityValues(p Principal, singleRealm bool) (values [11]string) {
	switch {
	case p.Session != nil:
		s := p.Session
		values = [...]string{
			encode(s.UserID), "", "", encode(s.Username), encode(s.ID), encode(s.ClientID), encode(s.Issuer),
			encode(s.Groups...), encode(s.Roles...), encode(s.Scopes...), "",
		}
	case p.Identity != nil:
		id := p.Identity
		values = [...]string{
			encode(id.Player.ID(singleRealm)), "", "", encode(id.Username), encode(id.Session), encode(id.ClientID), encode(id.Issuer),
			encode(id.Groups...), encode(id.Roles...), encode(id.Scopes...), "",
		}
	default:
		return values
	}
	values[1], values[2] = encode(p.Player().Realm), encode(p.Player().Subject)
	values[10] = strconv.FormatInt(p.Expiry().Unix(), 10)
	return values
}

func encode(values ...string) string {
	if len(values) == 1 {
		return encodeValue(values[0])
	}
	encoded := make([]string, len(values))
	for i, value := range values {
		encoded[i] = encodeValue(value)
	}
	return strings.Join(encoded, ",")
}

// encodeValue percent-encodes what would break a header or a list in it (RFC 3986 section 2.1).
func encodeValue(value string) string {
	const hexDigits = "0123456789ABCDEF"
	if isPlain(value) {
		return value
	}
	var b strings.Builder
	for i := range len(value) {
		if c := value[i]; plain(c, i, len(value)) {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
	return b.String()
}

func isPlain(value string) bool {
	for i := range len(value) {
		if !plain(value[i], i, len(value)) {
			return false
		}
	}
	return true
}

func plain(c byte, i, length int) bool {
	return c > 0x20 && c < 0x7f && c != ',' && c != '%' || c == ' ' && i > 0 && i < length-1
}
