package devidp

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/internal/uuid"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/srp"
)

// maxNameBytes is Cognito's longest user name, 128 characters, in the longest spelling.
const maxNameBytes = 128 * 4

// Provider is one user pool and its API. It is an http.Handler and safe for concurrent use.
type Provider struct {
	cfg      Config
	poolName string
	clients  map[string]Client
	access   *jws.Verifier
	seal     *sealer

	mu       sync.Mutex
	state    state
	keys     keyRing
	codes    map[codeKey]Code
	attempts attempts
}

// New returns a provider. It is meant for loopback only and refuses requests from anywhere else; see the package
// comment. The error names the field of cfg that is missing or wrong, or is about the File.
func New(cfg Config) (*Provider, error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	poolName, err := srp.PoolName(cfg.UserPoolID)
	if err != nil {
		return nil, err
	}
	p := &Provider{
		cfg:      cfg,
		poolName: poolName,
		clients:  make(map[string]Client),
		codes:    make(map[codeKey]Code),
		attempts: make(attempts),
	}
	for _, c := range cfg.Clients {
		p.clients[c.ID] = c
	}
	if err := p.open(); err != nil {
		return nil, err
	}
	if p.seal, err = newSealer(p.state.secret); err != nil {
		return nil, err
	}
	p.access, err = p.newAccessVerifier()
	return p, err
}

// open reads the File or starts afresh, then adds the seeded users.
func (p *Provider) open() error {
	found, err := p.load()
	if err != nil {
		return err
	}
	if !found {
		if p.state, err = newState(p.cfg.Rand); err != nil {
			return err
		}
	}
	if err := p.openKeys(); err != nil {
		return err
	}
	for _, u := range p.cfg.Users {
		if err := p.seed(u); err != nil {
			return fmt.Errorf("devidp: Config.Users: %q: %w", u.Username, err)
		}
	}
	return p.save()
}

// seed adds a configured user who is not there yet.
func (p *Provider) seed(u User) error {
	in := signUpInput{Username: u.Username, Password: u.Password}
	for name, value := range u.Attributes {
		in.UserAttributes = append(in.UserAttributes, attribute{name, value})
	}
	if u.Email != "" {
		in.UserAttributes = append(in.UserAttributes, attribute{"email", u.Email})
	}
	if p.state.byName(p.cfg.SignIn, u.Username) != nil {
		return nil
	}
	made, err := p.newUser(&in)
	if err != nil {
		return err
	}
	made.Confirmed, made.ResetRequired, made.Groups = true, u.ResetRequired, slices.Clone(u.Groups)
	if made.Attributes["email"] != "" {
		made.Attributes["email_verified"] = "true"
	}
	if len(p.state.users) >= p.cfg.MaxUsers {
		return fmt.Errorf("there are more users than Config.MaxUsers (%d)", p.cfg.MaxUsers)
	}
	if owner := p.state.emailOwner(made.Attributes["email"]); owner != nil && p.cfg.SignIn != ByUsername {
		return errors.New("the e-mail address belongs to another user")
	}
	p.state.users[made.Sub] = made
	return nil
}

// Issuer returns the iss of the provider's tokens: Endpoint/UserPoolID.
func (p *Provider) Issuer() string { return p.cfg.Endpoint + "/" + p.cfg.UserPoolID }

// account is who a name stands for in a sign-in: a user, or nobody, made to look like one.
type account struct {
	userID   string // USER_ID_FOR_SRP
	alias    bool   // userID is a sub, because the user typed an e-mail address
	verifier srp.Verifier
	user     *user // nil for nobody
}

// account finds the account for a typed name. The caller holds the lock.
func (p *Provider) account(name string) (account, error) {
	if len(name) > maxNameBytes {
		return account{}, invalidParameter("1 validation error detected: Value at 'username' failed to satisfy constraint: " +
			"Member must have length less than or equal to 128")
	}
	u := p.state.byName(p.cfg.SignIn, name)
	alias := p.cfg.SignIn != ByUsername && isEmail(name)
	userID := name
	if alias {
		userID = p.simulatedSub(foldEmail(name))
		if u != nil {
			userID = u.Sub
		}
	}
	return p.resolve(userID, alias, u)
}

// accountOf finds the account again that a challenge was made for.
func (p *Provider) accountOf(c challenge) (account, error) {
	u := p.state.users[c.UserID]
	if !c.Alias {
		u = p.state.byName(ByUsername, c.UserID)
	}
	return p.resolve(c.UserID, c.Alias, u)
}

// resolve completes an account. The simulated verifier is made for users, too, so that both cost the same.
func (p *Provider) resolve(userID string, alias bool, u *user) (account, error) {
	v, err := srp.SimulatedVerifier(p.state.secret, p.poolName, userID)
	if err != nil {
		return account{}, fmt.Errorf("devidp: %w", err)
	}
	switch {
	case u != nil && alias:
		v = u.BySub
	case u != nil:
		v = u.ByName
	}
	return account{userID: userID, alias: alias, verifier: v, user: u}, nil
}

// key is what failed attempts are counted under: all names of a user count as one.
func (a account) key() string {
	if a.user != nil {
		return a.user.Sub
	}
	return "?" + a.userID
}

// simulatedSub gives an unknown e-mail address a UUID, always the same.
func (p *Provider) simulatedSub(email string) string {
	sum := sha256.Sum256(append([]byte("simulated sub\x00"+email+"\x00"), p.state.secret...))
	return uuidV4([16]byte(sum[:16]))
}

func (p *Provider) newUUID() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(p.cfg.Rand, b[:]); err != nil {
		return "", fmt.Errorf("devidp: reading randomness: %w", err)
	}
	return uuidV4(b), nil
}

// uuidV4 spells 16 random bytes as a UUID version 4 (RFC 9562 section 5.4), as Cognito's subs are.
func uuidV4(b [16]byte) string {
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return uuid.String(b)
}

// newOpaque returns 32 random bytes in base64url.
func (p *Provider) newOpaque() (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(p.cfg.Rand, b[:]); err != nil {
		return "", fmt.Errorf("devidp: reading randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// now is the time in whole seconds, as tokens have it.
func (p *Provider) now() time.Time { return p.cfg.Now().UTC().Truncate(time.Second) }

// Codes returns the codes that are waiting for a user, in no order. The user is named as at sign-up.
func (p *Provider) Codes(username string) []Code {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.state.byName(p.cfg.SignIn, username)
	codes := []Code{}
	for code := range maps.Values(p.codes) {
		if u != nil && code.sub == u.Sub && code.Expires.After(p.cfg.Now()) {
			codes = append(codes, code)
		}
	}
	return codes
}
