package edge

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

const (
	defaultSecretHeader = "X-CloudFront-Secret"
	minOriginSecret     = 32
	maxOriginSecrets    = 4
)

// originSecret is an OriginSecret that was checked. It holds digests, which have one length for all.
type originSecret struct {
	header  string
	digests [][32]byte
}

func newOriginSecret(c OriginSecret) (originSecret, error) {
	s := originSecret{header: http.CanonicalHeaderKey(cmp.Or(c.Header, defaultSecretHeader))}
	if len(c.Values) > maxOriginSecrets {
		return s, fmt.Errorf("edge: OriginSecret.Values: %d values, at most %d: remove those that were rotated out", len(c.Values), maxOriginSecrets)
	}
	if strings.ContainsFunc(s.header, isOdd) || hopByHop[s.header] {
		return s, errors.New("edge: OriginSecret.Header: must be a header of letters, digits and dashes that is not part of HTTP itself")
	}
	for i, value := range c.Values {
		if err := checkOriginSecret(value); err != nil {
			return s, fmt.Errorf("edge: OriginSecret.Values[%d]: %v", i, err)
		}
		s.digests = append(s.digests, sha256.Sum256([]byte(value)))
	}
	return s, nil
}

// checkOriginSecret refuses what can be guessed: too short a text, one with hardly any different characters, a placeholder.
func checkOriginSecret(value string) error {
	if len(value) < minOriginSecret {
		return fmt.Errorf("it has %d bytes: set at least %d random ones", len(value), minOriginSecret)
	}
	var seen [256]bool
	distinct := 0
	for i := range len(value) {
		if c := value[i]; !seen[c] {
			seen[c] = true
			distinct++
		}
	}
	lower := strings.ToLower(value)
	for _, word := range []string{"changeme", "change-me", "change_me", "placeholder", "your-secret", "your_secret", "example", "default"} {
		if strings.Contains(lower, word) {
			return errors.New("it is a placeholder: set 32 random bytes")
		}
	}
	if distinct < 8 {
		return fmt.Errorf("it has %d different characters: set 32 random bytes", distinct)
	}
	return nil
}

// holds says whether a request may pass. All values are compared, so that the time says nothing about which is right.
func (s *originSecret) holds(r *http.Request) bool {
	if len(s.digests) == 0 {
		return true
	}
	values := r.Header[s.header]
	if len(values) != 1 {
		return false
	}
	sent := sha256.Sum256([]byte(values[0]))
	found := 0
	for i := range s.digests {
		found |= subtle.ConstantTimeCompare(s.digests[i][:], sent[:])
	}
	return found == 1
}
