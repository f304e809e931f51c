// The tokens before aws-jwt-verify. Its CognitoJwtVerifier knows issuers below amazonaws.com alone, so the tokens go
// through its generic JwtVerifier with our issuer, and through validateCognitoJwtFields, which is the Cognito part of the
// other (token_use, client_id or aud, groups). Its own fetcher speaks https alone: a fetcher for http is put in its place.
import assert from 'node:assert/strict';
import { JwtVerifier } from 'aws-jwt-verify';
import { validateCognitoJwtFields } from 'aws-jwt-verify/cognito-verifier';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import { CLIENT, ENDPOINT, POOL, claims, refused, step } from './steps.mjs';

const { ID: id, ACCESS: access, OTHER: other } = process.env;
const issuer = `${ENDPOINT}/${POOL}`;
const overHTTP = { fetch: async uri => (await fetch(uri)).arrayBuffer() };
const verifier = (changes = {}) => JwtVerifier.create(
  { issuer, audience: null, jwksUri: `${issuer}/.well-known/jwks.json`, ...changes },
  { jwksCache: new SimpleJwksCache({ fetcher: overHTTP }) });
const verify = async (token, tokenUse, changes) => {
  const payload = await verifier(changes).verify(token);
  validateCognitoJwtFields(payload, { tokenUse, clientId: CLIENT, groups: 'admin' });
  return payload;
};

// edited changes the claims and leaves the signature as it is.
function edited(token, changes) {
  const parts = token.split('.');
  parts[1] = Buffer.from(JSON.stringify({ ...claims(token), ...changes })).toString('base64url');
  return parts.join('.');
}

// headed changes the header.
function headed(token, changes) {
  const [header, payload, signature] = token.split('.');
  const was = JSON.parse(Buffer.from(header, 'base64url'));
  return [Buffer.from(JSON.stringify({ ...was, ...changes })).toString('base64url'), payload, signature].join('.');
}

await step('accept the access token', async () => assert.equal((await verify(access, 'access')).username, 'alice'));
await step('accept the ID token', async () => assert.equal((await verify(id, 'id', { audience: CLIENT })).email, 'alice@example.com'));
await step('find the keys by discovery', async () => {
  const document = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  assert.equal(document.issuer, issuer);
  assert.equal((await verifier({ jwksUri: document.jwks_uri }).verify(id)).token_use, 'id');
});
await refused('another subject', 'JwtInvalidSignatureError', () => verify(edited(access, { sub: 'mallory' }), 'access'));
await refused('a longer life', 'JwtInvalidSignatureError', () => verify(edited(id, { exp: 4102444800 }), 'id'));
await refused('the signature of another token', 'JwtInvalidSignatureError', () => verify(
  access.split('.').with(2, other.split('.')[2]).join('.'), 'access'));
await refused('the key of the other kind', 'JwtInvalidSignatureError', () => verify(
  headed(access, JSON.parse(Buffer.from(id.split('.')[0], 'base64url'))), 'access'));
await refused('no algorithm', 'JwtInvalidSignatureAlgorithmError', () => verify(headed(access, { alg: 'none' }), 'access'));
await refused('an unknown key', 'KidNotFoundInJwksError', () => verify(headed(access, { kid: 'unknown' }), 'access'));
await refused('an ID token as an access token', 'CognitoJwtInvalidTokenUseError', () => verify(id, 'access'));
await refused('another issuer', 'JwtInvalidIssuerError', () => verify(access, 'access', { issuer: `${ENDPOINT}/local_Other` }));
await refused('another audience', 'JwtInvalidAudienceError', () => verify(id, 'id', { audience: 'elsewhere' }));
await step('rotate the keys', async () => {
  assert.equal((await fetch(`${ENDPOINT}/devidp/rotate-keys`, { method: 'POST' })).status, 200);
  await verify(access, 'access');
});
await step('withdraw the old keys', async () => {
  assert.equal((await fetch(`${ENDPOINT}/devidp/rotate-keys?drop=true`, { method: 'POST' })).status, 200);
});
await refused('a token of a withdrawn key', 'KidNotFoundInJwksError', () => verify(access, 'access'));
