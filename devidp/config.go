package devidp

import (
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"time"
)

// SignIn says by which names users sign up and sign in.
type SignIn string

const (
	// ByUsername is a pool whose users choose a user name; an e-mail address is only an attribute.
	ByUsername SignIn = ""
	// ByUsernameOrEmail is a pool with the alias attribute email: users choose a user name and may also sign in by their
	// e-mail address once it is verified.
	ByUsernameOrEmail SignIn = "username_or_email"
	// ByEmail is a pool with the username attribute email: users sign up and in by e-mail address, and their user name is
	// a UUID, the same as their sub.
	ByEmail SignIn = "email"
)

// Config is a user pool. Zero values are Cognito's defaults unless the field says otherwise.
type Config struct {
	// Endpoint is the URL at which the provider is reached, without a path: http://127.0.0.1:9229. The host must be a
	// loopback address or localhost. The issuer is Endpoint/UserPoolID. Required.
	Endpoint string
	// UserPoolID is the pool's id: a region or any word, an underscore, letters and digits, such as local_Arena. SRP hashes
	// the part after the underscore. Required.
	UserPoolID string
	// Clients are the app clients. At least one is required.
	Clients []Client
	// Users exist from the start, confirmed. With a File, users that it already has are left as they are.
	Users []User
	// SignIn says by which names users sign in. The default is ByUsername.
	SignIn SignIn
	// Policy is what new passwords must be like.
	Policy PasswordPolicy
	// AutoConfirm confirms new users at SignUp without a code, as a pre sign-up trigger may do.
	AutoConfirm bool
	// UserPasswordAuth allows the flow USER_PASSWORD_AUTH, in which the client sends the password. Off by default.
	UserPasswordAuth bool
	// TokenLifetime is that of ID and access tokens. 0 is 1 h; 5 min to 24 h.
	TokenLifetime time.Duration
	// RefreshLifetime is that of refresh tokens and so of a sign-in. 0 is 30 days; 1 h to 10 years.
	RefreshLifetime time.Duration
	// IDKey and AccessKey are the first RSA keys that sign ID tokens and access tokens, 2048 bits or more; they must
	// differ. nil means new ones, or those of the File. Give both or none.
	IDKey, AccessKey crypto.Signer
	// File is a JSON file that keeps users, sessions and keys, so that tokens survive a restart. It is written as a whole
	// after every change, with mode 0600. Of passwords it holds only SRP verifiers. "" keeps everything in memory.
	File string
	// MaxUsers bounds the users; further sign-ups are refused. 0 is 1,000.
	MaxUsers int
	// MaxSessions bounds the sign-ins that can be refreshed; the oldest ends for a new one. 0 is 10,000.
	MaxSessions int
	// OnCode is called with every code that Cognito would send by e-mail, before the answer that announces it. It must
	// not call the provider. nil means nobody is told; [Provider.Codes] lists them anyway.
	OnCode func(Code)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Rand is the source of keys, salts, codes and tokens; nil is crypto/rand.
	Rand io.Reader
}

// Client is an app client.
type Client struct {
	// ID is the client id. Required.
	ID string
	// Secret is the client secret; "" makes a public client, as games and browsers need. With a secret, calls must
	// carry SECRET_HASH.
	Secret string
	// Rotation replaces the refresh token at every GetTokensFromRefreshToken. As in Cognito, REFRESH_TOKEN_AUTH is then not
	// allowed.
	Rotation bool
	// RotationGrace is how long a replaced refresh token still works. 0 to 60 s.
	RotationGrace time.Duration
}

// User is a seeded user.
type User struct {
	// Username is the user's name; with ByEmail the e-mail address. Required.
	Username string
	// Password must satisfy the Policy. Required.
	Password string
	// Email is the e-mail address, verified from the start; "" is none.
	Email string
	// Groups become the claim cognito:groups.
	Groups []string
	// Attributes are further attributes, such as name or custom:rank.
	Attributes map[string]string
	// ResetRequired makes the user reset the password before the next sign-in (PasswordResetRequiredException).
	ResetRequired bool
}

