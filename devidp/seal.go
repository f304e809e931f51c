package devidp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/srp"
)

const (
	// challengeLifetime is how long a challenge may be answered, as Cognito's default.
	challengeLifetime = 3 * time.Minute
	// maxUsedChallenges bounds the memory of challenges that were answered and have not expired yet.
	maxUsedChallenges = 10_000
)

// challenge is what a SECRET_BLOCK holds: all that the server must know to judge the answer. Nothing in it is longer for
// a known user than for an unknown one.
type challenge struct {
	Key      srp.Key   `json:"k"`
	UserID   string    `json:"u"`
	Alias    bool      `json:"a"`
	ClientID string    `json:"c"`
	Salt     string    `json:"s"` // a changed password has another one
	Expires  time.Time `json:"e"`
}

// sealer seals challenges, so that no server memory is needed until one is answered, and lets each be answered once.
type sealer struct {
	aead cipher.AEAD
	mu   sync.Mutex
	used map[string]time.Time // by nonce, until the challenge expires
}

var (
	errForeignBlock = errors.New("devidp: the secret block is not ours, expired or used")
	errTooManyUsed  = errors.New("devidp: too many challenges at once")
)

func newSealer(secret []byte) (*sealer, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "devidp secret block", 32)
	if err != nil {
		return nil, fmt.Errorf("devidp: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("devidp: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("devidp: %w", err)
	}
	return &sealer{aead: aead, used: make(map[string]time.Time)}, nil
}

// seal returns a SECRET_BLOCK. Its nonce is always of crypto/rand: an injected source may repeat itself.
func (s *sealer) seal(c challenge) (string, error) {
	plain, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("devidp: sealing a challenge: %w", err)
	}
	nonce := make([]byte, s.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", fmt.Errorf("devidp: reading randomness: %w", err)
	}
	return base64.StdEncoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, nil)), nil
}

// open returns the challenge of a SECRET_BLOCK, once.
func (s *sealer) open(block string, now time.Time) (challenge, error) {
	var c challenge
	sealed, err := base64.StdEncoding.DecodeString(block)
	if err != nil || len(sealed) < s.aead.NonceSize() {
		return c, errForeignBlock
	}
	nonce, sealed := sealed[:s.aead.NonceSize()], sealed[s.aead.NonceSize():]
	plain, err := s.aead.Open(nil, nonce, sealed, nil)
	if err != nil || json.Unmarshal(plain, &c) != nil || !now.Before(c.Expires) {
		return c, errForeignBlock
	}
	return c, s.use(string(nonce), c.Expires, now)
}

func (s *sealer) use(nonce string, expires, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, twice := s.used[nonce]; twice {
		return errForeignBlock
	}
	if len(s.used) >= maxUsedChallenges {
		s.forget(now)
	}
	if len(s.used) >= maxUsedChallenges {
		return errTooManyUsed
	}
	s.used[nonce] = expires
	return nil
}

func (s *sealer) forget(now time.Time) {
	for nonce, expires := range s.used {
		if !now.Before(expires) {
			delete(s.used, nonce)
		}
	}
}
