// Package identity verifies the tokens of identity providers and says which player they are from.
//
// Make one *Issuer for each provider, with the constructor of its family, and ask it:
//
//	players, err := identity.NewCognito(identity.CognitoConfig{
//		Common:     identity.Common{Realm: "players"},
//		UserPoolID: "eu-central-1_Example12",
//		ClientIDs:  []string{"1example23456789"},
//		Uses:       []identity.Use{identity.AccessToken},
//	})
//	…
//	id, err := players.Verify(ctx, token)
//	if errors.Is(err, jws.Expired) { … }
//
// Several providers at once go into NewIssuers, which picks one by the token's iss before any key is fetched. Both are
// a Verifier. There are constructors for Cognito, Clerk, any OpenID Connect issuer (NewOIDC), Firebase, Auth0, Supabase,
// Google, Apple, Epic (accounts and Connect), Unity, Discord and Microsoft.
//
// Each first sight of a token runs the five checks of package jws and then those of its family; a repeat costs one
// look into the verdict cache, which checks exp and the key again. Refusals are *jws.Refusal. Refused are, among
// others: an iss that no rule names (no fetch is made for it), an algorithm that the issuer does not use, a token for
// another client or audience, an ID token where an access token is due, a logout token, a token without sub, and
// whatever the provider's documentation says must not be accepted. A configuration that leaves such a decision open is
// a *ConfigError, and the permissive choices have loud names such as AnyTenant.
//
// Sign-outs at the provider arrive as logout tokens (Issuer.VerifyLogout, OpenID Connect Back-Channel Logout 1.0) or as
// Clerk's webhooks (ClerkWebhook).
//
// Every set of keys belongs to one issuer. Keys are never shared between issuers, not even where key ids are equal.
package identity
