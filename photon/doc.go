// Package photon answers Photon's custom authentication: Photon's servers ask this handler whether a client may come
// in, and who it is. One contract serves Realtime, PUN, Fusion, Quantum, Chat and Voice (doc.photonengine.com,
// "Custom Authentication").
//
//	handler, err := photon.New(photon.Config{
//		Sessions: verifier,                       // a *session.Verifier
//		Secrets:  []string{os.Getenv("PHOTON_SECRET")},
//	})
//	if err != nil { … }
//	mux.Handle("/v1/photon", handler)
//
// In Photon's dashboard, for each AppId: set Authentication URL to the handler's address, add the pair
// secret = your secret, and untick "Allow anonymous clients to connect" – with it, a client that sends no parameters
// is let in without a question to this handler. Chat and Voice have AppIds of their own. In the game:
//
//	var auth = new AuthenticationValues();               // C#
//	auth.AuthType = CustomAuthenticationType.Custom;
//	auth.SetAuthPostData(new Dictionary<string, object> { { "token", sessionToken } });
//
// # Requests
//
// The token may come in the query (a GET, from AddAuthParameter), as a member of a JSON dictionary, as a form, or as
// the whole body, with or without a content type. Prefer post data: queries end up in access logs.
//
// Parameter names are compared without regard to case, as Photon compares them. What the dashboard sets is in the query
// and wins: where the query has a parameter, the body's is not looked at. A parameter that is twice in one place is
// refused; Photon itself never sends one twice.
//
// # Answers
//
// The status is always 200, whatever happened, and the body is below 1000 bytes: Photon counts other statuses as
// outages, pauses authentication for every player after some of them, and may let players in unasked. ResultCode is 1
// (in), 2 (not in) or 3 (the request is wrong), never 0, which would leave the client waiting. UserId is from the token
// alone; the client's own UserId is ignored. ExpireAt is the token's expiry. One token may be shown any number of times,
// because one player's Fusion, Chat and Voice each ask.
//
// Rooms run on Photon's servers, so a player who is banned or signed out stays in a room until Photon asks again or the
// game's own server code ends it. Nothing here can close a room.
package photon
