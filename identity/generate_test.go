package identity_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"flag"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
)

var update = flag.Bool("update", false, "write testdata/vectors anew from the tables in cases_*_test.go")

// vectorCase is one vector before it is signed.
type vectorCase struct {
	name   string // the file's name
	policy string // of policies
	expect string // "accept", or "refuse" with check, reason and claim
	claims string // JSON, over the family's base; null removes a member
	header string // JSON, over the family's base; null removes a member
	key    string // default "rsa-1"; "none" leaves the signature empty
	fields string // further header lines: what the identity must say
	note   string
	mangle func(token string) string // what is done to the signed token
}

// vectorFamily is one folder of vectors. Times in base are those of testvectors.Now.
type vectorFamily struct {
	claims, header string
	cases          []vectorCase
}

func vectorFamilies() map[string]vectorFamily {
	all := make(map[string]vectorFamily)
	maps.Copy(all, cognitoCases())
	maps.Copy(all, clerkCases())
	maps.Copy(all, oidcCases())
	maps.Copy(all, consumerCases())
	maps.Copy(all, gameCases())
	return all
}

// TestVectorsAreCurrent holds the files to the tables: each vector is what its table says, and there is no other.
func TestVectorsAreCurrent(t *testing.T) {
	for family, f := range vectorFamilies() {
		dir := filepath.Join("testdata", "vectors", family)
		want := make(map[string]string)
		for _, c := range f.cases {
			want[c.name+".txt"] = c.file(t, f)
		}
		if len(want) != len(f.cases) {
			t.Errorf("%s: two cases have one name", family)
		}
		current(t, dir, want)
	}
	webhooks := make(map[string]string)
	for _, c := range webhookCases() {
		webhooks[c.name+".txt"] = c.file()
	}
	current(t, filepath.Join("testdata", "vectors", "webhook"), webhooks)
}

// current compares a folder with what it should hold, or writes it anew.
func current(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	if *update {
		rewrite(t, dir, want)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil || string(data) != want[e.Name()] {
			t.Errorf("%s/%s differs from its table (%v): run go test -run Current -update", dir, e.Name(), err)
		}
		delete(want, e.Name())
	}
	for name := range want {
		t.Errorf("%s/%s is missing: run go test -run Current -update", dir, name)
	}
}

func rewrite(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// header is the part of a vector's file that all have.
func header(expect, fields, note string) string {
	var b strings.Builder
	words := strings.Fields(expect)
	for n, field := range []string{"expect", "check", "reason", "claim"}[:len(words)] {
		b.WriteString(field + ": " + words[n] + "\n")
	}
	if fields != "" {
		b.WriteString(fields + "\n")
	}
	if note != "" {
		b.WriteString("note: " + note + "\n")
	}
	return b.String()
}

// file is the text of the vector's file.
func (c vectorCase) file(t *testing.T, f vectorFamily) string {
	t.Helper()
	token := mint(t, c.key, merge(t, f.header, c.header), merge(t, f.claims, c.claims))
	if c.mangle != nil {
		token = c.mangle(token)
	}
	return "policy: " + c.policy + "\n" + header(c.expect, c.fields, c.note) + "\n" + token + "\n"
}

// merge puts the members of over into base; null removes one.
func merge(t testing.TB, base, over string) map[string]json.RawMessage {
	t.Helper()
	merged := make(map[string]json.RawMessage)
	for _, text := range []string{base, over} {
		if text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(text), &merged); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
	}
	maps.DeleteFunc(merged, func(_ string, v json.RawMessage) bool { return string(v) == "null" })
	return merged
}

// mint signs claims with a fixed key: the same input gives the same token. alg and kid are the key's unless the header
// has them.
func mint(t testing.TB, keyName string, header, claims map[string]json.RawMessage) string {
	t.Helper()
	if keyName == "" {
		keyName = "rsa-1"
	}
	algorithm, _, _ := strings.Cut(keyName, "-")
	algorithm = map[string]string{"rsa": "RS256", "p256": "ES256", "ed25519": "EdDSA", "hs": "HS256", "none": "none"}[algorithm]
	defaults := map[string]string{"alg": algorithm, "kid": keyName}
	for name, value := range defaults {
		if _, set := header[name]; !set {
			header[name] = json.RawMessage(`"` + value + `"`)
		}
	}
	signed := encode(t, header) + "." + encode(t, claims)
	return signed + "." + base64.RawURLEncoding.EncodeToString(sign(t, keyName, []byte(signed)))
}

func encode(t testing.TB, members map[string]json.RawMessage) string {
	t.Helper()
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func sign(t testing.TB, keyName string, signed []byte) []byte {
	t.Helper()
	if keyName == "none" {
		return nil
	}
	if strings.HasPrefix(keyName, "hs-") {
		return hmacSHA256(testvectors.Secret(keyName), signed)
	}
	private := testvectors.PrivateKey(t, keyName)
	sum := sha256.Sum256(signed)
	var signature []byte
	var err error
	switch k := private.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(k, signed)
	default:
		// Without randomness ECDSA is deterministic (RFC 6979), as RSASSA-PKCS1-v1_5 always is.
		signature, err = private.Sign(nil, sum[:], crypto.SHA256)
	}
	if _, isECDSA := private.(*ecdsa.PrivateKey); isECDSA && err == nil {
		signature, err = fixedWidth(signature)
	}
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// fixedWidth turns the ASN.1 form of an ECDSA signature into that of RFC 7518 section 3.4.
func fixedWidth(der []byte) ([]byte, error) {
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		return nil, err
	}
	return slices.Concat(pair.R.FillBytes(make([]byte, 32)), pair.S.FillBytes(make([]byte, 32))), nil
}
