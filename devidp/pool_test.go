package devidp_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/devidp"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/srp"
)

func TestAliases(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *devidp.Config) { c.SignIn = devidp.ByUsernameOrEmail })
	byName := claims(t, p.verified(p.signedIn("alice", password).AuthenticationResult.IDToken))
	byEmail := claims(t, p.verified(p.signedIn("Alice@Example.com", password).AuthenticationResult.IDToken))
	if byName["sub"] != byEmail["sub"] || byEmail["cognito:username"] != "alice" {
		t.Errorf("two names give two players: %v, %v", byName, byEmail)
	}
	p.refused("SignUp", signUp("bob@example.com", ""), "InvalidParameter",
		"Username cannot be of email format, since user pool is configured for email alias.")
	p.must("SignUp", signUp("mallory", "alice@example.com")) // nobody is told that the address is taken
	confirm := m{"ClientId": "game", "Username": "mallory", "ConfirmationCode": p.code("mallory")}
	p.refused("ConfirmSignUp", confirm, "AliasExists", "An account with the given email already exists.")
	if got := claims(t, p.verified(p.signedIn("alice@example.com", password).AuthenticationResult.IDToken)); got["sub"] != byName["sub"] {
		t.Error("an unverified address takes an alias over")
	}
	confirm["ForceAliasCreation"] = true
	p.must("ConfirmSignUp", confirm)
	if got := claims(t, p.verified(p.signedIn("alice@example.com", password).AuthenticationResult.IDToken)); got["cognito:username"] != "mallory" {
		t.Errorf("the forced alias belongs to %v", got["cognito:username"])
	}
}

func TestByEmail(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *devidp.Config) { inMode(c, devidp.ByEmail) })
	got := claims(t, p.verified(p.signedIn("ALICE@example.com", password).AuthenticationResult.IDToken))
	if got["cognito:username"] != got["sub"] || got["email"] != "alice@example.com" {
		t.Errorf("claims are %v", got)
	}
	p.signedIn(got["sub"].(string), password)
	p.refused("SignUp", signUp("bob", ""), "InvalidParameter", "Username should be an email.")
	p.refused("SignUp", signUp("Alice@example.com", ""), "UsernameExists", "User already exists")
	p.refused("SignUp", signUp("bob@example.com", "carol@example.com"), "InvalidParameter", "")
	p.must("SignUp", signUp("bob@example.com", ""))
	p.must("ConfirmSignUp", m{"ClientId": "game", "Username": "bob@example.com", "ConfirmationCode": p.code("bob@example.com")})
	p.signedIn("bob@example.com", password)
}

