// Package cognito holds no code: its tests put the SDKs of players' clients in front of the development identity
// provider, and its tokens in front of a verifier of Amazon's.
//
// The npm packages amazon-cognito-identity-js, aws-amplify, @aws-sdk/client-cognito-identity-provider and aws-jwt-verify
// run in Node.js from scripts below node/, at versions that package-lock.json pins; "npm ci" fetches them when they are
// missing. aws-sdk-go-v2 runs in the test itself, with the arithmetic of package srp.
package cognito
