package srp

import (
	"encoding/base64"
	"io"
	"math/big"
	"time"
)

// Client is the client's half of one sign-in. It may be asked only once for a response: every sign-in needs a new one.
type Client struct {
	private, public *big.Int
}

// NewClient draws the private value a, 128 bytes from random; nil stands for crypto/rand. The error is that of random.
func NewClient(random io.Reader) (*Client, error) {
	a, err := privateValue(random)
	if err != nil {
		return nil, err
	}
	return &Client{private: a, public: new(big.Int).Exp(generator, a, prime)}, nil
}

// A returns the SRP_A parameter of InitiateAuth: lower-case hexadecimal without leading zeros.
func (c *Client) A() string { return c.public.Text(16) }

// Respond answers a challenge with the proof of the password. poolName comes from [PoolName]; now is the client's
// time, which is sent along in UTC. The error is a *[ParameterError] for a challenge that is malformed or would give the
// password away.
func (c *Client) Respond(ch Challenge, poolName, password string, now time.Time) (Response, error) {
	key, err := c.Key(Credentials{poolName, ch.UserID, password}, ch.Salt, ch.B)
	if err != nil {
		return Response{}, err
	}
	block, err := decodeBlock("SECRET_BLOCK", ch.SecretBlock)
	if err != nil {
		return Response{}, err
	}
	timestamp := Timestamp(now)
	signature := key.sign(poolName, ch.UserID, block, timestamp)
	return Response{
		UserID:      ch.UserID,
		SecretBlock: ch.SecretBlock,
		Timestamp:   timestamp,
		Signature:   base64.StdEncoding.EncodeToString(signature),
	}, nil
}

// Key returns the session key for the SALT and SRP_B of a challenge. Most callers want [Client.Respond].
func (c *Client) Key(cred Credentials, salt, srpB string) (Key, error) {
	s, err := parseHex("SALT", salt, maxSaltDigits)
	if err != nil {
		return Key{}, err
	}
	b, err := parsePublic("SRP_B", srpB)
	if err != nil {
		return Key{}, err
	}
	u, err := scrambler(c.public, b)
	if err != nil {
		return Key{}, err
	}
	return deriveKey(c.secret(b, u, cred.privateExponent(s)), u)
}

// secret returns S = (B - k·g^x)^(a + u·x) mod N.
func (c *Client) secret(b, u, x *big.Int) *big.Int {
	base := new(big.Int).Exp(generator, x, prime)
	base.Mul(base, multiplier).Sub(b, base).Mod(base, prime)
	exponent := new(big.Int).Mul(u, x)
	exponent.Add(exponent, c.private)
	return base.Exp(base, exponent, prime)
}