func TestClientSecret(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *devidp.Config) {
		c.Clients = append(c.Clients, devidp.Client{ID: "server", Secret: "s3cret"})
	})
	hash := srp.SecretHash("s3cret", "alice", "server")
	client, err := srp.NewClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	auth := m{"AuthFlow": "USER_SRP_AUTH", "ClientId": "server", "AuthParameters": m{
		"USERNAME": "alice", "SRP_A": client.A(), "SECRET_HASH": hash,
	}}
	proof := p.proof(client, p.must("InitiateAuth", auth), password)
	proof["ClientId"] = "server"
	p.refused("RespondToAuthChallenge", proof, "NotAuthorized", "Client server is configured with secret but SECRET_HASH was not received")
	proof["ChallengeResponses"].(m)["SECRET_HASH"] = hash
	tokens := p.must("RespondToAuthChallenge", proof).AuthenticationResult
	refresh := m{"REFRESH_TOKEN": tokens.RefreshToken}
	in := m{"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": "server", "AuthParameters": refresh}
	p.refused("InitiateAuth", in, "NotAuthorized", "")
	refresh["SECRET_HASH"] = hash
	p.must("InitiateAuth", in)
	refresh["SECRET_HASH"] = srp.SecretHash("guess", "alice", "server")
	p.refused("InitiateAuth", in, "NotAuthorized", "Unable to verify secret hash for client server")
	get := m{"ClientId": "server", "RefreshToken": tokens.RefreshToken}
	p.refused("GetTokensFromRefreshToken", get, "NotAuthorized", "")
	get["ClientSecret"] = "s3cret"
	p.must("GetTokensFromRefreshToken", get)
	get["ClientId"], get["ClientSecret"] = "game", ""
	p.refused("GetTokensFromRefreshToken", get, "NotAuthorized", "Invalid Refresh Token")
	revoke := m{"ClientId": "server", "Token": tokens.RefreshToken, "ClientSecret": "guess"}
	p.refused("RevokeToken", revoke, "Unauthorized", "")
	revoke["ClientSecret"] = "s3cret"
	p.must("RevokeToken", revoke)
	sign := signUp("bob", "")
	sign["SecretHash"] = hash
	p.refused("SignUp", sign, "NotAuthorized", "Client game is not configured for secret but secret hash was received")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	attributes := func(pairs ...string) m {
		in := signUp("bob", "")
		var list []m
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, m{"Name": pairs[i], "Value": pairs[i+1]})
		}
		in["UserAttributes"] = list
		return in
	}
	auth := func(flow string, parameters m) m {
		return m{"AuthFlow": flow, "ClientId": "game", "AuthParameters": parameters}
	}
	for _, c := range []struct {
		operation string
		in        m
		exception string
	}{
		{"SignUp", m{"Username": "bob", "Password": password}, "InvalidParameter"},
		{"SignUp", m{"ClientId": "nobody", "Username": "bob", "Password": password}, "ResourceNotFound"},
		{"SignUp", m{"ClientId": "game", "Password": password}, "InvalidParameter"},
		{"SignUp", m{"ClientId": "game", "Username": "b ob", "Password": password}, "InvalidParameter"},
		{"SignUp", m{"ClientId": "game", "Username": strings.Repeat("b", 129), "Password": password}, "InvalidParameter"},
		{"SignUp", m{"ClientId": "game", "Username": "bob"}, "InvalidParameter"},
		{"SignUp", m{"ClientId": "game", "Username": "bob", "Password": "aA1!" + strings.Repeat("x", 1100)}, "InvalidParameter"},
		{"SignUp", attributes("sub", "x"), "NotAuthorized"},
		{"SignUp", attributes("email_verified", "true"), "NotAuthorized"},
		{"SignUp", attributes("rank", "1"), "InvalidParameter"},
		{"SignUp", attributes("aud", "1"), "InvalidParameter"},
		{"SignUp", attributes("email", "nowhere"), "InvalidParameter"},
		{"SignUp", attributes("custom:a", "1", "custom:A", "2"), "InvalidParameter"},
		{"SignUp", attributes("name", strings.Repeat("n", 2049)), "InvalidParameter"},
		{"ConfirmSignUp", m{"ClientId": "game", "Username": "bob"}, "InvalidParameter"},
		{"ConfirmSignUp", m{"ClientId": "game", "ConfirmationCode": "1"}, "InvalidParameter"},
		{"ResendConfirmationCode", m{"ClientId": "game", "Username": strings.Repeat("b", 513)}, "InvalidParameter"},
		{"ForgotPassword", m{"ClientId": "nobody", "Username": "alice"}, "ResourceNotFound"},
		{"ForgotPassword", m{"ClientId": "game", "Username": "alice", "SecretHash": "x"}, "NotAuthorized"},
		{"InitiateAuth", m{"ClientId": "game"}, "InvalidParameter"},
		{"InitiateAuth", auth("CUSTOM_AUTH", m{"USERNAME": "alice"}), "InvalidParameter"},
		{"InitiateAuth", auth("USER_SRP_AUTH", m{"USERNAME": "alice"}), "InvalidParameter"},
		{"InitiateAuth", auth("USER_SRP_AUTH", m{"SRP_A": "2"}), "InvalidParameter"},
		{"InitiateAuth", auth("USER_SRP_AUTH", m{"USERNAME": "alice", "SRP_A": "0"}), "InvalidParameter"},
		{"InitiateAuth", auth("USER_SRP_AUTH", m{"USERNAME": "alice", "SRP_A": "xyz"}), "InvalidParameter"},
		{"InitiateAuth", auth("USER_SRP_AUTH", m{"USERNAME": "alice", "SRP_A": strings.Repeat("f", 771)}), "InvalidParameter"},
		{"InitiateAuth", auth("USER_SRP_AUTH", m{"USERNAME": strings.Repeat("a", 513), "SRP_A": "2"}), "InvalidParameter"},
		{"InitiateAuth", auth("REFRESH_TOKEN_AUTH", m{}), "InvalidParameter"},
		{"RespondToAuthChallenge", m{"ClientId": "game"}, "InvalidParameter"},
		{"RespondToAuthChallenge", m{"ClientId": "game", "ChallengeName": "SMS_MFA"}, "InvalidParameter"},
		{"RespondToAuthChallenge", m{"ClientId": "game", "ChallengeName": "PASSWORD_VERIFIER"}, "InvalidParameter"},
		{"GlobalSignOut", m{}, "InvalidParameter"},
		{"ChangePassword", m{"AccessToken": "x"}, "NotAuthorized"},
		{"AdminCreateUser", m{}, "UnknownOperation"},
		{"", m{}, "UnknownOperation"},
	} {
		p.refused(c.operation, c.in, c.exception, "")
	}
	for text, problem := range map[string]string{
		"aA1!aaa": "Password not long enough", "aaaa1!aa": "Password must have uppercase characters",
		"AAAA1!AA": "Password must have lowercase characters", "aAaaa!aa": "Password must have numeric characters",
		"aAaa1aaa": "Password must have symbol characters",
	} {
		p.refused("SignUp", m{"ClientId": "game", "Username": "bob", "Password": text}, "InvalidPassword",
			"Password did not conform with policy: "+problem)
	}
}

