package identity_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
)

// provider stands for an identity provider: it signs claims, and its public key is what an issuer would fetch.
func provider() *jws.Signer {
	signer, err := jws.NewSigner("key-1", ed25519.NewKeyFromSeed([]byte("an example's seed of 32 bytes 12")))
	if err != nil {
		log.Fatal(err)
	}
	return signer
}

// issue signs claims that are good for a minute.
func issue(p *jws.Signer, typ, format string, args ...any) string {
	now := time.Now().Unix()
	token, err := p.Sign(typ, fmt.Appendf(nil, `{"iat":%d,"exp":%d,`+format+`}`, append([]any{now, now + 60}, args...)...))
	if err != nil {
		log.Fatal(err)
	}
	return token
}

func Example() {
	idp := provider()
	players, err := identity.NewOIDC(identity.OIDCConfig{
		Common:    identity.Common{Realm: "players", Keys: jws.StaticKeys{idp.Key()}}, // leave Keys out to fetch them
		Issuer:    "https://idp.example",
		Audiences: []string{"game"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer players.Close()

	id, err := players.Verify(context.Background(), issue(idp, "JWT", `"iss":"https://idp.example","aud":"game","sub":"alice"`))
	fmt.Println(id.Player, err)

	_, err = players.Verify(context.Background(), issue(idp, "JWT", `"iss":"https://idp.example","aud":"shop","sub":"alice"`))
	fmt.Println(errors.Is(err, jws.WrongAudience))
	fmt.Println(err)
	// Output:
	// {players alice} <nil>
	// true
	// jws: wrong_audience (issuer check): aud: want game, got "shop"
}

func ExampleNewOIDC() {
	players, err := identity.NewOIDC(identity.OIDCConfig{
		Common:     identity.Common{Realm: "players"},
		Issuer:     "https://keycloak.example/realms/game",
		Audiences:  []string{"game"},
		RolesClaim: "realm_access.roles",
		Logout:     identity.LogoutConfig{ClientIDs: []string{"game"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer players.Close()
	fmt.Println(players.Matches("https://keycloak.example/realms/game"))
	// Output: true
}

func ExampleNewCognito() {
	players, err := identity.NewCognito(identity.CognitoConfig{
		Common:     identity.Common{Realm: "players"},
		UserPoolID: "eu-central-1_Example12",
		ClientIDs:  []string{"1example23456789"},
		Uses:       []identity.Use{identity.AccessToken},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer players.Close()
	fmt.Println(players.Matches("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example12"))
	fmt.Println(players.Matches("https://issuer-cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example12"))
	// Output:
	// true
	// true
}

// A decision that is left open is an error which names the field.
func ExampleConfigError() {
	_, err := identity.NewCognito(identity.CognitoConfig{
		Common:     identity.Common{Realm: "players"},
		UserPoolID: "eu-central-1_Example12",
		ClientIDs:  []string{"1example23456789"},
	})
	var wrong *identity.ConfigError
	fmt.Println(errors.As(err, &wrong) && wrong.Field == "Uses")
	fmt.Println(err)
	// Output:
	// true
	// identity: CognitoConfig.Uses is empty: say which tokens are taken, AccessToken, IDToken or both
}

func ExampleNewClerk() {
	players, err := identity.NewClerk(identity.ClerkConfig{
		Common:            identity.Common{Realm: "players"},
		Issuer:            "https://clerk.game.example",
		AuthorizedParties: []string{"https://game.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer players.Close()
	fmt.Println(players.Name(), players.Matches("https://clerk.evil.example"))
	// Output: clerk false
}

// With the public key from Clerk's dashboard nothing is ever fetched.
func ExampleNewClerk_publicKey() {
	const fromDashboard = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA…
-----END PUBLIC KEY-----`
	_, err := identity.NewClerk(identity.ClerkConfig{
		Common:            identity.Common{Realm: "players"},
		Issuer:            "https://clerk.game.example",
		PublicKeyPEM:      []byte(fromDashboard),
		AuthorizedParties: []string{"https://game.example"},
	})
	var wrong *identity.ConfigError
	fmt.Println("the shortened key of this example is refused:", errors.As(err, &wrong) && wrong.Field == "PublicKeyPEM")
	// Output: the shortened key of this example is refused: true
}

// With the secret key the keys come from Clerk's backend API.
func ExampleNewClerk_secretKey() {
	players, err := identity.NewClerk(identity.ClerkConfig{
		Common:            identity.Common{Realm: "players"},
		Issuer:            "https://clerk.game.example",
		SecretKey:         "sk_live_from_the_environment",
		AuthorizedParties: []string{"https://game.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer players.Close()
	keys, fetched := players.State()
	fmt.Println(keys.URL, fetched)
	// Output: https://api.clerk.com/v1/jwks true
}

func ExampleNewFirebase() {
	players, err := identity.NewFirebase(identity.FirebaseConfig{
		Common:         identity.Common{Realm: "players"},
		ProjectID:      "game-1234",
		SessionCookies: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer players.Close()
	fmt.Println(players.Matches("https://securetoken.google.com/game-1234"), players.Matches("https://session.firebase.google.com/game-1234"))
	// Output: true true
}

func ExampleNewAuth0() {
	players, err := identity.NewAuth0(identity.Auth0Config{
		Common:    identity.Common{Realm: "players"},
		Domain:    "game.eu.auth0.com",
		Audiences: []string{"https://api.game.example"},
		ClientIDs: []string{"kbyuFDidLLm280LIwVFiazOqjO3ty8KH"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer players.Close()
	fmt.Println(players.Matches("https://game.eu.auth0.com/"), players.Matches("https://game.eu.auth0.com"))
	// Output: true false
}

func ExampleNewSupabase() {
	players, err := identity.NewSupabase(identity.SupabaseConfig{
		Common:         identity.Common{Realm: "players"},
		Project:        "abcdefghijklmnopqrst",
		AllowAnonymous: true, // guests may play
	})
	if err != nil {
		log.Fatal(err)
	}
	defer players.Close()
	fmt.Println(players.Matches("https://abcdefghijklmnopqrst.supabase.co/auth/v1"))
	// Output: true
}

func ExampleNewGoogle() {
	players, err := identity.NewGoogle(identity.GoogleConfig{
		Common:            identity.Common{Realm: "players"},
		ClientIDs:         []string{"server.apps.googleusercontent.com"},
		AuthorizedParties: []string{"android.apps.googleusercontent.com"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer players.Close()
	fmt.Println(players.Matches("https://accounts.google.com"), players.Matches("accounts.google.com"))
	// Output: true true
}

func ExampleNewApple() {
	players, err := identity.NewApple(identity.AppleConfig{
		Common:    identity.Common{Realm: "players"},
		ClientIDs: []string{"example.game.ios", "example.game.web"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer players.Close()
	fmt.Println(players.Name())
	// Output: apple
}

func ExampleNewEpicAccount() {
	players, err := identity.NewEpicAccount(identity.EpicAccountConfig{
		Common:    identity.Common{Realm: "epic-accounts"},
		ClientIDs: []string{"xyza7891game"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer players.Close()
	fmt.Println(players.Name())
	// Output: epic-account
}

func ExampleNewEpicConnect() {
	players, err := identity.NewEpicConnect(identity.EpicConnectConfig{
		Common:        identity.Common{Realm: "players"},
		ClientIDs:     []string{"xyza7891eos"},
		ProductID:     "0123456789abcdef",
		DeploymentIDs: []string{"fedcba9876543210"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer players.Close()
	fmt.Println(players.Matches("https://api.epicgames.dev/auth"), players.Matches("https://api.epicgames.dev.evil.example"))
	// Output: true false
}

func ExampleNewUnity() {
	players, err := identity.NewUnity(identity.UnityConfig{
		Common:           identity.Common{Realm: "players"},
		ProjectID:        "0a1b2c3d-0000-4000-8000-00000000cafe",
		EnvironmentNames: []string{"production"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer players.Close()
	fmt.Println(players.Name())
	// Output: unity
}

func ExampleNewDiscord() {
	players, err := identity.NewDiscord(identity.DiscordConfig{
		Common:    identity.Common{Realm: "players"},
		ClientIDs: []string{"157730590492196864"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer players.Close()
	fmt.Println(players.Name())
	// Output: discord
}

func ExampleNewMicrosoft() {
	players, err := identity.NewMicrosoft(identity.MicrosoftConfig{
		Common:    identity.Common{Realm: "players"},
		ClientIDs: []string{"00001111-aaaa-2222-bbbb-3333cccc4444"},
		Tenants:   []string{identity.MicrosoftConsumers},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer players.Close()
	fmt.Println(players.Matches("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"))
	// Output: true
}

func ExampleNewIssuers() {
	idp := provider()
	common := identity.Common{Realm: "players", Keys: jws.StaticKeys{idp.Key()}}
	own, err := identity.NewOIDC(identity.OIDCConfig{Common: common, Issuer: "https://idp.example", Audiences: []string{"game"}})
	if err != nil {
		log.Fatal(err)
	}
	partner, err := identity.NewOIDC(identity.OIDCConfig{
		Common: identity.Common{Realm: "partners"}, Issuer: "https://partner.example", Audiences: []string{"game"},
	})
	if err != nil {
		log.Fatal(err)
	}
	players, err := identity.NewIssuers(own, partner)
	if err != nil {
		log.Fatal(err)
	}
	defer players.Close()

	id, err := players.Verify(context.Background(), issue(idp, "JWT", `"iss":"https://idp.example","aud":"game","sub":"alice"`))
	fmt.Println(id.Player.Realm, id.Player.ID(len(players.Realms()) == 1), err)
	_, err = players.Verify(context.Background(), issue(idp, "JWT", `"iss":"https://nobody.example","aud":"game","sub":"alice"`))
	fmt.Println(err)
	// Output:
	// players 25e57d13-a33e-55e8-b1b4-376d9639df15 <nil>
	// jws: wrong_issuer (issuer check): iss: want https://idp.example or https://partner.example
}

// A logout token arrives in the form field logout_token of a POST from the identity provider.
func ExampleIssuer_VerifyLogout() {
	idp := provider()
	players, err := identity.NewOIDC(identity.OIDCConfig{
		Common: identity.Common{Realm: "players", Keys: jws.StaticKeys{idp.Key()}},
		Issuer: "https://idp.example", Audiences: []string{"game"}, Logout: identity.LogoutConfig{ClientIDs: []string{"game"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	logoutToken := issue(idp, "logout+jwt", `"iss":"https://idp.example","aud":"game","sub":"alice","sid":"08a5019c","jti":"bWJq",
		"events":{"http://schemas.openid.net/event/backchannel-logout":{}}`)
	out, err := players.VerifyLogout(context.Background(), logoutToken)
	fmt.Println(out.Player, out.Session, out.All, err)
	// Here the ledger ends the session. Only then is the token used up.
	players.LogoutTaken(out)
	_, err = players.VerifyLogout(context.Background(), logoutToken)
	fmt.Println(errors.Is(err, jws.Replayed))
	// Output:
	// {players alice} 08a5019c false <nil>
	// true
}

func ExampleClerkWebhook_Parse() {
	secret := []byte("an example's secret, 24+")
	hook, err := identity.NewClerkWebhook(identity.ClerkWebhookConfig{
		Realm:   "players",
		Issuer:  "https://clerk.game.example",
		Secrets: []string{"whsec_" + base64.StdEncoding.EncodeToString(secret)},
	})
	if err != nil {
		log.Fatal(err)
	}
	body := []byte(`{"type":"session.revoked","data":{"id":"sess_1","user_id":"user_1"}}`)
	at := fmt.Sprint(time.Now().Unix())
	signature := hmacSHA256(secret, []byte("msg_1."+at+"."+string(body)))
	header := http.Header{}
	header.Set("svix-id", "msg_1")
	header.Set("svix-timestamp", at)
	header.Set("svix-signature", "v1,"+base64.StdEncoding.EncodeToString(signature))

	out, err := hook.Parse(header, body)
	fmt.Println(out.Player, out.Session, err)
	_, err = hook.Parse(header, []byte(strings.Replace(string(body), "user_1", "user_2", 1)))
	fmt.Println(errors.Is(err, jws.BadSignature))
	// Output:
	// {players user_1} sess_1 <nil>
	// true
}
