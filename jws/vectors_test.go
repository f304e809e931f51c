package jws_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
)

// The policy of the vectors in testdata/vectors/verify, where a vector's headers do not change it:
//
//	keys:       names of test keys, which are their kids too. "anon/NAME" has no kid, "retired/NAME" was withdrawn,
//	            "stale/NAME" outlived its bound. hs-1 is a secret.
//	algorithms: all four
//	types:      JWT and "-", which stands for no typ
//	require:    a claim and its value, besides iss https://issuer.example and aud game
const (
	vectorKeys       = "rsa-1 p256-1 ed25519-1 hs-1 retired/rsa-2 stale/p256-2"
	vectorAlgorithms = "RS256 ES256 EdDSA HS256"
	vectorTypes      = "JWT -"
)

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

func vectorKey(t *testing.T, spec string) *jws.Key {
	t.Helper()
	state, name, found := strings.Cut(spec, "/")
	if !found {
		state, name = "", spec
	}
	kid := name
	if state == "anon" {
		kid = ""
	}
	var key *jws.Key
	var err error
	if strings.HasPrefix(name, "hs-") {
		key, err = jws.NewSecretKey(kid, testvectors.Secret(name))
	} else {
		key, err = jws.NewKey(kid, testvectors.PrivateKey(t, name).Public())
	}
	if err != nil {
		t.Fatal(err)
	}
	switch state {
	case "retired":
		key.Distrust()
	case "stale":
		key.TrustUntil(testvectors.Now)
	}
	return key
}

func vectorVerifier(t *testing.T, v testvectors.Vector) *jws.Verifier {
	t.Helper()
	var keys jws.StaticKeys
	for name := range strings.FieldsSeq(or(v.Get("keys"), vectorKeys)) {
		keys = append(keys, vectorKey(t, name))
	}
	var algorithms []jws.Algorithm
	for name := range strings.FieldsSeq(or(v.Get("algorithms"), vectorAlgorithms)) {
		algorithms = append(algorithms, jws.Algorithm(name))
	}
	var types []string
	for typ := range strings.FieldsSeq(or(v.Get("types"), vectorTypes)) {
		types = append(types, strings.TrimPrefix(typ, "-"))
	}
	claim, value, _ := strings.Cut(v.Get("require"), " ")
	verifier, err := jws.NewVerifier(jws.Config{
		Keys:       keys,
		Algorithms: algorithms,
		Types:      types,
		Accept:     func(t *jws.Token) error { return vectorAccept(t, claim, value) },
		Now:        func() time.Time { return testvectors.Now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

func vectorAccept(t *jws.Token, claim, value string) error {
	if err := t.RequireIssuer("https://issuer.example"); err != nil {
		return err
	}
	if err := t.RequireAudience("game"); err != nil {
		return err
	}
	switch {
	case claim == "":
		return nil
	case value == "":
		return t.RequirePresent(claim)
	case value == "nothing":
		return errors.New("the policy takes nothing")
	}
	return t.RequireString(claim, value)
}

func TestVerifyVectors(t *testing.T) {
	t.Parallel()
	for _, v := range testvectors.Load(t, "testdata/vectors/verify") {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			verifier := vectorVerifier(t, v)
			// The second time the header may be remembered; the answer must be the same.
			for range 2 {
				token, err := verifier.Verify(context.Background(), v.Body)
				checkVerdict(t, v, token, err)
			}
		})
	}
}

func checkVerdict(t *testing.T, v testvectors.Vector, token *jws.Token, err error) {
	t.Helper()
	if v.Get("expect") == "accept" {
		if err != nil || token == nil || token.Key == nil {
			t.Fatalf("refused: %v", err)
		}
		return
	}
	var r *jws.Refusal
	if !errors.As(err, &r) || token != nil {
		t.Fatalf("got token %v and error %v, want a refusal", token != nil, err)
	}
	if string(r.Check) != v.Get("check") || string(r.Reason) != v.Get("reason") || r.Claim != v.Get("claim") {
		t.Errorf("got %q %q %q", r.Check, r.Reason, r.Claim)
	}
	if verified := strconv.FormatBool(r.Verified); verified != or(v.Get("verified"), "false") {
		t.Errorf("verified is %s", verified)
	}
	if r.Want == "" {
		t.Error("the refusal does not say what would pass")
	}
	if !r.Verified && r.Got != "" {
		t.Errorf("an unverified refusal quotes %q", r.Got)
	}
}

// TestEveryReasonHasAVector names the reasons that a Verifier can give. Unavailable is the key source's and has tests of
// its own.
func TestEveryReasonHasAVector(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, v := range testvectors.Load(t, "testdata/vectors/verify") {
		seen[v.Get("reason")] = true
	}
	for _, reason := range []jws.Reason{
		jws.Malformed, jws.AlgorithmRefused, jws.UnknownKey, jws.BadSignature, jws.Expired, jws.NotYetValid,
		jws.WrongIssuer, jws.WrongAudience, jws.WrongType, jws.MissingClaim, jws.WrongClaim,
	} {
		if !seen[string(reason)] {
			t.Errorf("no vector has reason %s", reason)
		}
	}
}

func TestObjectVectors(t *testing.T) {
	t.Parallel()
	for _, v := range testvectors.Load(t, "testdata/vectors/object") {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			_, err := jws.ParseObject([]byte(v.Body))
			if accepted := err == nil; accepted != (v.Get("expect") == "accept") {
				t.Fatalf("got %v", err)
			}
			if err == nil {
				return
			}
			var r *jws.Refusal
			if !errors.As(err, &r) || r.Reason != jws.Malformed || !strings.Contains(r.Want, v.Get("want")) {
				t.Errorf("got %v, want one that asks for %q", err, v.Get("want"))
			}
		})
	}
}

