package srp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Refusals of a user pool, to be tested with errors.Is. Cognito's own texts are not passed on.
var (
	// ErrNotAuthorized stands for NotAuthorizedException: a wrong user name or password, a locked-out user, or an app
	// client secret that is missing or wrong.
	ErrNotAuthorized = errors.New("srp: the user pool refused: wrong user name or password, or too many attempts")
	// ErrUserNotFound stands for UserNotFoundException, which only app clients with legacy error responses give.
	ErrUserNotFound = errors.New("srp: the user pool refused: no such user")
	// ErrUserNotConfirmed stands for UserNotConfirmedException: the user has signed up and not confirmed it yet.
	ErrUserNotConfirmed = errors.New("srp: the user pool refused: the user is not confirmed; confirm the sign-up first")
	// ErrPasswordResetRequired stands for PasswordResetRequiredException.
	ErrPasswordResetRequired = errors.New("srp: the user pool refused: the user must reset the password first")
)

// APIError is any other refusal of the user pool.
type APIError struct {
	// Operation is Cognito's operation, such as InitiateAuth.
	Operation string
	// Code is Cognito's exception, such as ResourceNotFoundException (no such app client), or "" if the answer named none.
	Code string
	// Status is the HTTP status.
	Status int
}

// Error names the operation, the exception and the status; it holds nothing else of the answer.
func (e *APIError) Error() string {
	return fmt.Sprintf("srp: %s: the user pool answered %d %s", e.Operation, e.Status, e.Code)
}

// ChallengeError says that the user pool asks for something besides the password that [Login] cannot give, such as a
// one-time code.
type ChallengeError struct {
	// Challenge is Cognito's ChallengeName, such as SOFTWARE_TOKEN_MFA or NEW_PASSWORD_REQUIRED.
	Challenge string
}

// Error names the challenge.
func (e *ChallengeError) Error() string {
	return fmt.Sprintf("srp: the user pool asks for the challenge %q, which is not supported here", e.Challenge)
}

// LoginConfig says who signs in and where.
type LoginConfig struct {
	// UserPoolID is the pool's id, such as eu-central-1_Ab129faBb. Required.
	UserPoolID string
	// ClientID is the app client's id. Required. The client must allow ALLOW_USER_SRP_AUTH.
	ClientID string
	// ClientSecret is the app client's secret, "" if it has none.
	ClientSecret string
	// Username is the user's name or an alias of it, such as an e-mail address. Required.
	Username string
	// Password is the user's password. Required. It is not sent.
	Password string
	// Endpoint is the URL of the Cognito API. "" derives it from the pool's region:
	// https://cognito-idp.REGION.amazonaws.com. Plain http is taken for loopback addresses only.
	Endpoint string
	// HTTP is the client to use; nil is one with a timeout of 15 s. Redirects are never followed.
	HTTP *http.Client
	// Now gives the time that is sent as TIMESTAMP; nil is time.Now.
	Now func() time.Time
	// Rand is the source of the private value; nil is crypto/rand.
	Rand io.Reader
}

// Tokens are what a user pool gives after a sign-in. They are secret.
type Tokens struct {
	// IDToken and AccessToken are JSON Web Tokens; RefreshToken is opaque.
	IDToken, AccessToken, RefreshToken string
	// ExpiresIn is the lifetime of the ID and access token.
	ExpiresIn time.Duration
}

// Login signs a user in to a user pool with SRP (InitiateAuth with USER_SRP_AUTH, then RespondToAuthChallenge with
// PASSWORD_VERIFIER) and returns the tokens. Refusals are [ErrNotAuthorized], [ErrUserNotFound], [ErrUserNotConfirmed],
// [ErrPasswordResetRequired], *[ChallengeError] and *[APIError]; a configuration that cannot work and a malformed challenge
// give a *[ParameterError]. It makes two requests and repeats none.
func Login(ctx context.Context, cfg LoginConfig) (Tokens, error) {
	session, err := newLogin(cfg)
	if err != nil {
		return Tokens{}, err
	}
	first, err := session.initiate(ctx)
	if err != nil {
		return Tokens{}, err
	}
	last, err := session.prove(ctx, first)
	if err != nil {
		return Tokens{}, err
	}
	return last.tokens()
}

// login is one sign-in under way.
type login struct {
	cfg      LoginConfig
	poolName string
	srp      *Client
	api      caller
}

func newLogin(cfg LoginConfig) (*login, error) {
	poolName, err := PoolName(cfg.UserPoolID)
	if err != nil {
		return nil, err
	}
	for _, field := range []struct{ name, value string }{
		{"LoginConfig.ClientID", cfg.ClientID}, {"LoginConfig.Username", cfg.Username}, {"LoginConfig.Password", cfg.Password},
	} {
		if field.value == "" {
			return nil, &ParameterError{field.name, "is required"}
		}
	}
	endpoint, err := cfg.endpoint()
	if err != nil {
		return nil, err
	}
	client, err := NewClient(cfg.Rand)
	if err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &login{cfg: cfg, poolName: poolName, srp: client, api: newCaller(endpoint, cfg.HTTP)}, nil
}

func (l *login) initiate(ctx context.Context) (answer, error) {
	parameters := map[string]string{"USERNAME": l.cfg.Username, "SRP_A": l.srp.A()}
	l.addSecretHash(parameters, l.cfg.Username)
	return l.api.call(ctx, "InitiateAuth", authRequest{
		AuthFlow:       "USER_SRP_AUTH",
		ClientID:       l.cfg.ClientID,
		AuthParameters: parameters,
	})
}

func (l *login) prove(ctx context.Context, first answer) (answer, error) {
	if first.ChallengeName != "PASSWORD_VERIFIER" {
		return answer{}, &ChallengeError{safeName(first.ChallengeName)}
	}
	challenge, err := ParseChallenge(first.ChallengeParameters)
	if err != nil {
		return answer{}, err
	}
	response, err := l.srp.Respond(challenge, l.poolName, l.cfg.Password, l.cfg.Now())
	if err != nil {
		return answer{}, err
	}
	responses := response.Parameters()
	l.addSecretHash(responses, response.UserID)
	return l.api.call(ctx, "RespondToAuthChallenge", authRequest{
		ChallengeName:      first.ChallengeName,
		ClientID:           l.cfg.ClientID,
		ChallengeResponses: responses,
		Session:            first.Session,
	})
}

func (l *login) addSecretHash(parameters map[string]string, username string) {
	if l.cfg.ClientSecret != "" {
		parameters["SECRET_HASH"] = SecretHash(l.cfg.ClientSecret, username, l.cfg.ClientID)
	}
}

var regionForm = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$`)

// endpoint returns the URL to call: the configured one or the region's.
func (cfg LoginConfig) endpoint() (string, error) {
	if cfg.Endpoint == "" {
		return regionEndpoint(cfg.UserPoolID)
	}
	u, err := url.Parse(cfg.Endpoint)
	if err != nil || u.Host == "" || u.User != nil {
		return "", &ParameterError{"LoginConfig.Endpoint", "is not a URL"}
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return "", &ParameterError{"LoginConfig.Endpoint", "must be https; plain http is for loopback addresses only"}
	}
	return u.String(), nil
}

func regionEndpoint(userPoolID string) (string, error) {
	region, _, _ := strings.Cut(userPoolID, "_")
	if !regionForm.MatchString(region) {
		return "", &ParameterError{"the user pool id", "does not start with a region: set LoginConfig.Endpoint"}
	}
	domain := "amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		domain = "amazonaws.com.cn"
	}
	return "https://cognito-idp." + region + "." + domain + "/", nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
