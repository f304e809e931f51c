package main

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/clerk/clerk-sdk-go/v2"
	clerkhttp "github.com/clerk/clerk-sdk-go/v2/http"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// table is candidates that are measured beside each other; the first is the floor.
type table struct {
	name, title string
	candidates  []candidate
}

// fixture is the tokens of the tables and the keys that they are signed with.
type fixture struct {
	rsa                    *rsa.PrivateKey
	secret                 []byte
	cognito, clerk, nakama string
	cognitoPolicy          policy
	clerkPolicy            policy
	nakamaPolicy           policy
}

const (
	poolID   = "eu-central-1_Bench1234"
	clientID = "1h57kf5cpq17m0eml12EXAMPLE"
	uid      = "4c2ae592-b2a7-445e-98ec-697694478b1c"
)

func newFixture() (*fixture, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	f := &fixture{rsa: key, secret: make([]byte, 32)}
	if _, err := rand.Read(f.secret); err != nil {
		return nil, err
	}
	f.cognitoPolicy = policy{
		algorithm: "RS256", public: &key.PublicKey, kid: strings.Repeat("k", 43) + "=", now: time.Now,
		issuer: "https://cognito-idp.eu-central-1.amazonaws.com/" + poolID,
	}
	f.clerkPolicy = f.cognitoPolicy
	f.clerkPolicy.kid, f.clerkPolicy.issuer = "ins_2abcdefghijklmnopqrstuvwxyz", "https://clerk.play.example"
	f.nakamaPolicy = policy{algorithm: "HS256", secret: f.secret, now: time.Now}
	return f, f.mint()
}

// mint signs one token of each kind, with the claims and the size that real ones have.
func (f *fixture) mint() error {
	now := time.Now().Unix()
	cognito := fmt.Sprintf(`{"sub":%q,"cognito:groups":["players","beta"],"iss":%q,"version":2,"client_id":%q,`+
		`"origin_jti":"8a3a0e3c-0000-4f52-a9a1-0d9ad3ea1b5c","event_id":"3fbd1fd5-68c5-4a15-a2d9-4ae8e1b0ee2a",`+
		`"token_use":"access","scope":"aws.cognito.signin.user.admin openid profile email","auth_time":%d,"exp":%d,"iat":%d,`+
		`"jti":"d6f5a3f2-7a1b-4f0e-9b53-0d1e1f2a3b4c","username":%q}`,
		uid, f.cognitoPolicy.issuer, clientID, now, now+3600, now, uid)
	clerkClaims := fmt.Sprintf(`{"azp":"https://play.example","exp":%d,"fva":[12,-1],"iat":%d,"iss":%q,"jti":"2f7e0c6b1c5e4d3f9a8b",`+
		`"nbf":%d,"pla":"u:free","sid":"sess_2abcdefghijklmnopqrstuvwxyz","sts":"active","sub":"user_2abcdefghijklmnopqrstuvwxyz","v":2}`,
		now+3600, now, f.clerkPolicy.issuer, now-10)
	nakama := fmt.Sprintf(`{"tid":"b5f4e6ae-7d4f-4b6e-8a9e-3a0b5a7a0c11","uid":%q,"usn":"player-one","vrs":{"idp":"cognito"},"exp":%d,"iat":%d}`,
		uid, now+3600, now)
	var err error
	if f.cognito, err = f.sign(f.cognitoPolicy, "", cognito); err != nil {
		return err
	}
	if f.clerk, err = f.sign(f.clerkPolicy, `,"cat":"cl_B7d4PD111AAA","typ":"JWT"`, clerkClaims); err != nil {
		return err
	}
	signer, err := jws.NewSecretSigner("", f.secret)
	if err != nil {
		return err
	}
	f.nakama, err = signer.Sign("JWT", []byte(nakama))
	return err
}

// sign signs with RS256 under a header that our own signer would not write: Cognito's has no typ, Clerk's has cat.
func (f *fixture) sign(p policy, more, claims string) (string, error) {
	header := fmt.Sprintf(`{"kid":%q,"alg":"RS256"%s}`, p.kid, more)
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(nil, f.rsa, crypto.SHA256, digest[:])
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), err
}

