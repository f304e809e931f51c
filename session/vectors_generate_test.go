package session_test

import (
	"crypto"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

var update = flag.Bool("update", false, "write testdata/vectors anew")

// vector is a case to be written. fields are header lines such as "reason: expired".
type vector struct {
	name   string
	fields []string
	body   string
}

func accepted(name, body string, fields ...string) vector {
	return vector{"accepted-" + name, append([]string{"expect: accept"}, fields...), body}
}

// refused is a case with the check, the reason and the claim of its refusal, apart by slashes: "time/expired/exp".
func refused(name, refusal, body string, fields ...string) vector {
	parts := strings.Split(refusal, "/")
	head := []string{"expect: refuse", "check: " + parts[0], "reason: " + parts[1]}
	if len(parts) > 2 {
		head = append(head, "claim: "+parts[2])
	}
	return vector{"refused-" + name, append(head, fields...), body}
}

func (v vector) text() string {
	fields, body := v.fields, v.body
	if strings.ContainsAny(body, "\r\n\x00") && !strings.HasPrefix(body, "{\n") {
		fields, body = append(fields, "encoding: quoted"), strconv.Quote(body)
	}
	return strings.Join(fields, "\n") + "\n\n" + body + "\n"
}

// TestVectorsAreAsGenerated holds the files to the tables below; -update writes them. Every signature is deterministic.
func TestVectorsAreAsGenerated(t *testing.T) {
	for folder, vectors := range map[string][]vector{
		"access": accessVectors(t), "nakama": nakamaVectors(t), "refresh": refreshVectors(), "keyring": keyringVectors(t),
	} {
		dir := filepath.Join("testdata", "vectors", folder)
		if *update {
			rewrite(t, dir, vectors)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
		if err != nil || len(files) != len(vectors) {
			t.Errorf("%s has %d files, the table has %d (%v)", dir, len(files), len(vectors), err)
		}
		for _, v := range vectors {
			if data, err := os.ReadFile(filepath.Join(dir, v.name+".txt")); err != nil || string(data) != v.text() {
				t.Errorf("%s/%s is not as generated (%v): run go test ./session -run Vectors -update", folder, v.name, err)
			}
		}
	}
}

func rewrite(t *testing.T, dir string, vectors []vector) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		if err := os.WriteFile(filepath.Join(dir, v.name+".txt"), []byte(v.text()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// steady is a private key that signs the same text the same way every time (RFC 6979 for ECDSA).
type steady struct{ crypto.Signer }

func (s steady) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.Signer.Sign(nil, digest, opts)
}

func steadySigner(t *testing.T, key, kid string) *jws.Signer {
	return must(jws.NewSigner(kid, steady{testvectors.PrivateKey(t, key)}))
}

const vectorSID = "01a196c4-2780-7abc-8def-0123456789ab" // UUIDv7 of 2026-11-01T11:00:00Z, see TestVectorSID

func accessClaims() claimSet {
	now := testvectors.Now.Unix()
	return claimSet{
		"iss": worldIssuer, "aud": worldAudience, "sub": worldSubject, "sid": vectorSID, "client_id": worldClient,
		"iat": now - 60, "exp": now + 3600, "jti": "token-1", "auth_time": now - 3600, "scope": "play chat",
		"groups": []string{"testers"}, "roles": []string{"captain"}, "username": "alice",
		"realm": worldRealm, "idp_sub": worldSubject, "upstream": "sid:upstream-session-1",
	}
}

func accessVectors(t *testing.T) []vector {
	ed, es, rs := steadySigner(t, "ed25519-1", "key-1"), steadySigner(t, "p256-1", "key-2"), steadySigner(t, "rsa-1", "key-3")
	sign := func(s *jws.Signer, typ string, c claimSet) string { return must(s.Sign(typ, c.json())) }
	good := accessClaims()
	at := func(c claimSet) string { return sign(ed, "at+jwt", c) }
	now := testvectors.Now.Unix()
	token := at(good)
	vectors := []vector{
		accepted("eddsa", token, "note: RFC 9068 section 2"),
		accepted("es256", sign(es, "at+jwt", good)),
		accepted("rs256", sign(rs, "at+jwt", good)),
		accepted("audience-list", at(good.with("aud", []string{"lobby", worldAudience})), "note: RFC 7519 section 4.1.3"),
		accepted("full-media-type", sign(ed, "application/at+jwt", good), "note: RFC 9068 section 4"),
		accepted("iat-within-leeway", at(good.with("iat", now+5))),
		accepted("fewest-claims", at(good.without("auth_time").without("scope").without("groups").without("roles").without("username").without("upstream"))),
		refused("alg-none", "algorithm/algorithm_refused/alg", unsecured(`{"alg":"none","typ":"at+jwt","kid":"key-1"}`, good), "note: RFC 9068 section 4 step 3"),
		refused("hs256-with-the-public-key", "algorithm/algorithm_refused/alg", hs256WithPublicKey(t, good), "note: RFC 8725 section 2.1"),
		refused("key-id-absent", "signature/unknown_key/kid", sign(steadySigner(t, "ed25519-1", ""), "at+jwt", good)),
		refused("key-id-unknown", "signature/unknown_key/kid", sign(steadySigner(t, "ed25519-1", "key-9"), "at+jwt", good)),
		refused("key-of-another", "signature/bad_signature", sign(steadySigner(t, "ed25519-2", "key-1"), "at+jwt", good)),
		refused("newline-in-signature", "format/malformed", token[:len(token)-4]+"\n"+token[len(token)-4:]),
		refused("type-absent", "format/wrong_type/typ", sign(ed, "", good), "note: RFC 9068 section 4 step 1"),
		refused("type-jwt", "format/wrong_type/typ", sign(ed, "JWT", good), "note: RFC 9068 section 4 step 1"),
		refused("claim-twice", "format/malformed", twice(ed, good)),
		refused("expired-this-second", "time/expired/exp", at(good.with("exp", now))),
		refused("exp-absent", "time/missing_claim/exp", at(good.without("exp"))),
		refused("iat-in-the-future", "time/not_yet_valid/iat", at(good.with("iat", now+6))),
		refused("nbf-in-the-future", "time/not_yet_valid/nbf", at(good.with("nbf", now+6))),
		refused("issuer-with-slash", "issuer/wrong_issuer/iss", at(good.with("iss", worldIssuer+"/")), "note: RFC 9068 section 4 step 2: exactly"),
		refused("audience-of-another", "issuer/wrong_audience/aud", at(good.with("aud", "lobby"))),
		refused("realm-of-another", "policy/wrong_claim/realm", at(good.with("realm", "staff"))),
		refused("sid-version-4", "policy/wrong_claim/sid", at(good.with("sid", worldSubject))),
		refused("sid-no-uuid", "policy/wrong_claim/sid", at(good.with("sid", "session-1"))),
		refused("sub-no-uuid", "policy/wrong_claim/sub", at(good.with("sub", "alice"))),
		refused("jti-empty", "policy/wrong_claim/jti", at(good.with("jti", ""))),
		refused("client-id-number", "policy/wrong_claim/client_id", at(good.with("client_id", 7))),
		refused("scope-array", "policy/wrong_claim/scope", at(good.with("scope", []string{"play"}))),
		refused("groups-number", "policy/wrong_claim/groups", at(good.with("groups", 7))),
		refused("auth-time-text", "policy/wrong_claim/auth_time", at(good.with("auth_time", "yesterday"))),
	}
	for claim, check := range map[string]string{
		"iss": "issuer", "aud": "issuer", "sub": "policy", "sid": "policy", "client_id": "policy", "iat": "policy", "jti": "policy",
		"realm": "policy", "idp_sub": "policy",
	} {
		vectors = append(vectors, refused("without-"+strings.ReplaceAll(claim, "_", "-"), check+"/missing_claim/"+claim, at(good.without(claim)), "note: RFC 9068 section 2.2"))
	}
	return vectors
}

func unsecured(header string, claims claimSet) string {
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(claims.json()) + "."
}

// hs256WithPublicKey is the classic confusion: the public key as an HMAC secret.
func hs256WithPublicKey(t *testing.T, claims claimSet) string {
	public := must(jws.MarshalJWKSet(steadySigner(t, "ed25519-1", "key-1").Key()))
	return must(must(jws.NewSecretSigner("key-1", public)).Sign("at+jwt", claims.json()))
}

// twice signs claims with a second sub, which no JSON encoder of ours would write.
func twice(s *jws.Signer, claims claimSet) string {
	token := must(s.Sign("at+jwt", claims.json()))
	parts := strings.Split(token, ".")
	payload := `{"sub":"` + nakamaUser + `",` + string(claims.json()[1:])
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + "." + parts[2]
}

func nakamaVectors(t *testing.T) []vector {
	secret := func(name string) *jws.Signer { return must(jws.NewSecretSigner("", testvectors.Secret(name))) }
	sign := func(s *jws.Signer, typ string, c claimSet) string { return must(s.Sign(typ, c.json())) }
	good := nakamaClaims()
	jwt := func(c claimSet) string { return sign(secret("nakama-1"), "JWT", c) }
	now := testvectors.Now.Unix()
	insecure := must(jws.InsecureSecretSigner("", []byte("defaultencryptionkey")))
	return []vector{
		accepted("session", jwt(good), "note: Nakama 3.40, server/api_authenticate.go"),
		accepted("former-key", sign(secret("nakama-2"), "JWT", good)),
		accepted("without-iat", jwt(good.without("iat")), "note: Nakama before 3.25"),
		accepted("without-vrs", jwt(good.without("vrs")), "note: Nakama leaves out what is empty"),
		accepted("without-usn", jwt(good.without("usn"))),
		accepted("uid-upper-case", jwt(good.with("uid", strings.ToUpper(nakamaUser)))),
		refused("refresh-token", "signature/bad_signature", sign(secret("nakama-refresh"), "JWT", good), "note: the same claims, another key"),
		refused("default-key", "signature/bad_signature", sign(insecure, "JWT", good)),
		refused("alg-none", "algorithm/algorithm_refused/alg", unsecured(`{"alg":"none","typ":"JWT"}`, good)),
		refused("alg-rs256", "algorithm/algorithm_refused/alg", sign(steadySigner(t, "rsa-1", ""), "JWT", good)),
		refused("type-absent", "format/wrong_type/typ", sign(secret("nakama-1"), "", good)),
		refused("type-access-token", "format/wrong_type/typ", sign(secret("nakama-1"), "at+jwt", good)),
		refused("expired-this-second", "time/expired/exp", jwt(good.with("exp", now))),
		refused("without-exp", "time/missing_claim/exp", jwt(good.without("exp"))),
		refused("iat-in-the-future", "time/not_yet_valid/iat", jwt(good.with("iat", now+6))),
		refused("without-uid", "policy/missing_claim/uid", jwt(good.without("uid"))),
		refused("without-tid", "policy/missing_claim/tid", jwt(good.without("tid"))),
		refused("tid-no-uuid", "policy/wrong_claim/tid", jwt(good.with("tid", "session"))),
		refused("uid-in-braces", "policy/wrong_claim/uid", jwt(good.with("uid", "{"+nakamaUser+"}")), "note: Nakama's own parser takes it"),
		refused("uid-as-urn", "policy/wrong_claim/uid", jwt(good.with("uid", "urn:uuid:"+nakamaUser)), "note: Nakama's own parser takes it"),
		refused("uid-without-hyphens", "policy/wrong_claim/uid", jwt(good.with("uid", strings.ReplaceAll(nakamaUser, "-", ""))), "note: Nakama's own parser takes it"),
		refused("usn-number", "policy/wrong_claim/usn", jwt(good.with("usn", 7))),
		refused("vrs-numbers", "policy/wrong_claim/vrs", jwt(good.with("vrs", map[string]int{"level": 7}))),
		refused("alias-unknown", "policy/wrong_claim/uid", jwt(good), "aliases: required"),
		accepted("alias-known", jwt(good), "aliases: required", "alias: "+nakamaUser),
	}
}

// vectorFamily is the family of the refresh vectors.
func vectorFamily() session.Family {
	player := alice().Player
	return session.Family{
		ID: vectorSID, Secret: testvectors.Secret("family-1"), Player: player, PlayerID: player.Subject,
		ClientID: worldClient, Audience: []string{worldAudience}, Upstream: "sid:" + worldUpstream,
		CreatedAt: testvectors.Now.Add(-time.Hour), Expires: testvectors.Now.Add(24 * time.Hour),
	}
}

func refreshVectors() []vector {
	f := vectorFamily()
	token := func(n uint64) string { return session.RefreshTokenOf(f, n) }
	state := func(number, ago string, fields ...string) []string {
		return append([]string{"number: " + number, "rotated: " + ago}, fields...)
	}
	stranger := f
	stranger.Secret = testvectors.Secret("family-2")
	unknown := f
	unknown.ID = nakamaTID
	swapped := renumber(token(3), 2)
	const format, mac = "format/malformed", "signature/bad_signature"
	return []vector{
		accepted("current", token(3), state("3", "1h", "successor: 4", "family: rotated")...),
		accepted("first", token(0), state("0", "0s", "successor: 1", "family: rotated")...),
		accepted("lost-answer", token(3), state("4", "5s", "successor: 4", "family: same")...),
		accepted("lost-answer-at-ten-seconds", token(3), state("4", "10s", "successor: 4", "family: same")...),
		accepted("store-forgot-two", token(5), state("3", "1h", "successor: 6", "family: rotated")...),
		refused("store-forgot-many", "revocation/revoked", token(8), state("3", "1h", "family: same")...),
		refused("replay-after-the-window", "revocation/replayed", token(3), state("4", "10.001s", "family: revoked")...),
		refused("replay-of-one-before", "revocation/replayed", token(2), state("4", "1s", "family: revoked")...),
		refused("replay-of-the-first", "revocation/replayed", token(0), state("4", "1s", "family: revoked")...),
		refused("secret-of-another", mac, session.RefreshTokenOf(stranger, 3), state("3", "1h", "family: same")...),
		refused("family-unknown", mac, session.RefreshTokenOf(unknown, 3), state("3", "1h", "family: same")...),
		refused("number-changed", mac, swapped, state("3", "1h", "family: same", "note: a replay that nobody can stage without the secret")...),
		refused("client-of-another", "policy/wrong_client/client_id", token(3), state("3", "1h", "client: other", "family: same")...),
		refused("replay-by-another-client", "policy/wrong_client/client_id", token(1), state("3", "1h", "client: other", "family: same")...),
		refused("session-over", "time/expired", token(3), state("3", "1h", "lifetime: 0s", "family: same")...),
		refused("player-banned", "revocation/banned/sub", token(3), state("3", "1h", "ledger: ban", "family: same")...),
		refused("player-cut-off", "revocation/revoked/iat", token(3), state("3", "1h", "ledger: cut-off", "family: same")...),
		refused("session-revoked", "revocation/revoked/sid", token(3), state("3", "1h", "ledger: session", "family: same")...),
		refused("upstream-revoked", "revocation/revoked/upstream", token(3), state("3", "1h", "ledger: upstream", "family: same")...),
		refused("prefix-of-a-ticket", format, "spt_"+token(3)[4:], state("3", "1h", "family: same")...),
		refused("without-prefix", format, token(3)[4:], state("3", "1h", "family: same")...),
		refused("padded", format, token(3)+"=", state("3", "1h", "family: same")...),
		refused("short", format, token(3)[:78], state("3", "1h", "family: same")...),
		refused("newline", format, token(3)[:40]+"\n"+token(3)[41:], state("3", "1h", "family: same")...),
		refused("stray-bits", format, strayBits(token(3)), state("3", "1h", "family: same", "note: RFC 4648 section 3.5")...),
	}
}

// renumber changes a refresh token's number and leaves its MAC.
func renumber(token string, number byte) string {
	b := must(base64.RawURLEncoding.DecodeString(token[4:]))
	b[23] = number
	return "spr_" + base64.RawURLEncoding.EncodeToString(b)
}

// strayBits sets a bit that the last character of base64url has and the last byte has not.
func strayBits(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(token) - 1
	return token[:last] + string(alphabet[strings.IndexByte(alphabet, token[last])|1])
}

func keyringVectors(t *testing.T) []vector {
	jwk := func(key, kid string) string { return string(must(worldSigner(t, key, kid).MarshalJWK())) }
	entry := func(jwk, times string) string { return fmt.Sprintf("{\n  \"jwk\": %s,\n  %s\n}", jwk, times) }
	file := func(entries ...string) string { return "{\n\"keys\": [" + strings.Join(entries, ", ") + "]\n}" }
	const begun = `"published": "2026-11-01T09:00:00Z", "signs": "2026-11-01T10:00:00Z"`
	one := jwk("ed25519-1", "one")
	with := func(times string) string { return file(entry(one, times)) }
	refused := func(name, text, body string) vector {
		return vector{"refused-" + name, []string{"expect: refuse", "error: " + text}, body}
	}
	return []vector{
		accepted("empty", file(), "states:"),
		accepted("one-key", with(begun), "states: one=signing"),
		accepted("three-stages", file(
			entry(jwk("rsa-1", "new"), `"published": "2026-11-01T11:30:00Z", "signs": "2026-11-01T12:30:00Z"`),
			entry(jwk("p256-1", "old"), `"published": "2026-11-01T06:00:00Z", "signs": "2026-11-01T07:00:00Z"`),
			entry(one, begun)), "states: old=retired one=signing new=published"),
		accepted("key-that-is-gone", file(entry(one, begun),
			entry(jwk("p256-1", "old"), `"published": "2026-10-01T06:00:00Z", "signs": "2026-10-01T07:00:00Z", "retired": "2026-10-02T00:00:00Z"`)), "states: one=signing"),
		accepted("published-an-hour-before", file(entry(one, begun),
			entry(jwk("p256-1", "new"), `"published": "2026-11-01T11:00:01Z", "signs": "2026-11-01T12:00:01Z"`)), "states: one=signing new=published"),
		refused("published-too-late", "not before 2026-11-01T12:00:02Z", file(entry(one, begun),
			entry(jwk("p256-1", "new"), `"published": "2026-11-01T11:00:02Z", "signs": "2026-11-01T12:00:01Z"`))),
		refused("key-id-twice", "there twice", file(entry(one, begun), entry(jwk("p256-1", "one"), `"published": "2026-11-01T06:00:00Z", "signs": "2026-11-01T07:00:00Z"`))),
		refused("no-json", "not one strict JSON object", "keys: []"),
		refused("second-value", "not one strict JSON object", file()+"\n{}"),
		refused("member-twice", "not one strict JSON object", "{\n\"keys\": [], \"keys\": []\n}"),
		refused("member-unknown", "a member is unknown", "{\n\"keys\": [], \"version\": 1\n}"),
		refused("keys-absent", `"keys" must be an array`, "{\n}"),
		refused("keys-object", `"keys" must be an array`, "{\n\"keys\": {}\n}"),
		refused("entry-member-unknown", "keys[0]: a member is unknown", with(begun+`, "d": "AAAA"`)),
		refused("jwk-absent", `keys[0]: "jwk" must be`, "{\n\"keys\": [{"+begun+"}]\n}"),
		refused("jwk-public", `keys[0]: "jwk"`, file(entry(publicPart(one), begun))),
		refused("jwk-of-two-keys", `keys[0]: "jwk"`, file(entry(mixed(one, jwk("ed25519-2", "two")), begun))),
		refused("jwk-without-kid", "keys[0]: it has no key id", file(entry(jwk("ed25519-1", ""), begun))),
		refused("jwk-secret", "keys[0]: an HS256 key cannot be published", file(entry(string(must(must(jws.NewSecretSigner("s", testvectors.Secret("hs-1"))).MarshalJWK())), begun))),
		refused("published-absent", `keys[0]: "published" must be an RFC 3339 time`, with(`"signs": "2026-11-01T10:00:00Z"`)),
		refused("signs-absent", `keys[0]: "signs" must be an RFC 3339 time`, with(`"published": "2026-11-01T10:00:00Z"`)),
		refused("time-with-offset", `keys[0]: "signs" must be`, with(`"published": "2026-11-01T09:00:00Z", "signs": "2026-11-01T11:00:00+01:00"`)),
		refused("time-with-comma", `keys[0]: "signs" must be`, with(`"published": "2026-11-01T09:00:00Z", "signs": "2026-11-01T10:00:00,5Z"`)),
		refused("time-as-number", `keys[0]: "signs" must be`, with(`"published": "2026-11-01T09:00:00Z", "signs": 1793534400`)),
		refused("retired-null", `keys[0]: "retired" must be`, with(begun+`, "retired": null`)),
		refused("signs-before-published", "keys[0]: it signs before it is published", with(`"published": "2026-11-01T10:00:00Z", "signs": "2026-11-01T09:59:59Z"`)),
		refused("retired-before-signing", "keys[0]: it retires before it signs", with(begun+`, "retired": "2026-11-01T09:59:59Z"`)),
	}
}

// publicPart leaves the private member out of an OKP key.
func publicPart(jwk string) string {
	o := must(jws.ParseObject([]byte(jwk)))
	x, _ := o.String("x")
	return fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","kid":"one","x":%q}`, x)
}

// mixed is the public member of one key beside the private member of another.
func mixed(public, private string) string {
	d, _ := must(jws.ParseObject([]byte(private))).String("d")
	return strings.TrimSuffix(publicPart(public), "}") + fmt.Sprintf(`,"d":%q}`, d)
}
