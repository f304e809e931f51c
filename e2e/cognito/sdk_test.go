package cognito_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/sallyport-auth/sallyport/devidp"
	"github.com/sallyport-auth/sallyport/srp"
)

// player is a user of the Go SDK.
type player struct {
	t    *testing.T
	ctx  context.Context
	pool pool
	api  *cognito.Client
	name *string
}

func newPlayer(t *testing.T, name string) player {
	p := start(t)
	api := cognito.New(cognito.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(p.endpoint), Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
	})
	return player{t: t, ctx: t.Context(), pool: p, api: api, name: aws.String(name)}
}

var game = aws.String(clientID)

// TestGoSDK is a player's life with aws-sdk-go-v2 and the arithmetic of package srp.
func TestGoSDK(t *testing.T) {
	t.Parallel()
	g := newPlayer(t, "greta")
	g.signUp()
	tokens := g.signedIn(password)
	g.refresh(tokens)
	user, err := g.api.GetUser(g.ctx, &cognito.GetUserInput{AccessToken: tokens.AccessToken})
	if err != nil || *user.Username != "greta" {
		t.Fatalf("GetUser: %v %v", user, err)
	}
	const second, third = "Battery-staple-2", "Gate-of-two-doors-3"
	_, err = g.api.ChangePassword(g.ctx, &cognito.ChangePasswordInput{
		AccessToken: tokens.AccessToken, PreviousPassword: aws.String(password), ProposedPassword: aws.String(second),
	})
	g.done("ChangePassword", err)
	wants[*types.NotAuthorizedException](t, "the old password", g.try(password))
	g.reset(third)
	wants[*types.NotAuthorizedException](t, "the changed password", g.try(second))
	again := g.signedIn(third)
	_, err = g.api.RevokeToken(g.ctx, &cognito.RevokeTokenInput{ClientId: game, Token: again.RefreshToken})
	g.done("RevokeToken", err)
	_, err = g.api.GetTokensFromRefreshToken(g.ctx, &cognito.GetTokensFromRefreshTokenInput{ClientId: game, RefreshToken: again.RefreshToken})
	wants[*types.NotAuthorizedException](t, "a revoked refresh token", err)
	_, err = g.api.RevokeToken(g.ctx, &cognito.RevokeTokenInput{ClientId: game, Token: again.AccessToken})
	wants[*types.UnsupportedTokenTypeException](t, "revoking an access token", err)
	_, err = g.api.GlobalSignOut(g.ctx, &cognito.GlobalSignOutInput{AccessToken: tokens.AccessToken})
	g.done("GlobalSignOut", err)
	_, err = g.api.GetUser(g.ctx, &cognito.GetUserInput{AccessToken: tokens.AccessToken})
	wants[*types.NotAuthorizedException](t, "an access token after the global sign-out", err)
}

func (g player) signUp() {
	g.t.Helper()
	made, err := g.api.SignUp(g.ctx, &cognito.SignUpInput{
		ClientId: game, Username: g.name, Password: aws.String(password),
		UserAttributes: []types.AttributeType{{Name: aws.String("email"), Value: aws.String("greta@example.com")}},
	})
	if err != nil || made.UserConfirmed || made.CodeDeliveryDetails.DeliveryMedium != types.DeliveryMediumTypeEmail {
		g.t.Fatalf("SignUp: %+v %v", made, err)
	}
	wants[*types.UserNotConfirmedException](g.t, "an unconfirmed user", g.try(password))
	_, err = g.api.ResendConfirmationCode(g.ctx, &cognito.ResendConfirmationCodeInput{ClientId: game, Username: g.name})
	g.done("ResendConfirmationCode", err)
	confirm := &cognito.ConfirmSignUpInput{ClientId: game, Username: g.name, ConfirmationCode: aws.String("x")}
	_, err = g.api.ConfirmSignUp(g.ctx, confirm)
	wants[*types.CodeMismatchException](g.t, "a wrong code", err)
	confirm.ConfirmationCode = g.code(devidp.SignUpCode)
	_, err = g.api.ConfirmSignUp(g.ctx, confirm)
	g.done("ConfirmSignUp", err)
	wants[*types.NotAuthorizedException](g.t, "a wrong password", g.try("Wrong-1-password"))
}

