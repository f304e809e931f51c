package cognito_test

import (
	"context"
	"testing"

	"github.com/sallyport-auth/sallyport/srp"
)

func TestIdentityJS(t *testing.T) {
	t.Parallel()
	run(t, "identity-js.mjs", start(t), []string{
		"sign up", "sign in unconfirmed", "resend the code", "confirm with a wrong code", "confirm", "sign in with a wrong password",
		"sign up twice", "sign in by SRP", "read the session", "read the user", "refresh", "change the password",
		"sign in with the old password", "ask for a reset", "reset the password", "sign in with the new password",
		"sign out everywhere", "refresh after that", "sign in again", "sign out and revoke", "refresh a revoked token",
	})
}

func TestAmplify(t *testing.T) {
	t.Parallel()
	run(t, "amplify.mjs", start(t), []string{
		"sign up", "sign in unconfirmed", "resend the code", "confirm with a wrong code", "confirm", "sign in with a wrong password",
		"sign in by SRP", "read the user", "refresh twice, with rotation", "change the password", "sign out and revoke",
		"refresh a revoked token", "ask for a reset", "reset the password", "sign in with the old password",
		"sign in with the new password", "sign out everywhere", "use the access token after that",
	})
}

func TestJavaScriptSDK(t *testing.T) {
	t.Parallel()
	run(t, "sdk.mjs", start(t), []string{
		"sign up", "sign up with a weak password", "sign in unconfirmed", "resend the code", "confirm with a wrong code", "confirm",
		"sign in with a wrong password", "sign in by SRP", "read the user", "refresh", "change the password", "ask for a reset",
		"reset the password", "sign in with the old password", "sign in with the new password", "revoke", "refresh a revoked token",
		"sign out everywhere", "use the access token after that",
	})
}

func TestAWSJWTVerify(t *testing.T) {
	t.Parallel()
	p := start(t)
	tokens, other := login(t, p), login(t, p)
	run(t, "jwt-verify.mjs", p, []string{
		"accept the access token", "accept the ID token", "find the keys by discovery", "another subject", "a longer life",
		"the signature of another token", "the key of the other kind", "no algorithm", "an unknown key",
		"an ID token as an access token", "another issuer", "another audience", "rotate the keys", "withdraw the old keys",
		"a token of a withdrawn key",
	}, "ID="+tokens.IDToken, "ACCESS="+tokens.AccessToken, "OTHER="+other.AccessToken)
}

func login(t *testing.T, p pool) srp.Tokens {
	t.Helper()
	tokens, err := srp.Login(context.Background(), srp.LoginConfig{
		UserPoolID: poolID, ClientID: clientID, Username: "alice", Password: password, Endpoint: p.endpoint,
	})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}
