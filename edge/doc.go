// Package edge is the gate: an http.Handler that stands before a game server and lets through what a route names, for whom
// it names, and nothing else. It relays HTTP, and sockets (WebSocket over HTTP/1.1) for as long as their session lives.
//
// A gate before Nakama, without any plugin in it:
//
//	gate, err := edge.New(edge.Config{
//		Routes:   edge.Nakama(edge.NakamaConfig{Backend: "http://127.0.0.1:7350", ServerKey: key}),
//		Sessions: nakamaVerifier, Identities: issuers, Tickets: office, Ledger: ledger, Registry: registry,
//		OriginSecret: edge.OriginSecret{Values: []string{secret}},
//	})
//	server := gate.Server()
//	err = server.Serve(listener)
//
// The registry must know the socket routes: make it with connect.RegistryConfig.Routes set to SocketRoutes(routes). [Colyseus]
// and [Plain] are the presets for other servers, [ReferenceOpen] is a wide-open one with a warning; routes may also be written by hand.
//
// # What is refused
//
//   - 403 without a route: a request that no route names, before anything is dialled. The most specific path wins; two that
//     overlap without one being more specific are an error of New
//   - 400 a path with more than one reading: encoded slash, dot segments, backslash, NUL, //, ;, #, double encoding, bytes that
//     are not UTF-8. It is never repaired. What was matched is what is sent on, byte for byte
//   - 403 a request without the origin secret, where one is set: also for an upgrade
//   - 400, 401, 403, 503 as package connect says, where a token is missing or not good
//   - 405, 413, 426, 429 for methods, bodies, WebSocket versions and handshakes beyond what the route allows
//
// Answers are RFC 9457 problems with fixed texts. No token, ticket or secret is in any answer, error or [Decision].
//
// # What the backend sees
//
// The headers of connect.IdentityHeaders, every one in every request, set from what was verified or empty; nothing of the same
// name in any spelling (X_Auth_User) from the client. X-Real-IP, X-Forwarded-For, -Proto, -Host, -Port and Forwarded as the gate
// knows them, see [Config].TrustedProxies. No hop-by-hop header, no token unless the route sends it on, no ticket ever.
package edge
