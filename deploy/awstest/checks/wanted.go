package checks

// NakamaPaths and GatePaths are the allow-lists of the two topologies as they are meant, written down a second time: a path that the
// modules get more or fewer of is a decision to be made here as well.
var (
	NakamaPaths = []string{
		"/v1/ticket",
		"/v2/account/authenticate/custom", "/v2/account/session/refresh", "/v2/session/logout",
		"/v2/account", "/v2/user", "/v2/friend", "/v2/friend/*", "/v2/group", "/v2/group/*", "/v2/user/*",
		"/v2/channel/*", "/v2/leaderboard/*", "/v2/tournament", "/v2/tournament/*",
		"/v2/match", "/v2/matchmaker/stats", "/v2/notification", "/v2/event", "/v2/party", "/v2/iap/*", "/v2/storage", "/v2/storage/*", "/v2/rpc/*",
	}
	GatePaths = []string{
		"/oauth2/token", "/oauth2/revoke", "/.well-known/oauth-authorization-server", "/.well-known/jwks.json", "/v1/ticket",
		"/game/*",
	}
	// SocketPaths are those of both.
	SocketPaths = []string{"/ws"}
)
