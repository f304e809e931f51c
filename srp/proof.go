package srp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// maxBlockBytes is the longest SECRET_BLOCK read, in base64 characters; Cognito's own have about 1,700.
const maxBlockBytes = 16 << 10

// ErrProof is what [Key.Check] returns for a proof that was made with another password, user, pool, block or time.
var ErrProof = errors.New("srp: the proof of the password does not match")

// Key is the session key K, 16 bytes that client and server share if the password was right. It is secret: anyone who
// has it can answer the challenge. It does not print itself.
type Key [keyBytes]byte

// String hides the key from logs.
func (Key) String() string { return "srp.Key(hidden)" }

// GoString hides the key from the verb %#v.
func (Key) GoString() string { return "srp.Key(hidden)" }

// Challenge is what a server sends as the ChallengeParameters of PASSWORD_VERIFIER.
type Challenge struct {
	// Salt and B are numbers in hexadecimal, without leading zeros.
	Salt, B string
	// SecretBlock is opaque to the client, which sends it back unchanged; standard base64.
	SecretBlock string
	// Username is the name the server knows, UserID the one it hashes (USER_ID_FOR_SRP). Cognito sends the same in both.
	Username, UserID string
}

// ParseChallenge reads the ChallengeParameters of PASSWORD_VERIFIER: SALT, SRP_B, SECRET_BLOCK, USER_ID_FOR_SRP and
// USERNAME. The error is a *[ParameterError] for the first that is missing or too long.
func ParseChallenge(parameters map[string]string) (Challenge, error) {
	ch := Challenge{
		Salt:        parameters["SALT"],
		B:           parameters["SRP_B"],
		SecretBlock: parameters["SECRET_BLOCK"],
		Username:    parameters["USERNAME"],
		UserID:      parameters["USER_ID_FOR_SRP"],
	}
	if _, err := parseHex("SALT", ch.Salt, maxSaltDigits); err != nil {
		return Challenge{}, err
	}
	if _, err := parsePublic("SRP_B", ch.B); err != nil {
		return Challenge{}, err
	}
	if _, err := decodeBlock("SECRET_BLOCK", ch.SecretBlock); err != nil {
		return Challenge{}, err
	}
	if ch.UserID == "" {
		return Challenge{}, &ParameterError{"USER_ID_FOR_SRP", "is missing or empty"}
	}
	return ch, nil
}

// Parameters returns the challenge as ChallengeParameters.
func (ch Challenge) Parameters() map[string]string {
	return map[string]string{
		"SALT":            ch.Salt,
		"SRP_B":           ch.B,
		"SECRET_BLOCK":    ch.SecretBlock,
		"USERNAME":        ch.Username,
		"USER_ID_FOR_SRP": ch.UserID,
	}
}

// Response is what a client sends as the ChallengeResponses of PASSWORD_VERIFIER.
type Response struct {
	// UserID is USER_ID_FOR_SRP of the challenge; it goes into the parameter USERNAME.
	UserID string
	// SecretBlock is SECRET_BLOCK of the challenge, unchanged.
	SecretBlock string
	// Timestamp is the client's time in the form of [Timestamp].
	Timestamp string
	// Signature is PASSWORD_CLAIM_SIGNATURE, standard base64 of an HMAC-SHA256.
	Signature string
}

// ParseResponse reads the ChallengeResponses of PASSWORD_VERIFIER: USERNAME, PASSWORD_CLAIM_SECRET_BLOCK, TIMESTAMP and
// PASSWORD_CLAIM_SIGNATURE. The error is a *[ParameterError] for the first that is missing or malformed.
func ParseResponse(responses map[string]string) (Response, error) {
	r := Response{
		UserID:      responses["USERNAME"],
		SecretBlock: responses["PASSWORD_CLAIM_SECRET_BLOCK"],
		Timestamp:   responses["TIMESTAMP"],
		Signature:   responses["PASSWORD_CLAIM_SIGNATURE"],
	}
	for _, name := range []string{"USERNAME", "PASSWORD_CLAIM_SECRET_BLOCK", "TIMESTAMP", "PASSWORD_CLAIM_SIGNATURE"} {
		if responses[name] == "" {
			return Response{}, &ParameterError{name, "is missing or empty"}
		}
	}
	if _, err := ParseTimestamp(r.Timestamp); err != nil {
		return Response{}, err
	}
	if _, err := decodeBlock("PASSWORD_CLAIM_SECRET_BLOCK", r.SecretBlock); err != nil {
		return Response{}, err
	}
	return r, nil
}

// Parameters returns the response as ChallengeResponses. An app client with a secret adds SECRET_HASH over UserID.
func (r Response) Parameters() map[string]string {
	return map[string]string{
		"USERNAME":                    r.UserID,
		"PASSWORD_CLAIM_SECRET_BLOCK": r.SecretBlock,
		"TIMESTAMP":                   r.Timestamp,
		"PASSWORD_CLAIM_SIGNATURE":    r.Signature,
	}
}

// Check judges a response on the server's side, in constant time. The server takes poolName and userID from its own
// records, never from the response. The error is [ErrProof], or a *[ParameterError] for a malformed response. Whether
// the SECRET_BLOCK is one of the server's own, fresh and unused is for the server to say.
func (k Key) Check(poolName, userID string, r Response) error {
	t, err := ParseTimestamp(r.Timestamp)
	if err != nil {
		return err
	}
	block, err := decodeBlock("PASSWORD_CLAIM_SECRET_BLOCK", r.SecretBlock)
	if err != nil {
		return err
	}
	got, err := base64.StdEncoding.Strict().DecodeString(r.Signature)
	if err != nil || len(r.Signature) > 64 {
		return ErrProof
	}
	if !hmac.Equal(got, k.sign(poolName, userID, block, Timestamp(t))) {
		return ErrProof
	}
	return nil
}

// sign returns the bytes of PASSWORD_CLAIM_SIGNATURE.
func (k Key) sign(poolName, userID string, block []byte, timestamp string) []byte {
	mac := hmac.New(sha256.New, k[:])
	io.WriteString(mac, poolName+userID)
	mac.Write(block)
	io.WriteString(mac, timestamp)
	return mac.Sum(nil)
}

func decodeBlock(parameter, text string) ([]byte, error) {
	switch {
	case text == "":
		return nil, &ParameterError{parameter, "is missing or empty"}
	case len(text) > maxBlockBytes:
		return nil, &ParameterError{parameter, fmt.Sprintf("has more than %d characters", maxBlockBytes)}
	}
	block, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, &ParameterError{parameter, "is not base64"}
	}
	return block, nil
}
