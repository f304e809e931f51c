package jws

import (
	"bytes"
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
func misspelt(name []byte) bool {
	want, found := registered[fold(string(name))]
	return found && want != string(name)
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

// nameSet finds names that an object has twice. bits is a filter by foldHash, so that most names need no comparison;
// from manyMembers on folded does the work.
type nameSet struct {
	base   int
	bits   [4]uint64
	folded map[string]struct{}
}

// plain adds a name that is new by its hash and no case variant of a registered one, and reports whether it is that.
func (n *nameSet) plain(seen, hash byte) bool {
	return seen == 0 && n.folded == nil && n.fresh(hash)
}

// fresh reports whether no name had the hash, and remembers that one has.
func (n *nameSet) fresh(hash byte) bool {
	word, bit := &n.bits[hash>>6], uint64(1)<<(hash&63)
	fresh := *word&bit == 0
	*word |= bit
	return fresh
}

// add refuses a name that the object has already, and a case variant of a registered name at the top. seen are the
// marks of what the name is made of, hash is its foldHash if that is plain ASCII.
func (n *nameSet) add(s *scanner, name []byte, seen, hash byte) bool {
	if seen&markRare != 0 {
		if seen&markEscape != 0 {
			name = []byte(unescape(string(name)))
		}
		hash, seen = foldHash(fold(string(name))), markCase
	}
	if seen&markCase != 0 && s.depth == 1 && !s.inner && misspelt(name) {
		s.fail(wantExact)
		return false
	}
	if len(s.members)-n.base >= manyMembers {
		return n.addFolded(s, string(name))
	}
	if seen != 0 && n.fresh(hash) {
		return true
	}
	for i := n.base; i < len(s.members); i++ {
		if bytes.EqualFold(s.nameOf(s.members[i]), name) {
			s.fail(wantOnce)
			return false
		}
	}
	return true
}

// nameOf returns the name of a member that was scanned.
func (s *scanner) nameOf(m member) []byte {
	name := written(s.data, m)
	if m&escaped != 0 {
		return []byte(unescape(string(name)))
	}
	return name
}

func (n *nameSet) addFolded(s *scanner, name string) bool {
	if n.folded == nil {
		n.folded = make(map[string]struct{}, 2*manyMembers)
		for i := n.base; i < len(s.members); i++ {
			n.folded[fold(string(s.nameOf(s.members[i])))] = struct{}{}
		}
	}
	name = fold(name)
	if _, twice := n.folded[name]; twice {
		s.fail(wantOnce)
		return false
	}
	n.folded[name] = struct{}{}
	return true
}

// Marks of what a name is made of.
const (
	markCase   = 1 << iota // it may be a registered one in another case: a capital, or the '#' of x5t#S256
	markStop               // a byte that ends a run of plain ASCII: a quote, a backslash, a control character, one beyond ASCII
	markRare               // it has bytes beyond ASCII or escapes
	markEscape             // it has escapes
)

var marks = func() (table [256]byte) {
	for c := range table {
		switch {
		case c < ' ', c >= utf8.RuneSelf, c == '"', c == '\\':
			table[c] = markStop
		case c >= 'A' && c <= 'Z', c == '#':
			table[c] = markCase
		}
	}
	return table
}()

// foldHash returns 8 bits that are equal for names in ASCII that differ only by case.
func foldHash(name string) (hash byte) {
	for i := range len(name) {
		hash = foldByte(hash, name[i])
	}
	return hash
}

// foldByte adds a byte to a foldHash. Bit 5 tells capitals and small letters apart.
func foldByte(hash, c byte) byte { return hash*3 + (c | 0x20) }
