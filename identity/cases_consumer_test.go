package identity_test

func consumerCases() map[string]vectorFamily {
	return map[string]vectorFamily{
		"google": googleCases(), "apple": appleCases(), "discord": discordCases(), "microsoft": microsoftCases(),
		"firebase": firebaseCases(), "supabase": supabaseCases(),
	}
}

func googleCases() vectorFamily {
	return vectorFamily{
		header: `{"typ":"JWT"}`,
		claims: `{"iss":"https://accounts.google.com","sub":"110169484474386276334","aud":"server.apps.googleusercontent.com","azp":"server.apps.googleusercontent.com",
			"email":"alice@studio.example","email_verified":true,"hd":"studio.example","name":"Alice",` + times + `}`,
		cases: []vectorCase{
			{name: "accepted", policy: "google", expect: "accept", fields: "player: 110169484474386276334\nuse: id\nemail: alice@studio.example\nemail-verified: true"},
			{name: "accepted-issuer-without-scheme", policy: "google", expect: "accept", claims: `{"iss":"accounts.google.com"}`, note: "Google's second spelling"},
			{name: "accepted-azp-absent", policy: "google", expect: "accept", claims: `{"azp":null}`},
			{name: "accepted-azp-listed", policy: "google-android", expect: "accept", claims: `{"azp":"android.apps.googleusercontent.com"}`, fields: "client: android.apps.googleusercontent.com"},
			{name: "accepted-hosted-domain", policy: "google-workspace", expect: "accept"},
			{name: "refused-azp", policy: "google", expect: "refuse policy wrong_client azp", claims: `{"azp":"android.apps.googleusercontent.com"}`},
			{
				name: "refused-service-account", policy: "google", expect: "refuse policy wrong_client azp", claims: `{"sub":"115555555555555555555","azp":"115555555555555555555","email":"bot@project.iam.gserviceaccount.com","hd":null,"name":null}`,
				note: "any Google Cloud project can have its service account's ID token made for any aud: azp is then the account's own id",
			},
			{name: "refused-hosted-domain", policy: "google-workspace", expect: "refuse policy wrong_claim hd", claims: `{"hd":"other.example"}`},
			{name: "refused-hosted-domain-absent", policy: "google-workspace", expect: "refuse policy missing_claim hd", claims: `{"hd":null}`, note: "an address in the domain is not membership"},
			{name: "refused-audience", policy: "google", expect: "refuse issuer wrong_audience aud", claims: `{"aud":"other.apps.googleusercontent.com"}`},
			{name: "refused-issuer-http", policy: "google", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"http://accounts.google.com"}`},
		},
	}
}

func appleCases() vectorFamily {
	return vectorFamily{
		header: `{}`,
		claims: `{"iss":"https://appleid.apple.com","sub":"001234.abc.0123","aud":"example.game.ios","email":"x@privaterelay.appleid.com","email_verified":"true","nonce_supported":true,` + times + `}`,
		cases: []vectorCase{
			{name: "accepted", policy: "apple", expect: "accept", fields: "player: 001234.abc.0123\nuse: id\nemail-verified: true", note: "email_verified is a text or a boolean"},
			{name: "accepted-email-verified-boolean", policy: "apple", expect: "accept", claims: `{"email_verified":true}`, fields: "email-verified: true"},
			{name: "accepted-email-not-verified", policy: "apple", expect: "accept", claims: `{"email_verified":"false"}`, fields: "email-verified: false"},
			{name: "refused-audience", policy: "apple", expect: "refuse issuer wrong_audience aud", claims: `{"aud":"example.other.ios"}`},
			{name: "refused-es256", policy: "apple", expect: "refuse algorithm algorithm_refused alg", key: "p256-1"},
		},
	}
}

func discordCases() vectorFamily {
	return vectorFamily{
		header: `{"typ":"JWT"}`,
		claims: `{"iss":"https://discord.com","sub":"80351110224678912","aud":"157730590492196864",` + times + `}`,
		cases: []vectorCase{
			{name: "accepted", policy: "discord", expect: "accept", fields: "player: 80351110224678912\nuse: id\nclient: 157730590492196864"},
			{name: "refused-audience", policy: "discord", expect: "refuse issuer wrong_audience aud", claims: `{"aud":"1"}`},
			{name: "refused-issuer", policy: "discord", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://discordapp.com"}`},
		},
	}
}

