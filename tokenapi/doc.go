// Package tokenapi is the way of a token as HTTP: handlers to mount wherever you like, over the packages that make the
// decisions.
//
// Two calls are all you need: New once, and API.Handler to mount everything; each endpoint is also a handler of its own.
//
//	api, err := tokenapi.New(tokenapi.Config{
//		Issuer: "https://auth.example", Realms: []string{"players"},
//		Sessions: issuer, Verifiers: []connect.SessionVerifier{verifier}, Ledger: ledger, Keys: keyring,
//	})
//	…
//	http.Handle("/", api.Handler())
//
// The endpoints:
//
//	POST /oauth2/token                             token exchange (RFC 8693) and refresh (RFC 6749 section 6)
//	POST /oauth2/introspect                        RFC 7662, for callers
//	POST /oauth2/revoke                            RFC 7009
//	GET  /.well-known/oauth-authorization-server   RFC 8414
//	GET  /.well-known/jwks.json                    RFC 7517
//	POST /v1/ticket                                a one-time ticket for a session token
//	POST /v1/ticket/redeem                         its session, for callers (UDP and TCP game servers)
//	     /verify                                   forward authentication for nginx, Traefik, Caddy and Envoy
//	GET  /v1/events?after=CURSOR                   the feed of revocations, for callers
//	POST /v1/backchannel-logout                    OpenID Connect Back-Channel Logout 1.0
//	POST /v1/clerk/webhook                         Clerk's session and user events
//	POST /v1/admin/{revoke,cutoff,ban,unban}       for callers
//	POST /v1/admin/alias                           who a backend's user is, for callers
//	GET  /v1/sockets                               the live sockets, of all nodes, for callers
//	POST /v1/sockets/kick                          ends some of them, for callers
//
// An endpoint whose part is missing from the configuration answers 404. Endpoints for callers take HTTP Basic with the
// id and secret of a Caller (client_secret_basic) that may do this very thing; without callers they are closed.
//
// The /oauth2 endpoints take forms, /v1 takes JSON; a parameter that is there twice is refused. Errors are those of RFC 6749
// section 5.2 under /oauth2 and RFC 9457 elsewhere. Their texts are fixed: nothing from a token or a request is ever
// echoed, and no token is in an answer but where the standard puts it.
//
// If the issuer has a path, the handlers expect to be mounted under it with http.StripPrefix, and the metadata document
// is also served with the path appended (RFC 8414 section 3).
package tokenapi
