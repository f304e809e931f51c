package identity_test

func oidcCases() map[string]vectorFamily {
	return map[string]vectorFamily{"oidc": genericCases(), "auth0": auth0Cases(), "logout": logoutCases()}
}

func genericCases() vectorFamily {
	const access = `{"aud":"https://api.game.example","azp":"game"}`
	return vectorFamily{
		header: `{"typ":"JWT"}`,
		claims: `{"iss":"` + oidcIssuer + `","sub":"alice","aud":"game","preferred_username":"Alice","name":"Alice A.","email":"alice@example.com","email_verified":true,
			"groups":["g1","g2"],"roles":["admin"],"sid":"s-1",` + times + `}`,
		cases: []vectorCase{
			{name: "accepted-id", policy: "oidc", expect: "accept", fields: "player: alice\nuse: id\nusername: Alice\nname: Alice A.\nemail: alice@example.com\nemail-verified: true\ngroups: g1 g2\nroles: admin\nsession: s-1\nclient: game"},
			{name: "accepted-typ-absent", policy: "oidc", expect: "accept", header: `{"typ":null}`},
			{name: "accepted-typ-media-type", policy: "oidc", expect: "accept", header: `{"typ":"application/jwt"}`},
			{name: "accepted-es256", policy: "oidc", expect: "accept", key: "p256-1"},
			{name: "accepted-eddsa", policy: "oidc", expect: "accept", key: "ed25519-1"},
			{name: "accepted-azp-is-audience", policy: "oidc", expect: "accept", claims: `{"azp":"game"}`},
			{name: "accepted-several-audiences", policy: "oidc", expect: "accept", claims: `{"aud":["other","game"],"azp":"game"}`},
			{
				name: "accepted-nested-claims", policy: "oidc-keycloak", expect: "accept", claims: `{"azp":"launcher","nickname":"al","realm_access":{"roles":["moderator"]},"https://game.example/groups":["guild"]}`,
				fields: "username: al\nroles: moderator\ngroups: guild\nclient: launcher",
			},
			{name: "accepted-keycloak-id", policy: "oidc", expect: "accept", claims: `{"typ":"ID"}`},
			{name: "accepted-keycloak-access", policy: "oidc-keycloak-access", expect: "accept", claims: `{"typ":"Bearer","aud":"https://api.game.example"}`, fields: "use: access"},
			{name: "accepted-claim-typ-unknown", policy: "oidc", expect: "accept", claims: `{"typ":"JWT"}`, note: "only Keycloak's words mean anything"},
			{name: "refused-keycloak-access-as-id", policy: "oidc", expect: "refuse policy wrong_use typ", claims: `{"typ":"Bearer"}`, note: "an audience mapper puts the client into the aud of access tokens"},
			{name: "refused-keycloak-id-as-access", policy: "oidc-keycloak-access", expect: "refuse policy wrong_use typ", claims: `{"typ":"ID","aud":["game","https://api.game.example"]}`},
			{name: "refused-keycloak-refresh", policy: "oidc-keycloak-access", expect: "refuse policy wrong_use typ", claims: `{"typ":"Refresh","aud":"https://api.game.example"}`},
			{name: "accepted-access", policy: "oidc-access", expect: "accept", header: `{"typ":"at+jwt"}`, claims: `{"aud":["https://api.game.example","account"],"azp":"game","scope":"openid play"}`, fields: "use: access\nscopes: openid play\nclient: game"},
			{name: "accepted-access-scp-array", policy: "oidc-access", expect: "accept", header: `{"typ":"at+jwt"}`, claims: `{"aud":"https://api.game.example","azp":"game","scp":["play","chat now"]}`, fields: "scopes: play,chat now"},
			{name: "accepted-access-any-client", policy: "oidc-access-any-client", expect: "accept", header: `{"typ":"at+jwt"}`, claims: `{"aud":"https://api.game.example","azp":"other"}`, fields: "client: other"},
			{name: "refused-audience", policy: "oidc", expect: "refuse issuer wrong_audience aud", claims: `{"aud":["other"]}`},
			{name: "refused-audience-absent", policy: "oidc", expect: "refuse issuer missing_claim aud", claims: `{"aud":null}`},
			{name: "refused-audience-substring", policy: "oidc", expect: "refuse issuer wrong_audience aud", claims: `{"aud":"game2"}`},
			{name: "refused-several-audiences-without-azp", policy: "oidc", expect: "refuse policy missing_claim azp", claims: `{"aud":["other","game"]}`, note: "OpenID Connect Core 1.0 section 3.1.3.7"},
			{name: "refused-azp-other", policy: "oidc", expect: "refuse policy wrong_client azp", claims: `{"azp":"other"}`},
			{name: "refused-access-client", policy: "oidc-access", expect: "refuse policy wrong_client azp", header: `{"typ":"at+jwt"}`, claims: `{"aud":"https://api.game.example","azp":"other"}`},
			{name: "refused-id-as-access", policy: "oidc-access", expect: "refuse format wrong_type typ", claims: access, note: "RFC 9068 section 4"},
			{name: "refused-access-as-id", policy: "oidc", expect: "refuse format wrong_type typ", header: `{"typ":"at+jwt"}`},
			{name: "refused-logout-token", policy: "oidc", expect: "refuse policy wrong_use events", claims: `{"events":{"http://schemas.openid.net/event/backchannel-logout":{}}}`, note: "a logout token without a typ of its own"},
			{name: "refused-logout-typ", policy: "oidc", expect: "refuse format wrong_type typ", header: `{"typ":"logout+jwt"}`},
			{name: "refused-hs256", policy: "oidc", expect: "refuse algorithm algorithm_refused alg", key: "hs-1"},
			{name: "refused-issuer-slash", policy: "oidc", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"` + oidcIssuer + `/"}`},
			{name: "refused-issuer-case", policy: "oidc", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://IDP.example"}`},
			{name: "refused-issuer-array", policy: "oidc", expect: "refuse issuer malformed iss", claims: `{"iss":["` + oidcIssuer + `"]}`},
			{name: "refused-issued-in-the-future", policy: "oidc", expect: "refuse time not_yet_valid iat", claims: `{"iat":1793534406}`},
		},
	}
}

