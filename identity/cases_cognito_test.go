package identity_test

import (
	"encoding/base64"
	"strings"
)

const (
	// standard claims of every base: issued a minute ago, good for 59 more.
	times = `"iat":1793534340,"exp":1793537940`

	idpHost = "https://cognito-idp.eu-central-1.amazonaws.com/"
)

func cognitoCases() map[string]vectorFamily {
	const id = `{"token_use":"id","client_id":null,"aud":"` + client + `","cognito:username":"alice","email":"alice@example.com","email_verified":true,"username":null,"scope":null}`
	return map[string]vectorFamily{"cognito": {
		header: `{}`, // Cognito sends no typ
		claims: `{"iss":"` + idpHost + pool + `","sub":"5ab4f0e2-0000-4000-8000-000000000001","token_use":"access","client_id":"` + client + `",
			"username":"alice","scope":"aws.cognito.signin.user.admin","cognito:groups":["players"],"origin_jti":"origin-1","jti":"jti-1","auth_time":1793530800,` + times + `}`,
		cases: []vectorCase{
			{name: "accepted-access", policy: "cognito-access", expect: "accept", fields: "player: 5ab4f0e2-0000-4000-8000-000000000001\nuse: access\n" +
				"session: origin-1\nusername: alice\ngroups: players\nscopes: aws.cognito.signin.user.admin\nclient: " + client + "\ntoken-id: jti-1\nauth-time: 1793530800"},
			{name: "accepted-access-with-aud", policy: "cognito-access", expect: "accept", claims: `{"aud":"https://api.game.example"}`, note: "resource binding puts an aud into access tokens (RFC 8707); client_id still decides"},
			{name: "accepted-second-client", policy: "cognito-access", expect: "accept", claims: `{"client_id":"other-client"}`, fields: "client: other-client"},
			{name: "accepted-id", policy: "cognito-id", expect: "accept", claims: id, fields: "use: id\nusername: alice\nemail: alice@example.com\nemail-verified: true\nclient: " + client},
			{name: "accepted-id-among-both", policy: "cognito-both", expect: "accept", claims: id, fields: "use: id"},
			{name: "accepted-access-among-both", policy: "cognito-both", expect: "accept", fields: "use: access"},
			{name: "accepted-email-verified-as-text", policy: "cognito-id", expect: "accept", claims: strings.Replace(id, `"email_verified":true`, `"email_verified":"true"`, 1), fields: "email-verified: true"},
			{name: "accepted-updated-issuer", policy: "cognito-access", expect: "accept", claims: `{"iss":"https://issuer-cognito-idp.eu-central-1.amazonaws.com/` + pool + `"}`},
			{name: "accepted-replica-region", policy: "cognito-replica", expect: "accept", claims: `{"iss":"https://cognito-idp.us-west-2.amazonaws.com/` + pool + `"}`, note: "the pool's id keeps its home region"},
			{name: "accepted-replica-updated", policy: "cognito-replica", expect: "accept", claims: `{"iss":"https://issuer-cognito-idp.us-west-2.amazonaws.com/` + pool + `"}`},
			{name: "accepted-china", policy: "cognito-china", expect: "accept", claims: `{"iss":"https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Example12"}`},
			{name: "accepted-sovereign-cloud", policy: "cognito-eusc", expect: "accept", claims: `{"iss":"https://cognito-idp.eusc-de-east-1.amazonaws.eu/eusc-de-east-1_Example12"}`},
			{name: "accepted-endpoint", policy: "cognito-endpoint", expect: "accept", claims: `{"iss":"http://127.0.0.1:9229/local_pool"}`},
			{name: "accepted-group", policy: "cognito-group", expect: "accept"},
			{name: "accepted-scope", policy: "cognito-scope", expect: "accept", claims: `{"scope":"openid game/play"}`},
			{name: "accepted-typ-jwt", policy: "cognito-access", expect: "accept", header: `{"typ":"JWT"}`},
			{name: "refused-id-as-access", policy: "cognito-access", expect: "refuse policy wrong_use token_use", claims: id},
			{name: "refused-access-as-id", policy: "cognito-id", expect: "refuse policy wrong_use token_use"},
			{name: "refused-token-use-absent", policy: "cognito-both", expect: "refuse policy missing_claim token_use", claims: `{"token_use":null}`},
			{name: "refused-token-use-refresh", policy: "cognito-both", expect: "refuse policy wrong_use token_use", claims: `{"token_use":"refresh"}`},
			{name: "refused-client", policy: "cognito-access", expect: "refuse policy wrong_client client_id", claims: `{"client_id":"foreign"}`},
			{name: "refused-client-absent", policy: "cognito-access", expect: "refuse policy missing_claim client_id", claims: `{"client_id":null,"aud":"` + client + `"}`, note: "an aud does not stand in for client_id"},
			{name: "refused-id-audience", policy: "cognito-id", expect: "refuse issuer wrong_audience aud", claims: strings.Replace(id, `"aud":"`+client+`"`, `"aud":"foreign"`, 1)},
			{name: "refused-id-audience-absent", policy: "cognito-id", expect: "refuse issuer missing_claim aud", claims: strings.Replace(id, `"aud":"`+client+`"`, `"aud":null`, 1)},
			{name: "refused-group", policy: "cognito-group", expect: "refuse policy wrong_claim cognito:groups", claims: `{"cognito:groups":["players admins","guests"]}`, note: "members of an array are not split at spaces"},
			{name: "refused-group-absent", policy: "cognito-group", expect: "refuse policy wrong_claim cognito:groups", claims: `{"cognito:groups":null}`},
			{name: "refused-scope", policy: "cognito-scope", expect: "refuse policy wrong_claim scope"},
			{name: "refused-other-pool", policy: "cognito-access", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"` + idpHost + `eu-central-1_Foreign99"}`},
			{name: "refused-other-region", policy: "cognito-access", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://cognito-idp.us-west-2.amazonaws.com/` + pool + `"}`},
			{name: "refused-issuer-longer-host", policy: "cognito-access", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"https://cognito-idp.eu-central-1.amazonaws.com.evil.example/` + pool + `"}`},
			{name: "refused-issuer-slash", policy: "cognito-access", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"` + idpHost + pool + `/"}`},
			{name: "refused-issuer-http", policy: "cognito-access", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"http://cognito-idp.eu-central-1.amazonaws.com/` + pool + `"}`},
			{name: "refused-issuer-absent", policy: "cognito-access", expect: "refuse issuer missing_claim iss", claims: `{"iss":null}`},
			{name: "refused-emulator-token", policy: "cognito-access", expect: "refuse issuer wrong_issuer iss", claims: `{"iss":"http://127.0.0.1:9229/local_pool"}`},
			{name: "refused-subject-absent", policy: "cognito-access", expect: "refuse policy missing_claim sub", claims: `{"sub":null}`},
			{name: "refused-subject-empty", policy: "cognito-access", expect: "refuse policy wrong_claim sub", claims: `{"sub":""}`},
			{name: "refused-subject-number", policy: "cognito-access", expect: "refuse policy wrong_claim sub", claims: `{"sub":7}`},
			{name: "refused-expired", policy: "cognito-access", expect: "refuse time expired exp", claims: `{"exp":1793534400}`, note: "exp has no leeway: its own second is too late"},
			{name: "refused-exp-absent", policy: "cognito-access", expect: "refuse time missing_claim exp", claims: `{"exp":null}`},
			{name: "refused-not-yet-valid", policy: "cognito-access", expect: "refuse time not_yet_valid nbf", claims: `{"nbf":1793534406}`},
			{name: "refused-typ", policy: "cognito-access", expect: "refuse format wrong_type typ", header: `{"typ":"logout+jwt"}`},
			{name: "refused-alg-none", policy: "cognito-access", expect: "refuse algorithm algorithm_refused alg", key: "none"},
			{name: "refused-alg-hs256", policy: "cognito-access", expect: "refuse algorithm algorithm_refused alg", key: "hs-1", header: `{"kid":"rsa-1"}`},
			{name: "refused-alg-es256", policy: "cognito-access", expect: "refuse algorithm algorithm_refused alg", key: "p256-1", note: "a key that is known, and an algorithm that Cognito does not use"},
			{name: "refused-unknown-key", policy: "cognito-access", expect: "refuse signature unknown_key kid", key: "rsa-2"},
			{name: "refused-bad-signature", policy: "cognito-access", expect: "refuse signature bad_signature", key: "rsa-2", header: `{"kid":"rsa-1"}`},
			{name: "refused-duplicate-subject", policy: "cognito-access", expect: "refuse format malformed", mangle: withPayload(`{"sub":"a","sub":"b","iss":"` + idpHost + pool + `"}`)},
			{name: "refused-too-long", policy: "cognito-access", expect: "refuse format malformed", claims: `{"filler":"` + strings.Repeat("x", 16<<10) + `"}`},
			{name: "refused-no-token", policy: "cognito-access", expect: "refuse format malformed", mangle: func(string) string { return "opaque" }},
		},
	}}
}

// withPayload replaces a token's payload with text that no table of members can say. Its signature is then wrong, which
// must not matter: the text is refused first.
func withPayload(text string) func(string) string {
	return func(token string) string {
		part := strings.Split(token, ".")
		return part[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + part[2]
	}
}
