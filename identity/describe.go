package identity

import (
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

// describe makes the identity of a token from the claims that mean the same everywhere: RFC 7519 section 4.1, OpenID
// Connect Core 1.0 sections 2 and 5.1, RFC 8693 section 4.
func describe(t *jws.Token, realm string, use Use) *Identity {
	c := t.Claims
	sub := text(c, "sub")
	id := &Identity{
		Player: Player{Realm: realm, Subject: sub}, Issuer: text(c, "iss"), Subject: sub,
		Username: text(c, "preferred_username"), Email: text(c, "email"), EmailVerified: truth(c, "email_verified"), Name: text(c, "name"),
		Scopes: scopes(c), Use: use, ClientID: clientID(c), Session: text(c, "sid"), TokenID: text(c, "jti"),
		IssuedAt: at(t.IssuedAt), Expiry: at(t.Expiry), AuthTime: at(number(c, "auth_time")),
		Claims: c, Header: t.Header(),
	}
	id.Audience, _ = c.Strings("aud")
	return id
}

// clientID returns client_id (RFC 8693 section 4.3), azp (OpenID Connect Core 1.0 section 2) or a single aud.
func clientID(c jws.Object) string {
	for _, claim := range []string{"client_id", "azp"} {
		if id := text(c, claim); id != "" {
			return id
		}
	}
	if aud, _ := c.Strings("aud"); len(aud) == 1 {
		return aud[0]
	}
	return ""
}

// scopes returns scope (RFC 8693 section 4.2) or scp, as a text with spaces or an array.
func scopes(c jws.Object) []string {
	for _, claim := range []string{"scope", "scp"} {
		if list := words(c, claim); len(list) > 0 {
			return list
		}
	}
	return nil
}

// words returns the members of an array, or the words of a text. An array's members are never split.
func words(c jws.Object, claim string) []string {
	if s, ok := c.String(claim); ok {
		return strings.Fields(s)
	}
	list, _ := c.Strings(claim)
	return list
}

func text(c jws.Object, claim string) string {
	s, _ := c.String(claim)
	return s
}

func number(c jws.Object, claim string) int64 {
	n, _ := c.Int64(claim)
	return n
}

// truth reads a boolean that some issuers (Apple, federated Cognito users) send as the text "true".
func truth(c jws.Object, claim string) bool {
	b, _ := c.Bool(claim)
	return b || text(c, claim) == "true"
}

// at returns the UTC time of Unix seconds, the zero time for 0.
func at(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// lookup returns the strings at a claim. A claim of just that name goes first, because names such as
// "https://game.example/roles" have dots in them; then the dots lead through objects, as in "realm_access.roles".
func lookup(c jws.Object, claim string) []string {
	if c.Has(claim) {
		list, _ := c.Strings(claim)
		return list
	}
	name, rest, dotted := strings.Cut(claim, ".")
	inner, ok := c.Object(name)
	if !dotted || !ok {
		return nil
	}
	return lookup(inner, rest)
}
