package session

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/internal/uuid"
	"github.com/sallyport-auth/sallyport/jws"
)

// A refresh token is refreshPrefix and the unpadded base64url of
//
//	sid (16 bytes) ‖ number (8 bytes, big endian) ‖ HMAC-SHA256(family secret, "sallyport refresh 1" ‖ sid ‖ number)
//
// The prefix lets secret scanners find it. Token number n is good while the family's number is n.
const (
	refreshPrefix     = "spr_"
	refreshLabel      = "sallyport refresh 1"
	refreshBytes      = 16 + 8 + sha256.Size
	familySecretBytes = 32
)

// punishTimeout bounds the write that revokes a replayed family.
const punishTimeout = 5 * time.Second

// maxForgotten is how many rotations a store may have forgotten in a fail-over before its families must sign in again.
const maxForgotten = 4

// RefreshRequest is what a client sends to refresh a session (RFC 6749 section 6).
type RefreshRequest struct {
	// RefreshToken is the one from the last grant.
	RefreshToken string
	// ClientID must be the one that the session was made for.
	ClientID string
	// Scopes narrow this access token to some of the session's scopes (RFC 6749 section 6). Empty takes all of them.
	Scopes []string
}

// refreshToken is a parsed refresh token, not yet believed.
type refreshToken struct {
	id     string
	number uint64
	mac    []byte
}

// refreshToken returns the family's refresh token with the given number.
func (f *Family) refreshToken(number uint64) string {
	body := refreshBody(f.ID, number)
	return refreshPrefix + base64.RawURLEncoding.EncodeToString(append(body, f.mac(refreshLabel, body)...))
}

func refreshBody(id string, number uint64) []byte {
	sid, _ := uuid.Bytes(id)
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, refreshBytes), sid[:]...), number)
}

// mac derives bytes for one purpose from the family's secret.
func (f *Family) mac(label string, data []byte) []byte {
	h := hmac.New(sha256.New, f.Secret)
	h.Write([]byte(label))
	h.Write(data)
	return h.Sum(nil)
}

// made says whether a token was made with the family's secret.
func (f *Family) made(t refreshToken) bool {
	return len(f.Secret) >= familySecretBytes && hmac.Equal(t.mac, f.mac(refreshLabel, refreshBody(t.id, t.number)))
}

func parseRefreshToken(s string) (refreshToken, error) {
	text, ok := strings.CutPrefix(s, refreshPrefix)
	b, err := decodeExact(text, refreshBytes)
	if !ok || err != nil {
		return refreshToken{}, &jws.Refusal{Check: jws.CheckFormat, Reason: jws.Malformed, Want: "a refresh token of this service"}
	}
	return refreshToken{id: uuid.String([16]byte(b[:16])), number: binary.BigEndian.Uint64(b[16:24]), mac: b[24:]}, nil
}

