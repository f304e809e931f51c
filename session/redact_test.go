package session_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/session"
)

// TestSecretsAreNotPrinted looks for one secret text in every form in which fmt and slog could show it.
func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := "the secret of the test, 32 bytes"
	family := session.Family{ID: eventID(1), Secret: []byte(secret), Expires: w.clock.Now().Add(time.Hour)}
	if err := w.store.Create(t.Context(), family); err != nil {
		t.Fatal(err)
	}
	audience := session.Audience{Name: worldAudience, Secret: []byte(secret)}
	w.config.Audiences = []session.Audience{audience}
	following := session.FollowerConfig{URL: "https://auth.example/v1/events", ClientID: "node", ClientSecret: secret}
	nakama := w.nakamaConfig()
	nakama.Keys, nakama.RefreshKeys = [][]byte{[]byte(secret)}, [][]byte{[]byte(secret + secret)}
	signer := worldEntry(t, "ed25519-1", "key-1", 0)
	for name, v := range map[string]any{
		"family": family, "families": []session.Family{family}, "*family": &family,
		"grant": session.Grant{AccessToken: secret, RefreshToken: secret}, "*grant": &session.Grant{AccessToken: secret, RefreshToken: secret},
		"exchange": session.ExchangeRequest{SubjectToken: secret}, "refresh": session.RefreshRequest{RefreshToken: secret},
		"audience": audience, "issuer config": w.config, "issuer": must(session.NewIssuer(w.config)),
		"follower config": following, "follower": must(session.NewFollower(following)),
		"nakama config": nakama, "verifier": must(session.NewNakamaVerifier(nakama)),
		"memory store": w.store.MemoryStore,
	} {
		shown := fmt.Sprintf("%v %+v %#v %s %q %x", v, v, v, v, v, v)
		var logs strings.Builder
		slog.New(slog.NewTextHandler(&logs, nil)).Info("test", "v", v)
		if name != "families" && name != "issuer config" && name != "nakama config" { // encoding/json writes no functions
			slog.New(slog.NewJSONHandler(&logs, nil)).Info("test", "v", v)
		}
		shown += logs.String()
		for _, form := range []string{secret, fmt.Sprint([]byte(secret)), fmt.Sprintf("%x", secret), "dGhlIHNlY3JldC", strings.Trim(fmt.Sprintf("%#v", []byte(secret)), "[]byte{}")} {
			if strings.Contains(shown, form) {
				t.Errorf("%s shows its secret as %.20s…: %s", name, form, shown)
			}
		}
	}
	if shown := fmt.Sprintf("%+v", signer); !strings.Contains(shown, `jws.Signer(EdDSA "key-1")`) {
		t.Errorf("a key entry prints its signer as %s", shown)
	}
	if shown := fmt.Sprintf("%+v", family); !strings.Contains(shown, family.ID) {
		t.Errorf("a family prints as %s, which says nothing", shown)
	}
}
