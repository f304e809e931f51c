// A player's life with aws-amplify, whose refresh is GetTokensFromRefreshToken, on a client that rotates refresh tokens.
import assert from 'node:assert/strict';
import { Amplify } from 'aws-amplify';
import {
  confirmResetPassword, confirmSignUp, fetchAuthSession, fetchUserAttributes, getCurrentUser, resendSignUpCode, resetPassword, signIn, signOut, signUp,
  updatePassword,
} from 'aws-amplify/auth';
import { cognitoUserPoolsTokenProvider } from 'aws-amplify/auth/cognito';
import { ENDPOINT, POOL, ROTATING, changed, codeOf, password, refused, reset, sameSession, step } from './steps.mjs';

Amplify.configure({ Auth: { Cognito: { userPoolId: POOL, userPoolClientId: ROTATING, userPoolEndpoint: ENDPOINT } } });
const username = 'amparo';
const refreshToken = async () => (await cognitoUserPoolsTokenProvider.authTokenStore.loadTokens()).refreshToken;

// post calls an operation without Amplify, which forgets its tokens when it signs out.
async function post(operation, body) {
  const answer = await fetch(`${ENDPOINT}/`, {
    method: 'POST', body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': `AWSCognitoIdentityProviderService.${operation}` },
  });
  const data = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(data.message), { name: data.__type });
  return data;
}

await step('sign up', async () => {
  const made = await signUp({ username, password, options: { userAttributes: { email: 'amparo@example.com' } } });
  assert.equal(made.nextStep.signUpStep, 'CONFIRM_SIGN_UP');
});
await step('sign in unconfirmed', async () => {
  assert.equal((await signIn({ username, password })).nextStep.signInStep, 'CONFIRM_SIGN_UP');
});
await step('resend the code', async () => {
  assert.equal((await resendSignUpCode({ username })).destination, 'a***@e***');
});
await refused('confirm with a wrong code', 'CodeMismatchException', () => confirmSignUp({ username, confirmationCode: 'x' }));
await step('confirm', async () => {
  const done = await confirmSignUp({ username, confirmationCode: await codeOf(username, 'sign_up') });
  assert.ok(done.isSignUpComplete);
});
await refused('sign in with a wrong password', 'NotAuthorizedException',
  () => signIn({ username, password: 'Wrong-1-password' }), 'Incorrect username or password.');
await step('sign in by SRP', async () => {
  assert.ok((await signIn({ username, password, options: { authFlowType: 'USER_SRP_AUTH' } })).isSignedIn);
  assert.equal((await getCurrentUser()).username, username);
});
await step('read the user', async () => assert.equal((await fetchUserAttributes()).email, 'amparo@example.com'));
await step('refresh twice, with rotation', async () => {
  const before = (await fetchAuthSession()).tokens;
  const first = await refreshToken();
  const one = (await fetchAuthSession({ forceRefresh: true })).tokens;
  const two = (await fetchAuthSession({ forceRefresh: true })).tokens;
  assert.notEqual(await refreshToken(), first);
  sameSession(before.accessToken.toString(), one.accessToken.toString());
  sameSession(one.accessToken.toString(), two.accessToken.toString());
});
await step('change the password', () => updatePassword({ oldPassword: password, newPassword: changed }));
const kept = await refreshToken();
await step('sign out and revoke', () => signOut());
await refused('refresh a revoked token', 'NotAuthorizedException',
  () => post('GetTokensFromRefreshToken', { ClientId: ROTATING, RefreshToken: kept }), 'Refresh Token has been revoked');
await step('ask for a reset', async () => {
  assert.equal((await resetPassword({ username })).nextStep.resetPasswordStep, 'CONFIRM_RESET_PASSWORD_WITH_CODE');
});
await step('reset the password', async () => {
  await confirmResetPassword({ username, confirmationCode: await codeOf(username, 'forgot_password'), newPassword: reset });
});
await refused('sign in with the old password', 'NotAuthorizedException', () => signIn({ username, password: changed }));
await step('sign in with the new password', async () => assert.ok((await signIn({ username, password: reset })).isSignedIn));
const last = (await fetchAuthSession()).tokens.accessToken.toString();
await step('sign out everywhere', () => signOut({ global: true }));
await refused('use the access token after that', 'NotAuthorizedException',
  () => post('GetUser', { AccessToken: last }), 'Access Token has been revoked');
