package devidp_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/devidp"
)

const newPassword = "Battery-staple-2"

func signUp(username, email string) m {
	in := m{"ClientId": "game", "Username": username, "Password": password}
	if email != "" {
		in["UserAttributes"] = []m{{"Name": "email", "Value": email}}
	}
	return in
}

func TestSignUpAndConfirm(t *testing.T) {
	t.Parallel()
	var told []devidp.Code
	p := newPool(t, func(c *devidp.Config) { c.OnCode = func(code devidp.Code) { told = append(told, code) } })
	made := p.must("SignUp", signUp("bob", "bob@example.com"))
	if made.UserConfirmed || len(made.UserSub) != 36 {
		t.Errorf("SignUp answers %s", made.Body)
	}
	if d := made.CodeDeliveryDetails; d == nil || d.AttributeName != "email" || d.DeliveryMedium != "EMAIL" || d.Destination != "b***@e***" {
		t.Errorf("delivery is %+v", d)
	}
	p.refused("SignUp", signUp("bob", ""), "UsernameExists", "User already exists")
	if out := p.signIn("bob", password); out.Type != "UserNotConfirmedException" || out.Message != "User is not confirmed." {
		t.Errorf("an unconfirmed user gets %s: %s", out.Type, out.Message)
	}
	if out := p.signIn("bob", "Wrong-1-password"); out.Type != "NotAuthorizedException" {
		t.Errorf("an unconfirmed user with a wrong password gets %s", out.Type)
	}
	old := p.code("bob")
	p.must("ResendConfirmationCode", m{"ClientId": "game", "Username": "bob"})
	code := p.code("bob")
	if len(told) != 2 || told[0].Code != old || told[1].Code != code || told[1].Purpose != devidp.SignUpCode || told[1].Destination != "bob@example.com" {
		t.Errorf("OnCode was told %+v", told)
	}
	confirm := m{"ClientId": "game", "Username": "bob", "ConfirmationCode": wrong(code)}
	p.refused("ConfirmSignUp", confirm, "CodeMismatch", "Invalid verification code provided, please try again.")
	confirm["ConfirmationCode"] = code
	p.must("ConfirmSignUp", confirm)
	p.refused("ConfirmSignUp", confirm, "NotAuthorized", "User cannot be confirmed. Current status is CONFIRMED")
	p.refused("ResendConfirmationCode", m{"ClientId": "game", "Username": "bob"}, "InvalidParameter", "User is already confirmed.")
	p.signedIn("bob", password)
}

func TestSignUpCodeExpires(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	p.must("SignUp", signUp("bob", ""))
	code := p.code("bob")
	p.pass(24 * time.Hour)
	p.refused("ConfirmSignUp", m{"ClientId": "game", "Username": "bob", "ConfirmationCode": code}, "ExpiredCode", "")
	if codes := p.Codes("bob"); len(codes) != 0 {
		t.Errorf("an expired code is listed: %v", codes)
	}
}

func TestAutoConfirm(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *devidp.Config) { c.AutoConfirm = true })
	if made := p.must("SignUp", signUp("bob", "")); !made.UserConfirmed || made.CodeDeliveryDetails != nil {
		t.Errorf("SignUp answers %s", made.Body)
	}
	p.signedIn("bob", password)
}

func TestGetUser(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	tokens := p.signedIn("alice", password).AuthenticationResult
	got := p.must("GetUser", m{"AccessToken": tokens.AccessToken})
	attributes := map[string]string{}
	for _, a := range got.UserAttributes {
		attributes[a.Name] = a.Value
	}
	if got.Username != "alice" || len(attributes["sub"]) != 36 || attributes["email"] != "alice@example.com" ||
		attributes["email_verified"] != "true" || attributes["custom:rank"] != "7" {
		t.Errorf("GetUser answers %s", got.Body)
	}
	p.refused("GetUser", m{"AccessToken": tokens.IDToken}, "NotAuthorized", "Could not verify signature for Access Token")
	p.refused("GetUser", m{"AccessToken": "nonsense"}, "NotAuthorized", "Invalid Access Token")
	p.refused("GetUser", m{}, "InvalidParameter", "")
	p.pass(time.Hour)
	p.refused("GetUser", m{"AccessToken": tokens.AccessToken}, "NotAuthorized", "Access Token has expired")
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	access := p.signedIn("alice", password).AuthenticationResult.AccessToken
	in := m{"AccessToken": access, "PreviousPassword": "Wrong-1-password", "ProposedPassword": newPassword}
	p.refused("ChangePassword", in, "NotAuthorized", "Incorrect username or password.")
	in["PreviousPassword"] = password
	in["ProposedPassword"] = "short"
	p.refused("ChangePassword", in, "InvalidPassword", "Password did not conform with policy: Password not long enough")
	in["ProposedPassword"] = newPassword
	p.must("ChangePassword", in)
	if out := p.signIn("alice", password); out.Type != "NotAuthorizedException" {
		t.Errorf("the old password gets %d %s", out.Status, out.Type)
	}
	p.signedIn("alice", newPassword)
	p.must("GetUser", m{"AccessToken": access}) // as in Cognito, sessions outlive the change
}

