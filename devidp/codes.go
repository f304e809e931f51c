package devidp

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"
)

// Purpose says what a code is for.
type Purpose string

const (
	// SignUpCode confirms a sign-up. It lives 24 h.
	SignUpCode Purpose = "sign_up"
	// ResetCode sets a new password in ConfirmForgotPassword. It lives 1 h.
	ResetCode Purpose = "forgot_password"
)

func (p Purpose) lifetime() time.Duration {
	if p == ResetCode {
		return time.Hour
	}
	return 24 * time.Hour
}

// Code is what Cognito would send by e-mail.
type Code struct {
	// Username is the user's name.
	Username string `json:"username"`
	// Purpose says what the code is for.
	Purpose Purpose `json:"purpose"`
	// Code has six digits.
	Code string `json:"code"`
	// Destination is the e-mail address, "" if the user has none.
	Destination string `json:"destination"`
	// Expires is when it stops working, in UTC.
	Expires time.Time `json:"expires"`

	sub string
}

// codeKey: a user has one code for a purpose, a new one replaces it.
type codeKey struct {
	sub     string
	purpose Purpose
}

// The refusals of codes. An unknown user gets the ones of a wrong code.
var (
	errWrongCode   = refuse("CodeMismatch", "Invalid verification code provided, please try again.")
	errExpiredCode = refuse("ExpiredCode", "Invalid code provided, please request a code again.")
	errTooOften    = refuse("LimitExceeded", "Attempt limit exceeded, please try after some time.")
)

// delivery is Cognito's CodeDeliveryDetailsType.
type delivery struct {
	AttributeName  string
	DeliveryMedium string
	Destination    string
}

// sendCode makes a code and tells OnCode. Where there is no address there is no delivery, and the code waits in Codes.
// The caller holds the lock.
func (p *Provider) sendCode(u *user, purpose Purpose) (*delivery, error) {
	digits, err := p.newDigits()
	if err != nil {
		return nil, err
	}
	code := Code{
		Username:    u.Username,
		Purpose:     purpose,
		Code:        digits,
		Destination: u.Attributes["email"],
		Expires:     p.now().Add(purpose.lifetime()),
		sub:         u.Sub,
	}
	p.codes[codeKey{u.Sub, purpose}] = code
	if p.cfg.OnCode != nil {
		p.cfg.OnCode(code)
	}
	if code.Destination == "" {
		return nil, nil
	}
	return &delivery{"email", "EMAIL", masked(code.Destination)}, nil
}

// newDigits returns six random digits, each number as likely as the other but for 2^-44.
func (p *Provider) newDigits() (string, error) {
	var b [8]byte
	if _, err := io.ReadFull(p.cfg.Rand, b[:]); err != nil {
		return "", fmt.Errorf("devidp: reading randomness: %w", err)
	}
	n := new(big.Int).SetBytes(b[:])
	return fmt.Sprintf("%06d", n.Mod(n, big.NewInt(1_000_000))), nil
}

// checkCode judges a code, with a lock-out of its own. The code stays until the caller deletes it.
func (p *Provider) checkCode(who account, purpose Purpose, given string) error {
	if given == "" {
		return missing("confirmationCode")
	}
	key := string(purpose) + " " + who.key()
	now := p.cfg.Now()
	if p.attempts.locked(key, now) {
		return errTooOften
	}
	err := p.matchCode(who, purpose, given)
	if err != nil {
		p.attempts.fail(key, now)
		return err
	}
	p.attempts.succeed(key)
	return nil
}

func (p *Provider) matchCode(who account, purpose Purpose, given string) error {
	if who.user == nil {
		return errWrongCode
	}
	code, waiting := p.codes[codeKey{who.user.Sub, purpose}]
	switch {
	case !waiting || subtle.ConstantTimeCompare([]byte(code.Code), []byte(given)) != 1:
		return errWrongCode
	case !code.Expires.After(p.cfg.Now()):
		return errExpiredCode
	}
	return nil
}

// masked shows an e-mail address as Cognito does: j***@e***.
func masked(email string) string {
	local, domain, _ := strings.Cut(email, "@")
	return first(local) + "***@" + first(domain) + "***"
}

func first(text string) string {
	for _, r := range text {
		return string(r)
	}
	return ""
}

// simulatedDelivery is what a user who does not exist gets, the same each time.
func (p *Provider) simulatedDelivery(name string) *delivery {
	if p.cfg.SignIn != ByUsername && isEmail(name) {
		return &delivery{"email", "EMAIL", masked(name)}
	}
	sum := sha256.Sum256(append([]byte("simulated delivery\x00"+name+"\x00"), p.state.secret...))
	letters := strings.Map(letter, hex.EncodeToString(sum[:1]))
	return &delivery{"email", "EMAIL", letters[:1] + "***@" + letters[1:] + "***"}
}

// letter turns a hexadecimal digit into a letter.
func letter(digit rune) rune {
	if digit <= '9' {
		return digit - '0' + 'g'
	}
	return digit
}
