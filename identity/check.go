package identity

import (
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

// check is one rule about a token whose signature and times hold. Its errors are *jws.Refusal.
type check func(*jws.Token) error

// all returns the checks as one: the first that refuses ends it.
func all(checks ...check) func(*jws.Token) error {
	return func(t *jws.Token) error {
		for _, c := range checks {
			if c == nil {
				continue
			}
			if err := c(t); err != nil {
				return err
			}
		}
		return nil
	}
}

// missing returns the refusal of a token that lacks a claim, or has it with another JSON type.
func missing(t *jws.Token, claim, want string) error {
	return t.Refuse(jws.CheckPolicy, jws.MissingClaim, claim, want, "")
}

// subject requires a sub that is not empty.
func subject(t *jws.Token) error { return t.RequirePresent("sub") }

// notLogoutToken keeps logout tokens from being taken for ID tokens where typ does not tell them apart (OpenID Connect
// Back-Channel Logout 1.0 section 2.4, RFC 8725 section 3.11).
func notLogoutToken(t *jws.Token) error {
	if t.Claims.Has("events") {
		return t.Refuse(jws.CheckPolicy, jws.WrongUse, "events", "a token without events", "")
	}
	return nil
}

// audience requires that aud names at least one of want.
func audience(want ...string) check {
	return func(t *jws.Token) error { return t.RequireAudience(want...) }
}

// claimIs requires that a string claim is one of want.
func claimIs(claim string, wrong jws.Reason, want ...string) check {
	return func(t *jws.Token) error {
		got, ok := t.Claims.String(claim)
		if !ok {
			return missing(t, claim, strings.Join(want, " or "))
		}
		if !slices.Contains(want, got) {
			return t.Refuse(jws.CheckPolicy, wrong, claim, strings.Join(want, " or "), got)
		}
		return nil
	}
}

// ifPresent runs c only where the token has the claim.
func ifPresent(claim string, c check) check {
	return func(t *jws.Token) error {
		if !t.Claims.Has(claim) {
			return nil
		}
		return c(t)
	}
}

// authorizedParty is the rule of OpenID Connect Core 1.0 section 3.1.3.7 for azp: where it is present it must be one of
// want, and a token with several audiences must have it.
func authorizedParty(want ...string) check {
	party := claimIs("azp", jws.WrongClient, want...)
	return func(t *jws.Token) error {
		if aud, _ := t.Claims.Strings("aud"); len(aud) < 2 && !t.Claims.Has("azp") {
			return nil
		}
		return party(t)
	}
}

// authTime requires an auth_time that is not in the future, with the 5 s of tolerance that iat has.
func authTime(now func() time.Time) check {
	return func(t *jws.Token) error {
		authenticated, ok := t.Claims.Int64("auth_time")
		if !ok {
			return missing(t, "auth_time", "when the player signed in")
		}
		if authenticated > now().Unix()+5 {
			return t.Refuse(jws.CheckTime, jws.NotYetValid, "auth_time", "a time in the past", at(authenticated).Format(time.RFC3339))
		}
		return nil
	}
}