func TestForgotPassword(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	for range 6 {
		p.signIn("alice", "Wrong-1-password")
	}
	if out := p.signIn("alice", password); out.Message != "Password attempts exceeded" {
		t.Fatalf("alice is not locked out: %s", out.Body)
	}
	sent := p.must("ForgotPassword", m{"ClientId": "game", "Username": "alice"})
	if sent.CodeDeliveryDetails == nil || sent.CodeDeliveryDetails.Destination != "a***@e***" {
		t.Errorf("ForgotPassword answers %s", sent.Body)
	}
	code := p.code("alice")
	in := m{"ClientId": "game", "Username": "alice", "ConfirmationCode": wrong(code), "Password": newPassword}
	p.refused("ConfirmForgotPassword", in, "CodeMismatch", "")
	in["ConfirmationCode"], in["Password"] = code, "nouppercase-1"
	p.refused("ConfirmForgotPassword", in, "InvalidPassword", "Password did not conform with policy: Password must have uppercase characters")
	in["Password"] = newPassword
	p.must("ConfirmForgotPassword", in)
	p.refused("ConfirmForgotPassword", in, "CodeMismatch", "") // a code works once
	p.signedIn("alice", newPassword)
}

func TestForgotPasswordNeedsAnAddress(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *devidp.Config) {
		c.Users = append(c.Users, devidp.User{Username: "bob", Password: password})
	})
	p.refused("ForgotPassword", m{"ClientId": "game", "Username": "bob"}, "InvalidParameter", "")
}

func TestPasswordResetRequired(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *devidp.Config) { c.Users[0].ResetRequired = true })
	if out := p.signIn("alice", password); out.Type != "PasswordResetRequiredException" {
		t.Errorf("the right password gets %s", out.Type)
	}
	p.must("ForgotPassword", m{"ClientId": "game", "Username": "alice"})
	p.must("ConfirmForgotPassword", m{
		"ClientId": "game", "Username": "alice", "ConfirmationCode": p.code("alice"), "Password": newPassword,
	})
	p.signedIn("alice", newPassword)
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	out := p.signedIn("alice", password)
	r := out.AuthenticationResult
	if out.ChallengeName != "" || out.ChallengeParameters == nil || out.Session != nil || r.TokenType != "Bearer" || r.ExpiresIn != 3600 || r.RefreshToken == "" {
		t.Errorf("sign-in answers %s", out.Body)
	}
	if h := out.Header; h.Get("Content-Type") != "application/x-amz-json-1.1" || len(h.Get("X-Amzn-Requestid")) != 36 || h.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("headers are %v", h)
	}
	failed := p.signIn("alice", "Wrong-1-password")
	if h := failed.Header; failed.Status != http.StatusBadRequest || h.Get("X-Amzn-Errortype") != "NotAuthorizedException:" || h.Get("X-Amzn-Errormessage") != "Incorrect username or password." {
		t.Errorf("a wrong password gets %d %v", failed.Status, h)
	}
}

