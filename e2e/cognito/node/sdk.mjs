// A player's life with @aws-sdk/client-cognito-identity-provider. It has no SRP arithmetic: that of
// amazon-cognito-identity-js is put to its calls.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import {
  ChangePasswordCommand, CognitoIdentityProvider, ConfirmForgotPasswordCommand, ConfirmSignUpCommand, ForgotPasswordCommand,
  GetTokensFromRefreshTokenCommand, GetUserCommand, GlobalSignOutCommand, InitiateAuthCommand, ResendConfirmationCodeCommand,
  RespondToAuthChallengeCommand, RevokeTokenCommand, SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import helpers from 'amazon-cognito-identity-js/lib/AuthenticationHelper.js';
import integers from 'amazon-cognito-identity-js/lib/BigInteger.js';
import dates from 'amazon-cognito-identity-js/lib/DateHelper.js';
import { CLIENT as ClientId, ENDPOINT, POOL, changed, codeOf, password, refused, reset, sameSession, step } from './steps.mjs';

const api = new CognitoIdentityProvider({ region: 'us-east-1', endpoint: ENDPOINT, maxAttempts: 1 });
const Username = 'sven';
const poolName = POOL.split('_')[1];
const promised = call => new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));

async function signIn(typed) {
  const helper = new helpers.default(poolName);
  const A = await promised(done => helper.getLargeAValue(done));
  const first = await api.send(new InitiateAuthCommand({
    AuthFlow: 'USER_SRP_AUTH', ClientId, AuthParameters: { USERNAME: Username, SRP_A: A.toString(16) },
  }));
  assert.equal(first.ChallengeName, 'PASSWORD_VERIFIER');
  assert.equal(first.Session, undefined);
  const given = first.ChallengeParameters;
  const integer = text => new integers.default(text, 16);
  const key = await promised(done => helper.getPasswordAuthenticationKey(
    given.USER_ID_FOR_SRP, typed, integer(given.SRP_B), integer(given.SALT), done));
  const TIMESTAMP = new dates.default().getNowString();
  const PASSWORD_CLAIM_SIGNATURE = createHmac('sha256', key).update(poolName + given.USER_ID_FOR_SRP)
    .update(Buffer.from(given.SECRET_BLOCK, 'base64')).update(TIMESTAMP).digest('base64');
  const last = await api.send(new RespondToAuthChallengeCommand({
    ChallengeName: first.ChallengeName, ClientId, ChallengeResponses: {
      USERNAME: given.USER_ID_FOR_SRP, PASSWORD_CLAIM_SECRET_BLOCK: given.SECRET_BLOCK, TIMESTAMP, PASSWORD_CLAIM_SIGNATURE,
    },
  }));
  assert.equal(last.AuthenticationResult.TokenType, 'Bearer');
  return last.AuthenticationResult;
}

const refresh = RefreshToken => api.send(new GetTokensFromRefreshTokenCommand({ ClientId, RefreshToken }));

await step('sign up', async () => {
  const made = await api.send(new SignUpCommand({
    ClientId, Username, Password: password, UserAttributes: [{ Name: 'email', Value: 'sven@example.com' }],
  }));
  assert.equal(made.UserConfirmed, false);
  assert.equal(made.CodeDeliveryDetails.DeliveryMedium, 'EMAIL');
});
await refused('sign up with a weak password', 'InvalidPasswordException',
  () => api.send(new SignUpCommand({ ClientId, Username: 'weak', Password: 'weakling' })));
await refused('sign in unconfirmed', 'UserNotConfirmedException', () => signIn(password));
await step('resend the code', () => api.send(new ResendConfirmationCodeCommand({ ClientId, Username })));
await refused('confirm with a wrong code', 'CodeMismatchException',
  () => api.send(new ConfirmSignUpCommand({ ClientId, Username, ConfirmationCode: 'x' })));
await step('confirm', async () => api.send(new ConfirmSignUpCommand({
  ClientId, Username, ConfirmationCode: await codeOf(Username, 'sign_up'),
})));
await refused('sign in with a wrong password', 'NotAuthorizedException', () => signIn('Wrong-1-password'), 'Incorrect username or password.');
const tokens = await step('sign in by SRP', () => signIn(password));
await step('read the user', async () => {
  const user = await api.send(new GetUserCommand({ AccessToken: tokens.AccessToken }));
  assert.equal(user.Username, Username);
});
await step('refresh', async () => {
  const old = await api.send(new InitiateAuthCommand({
    AuthFlow: 'REFRESH_TOKEN_AUTH', ClientId, AuthParameters: { REFRESH_TOKEN: tokens.RefreshToken },
  }));
  assert.equal(old.AuthenticationResult.RefreshToken, undefined);
  sameSession(tokens.IdToken, old.AuthenticationResult.IdToken);
  sameSession(tokens.AccessToken, (await refresh(tokens.RefreshToken)).AuthenticationResult.AccessToken);
});
await step('change the password', () => api.send(new ChangePasswordCommand({
  AccessToken: tokens.AccessToken, PreviousPassword: password, ProposedPassword: changed,
})));
await step('ask for a reset', () => api.send(new ForgotPasswordCommand({ ClientId, Username })));
await step('reset the password', async () => api.send(new ConfirmForgotPasswordCommand({
  ClientId, Username, ConfirmationCode: await codeOf(Username, 'forgot_password'), Password: reset,
})));
await refused('sign in with the old password', 'NotAuthorizedException', () => signIn(changed));
const second = await step('sign in with the new password', () => signIn(reset));
await step('revoke', () => api.send(new RevokeTokenCommand({ ClientId, Token: second.RefreshToken })));
await refused('refresh a revoked token', 'NotAuthorizedException', () => refresh(second.RefreshToken), 'Refresh Token has been revoked');
await step('sign out everywhere', () => api.send(new GlobalSignOutCommand({ AccessToken: tokens.AccessToken })));
await refused('use the access token after that', 'NotAuthorizedException',
  () => api.send(new GetUserCommand({ AccessToken: tokens.AccessToken })), 'Access Token has been revoked');
