// Package sallyport is the authentication layer between an identity provider and a real-time game server. It holds no
// code: the packages below it do, and each stands for one stretch of the way of a token.
//
//	identity token ─▶ jws ─▶ jwks ─▶ identity ─▶ session ─▶ connect ─▶ the game server
//	                  parse   keys    who is it    may it     is it
//	                  verify                       play       still so
//
// A token travels left to right, imports point right to left, and architecture_test.go holds the table.
//
//   - [github.com/sallyport-auth/sallyport/jws] parses, verifies and signs compact JWS.
//   - [github.com/sallyport-auth/sallyport/jwks] keeps one issuer's public keys.
//   - [github.com/sallyport-auth/sallyport/identity] turns an identity token into an Identity: Cognito, Clerk, OpenID Connect.
//   - [github.com/sallyport-auth/sallyport/session] turns an Identity into a game session, and ends it.
//   - [github.com/sallyport-auth/sallyport/connect] verifies at the door: net/http middleware.
//
// Beside the way: [github.com/sallyport-auth/sallyport/tokenapi] is the HTTP API as mountable handlers,
// [github.com/sallyport-auth/sallyport/photon] answers Photon's custom authentication,
// [github.com/sallyport-auth/sallyport/srp] is Cognito's SRP-6a, and
// [github.com/sallyport-auth/sallyport/devidp] is an identity provider for development and tests.
//
// The module requires nothing besides the standard library. The binary, stores and plugins, which do, are nested
// modules.
package sallyport
