// A player's life with amazon-cognito-identity-js.
import assert from 'node:assert/strict';
import { AuthenticationDetails, CognitoUser, CognitoUserAttribute, CognitoUserPool } from 'amazon-cognito-identity-js';
import { CLIENT, ENDPOINT, POOL, changed, claims, codeOf, password, refused, reset, sameSession, step } from './steps.mjs';

const pool = new CognitoUserPool({ UserPoolId: POOL, ClientId: CLIENT, endpoint: ENDPOINT });
const Username = 'ingrid';
const user = () => new CognitoUser({ Username, Pool: pool });
const promised = call => new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));

// called is for the methods that take an object of callbacks.
const called = call => new Promise((resolve, reject) => call({ onSuccess: resolve, onFailure: reject, inputVerificationCode: resolve }));

async function signIn(Password) {
  const signedIn = user();
  const session = await called(callbacks => signedIn.authenticateUser(new AuthenticationDetails({ Username, Password }), callbacks));
  return { signedIn, session };
}

await step('sign up', async () => {
  const email = new CognitoUserAttribute({ Name: 'email', Value: 'ingrid@example.com' });
  const made = await promised(done => pool.signUp(Username, password, [email], [], done));
  assert.equal(made.userConfirmed, false);
  assert.equal(made.codeDeliveryDetails.Destination, 'i***@e***');
});
await refused('sign in unconfirmed', 'UserNotConfirmedException', () => signIn(password), 'User is not confirmed.');
await step('resend the code', () => promised(done => user().resendConfirmationCode(done)));
await refused('confirm with a wrong code', 'CodeMismatchException', () => promised(done => user().confirmRegistration('x', false, done)));
await step('confirm', async () => {
  const code = await codeOf(Username, 'sign_up');
  assert.equal(await promised(done => user().confirmRegistration(code, false, done)), 'SUCCESS');
});
await refused('sign in with a wrong password', 'NotAuthorizedException', () => signIn('Wrong-1-password'), 'Incorrect username or password.');
await refused('sign up twice', 'UsernameExistsException', () => promised(done => pool.signUp(Username, password, [], [], done)));
const { signedIn, session } = await step('sign in by SRP', () => signIn(password));
await step('read the session', () => {
  assert.ok(session.isValid());
  assert.equal(session.getIdToken().payload['cognito:username'], Username);
  assert.equal(session.getAccessToken().payload.token_use, 'access');
});
await step('read the user', async () => {
  const attributes = await promised(done => signedIn.getUserAttributes(done));
  assert.equal(attributes.find(a => a.getName() === 'email').getValue(), 'ingrid@example.com');
});
await step('refresh', async () => {
  const fresh = await promised(done => signedIn.refreshSession(session.getRefreshToken(), done));
  sameSession(session.getAccessToken().getJwtToken(), fresh.getAccessToken().getJwtToken());
  assert.equal(claims(fresh.getIdToken().getJwtToken()).aud, CLIENT);
});
await step('change the password', () => promised(done => signedIn.changePassword(password, changed, done)));
await refused('sign in with the old password', 'NotAuthorizedException', () => signIn(password));
await step('ask for a reset', () => called(callbacks => user().forgotPassword(callbacks)));
await step('reset the password', async () => {
  const code = await codeOf(Username, 'forgot_password');
  await called(callbacks => user().confirmPassword(code, reset, callbacks));
});
const second = await step('sign in with the new password', () => signIn(reset));
await step('sign out everywhere', () => called(callbacks => second.signedIn.globalSignOut(callbacks)));
await refused('refresh after that', 'NotAuthorizedException',
  () => promised(done => signedIn.refreshSession(session.getRefreshToken(), done)), 'Refresh Token has been revoked');
const third = await step('sign in again', () => signIn(reset));
await step('sign out and revoke', () => new Promise((resolve, reject) =>
  third.signedIn.signOut(error => (error ? reject(error) : resolve()))));
await refused('refresh a revoked token', 'NotAuthorizedException',
  () => promised(done => user().refreshSession(third.session.getRefreshToken(), done)), 'Refresh Token has been revoked');
