package nakama

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/heroiclabs/nakama-common/api"
	"github.com/heroiclabs/nakama-common/runtime"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// Bounds of Nakama's for a custom id and a username, in bytes.
const (
	minCustomID = 6
	maxCustomID = 128
	maxUsername = 128
)

// signIn is BeforeAuthenticateCustom. Nothing that the client sent goes on but the wish to create an account.
func (m *module) signIn(ctx context.Context, logger runtime.Logger, in *api.AuthenticateCustomRequest) error {
	token, err := tokenOf(in.Account)
	if err != nil {
		return err
	}
	id, err := m.identify(ctx, token)
	if err != nil {
		logger.Info("sallyport: a sign-in was refused: %s", jws.ReasonOf(err))
		return asError(err)
	}
	in.Username = m.username(ctx, in.Username, id)
	in.Account.Id, in.Account.Vars = m.customID(id.Player), m.seal.vars(m.stampOf(id))
	return nil
}

// tokenOf finds the token of a request: in the variable, or as the id.
func tokenOf(account *api.AccountCustom) (string, error) {
	if account == nil {
		return "", errNoToken
	}
	id, variable := account.Id, account.Vars[varToken]
	switch {
	case variable == "" && id == "":
		return "", errNoToken
	case variable == "":
		return id, nil
	case strings.Count(id, ".") == 2 && id != variable:
		return "", errTwoTokens
	}
	return variable, nil
}

// identify verifies an identity token and asks whether its player may make a new session.
func (m *module) identify(ctx context.Context, token string) (*identity.Identity, error) {
	id, err := m.identities.Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	if err := m.ledger.CheckNew(); err != nil {
		return nil, err
	}
	return id, m.ledger.CheckIdentity(id)
}

// customID is the id under which Nakama keeps the player's account. Package edge makes the same, so that a game can go from
// one to the other.
func (m *module) customID(p identity.Player) string {
	single, n := len(m.config.Realms) == 1, len(p.Subject)
	if m.config.CustomID == "subject" && single && n >= minCustomID && n <= maxCustomID && !strings.ContainsFunc(p.Subject, unfit) {
		return p.Subject
	}
	return p.ID(single)
}

func (m *module) stampOf(id *identity.Identity) stamp {
	return stamp{
		door: "custom", player: id.Player, playerID: id.Player.ID(len(m.config.Realms) == 1), upstream: session.UpstreamOf(id),
		identity: id.IssuedAt, auth: id.AuthTime, login: newID(), at: m.now(),
	}
}

// username is the name of an account that this sign-in may make; Nakama ignores it for one that exists.
func (m *module) username(ctx context.Context, sent string, id *identity.Identity) string {
	switch m.config.Username {
	case "client":
		return sent
	case "none":
		return ""
	}
	name := strings.Map(fitting, id.Username)
	if name == "" || strings.Contains(id.Username, "@") || len(name) > maxUsername-9 {
		return ""
	}
	if users, err := m.nk.UsersGetUsername(ctx, []string{name}); err != nil || len(users) > 0 {
		return name + "-" + id.Player.ID(len(m.config.Realms) == 1)[:8]
	}
	return name
}

// updateAccount is BeforeUpdateAccount: a verified name, and one that Nakama made up, is not the client's to change.
func (m *module) updateAccount(_ context.Context, _ runtime.Logger, in *api.UpdateAccountRequest) error {
	if m.config.Username != "client" && in.Username != nil {
		return errUsername
	}
	return nil
}

func unfit(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

func fitting(r rune) rune {
	if r == utf8.RuneError || unfit(r) || !unicode.IsPrint(r) {
		return -1
	}
	return r
}

// newID is a UUID version 4.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
