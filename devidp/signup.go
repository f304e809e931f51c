package devidp

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/srp"
)

// Bounds of a user's attributes, as Cognito's.
const (
	maxAttributes     = 50
	maxAttributeBytes = 2048
)

// standardAttributes are the ones that a user may set; sub, email_verified and phone_number_verified are not among them.
var standardAttributes = []string{
	"address", "birthdate", "email", "family_name", "gender", "given_name", "locale", "middle_name", "name",
	"nickname", "phone_number", "picture", "preferred_username", "profile", "updated_at", "website", "zoneinfo",
}

var customForm = regexp.MustCompile(`^custom:[A-Za-z0-9_]{1,20}$`)

// attribute is Cognito's AttributeType.
type attribute struct{ Name, Value string }

type signUpInput struct {
	ClientID       string `json:"ClientId"`
	SecretHash     string
	Username       string
	Password       string
	UserAttributes []attribute
}

type signUpOutput struct {
	UserConfirmed       bool
	UserSub             string
	CodeDeliveryDetails *delivery `json:",omitempty"`
}

func (p *Provider) signUp(in *signUpInput) (*signUpOutput, error) {
	client, err := p.client(in.ClientID)
	if err != nil {
		return nil, err
	}
	if err := checkSecretHash(client, in.SecretHash, in.Username); err != nil {
		return nil, err
	}
	made, err := p.newUser(in)
	if err != nil {
		return nil, err
	}
	made.Confirmed = p.cfg.AutoConfirm
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.addUser(made, in.Username); err != nil {
		return nil, err
	}
	out := &signUpOutput{UserConfirmed: made.Confirmed, UserSub: made.Sub}
	if !made.Confirmed {
		if out.CodeDeliveryDetails, err = p.sendCode(made, SignUpCode); err != nil {
			return nil, err
		}
	}
	return out, p.save()
}

func (p *Provider) addUser(made *user, typed string) error {
	switch {
	case p.state.byName(p.cfg.SignIn, typed) != nil:
		return refuse("UsernameExists", "User already exists")
	case len(p.state.users) >= p.cfg.MaxUsers:
		return refuse("LimitExceeded", "The user pool is full")
	}
	p.state.users[made.Sub] = made
	return nil
}

// newUser checks a sign-up and makes its user, with the verifiers of the password.
func (p *Provider) newUser(in *signUpInput) (*user, error) {
	attributes, err := checkAttributes(in.UserAttributes)
	if err != nil {
		return nil, err
	}
	sub, err := p.newUUID()
	if err != nil {
		return nil, err
	}
	made := &user{Username: in.Username, Sub: sub, Attributes: attributes}
	if p.cfg.SignIn == ByEmail {
		if email, given := attributes["email"]; given && foldEmail(email) != foldEmail(in.Username) {
			return nil, invalidParameter("The email attribute must be the same as the username.")
		}
		made.Username, attributes["email"] = sub, in.Username
	}
	if err := p.checkUsername(in.Username); err != nil {
		return nil, err
	}
	if err := p.cfg.Policy.check(in.Password); err != nil {
		return nil, err
	}
	return made, p.setPassword(made, in.Password)
}

func (p *Provider) checkUsername(name string) error {
	switch {
	case name == "":
		return missing("username")
	case utf8.RuneCountInString(name) > 128 || !utf8.ValidString(name) || strings.ContainsFunc(name, notInName):
		return invalidParameter("1 validation error detected: Value at 'username' failed to satisfy constraint: " +
			`Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+`)
	case p.cfg.SignIn == ByEmail && !isEmail(name):
		return invalidParameter("Username should be an email.")
	case p.cfg.SignIn == ByUsernameOrEmail && isEmail(name):
		return invalidParameter("Username cannot be of email format, since user pool is configured for email alias.")
	}
	return nil
}

func notInName(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsSymbol(r) && !unicode.IsNumber(r) && !unicode.IsPunct(r)
}

func checkAttributes(given []attribute) (map[string]string, error) {
	if len(given) > maxAttributes {
		return nil, invalidParameter("Too many attributes")
	}
	attributes := make(map[string]string)
	folded := make(map[string]bool)
	for _, a := range given {
		if err := checkAttribute(a); err != nil {
			return nil, err
		}
		// Names that differ only by case would make claims that strict verifiers refuse.
		if name := strings.ToLower(a.Name); folded[name] {
			return nil, invalidParameter("Attribute " + a.Name + " is there twice")
		}
		folded[strings.ToLower(a.Name)] = true
		attributes[a.Name] = a.Value
	}
	return attributes, nil
}