func TestKeyVectors(t *testing.T) {
	t.Parallel()
	for _, v := range testvectors.Load(t, "testdata/vectors/key") {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			keys, skipped, err := parseKeys(v)
			if v.Get("expect") == "refuse" {
				if err == nil || !strings.Contains(err.Error(), or(v.Get("error"), "?")) {
					t.Fatalf("got %v, want an error with %q", err, v.Get("error"))
				}
				if keys != nil || skipped != nil {
					t.Errorf("%d keys beside an error", len(keys))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(keys); got != v.Get("keys") {
				t.Errorf("got keys %q, want %q", got, v.Get("keys"))
			}
			if strconv.Itoa(len(skipped)) != or(v.Get("skipped"), "0") {
				t.Errorf("skipped %v", skipped)
			}
			if len(skipped) > 0 && !strings.Contains(errors.Join(skipped...).Error(), or(v.Get("error"), "?")) {
				t.Errorf("skipped %v, want one with %q", skipped, v.Get("error"))
			}
		})
	}
}

func parseKeys(v testvectors.Vector) (keys []*jws.Key, skipped []error, err error) {
	body := []byte(v.Body)
	var key *jws.Key
	switch v.Get("parse") {
	case "set":
		return jws.ParseJWKSet(body)
	case "x509":
		return jws.ParseX509Set(body)
	case "pem":
		key, err = jws.ParsePublicPEM("pem", body)
	case "secret":
		key, err = jws.ParseSecretJWK(body)
	case "private":
		var signer *jws.Signer
		if signer, err = jws.ParsePrivateJWK(body); signer != nil {
			key = signer.Key()
		}
	default:
		key, err = jws.ParseJWK(body)
	}
	if key == nil {
		return nil, nil, err
	}
	return []*jws.Key{key}, nil, err
}

func describe(keys []*jws.Key) string {
	var list []string
	for _, k := range keys {
		list = append(list, string(k.Algorithm())+"/"+k.ID())
	}
	return strings.Join(list, " ")
}
