package jws_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

// exampleSigner stands for a key that a program loads from its key file.
func exampleSigner() *jws.Signer {
	private := ed25519.NewKeyFromSeed([]byte("a seed of 32 bytes, never do so!"))
	signer, err := jws.NewSigner("key-1", private)
	if err != nil {
		log.Fatal(err)
	}
	return signer
}

// exampleNow stands still, so that the examples' output does.
func exampleNow() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) }

func exampleConfig() jws.Config {
	return jws.Config{
		Keys:       jws.StaticKeys{exampleSigner().Key()},
		Algorithms: []jws.Algorithm{jws.EdDSA},
		Types:      []string{"at+jwt"},
		Accept: func(t *jws.Token) error {
			if err := t.RequireIssuer("https://issuer.example"); err != nil {
				return err
			}
			return t.RequireAudience("my-game")
		},
		Now: exampleNow,
	}
}

func exampleToken(claims string) string {
	token, err := exampleSigner().Sign("at+jwt", []byte(claims))
	if err != nil {
		log.Fatal(err)
	}
	return token
}

const exampleClaims = `{"iss":"https://issuer.example","aud":"my-game","sub":"player-1","exp":1793538000}`

func ExampleVerifier_Verify() {
	verifier, err := jws.NewVerifier(exampleConfig())
	if err != nil {
		log.Fatal(err)
	}
	token, err := verifier.Verify(context.Background(), exampleToken(exampleClaims))
	if err != nil {
		log.Fatal(err)
	}
	subject, _ := token.Claims.String("sub")
	fmt.Println(subject, "until", time.Unix(token.Expiry, 0).UTC())
	// Output: player-1 until 2026-11-01 13:00:00 +0000 UTC
}

func ExampleVerifier_Verify_refused() {
	verifier, err := jws.NewVerifier(exampleConfig())
	if err != nil {
		log.Fatal(err)
	}
	token := exampleToken(`{"iss":"https://issuer.example","aud":"another-game","exp":1793538000}`)
	_, err = verifier.Verify(context.Background(), token)
	fmt.Println(errors.Is(err, jws.WrongAudience), jws.ReasonOf(err))
	fmt.Println(err)
	// Output:
	// true wrong_audience
	// jws: wrong_audience (issuer check): aud: want my-game, got "another-game"
}

func ExampleNewVerifier() {
	_, err := jws.NewVerifier(jws.Config{Keys: jws.StaticKeys{exampleSigner().Key()}})
	fmt.Println(err)
	// Output: jws: Config.Algorithms is not set: list what tokens may be signed with, such as RS256
}

func ExampleUnverifiedIssuer() {
	verifiers := map[string]string{"https://issuer.example": "the verifier of issuer.example"}
	issuer, err := jws.UnverifiedIssuer(exampleToken(exampleClaims))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verifiers[issuer])
	// Output: the verifier of issuer.example
}

func ExampleSigner_Sign() {
	token, err := exampleSigner().Sign("JWT", []byte(`{"exp":1793538000}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token[:78])
	// Output: eyJhbGciOiJFZERTQSIsImtpZCI6ImtleS0xIiwidHlwIjoiSldUIn0.eyJleHAiOjE3OTM1MzgwMD
}

func ExampleNewSecretSigner() {
	_, err := jws.NewSecretSigner("", []byte("defaultencryptionkey"))
	fmt.Println(err)
	// Output: jws: an HS256 secret of 20 bytes; want at least 32 random ones
}

func ExampleNewSecretKey() {
	key, err := jws.NewSecretKey("key-1", []byte("32 bytes from crypto/rand are it"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key.Algorithm(), key.ID())
	// Output: HS256 key-1
}

func ExampleParseObject() {
	claims, err := jws.ParseObject([]byte(`{"sub":"player-1","aud":["a","b"],"level":7}`))
	if err != nil {
		log.Fatal(err)
	}
	audience, _ := claims.Strings("aud")
	level, _ := claims.Int64("level")
	_, ok := claims.String("level")
	fmt.Println(audience, level, ok)
	// Output: [a b] 7 false
}

func ExampleParseObject_refused() {
	_, err := jws.ParseObject([]byte(`{"sub":"player-1","SUB":"admin"}`))
	fmt.Println(err)
	// Output: jws: malformed (format check): want registered names in their own spelling
}

func ExampleObject_Decode() {
	claims, err := jws.ParseObject([]byte(`{"sub":"player-1","guild":{"name":"Owls"}}`))
	if err != nil {
		log.Fatal(err)
	}
	var own struct {
		Guild struct {
			Name string `json:"name"`
		} `json:"guild"`
	}
	if err := claims.Decode(&own); err != nil {
		log.Fatal(err)
	}
	fmt.Println(own.Guild.Name)
	// Output: Owls
}

func ExampleToken_RequireString() {
	cfg := exampleConfig()
	cfg.Accept = func(t *jws.Token) error { return t.RequireString("token_use", "access") }
	verifier, err := jws.NewVerifier(cfg)
	if err != nil {
		log.Fatal(err)
	}
	_, err = verifier.Verify(context.Background(), exampleToken(`{"token_use":"id","exp":1793538000}`))
	fmt.Println(err)
	// Output: jws: wrong_claim (policy check): token_use: want access, got "id"
}

func ExampleParseJWKSet() {
	keys, skipped, err := jws.ParseJWKSet([]byte(`{"keys":[
		{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
		{"kty":"oct","kid":"b","k":"c2VjcmV0"}
	]}`))
	fmt.Println(keys, skipped, err)
	// Output: [jws.Key(EdDSA "a")] [jws: key 1 (kid "b"): a secret key (kty oct) where a public one belongs] <nil>
}

func ExampleMarshalJWKSet() {
	set, err := jws.MarshalJWKSet(exampleSigner().Key())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(set))
	// Output: {"keys":[{"kty":"OKP","kid":"key-1","use":"sig","alg":"EdDSA","crv":"Ed25519","x":"OZFwpNSuKmGY3jy4v9TJOJspHuWPeVSqzYW86nvxqrs"}]}
}

func ExampleParsePublicPEM() {
	key, err := jws.ParsePublicPEM("clerk", []byte(`-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----`))
	fmt.Println(key, err)
	// Output: jws.Key(EdDSA "clerk") <nil>
}

func ExampleKey_Distrust() {
	key := exampleSigner().Key()
	fmt.Println(key.Trusted(exampleNow()))
	key.Distrust()
	fmt.Println(key.Trusted(exampleNow()))
	// Output:
	// true
	// false
}

func ExampleCache() {
	type player struct{ name string }
	verifier, err := jws.NewVerifier(exampleConfig())
	if err != nil {
		log.Fatal(err)
	}
	cache := jws.NewCache[player](10_000)
	text := exampleToken(exampleClaims)
	for range 3 {
		if p, found := cache.Get(text, exampleNow()); found {
			fmt.Println("remembered:", p.name)
			continue
		}
		token, err := verifier.Verify(context.Background(), text)
		if err != nil {
			log.Fatal(err)
		}
		name, _ := token.Claims.String("sub")
		cache.Put(text, token, &player{name})
		fmt.Println("verified:", name)
	}
	// Output:
	// verified: player-1
	// verified: player-1
	// remembered: player-1
}