// decodeExact decodes base64url of exactly n bytes in its one canonical spelling. The decoder alone takes stray bits and
// skips line breaks, and what has two spellings is two tokens to anyone who keeps a list.
func decodeExact(s string, n int) ([]byte, error) {
	if len(s) != base64.RawURLEncoding.EncodedLen(n) {
		return nil, errors.New("session: wrong length")
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != n || base64.RawURLEncoding.EncodeToString(b) != s {
		return nil, errors.New("session: not canonical base64url")
	}
	return b, nil
}

// Refresh answers a refresh token with a new access token and the next refresh token. The same refresh token gets the
// same successor again within the repeat window, for clients that lost the answer, as long as the successor was not
// used. Any other second use means that two parties hold the token: the session is revoked and the refusal says
// [jws.Replayed]. A token that this service did not make touches nothing.
//
// It refuses with a [*jws.Refusal]: Malformed, BadSignature (not ours, or of a session long gone), WrongClient, WrongClaim
// with [ErrInvalidScope], Expired, Revoked, Banned, Replayed, or Unavailable, after which the same token can be tried again.
func (i *Issuer) Refresh(ctx context.Context, r RefreshRequest) (*Grant, error) {
	t, err := parseRefreshToken(r.RefreshToken)
	if err != nil {
		return nil, err
	}
	f, err := i.family(ctx, t)
	if err != nil {
		return nil, err
	}
	if err := i.checkRefresh(f, r.ClientID); err != nil {
		return nil, err
	}
	if i.replayed(f, t) {
		return nil, i.punish(ctx, f)
	}
	if t.number < f.Number && f.RotatedAt.Sub(i.config.Now()) > clockMargin {
		return nil, unavailable(errors.New("session: this node's clock is behind the store's, so that no repeat window would end"))
	}
	narrowed := f
	if narrowed.Scopes, err = grantedScopes(f.Scopes, r.Scopes); err != nil {
		return nil, err
	}
	// Minted first, so that the family moves on only if its token can be.
	grant, err := i.grant(narrowed)
	if err != nil {
		return nil, err
	}
	if f, err = i.rotate(ctx, f, t); err != nil {
		return nil, err
	}
	// Again: what was revoked while the store was at work is not answered with a token that verifiers without a ledger take.
	if err := i.config.Ledger.CheckFamily(f); err != nil {
		return nil, err
	}
	grant.RefreshToken = f.refreshToken(t.number + 1)
	return grant, nil
}

// family finds the family of a token and proves that the token is the family's. An unknown family and a wrong MAC are
// one refusal: who guesses learns nothing.
func (i *Issuer) family(ctx context.Context, t refreshToken) (Family, error) {
	f, err := i.config.Families.Get(ctx, t.id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Family{}, unavailable(err)
	}
	if err != nil || f.ID != t.id || !f.made(t) {
		return Family{}, &jws.Refusal{Check: jws.CheckSignature, Reason: jws.BadSignature, Want: "a refresh token that this service made for a living session"}
	}
	return f, nil
}

func (i *Issuer) checkRefresh(f Family, clientID string) error {
	if clientID != f.ClientID {
		return &jws.Refusal{
			Check: jws.CheckPolicy, Reason: jws.WrongClient, Claim: "client_id",
			Want: "the client_id that the session was made for", Verified: true, Err: ErrInvalidClient,
		}
	}
	if f.Expires.Unix() <= i.config.Now().Unix() {
		return &jws.Refusal{Check: jws.CheckTime, Reason: jws.Expired, Want: "a new sign-in: the session has reached its lifetime", Verified: true}
	}
	if len(f.Audience) != 1 || i.audiences[f.Audience[0]] == nil {
		return &jws.Refusal{
			Check: jws.CheckIssuer, Reason: jws.WrongAudience, Claim: "audience",
			Want: "one of the configured audiences", Verified: true, Err: ErrInvalidTarget,
		}
	}
	if err := i.checkRealm(f.Player); err != nil {
		return err
	}
	return i.config.Ledger.CheckFamily(f)
}

// replayed says whether a token of the family is used a second time, other than to repeat the last answer.
func (i *Issuer) replayed(f Family, t refreshToken) bool {
	if t.number >= f.Number {
		return false
	}
	return f.Number-t.number > 1 || i.config.Now().Sub(f.RotatedAt) > i.config.RepeatWindow
}

// rotate moves the family to the number after the token's and returns it. Who comes second finds it there already.
func (i *Issuer) rotate(ctx context.Context, f Family, t refreshToken) (Family, error) {
	if t.number > f.Number && t.number-f.Number > maxForgotten {
		return f, &jws.Refusal{Check: jws.CheckRevocation, Reason: jws.Revoked, Want: "a new sign-in: the store has lost this session's last refreshes", Verified: true}
	}
	// One turn, unless a fail-over of the store forgot rotations: that the token exists proves that they happened.
	for f.Number <= t.number {
		next, err := i.config.Families.Rotate(ctx, f.ID, f.Number)
		switch {
		case err == nil, errors.Is(err, ErrConflict) && next.Number > f.Number:
			f = next
		case errors.Is(err, ErrNotFound):
			return f, &jws.Refusal{Check: jws.CheckTime, Reason: jws.Expired, Want: "a new sign-in: the session is gone", Verified: true}
		default:
			return f, unavailable(err)
		}
	}
	// The successor was used since the family was read. Time does not matter here: one turn is this one or a twin of it.
	if f.Number-t.number > 1 {
		return f, i.punish(ctx, f)
	}
	return f, nil
}

// punish revokes a family because one of its refresh tokens was replayed. The event's id follows from the family, so
// that fifty replays at once, on any nodes, are one event. Hanging up does not stop it.
func (i *Issuer) punish(ctx context.Context, f Family) error {
	id, err := uuid.NewV7(f.CreatedAt, bytes.NewReader(f.mac("sallyport replayed 1", nil)))
	if err != nil {
		return unavailable(err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), punishTimeout)
	defer cancel()
	_, err = i.config.Ledger.Append(ctx, Event{
		ID: id, Kind: SessionRevoked, Player: f.Player, Session: f.ID,
		Reason: string(jws.Replayed), Expires: f.Expires,
	})
	if err != nil {
		return unavailable(err)
	}
	return &jws.Refusal{Check: jws.CheckRevocation, Reason: jws.Replayed, Want: "a new sign-in: the refresh token was used twice, so its session has ended", Verified: true}
}

// RevokeRefresh ends the session of a refresh token, used or not (RFC 7009 section 2.1): its access tokens, its live sockets, and the
// identity tokens of its upstream session issued until now, which buy no new session. As RFC 7009 section 2.2 wants it,
// a token that is malformed, unknown or not ours is no error. Unavailable means that nothing was revoked.
func (i *Issuer) RevokeRefresh(ctx context.Context, token string) error {
	t, err := parseRefreshToken(token)
	if err != nil {
		return nil
	}
	f, err := i.family(ctx, t)
	if jws.ReasonOf(err) == jws.BadSignature {
		return nil
	}
	if err != nil {
		return err
	}
	return i.config.Ledger.RevokeSession(ctx, f.session(), "refresh token revoked")
}

// session returns what revocation needs to know of a family.
func (f *Family) session() *Session {
	return &Session{
		Player: f.Player, PlayerID: f.PlayerID, UserID: f.PlayerID, ID: f.ID, ClientID: f.ClientID,
		Upstream: f.Upstream, Started: f.CreatedAt, AuthTime: f.AuthTime, Expiry: f.Expires,
	}
}