func (g player) refresh(tokens *types.AuthenticationResultType) {
	g.t.Helper()
	old, err := g.api.InitiateAuth(g.ctx, &cognito.InitiateAuthInput{
		AuthFlow: types.AuthFlowTypeRefreshTokenAuth, ClientId: game, AuthParameters: map[string]string{"REFRESH_TOKEN": *tokens.RefreshToken},
	})
	if err != nil || old.AuthenticationResult.RefreshToken != nil {
		g.t.Fatalf("REFRESH_TOKEN_AUTH: %+v %v", old, err)
	}
	fresh, err := g.api.GetTokensFromRefreshToken(g.ctx, &cognito.GetTokensFromRefreshTokenInput{
		ClientId: game, RefreshToken: tokens.RefreshToken,
	})
	if err != nil || *fresh.AuthenticationResult.AccessToken == *tokens.AccessToken {
		g.t.Fatalf("GetTokensFromRefreshToken: %+v %v", fresh, err)
	}
}

func (g player) reset(password string) {
	g.t.Helper()
	_, err := g.api.ForgotPassword(g.ctx, &cognito.ForgotPasswordInput{ClientId: game, Username: g.name})
	g.done("ForgotPassword", err)
	_, err = g.api.ConfirmForgotPassword(g.ctx, &cognito.ConfirmForgotPasswordInput{
		ClientId: game, Username: g.name, ConfirmationCode: g.code(devidp.ResetCode), Password: aws.String(password),
	})
	g.done("ConfirmForgotPassword", err)
}

func (g player) code(purpose devidp.Purpose) *string {
	g.t.Helper()
	for _, code := range g.pool.Codes(*g.name) {
		if code.Purpose == purpose {
			return &code.Code
		}
	}
	g.t.Fatalf("no code for %s", purpose)
	return nil
}

// signIn is the sign-in by SRP: the SDK carries, srp calculates.
func (g player) signIn(password string) (*types.AuthenticationResultType, error) {
	client, err := srp.NewClient(nil)
	if err != nil {
		return nil, err
	}
	first, err := g.api.InitiateAuth(g.ctx, &cognito.InitiateAuthInput{
		AuthFlow: types.AuthFlowTypeUserSrpAuth, ClientId: game,
		AuthParameters: map[string]string{"USERNAME": *g.name, "SRP_A": client.A()},
	})
	if err != nil {
		return nil, err
	}
	challenge, err := srp.ParseChallenge(first.ChallengeParameters)
	if err != nil {
		return nil, err
	}
	response, err := client.Respond(challenge, "Arena", password, time.Now())
	if err != nil {
		return nil, err
	}
	last, err := g.api.RespondToAuthChallenge(g.ctx, &cognito.RespondToAuthChallengeInput{
		ChallengeName: first.ChallengeName, ClientId: game, ChallengeResponses: response.Parameters(),
	})
	if err != nil {
		return nil, err
	}
	return last.AuthenticationResult, nil
}

func (g player) signedIn(password string) *types.AuthenticationResultType {
	g.t.Helper()
	tokens, err := g.signIn(password)
	g.done("sign-in", err)
	return tokens
}

func (g player) try(password string) error {
	_, err := g.signIn(password)
	return err
}

func (g player) done(what string, err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatalf("%s: %v", what, err)
	}
}

// wants demands one of the SDK's typed exceptions.
func wants[E error](t *testing.T, what string, err error) {
	t.Helper()
	if _, ok := errors.AsType[E](err); !ok {
		t.Errorf("%s gives %v, want %T", what, err, *new(E))
	}
}
