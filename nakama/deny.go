package nakama

import (
	"encoding/json"
	"time"

	"github.com/heroiclabs/nakama-common/runtime"

	"github.com/sallyport-auth/sallyport/jws"
)

// denier puts sessions on Nakama's own deny list, so that its API refuses their tokens too. Nakama wants to be shown the
// tokens for that, of which it reads the ids; those made here for it never leave the process.
type denier struct {
	nk              runtime.NakamaModule
	session, renew  *jws.Signer
	lifetime, total time.Duration
}

func newDenier(nk runtime.NakamaModule, config runtime.SessionConfig, key, refreshKey []byte) (d denier, err error) {
	d = denier{
		nk: nk, lifetime: time.Duration(config.GetTokenExpirySec()) * time.Second,
		total: time.Duration(config.GetRefreshTokenExpirySec()) * time.Second,
	}
	if d.session, err = jws.InsecureSecretSigner("", key); err != nil {
		return d, err
	}
	d.renew, err = jws.InsecureSecretSigner("", refreshKey)
	return d, err
}

// one ends one session: its token and its refresh token, though only the id of both is known.
func (d denier) one(userID, tid string, now time.Time) error {
	token, err := sign(d.session, userID, tid, now.Add(d.lifetime))
	if err != nil {
		return err
	}
	refresh, err := sign(d.renew, userID, tid, now.Add(d.total))
	if err != nil {
		return err
	}
	return d.nk.SessionLogout(userID, token, refresh)
}

// text ends a session token where sockets open, too. Nakama up to 3.40.0 looks there for the token itself among the ids that
// it denies (heroiclabs/nakama#2506), so the token is put there as an id. Later releases find it by its id.
func (d denier) text(userID, token string, expiry time.Time) error {
	made, err := sign(d.session, userID, token, expiry)
	if err != nil {
		return err
	}
	return d.nk.SessionLogout(userID, made, "")
}

// all ends every session of a user from before this second, by Nakama's clock.
func (d denier) all(userID string) error { return d.nk.SessionLogout(userID, "", "") }

func sign(signer *jws.Signer, userID, tid string, expiry time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{"tid": tid, "uid": userID, "exp": expiry.Unix()})
	if err != nil {
		return "", err
	}
	return signer.Sign("JWT", claims)
}
