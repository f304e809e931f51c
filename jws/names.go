package jws

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// registered are the names whose meaning decides about a token: JOSE header parameters (RFC 7515 section 4.1, RFC 7797),
// claims (RFC 7519 section 4.1, RFC 8693 section 4, RFC 9068 section 2.2, OpenID Connect Core section 2, RFC 7800).
// A parser that ignores case would take "SUB" for "sub", so an object in which such a name has another case is refused.
var registered = func() map[string]string {
	table := make(map[string]string)
	for _, name := range []string{
		"alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "b64", "enc", "zip",
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti",
		"act", "may_act", "scope", "client_id", "azp", "nonce", "auth_time", "sid", "events", "cnf", "token_use",
	} {
		table[fold(name)] = name
	}
	return table
}()

// misspelt reports whether name is a registered name but for its case.
func misspelt(name string) bool {
	if isLower(name) {
		return false
	}
	want, found := registered[fold(name)]
	return found && want != name
}

// isLower reports whether name can only be its own folding's usual spelling: ASCII without capitals, and without the
// '#' of the one registered name that has a capital.
func isLower(name string) bool {
	for i := range len(name) {
		if c := name[i]; c >= utf8.RuneSelf || (c >= 'A' && c <= 'Z') || c == '#' {
			return false
		}
	}
	return true
}

// fold returns a form that is equal for names that encoding/json takes for equal: Unicode simple folding.
func fold(name string) string { return strings.Map(foldRune, name) }

// foldRune returns the smallest rune of those that fold to the same, which is the capital for ASCII.
func foldRune(r rune) rune {
	for {
		next := unicode.SimpleFold(r)
		if next <= r {
			return next
		}
		r = next
	}
}

// nameSet finds names that an object has twice. bits is a filter by a hash of the folded names, so that most names need
// no comparison; from manyMembers on folded does the work.
type nameSet struct {
	base   int
	bits   uint64
	folded map[string]struct{}
}

// add refuses the name of m if the object has it already, and a case variant of a registered name at the top.
func (n *nameSet) add(s *scanner, m member) bool {
	object := Object{data: s.data}
	name := object.name(&m)
	if s.depth == 1 && !s.inner && misspelt(name) {
		return s.fail(wantExact)
	}
	if len(s.members)-n.base >= manyMembers {
		return n.addFolded(s, name)
	}
	bit := uint64(1) << (foldHash(name) & 63)
	if n.bits&bit == 0 {
		n.bits |= bit
		return true
	}
	for i := n.base; i < len(s.members); i++ {
		if strings.EqualFold(object.name(&s.members[i]), name) {
			return s.fail(wantOnce)
		}
	}
	return true
}

func (n *nameSet) addFolded(s *scanner, name string) bool {
	if n.folded == nil {
		n.folded = make(map[string]struct{}, 2*manyMembers)
		for i := n.base; i < len(s.members); i++ {
			n.folded[fold(Object{data: s.data}.name(&s.members[i]))] = struct{}{}
		}
	}
	name = fold(name)
	if _, twice := n.folded[name]; twice {
		return s.fail(wantOnce)
	}
	n.folded[name] = struct{}{}
	return true
}

// foldHash is equal for names that fold to the same.
func foldHash(name string) (h uint32) {
	for i := range len(name) {
		c := name[i]
		if c >= utf8.RuneSelf {
			return foldHashSlow(name)
		}
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		h = (h ^ uint32(c)) * 16777619
	}
	return h ^ h>>16
}

func foldHashSlow(name string) (h uint32) {
	for _, r := range name {
		h = (h ^ uint32(foldRune(r))) * 16777619
	}
	return h ^ h>>16
}
