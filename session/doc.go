// Package session is the inner door: it turns a verified identity into a game session, and says at any time whether
// that session still holds.
//
// A player is a realm and a subject, see package identity. A session is made at sign-in and keeps its id
// over every refresh; it ends by its own lifetime or by one of four revocations: of the session, of everything of the
// player before now ([Ledger.CutOff]), of the player himself ([Ledger.Ban]), or of the session at the issuer
// ([Ledger.RevokeUpstream]). All four are honoured at the exchange, the refresh, the ticket and every verification, so
// that a player who was banned or signed out cannot come back with an identity token that has not expired yet.
//
// The parts: [Issuer] exchanges identity tokens for sessions and refreshes them; [Verifier] verifies our own tokens or
// Nakama's; [TicketOffice] makes tickets for clients that cannot send a header; [Ledger] is the node's copy of what is
// revoked, which follows a store ([Revocations], [Families], [Tickets]) or, by a [Follower], another server. A
// verification never waits for the network.
//
//	ledger, err := session.NewLedger(session.LedgerConfig{Store: session.NewMemoryStore(), Policy: session.Grace})
//	go ledger.Run(ctx)
//	verifier, err := session.NewVerifier(session.VerifierConfig{
//		Issuer: "https://auth.example.com", Audience: "game", Realms: []string{"main"}, Keys: keys, Ledger: ledger,
//	})
//	s, err := verifier.Verify(ctx, token)            // who plays
//	s, err = verifier.VerifyFor(ctx, userID, token)  // is it this player?
//	err = ledger.RevokeSession(ctx, s, "signed out") // and from now on it is refused
//
// Refused, always as a *jws.Refusal: what is revoked or banned; a token from the second of a cut-off or earlier; a
// token without iat once its player was cut off; and everything, as jws.Unavailable, before the ledger has read its
// store and when the store is away for longer than the [StalePolicy] allows.
package session
