package jws_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
)

// RFC 8037 appendix A.1 to A.3: a private JWK, its public one and its thumbprint.
const (
	rfcOKPPrivate = `{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",` +
		`"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	rfcOKPThumbprint = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

	// RFC 7638 section 3.1.
	rfcThumbprintRSA = `{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRX` +
		`jBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL` +
		`5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB",` +
		`"alg":"RS256","kid":"2011-04-29"}`
	rfcThumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
)

func TestThumbprints(t *testing.T) {
	t.Parallel()
	s, err := jws.ParsePrivateJWK([]byte(rfcOKPPrivate))
	if err != nil || s.Key().Thumbprint() != rfcOKPThumbprint {
		t.Errorf("RFC 8037: %v", err)
	}
	key, err := jws.ParseJWK([]byte(rfcThumbprintRSA))
	if err != nil || key.Thumbprint() != rfcThumbprint || key.ID() != "2011-04-29" {
		t.Errorf("RFC 7638: %v", err)
	}
	if got := signer(t, "hs-1").Key(); got.Thumbprint() != "" || got.Public() != nil {
		t.Error("a secret has no thumbprint and no public key")
	}
	if len(signer(t, "p256-1").Key().Thumbprint()) != 43 {
		t.Error("an EC key has one")
	}
}

func TestPrivateJWKRoundTrip(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"rsa-1", "p256-1", "ed25519-1", "hs-1"} {
		s := signer(t, name)
		text, err := s.MarshalJWK()
		if err != nil {
			t.Fatal(err)
		}
		again, err := jws.ParsePrivateJWK(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if again.Key().ID() != name || again.Key().Algorithm() != s.Key().Algorithm() {
			t.Errorf("%s: %v", name, again)
		}
		v := verifier(t, config(jws.StaticKeys{s.Key()}))
		if _, err := v.Verify(context.Background(), signed(t, again)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := jws.ParseJWK(text); err == nil {
			t.Errorf("%s: a private JWK was taken for a public one", name)
		}
	}
}

func TestMarshalJWKSet(t *testing.T) {
	t.Parallel()
	keys := []*jws.Key{signer(t, "rsa-1").Key(), signer(t, "p256-1").Key(), signer(t, "ed25519-1").Key()}
	text, err := jws.MarshalJWKSet(keys...)
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(text, &set); err != nil || len(set.Keys) != 3 {
		t.Fatalf("%s: %v", text, err)
	}
	for i, members := range set.Keys {
		if members["kid"] != keys[i].ID() || members["use"] != "sig" || members["alg"] != string(keys[i].Algorithm()) || members["d"] != "" {
			t.Errorf("got %v", members)
		}
	}
	if text, err := jws.MarshalJWKSet(); err != nil || string(text) != `{"keys":[]}` {
		t.Errorf("empty: %s, %v", text, err)
	}
	for _, key := range []*jws.Key{nil, signer(t, "hs-1").Key()} {
		if text, err := jws.MarshalJWKSet(key); err == nil {
			t.Errorf("%v was published as %s", key, text)
		}
	}
}

func TestSignedHeader(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct{ kid, typ string }{
		`{"alg":"HS256"}`: {"", ""},
		`{"alg":"HS256","kid":"a\"b","typ":"application/x"}`: {`a"b`, "application/x"},
		`{"alg":"HS256","typ":"at+jwt"}`:                     {"", "at+jwt"},
	} {
		s, err := jws.NewSecretSigner(c.kid, testvectors.Secret("hs-1"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := s.Sign(c.typ, []byte(good))
		if err != nil {
			t.Fatal(err)
		}
		cfg := config(jws.StaticKeys{s.Key()})
		cfg.Types = []string{c.typ}
		token, err := verifier(t, cfg).Verify(context.Background(), text)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := token.Header().Params.MarshalJSON(); string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestSignRefusesWhatVerifyWould(t *testing.T) {
	t.Parallel()
	s := signer(t, "hs-1")
	for _, claims := range []string{``, `[]`, `{"sub":"a","sub":"b"}`, `{"SUB":"a"}`, "{\"a\":\"\xff\"}"} {
		if token, err := s.Sign("JWT", []byte(claims)); err == nil || token != "" || jws.ReasonOf(err) != "" {
			t.Errorf("%q: %v", claims, err)
		}
	}
	if _, err := s.Sign("\xff", []byte(good)); err == nil {
		t.Error("signed under a typ that is no text")
	}
}

// service is a private key that another machine holds.
type service struct {
	public crypto.PublicKey
	answer []byte
	err    error
}

func (s service) Public() crypto.PublicKey { return s.public }

func (s service) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return s.answer, s.err }

func TestSignerOfAKeyService(t *testing.T) {
	t.Parallel()
	public := testvectors.PrivateKey(t, "p256-1").Public()
	marshal := func(r, s *big.Int) []byte {
		der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	one, large := big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 256)
	failure := errors.New("service down")
	for name, c := range map[string]struct {
		service service
		good    bool
	}{
		"small numbers": {service{public, marshal(one, one), nil}, true},
		"failure":       {service{public, nil, failure}, false},
		"no signature":  {service{public, []byte("signature"), nil}, false},
		"more behind":   {service{public, append(marshal(one, one), 0), nil}, false},
		"too large":     {service{public, marshal(large, one), nil}, false},
		"zero":          {service{public, marshal(one, new(big.Int)), nil}, false},
		"negative":      {service{public, marshal(big.NewInt(-1), one), nil}, false},
	} {
		s, err := jws.NewSigner("kms", c.service)
		if err != nil {
			t.Fatal(err)
		}
		token, err := s.Sign("JWT", []byte(good))
		if (err == nil) != c.good || errors.Is(err, failure) != (c.service.err != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if c.good && !strings.HasSuffix(token, "."+b64(fixed32(one)+fixed32(one))) {
			t.Errorf("%s: %s", name, token)
		}
		if _, err := s.MarshalJWK(); err == nil {
			t.Errorf("%s: written as a JWK", name)
		}
	}
}

func TestRefusedKeys(t *testing.T) {
	t.Parallel()
	p384 := &ecdsa.PublicKey{Curve: elliptic.P384(), X: big.NewInt(1), Y: big.NewInt(1)}
	off := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}
	for want, public := range map[string]crypto.PublicKey{
		"type string":        "key",
		"type <nil>":         nil,
		"type rsa.PublicKey": *testvectors.PrivateKey(t, "rsa-1").Public().(*rsa.PublicKey),
		"odd and positive":   &rsa.PublicKey{},
		"without a point":    &ecdsa.PublicKey{Curve: elliptic.P256()},
		"without a":          (*ecdsa.PublicKey)(nil),
		"modulus":            (*rsa.PublicKey)(nil),
		"1024 bits":          testvectors.PrivateKey(t, "rsa-1024").Public(),
		"another curve":      p384,
		"no point":           off,
	} {
		if key, err := jws.NewKey("a", public); key != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	good := testvectors.PrivateKey(t, "ed25519-1")
	for _, kid := range []string{"\xff", strings.Repeat("k", 513)} {
		if _, err := jws.NewKey(kid, good.Public()); err == nil {
			t.Errorf("kid %.10q was taken", kid)
		}
		if _, err := jws.NewSecretSigner(kid, testvectors.Secret("hs-1")); err == nil {
			t.Errorf("kid %.10q was taken for a secret", kid)
		}
	}
	if _, err := jws.NewSigner("a", nil); err == nil {
		t.Error("no key was taken")
	}
	if _, err := jws.NewSigner("a", testvectors.PrivateKey(t, "rsa-1024")); err == nil {
		t.Error("a weak key signs")
	}
}

// TestMarshalBrokenRSA writes private keys that were put together by hand, which neither panics nor changes the key.
func TestMarshalBrokenRSA(t *testing.T) {
	t.Parallel()
	whole := testvectors.PrivateKey(t, "rsa-1").(*rsa.PrivateKey)
	for name, private := range map[string]*rsa.PrivateKey{
		"":              {PublicKey: whole.PublicKey, D: whole.D, Primes: whole.Primes},
		"another D":     {PublicKey: whole.PublicKey, D: big.NewInt(5), Primes: whole.Primes},
		"nil primes":    {PublicKey: whole.PublicKey, D: whole.D, Primes: []*big.Int{nil, nil}},
		"no D":          {PublicKey: whole.PublicKey, Primes: whole.Primes},
		"one prime":     {PublicKey: whole.PublicKey, D: whole.D, Primes: whole.Primes[:1]},
		"swapped twice": {PublicKey: whole.PublicKey, D: whole.D, Primes: []*big.Int{whole.Primes[0], whole.Primes[0]}},
	} {
		s, err := jws.NewSigner("a", private)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := s.MarshalJWK(); (err == nil) != (name == "") || (err != nil && text != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if private.Precomputed.Dp != nil {
			t.Errorf("%s: the caller's key was changed", name)
		}
	}
}

func TestInsecureSecrets(t *testing.T) {
	t.Parallel()
	short := []byte("defaultencryptionkey")
	if _, err := jws.NewSecretSigner("", short); err == nil {
		t.Error("a short secret signs")
	}
	s, err := jws.InsecureSecretSigner("", short)
	if err != nil {
		t.Fatal(err)
	}
	key, err := jws.InsecureSecretKey("", short)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verifier(t, config(jws.StaticKeys{key})).Verify(context.Background(), signed(t, s)); err != nil {
		t.Error(err)
	}
	for _, empty := range [][]byte{nil, {}} {
		if _, err := jws.InsecureSecretKey("", empty); err == nil {
			t.Error("the empty secret was taken")
		}
		if _, err := jws.InsecureSecretSigner("", empty); err == nil {
			t.Error("the empty secret signs")
		}
	}
}

// TestShortSecretUnderFIPS: in FIPS 140-only mode a short secret is an error at once, not a panic for every token.
func TestShortSecretUnderFIPS(t *testing.T) {
	if strings.Contains(os.Getenv("GODEBUG"), "fips140") {
		if _, err := jws.InsecureSecretKey("", []byte("defaultkey")); err == nil || !strings.Contains(err.Error(), "FIPS 140") {
			t.Errorf("got %v", err)
		}
		if _, err := jws.InsecureSecretKey("", []byte("defaultencryptionkey")); err != nil {
			t.Error(err)
		}
		return
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "TestShortSecretUnderFIPS", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestSecretIsCopied: the caller may clear its copy.
func TestSecretIsCopied(t *testing.T) {
	t.Parallel()
	secret := testvectors.Secret("hs-1")
	s, err := jws.NewSecretSigner("hs-1", secret)
	if err != nil {
		t.Fatal(err)
	}
	clear(secret)
	v := verifier(t, config(jws.StaticKeys{signer(t, "hs-1").Key()}))
	if _, err := v.Verify(context.Background(), signed(t, s)); err != nil {
		t.Error(err)
	}
}
