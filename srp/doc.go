// Package srp is SRP-6a as Amazon Cognito speaks it (AuthFlow USER_SRP_AUTH, challenge PASSWORD_VERIFIER), client and
// server. The password never leaves the client, and the server keeps only a verifier.
//
// To sign a player in to a user pool and get their tokens, one call does:
//
//	tokens, err := srp.Login(ctx, srp.LoginConfig{
//		UserPoolID: "eu-central-1_Ab129faBb",
//		ClientID:   "1example23456789",
//		Username:   "alice",
//		Password:   password,
//	})
//
// To speak through another SDK, [NewClient] gives the SRP_A parameter of InitiateAuth, and [Client.Respond] turns the
// challenge parameters into the challenge responses. A server keeps what [NewVerifier] makes, answers SRP_A with [Answer]
// and judges the response with [Key.Check].
//
// Cognito differs from RFC 5054 in four places: numbers are hashed in their shortest two's complement form instead of a
// fixed width, the user id is prefixed with the pool's name, the session key is HKDF-SHA256 of S, and the proof is an
// HMAC over pool name, user id, SECRET_BLOCK and a time stamp instead of M1.
//
// Refused: a public value that is 0 modulo N or not below N, a scrambler u of 0, anything that is not plain hexadecimal,
// anything longer than the protocol needs (before it is parsed), and a time stamp in any form but Cognito's. Proofs are
// compared in constant time. The modular exponentiations are math/big's, whose running time is not independent of the
// numbers.
package srp
