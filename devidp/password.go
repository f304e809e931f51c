package devidp

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPasswordBytes is Cognito's longest password, 256 characters, in the longest spelling.
const maxPasswordBytes = 256 * utf8.UTFMax

// symbols are the characters that Cognito counts as special ones.
const symbols = "^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= "

// check judges a new password.
func (policy PasswordPolicy) check(password string) error {
	if password == "" {
		return missing("password")
	}
	if len(password) > maxPasswordBytes || !utf8.ValidString(password) {
		return invalidParameter("1 validation error detected: Value at 'password' failed to satisfy constraint: " +
			"Member must have length less than or equal to 256")
	}
	for _, demand := range []struct {
		dropped bool
		holds   bool
		text    string
	}{
		{false, utf8.RuneCountInString(password) >= policy.MinLength, "Password not long enough"},
		{policy.WithoutUppercase, strings.ContainsFunc(password, unicode.IsUpper), "Password must have uppercase characters"},
		{policy.WithoutLowercase, strings.ContainsFunc(password, unicode.IsLower), "Password must have lowercase characters"},
		{policy.WithoutNumber, strings.ContainsFunc(password, unicode.IsDigit), "Password must have numeric characters"},
		{policy.WithoutSymbol, strings.ContainsAny(password, symbols), "Password must have symbol characters"},
	} {
		if !demand.dropped && !demand.holds {
			return refuse("InvalidPassword", "Password did not conform with policy: "+demand.text)
		}
	}
	return nil
}

type changePasswordInput struct {
	AccessToken      string
	PreviousPassword string
	ProposedPassword string
}

// changePassword leaves the user's sessions alive, as Cognito does.
func (p *Provider) changePassword(in *changePasswordInput) (empty, error) {
	u, _, err := p.authorized(in.AccessToken)
	switch {
	case err != nil:
		return empty{}, err
	case in.PreviousPassword == "":
		return empty{}, missing("previousPassword")
	}
	if err := p.cfg.Policy.check(in.ProposedPassword); err != nil {
		return empty{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	who := account{userID: u.Username, verifier: u.ByName, user: u}
	right := u.ByName.Matches(p.credentials(u.Username, in.PreviousPassword))
	if err := p.count(who, right, errWrongPassword, errTooOften); err != nil {
		return empty{}, err
	}
	if err := p.setPassword(u, in.ProposedPassword); err != nil {
		return empty{}, err
	}
	return empty{}, p.save()
}

func (p *Provider) forgotPassword(in *namedInput) (*deliveryOutput, error) {
	who, unlock, err := p.named(in.ClientID, in.SecretHash, in.Username)
	if err != nil {
		return nil, err
	}
	defer unlock()
	switch {
	case who.user == nil:
		return &deliveryOutput{p.simulatedDelivery(in.Username)}, nil
	case !who.user.emailVerified():
		return nil, invalidParameter("Cannot reset password for the user as there is no registered/verified email or phone_number")
	}
	sent, err := p.sendCode(who.user, ResetCode)
	return &deliveryOutput{sent}, err
}

type confirmForgotPasswordInput struct {
	ClientID         string `json:"ClientId"`
	SecretHash       string
	Username         string
	ConfirmationCode string
	Password         string
}

// confirmForgotPassword sets a new password and ends the lock-out. It leaves the user's sessions alive, as Cognito does.
func (p *Provider) confirmForgotPassword(in *confirmForgotPasswordInput) (empty, error) {
	if err := p.cfg.Policy.check(in.Password); err != nil {
		return empty{}, err
	}
	who, unlock, err := p.named(in.ClientID, in.SecretHash, in.Username)
	if err != nil {
		return empty{}, err
	}
	defer unlock()
	if err := p.checkCode(who, ResetCode, in.ConfirmationCode); err != nil {
		return empty{}, err
	}
	if err := p.setPassword(who.user, in.Password); err != nil {
		return empty{}, err
	}
	delete(p.codes, codeKey{who.user.Sub, ResetCode})
	who.user.ResetRequired = false
	p.attempts.succeed(who.key())
	return empty{}, p.save()
}
