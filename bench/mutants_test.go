package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"testing"
)

// mutant is a token made from a good one, and the class of change that made it.
type mutant struct {
	class string
	token string
}

const (
	goodHeader  = `{"alg":"RS256","cat":"cl_B7d4PD111AAA","kid":"ins_1","typ":"JWT"}`
	goodPayload = `{"aud":"game","azp":"https://play.example","exp":1793534460,"fva":[0,-1],"iat":1793534400,` +
		`"iss":"https://clerk.play.example","jti":"a1b2c3","nbf":1793534390,"sid":"sess_1","sub":"user_1","v":2}`
)

// forge signs any header and payload, also those that no signer of a library would sign.
type forge struct {
	t   *testing.T
	key *rsa.PrivateKey
	rng *mathrand.Rand
	out []mutant
}

func (f *forge) sign(header, payload string) string {
	f.t.Helper()
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, f.key, crypto.SHA256, digest[:])
	if err != nil {
		f.t.Fatal(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func (f *forge) add(class, token string) { f.out = append(f.out, mutant{class, token}) }

// payload adds the good header over a changed payload, signed.
func (f *forge) payload(class, old, new string) {
	f.t.Helper()
	if !strings.Contains(goodPayload, old) {
		f.t.Fatalf("%s: the payload has no %q", class, old)
	}
	f.add(class, f.sign(goodHeader, strings.Replace(goodPayload, old, new, 1)))
}

// header adds a changed header over the good payload, signed.
func (f *forge) header(class, old, new string) {
	f.t.Helper()
	if !strings.Contains(goodHeader, old) {
		f.t.Fatalf("%s: the header has no %q", class, old)
	}
	f.add(class, f.sign(strings.Replace(goodHeader, old, new, 1), goodPayload))
}

// mutants makes a few thousand tokens. The random source is seeded, so every run makes the same ones.
func mutants(t *testing.T, key *rsa.PrivateKey) []mutant {
	f := &forge{t: t, key: key, rng: mathrand.New(mathrand.NewPCG(1, 2))}
	good := f.sign(goodHeader, goodPayload)
	f.add("unchanged", good)
	f.damage(good)
	f.respell(good)
	f.headers()
	f.payloads()
	f.times()
	f.randomJSON()
	return f.out
}

// damage changes what the signature covers, or the signature.
func (f *forge) damage(good string) {
	for range 800 {
		b := []byte(good)
		b[f.rng.IntN(len(b))] ^= 1 << f.rng.IntN(7)
		if string(b) != good && !sameButStrayBits(good, string(b)) {
			f.add("a flipped bit", string(b))
		}
	}
	for range 400 {
		f.add("cut short", good[:f.rng.IntN(len(good))])
	}
	for range 400 {
		at := f.rng.IntN(len(good))
		f.add("a character doubled", good[:at+1]+good[at:])
	}
	for range 300 {
		a, b := f.rng.IntN(len(good)), f.rng.IntN(len(good))
		swapped := []byte(good)
		swapped[a], swapped[b] = swapped[b], swapped[a]
		if string(swapped) != good && !sameButStrayBits(good, string(swapped)) {
			f.add("two characters swapped", string(swapped))
		}
	}
	parts := strings.Split(good, ".")
	for i := range 3 {
		dropped := append(append([]string{}, parts[:i]...), parts[i+1:]...)
		f.add("a part missing", strings.Join(dropped, "."))
		emptied := append([]string{}, parts...)
		emptied[i] = ""
		f.add("a part empty", strings.Join(emptied, "."))
	}
	f.add("a part too many", good+"."+parts[2])
	f.add("a part too many", good+".")
	f.add("signature of zeros", parts[0]+"."+parts[1]+"."+strings.Repeat("A", len(parts[2])))
}

// sameButStrayBits reports whether two spellings decode to the same bytes under a lax decoder.
func sameButStrayBits(a, b string) bool {
	pa, pb := strings.Split(a, "."), strings.Split(b, ".")
	for i := range pa {
		if len(pb) != len(pa) {
			return false
		}
		da, erra := base64.RawURLEncoding.DecodeString(pa[i])
		db, errb := base64.RawURLEncoding.DecodeString(pb[i])
		if erra != nil || errb != nil || !bytes.Equal(da, db) {
			return false
		}
	}
	return true
}

// respell changes the spelling of a good token and nothing of what it says.
func (f *forge) respell(good string) {
	parts := strings.Split(good, ".")
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, good[len(good)-1])
	for i := 1; i < 16; i++ { // a 256 byte signature leaves four unused bits
		f.add("stray bits in the signature", good[:len(good)-1]+string(alphabet[last&^15|(last+i)&15]))
	}
	for _, breaks := range []string{"\n", "\r", "\r\n"} {
		for range 40 {
			at := f.rng.IntN(len(parts[2]))
			f.add("a line break in the signature", parts[0]+"."+parts[1]+"."+parts[2][:at]+breaks+parts[2][at:])
		}
		f.add("a line break at the end", good+breaks)
		for part := range 2 {
			broken := append([]string{}, parts...)
			at := f.rng.IntN(len(broken[part]))
			broken[part] = broken[part][:at] + breaks + broken[part][at:]
			f.add("a line break in what is signed", strings.Join(broken, "."))
		}
	}
	for _, space := range []string{" ", "\t", "\x00", "\u00a0", "\ufeff"} {
		f.add("white space around", space+good)
		f.add("white space around", good+space)
	}
	f.add("padding", good+"=")
	f.add("padding", good+"==")
	f.add("standard alphabet", strings.NewReplacer("-", "+", "_", "/").Replace(good))
}

func (f *forge) headers() {
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "", "RS384", "RS512", "PS256", "HS256", "ES256", "rs256", "Rs256", "EdDSA"} {
		f.header("another algorithm", `"RS256"`, fmt.Sprintf("%q", alg))
	}
	f.header("algorithm of another type", `"RS256"`, `256`)
	f.header("algorithm of another type", `"RS256"`, `["RS256"]`)
	f.header("algorithm of another type", `"RS256"`, `null`)
	f.header("no algorithm", `"alg":"RS256",`, ``)
	f.header("crit", `"typ"`, `"crit":["exp"],"typ"`)
	f.header("crit", `"typ"`, `"crit":["x"],"x":1,"typ"`)
	f.header("crit", `"typ"`, `"crit":[],"typ"`)
	f.header("unencoded payload asked for", `"typ"`, `"b64":false,"typ"`)
	f.header("unencoded payload asked for", `"typ"`, `"b64":false,"crit":["b64"],"typ"`)
	for _, typ := range []string{`"at+jwt"`, `"logout+jwt"`, `"JOSE"`, `""`, `7`, `null`} {
		f.header("another type", `"JWT"`, typ)
	}
	f.header("no type", `,"typ":"JWT"`, ``)
	f.header("a key in the header", `"typ"`, `"jwk":{"kty":"oct","k":"AAAA"},"typ"`)
	f.header("a key address in the header", `"typ"`, `"jku":"https://evil.example/keys","typ"`)
	f.header("another kid", `"ins_1"`, `"ins_2"`)
	f.header("another kid", `"ins_1"`, `"../../dev/null"`)
	f.header("a kid of another type", `"ins_1"`, `1`)
	f.header("no kid", `"kid":"ins_1",`, ``)
	f.header("a header member twice", `"typ"`, `"alg":"RS256","typ"`)
	f.header("a header member twice", `"typ"`, `"kid":"ins_1","typ"`)
	f.header("a header member in other case", `"typ"`, `"ALG":"RS256","typ"`)
	f.header("a header member in other case", `"alg"`, `"Alg"`)
	f.header("bytes after the header", `"JWT"}`, `"JWT"}{}`)
	f.header("white space within the JSON", `{`, "{ \n\t")
}

