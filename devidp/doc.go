// Package devidp is an identity provider for development and tests that speaks Amazon Cognito's API: real SDKs sign up,
// confirm, sign in with SRP, refresh, change and reset passwords and sign out against it, and its tokens are verified
// like a user pool's.
//
// Two calls are needed, the listener first, because the tokens' issuer is its address:
//
//	listener, err := net.Listen("tcp", "127.0.0.1:0")
//	provider, err := devidp.New(devidp.Config{
//		Endpoint:   "http://" + listener.Addr().String(),
//		UserPoolID: "local_Arena",
//		Clients:    []devidp.Client{{ID: "game"}},
//		Users:      []devidp.User{{Username: "alice", Password: "Correct-horse-1"}},
//	})
//	go http.Serve(listener, provider)
//
// SDKs take the endpoint as theirs (endpoint, userPoolEndpoint, BaseEndpoint); [Provider.Issuer] is what verifiers need.
//
// It mints tokens, so it is for loopback only: a request that comes from another address, or names another host, is
// refused with 403. It must not be put behind a proxy that others can reach, and it is linked into nothing but
// "sallyport dev" and tests.
//
// As in Cognito with PreventUserExistenceErrors, an unknown user and a wrong password cannot be told apart: the first
// gets a simulated challenge that is the same each time, takes the same way through the code, and is locked out alike. A
// sign-in by e-mail address has a UUID as USER_ID_FOR_SRP for that reason, where Cognito would give the user name. Names
// of users are case-sensitive, e-mail addresses are not.
//
// Operations: SignUp, ConfirmSignUp, ResendConfirmationCode, InitiateAuth (USER_SRP_AUTH, REFRESH_TOKEN_AUTH,
// REFRESH_TOKEN and, if asked for, USER_PASSWORD_AUTH), RespondToAuthChallenge (PASSWORD_VERIFIER),
// GetTokensFromRefreshToken, GetUser, ChangePassword, ForgotPassword, ConfirmForgotPassword, GlobalSignOut and RevokeToken.
// Others are refused with UnknownOperationException; there is no MFA, no hosted UI and no administrator's API. What
// developers need instead is at /devidp/codes and /devidp/rotate-keys and in [Provider.Codes] and [Provider.RotateKeys].
package devidp
