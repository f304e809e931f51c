package photon_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/photon"
	"github.com/sallyport-auth/sallyport/session"
)

const (
	secret    = "dashboard-secret-2026"
	oldSecret = "dashboard-secret-2025"
)

var expiry = testvectors.Now.Add(time.Hour)

// sessions is a session verifier that knows tokens by name.
type sessions struct{}

func (sessions) Verify(_ context.Context, token string) (*session.Session, error) {
	s := &session.Session{
		Player:   identity.Player{Realm: "main", Subject: "google|1"},
		PlayerID: "3f0c8a52-6f7e-5d3b-9a61-0c6a5b1f7d10",
		UserID:   "11111111-2222-4333-8444-555555555555",
		Username: "Ada",
		Expiry:   expiry,
	}
	switch token {
	case "good":
	case "no-user":
		s.PlayerID = ""
	case "long-user":
		s.PlayerID = strings.Repeat("x", 256)
	case "quoted-user":
		s.PlayerID, s.Username = strings.Repeat(`"`, 255), strings.Repeat(`\`, 200)
	case "control-user":
		s.PlayerID = "a\nb"
	case "no-expiry":
		s.Expiry = time.Time{}
	case "address":
		s.Username = "ada@example.com"
	case "nameless":
		s.Username = ""
	case "longname":
		s.Username = strings.Repeat("ä", 500)
	case "controlname":
		s.Username = " evil\n\u202ename\ufffd\xff "
	default:
		return nil, refusal(token)
	}
	return s, nil
}

// refusal is the error for a token by its name. It panics and returns nil for two of them.
func refusal(token string) error {
	switch token {
	case "malformed":
		return &jws.Refusal{Check: jws.CheckFormat, Reason: jws.Malformed}
	case "expired":
		return &jws.Refusal{Check: jws.CheckTime, Reason: jws.Expired, Verified: true}
	case "early":
		return &jws.Refusal{Check: jws.CheckTime, Reason: jws.NotYetValid, Verified: true}
	case "forged":
		return &jws.Refusal{Check: jws.CheckSignature, Reason: jws.BadSignature}
	case "revoked":
		return &jws.Refusal{Check: jws.CheckRevocation, Reason: jws.Revoked, Verified: true}
	case "banned":
		return &jws.Refusal{Check: jws.CheckRevocation, Reason: jws.Banned, Verified: true}
	case "down":
		return &jws.Refusal{Check: jws.CheckRevocation, Reason: jws.Unavailable, Verified: true}
	case "keysaway", "identity-keysaway":
		return &jws.Refusal{Check: jws.CheckSignature, Reason: jws.Unavailable}
	case "broken":
		return errors.New("a verifier of another make: " + token)
	case "panics":
		panic("the token was " + token)
	case "nobody":
		return nil
	}
	return &jws.Refusal{Check: jws.CheckSignature, Reason: jws.UnknownKey}
}

// identities is an identity verifier that knows tokens by name.
type identities struct{}

func (identities) Verify(_ context.Context, token string) (*identity.Identity, error) {
	id := &identity.Identity{Player: identity.Player{Realm: "main", Subject: "google|2"}, Username: "Bob", Expiry: expiry}
	switch token {
	case "identity", "identity-keysaway":
	case "identity-uuid":
		id.Player.Subject = "0B2E0C60-8F1D-4C8E-9C38-0D6E3A6A7A11"
	case "identity-banned":
		id.Player.Subject = "banned"
	case "identity-nobody":
		id.Player.Subject = ""
	case "keysaway":
		return nil, &jws.Refusal{Check: jws.CheckSignature, Reason: jws.UnknownKey}
	default:
		return nil, refusal(token)
	}
	return id, nil
}

// ledger bans one player.
type ledger struct{}

func (ledger) CheckIdentity(id *identity.Identity) error {
	if id.Player.Subject == "banned" {
		return refusal("banned")
	}
	return nil
}

// newHandler makes a handler that takes sessions, changed as the name says.
func newHandler(t testing.TB, name string, onResult func(context.Context, photon.Result)) *photon.Handler {
	t.Helper()
	config := photon.Config{Sessions: sessions{}, Secrets: []string{secret, oldSecret}, MaxBytes: 1000, OnResult: onResult}
	switch name {
	case "":
	case "no-secret":
		config.Secrets, config.InsecureNoSecret = nil, true
	case "no-nickname":
		config.NoNickname = true
	case "backend-user-id":
		config.UserID = photon.BackendUserID
	case "subject":
		config.UserID, config.SingleRealm = photon.Subject, true
	case "both":
		config.Identities, config.Revocations = identities{}, ledger{}
	case "identities", "single-realm":
		config.Sessions, config.Identities, config.Revocations = nil, identities{}, ledger{}
		config.SingleRealm = name == "single-realm"
	default:
		t.Fatalf("no config %q", name)
	}
	handler, err := photon.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return handler
}
