package jws_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
)

var update = flag.Bool("update", false, "write the vectors in testdata/vectors anew")

// vector is a case to be written: header lines and a body.
type vector struct {
	name   string
	fields []string // "name: value"
	body   string
}

// TestVectorsAreCurrent makes every vector again and compares it with its file; with -update it writes the files.
// Everything is made of fixed keys and deterministic signatures.
func TestVectorsAreCurrent(t *testing.T) {
	for dir, vectors := range map[string][]vector{
		"verify": verifyVectors(t),
		"object": objectVectors(),
		"key":    keyVectors(t),
	} {
		dir = filepath.Join("testdata", "vectors", dir)
		made := make(map[string]bool)
		for _, v := range vectors {
			path := filepath.Join(dir, v.name+".txt")
			if made[path] {
				t.Errorf("two vectors are named %s", v.name)
			}
			made[path] = true
			checkFile(t, path, v.text())
		}
		found, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if !made[path] {
				t.Errorf("%s is made by nothing", path)
			}
		}
	}
}

func checkFile(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what is made now (%v); run with -update and look at the difference", path, err)
	}
}

func (v vector) text() []byte {
	var b bytes.Buffer
	for _, line := range v.fields {
		b.WriteString(line + "\n")
	}
	body := v.body
	if strings.ContainsFunc(body, func(r rune) bool { return r < ' ' || r > '~' }) {
		b.WriteString("encoding: quoted\n")
		body = strconv.Quote(body)
	}
	b.WriteString("\n" + body + "\n")
	return b.Bytes()
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// maker signs header and payload texts as they are, right or wrong.
type maker struct{ t *testing.T }

// sign returns the signature by a named key: hs-… is a secret, "" is the empty secret.
func (m maker) sign(name, signed string) string {
	if name == "" || strings.HasPrefix(name, "hs-") {
		secret := testvectors.Secret(name)
		if name == "" {
			secret = nil
		}
		return mac(secret, signed)
	}
	key := testvectors.PrivateKey(m.t, name)
	message, opts := []byte(signed), crypto.SignerOpts(crypto.Hash(0))
	if _, ed := key.(ed25519.PrivateKey); !ed {
		sum := sha256.Sum256(message)
		message, opts = sum[:], crypto.SHA256
	}
	// Without randomness ECDSA is deterministic (RFC 6979).
	signature, err := key.Sign(nil, message, opts)
	if err != nil {
		m.t.Fatal(err)
	}
	if _, ec := key.(*ecdsa.PrivateKey); !ec {
		return string(signature)
	}
	r, s := m.pair(signature)
	return fixed32(r) + fixed32(s)
}

func (m maker) pair(der []byte) (r, s *big.Int) {
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		m.t.Fatal(err)
	}
	return pair.R, pair.S
}

func fixed32(n *big.Int) string { return string(n.FillBytes(make([]byte, 32))) }

func mac(secret []byte, signed string) string {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(signed))
	return string(h.Sum(nil))
}

// token signs with a named key.
func (m maker) token(key, header, payload string) string {
	signed := b64(header) + "." + b64(payload)
	return signed + "." + b64(m.sign(key, signed))
}

// good claims and the times around them.
const (
	exp  = `"exp":1793538000`
	base = `"iss":"https://issuer.example","aud":"game","sub":"player-1"`
	good = `{` + base + `,"iat":1793534400,` + exp + `}`
)

// header returns a usual header; more is further members with a leading comma.
func header(alg, kid, more string) string {
	return fmt.Sprintf(`{"alg":"%s","kid":"%s"%s}`, alg, kid, more)
}

func rs(more string) string { return header("RS256", "rsa-1", more) }

// claims returns the good claims with more members behind them.
func claims(more string) string { return `{` + base + `,` + exp + `,` + more + `}` }

func accept(name, body string, fields ...string) vector {
	return vector{"accept-" + name, append([]string{"expect: accept"}, fields...), body}
}

func refuse(check, reason, claim, name, body string, fields ...string) vector {
	head := []string{"expect: refuse", "check: " + check, "reason: " + reason}
	if claim != "" {
		head = append(head, "claim: "+claim)
	}
	return vector{"refuse-" + name, append(head, fields...), body}
}

// format is a refusal of the token's spelling.
func format(claim, name, body string, fields ...string) vector {
	return refuse("format", "malformed", claim, name, body, fields...)
}

// verified is a refusal after the signature held.
func verified(check, reason, claim, name, body string, fields ...string) vector {
	return refuse(check, reason, claim, name, body, append(fields, "verified: true")...)
}
