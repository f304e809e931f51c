package srp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"
)

// timestampLayout is the form of the TIMESTAMP challenge response: Java's "EEE MMM d HH:mm:ss z yyyy" in English and
// UTC, with a 24-hour clock and a day without a leading zero.
const timestampLayout = "Mon Jan 2 15:04:05 UTC 2006"

// ParameterError says which parameter of the protocol was refused. Its text never holds the parameter's value.
type ParameterError struct {
	// Parameter is the name on the wire, such as SRP_A or TIMESTAMP.
	Parameter string
	// Problem continues the sentence that starts with the name.
	Problem string
}

// Error returns "srp: ", the parameter and its problem.
func (e *ParameterError) Error() string { return "srp: " + e.Parameter + " " + e.Problem }

// Credentials are what the private exponent x is made of. Text is hashed as it is, in UTF-8: nothing is trimmed, folded
// or normalised.
type Credentials struct {
	// PoolName is the part of the user pool's id after the underscore; see [PoolName].
	PoolName string
	// UserID is USER_ID_FOR_SRP, as the server says it. It may differ from the name a player typed, such as an e-mail
	// address.
	UserID string
	// Password is the player's password.
	Password string
}

// PoolName returns the part of a user pool id after the underscore, which SRP hashes: "Ab129faBb" for
// "us-east-1_Ab129faBb".
func PoolName(userPoolID string) (string, error) {
	region, name, found := strings.Cut(userPoolID, "_")
	if !found || region == "" || name == "" || len(userPoolID) > 55 {
		return "", &ParameterError{"the user pool id", `is not of the form REGION_NAME, such as "us-east-1_Ab129faBb"`}
	}
	return name, nil
}

// SecretHash returns SECRET_HASH, which an app client with a secret must send with every call: standard base64 of
// HMAC-SHA256 under the client secret over user name and client id
// (docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html).
func SecretHash(clientSecret, username, clientID string) string {
	mac := hmac.New(sha256.New, []byte(clientSecret))
	io.WriteString(mac, username+clientID)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Timestamp formats a time as the TIMESTAMP challenge response, in UTC and in seconds.
func Timestamp(t time.Time) string { return t.UTC().Format(timestampLayout) }

// ParseTimestamp reads a TIMESTAMP challenge response. It is as lenient as Cognito, which takes a zero-padded day or the
// wrong day of the week here and refuses them later, because it signs the time in its own spelling.
func ParseTimestamp(text string) (time.Time, error) {
	if len(text) > 64 {
		return time.Time{}, &ParameterError{"TIMESTAMP", "is too long"}
	}
	t, err := time.Parse(timestampLayout, text)
	if err != nil {
		return time.Time{}, &ParameterError{"TIMESTAMP", "is not of the form EEE MMM d HH:mm:ss UTC yyyy in English"}
	}
	return t, nil
}

// privateExponent returns x for a salt.
func (c Credentials) privateExponent(salt *big.Int) *big.Int {
	inner := sha256.Sum256([]byte(c.PoolName + c.UserID + ":" + c.Password))
	return hashToInt(padded(salt), inner[:])
}

// privateValue draws a or b: 1024 random bits, not all zero. A nil source is crypto/rand's.
func privateValue(random io.Reader) (*big.Int, error) {
	var b [privateBytes]byte
	if err := read(random, b[:]); err != nil {
		return nil, err
	}
	n := new(big.Int).SetBytes(b[:])
	if n.Sign() == 0 {
		return nil, &ParameterError{"the private value", "is 0: the random source is broken"}
	}
	return n, nil
}

func read(random io.Reader, b []byte) error {
	if random == nil {
		random = rand.Reader
	}
	if _, err := io.ReadFull(random, b); err != nil {
		return fmt.Errorf("srp: reading randomness: %w", err)
	}
	return nil
}