func (f *forge) payloads() {
	for _, claim := range []string{"sub", "iss", "aud", "exp", "iat", "jti"} {
		f.payload("a claim twice", `"v":2`, fmt.Sprintf(`"%s":"x","v":2`, claim))
		f.payload("a claim in other case", `"v":2`, fmt.Sprintf(`"%s":"x","v":2`, strings.ToUpper(claim)))
	}
	f.payload("a claim twice", `"v":2`, `"sub":"user_1","v":2`)
	f.payload("a claim twice below the top", `"v":2`, `"o":{"id":"1","id":"2"},"v":2`)
	f.payload("a claim in other case", `"sub":"user_1"`, `"Sub":"user_1"`)
	for _, iss := range []string{`"https://clerk.evil.example"`, `"https://clerk.play.example/"`, `""`, `["https://clerk.play.example"]`, `null`, `1`} {
		f.payload("another issuer", `"https://clerk.play.example"`, iss)
	}
	f.payload("no issuer", `"iss":"https://clerk.play.example",`, ``)
	for _, aud := range []string{`"other"`, `["other"]`, `[]`, `""`, `"GAME"`, `"game "`, `null`, `1`, `{"a":"game"}`, `["game",1]`} {
		f.payload("another audience", `"game"`, aud)
	}
	f.payload("several audiences", `"game"`, `["other","game"]`)
	f.payload("no audience", `"aud":"game",`, ``)
	f.payload("not UTF-8", `user_1`, "user_\xff")
	f.payload("not UTF-8", `user_1`, "user_\xc0\xaf")
	f.payload("a lone surrogate", `user_1`, `user_\ud800`)
	f.payload("an escaped claim name", `"sub"`, `"s\u0075b"`)
	f.payload("deep nesting", `"v":2`, `"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,"v":2`)
	f.payload("very large", `"v":2`, `"x":"`+strings.Repeat("x", 20_000)+`","v":2`)
	f.payload("bytes after the payload", `"v":2}`, `"v":2} {}`)
	f.payload("bytes after the payload", `"v":2}`, `"v":2},`)
	f.payload("not JSON", `{`, ``)
	f.payload("not JSON", `"v":2`, `"v":02`)
	f.payload("not JSON", `"v":2`, `"v":NaN`)
	f.payload("not JSON", `"v":2`, `"v":2,`)
	f.payload("not JSON", `"v":2`, `/* */"v":2`)
	f.payload("white space within the JSON", `"v":2`, "\n \"v\" : 2 ")
	for _, whole := range []string{``, `null`, `[]`, `"x"`, `1`, `{}`} {
		f.add("a payload that is no object with claims", f.sign(goodHeader, whole))
	}
	f.add("a byte order mark", f.sign(goodHeader, "\ufeff"+goodPayload))
}

