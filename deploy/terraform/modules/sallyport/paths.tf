# The allow-list. What is not here has no way in: not /healthcheck, which is the balancers' own business; not /v1/*; and of
# /v2/account/authenticate/* only custom, where sallyport checks the identity token.
locals {
  preset_paths = {
    nakama = [
      "/v2/account/authenticate/custom",
      "/v2/account/session/refresh",
      "/v2/session/logout",
      "/v2/account",
      "/v2/user",
      "/v2/friend",
      "/v2/friend/*",
      "/v2/group",
      "/v2/group/*",
      "/v2/user/*",
      "/v2/channel/*",
      "/v2/leaderboard/*",
      "/v2/tournament",
      "/v2/tournament/*",
      "/v2/match",
      "/v2/matchmaker/stats",
      "/v2/notification",
      "/v2/event",
      "/v2/party",
      "/v2/iap/*",
      "/v2/storage",
      "/v2/storage/*",
      "/v2/rpc/*",
    ]
    gate = ["/game/*"]
  }

  # sallyport's own. /v1/events, introspection and bans are for the backend and the operator, inside.
  preset_api_paths = {
    nakama = ["/v1/ticket"]
    gate = [
      "/oauth2/token",
      "/oauth2/revoke",
      "/.well-known/oauth-authorization-server",
      "/.well-known/jwks.json",
      "/v1/ticket",
    ]
  }
}
