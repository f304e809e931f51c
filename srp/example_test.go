package srp_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-auth/sallyport/srp"
)

// Both halves of a sign-in, as any transport may carry them.
func Example() {
	poolName, _ := srp.PoolName("eu-central-1_Ab129faBb")
	stored, _ := srp.NewVerifier(nil, srp.Credentials{PoolName: poolName, UserID: "alice", Password: "correct horse 1A"})

	// The client sends SRP_A; the server answers with a challenge and keeps the key.
	client, _ := srp.NewClient(nil)
	srpB, key, _ := srp.Answer(nil, stored, client.A())
	challenge := srp.Challenge{Salt: stored.SaltHex(), B: srpB, SecretBlock: "c2VhbGVk", UserID: "alice"}

	// The client proves the password; the server checks the proof.
	response, _ := client.Respond(challenge, poolName, "correct horse 1A", time.Now())
	fmt.Println(key.Check(poolName, "alice", response))

	forged, _ := client.Respond(challenge, poolName, "guess", time.Now())
	fmt.Println(key.Check(poolName, "alice", forged))
	// Output:
	// <nil>
	// srp: the proof of the password does not match
}

func ExampleSecretHash() {
	fmt.Println(srp.SecretHash("client-secret", "alice", "1example23456789"))
	// Output: doAs8PWFaIXHVzm8IRTTAZHZPttKm5OMQ6HFP6BUy1E=
}

func ExampleTimestamp() {
	fmt.Println(srp.Timestamp(time.Date(2026, 1, 4, 3, 7, 9, 0, time.UTC)))
	// Output: Sun Jan 4 03:07:09 UTC 2026
}

func ExampleSimulatedVerifier() {
	secret := []byte("32 random bytes the server keeps")
	nobody, _ := srp.SimulatedVerifier(secret, "Ab129faBb", "nobody")
	again, _ := srp.SimulatedVerifier(secret, "Ab129faBb", "nobody")
	fmt.Println(nobody.SaltHex() == again.SaltHex())
	// Output: true
}

func ExampleParseChallenge() {
	_, err := srp.ParseChallenge(map[string]string{"SALT": "1f", "SRP_B": "0"})
	var refused *srp.ParameterError
	fmt.Println(errors.As(err, &refused), err)
	// Output: true srp: SRP_B is not between 1 and N-1
}

func ExampleLogin() {
	_, err := srp.Login(context.Background(), srp.LoginConfig{
		UserPoolID: "eu-central-1_Ab129faBb",
		ClientID:   "1example23456789",
		Username:   "alice",
	})
	fmt.Println(err)
	// Output: srp: LoginConfig.Password is required
}
