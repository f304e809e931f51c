package identity_test

func gameCases() map[string]vectorFamily {
	return map[string]vectorFamily{"epic-account": epicAccountCases(), "epic-connect": epicConnectCases(), "unity": unityCases()}
}

func epicAccountCases() vectorFamily {
	return vectorFamily{
		header: `{"typ":"JWT"}`,
		claims: `{"iss":"https://api.epicgames.dev/epic/oauth/v2","sub":"9f1e0000epic","aud":"xyza7891game","dn":"Alice",` + times + `}`,
		cases: []vectorCase{
			{name: "accepted-v2", policy: "epic-account", expect: "accept", fields: "player: 9f1e0000epic\nuse: id"},
			{name: "accepted-v1", policy: "epic-account", expect: "accept", claims: `{"iss":"https://api.epicgames.dev/epic/oauth/v1"}`},
			{name: "refused-connect-issuer", policy: "epic-account", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://api.epicgames.dev"}`},
			{name: "refused-audience", policy: "epic-account", expect: "refuse issuer wrong_audience aud", claims: `{"aud":"foreign"}`},
		},
	}
}

func epicConnectCases() vectorFamily {
	return vectorFamily{
		header: `{"typ":"JWT"}`,
		claims: `{"iss":"https://api.epicgames.dev","sub":"0002puid","aud":"xyza7891eos","pfpid":"product-1","pfsid":"sandbox-1","pfdid":"live-1","act":{"pltfm":"other","eat":"epicgames"},` + times + `}`,
		cases: []vectorCase{
			{name: "accepted-host", policy: "epic-connect", expect: "accept", fields: "player: 0002puid\nuse: id"},
			{name: "accepted-path", policy: "epic-connect", expect: "accept", claims: `{"iss":"https://api.epicgames.dev/auth/v1/oauth"}`},
			{name: "accepted-second-deployment", policy: "epic-connect", expect: "accept", claims: `{"pfdid":"live-2"}`},
			{name: "accepted-sandbox", policy: "epic-connect-sandbox", expect: "accept"},
			{name: "refused-longer-host", policy: "epic-connect", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://api.epicgames.dev.evil.example"}`, note: "how iss begins is not enough: a '/' must follow"},
			{name: "refused-longer-label", policy: "epic-connect", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://api.epicgames.developer.example/auth"}`},
			{name: "refused-user-information", policy: "epic-connect", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://api.epicgames.dev@evil.example"}`},
			{name: "refused-port", policy: "epic-connect", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://api.epicgames.dev:8443"}`},
			{name: "refused-account-issuer", policy: "epic-connect", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://api.epicgames.dev/epic/oauth/v2"}`, note: "tokens of the Auth interface are others"},
			{name: "refused-deployment", policy: "epic-connect", expect: "refuse policy wrong_claim pfdid", claims: `{"pfdid":"staging-1"}`},
			{name: "refused-deployment-absent", policy: "epic-connect", expect: "refuse policy missing_claim pfdid", claims: `{"pfdid":null}`},
			{name: "refused-product", policy: "epic-connect", expect: "refuse policy wrong_claim pfpid", claims: `{"pfpid":"product-2"}`},
			{name: "refused-sandbox", policy: "epic-connect-sandbox", expect: "refuse policy wrong_claim pfsid", claims: `{"pfsid":"sandbox-2"}`},
			{name: "refused-audience", policy: "epic-connect", expect: "refuse issuer wrong_audience aud", claims: `{"aud":"foreign"}`},
		},
	}
}

func unityCases() vectorFamily {
	return vectorFamily{
		header: `{"typ":"JWT"}`,
		claims: `{"iss":"https://player-auth.services.api.unity.com","sub":"abcdefghijklmnopqrstuvwxyz01","aud":["idd:domain-1","envName:production","envId:env-1","upid:` + unityGame + `"],
			"project_id":"` + unityGame + `","sign_in_provider":"anonymous","token_type":"authentication",` + times + `}`,
		cases: []vectorCase{
			{name: "accepted", policy: "unity", expect: "accept", fields: "player: abcdefghijklmnopqrstuvwxyz01\nuse: access"},
			{name: "accepted-environment", policy: "unity-production", expect: "accept"},
			{
				name: "refused-other-game", policy: "unity", expect: "refuse issuer wrong_audience aud", claims: `{"aud":["idd:domain-2","envName:production","envId:env-9","upid:foreign"],"project_id":"foreign"}`,
				note: "every game's production environment is called production",
			},
			{name: "refused-project-absent", policy: "unity-production", expect: "refuse issuer wrong_audience aud", claims: `{"aud":["envName:production","envId:env-1"],"project_id":null}`, note: "an environment alone is never enough"},
			{name: "refused-project-mismatch", policy: "unity", expect: "refuse policy wrong_claim project_id", claims: `{"project_id":"foreign"}`},
			{name: "refused-environment-id", policy: "unity-production", expect: "refuse issuer wrong_audience aud", claims: `{"aud":["envName:production","envId:env-2","upid:` + unityGame + `"]}`},
			{name: "refused-environment-name", policy: "unity-production", expect: "refuse issuer wrong_audience aud", claims: `{"aud":["envName:staging","envId:env-1","upid:` + unityGame + `"]}`},
			{name: "refused-audience-text", policy: "unity", expect: "refuse issuer wrong_audience aud", claims: `{"aud":"idd:domain-1 upid:` + unityGame + `"}`, note: "aud is compared whole"},
		},
	}
}