func microsoftCases() vectorFamily {
	const host = "https://login.microsoftonline.com/"
	return vectorFamily{
		header: `{"typ":"JWT"}`,
		claims: `{"iss":"` + host + tenantA + `/v2.0","sub":"pairwise","aud":"game","tid":"` + tenantA + `","oid":"00000000-0000-4000-8000-00000000000a","ver":"2.0",
			"preferred_username":"alice@studio.example","email":"alice@studio.example","roles":["Player"],"groups":["g1"],` + times + `}`,
		cases: []vectorCase{
			{name: "accepted", policy: "microsoft", expect: "accept", fields: "player: 00000000-0000-4000-8000-00000000000a." + tenantA + "\nuse: id\nroles: Player\ngroups: g1\nemail-verified: false"},
			{name: "accepted-personal", policy: "microsoft", expect: "accept", claims: `{"iss":"` + host + `9188040d-6c67-4c5b-b112-36a304b66dad/v2.0","tid":"9188040d-6c67-4c5b-b112-36a304b66dad"}`},
			{name: "accepted-email-owner-verified", policy: "microsoft", expect: "accept", claims: `{"xms_edov":true}`, fields: "email-verified: true"},
			{name: "accepted-email-owner-verified-1", policy: "microsoft", expect: "accept", claims: `{"xms_edov":1}`, fields: "email-verified: true"},
			{name: "accepted-email-claimed-verified", policy: "microsoft", expect: "accept", claims: `{"email_verified":true}`, fields: "email-verified: false", note: "a tenant's administrator sets any address; only xms_edov says it was checked"},
			{name: "accepted-any-tenant", policy: "microsoft-any", expect: "accept", claims: `{"iss":"` + host + tenantB + `/v2.0","tid":"` + tenantB + `"}`, fields: "player: 00000000-0000-4000-8000-00000000000a." + tenantB},
			{name: "accepted-any-tenant-personal", policy: "microsoft-any", expect: "accept", claims: `{"iss":"` + host + `9188040d-6c67-4c5b-b112-36a304b66dad/v2.0","tid":"9188040d-6c67-4c5b-b112-36a304b66dad"}`},
			{name: "refused-tenant", policy: "microsoft", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"` + host + tenantB + `/v2.0","tid":"` + tenantB + `"}`},
			{name: "refused-tenant-mismatch", policy: "microsoft-any", expect: "refuse policy wrong_claim tid", claims: `{"tid":"` + tenantB + `"}`},
			{name: "refused-tenant-absent", policy: "microsoft-any", expect: "refuse policy missing_claim tid", claims: `{"tid":null}`},
			{name: "refused-object-absent", policy: "microsoft", expect: "refuse policy missing_claim oid", claims: `{"oid":null}`},
			{name: "refused-version", policy: "microsoft", expect: "refuse policy wrong_claim ver", claims: `{"ver":"1.0"}`},
			{name: "refused-v1-issuer", policy: "microsoft-any", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://sts.windows.net/` + tenantA + `/"}`},
			{name: "refused-template-issuer", policy: "microsoft-any", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"` + host + `{tenantid}/v2.0"}`, note: "the placeholder of the common discovery document"},
			{name: "refused-common-issuer", policy: "microsoft-any", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"` + host + `common/v2.0"}`},
			{name: "refused-path-in-tenant", policy: "microsoft-any", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"` + host + tenantA + `/x/v2.0"}`},
			{name: "refused-tenant-capitals", policy: "microsoft-any", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"` + host + `66666666-7777-4888-9999-AAAAAAAAAAAA/v2.0"}`, note: "one tenant has one spelling"},
			{name: "refused-audience", policy: "microsoft", expect: "refuse issuer wrong_audience aud", claims: `{"aud":"other"}`},
		},
	}
}