func TestPolicyCanBeLoosened(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *devidp.Config) {
		c.Policy = devidp.PasswordPolicy{MinLength: 6, WithoutUppercase: true, WithoutLowercase: true, WithoutNumber: true, WithoutSymbol: true}
	})
	p.must("SignUp", m{"ClientId": "game", "Username": "bob", "Password": "((((((", "UserAttributes": nil})
	p.refused("SignUp", m{"ClientId": "game", "Username": "carol", "Password": "((((("}, "InvalidPassword", "")
}

func TestConfigRefusals(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*devidp.Config){
		"Config.Endpoint":                func(c *devidp.Config) { c.Endpoint = "" },
		"Config.Endpoint must be like":   func(c *devidp.Config) { c.Endpoint = "http://127.0.0.1:1/path" },
		"on a loopback address":          func(c *devidp.Config) { c.Endpoint = "http://idp.example:1" },
		"Config.Endpoint must be on":     func(c *devidp.Config) { c.Endpoint = "http://0.0.0.0:1" },
		"Config.UserPoolID":              func(c *devidp.Config) { c.UserPoolID = "arena" },
		"Config.Clients is required":     func(c *devidp.Config) { c.Clients = nil },
		"the ID \"\"":                    func(c *devidp.Config) { c.Clients[0].ID = "" },
		"is there twice":                 func(c *devidp.Config) { c.Clients = append(c.Clients, c.Clients[0]) },
		"from 0 to 60 s":                 func(c *devidp.Config) { c.Clients[0].RotationGrace = time.Hour },
		"needs Rotation":                 func(c *devidp.Config) { c.Clients[0].RotationGrace = time.Second },
		"Config.SignIn":                  func(c *devidp.Config) { c.SignIn = "email_or_so" },
		"Config.TokenLifetime":           func(c *devidp.Config) { c.TokenLifetime = time.Minute },
		"Config.RefreshLifetime":         func(c *devidp.Config) { c.RefreshLifetime = time.Minute },
		"Config.MaxUsers must":           func(c *devidp.Config) { c.MaxUsers = -1 },
		"Config.Policy.MinLength":        func(c *devidp.Config) { c.Policy.MinLength = 5 },
		"both or not at all":             func(c *devidp.Config) { c.AccessKey = nil },
		"Config.IDKey":                   func(c *devidp.Config) { c.IDKey = testvectors.PrivateKey(t, "p256-1") },
		"Config.AccessKey":               func(c *devidp.Config) { c.AccessKey = testvectors.PrivateKey(t, "rsa-1024") },
		`"bob": InvalidPassword`:         func(c *devidp.Config) { c.Users = append(c.Users, devidp.User{Username: "bob", Password: "x"}) },
		"more users than Config.MaxUser": func(c *devidp.Config) { c.MaxUsers = 1; c.Users = append(c.Users, user("bob", "")) },
		"belongs to another user": func(c *devidp.Config) {
			c.SignIn = devidp.ByUsernameOrEmail
			c.Users = append(c.Users, user("bob", "Alice@example.com"))
		},
	} {
		cfg := devidp.Config{
			Endpoint: endpoint, UserPoolID: poolID, Clients: []devidp.Client{{ID: "game"}},
			Users: []devidp.User{user("alice", "alice@example.com")},
			IDKey: testvectors.PrivateKey(t, "rsa-1"), AccessKey: testvectors.PrivateKey(t, "rsa-2"),
		}
		change(&cfg)
		if _, err := devidp.New(cfg); err == nil || !strings.Contains(err.Error(), field) || !strings.HasPrefix(err.Error(), "devidp: ") {
			t.Errorf("%s: error is %v", field, err)
		}
	}
}