func auth0Cases() vectorFamily {
	const id = `{"aud":"game","azp":null,"permissions":null,"gty":null}`
	return vectorFamily{
		header: `{"typ":"JWT"}`,
		claims: `{"iss":"https://game.eu.auth0.com/","sub":"auth0|alice","aud":["https://api.game.example","https://game.eu.auth0.com/userinfo"],"azp":"game",
			"scope":"openid profile","permissions":["play:casual","chat"],"sid":"s-1",` + times + `}`,
		cases: []vectorCase{
			{name: "accepted-access", policy: "auth0", expect: "accept", fields: "player: auth0|alice\nuse: access\npermissions: play:casual chat\nscopes: openid profile\nclient: game"},
			{name: "accepted-rfc9068", policy: "auth0", expect: "accept", header: `{"typ":"at+jwt"}`, claims: `{"azp":null,"client_id":"game"}`, fields: "client: game"},
			{name: "accepted-any-client", policy: "auth0-any-client", expect: "accept", claims: `{"azp":"other"}`},
			{name: "accepted-permission", policy: "auth0-permission", expect: "accept", claims: `{"permissions":["play:ranked"]}`},
			{name: "accepted-id", policy: "auth0-id", expect: "accept", claims: id, fields: "use: id\npermissions: -\nsession: s-1"},
			{name: "refused-issuer-without-slash", policy: "auth0", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://game.eu.auth0.com"}`},
			{name: "refused-azp", policy: "auth0", expect: "refuse policy wrong_client azp", claims: `{"azp":"other"}`},
			{name: "refused-azp-before-client-id", policy: "auth0", expect: "refuse policy wrong_client azp", claims: `{"azp":"other","client_id":"game"}`},
			{name: "refused-client-absent", policy: "auth0", expect: "refuse policy missing_claim client_id", claims: `{"azp":null}`},
			{name: "refused-permission", policy: "auth0-permission", expect: "refuse policy wrong_claim permissions"},
			{name: "refused-machine", policy: "auth0-any-client", expect: "refuse policy wrong_use sub", claims: `{"gty":"client-credentials","sub":"game@clients"}`},
			{name: "refused-machine-by-subject", policy: "auth0-any-client", expect: "refuse policy wrong_use sub", claims: `{"sub":"game@clients"}`},
			{name: "refused-audience", policy: "auth0", expect: "refuse issuer wrong_audience aud", claims: `{"aud":["https://api.other.example"]}`},
			{name: "refused-id-as-access", policy: "auth0", expect: "refuse issuer wrong_audience aud", claims: id},
			{name: "refused-access-as-id", policy: "auth0-id", expect: "refuse issuer wrong_audience aud"},
			{name: "refused-id-typ", policy: "auth0-id", expect: "refuse format wrong_type typ", header: `{"typ":"at+jwt"}`, claims: id},
		},
	}
}

func logoutCases() vectorFamily {
	const untyped = `{"typ":null}`
	return vectorFamily{
		header: `{"typ":"logout+jwt"}`,
		claims: `{"iss":"` + oidcIssuer + `","sub":"alice","aud":"game","sid":"s-1","jti":"logout-1","events":{"http://schemas.openid.net/event/backchannel-logout":{}},"iat":1793534340,"exp":1793534460}`,
		cases: []vectorCase{
			{name: "accepted-session", policy: "oidc", expect: "accept", fields: "player: alice\nsession: s-1\nall: false\ntoken-id: logout-1\nat: 1793534340"},
			{name: "accepted-all-sessions", policy: "oidc", expect: "accept", claims: `{"sid":null}`, fields: "player: alice\nsession: -\nall: true"},
			{name: "accepted-session-alone", policy: "oidc", expect: "accept", claims: `{"sub":null}`, fields: "player: -\nsession: s-1\nall: false"},
			{name: "accepted-untyped", policy: "oidc-untyped-logout", expect: "accept", header: untyped},
			{name: "accepted-untyped-jwt", policy: "oidc-untyped-logout", expect: "accept", header: `{"typ":"JWT"}`},
			{name: "accepted-auth0", policy: "auth0", expect: "accept", claims: `{"iss":"https://game.eu.auth0.com/"}`, note: "aud is the client, not the API of the access tokens"},
			{name: "accepted-oldest", policy: "oidc", expect: "accept", claims: `{"iat":1793534280}`},
			{name: "refused-typ-absent", policy: "oidc", expect: "refuse format wrong_type typ", header: untyped},
			{name: "refused-typ-access", policy: "oidc-untyped-logout", expect: "refuse format wrong_type typ", header: `{"typ":"at+jwt"}`},
			{name: "refused-id-token", policy: "oidc-untyped-logout", expect: "refuse policy missing_claim events", header: untyped, claims: `{"events":null,"nonce":"n"}`},
			{name: "refused-event-other", policy: "oidc", expect: "refuse policy missing_claim events", claims: `{"events":{"https://schemas.openid.net/secevent/risc/event-type/account-disabled":{}}}`},
			{name: "refused-event-no-object", policy: "oidc", expect: "refuse policy missing_claim events", claims: `{"events":{"http://schemas.openid.net/event/backchannel-logout":true}}`},
			{name: "refused-nonce", policy: "oidc", expect: "refuse policy wrong_use nonce", claims: `{"nonce":"n"}`},
			{name: "refused-nobody", policy: "oidc", expect: "refuse policy missing_claim sub", claims: `{"sub":null,"sid":null}`},
			{name: "refused-jti-absent", policy: "oidc", expect: "refuse policy missing_claim jti", claims: `{"jti":null}`},
			{name: "refused-iat-absent", policy: "oidc", expect: "refuse policy missing_claim iat", claims: `{"iat":null}`},
			{name: "refused-iat-old", policy: "oidc", expect: "refuse time expired iat", claims: `{"iat":1793534279}`, note: "121 s ago"},
			{name: "refused-exp-absent", policy: "oidc", expect: "refuse time missing_claim exp", claims: `{"exp":null}`},
			{name: "refused-expired", policy: "oidc", expect: "refuse time expired exp", claims: `{"exp":1793534400}`},
			{name: "refused-audience", policy: "oidc", expect: "refuse issuer wrong_audience aud", claims: `{"aud":"other"}`},
			{name: "refused-audience-of-the-api", policy: "auth0", expect: "refuse issuer wrong_audience aud", claims: `{"iss":"https://game.eu.auth0.com/","aud":"https://api.game.example"}`},
			{name: "refused-issuer", policy: "oidc", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://foreign.example"}`},
			{name: "refused-signature", policy: "oidc", expect: "refuse signature bad_signature", key: "rsa-2", header: `{"kid":"rsa-1"}`},
			{name: "refused-not-configured", policy: "oidc-no-logout", expect: "refuse policy wrong_use"},
			{name: "refused-family-without-logout", policy: "clerk", expect: "refuse policy wrong_use", claims: `{"iss":"` + clerkIssuer + `"}`},
		},
	}
}
