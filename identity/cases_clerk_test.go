package identity_test

func clerkCases() map[string]vectorFamily {
	const (
		v1  = `{"v":null,"jti":null,"fea":null,"pla":null}`
		org = `"o":{"id":"org_1","slg":"studio","rol":"admin","per":"manage,read","fpm":"3,2"}`
	)
	return map[string]vectorFamily{"clerk": {
		header: `{"typ":"JWT","cat":"cl_B7d4PD111AAA"}`,
		claims: `{"iss":"` + clerkIssuer + `","sub":"user_1","sid":"sess_1","azp":"https://game.example","v":2,"jti":"jti-1","fva":[7,-1],"nbf":1793534330,"pla":"u:free",` + times + `}`,
		cases: []vectorCase{
			{name: "accepted-v2", policy: "clerk", expect: "accept", fields: "player: user_1\nuse: session\nsession: sess_1\ntoken-id: jti-1\nclient: https://game.example"},
			{
				name: "accepted-v2-organisation", policy: "clerk", expect: "accept", claims: `{"fea":"o:dashboard,o:teams",` + org + `}`,
				fields: "groups: org_1\nroles: org:admin\npermissions: org:dashboard:manage org:dashboard:read org:teams:read", note: "the example of clerk.com/docs, Session tokens, Decode o.fpm manually",
			},
			{
				name: "accepted-v2-shared-feature", policy: "clerk", expect: "accept", claims: `{"fea":"uo:dashboard,ou:teams",` + org + `}`,
				fields: "permissions: org:dashboard:manage org:dashboard:read org:teams:read",
			},
			{
				name: "accepted-v2-user-feature-last", policy: "clerk", expect: "accept", claims: `{"fea":"o:dashboard,o:teams,u:profile",` + org + `}`,
				fields: "permissions: org:dashboard:manage org:dashboard:read org:teams:read",
			},
			{
				name: "accepted-v2-user-feature-between", policy: "clerk", expect: "accept", claims: `{"fea":"o:dashboard,u:profile,o:teams","o":{"id":"org_1","rol":"admin","per":"manage,read","fpm":"1,2,3"}}`,
				fields: "permissions: org:dashboard:manage org:teams:read", note: "Clerk's Go SDK reads mask 3 for teams, its JavaScript SDK mask 2: only what both give is given",
			},
			{
				name: "accepted-v2-mask-too-wide", policy: "clerk", expect: "accept", claims: `{"fea":"o:dashboard,o:teams","o":{"id":"org_1","rol":"admin","per":"manage,read","fpm":"4,2"}}`,
				fields: "permissions: org:teams:read", note: "a mask with more bits than permissions gives none",
			},
			{name: "accepted-v2-permissions-undecodable", policy: "clerk", expect: "accept", claims: `{"fea":"dashboard,o:teams","o":{"id":"org_1","rol":"admin","per":"manage,read","fpm":"-1,x"}}`, fields: "permissions: -"},
			{name: "accepted-v2-without-organisation", policy: "clerk", expect: "accept", claims: `{"fea":"o:dashboard","o":{"rol":"admin","per":"manage","fpm":"1"}}`, fields: "groups: -\nroles: -\npermissions: -"},
			{
				name: "accepted-v2-ignores-v1-claims", policy: "clerk", expect: "accept", claims: `{"org_id":"org_9","org_role":"org:admin","org_permissions":["org:all:manage"]}`,
				fields: "groups: -\nroles: -\npermissions: -", note: "claims of version 1 mean nothing in a token of version 2",
			},
			{name: "accepted-v1", policy: "clerk", expect: "accept", claims: v1, fields: "session: sess_1"},
			{
				name: "accepted-v1-organisation", policy: "clerk", expect: "accept", claims: `{"v":null,"org_id":"org_1","org_slug":"studio","org_role":"org:admin","org_permissions":["org:teams:read"]}`,
				fields: "groups: org_1\nroles: org:admin\npermissions: org:teams:read",
			},
			{name: "accepted-v1-ignores-v2-claims", policy: "clerk", expect: "accept", claims: `{"v":null,"fea":"o:dashboard,o:teams",` + org + `}`, fields: "groups: -\nroles: -\npermissions: -"},
			{name: "accepted-azp-second", policy: "clerk", expect: "accept", claims: `{"azp":"https://www.game.example"}`},
			{name: "accepted-azp-absent", policy: "clerk", expect: "accept", claims: `{"azp":null}`, note: "native clients send no Origin (clerk.com/docs, Manual JWT verification)"},
			{name: "accepted-any-party", policy: "clerk-any-party", expect: "accept", claims: `{"azp":"https://foreign.example"}`},
			{name: "accepted-active", policy: "clerk", expect: "accept", claims: `{"sts":"active"}`},
			{name: "accepted-pending-allowed", policy: "clerk-pending", expect: "accept", claims: `{"sts":"pending"}`},
			{name: "accepted-template-listed", policy: "clerk-templates", expect: "accept", header: `{"cat":"cl_B7d4PD222AAA"}`, claims: `{"sid":null,"v":null}`, fields: "session: -"},
			{name: "accepted-cat-absent-listed", policy: "clerk-templates", expect: "accept", header: `{"cat":null}`},
			{name: "refused-azp-other", policy: "clerk", expect: "refuse policy wrong_client azp", claims: `{"azp":"https://game.example.evil.example"}`},
			{name: "refused-azp-empty", policy: "clerk", expect: "refuse policy wrong_client azp", claims: `{"azp":""}`},
			{name: "refused-azp-array", policy: "clerk", expect: "refuse policy missing_claim azp", claims: `{"azp":["https://game.example"]}`},
			{name: "refused-azp-absent-required", policy: "clerk-strict", expect: "refuse policy missing_claim azp", claims: `{"azp":null}`},
			{name: "refused-any-party-empty", policy: "clerk-any-party", expect: "refuse policy wrong_claim azp", claims: `{"azp":""}`},
			{name: "refused-pending", policy: "clerk", expect: "refuse policy wrong_claim sts", claims: `{"sts":"pending"}`},
			{name: "refused-status-unknown", policy: "clerk-pending", expect: "refuse policy wrong_claim sts", claims: `{"sts":"locked"}`},
			{name: "refused-machine-token", policy: "clerk", expect: "refuse policy wrong_use cat", header: `{"cat":"cl_B7d4PD333AAA"}`, claims: `{"sub":"mch_1","sid":null}`},
			{name: "refused-machine-subject", policy: "clerk-templates", expect: "refuse policy wrong_use cat", header: `{"cat":null}`, claims: `{"sub":"mch_1"}`},
			{name: "refused-cat-absent", policy: "clerk", expect: "refuse policy wrong_use cat", header: `{"cat":null}`},
			{name: "refused-cat-template", policy: "clerk", expect: "refuse policy wrong_use cat", header: `{"cat":"cl_B7d4PD222AAA"}`},
			{name: "refused-cat-number", policy: "clerk", expect: "refuse policy wrong_use cat", header: `{"cat":1}`},
			{name: "refused-oauth-token", policy: "clerk", expect: "refuse format wrong_type typ", header: `{"typ":"at+jwt"}`},
			{name: "refused-typ-absent", policy: "clerk", expect: "refuse format wrong_type typ", header: `{"typ":null}`},
			{name: "refused-session-absent", policy: "clerk", expect: "refuse policy missing_claim sid", claims: `{"sid":null}`},
			{name: "refused-version-3", policy: "clerk", expect: "refuse policy wrong_claim v", claims: `{"v":3}`},
			{name: "refused-version-text", policy: "clerk", expect: "refuse policy wrong_claim v", claims: `{"v":"2"}`},
			{name: "refused-other-instance", policy: "clerk", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://clerk.foreign.example"}`},
			{name: "refused-development-instance", policy: "clerk", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://evil.clerk.accounts.dev"}`},
			{name: "refused-issuer-longer-host", policy: "clerk", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://clerk.game.example.evil.example"}`},
			{name: "refused-issuer-slash", policy: "clerk", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://clerk.game.example/"}`},
			{name: "refused-expired", policy: "clerk", expect: "refuse time expired exp", claims: `{"exp":1793534399}`},
		},
	}}
}
