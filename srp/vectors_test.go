package srp

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
)

// TestVectors computes every number of the protocol from both ends and compares it with the vectors, which were made by
// the SDK amazon-cognito-identity-js and, for the server, by an independent implementation.
func TestVectors(t *testing.T) {
	accepted, refused := 0, 0
	for _, v := range testvectors.Load(t, "testdata/vectors") {
		if v.Get("expect") == "accept" {
			accepted++
			t.Run(v.Name, func(t *testing.T) { t.Parallel(); acceptVector(t, v) })
		} else {
			refused++
			t.Run(v.Name, func(t *testing.T) { t.Parallel(); refuseVector(t, v) })
		}
	}
	if accepted != 22 || refused != 8 {
		t.Errorf("%d accepted and %d refused vectors; want 22 and 8", accepted, refused)
	}
}

func acceptVector(t *testing.T, v testvectors.Vector) {
	cred := vectorCredentials(t, v)
	client, err := NewClient(bytes.NewReader(fixed(t, v.Get("client-private"))))
	if err != nil {
		t.Fatal(err)
	}
	salt := number(t, v.Get("salt"))
	x := cred.privateExponent(salt)
	verifier := Verifier{Salt: salt.Bytes(), Value: value(cred, salt.Bytes()).Bytes()}
	srpB, serverKey, err := Answer(bytes.NewReader(fixed(t, v.Get("server-private"))), verifier, client.A())
	if err != nil {
		t.Fatal(err)
	}
	b := number(t, srpB)
	u, err := scrambler(client.public, b)
	if err != nil {
		t.Fatal(err)
	}
	s := client.secret(b, u, x)
	identity := sha256.Sum256([]byte(cred.PoolName + cred.UserID + ":" + cred.Password))
	check(t, v, "pool-name", cred.PoolName)
	check(t, v, "identity-hash", hex.EncodeToString(identity[:]))
	check(t, v, "x", x.Text(16))
	check(t, v, "verifier", new(big.Int).SetBytes(verifier.Value).Text(16))
	check(t, v, "salt-pad-hex", hex.EncodeToString(padded(salt)))
	check(t, v, "srp-a", client.A())
	check(t, v, "a-pad-hex", hex.EncodeToString(padded(client.public)))
	check(t, v, "srp-b", srpB)
	check(t, v, "b-pad-hex", hex.EncodeToString(padded(b)))
	check(t, v, "u", u.Text(16))
	check(t, v, "u-pad-hex", hex.EncodeToString(padded(u)))
	check(t, v, "s", s.Text(16))
	check(t, v, "s-pad-hex", hex.EncodeToString(padded(s)))
	check(t, v, "key", hex.EncodeToString(serverKey[:]))
	acceptProof(t, v, client, cred, srpB, serverKey)
}

// acceptProof runs the second half of a vector: the client's answer and the server's judgement of it.
func acceptProof(t *testing.T, v testvectors.Vector, client *Client, cred Credentials, srpB string, serverKey Key) {
	ch := Challenge{Salt: v.Get("salt"), B: srpB, SecretBlock: v.Get("secret-block"), UserID: cred.UserID}
	now, err := strconv.ParseInt(v.Get("now-unix-ms"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Respond(ch, cred.PoolName, cred.Password, time.UnixMilli(now))
	if err != nil {
		t.Fatal(err)
	}
	block, err := base64.StdEncoding.DecodeString(ch.SecretBlock)
	if err != nil {
		t.Fatal(err)
	}
	message := fmt.Sprintf("%x%x%x", cred.PoolName+cred.UserID, block, response.Timestamp)
	check(t, v, "timestamp", response.Timestamp)
	check(t, v, "message", message)
	if response.Signature != v.Body {
		t.Errorf("signature is %s, want %s", response.Signature, v.Body)
	}
	if err := serverKey.Check(cred.PoolName, cred.UserID, response); err != nil {
		t.Errorf("the server refuses its own vector: %v", err)
	}
	if err := serverKey.Check(cred.PoolName, cred.UserID+"x", response); !errors.Is(err, ErrProof) {
		t.Errorf("the server takes the proof of another user: %v", err)
	}
}

func refuseVector(t *testing.T, v testvectors.Vector) {
	var err error
	if v.Get("side") == "client" {
		client, newErr := NewClient(nil)
		if newErr != nil {
			t.Fatal(newErr)
		}
		_, err = client.Key(Credentials{PoolName: "p", UserID: "u", Password: "w"}, "1", v.Body)
	} else {
		_, _, err = Answer(nil, Verifier{Salt: []byte{1}, Value: []byte{4}}, v.Body)
	}
	var refused *ParameterError
	if !errors.As(err, &refused) || refused.Parameter != v.Get("parameter") {
		t.Errorf("error is %v, want one that names %s", err, v.Get("parameter"))
	}
}

func TestMultiplier(t *testing.T) {
	const want = "538282c4354742d7cbbde2359fcf67f9f5b3a6b08791e5011b43b8a5b66d9ee6"
	if got := multiplier.Text(16); got != want {
		t.Errorf("k is %s, want %s", got, want)
	}
}

func TestScramblerOfZero(t *testing.T) {
	if _, err := checkScrambler(new(big.Int)); err == nil {
		t.Error("u = 0 is taken, which takes the password out of the secret")
	}
}

func vectorCredentials(t *testing.T, v testvectors.Vector) Credentials {
	t.Helper()
	poolName, err := PoolName(v.Get("user-pool-id"))
	if err != nil {
		t.Fatal(err)
	}
	return Credentials{PoolName: poolName, UserID: unquote(t, v.Get("user-id")), Password: unquote(t, v.Get("password"))}
}

func check(t *testing.T, v testvectors.Vector, field, got string) {
	t.Helper()
	if want := v.Get(field); got != want || want == "" {
		t.Errorf("%s is %s, want %s", field, got, want)
	}
}

func unquote(t *testing.T, text string) string {
	t.Helper()
	s, err := strconv.Unquote(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func number(t *testing.T, digits string) *big.Int {
	t.Helper()
	n, err := parseHex("the vector", digits, maxPublicDigits)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fixed gives a private value as the bytes that the random source would have given.
func fixed(t *testing.T, digits string) []byte {
	t.Helper()
	return number(t, digits).FillBytes(make([]byte, privateBytes))
}

func FuzzParseHex(f *testing.F) {
	for _, seed := range []string{"", "0", "ff", "+1", "-1", "0x1", "1_0", " 1", primeHex, "zz", "F00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseHex("SRP_A", text, maxPublicDigits)
		if err != nil {
			return
		}
		if len(text) > maxPublicDigits || n.Sign() < 0 {
			t.Fatalf("%q is taken as %s", text, n)
		}
		again, err := parseHex("SRP_A", n.Text(16), maxPublicDigits)
		if err != nil || again.Cmp(n) != 0 {
			t.Fatalf("%q does not survive a round trip", text)
		}
		if back := new(big.Int).SetBytes(padded(n)); back.Cmp(n) != 0 || padded(n)[0]&0x80 != 0 {
			t.Fatalf("padded(%s) is not its two's complement", n)
		}
	})
}