func (f *forge) times() {
	for _, exp := range []string{"1793534400", "1793534399", "0", "-1", "1"} {
		f.payload("expired", `"exp":1793534460`, `"exp":`+exp)
	}
	for _, exp := range []string{"1793534460.5", "1.79353446e9", "17935344600e-1"} {
		f.payload("exp with a fraction or an exponent", `"exp":1793534460`, `"exp":`+exp)
	}
	for _, exp := range []string{"1e400", "99999999999999999999", "9223372036854775807", "253402300800"} {
		f.payload("exp beyond the year 9999", `"exp":1793534460`, `"exp":`+exp)
	}
	for _, exp := range []string{`"1793534460"`, `null`, `true`, `[1793534460]`, `{}`} {
		f.payload("exp of another type", `"exp":1793534460`, `"exp":`+exp)
	}
	f.payload("no exp", `"exp":1793534460,`, ``)
	for _, ahead := range []string{"1793534406", "1793534999", "1893534400"} {
		f.payload("nbf ahead", `"nbf":1793534390`, `"nbf":`+ahead)
		f.payload("iat ahead", `"iat":1793534400`, `"iat":`+ahead)
	}
	f.payload("nbf ahead by up to 5 s", `"nbf":1793534390`, `"nbf":1793534404`)
	f.payload("iat ahead by up to 5 s", `"iat":1793534400`, `"iat":1793534404`)
	f.payload("nbf of another type", `"nbf":1793534390`, `"nbf":"1793534390"`)
	f.payload("iat of another type", `"iat":1793534400`, `"iat":"1793534400"`)
}

// randomJSON damages the JSON before it is signed, so that the parsers are compared and not the signature.
func (f *forge) randomJSON() {
	const bytesOfJSON = `{}[]",:\0e.-+tfn `
	for i := range 1200 {
		header, payload := []byte(goodHeader), []byte(goodPayload)
		target, class := payload, "a random byte in the payload's JSON"
		if i%3 == 0 {
			target, class = header, "a random byte in the header's JSON"
		}
		target[f.rng.IntN(len(target))] = bytesOfJSON[f.rng.IntN(len(bytesOfJSON))]
		f.add(class, f.sign(string(header), string(payload)))
	}
}