func user(name, email string) devidp.User {
	return devidp.User{Username: name, Password: password, Email: email}
}

func TestFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pool.json")
	filed := func(c *devidp.Config) { c.File, c.IDKey, c.AccessKey = path, nil, nil }
	p := newPool(t, filed)
	p.must("SignUp", signUp("bob", "bob@example.com"))
	p.must("ConfirmSignUp", m{"ClientId": "game", "Username": "bob", "ConfirmationCode": p.code("bob")})
	tokens := p.signedIn("bob", password).AuthenticationResult
	nobody := p.challengeOf("nobody")
	if err := p.RotateKeys(false); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path, tokens.RefreshToken, tokens.AccessToken)

	again := newPool(t, func(c *devidp.Config) { filed(c); c.Users[0].Password = newPassword })
	again.verified(tokens.AccessToken)
	again.must("GetUser", m{"AccessToken": tokens.AccessToken})
	again.must("GetTokensFromRefreshToken", m{"ClientId": "game", "RefreshToken": tokens.RefreshToken})
	again.signedIn("bob", password)
	again.signedIn("alice", password) // the file's users are left as they are
	if salt := again.challengeOf("nobody"); salt != nobody {
		t.Error("an unknown user has another salt after a restart: that tells them apart from a known one")
	}
}

func (p *pool) challengeOf(name string) string {
	p.t.Helper()
	client, err := srp.NewClient(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.challenge(client, "game", name).ChallengeParameters["SALT"]
}

// checkFile looks for what must not be in a pool's file, and for traces of the writing.
func checkFile(t *testing.T, path string, secrets ...string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v (%v), want 0600", info.Mode(), err)
	}
	data, err := os.ReadFile(path)
	if err != nil || !json.Valid(data) {
		t.Fatalf("the file is no JSON: %v", err)
	}
	for _, secret := range append(secrets, password) {
		if strings.Contains(string(data), secret) {
			t.Errorf("the file holds %q", secret)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v (%v), want the file alone", entries, err)
	}
}

func TestFileRefusals(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pool.json")
	newPool(t, func(c *devidp.Config) { c.File = path })
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data string
		mode os.FileMode
	}{
		"open to others":  {string(good), 0o644},
		"no JSON":         {"{", 0o600},
		"another version": {strings.Replace(string(good), `"version": 1`, `"version": 2`, 1), 0o600},
		"another pool":    {strings.Replace(string(good), poolID, "local_Other", 1), 0o600},
		"no secret":       {strings.Replace(string(good), `"secret": "`, `"secret": "AAAA`, 1), 0o600},
		"no keys":         {strings.Replace(string(good), `"keys"`, `"no_keys"`, 1), 0o600},
		"a broken key":    {strings.Replace(string(good), `"kty": "RSA"`, `"kty": "oct"`, 1), 0o600},
		"a user of none":  {strings.Replace(string(good), `"sub"`, `"no_sub"`, 1), 0o600},
		"a null session":  {strings.Replace(string(good), `"sessions": null`, `"sessions": [null]`, 1), 0o600},
	} {
		file := filepath.Join(t.TempDir(), "pool.json")
		if err := os.WriteFile(file, []byte(c.data), c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := devidp.New(devidp.Config{
			Endpoint: endpoint, UserPoolID: poolID, Clients: []devidp.Client{{ID: "game"}}, File: file,
		})
		if err == nil || !strings.HasPrefix(err.Error(), "devidp: Config.File: ") {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestFileThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pool")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	p := newPool(t, func(c *devidp.Config) { c.File = filepath.Join(dir, "pool.json") })
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	out := p.call("SignUp", signUp("bob", ""))
	if out.Status != 500 || out.Type != "InternalErrorException" || strings.Contains(out.Body, dir) {
		t.Errorf("a lost folder gives %d %s", out.Status, out.Body)
	}
}
