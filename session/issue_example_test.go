package session_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// signIn stands for the verifier of an identity provider, such as one from identity.NewCognito.
type signIn struct{}

func (signIn) Verify(_ context.Context, token string) (*identity.Identity, error) {
	if token != "alice's identity token" {
		return nil, &jws.Refusal{Check: jws.CheckSignature, Reason: jws.BadSignature}
	}
	return &identity.Identity{
		Player:   identity.Player{Realm: "players", Subject: "0b7c1f3e-6f0a-4a43-9d5b-6f1f0e5f2a11"},
		ClientID: "game-client", Scopes: []string{"play"}, Session: "upstream-1", IssuedAt: time.Now().Add(-time.Minute),
	}, nil
}

// service is what the examples below share.
type service struct {
	store    *session.MemoryStore
	ledger   *session.Ledger
	ring     *session.Keyring
	issuer   *session.Issuer
	verifier *session.Verifier
}

// newService puts a service together: store, ledger, keys, issuer, verifier.
func newService(ctx context.Context) *service {
	s := &service{store: session.NewMemoryStore(), ring: newKeyring()}
	var err error
	if s.ledger, err = session.NewLedger(session.LedgerConfig{Store: s.store, Policy: session.Grace}); err != nil {
		log.Fatal(err)
	}
	if err := s.ledger.Load(ctx); err != nil { // and `go s.ledger.Run(ctx)` in a service
		log.Fatal(err)
	}
	s.issuer, err = session.NewIssuer(session.IssuerConfig{
		Issuer:     "https://play.example",
		Audiences:  []session.Audience{{Name: "arena"}},
		Keys:       s.ring,
		Ledger:     s.ledger,
		Families:   s.store,
		Identities: signIn{},
		Realms:     []string{"players"},
	})
	if err != nil {
		log.Fatal(err)
	}
	s.verifier, err = session.NewVerifier(session.VerifierConfig{
		Issuer: "https://play.example", Audience: "arena", Keys: s.ring, Realms: []string{"players"}, Ledger: s.ledger,
	})
	if err != nil {
		log.Fatal(err)
	}
	return s
}

func newKeyring() *session.Keyring {
	ring, err := session.NewKeyring(session.KeyringConfig{})
	if err != nil {
		log.Fatal(err)
	}
	if err := ring.Rotate(newKey("2026-11")); err != nil { // the first key of an empty ring signs at once
		log.Fatal(err)
	}
	return ring
}

func newKey(kid string) *jws.Signer {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	key, err := jws.NewSigner(kid, private)
	if err != nil {
		log.Fatal(err)
	}
	return key
}

// exchange signs alice in.
func (s *service) exchange(ctx context.Context) *session.Grant {
	grant, err := s.issuer.Exchange(ctx, session.ExchangeRequest{SubjectToken: "alice's identity token"})
	if err != nil {
		log.Fatal(err)
	}
	return grant
}

func ExampleNewIssuer() {
	ring := newKeyring()
	_, err := session.NewIssuer(session.IssuerConfig{
		Issuer:    "https://play.example",
		Audiences: []session.Audience{{Name: "arena"}},
		Keys:      ring,
	})
	fmt.Println(err)
	// Output: session: IssuerConfig.Ledger is missing: without it no ban or sign-out would count
}

