package jws

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
)

// Each benchmark of a verification stands beside its floor: the bare cryptography over the same bytes.

// cognitoClaims has the members of a Cognito access token, nakamaClaims those of a Nakama session.
const (
	cognitoClaims = `{"sub":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee","cognito:groups":["players","testers"],` +
		`"iss":"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE01","client_id":"1example23456789example234",` +
		`"origin_jti":"11111111-2222-3333-4444-555555555555","event_id":"66666666-7777-8888-9999-000000000000","token_use":"access",` +
		`"scope":"aws.cognito.signin.user.admin","auth_time":1793534000,"exp":1793538000,"iat":1793534400,` +
		`"jti":"12121212-3434-5656-7878-909090909090","username":"player-one-with-a-long-name"}`
	nakamaClaims = `{"tid":"11111111-2222-3333-4444-555555555555","uid":"66666666-7777-8888-9999-000000000000",` +
		`"usn":"player-one","exp":1793538000,"iat":1793534400}`
)

func benchVerifier(b *testing.B, s *Signer) *Verifier {
	b.Helper()
	v, err := NewVerifier(Config{
		Keys:       StaticKeys{s.Key()},
		Algorithms: []Algorithm{s.Key().Algorithm()},
		Types:      []string{"", "JWT"},
		Accept:     AcceptAnyClaims,
		Now:        func() time.Time { return testvectors.Now },
	})
	if err != nil {
		b.Fatal(err)
	}
	return v
}

func benchToken(b *testing.B, s *Signer, claims string) string {
	b.Helper()
	token, err := s.Sign("JWT", []byte(claims))
	if err != nil {
		b.Fatal(err)
	}
	return token
}

func benchVerify(b *testing.B, s *Signer, claims string) {
	v, token := benchVerifier(b, s), benchToken(b, s, claims)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(context.Background(), token); err != nil {
			b.Fatal(err)
		}
	}
}

func rsaSigner(b *testing.B) *Signer {
	b.Helper()
	s, err := NewSigner("rsa-1", testvectors.PrivateKey(b, "rsa-1"))
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func hmacSigner(b *testing.B) *Signer {
	b.Helper()
	s, err := NewSecretSigner("", testvectors.Secret("hs-1"))
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// cutToken returns a token's signing input and signature.
func cutToken(token string) (signed, signature []byte) {
	dot := strings.LastIndexByte(token, '.')
	signature, _ = decode(nil, token[dot+1:])
	return []byte(token[:dot]), signature
}

func BenchmarkRS256Floor(b *testing.B) {
	s := rsaSigner(b)
	signed, signature := cutToken(benchToken(b, s, cognitoClaims))
	public := s.Key().Public().(*rsa.PublicKey)
	b.ReportAllocs()
	for b.Loop() {
		sum := sha256.Sum256(signed)
		if rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) != nil {
			b.Fatal("bad signature")
		}
	}
}

func BenchmarkRS256Verify(b *testing.B) { benchVerify(b, rsaSigner(b), cognitoClaims) }

func BenchmarkHS256Floor(b *testing.B) {
	signed, signature := cutToken(benchToken(b, hmacSigner(b), nakamaClaims))
	mac := hmac.New(sha256.New, testvectors.Secret("hs-1"))
	var sum [32]byte
	b.ReportAllocs()
	for b.Loop() {
		mac.Reset()
		mac.Write(signed)
		if !hmac.Equal(mac.Sum(sum[:0]), signature) {
			b.Fatal("bad signature")
		}
	}
}

func BenchmarkHS256Verify(b *testing.B) { benchVerify(b, hmacSigner(b), nakamaClaims) }

func BenchmarkEdDSAVerify(b *testing.B) {
	s, err := NewSigner("ed25519-1", testvectors.PrivateKey(b, "ed25519-1"))
	if err != nil {
		b.Fatal(err)
	}
	benchVerify(b, s, cognitoClaims)
}

func BenchmarkES256Verify(b *testing.B) {
	s, err := NewSigner("p256-1", testvectors.PrivateKey(b, "p256-1"))
	if err != nil {
		b.Fatal(err)
	}
	benchVerify(b, s, cognitoClaims)
}

func BenchmarkCacheGet(b *testing.B) {
	s := rsaSigner(b)
	text := benchToken(b, s, cognitoClaims)
	token, err := benchVerifier(b, s).Verify(context.Background(), text)
	if err != nil {
		b.Fatal(err)
	}
	cache := NewCache[Token](1000)
	cache.Put(text, token, token)
	cache.Put(text, token, token) // the second time it is remembered
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := cache.Get(text, testvectors.Now); !ok {
			b.Fatal("not remembered")
		}
	}
}

func BenchmarkScan(b *testing.B) {
	for name, claims := range map[string]string{"cognito": cognitoClaims, "nakama": nakamaClaims} {
		b.Run(name, func(b *testing.B) {
			room, text := make([]member, 0, 24), []byte(claims)
			b.ReportAllocs()
			for b.Loop() {
				s := scanner{data: text, members: room}
				if s.whole(); s.want != "" {
					b.Fatal(s.want)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	text := encoding.EncodeToString([]byte(cognitoClaims))
	buf := make([]byte, 0, len(text))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := decode(buf, text); !ok {
			b.Fatal("not canonical")
		}
	}
}

func BenchmarkUnverifiedIssuer(b *testing.B) {
	token := benchToken(b, rsaSigner(b), cognitoClaims)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := UnverifiedIssuer(token); err != nil {
			b.Fatal(err)
		}
	}
}
