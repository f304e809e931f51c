package devidp

import (
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/sallyport-auth/sallyport/srp"
)

// The refusals of every failed sign-in: nothing tells an unknown user from a wrong password.
var (
	errWrongPassword = refuse("NotAuthorized", "Incorrect username or password.")
	errLockedOut     = refuse("NotAuthorized", "Password attempts exceeded")
)

type initiateAuthInput struct {
	AuthFlow       string
	ClientID       string `json:"ClientId"`
	AuthParameters map[string]string
}

// authOutput is the answer of InitiateAuth and RespondToAuthChallenge.
type authOutput struct {
	ChallengeName        string `json:",omitempty"`
	ChallengeParameters  map[string]string
	AuthenticationResult *authenticationResult `json:",omitempty"`
}

func (p *Provider) initiateAuth(in *initiateAuthInput) (*authOutput, error) {
	client, err := p.client(in.ClientID)
	if err != nil {
		return nil, err
	}
	switch in.AuthFlow {
	case "":
		return nil, missing("authFlow")
	case "USER_SRP_AUTH":
		return p.startSRP(client, in.AuthParameters)
	case "USER_PASSWORD_AUTH":
		return p.passwordAuth(client, in.AuthParameters)
	case "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN":
		return p.refreshAuth(client, in.AuthParameters)
	}
	return nil, invalidParameter("Initiate Auth method not supported.")
}

// client returns the app client of a call.
func (p *Provider) client(id string) (Client, error) {
	if id == "" {
		return Client{}, missing("clientId")
	}
	client, ok := p.clients[id]
	if !ok {
		return client, refuse("ResourceNotFound", "User pool client "+printable(id)+" does not exist.")
	}
	return client, nil
}

// printable lets a client id into a message only if it could be one.
func printable(id string) string {
	if clientForm.MatchString(id) {
		return id
	}
	return "of that name"
}

// checkSecretHash demands SECRET_HASH of a client with a secret, over any of the names that the user may go by.
func checkSecretHash(client Client, hash string, names ...string) error {
	if client.Secret == "" {
		if hash != "" {
			return refuse("NotAuthorized", "Client "+client.ID+" is not configured for secret but secret hash was received")
		}
		return nil
	}
	if hash == "" {
		return refuse("NotAuthorized", "Client "+client.ID+" is configured with secret but SECRET_HASH was not received")
	}
	for _, name := range names {
		want := srp.SecretHash(client.Secret, name, client.ID)
		if subtle.ConstantTimeCompare([]byte(want), []byte(hash)) == 1 {
			return nil
		}
	}
	return refuse("NotAuthorized", "Unable to verify secret hash for client "+client.ID)
}

// startSRP answers with the challenge PASSWORD_VERIFIER, for whatever name. There is no Session in it, as in Cognito.
func (p *Provider) startSRP(client Client, parameters map[string]string) (*authOutput, error) {
	if err := require(parameters, "USERNAME", "SRP_A"); err != nil {
		return nil, err
	}
	if err := checkSecretHash(client, parameters["SECRET_HASH"], parameters["USERNAME"]); err != nil {
		return nil, err
	}
	who, err := p.unlocked(parameters["USERNAME"])
	if err != nil {
		return nil, err
	}
	srpB, key, err := srp.Answer(p.cfg.Rand, who.verifier, parameters["SRP_A"])
	if err != nil {
		return nil, asInvalid(err)
	}
	block, err := p.seal.seal(challenge{
		Key:      key,
		UserID:   who.userID,
		Alias:    who.alias,
		ClientID: client.ID,
		Salt:     who.verifier.SaltHex(),
		Expires:  p.cfg.Now().Add(challengeLifetime),
	})
	if err != nil {
		return nil, err
	}
	ch := srp.Challenge{
		Salt: who.verifier.SaltHex(), B: srpB, SecretBlock: block, Username: who.userID, UserID: who.userID,
	}
	return &authOutput{ChallengeName: "PASSWORD_VERIFIER", ChallengeParameters: ch.Parameters()}, nil
}

// unlocked returns the account for a typed name unless it is locked out.
func (p *Provider) unlocked(name string) (account, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, err := p.account(name)
	if err == nil && p.attempts.locked(who.key(), p.cfg.Now()) {
		err = errLockedOut
	}
	return who, err
}

type respondInput struct {
	ChallengeName      string
	ClientID           string `json:"ClientId"`
	ChallengeResponses map[string]string
}