func newTables() ([]table, error) {
	f, err := newFixture()
	if err != nil {
		return nil, err
	}
	var tables []table
	for _, build := range []func() (table, error){f.rs256, f.hs256, f.clerkTable, f.repeat, f.middleware} {
		t, err := build()
		if err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// rsaFloor is the cryptography alone: the hash of the signing input and the RSA operation.
func (f *fixture) rsaFloor(token string) candidate {
	dot := strings.LastIndexByte(token, '.')
	input := []byte(token[:dot])
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	return candidate{"floor: SHA-256 and RSA-2048", func() error {
		digest := sha256.Sum256(input)
		return errors.Join(err, rsa.VerifyPKCS1v15(&f.rsa.PublicKey, crypto.SHA256, digest[:], signature))
	}}
}

// keyed is an HMAC that holds its key, and room for its sum.
type keyed struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

func (f *fixture) newKeyed() *keyed { return &keyed{mac: hmac.New(sha256.New, f.secret)} }

// hmacFloor is a keyed HMAC out of a pool, reset and put back: what any verifier must do that serves more than one
// goroutine and does not pay for a new HMAC each time.
func (f *fixture) hmacFloor() candidate {
	pool := sync.Pool{New: func() any { return f.newKeyed() }}
	check := f.hmacCheck()
	return candidate{"floor: HMAC-SHA-256, pooled and reset", func() error {
		k := pool.Get().(*keyed)
		defer pool.Put(k)
		return check(k)
	}}
}

// hmacAlone is the floor without the pool, as one goroutine alone could have it.
func (f *fixture) hmacAlone() candidate {
	k, check := f.newKeyed(), f.hmacCheck()
	return candidate{"the same without the pool", func() error { return check(k) }}
}

// hmacCheck resets an HMAC and verifies the Nakama token's signature with it.
func (f *fixture) hmacCheck() func(*keyed) error {
	dot := strings.LastIndexByte(f.nakama, '.')
	input := []byte(f.nakama[:dot])
	signature, err := base64.RawURLEncoding.DecodeString(f.nakama[dot+1:])
	return func(k *keyed) error {
		k.mac.Reset()
		k.mac.Write(input)
		if !hmac.Equal(k.mac.Sum(k.sum[:0]), signature) {
			return errors.New("floor: bad signature")
		}
		return err
	}
}

func verifying(name, token string, verify verifyFunc) candidate {
	return candidate{name, func() error {
		_, err := verify(token)
		return err
	}}
}

// peers are the libraries, on one token, and our verifier at their level.
func (f *fixture) peers(p policy, token string) ([]candidate, error) {
	types := []string{"JWT"}
	if p.public != nil {
		types = []string{"", "JWT"}
	}
	ours, err := sallyportJWS(p, types)
	if err != nil {
		return nil, err
	}
	theirs, err := cristal(p)
	if err != nil {
		return nil, err
	}
	return []candidate{
		verifying("sallyport jws", token, ours),
		verifying("cristalhq/jwt v5", token, theirs),
		verifying("golang-jwt v5", token, golangJWT(p)),
		verifying("go-jose v4", token, goJose(p)),
	}, nil
}

func (f *fixture) rs256() (table, error) {
	rows, err := f.peers(f.cognitoPolicy, f.cognito)
	if err != nil {
		return table{}, err
	}
	verifier, err := f.cognitoIssuer(-1)
	if err != nil {
		return table{}, err
	}
	rows = append([]candidate{f.rsaFloor(f.cognito)}, rows...)
	rows = append(rows, identityRow("sallyport identity (Cognito, all its checks)", verifier, f.cognito))
	return table{"rs256", fmt.Sprintf("First sight, RS256: a Cognito access token of %d bytes", len(f.cognito)), rows}, nil
}

func (f *fixture) hs256() (table, error) {
	rows, err := f.peers(f.nakamaPolicy, f.nakama)
	if err != nil {
		return table{}, err
	}
	verifier, err := f.nakamaVerifier(-1)
	if err != nil {
		return table{}, err
	}
	rows = append([]candidate{f.hmacFloor(), f.hmacAlone()}, rows...)
	rows = append(rows, sessionRow("sallyport session (Nakama, all its checks)", verifier, f.nakama))
	return table{"hs256", fmt.Sprintf("First sight, HS256: a Nakama session token of %d bytes", len(f.nakama)), rows}, nil
}

func (f *fixture) clerkTable() (table, error) {
	verifier, err := f.clerkIssuer(-1)
	if err != nil {
		return table{}, err
	}
	return table{"clerk", fmt.Sprintf("First sight, RS256: a Clerk session token of %d bytes", len(f.clerk)), []candidate{
		f.rsaFloor(f.clerk),
		identityRow("sallyport identity (Clerk, all its checks)", verifier, f.clerk),
		verifying("clerk-sdk-go v2", f.clerk, clerkSDK(f.clerkPolicy)),
	}}, nil
}

func (f *fixture) repeat() (table, error) {
	identities, err := f.cognitoIssuer(0)
	if err != nil {
		return table{}, err
	}
	sessions, err := f.nakamaVerifier(0)
	if err != nil {
		return table{}, err
	}
	return table{"repeat", "The same token again, beside the RSA floor", []candidate{
		f.rsaFloor(f.cognito),
		identityRow("sallyport identity, seen before", identities, f.cognito),
		sessionRow("sallyport session, seen before", sessions, f.nakama),
	}}, nil
}

// middleware compares whole requests; its floor is the handler without any middleware.
func (f *fixture) middleware() (table, error) {
	sessions, err := f.nakamaVerifier(0)
	if err != nil {
		return table{}, err
	}
	identities, err := f.clerkIssuer(0)
	if err != nil {
		return table{}, err
	}
	bySession, err := connect.New(connect.Config{Sessions: sessions})
	if err != nil {
		return table{}, err
	}
	byIdentity, err := connect.New(connect.Config{Identities: identities})
	if err != nil {
		return table{}, err
	}
	app := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	peer := clerkhttp.RequireHeaderAuthorization(
		clerkhttp.JSONWebKey(f.publicPEM()), func(p *clerkhttp.AuthorizationParams) error { p.Clock = clerk.NewClock(); return nil },
	)
	return table{"middleware", "Middleware, a whole request whose token was seen before", []candidate{
		request("floor: the handler alone", app, f.nakama),
		request("sallyport connect.Require, session", bySession.Require()(app), f.nakama),
		request("sallyport connect.Require, identity", byIdentity.Require()(app), f.clerk),
		request("clerk-sdk-go RequireHeaderAuthorization", peer(app), f.clerk),
	}}, nil
}

func identityRow(name string, verifier identity.Verifier, token string) candidate {
	ctx := context.Background()
	return candidate{name, func() error {
		_, err := verifier.Verify(ctx, token)
		return err
	}}
}

func sessionRow(name string, verifier *session.Verifier, token string) candidate {
	ctx := context.Background()
	return candidate{name, func() error {
		_, err := verifier.Verify(ctx, token)
		return err
	}}
}
