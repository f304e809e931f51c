package identity

import (
	"net/http"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

// defaultCacheEntries is how many verdicts an issuer remembers unless Common.CacheEntries says otherwise.
const defaultCacheEntries = 10_000

// Common is what the configurations of all families have in common. It is embedded in each of them.
type Common struct {
	// Realm is the name that the operator gives to this user base: 1 to 64 letters, digits, '.', '_' and '-'. It is
	// part of every player's id, so it must never change. Issuers may share a realm only if the same sub is the same
	// player at both. Required.
	Realm string
	// Keys is a key store of your own. With it nothing is fetched. A key that it gives up must be told so, by
	// jws.Key.Distrust: a remembered verdict otherwise stands on it until the token's exp. All tokens of the issuer are
	// verified with it, whatever their iss.
	Keys jws.KeySource
	// Client fetches keys. Default: that of package jwks.
	Client *http.Client
	// CacheEntries is how many tokens that were accepted twice are remembered. 0 means 10,000, a negative number none. Within
	// NewIssuers the whole set shares one cache.
	CacheEntries int
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Observe is told of every fetch of keys. Default none.
	Observe func(jwks.Event)
}

// ConfigError says which field of a configuration is wrong and what to set.
type ConfigError struct {
	// Config is the type, such as "CognitoConfig".
	Config string
	// Field is the field's name, such as "ClientIDs".
	Field string
	// Problem says what is wrong and what would be right.
	Problem string
}

// Error returns all three in one line.
func (e *ConfigError) Error() string {
	return "identity: " + e.Config + "." + e.Field + " " + e.Problem
}

func validRealm(realm string) bool {
	if len(realm) == 0 || len(realm) > 64 {
		return false
	}
	return !strings.ContainsFunc(realm, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r))
	})
}

// required checks a list that must not be empty; hint says what belongs in it.
func required(config, field string, list []string, hint string) error {
	if len(list) == 0 {
		return &ConfigError{config, field, "is empty: list " + hint}
	}
	return noBlank(config, field, list)
}

// noBlank checks that a list has no empty member, which a missing environment variable makes of it and which some
// claim might equal.
func noBlank(config, field string, list []string) error {
	for _, s := range list {
		if s == "" || strings.TrimSpace(s) != s {
			return &ConfigError{config, field, "has an entry that is empty or has spaces around it"}
		}
	}
	return nil
}

// clock returns the configured clock, or the machine's.
func (c Common) clock() func() time.Time {
	if c.Now == nil {
		return time.Now
	}
	return c.Now
}

// firstOf returns the first error.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkIssuer checks a configured issuer URL.
func checkIssuer(config, field, iss string) error {
	if problem := issuerProblem(iss); problem != "" {
		return &ConfigError{config, field, problem}
	}
	return nil
}