func (p *Provider) respondToAuthChallenge(in *respondInput) (*authOutput, error) {
	client, err := p.client(in.ClientID)
	if err != nil {
		return nil, err
	}
	if in.ChallengeName == "" {
		return nil, missing("challengeName")
	}
	if in.ChallengeName != "PASSWORD_VERIFIER" {
		return nil, invalidParameter("The challenge is not one that this user pool gives.")
	}
	response, err := parseResponse(in.ChallengeResponses)
	if err != nil {
		return nil, err
	}
	if err := checkSecretHash(client, in.ChallengeResponses["SECRET_HASH"], response.UserID); err != nil {
		return nil, err
	}
	opened, err := p.seal.open(response.SecretBlock, p.cfg.Now())
	switch {
	case errors.Is(err, errTooManyUsed):
		return nil, refuse("TooManyRequests", "Too many requests")
	case err != nil, opened.ClientID != client.ID, opened.UserID != response.UserID:
		return nil, errWrongPassword
	}
	return p.judge(opened, response)
}

func parseResponse(responses map[string]string) (srp.Response, error) {
	for _, name := range []string{"USERNAME", "PASSWORD_CLAIM_SECRET_BLOCK", "TIMESTAMP", "PASSWORD_CLAIM_SIGNATURE"} {
		if responses[name] == "" {
			return srp.Response{}, invalidParameter("Missing required parameter " + name)
		}
	}
	if _, err := srp.ParseTimestamp(responses["TIMESTAMP"]); err != nil {
		return srp.Response{}, invalidParameter("TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.")
	}
	response, err := srp.ParseResponse(responses)
	if err != nil {
		return response, errWrongPassword
	}
	return response, nil
}

// judge checks the proof. Lock-out, proof and count are one step under the lock, so that parallel guesses count.
func (p *Provider) judge(opened challenge, response srp.Response) (*authOutput, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, err := p.accountOf(opened)
	if err != nil {
		return nil, err
	}
	proof := opened.Key.Check(p.poolName, opened.UserID, response)
	return p.finish(who, opened.ClientID, proof == nil && opened.Salt == who.verifier.SaltHex())
}

// finish ends a sign-in whose password was right or not. The caller holds the lock.
func (p *Provider) finish(who account, clientID string, right bool) (*authOutput, error) {
	if err := p.count(who, right && who.user != nil, errWrongPassword, errLockedOut); err != nil {
		return nil, err
	}
	switch {
	case !who.user.Confirmed:
		return nil, refuse("UserNotConfirmed", "User is not confirmed.")
	case who.user.ResetRequired:
		return nil, refuse("PasswordResetRequired", "Password reset required for the user")
	}
	result, err := p.startSession(who.user, clientID)
	if err != nil {
		return nil, err
	}
	return &authOutput{ChallengeParameters: map[string]string{}, AuthenticationResult: result}, nil
}

// count keeps the lock-out's books for one attempt at an account's password. The caller holds the lock.
func (p *Provider) count(who account, right bool, wrong, lockedOut error) error {
	switch {
	case p.attempts.locked(who.key(), p.cfg.Now()):
		return lockedOut
	case !right:
		p.attempts.fail(who.key(), p.cfg.Now())
		return wrong
	}
	p.attempts.succeed(who.key())
	return nil
}

// passwordAuth is the flow in which the client sends the password.
func (p *Provider) passwordAuth(client Client, parameters map[string]string) (*authOutput, error) {
	if !p.cfg.UserPasswordAuth {
		return nil, invalidParameter("USER_PASSWORD_AUTH flow not enabled for this client")
	}
	if err := require(parameters, "USERNAME", "PASSWORD"); err != nil {
		return nil, err
	}
	if err := checkSecretHash(client, parameters["SECRET_HASH"], parameters["USERNAME"]); err != nil {
		return nil, err
	}
	who, err := p.unlocked(parameters["USERNAME"])
	if err != nil {
		return nil, err
	}
	right := who.verifier.Matches(p.credentials(who.userID, parameters["PASSWORD"]))
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.finish(who, client.ID, right)
}

func (p *Provider) credentials(userID, password string) srp.Credentials {
	return srp.Credentials{PoolName: p.poolName, UserID: userID, Password: password}
}

func require(parameters map[string]string, names ...string) error {
	for _, name := range names {
		if parameters[name] == "" {
			return invalidParameter("Missing required parameter " + name)
		}
	}
	return nil
}

// asInvalid turns a refusal of srp into Cognito's; anything else is internal.
func asInvalid(err error) error {
	var parameter *srp.ParameterError
	if errors.As(err, &parameter) {
		return invalidParameter(fmt.Sprintf("%s is not a valid value", parameter.Parameter))
	}
	return err
}
