// Package jwks keeps one issuer's public keys: it fetches them, caches them, follows rotations, and spends a small
// budget on keys that it does not know. A [Set] is a [jws.KeySource], so a verifier takes it as it is:
//
//	keys, err := jwks.New(jwks.Config{URL: "https://issuer.example/.well-known/jwks.json"})
//	if err != nil { … }
//	defer keys.Close()
//	verifier, err := jws.NewVerifier(jws.Config{Keys: keys, Algorithms: []jws.Algorithm{jws.RS256}, …})
//
// # When it fetches
//
// The first lookup fetches. After that a timer refreshes in the background, with jitter, after [Config.TTL] or what
// Cache-Control says within bounds. While a refresh runs or fails, the keys that are known serve, for at most
// [Config.StaleLimit]; then every lookup is refused as [jws.Unavailable] until a fetch succeeds.
//
// A token with an unknown kid (RFC 7515 section 4.1.4) may be the first of a rotation or an attack. It starts a fetch
// that everybody shares who waits: a burst of three, then one every 5 s, and the same unknown kid once in 30 s. A token
// without a kid is matched only if the set has exactly one key of its algorithm. A bad signature never fetches: the
// package does not learn of it.
//
// # What is refused
//
// Addresses that are neither https nor http on a loopback address; redirects to another host, port or scheme; every
// status but 200; bodies over [Config.MaxBytes]; documents that are no key set or hold no usable key. None of these
// ever replaces a good set. One bad or unknown key in a set does not spoil the others. The answer is judged by what it
// holds, not by its Content-Type, and it is never part of an error.
//
// A key that the issuer removed is distrusted at the refresh that finds it gone, so that cached verdicts which rest on
// it fall too ([jws.Key.Trusted]).
package jwks