func TestUserPasswordAuth(t *testing.T) {
	t.Parallel()
	in := m{"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": "game", "AuthParameters": m{"USERNAME": "alice", "PASSWORD": password}}
	newPool(t, nil).refused("InitiateAuth", in, "InvalidParameter", "USER_PASSWORD_AUTH flow not enabled for this client")
	p := newPool(t, func(c *devidp.Config) { c.UserPasswordAuth = true })
	if out := p.must("InitiateAuth", in); out.AuthenticationResult == nil {
		t.Errorf("the flow answers %s", out.Body)
	}
	for _, name := range []string{"alice", "nobody"} {
		in["AuthParameters"] = m{"USERNAME": name, "PASSWORD": "Wrong-1-password"}
		p.refused("InitiateAuth", in, "NotAuthorized", "Incorrect username or password.")
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	refresh := p.signedIn("alice", password).AuthenticationResult.RefreshToken
	p.pass(2 * time.Hour)
	for _, flow := range []string{"REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"} {
		out := p.must("InitiateAuth", m{"AuthFlow": flow, "ClientId": "game", "AuthParameters": m{"REFRESH_TOKEN": refresh}})
		if r := out.AuthenticationResult; r == nil || r.RefreshToken != "" || r.AccessToken == "" || r.IDToken == "" {
			t.Errorf("%s answers %s", flow, out.Body)
		}
	}
	out := p.must("GetTokensFromRefreshToken", m{"ClientId": "game", "RefreshToken": refresh})
	if r := out.AuthenticationResult; r == nil || r.RefreshToken != "" || r.AccessToken == "" {
		t.Errorf("GetTokensFromRefreshToken answers %s", out.Body)
	}
	p.refused("GetTokensFromRefreshToken", m{"ClientId": "game", "RefreshToken": refresh + "x"}, "NotAuthorized", "Invalid Refresh Token")
	p.refused("GetTokensFromRefreshToken", m{"ClientId": "game"}, "InvalidParameter", "")
	p.pass(30*24*time.Hour - 2*time.Hour)
	p.refused("GetTokensFromRefreshToken", m{"ClientId": "game", "RefreshToken": refresh}, "NotAuthorized", "Refresh Token has expired")
}

func TestRefreshRotation(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *devidp.Config) {
		c.Clients = []devidp.Client{{ID: "game", Rotation: true, RotationGrace: 10 * time.Second}}
	})
	first := p.signedIn("alice", password).AuthenticationResult.RefreshToken
	use := func(token string) m { return m{"ClientId": "game", "RefreshToken": token} }
	second := p.must("GetTokensFromRefreshToken", use(first)).AuthenticationResult.RefreshToken
	if second == "" || second == first {
		t.Fatalf("the refresh token was not rotated: %q", second)
	}
	p.pass(9 * time.Second)
	p.must("GetTokensFromRefreshToken", use(first)) // a retry within the grace
	p.pass(time.Second)
	p.refused("GetTokensFromRefreshToken", use(first), "RefreshTokenReuse", "")
	p.must("GetTokensFromRefreshToken", use(second))
	p.refused("InitiateAuth", m{
		"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": "game", "AuthParameters": m{"REFRESH_TOKEN": second},
	}, "InvalidParameter", "")
	p.must("RevokeToken", m{"ClientId": "game", "Token": second})
	p.refused("GetTokensFromRefreshToken", use(second), "NotAuthorized", "Refresh Token has been revoked")
}

func TestRevokeToken(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *devidp.Config) { c.Clients = append(c.Clients, devidp.Client{ID: "other"}) })
	one := p.signedIn("alice", password).AuthenticationResult
	two := p.signedIn("alice", password).AuthenticationResult
	p.refused("RevokeToken", m{"ClientId": "game", "Token": one.AccessToken}, "UnsupportedTokenType", "")
	p.refused("RevokeToken", m{"ClientId": "other", "Token": one.RefreshToken}, "Unauthorized", "")
	p.refused("RevokeToken", m{"ClientId": "nobody", "Token": one.RefreshToken}, "Unauthorized", "")
	p.refused("RevokeToken", m{"ClientId": "game"}, "InvalidParameter", "")
	p.must("RevokeToken", m{"ClientId": "game", "Token": "never issued"})
	p.must("RevokeToken", m{"ClientId": "game", "Token": one.RefreshToken})
	p.refused("GetUser", m{"AccessToken": one.AccessToken}, "NotAuthorized", "Access Token has been revoked")
	p.refused("GetTokensFromRefreshToken", m{"ClientId": "game", "RefreshToken": one.RefreshToken}, "NotAuthorized", "Refresh Token has been revoked")
	p.must("GetUser", m{"AccessToken": two.AccessToken})
}

func TestGlobalSignOut(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *devidp.Config) { c.Users = append(c.Users, user("bob", "")) })
	one := p.signedIn("alice", password).AuthenticationResult
	two := p.signedIn("alice", password).AuthenticationResult
	bob := p.signedIn("bob", password).AuthenticationResult
	p.must("GlobalSignOut", m{"AccessToken": one.AccessToken})
	p.must("GetUser", m{"AccessToken": bob.AccessToken})
	for _, r := range []string{one.AccessToken, two.AccessToken} {
		p.refused("GetUser", m{"AccessToken": r}, "NotAuthorized", "Access Token has been revoked")
		p.refused("GlobalSignOut", m{"AccessToken": r}, "NotAuthorized", "Access Token has been revoked")
	}
	p.refused("InitiateAuth", m{
		"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": "game", "AuthParameters": m{"REFRESH_TOKEN": two.RefreshToken},
	}, "NotAuthorized", "Refresh Token has been revoked")
	p.signedIn("alice", password)
}

func TestSessionsAreBounded(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *devidp.Config) { c.MaxSessions = 2 })
	var refresh []string
	for range 3 {
		refresh = append(refresh, p.signedIn("alice", password).AuthenticationResult.RefreshToken)
		p.pass(time.Second)
	}
	use := func(i int) m { return m{"ClientId": "game", "RefreshToken": refresh[i]} }
	p.refused("GetTokensFromRefreshToken", use(0), "NotAuthorized", "")
	p.must("GetTokensFromRefreshToken", use(1))
	p.must("GetTokensFromRefreshToken", use(2))
}

func TestUsersAreBounded(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *devidp.Config) { c.MaxUsers = 2 })
	p.must("SignUp", signUp("bob", ""))
	p.refused("SignUp", signUp("carol", ""), "LimitExceeded", "")
}
