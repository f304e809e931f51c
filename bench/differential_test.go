package main

import (
	"crypto/rsa"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
)

var update = flag.Bool("update", false, "rewrite docs/differences.md")

// stricter says why we refuse what a peer accepts, by class of change. A class without a difference has no row; a row
// without a difference fails the test, as does a difference without a row.
var stricter = map[string]string{
	"another audience":                   "`aud` must name us (RFC 7519 section 4.1.3). clerk-sdk-go never looks at it.",
	"no audience":                        "A verifier that was told its audience requires one. clerk-sdk-go never looks at it.",
	"another issuer":                     "`iss` must be the configured one exactly. clerk-sdk-go takes any that begins with `https://clerk.`.",
	"another type":                       "`typ` is pinned for each verifier (RFC 8725 section 3.11): an access token is no session token.",
	"no type":                            "`typ` is pinned, and Clerk's tokens always say JWT.",
	"another kid":                        "A `kid` selects a key; one that no key has selects none. The peers were handed the one key and ignore it.",
	"a kid of another type":              "`kid` is a string (RFC 7515 section 4.1.4).",
	"crit":                               "An extension that must be understood and is not is refused (RFC 7515 section 4.1.11).",
	"unencoded payload asked for":        "RFC 7797 is not spoken; ignoring `b64` would verify something else than the signer signed.",
	"a header member twice":              "Names must be unique (RFC 7515 section 4). Readers that take the first and readers that take the last disagree.",
	"a header member in other case":      "Names are case-sensitive; encoding/json matches them without case, so `ALG` overwrites `alg`.",
	"a claim twice":                      "Names must be unique (RFC 7519 section 4).",
	"a claim twice below the top":        "Names must be unique at every depth: a nested object is believed too.",
	"a claim in other case":              "Names are case-sensitive (RFC 7519 section 4): `SUB` overwrites `sub` in every adapter that decodes into a struct.",
	"a random byte in the header's JSON": "One of: `typ` changed, `kid` changed, a name changed by case or twice.",
	"a random byte in the payload's JSON": "One of: issuer or audience changed, `exp` gone because its name was damaged, " +
		"a value of the wrong type in a registered claim.",
	"stray bits in the signature":        "Base64url has one canonical spelling (RFC 4648 section 3.5); otherwise one token has many.",
	"a line break in the signature":      "encoding/base64 skips CR and LF even when strict; RFC 7515 section 2 allows no line breaks.",
	"a line break in what is signed":     "RFC 7515 section 2 allows no line breaks; the signature holds over what was decoded before them.",
	"a line break at the end":            "RFC 7515 section 2 allows no line breaks.",
	"white space around":                 "A token is what the client sent; what trims it belongs to the caller.",
	"padding":                            "Base64url in a JWS has none (RFC 7515 section 2).",
	"not UTF-8":                          "JSON is UTF-8 (RFC 8259 section 8.1); encoding/json replaces bad bytes, so two subjects become one.",
	"a lone surrogate":                   "No character; encoding/json replaces it, so two subjects become one.",
	"deep nesting":                       "Depth is limited: a token needs little of it.",
	"very large":                         "Size is limited to 16 KiB before anything is decoded.",
	"no exp":                             "`exp` is required. A session that never ends is not a session.",
	"expired":                            "`exp` has no leeway and must be later than now (RFC 7519 section 4.1.4).",
	"exp with a fraction or an exponent": "A fraction is read and rounded down; a number with an exponent is refused: no issuer writes a date so.",
	"exp beyond the year 9999":           "Not a date that any issuer means; conversions to time overflow there.",
	"exp of another type":                "A NumericDate is a number (RFC 7519 section 2).",
	"nbf of another type":                "A NumericDate is a number (RFC 7519 section 2).",
	"iat of another type":                "A NumericDate is a number (RFC 7519 section 2).",
}

// laxer says why we accept what a peer refuses.
var laxer = map[string]string{
	"nbf ahead by up to 5 s": "Two clocks are never the same: `nbf` has 5 s of leeway.",
	"iat ahead by up to 5 s": "Two clocks are never the same: `iat` has 5 s of leeway.",
	"a key in the header":    "A `jwk` in the header is never used as a key, so it is not even read (RFC 8725 section 3.10 is about those who do).",
	"a random byte in the payload's JSON": "clerk-sdk-go decodes every claim into a struct, so a wrong type in a claim that " +
		"we do not read (`fva`, `v`) fails there.",
}

// peer is a library that is compared.
type peer struct {
	name   string
	verify verifyFunc
}