func checkAttribute(a attribute) error {
	switch {
	case a.Name == "sub" || a.Name == "email_verified" || a.Name == "phone_number_verified":
		return refuse("NotAuthorized", "A client attempted to write unauthorized attribute")
	case !slices.Contains(standardAttributes, a.Name) && !customForm.MatchString(a.Name):
		return invalidParameter("Attributes did not conform to the schema: an attribute is not defined in schema.")
	case len(a.Value) > maxAttributeBytes || !utf8.ValidString(a.Value):
		return invalidParameter("Attributes did not conform to the schema: " + a.Name + ": String must be at most 2048 bytes of UTF-8")
	case a.Name == "email" && !isEmail(a.Value):
		return invalidParameter("Invalid email address format.")
	}
	return nil
}

// setPassword makes new verifiers. Two are needed only where the user name and the sub differ.
func (p *Provider) setPassword(u *user, password string) (err error) {
	if u.ByName, err = srp.NewVerifier(p.cfg.Rand, p.credentials(u.Username, password)); err != nil {
		return err
	}
	u.BySub = u.ByName
	if u.Username != u.Sub {
		u.BySub, err = srp.NewVerifier(p.cfg.Rand, p.credentials(u.Sub, password))
	}
	return err
}

type confirmSignUpInput struct {
	ClientID           string `json:"ClientId"`
	SecretHash         string
	Username           string
	ConfirmationCode   string
	ForceAliasCreation bool
}

func (p *Provider) confirmSignUp(in *confirmSignUpInput) (empty, error) {
	who, unlock, err := p.named(in.ClientID, in.SecretHash, in.Username)
	if err != nil {
		return empty{}, err
	}
	defer unlock()
	if who.user != nil && who.user.Confirmed {
		return empty{}, refuse("NotAuthorized", "User cannot be confirmed. Current status is CONFIRMED")
	}
	if err := p.checkCode(who, SignUpCode, in.ConfirmationCode); err != nil {
		return empty{}, err
	}
	if err := p.claimEmail(who.user, in.ForceAliasCreation); err != nil {
		return empty{}, err
	}
	delete(p.codes, codeKey{who.user.Sub, SignUpCode})
	who.user.Confirmed = true
	return empty{}, p.save()
}

// claimEmail verifies a user's e-mail address, which a code has just reached. An alias has one owner.
func (p *Provider) claimEmail(u *user, force bool) error {
	email := u.Attributes["email"]
	if email == "" {
		return nil
	}
	if owner := p.state.emailOwner(email); p.cfg.SignIn == ByUsernameOrEmail && owner != nil && owner != u {
		if !force {
			return refuse("AliasExists", "An account with the given email already exists.")
		}
		owner.Attributes["email_verified"] = "false"
	}
	u.Attributes["email_verified"] = "true"
	return nil
}

type namedInput struct {
	ClientID   string `json:"ClientId"`
	SecretHash string
	Username   string
}

type deliveryOutput struct {
	CodeDeliveryDetails *delivery `json:",omitempty"`
}

func (p *Provider) resendConfirmationCode(in *namedInput) (*deliveryOutput, error) {
	who, unlock, err := p.named(in.ClientID, in.SecretHash, in.Username)
	if err != nil {
		return nil, err
	}
	defer unlock()
	switch {
	case who.user == nil:
		return &deliveryOutput{p.simulatedDelivery(in.Username)}, nil
	case who.user.Confirmed:
		return nil, invalidParameter("User is already confirmed.")
	}
	sent, err := p.sendCode(who.user, SignUpCode)
	return &deliveryOutput{sent}, err
}

// named begins an operation that names a user and not a token: it checks the client and takes the lock.
func (p *Provider) named(clientID, secretHash, username string) (who account, unlock func(), err error) {
	client, err := p.client(clientID)
	if err != nil {
		return who, nil, err
	}
	if username == "" {
		return who, nil, missing("username")
	}
	if err := checkSecretHash(client, secretHash, username); err != nil {
		return who, nil, err
	}
	p.mu.Lock()
	if who, err = p.account(username); err != nil {
		p.mu.Unlock()
		return who, nil, err
	}
	return who, p.mu.Unlock, nil
}