func firebaseCases() vectorFamily {
	const cookie = `"iss":"https://session.firebase.google.com/game-1234"`
	return vectorFamily{
		header: `{"typ":"JWT"}`,
		claims: `{"iss":"https://securetoken.google.com/game-1234","sub":"uid1","user_id":"uid1","aud":"game-1234","auth_time":1793530800,
			"email":"alice@example.com","email_verified":true,"firebase":{"identities":{},"sign_in_provider":"password"},` + times + `}`,
		cases: []vectorCase{
			{name: "accepted", policy: "firebase", expect: "accept", fields: "player: uid1\nuse: id\nauth-time: 1793530800\nemail-verified: true"},
			{name: "accepted-session-cookie", policy: "firebase-open", expect: "accept", claims: `{` + cookie + `}`, fields: "use: session"},
			{name: "accepted-tenant", policy: "firebase-open", expect: "accept", claims: `{"firebase":{"sign_in_provider":"password","tenant":"tenant-a"}}`, fields: "player: tenant-a/uid1", note: "two tenants can have the same uid"},
			{name: "accepted-any-tenant", policy: "firebase-any-tenant", expect: "accept", claims: `{"firebase":{"sign_in_provider":"password","tenant":"tenant-z"}}`, fields: "player: tenant-z/uid1"},
			{name: "accepted-anonymous-allowed", policy: "firebase-open", expect: "accept", claims: `{"firebase":{"sign_in_provider":"anonymous"}}`},
			{name: "accepted-auth-time-skew", policy: "firebase", expect: "accept", claims: `{"auth_time":1793534405}`},
			{name: "refused-session-cookie", policy: "firebase", expect: "refuse issuer wrong_issuer iss", claims: `{` + cookie + `}`},
			{name: "refused-other-project", policy: "firebase", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://securetoken.google.com/other-1","aud":"other-1"}`},
			{name: "refused-audience", policy: "firebase", expect: "refuse issuer wrong_audience aud", claims: `{"aud":"other-1"}`},
			{name: "refused-auth-time-future", policy: "firebase", expect: "refuse time not_yet_valid auth_time", claims: `{"auth_time":1793534406}`},
			{name: "refused-auth-time-absent", policy: "firebase", expect: "refuse policy missing_claim auth_time", claims: `{"auth_time":null}`},
			{name: "refused-subject-long", policy: "firebase", expect: "refuse policy wrong_claim sub", claims: `{"sub":"` + n129 + `"}`},
			{name: "refused-subject-empty", policy: "firebase", expect: "refuse policy wrong_claim sub", claims: `{"sub":""}`},
			{name: "refused-tenant", policy: "firebase", expect: "refuse policy wrong_claim firebase.tenant", claims: `{"firebase":{"tenant":"tenant-a"}}`, note: "by default players without a tenant alone"},
			{name: "refused-tenant-other", policy: "firebase-open", expect: "refuse policy wrong_claim firebase.tenant", claims: `{"firebase":{"tenant":"tenant-b"}}`},
			{name: "refused-anonymous", policy: "firebase", expect: "refuse policy wrong_claim firebase.sign_in_provider", claims: `{"firebase":{"sign_in_provider":"anonymous"}}`},
			{name: "accepted-subject-slash", policy: "firebase", expect: "accept", claims: `{"sub":"tenant-a/uid1"}`, fields: "player: tenant-a/uid1", note: "harmless where no tenant is taken"},
			{name: "refused-subject-of-tenant", policy: "firebase-open", expect: "refuse policy wrong_claim sub", claims: `{"sub":"tenant-a/uid1"}`, note: "a custom token's uid that would be the player of tenant-a"},
			{name: "refused-subject-of-any-tenant", policy: "firebase-any-tenant", expect: "refuse policy wrong_claim sub", claims: `{"sub":"tenant-a/uid1"}`},
			{name: "refused-tenant-slash", policy: "firebase-any-tenant", expect: "refuse policy wrong_claim firebase.tenant", claims: `{"firebase":{"sign_in_provider":"password","tenant":"tenant-a/uid1"}}`},
			{name: "refused-tenant-no-text", policy: "firebase", expect: "refuse policy wrong_claim firebase.tenant", claims: `{"firebase":{"sign_in_provider":"password","tenant":["tenant-a"]}}`, note: "it is not \"no tenant\""},
			{name: "refused-firebase-absent", policy: "firebase-open", expect: "refuse policy missing_claim firebase", claims: `{"firebase":null}`},
			{name: "refused-provider-absent", policy: "firebase", expect: "refuse policy missing_claim firebase.sign_in_provider", claims: `{"firebase":{"identities":{}}}`, note: "nothing says that the player is not anonymous"},
			{name: "refused-emulator", policy: "firebase", expect: "refuse algorithm algorithm_refused alg", key: "none"},
		},
	}
}

// n129 is one character more than a Firebase uid may have.
const n129 = "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" + "01234567890123456789012345678"

func supabaseCases() vectorFamily {
	return vectorFamily{
		header: `{"typ":"JWT"}`,
		claims: `{"iss":"https://abcdefghijklmnopqrst.supabase.co/auth/v1","sub":"123e4567-e89b-42d3-a456-426614174000","aud":"authenticated","role":"authenticated","aal":"aal1",
			"session_id":"s-1","is_anonymous":false,"email":"alice@example.com","user_metadata":{"email_verified":true},` + times + `}`,
		cases: []vectorCase{
			{name: "accepted-es256", policy: "supabase", expect: "accept", key: "p256-1", fields: "player: 123e4567-e89b-42d3-a456-426614174000\nuse: access\nsession: s-1\nroles: authenticated\nemail-verified: false"},
			{name: "accepted-rs256", policy: "supabase", expect: "accept"},
			{name: "accepted-anonymous-allowed", policy: "supabase-aal2", expect: "accept", key: "p256-1", claims: `{"is_anonymous":true,"aal":"aal2"}`},
			{name: "accepted-email-claimed-verified", policy: "supabase", expect: "accept", key: "p256-1", claims: `{"email_verified":true}`, fields: "email-verified: false"},
			{name: "refused-legacy-anon-key", policy: "supabase", expect: "refuse issuer wrong_issuer iss", key: "hs-1", header: `{"kid":null}`, claims: `{"iss":"supabase","role":"anon","sub":null,"aud":null}`},
			{name: "refused-legacy-service-role-key", policy: "supabase", expect: "refuse issuer wrong_issuer iss", key: "hs-1", claims: `{"iss":"supabase","role":"service_role","sub":null,"aud":null}`},
			{name: "refused-hs256", policy: "supabase", expect: "refuse algorithm algorithm_refused alg", key: "hs-1"},
			{name: "refused-anon-role", policy: "supabase", expect: "refuse policy wrong_claim role", key: "p256-1", claims: `{"role":"anon"}`},
			{name: "refused-service-role", policy: "supabase", expect: "refuse policy wrong_claim role", key: "p256-1", claims: `{"role":"service_role"}`},
			{name: "refused-role-absent", policy: "supabase", expect: "refuse policy missing_claim role", key: "p256-1", claims: `{"role":null}`},
			{name: "refused-anonymous", policy: "supabase", expect: "refuse policy wrong_claim is_anonymous", key: "p256-1", claims: `{"is_anonymous":true}`},
			{name: "accepted-anonymous-absent", policy: "supabase", expect: "accept", key: "p256-1", claims: `{"is_anonymous":null}`, note: "self-hosted servers from before anonymous sign-ins"},
			{name: "refused-anonymous-number", policy: "supabase", expect: "refuse policy wrong_claim is_anonymous", key: "p256-1", claims: `{"is_anonymous":1}`, note: "whatever is there and is not false"},
			{name: "refused-one-factor", policy: "supabase-aal2", expect: "refuse policy wrong_claim aal", key: "p256-1"},
			{name: "refused-subject-absent", policy: "supabase", expect: "refuse policy missing_claim sub", key: "p256-1", claims: `{"sub":null}`},
			{name: "refused-audience", policy: "supabase", expect: "refuse issuer wrong_audience aud", key: "p256-1", claims: `{"aud":"anon"}`},
			{name: "refused-other-project", policy: "supabase", expect: "refuse issuer wrong_issuer iss", key: "p256-1", claims: `{"iss":"https://zyxwvutsrqponmlkjihg.supabase.co/auth/v1"}`},
		},
	}
}