func ExampleIssuer_Exchange() {
	ctx := context.Background()
	service := newService(ctx)
	grant, err := service.issuer.Exchange(ctx, session.ExchangeRequest{
		SubjectToken: "alice's identity token",
		Audience:     "arena",
		Scopes:       []string{"play"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(grant.Session.PlayerID, grant.ExpiresIn.Round(time.Minute), grant.Scopes)

	if err := service.ledger.Ban(ctx, grant.Session.Player, "cheating", time.Time{}); err != nil {
		log.Fatal(err)
	}
	_, err = service.issuer.Exchange(ctx, session.ExchangeRequest{SubjectToken: "alice's identity token"})
	fmt.Println("after the ban:", jws.ReasonOf(err))
	// Output:
	// 0b7c1f3e-6f0a-4a43-9d5b-6f1f0e5f2a11 2h0m0s [play]
	// after the ban: banned
}

func ExampleIssuer_Refresh() {
	ctx := context.Background()
	service := newService(ctx)
	grant := service.exchange(ctx)
	refresh := func(token string) (*session.Grant, error) {
		return service.issuer.Refresh(ctx, session.RefreshRequest{RefreshToken: token, ClientID: "game-client"})
	}
	first, err := refresh(grant.RefreshToken)
	if err != nil {
		log.Fatal(err)
	}
	again, err := refresh(grant.RefreshToken) // the answer was lost on the way
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the same successor:", first.RefreshToken == again.RefreshToken)

	if _, err := refresh(first.RefreshToken); err != nil {
		log.Fatal(err)
	}
	_, err = refresh(grant.RefreshToken) // the successor was used: somebody else holds this one
	fmt.Println("a replay:", jws.ReasonOf(err))
	_, err = service.verifier.Verify(ctx, first.AccessToken)
	fmt.Println("its session:", jws.ReasonOf(err))
	// Output:
	// the same successor: true
	// a replay: replayed
	// its session: revoked
}

func ExampleIssuer_RevokeRefresh() {
	ctx := context.Background()
	service := newService(ctx)
	grant := service.exchange(ctx)
	if err := service.issuer.RevokeRefresh(ctx, grant.RefreshToken); err != nil {
		log.Fatal(err) // the store is away, and the player is not signed out
	}
	_, err := service.verifier.Verify(ctx, grant.AccessToken)
	fmt.Println(jws.ReasonOf(err))
	// Output: revoked
}

func ExampleNewVerifier() {
	ctx := context.Background()
	service := newService(ctx)
	verifier, err := session.NewVerifier(session.VerifierConfig{
		Issuer:   "https://play.example",
		Audience: "arena",
		Keys:     service.ring, // elsewhere: jwks.New(jwks.Config{URL: "https://play.example/.well-known/jwks.json"})
		Realms:   []string{"players"},
		Ledger:   service.ledger,
	})
	if err != nil {
		log.Fatal(err)
	}
	s, err := verifier.Verify(ctx, service.exchange(ctx).AccessToken)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Player.Realm, s.ClientID, s.HasScope("play"))
	// Output: players game-client true
}

func ExampleVerifier_VerifyFor() {
	ctx := context.Background()
	service := newService(ctx)
	token := service.exchange(ctx).AccessToken
	for _, userID := range []string{"0b7c1f3e-6f0a-4a43-9d5b-6f1f0e5f2a11", "5d1f2f52-91c0-4a6e-8f5c-1f2e3d4c5b6a"} {
		_, err := service.verifier.VerifyFor(ctx, userID, token)
		fmt.Printf("%t %q\n", err == nil, jws.ReasonOf(err))
	}
	// Output:
	// true ""
	// false "wrong_user"
}

func ExampleNewNakamaVerifier() {
	ctx := context.Background()
	service := newService(ctx)
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		log.Fatal(err)
	}
	verifier, err := session.NewNakamaVerifier(session.NakamaConfig{
		Realm:   "players",
		Keys:    [][]byte{secret}, // session.encryption_key
		Aliases: session.AliasOptional,
		Ledger:  service.ledger,
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = verifier.Verify(ctx, "not.a.token")
	fmt.Println(jws.ReasonOf(err))

	_, err = session.NewNakamaVerifier(session.NakamaConfig{
		Realm: "players", Keys: [][]byte{[]byte("defaultencryptionkey")}, Aliases: session.AliasOptional, Ledger: service.ledger,
	})
	fmt.Println(err)
	// Output:
	// malformed
	// session: NakamaConfig.Keys[0]: the secret is one of Nakama's defaults, which everybody knows: set 32 random bytes
}

func ExampleNewTicketOffice() {
	ctx := context.Background()
	service := newService(ctx)
	office, err := session.NewTicketOffice(session.TicketConfig{Store: service.store, Verifier: service.verifier})
	if err != nil {
		log.Fatal(err)
	}
	binding := session.Binding{Origin: "https://game.example"}
	ticket, _, err := office.Issue(ctx, service.exchange(ctx).AccessToken, binding)
	if err != nil {
		log.Fatal(err)
	}
	s, _, err := office.Redeem(ctx, ticket, binding) // wss://play.example/arena?ticket=…
	if err != nil {
		log.Fatal(err)
	}
	_, _, err = office.Redeem(ctx, ticket, binding)
	fmt.Println(s.ClientID, errors.Is(err, jws.Replayed))
	// Output: game-client true
}

func ExampleKeyring() {
	ring := newKeyring()
	if err := ring.Rotate(newKey("2026-12")); err != nil {
		log.Fatal(err)
	}
	for _, key := range ring.State() {
		fmt.Println(key.KeyID, key.Algorithm, key.State)
	}
	fmt.Println("signs in", ring.State()[1].Signs.Sub(ring.State()[1].Published))
	// Output:
	// 2026-11 EdDSA signing
	// 2026-12 EdDSA published
	// signs in 1h0m0s
}

func ExampleParseKeyFile() {
	file, err := newKeyring().KeyFile() // write it with mode 0600
	if err != nil {
		log.Fatal(err)
	}
	entries, err := session.ParseKeyFile(file)
	if err != nil {
		log.Fatal(err)
	}
	ring, err := session.NewKeyring(session.KeyringConfig{Keys: entries})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ring.State()[0].KeyID, ring.State()[0].State)
	// Output: 2026-11 signing
}
