package session

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

// A ticket is ticketPrefix and the unpadded base64url of 32 random bytes. The store knows the ticket's SHA-256 and the
// token sealed under a key that is derived from the ticket: who reads the store can redeem nothing.
const (
	ticketPrefix = "spt_"
	ticketBytes  = 32
	ticketLabel  = "sallyport ticket 1"
)

const (
	defaultTicketTTL = 30 * time.Second
	maxTicketTTL     = 5 * time.Minute
)

// Binding is what a ticket is tied to. What is empty when the ticket is issued is not checked when it is redeemed; what
// is set must be the same, byte for byte.
type Binding struct {
	// Origin is the web origin (RFC 6454) of the page that asked.
	Origin string `json:"origin,omitempty"`
	// Address is the client's IP address. Players on mobile networks change theirs; leave it empty if in doubt.
	Address string `json:"address,omitempty"`
	// Audience is the backend or route that the ticket opens.
	Audience string `json:"audience,omitempty"`
}

// TicketConfig configures a [TicketOffice].
type TicketConfig struct {
	// Store keeps the tickets. Required.
	Store Tickets
	// Verifier verifies the session token when the ticket is issued, and again when it is redeemed: a session that was
	// revoked in between is refused. Required; a [*Verifier].
	Verifier interface {
		Verify(ctx context.Context, token string) (*Session, error)
	}
	// TTL is how long a ticket can be redeemed. It never outlives its token. Default 30 s, from 1 s to 5 min.
	TTL time.Duration
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
	// Rand is the source of tickets; nil is [rand.Reader].
	Rand io.Reader
}

// TicketOffice exchanges a session token for a ticket, a short single-use stand-in where the token would be seen by
// others (the URL of a WebSocket) or does not fit (a UDP packet), and the ticket for the token again. It is safe for concurrent
// use.
type TicketOffice struct{ config TicketConfig }

// ticketBody is what is sealed.
type ticketBody struct {
	Token   string  `json:"token"`
	Expires int64   `json:"expires"` // Unix milliseconds
	Binding Binding `json:"binding"`
}

// NewTicketOffice makes a ticket office. It returns an error that names the field that is missing or out of bounds.
func NewTicketOffice(config TicketConfig) (*TicketOffice, error) {
	switch {
	case config.Store == nil:
		return nil, errors.New("session: TicketConfig.Store is missing: set a store, such as NewMemoryStore()")
	case config.Verifier == nil:
		return nil, errors.New("session: TicketConfig.Verifier is missing: set what verifies session tokens")
	}
	config.TTL = cmp.Or(config.TTL, defaultTicketTTL)
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	if err := checkDuration("TicketConfig.TTL", config.TTL, time.Second, maxTicketTTL); err != nil {
		return nil, err
	}
	return &TicketOffice{config}, nil
}

// Issue verifies a session token and returns a ticket for it and when the ticket expires (UTC). It refuses as the verifier
// does, and with Unavailable if the store cannot be had.
func (o *TicketOffice) Issue(ctx context.Context, token string, b Binding) (string, time.Time, error) {
	s, err := o.config.Verifier.Verify(ctx, token)
	if err != nil {
		return "", time.Time{}, err
	}
	expires := o.config.Now().Add(o.config.TTL).UTC()
	if s.Expiry.Before(expires) {
		expires = s.Expiry
	}
	secret := make([]byte, ticketBytes)
	if _, err := io.ReadFull(o.config.Rand, secret); err != nil {
		return "", time.Time{}, unavailable(err)
	}
	ticket := ticketPrefix + base64.RawURLEncoding.EncodeToString(secret)
	sealed, err := sealTicket(secret, ticketBody{token, expires.UnixMilli(), b})
	if err != nil {
		return "", time.Time{}, unavailable(err)
	}
	if err := o.config.Store.Put(ctx, sha256.Sum256([]byte(ticket)), sealed, expires); err != nil {
		return "", time.Time{}, unavailable(err)
	}
	return ticket, expires, nil
}

// Redeem uses a ticket up and returns the session and the token that it stands for. The ticket is used up even where it
// is then refused. It refuses with Malformed, Replayed (used before, expired or never issued: the store cannot tell),
// Expired, WrongAudience or WrongClaim for the binding, Unavailable, and as the verifier does, with Revoked and
// Banned among them.
func (o *TicketOffice) Redeem(ctx context.Context, ticket string, b Binding) (*Session, string, error) {
	text, ok := strings.CutPrefix(ticket, ticketPrefix)
	secret, err := decodeExact(text, ticketBytes)
	if !ok || err != nil {
		return nil, "", &jws.Refusal{Check: jws.CheckFormat, Reason: jws.Malformed, Want: "a ticket of this service"}
	}
	sealed, err := o.config.Store.Take(ctx, sha256.Sum256([]byte(ticket)))
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, "", &jws.Refusal{Check: jws.CheckRevocation, Reason: jws.Replayed, Want: "a new ticket: this one was used, has expired or was never issued"}
	case err != nil:
		return nil, "", unavailable(err)
	}
	body, err := openTicket(secret, sealed)
	if err != nil {
		return nil, "", &jws.Refusal{Check: jws.CheckSignature, Reason: jws.BadSignature, Want: "a new ticket: what the store has for this one was not sealed under it"}
	}
	if err := body.check(b, o.config.Now()); err != nil {
		return nil, "", err
	}
	s, err := o.config.Verifier.Verify(ctx, body.Token)
	if err != nil {
		return nil, "", err
	}
	return s, body.Token, nil
}

func (t ticketBody) check(shown Binding, now time.Time) error {
	switch {
	case now.UnixMilli() >= t.Expires:
		return &jws.Refusal{Check: jws.CheckTime, Reason: jws.Expired, Want: "a ticket that has not expired", Verified: true}
	case !bound(t.Binding.Audience, shown.Audience):
		return &jws.Refusal{Check: jws.CheckIssuer, Reason: jws.WrongAudience, Claim: "audience", Want: "the audience that the ticket was issued for", Verified: true}
	case !bound(t.Binding.Origin, shown.Origin):
		return &jws.Refusal{Check: jws.CheckPolicy, Reason: jws.WrongClaim, Claim: "origin", Want: "the origin that the ticket was issued to", Verified: true}
	case !bound(t.Binding.Address, shown.Address):
		return &jws.Refusal{Check: jws.CheckPolicy, Reason: jws.WrongClaim, Claim: "address", Want: "the address that the ticket was issued to", Verified: true}
	}
	return nil
}

func bound(issued, shown string) bool {
	return issued == "" || subtle.ConstantTimeCompare([]byte(issued), []byte(shown)) == 1
}

// sealTicket seals what a ticket stands for under the ticket.
func sealTicket(secret []byte, body ticketBody) ([]byte, error) {
	plain, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	aead, err := ticketCipher(secret)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, plain, nil), nil
}

func openTicket(secret, sealed []byte) (body ticketBody, err error) {
	aead, err := ticketCipher(secret)
	if err != nil {
		return body, err
	}
	plain, err := aead.Open(nil, nil, sealed, nil)
	if err != nil {
		return body, err
	}
	return body, json.Unmarshal(plain, &body)
}

func ticketCipher(secret []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, ticketLabel, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