func TestDifferences(t *testing.T) {
	key := testvectors.PrivateKey(t, "rsa-1").(*rsa.PrivateKey)
	p := policy{
		algorithm: "RS256", public: &key.PublicKey, kid: "ins_1", issuer: "https://clerk.play.example", audience: "game",
		now: func() time.Time { return testvectors.Now },
	}
	ours, err := sallyportJWS(p, []string{"JWT"})
	if err != nil {
		t.Fatal(err)
	}
	peers := []peer{{"golang-jwt", golangJWT(p)}, {"go-jose", goJose(p)}, {"clerk-sdk-go", clerkSDK(p)}}
	tokens := mutants(t, key)
	if len(tokens) < 3000 {
		t.Fatalf("only %d tokens", len(tokens))
	}
	table := compare(t, tokens, ours, peers)
	table.judge(t)
	page := table.page(peers, len(tokens))
	const path = "../docs/differences.md"
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if committed, err := os.ReadFile(path); err != nil || string(committed) != page {
		t.Errorf("%s is not what this run found (%v); rewrite it with: go test ./bench -update", path, err)
	}
}

// differences counts, by class of change and peer, the tokens on which a peer and we differ.
type differences struct {
	total                map[string]int
	weRefuse, theyRefuse map[string]map[string]int
}

func compare(t *testing.T, tokens []mutant, ours verifyFunc, peers []peer) differences {
	d := differences{map[string]int{}, map[string]map[string]int{}, map[string]map[string]int{}}
	for _, m := range tokens {
		d.total[m.class]++
		subject, err := ours(m.token)
		for _, p := range peers {
			theirs, theirErr := verifySafely(p, m.token)
			switch {
			case err != nil && theirErr == nil:
				count(d.weRefuse, m.class, p.name)
			case err == nil && theirErr != nil:
				count(d.theyRefuse, m.class, p.name)
			case err == nil && subject != theirs:
				t.Errorf("%s: we read subject %q, %s reads %q", m.class, subject, p.name, theirs)
			}
		}
		if (m.class == "unchanged") != (err == nil) && laxer[m.class] == "" && !harmless[m.class] {
			t.Errorf("%s: our verdict is %v", m.class, err)
		}
	}
	return d
}

// harmless are the classes of which we, too, accept some tokens.
var harmless = map[string]bool{
	"no kid": true, "exp with a fraction or an exponent": true, "a key in the header": true, "a key address in the header": true, "several audiences": true, "an escaped claim name": true,
	"white space within the JSON": true, "a random byte in the payload's JSON": true, "a random byte in the header's JSON": true,
}

// verifySafely turns a panic of a peer into a refusal.
func verifySafely(p peer, token string) (subject string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s panicked: %v", p.name, r)
		}
	}()
	return p.verify(token)
}

func count(table map[string]map[string]int, class, peer string) {
	if table[class] == nil {
		table[class] = make(map[string]int)
	}
	table[class][peer]++
}

// judge fails for a difference without a reason and for a reason without a difference.
func (d differences) judge(t *testing.T) {
	t.Helper()
	for _, side := range []struct {
		what    string
		found   map[string]map[string]int
		reasons map[string]string
	}{{"we refuse", d.weRefuse, stricter}, {"only they refuse", d.theyRefuse, laxer}} {
		for class, peers := range side.found {
			if side.reasons[class] == "" {
				t.Errorf("%s %q, differing from %v: no reason is listed", side.what, class, peers)
			}
		}
		for class := range side.reasons {
			if side.found[class] == nil {
				t.Errorf("a reason is listed for %q (%s), where there is no difference", class, side.what)
			}
		}
	}
}

func (d differences) page(peers []peer, tokens int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Where we differ from the peers\n\nMade by `go test ./bench -update`: %d mutated tokens, judged by us and by "+
		"golang-jwt v5, go-jose v4 and\nclerk-sdk-go v2 with the checks that each offers. A number is how many tokens of the class "+
		"that library accepts and we\nrefuse. The test fails for a difference without a reason.\n\n", tokens)
	d.section(&b, peers, d.weRefuse, stricter)
	b.WriteString("\nWhat we accept and a peer refuses:\n\n")
	d.section(&b, peers, d.theyRefuse, laxer)
	return b.String()
}

func (d differences) section(b *strings.Builder, peers []peer, found map[string]map[string]int, reasons map[string]string) {
	b.WriteString("| change | tokens |")
	for _, p := range peers {
		fmt.Fprintf(b, " %s |", p.name)
	}
	b.WriteString(" why |\n|---|---|" + strings.Repeat("---|", len(peers)) + "---|\n")
	for _, class := range slices.Sorted(maps.Keys(found)) {
		fmt.Fprintf(b, "| %s | %d |", class, d.total[class])
		for _, p := range peers {
			fmt.Fprintf(b, " %d |", found[class][p.name])
		}
		fmt.Fprintf(b, " %s |\n", reasons[class])
	}
}
