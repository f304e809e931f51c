package devidp

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

// rsaBits is the length of new keys, as Cognito's.
const rsaBits = 2048

// maxOldPairs bounds the key set when keys are rotated over and over.
const maxOldPairs = 4

// keyPair is what a pool signs with at one time: ID and access tokens are signed by different keys.
type keyPair struct {
	id, access *jws.Signer
	// until is when an old pair leaves the key set; zero for the current one.
	until time.Time
}

// keyRing is the current pair and the old ones whose tokens may still be about, newest first.
type keyRing []keyPair

// published returns the pairs that the key set shows at a time.
func (r keyRing) published(now time.Time) keyRing {
	var shown keyRing
	for _, pair := range r {
		if pair.until.IsZero() || pair.until.After(now) {
			shown = append(shown, pair)
		}
	}
	return shown
}

// openKeys takes the configured keys, else those of the File, else new ones.
func (p *Provider) openKeys() (err error) {
	if p.cfg.IDKey == nil {
		if len(p.keys) == 0 {
			p.keys, err = p.newPair()
		}
		return err
	}
	id, err := p.newSigner(p.cfg.IDKey)
	if err != nil {
		return fmt.Errorf("devidp: Config.IDKey: %w", err)
	}
	access, err := p.newSigner(p.cfg.AccessKey)
	if err != nil {
		return fmt.Errorf("devidp: Config.AccessKey: %w", err)
	}
	if id.Key().Thumbprint() == access.Key().Thumbprint() {
		return errors.New("devidp: Config.IDKey and Config.AccessKey must differ, as Cognito's do")
	}
	p.keys = keyRing{{id: id, access: access}}
	return nil
}

func (p *Provider) newPair() (keyRing, error) {
	var signers [2]*jws.Signer
	for i := range signers {
		key, err := rsa.GenerateKey(rand.Reader, rsaBits)
		if err != nil {
			return nil, fmt.Errorf("devidp: making a key: %w", err)
		}
		if signers[i], err = p.newSigner(key); err != nil {
			return nil, err
		}
	}
	return keyRing{{id: signers[0], access: signers[1]}}, nil
}

// newSigner gives a key a kid like Cognito's: 32 random bytes in padded base64.
func (p *Provider) newSigner(key crypto.Signer) (*jws.Signer, error) {
	if _, ok := key.Public().(*rsa.PublicKey); !ok {
		return nil, errors.New("devidp: the key is no RSA key")
	}
	var kid [32]byte
	if _, err := io.ReadFull(p.cfg.Rand, kid[:]); err != nil {
		return nil, fmt.Errorf("devidp: reading randomness: %w", err)
	}
	return jws.NewSigner(base64.StdEncoding.EncodeToString(kid[:]), key)
}

// RotateKeys makes two new keys and signs with them from now on. The old ones stay in the key set until their last
// token has expired; with drop they leave it at once, as after a compromise, and their tokens are refused.
func (p *Provider) RotateKeys(drop bool) error {
	fresh, err := p.newPair()
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !drop {
		old := p.keys.published(p.cfg.Now())
		old = old[:min(len(old), maxOldPairs)]
		old[0].until = p.now().Add(p.cfg.TokenLifetime + time.Second)
		fresh = append(fresh, old...)
	}
	p.keys = fresh
	return p.save()
}

// JWKS returns the pool's JWK Set: the two current keys and those that are still needed for older tokens.
func (p *Provider) JWKS() ([]byte, error) {
	p.mu.Lock()
	shown := p.keys.published(p.cfg.Now())
	p.mu.Unlock()
	var public []*jws.Key
	for _, pair := range shown {
		public = append(public, pair.id.Key(), pair.access.Key())
	}
	return jws.MarshalJWKSet(public...)
}

func (p *Provider) keyIDs() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var kids []string
	for _, pair := range p.keys.published(p.cfg.Now()) {
		kids = append(kids, pair.id.Key().ID(), pair.access.Key().ID())
	}
	return kids
}

// accessKeys are the keys that may have signed an access token.
type accessKeys struct{ provider *Provider }

// Keys returns the access key with the token's kid.
func (a accessKeys) Keys(ctx context.Context, h jws.Header) ([]*jws.Key, error) {
	a.provider.mu.Lock()
	defer a.provider.mu.Unlock()
	var known jws.StaticKeys
	for _, pair := range a.provider.keys.published(a.provider.cfg.Now()) {
		known = append(known, pair.access.Key())
	}
	return known.Keys(ctx, h)
}

// discovery returns the pool's openid-configuration. There is no hosted UI: the endpoints of authorization are named,
// as in a pool without a domain, and not served.
func (p *Provider) discovery() ([]byte, error) {
	issuer := p.Issuer()
	return json.Marshal(struct {
		Authorization string   `json:"authorization_endpoint"`
		Algorithms    []string `json:"id_token_signing_alg_values_supported"`
		Issuer        string   `json:"issuer"`
		JWKS          string   `json:"jwks_uri"`
		ResponseTypes []string `json:"response_types_supported"`
		Scopes        []string `json:"scopes_supported"`
		SubjectTypes  []string `json:"subject_types_supported"`
		Token         string   `json:"token_endpoint"`
		TokenAuth     []string `json:"token_endpoint_auth_methods_supported"`
		UserInfo      string   `json:"userinfo_endpoint"`
	}{
		Authorization: p.cfg.Endpoint + "/oauth2/authorize",
		Algorithms:    []string{"RS256"},
		Issuer:        issuer,
		JWKS:          issuer + "/.well-known/jwks.json",
		ResponseTypes: []string{"code", "token", "token id_token"},
		Scopes:        []string{"openid", "email", "phone", "profile"},
		SubjectTypes:  []string{"public"},
		Token:         p.cfg.Endpoint + "/oauth2/token",
		TokenAuth:     []string{"client_secret_basic", "client_secret_post"},
		UserInfo:      p.cfg.Endpoint + "/oauth2/userInfo",
	})
}
