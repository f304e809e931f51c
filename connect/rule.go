package connect

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-auth/sallyport/jws"
)

// Rule is what a route asks of a token beyond its being good. Make one with Group, Scope, Role, Permission, Claim or
// AnyOf; the zero Rule never holds.
type Rule struct {
	kind   ruleKind
	name   string
	values []string
	any    []Rule
}

type ruleKind string

const (
	groupRule      ruleKind = "group"
	scopeRule      ruleKind = "scope"
	roleRule       ruleKind = "role"
	permissionRule ruleKind = "permission"
	claimRule      ruleKind = "claim"
	anyRule        ruleKind = "any of"
)

// Group holds for members of the group (cognito:groups and its like).
func Group(name string) Rule { return Rule{kind: groupRule, name: name} }

// Scope holds for tokens with the scope (RFC 6749 section 3.3). The refusal's challenge names it.
func Scope(name string) Rule { return Rule{kind: scopeRule, name: name} }

// Role holds for callers with the role; Clerk's are organisation roles such as org:admin.
func Role(name string) Rule { return Rule{kind: roleRule, name: name} }

// Permission holds for callers with the permission; Clerk's are such as org:invoices:create.
func Permission(name string) Rule { return Rule{kind: permissionRule, name: name} }

// Claim holds for tokens whose claim is one of the values, or is an array of strings with one of them. Numbers and
// booleans are compared as JSON writes them. Without values the claim need only be there.
func Claim(name string, values ...string) Rule {
	return Rule{kind: claimRule, name: name, values: slices.Clone(values)}
}

// AnyOf holds if one of the rules does. Without rules it never holds.
func AnyOf(rules ...Rule) Rule { return Rule{kind: anyRule, any: slices.Clone(rules)} }

func (rule *Rule) holds(p Principal) bool {
	switch rule.kind {
	case anyRule:
		return slices.ContainsFunc(rule.any, func(r Rule) bool { return r.holds(p) })
	case claimRule:
		return rule.claimHolds(p.claims())
	}
	return rule.name != "" && slices.Contains(rule.grants(p), rule.name)
}

func (rule *Rule) grants(p Principal) []string {
	switch {
	case p.Session != nil:
		return rule.sessionGrants(p)
	case p.Identity != nil:
		return rule.identityGrants(p)
	}
	return nil
}

func (rule *Rule) sessionGrants(p Principal) []string {
	switch rule.kind {
	case groupRule:
		return p.Session.Groups
	case scopeRule:
		return p.Session.Scopes
	case roleRule:
		return p.Session.Roles
	case permissionRule:
		permissions, _ := p.Session.Claims.Strings("permissions")
		return permissions
	}
	return nil
}

func (rule *Rule) identityGrants(p Principal) []string {
	switch rule.kind {
	case groupRule:
		return p.Identity.Groups
	case scopeRule:
		return p.Identity.Scopes
	case roleRule:
		return p.Identity.Roles
	case permissionRule:
		return p.Identity.Permissions
	}
	return nil
}

func (rule *Rule) claimHolds(claims jws.Object) bool {
	if rule.name == "" || !claims.Has(rule.name) {
		return false
	}
	if len(rule.values) == 0 {
		return true
	}
	return slices.ContainsFunc(claimTexts(claims, rule.name), func(text string) bool {
		return slices.Contains(rule.values, text)
	})
}

func claimTexts(claims jws.Object, name string) []string {
	if texts, ok := claims.Strings(name); ok {
		return texts
	}
	if number, ok := claims.Int64(name); ok {
		return []string{strconv.FormatInt(number, 10)}
	}
	if truth, ok := claims.Bool(name); ok {
		return []string{strconv.FormatBool(truth)}
	}
	return nil
}

// refusal says what the rule wanted. Claim is "scope" where the challenge may name the scopes.
func (rule *Rule) refusal() error {
	refusal := &jws.Refusal{Check: jws.CheckPolicy, Reason: InsufficientScope, Want: rule.want(), Verified: true}
	if rule.kind == scopeRule {
		refusal.Claim, refusal.Want = "scope", rule.name
	}
	return refusal
}

func (rule *Rule) want() string {
	switch rule.kind {
	case anyRule:
		wants := make([]string, len(rule.any))
		for i := range rule.any {
			wants[i] = rule.any[i].want()
		}
		return "any of: " + strings.Join(wants, ", ")
	case claimRule:
		if len(rule.values) == 0 {
			return "claim " + rule.name
		}
		return "claim " + rule.name + " = " + strings.Join(rule.values, " or ")
	}
	return string(rule.kind) + " " + rule.name
}
