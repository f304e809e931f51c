// Package connect stands at the door of an HTTP server: it finds the token in a request, has it verified, applies the
// route's rules and puts the result into the request's context.
//
// Two calls are all you need: New once, and Guard.Require around each protected handler.
//
//	guard, err := connect.New(connect.Config{Sessions: verifier})
//	…
//	mux.Handle("GET /inventory", guard.Require(connect.Scope("play"))(inventory))
//
//	func inventory(w http.ResponseWriter, r *http.Request) {
//		s, _ := connect.SessionFromContext(r.Context())
//		fmt.Fprintln(w, s.PlayerID)
//	}
//
// Guard.Allow is for routes that serve signed-out callers too: a request without a token passes as nobody, one with a
// bad token is still refused.
//
// # Where a token may be
//
// Sources are tried in the order of Config.Sources; the default is Bearer alone. Explicit sources (Bearer, Query,
// Subprotocol, Ticket) beat cookies. Two explicit sources that disagree are refused with 400 invalid_request, the same
// token in two places is not. A second Authorization header is refused whatever it holds; an Authorization header of
// another scheme (Basic) is somebody else's and is left alone. Cookies are read only by Cookie and ClerkCookie, which
// need an Origin allow-list: it is asked for unsafe methods, for WebSocket upgrades and for cross-site requests.
//
// # What is answered
//
// A refusal is an RFC 6750 challenge with an RFC 9457 body (application/problem+json), Cache-Control: no-store, and a
// fixed text: no token, no claim and no configuration is ever in it.
//
//	no token                           401  Bearer realm="…"
//	two tokens, malformed request      400  error="invalid_request"
//	expired, revoked, forged, …        401  error="invalid_token"
//	a rule does not hold               403  error="insufficient_scope", scope="…" where a scope was missing
//	cookie from a foreign origin       403
//	banned                             403  a new token would not help
//	keys or store cannot be had        503  Retry-After
//
// CORS preflights carry no token; put the CORS handler outside the guard.
package connect
