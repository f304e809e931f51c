package identity

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/internal/uuid"
	"github.com/sallyport-auth/sallyport/jws"
)

// issuerRule says which values of iss one origin takes. Values are compared byte for byte and never normalised
// (RFC 7519 section 4.1.1, OpenID Connect Core 1.0 section 3.1.3.7).
type issuerRule struct {
	kind   ruleKind
	values []string // exact: the spellings
	head   string   // below, tenant: how iss begins
	tail   string   // tenant: what follows the tenant's id
	not    string   // below: a path that does not belong to it; tenant: an iss that does not
}

type ruleKind int

const (
	// exact takes its values.
	exact ruleKind = iota
	// below takes head and what lies below it in the path: head + "/" + anything.
	below
	// tenant takes head + a lower-case UUID + tail.
	tenant
)

func exactly(iss ...string) issuerRule { return issuerRule{kind: exact, values: iss} }

func (r issuerRule) matches(iss string) bool {
	switch r.kind {
	case below:
		return within(r.head, iss) && (r.not == "" || !within(r.not, iss))
	case tenant:
		return r.tenantOf(iss) != "" && iss != r.not
	default:
		return slices.Contains(r.values, iss)
	}
}

// within says whether iss is head or lies below it. The boundary is a '/', so that a longer host is not below.
func within(head, iss string) bool {
	rest, ok := strings.CutPrefix(iss, head)
	return ok && (rest == "" || rest[0] == '/')
}

// tenantOf returns the tenant's id within iss, "" if iss does not fit.
func (r issuerRule) tenantOf(iss string) string {
	rest, ok := strings.CutPrefix(iss, r.head)
	if !ok {
		return ""
	}
	id, ok := strings.CutSuffix(rest, r.tail)
	if canonical, isUUID := uuid.Canonical(id); !ok || !isUUID || canonical != id {
		return ""
	}
	return id
}

// overlaps says whether some iss could match both rules. Two rules that are not exact overlap if one's head begins
// with the other's, which is more than strictly needed and can be seen at a glance.
func (r issuerRule) overlaps(other issuerRule) bool {
	switch {
	case r.kind == exact:
		return slices.ContainsFunc(r.values, other.matches)
	case other.kind == exact:
		return slices.ContainsFunc(other.values, r.matches)
	}
	return strings.HasPrefix(r.head, other.head) || strings.HasPrefix(other.head, r.head)
}

// String says what the rule takes, for operators.
func (r issuerRule) String() string {
	switch r.kind {
	case below:
		return r.head + "[/…]"
	case tenant:
		return r.head + "{tenant}" + r.tail
	default:
		return strings.Join(r.values, " or ")
	}
}

// check refuses a token whose verified iss the rule does not take.
func (r issuerRule) check(t *jws.Token) error {
	iss, _ := t.Claims.String("iss")
	if r.matches(iss) {
		return nil
	}
	return t.Refuse(jws.CheckIssuer, jws.WrongIssuer, "iss", r.String(), iss)
}

// issuerProblem says what is wrong with a configured issuer URL, "" if nothing: it must be https, or http on a
// loopback address, with a host and without user information, query or fragment (OpenID Connect Core 1.0 section 2).
func issuerProblem(iss string) string {
	u, err := url.Parse(iss)
	switch {
	case iss == "":
		return "is not set: give the issuer's iss as it stands in its tokens"
	case err != nil || u.Host == "" || u.Opaque != "":
		return "is no URL with a host"
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(iss, "#"):
		return "must not have user information, a query or a fragment"
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return "must be https (http will do on a loopback address alone)"
	}
	return ""
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
