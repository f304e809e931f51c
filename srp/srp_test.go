package srp_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/srp"
)

var alice = srp.Credentials{PoolName: "Ab129faBb", UserID: "alice", Password: "P@ssw0rd!1"}

// exchange runs one sign-in between a client who believes in typed and a server that knows stored.
func exchange(t *testing.T, stored srp.Verifier, typed srp.Credentials) (srp.Key, srp.Response) {
	t.Helper()
	client, err := srp.NewClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	srpB, key, err := srp.Answer(nil, stored, client.A())
	if err != nil {
		t.Fatal(err)
	}
	ch := srp.Challenge{Salt: stored.SaltHex(), B: srpB, SecretBlock: "AAECAw==", UserID: typed.UserID, Username: typed.UserID}
	if ch, err = srp.ParseChallenge(ch.Parameters()); err != nil {
		t.Fatal(err)
	}
	response, err := client.Respond(ch, typed.PoolName, typed.Password, testvectors.Now)
	if err != nil {
		t.Fatal(err)
	}
	if response, err = srp.ParseResponse(response.Parameters()); err != nil {
		t.Fatal(err)
	}
	return key, response
}

func verifier(t *testing.T, c srp.Credentials) srp.Verifier {
	t.Helper()
	v, err := srp.NewVerifier(nil, c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestExchange(t *testing.T) {
	t.Parallel()
	stored := verifier(t, alice)
	key, response := exchange(t, stored, alice)
	if err := key.Check(alice.PoolName, alice.UserID, response); err != nil {
		t.Errorf("the right password is refused: %v", err)
	}
	for name, typed := range map[string]srp.Credentials{
		"password": {PoolName: alice.PoolName, UserID: alice.UserID, Password: "P@ssw0rd!2"},
		"user":     {PoolName: alice.PoolName, UserID: "Alice", Password: alice.Password},
		"pool":     {PoolName: "Other", UserID: alice.UserID, Password: alice.Password},
	} {
		key, response := exchange(t, stored, typed)
		if err := key.Check(alice.PoolName, alice.UserID, response); !errors.Is(err, srp.ErrProof) {
			t.Errorf("another %s gives %v, want ErrProof", name, err)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	key, good := exchange(t, verifier(t, alice), alice)
	later := srp.Timestamp(testvectors.Now.Add(time.Second))
	cases := map[string]struct {
		change func(*srp.Response)
		proof  bool // ErrProof, else a ParameterError
	}{
		"block": {func(r *srp.Response) { r.SecretBlock = "AAECBA==" }, true},
		"time":  {func(r *srp.Response) { r.Timestamp = later }, true},
		"wrong weekday": {func(r *srp.Response) {
			r.Timestamp = strings.Replace(r.Timestamp, "Sun", "Mon", 1)
			r.Signature = "AAAA"
		}, true},
		"empty signature":    {func(r *srp.Response) { r.Signature = "" }, true},
		"signature no b64":   {func(r *srp.Response) { r.Signature = "?" }, true},
		"signature cut":      {func(r *srp.Response) { r.Signature = base64.StdEncoding.EncodeToString(make([]byte, 16)) }, true},
		"time of no form":    {func(r *srp.Response) { r.Timestamp = "2026-11-01T12:00:00Z" }, false},
		"time with 12 hours": {func(r *srp.Response) { r.Timestamp = "Sun Nov 1 12:00:00 PM UTC 2026" }, false},
		"block no b64":       {func(r *srp.Response) { r.SecretBlock = "?" }, false},
	}
	for name, c := range cases {
		response := good
		c.change(&response)
		err := key.Check(alice.PoolName, alice.UserID, response)
		var parameter *srp.ParameterError
		if c.proof && !errors.Is(err, srp.ErrProof) || !c.proof && !errors.As(err, &parameter) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// TestTimestampSpelling holds what a real pool was seen to do: a zero-padded day parses, and fails the proof because
// the server signs its own spelling.
func TestTimestampSpelling(t *testing.T) {
	t.Parallel()
	padded := "Sat Sep 05 03:07:09 UTC 2026"
	at, err := srp.ParseTimestamp(padded)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := srp.Timestamp(at), "Sat Sep 5 03:07:09 UTC 2026"; got != want {
		t.Errorf("spelled %q, want %q", got, want)
	}
	west := time.FixedZone("west", -8*3600)
	if got, want := srp.Timestamp(time.Date(2026, 9, 4, 19, 7, 9, 0, west)), "Sat Sep 5 03:07:09 UTC 2026"; got != want {
		t.Errorf("spelled %q, want %q (UTC)", got, want)
	}
}

func TestSimulatedVerifier(t *testing.T) {
	t.Parallel()
	secret := testvectors.Secret("simulated")
	first, err := srp.SimulatedVerifier(secret, "Ab129faBb", "nobody")
	if err != nil {
		t.Fatal(err)
	}
	again, _ := srp.SimulatedVerifier(secret, "Ab129faBb", "nobody")
	if first.SaltHex() != again.SaltHex() || string(first.Value) != string(again.Value) {
		t.Error("the same unknown user has two salts: that tells them apart from a known one")
	}
	for _, other := range [][2]string{{"Ab129faBb", "nobody2"}, {"Other", "nobody"}} {
		v, err := srp.SimulatedVerifier(secret, other[0], other[1])
		if err != nil || v.SaltHex() == first.SaltHex() {
			t.Errorf("%v has the salt of another user (%v)", other, err)
		}
	}
	key, response := exchange(t, first, srp.Credentials{PoolName: "Ab129faBb", UserID: "nobody", Password: "x"})
	if err := key.Check("Ab129faBb", "nobody", response); !errors.Is(err, srp.ErrProof) {
		t.Errorf("a simulated user signs in: %v", err)
	}
	if _, err := srp.SimulatedVerifier(secret[:15], "p", "u"); err == nil {
		t.Error("a short secret is taken")
	}
}

func TestVerifierMatches(t *testing.T) {
	t.Parallel()
	v := verifier(t, alice)
	wrong := alice
	wrong.Password += " "
	if !v.Matches(alice) || v.Matches(wrong) {
		t.Error("Matches tells right from wrong passwords wrongly")
	}
	long := srp.Verifier{Salt: v.Salt, Value: append(make([]byte, 1), make([]byte, 384)...)}
	if long.Matches(alice) {
		t.Error("a verifier longer than N matches")
	}
}

func TestParseChallengeRefuses(t *testing.T) {
	t.Parallel()
	good := srp.Challenge{Salt: "1f", B: "2", SecretBlock: "AA==", Username: "a", UserID: "a"}
	cases := map[string]string{
		"SALT": strings.Repeat("1", 129), "SRP_B": strings.Repeat("1", 771), "USER_ID_FOR_SRP": "",
		"SECRET_BLOCK": strings.Repeat("A", 16<<10+4),
	}
	for name, bad := range cases {
		for _, value := range []string{bad, ""} {
			parameters := good.Parameters()
			parameters[name] = value
			_, err := srp.ParseChallenge(parameters)
			var parameter *srp.ParameterError
			if !errors.As(err, &parameter) || parameter.Parameter != name {
				t.Errorf("%s of %d characters: error is %v", name, len(value), err)
			}
		}
	}
}

func TestParseResponseRefuses(t *testing.T) {
	t.Parallel()
	good := srp.Response{UserID: "a", SecretBlock: "AA==", Timestamp: srp.Timestamp(testvectors.Now), Signature: "AA=="}
	for _, name := range []string{"USERNAME", "PASSWORD_CLAIM_SECRET_BLOCK", "TIMESTAMP", "PASSWORD_CLAIM_SIGNATURE"} {
		parameters := good.Parameters()
		delete(parameters, name)
		_, err := srp.ParseResponse(parameters)
		var parameter *srp.ParameterError
		if !errors.As(err, &parameter) || parameter.Parameter != name {
			t.Errorf("without %s: error is %v", name, err)
		}
	}
	long := good
	long.Timestamp = strings.Repeat(" ", 65)
	if _, err := srp.ParseResponse(long.Parameters()); err == nil {
		t.Error("a time stamp of 65 characters is taken")
	}
}

func TestBrokenRandomness(t *testing.T) {
	t.Parallel()
	broken := iotest.ErrReader(errors.New("no entropy"))
	zero := strings.NewReader(strings.Repeat("\x00", 128))
	if _, err := srp.NewClient(broken); err == nil {
		t.Error("a client was made without randomness")
	}
	if _, err := srp.NewClient(zero); err == nil {
		t.Error("a client was made with a = 0")
	}
	if _, err := srp.NewVerifier(broken, alice); err == nil {
		t.Error("a verifier was made without randomness")
	}
	if _, _, err := srp.Answer(broken, verifier(t, alice), "2"); err == nil {
		t.Error("an answer was made without randomness")
	}
}

func TestKeyHidesItself(t *testing.T) {
	t.Parallel()
	key := srp.Key{0xab, 0xcd}
	for _, verb := range []string{"%v", "%s", "%+v", "%#v"} {
		if got := fmt.Sprintf(verb, key); got != "srp.Key(hidden)" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func TestPoolName(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "_", "eu-west-1", "eu-west-1_", "_Ab", strings.Repeat("a", 55) + "_b"} {
		if name, err := srp.PoolName(bad); err == nil {
			t.Errorf("%q is taken as a pool named %q", bad, name)
		}
	}
}

func FuzzParseChallenge(f *testing.F) {
	f.Add("1f", "2", "AA==", "alice")
	f.Add("", "0", "?", "")
	f.Add("zz", strings.Repeat("f", 768), "AAA", "\xff")
	f.Fuzz(func(t *testing.T, salt, b, block, user string) {
		ch, err := srp.ParseChallenge(srp.Challenge{Salt: salt, B: b, SecretBlock: block, UserID: user}.Parameters())
		if err != nil {
			return
		}
		if len(ch.Salt) > 128 || len(ch.B) > 770 || ch.UserID == "" {
			t.Fatalf("out of bounds: %d %d %q", len(ch.Salt), len(ch.B), ch.UserID)
		}
	})
}

func FuzzParseResponse(f *testing.F) {
	f.Add("alice", "AA==", "Sun Nov 1 12:00:00 UTC 2026", "AA==")
	f.Add("", "?", "Sun Nov 01 24:00:00 UTC 2026", "")
	f.Fuzz(func(t *testing.T, user, block, timestamp, signature string) {
		r, err := srp.ParseResponse(srp.Response{
			UserID: user, SecretBlock: block, Timestamp: timestamp, Signature: signature,
		}.Parameters())
		if err != nil {
			return
		}
		if err := (srp.Key{}).Check("pool", user, r); err == nil {
			t.Fatal("a made-up response passes")
		}
	})
}