// PasswordPolicy is what new passwords must be like. The zero value is Cognito's default: 8 characters with an upper-case
// letter, a lower-case letter, a digit and a symbol.
type PasswordPolicy struct {
	// MinLength is the least number of characters: 6 to 99, 0 is 8.
	MinLength int
	// WithoutUppercase, WithoutLowercase, WithoutNumber and WithoutSymbol each drop the demand for one kind.
	WithoutUppercase, WithoutLowercase, WithoutNumber, WithoutSymbol bool
}

var (
	poolForm   = regexp.MustCompile(`^[\w-]{1,30}_[0-9A-Za-z]{1,24}$`)
	clientForm = regexp.MustCompile(`^[\w+]{1,128}$`)
)

// check validates the configuration and fills in the defaults.
func (c Config) check() (Config, error) {
	if err := checkEndpoint(c.Endpoint); err != nil {
		return c, err
	}
	if !poolForm.MatchString(c.UserPoolID) {
		return c, errors.New("devidp: Config.UserPoolID must be like local_Arena: a word, an underscore, letters and digits")
	}
	if c.SignIn != ByUsername && c.SignIn != ByUsernameOrEmail && c.SignIn != ByEmail {
		return c, fmt.Errorf("devidp: Config.SignIn %q must be %q, %q or %q", c.SignIn, ByUsername, ByUsernameOrEmail, ByEmail)
	}
	if (c.IDKey == nil) != (c.AccessKey == nil) {
		return c, errors.New("devidp: Config.IDKey and Config.AccessKey must be given both or not at all")
	}
	if err := checkClients(c.Clients); err != nil {
		return c, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	return c, c.checkBounds()
}

func (c *Config) checkBounds() error {
	for _, d := range []struct {
		name               string
		value              *time.Duration
		least, most, usual time.Duration
	}{
		{"TokenLifetime", &c.TokenLifetime, 5 * time.Minute, 24 * time.Hour, time.Hour},
		{"RefreshLifetime", &c.RefreshLifetime, time.Hour, 10 * 365 * 24 * time.Hour, 30 * 24 * time.Hour},
	} {
		if *d.value == 0 {
			*d.value = d.usual
		}
		if *d.value < d.least || *d.value > d.most {
			return fmt.Errorf("devidp: Config.%s must be from %v to %v", d.name, d.least, d.most)
		}
	}
	for _, n := range []struct {
		name               string
		value              *int
		least, most, usual int
	}{
		{"MaxUsers", &c.MaxUsers, 1, 100_000, 1_000},
		{"MaxSessions", &c.MaxSessions, 1, 1_000_000, 10_000},
		{"Policy.MinLength", &c.Policy.MinLength, 6, 99, 8},
	} {
		if *n.value == 0 {
			*n.value = n.usual
		}
		if *n.value < n.least || *n.value > n.most {
			return fmt.Errorf("devidp: Config.%s must be from %d to %d", n.name, n.least, n.most)
		}
	}
	return nil
}

func checkEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || endpoint != u.Scheme+"://"+u.Host {
		return errors.New("devidp: Config.Endpoint must be like http://127.0.0.1:9229, without a path")
	}
	if !isLoopbackHost(u.Host) {
		return errors.New("devidp: Config.Endpoint must be on a loopback address: this provider mints tokens for anyone")
	}
	return nil
}

func checkClients(clients []Client) error {
	if len(clients) == 0 {
		return errors.New("devidp: Config.Clients is required: an app client with an ID at least")
	}
	seen := make(map[string]bool)
	for _, c := range clients {
		switch {
		case !clientForm.MatchString(c.ID):
			return fmt.Errorf("devidp: Config.Clients: the ID %q must have 1 to 128 letters, digits, _ or +", c.ID)
		case seen[c.ID]:
			return fmt.Errorf("devidp: Config.Clients: the ID %q is there twice", c.ID)
		case c.RotationGrace < 0 || c.RotationGrace > time.Minute:
			return fmt.Errorf("devidp: Config.Clients: RotationGrace of %q must be from 0 to 60 s", c.ID)
		case c.RotationGrace > 0 && !c.Rotation:
			return fmt.Errorf("devidp: Config.Clients: RotationGrace of %q needs Rotation", c.ID)
		}
		seen[c.ID] = true
	}
	return nil
}
