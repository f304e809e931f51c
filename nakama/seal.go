package nakama

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// The variables of a session that came through here. They travel in Nakama's tokens, where the game's own code finds
// them in RUNTIME_CTX_VARS.
const (
	varDoor     = "door"      // how the player came in: custom, device, …
	varRealm    = "realm"     // the player's realm; for custom only, as those below
	varSubject  = "subject"   // the player's subject
	varPlayer   = "player_id" // the player's UUID
	varUpstream = "upstream"  // the issuer's session, see session.UpstreamOf
	varIdentity = "identity_iat"
	varAuthTime = "auth_time"
	varLogin    = "login"     // a UUID that stays the same over refreshes, as tid, which runtime code is not shown
	varAt       = "at"        // when the player came in, Unix seconds
	varSeal     = "sallyport" // the seal over the others
	varToken    = "token"     // in requests only: where a client may put the identity token
)

// stamp is what the sealed variables say.
type stamp struct {
	door     string
	player   identity.Player // the zero Player unless door is custom
	playerID string
	upstream string
	identity time.Time // when the identity token was issued
	auth     time.Time // when the player proved who he is, zero if unknown
	login    string
	at       time.Time
}

// sealer makes and opens seals. A client that held a session from before Sallyport was installed could carry variables
// of its own choice on through refreshes; without the key it cannot make a seal over them.
type sealer struct{ key []byte }

func newSealer(encryptionKey string) (sealer, error) {
	key, err := hkdf.Key(sha256.New, []byte(encryptionKey), nil, "sallyport: seal of session variables", sha256.Size)
	return sealer{key}, err
}

// vars returns the stamp as sealed variables.
func (k sealer) vars(s stamp) map[string]string {
	vars := map[string]string{varDoor: s.door, varLogin: s.login, varAt: seconds(s.at)}
	for name, text := range map[string]string{
		varRealm: s.player.Realm, varSubject: s.player.Subject, varPlayer: s.playerID, varUpstream: s.upstream,
		varIdentity: seconds(s.identity), varAuthTime: seconds(s.auth),
	} {
		if text != "" {
			vars[name] = text
		}
	}
	vars[varSeal] = base64.RawURLEncoding.EncodeToString(k.mac(vars))
	return vars
}

// open returns what sealed variables say, and false if they are not sealed.
func (k sealer) open(vars map[string]string) (stamp, bool) {
	mac, err := base64.RawURLEncoding.Strict().DecodeString(vars[varSeal])
	if err != nil || !hmac.Equal(mac, k.mac(vars)) {
		return stamp{}, false
	}
	return stamp{
		door: vars[varDoor], player: identity.Player{Realm: vars[varRealm], Subject: vars[varSubject]}, playerID: vars[varPlayer],
		upstream: vars[varUpstream], identity: unix(vars[varIdentity]), auth: unix(vars[varAuthTime]), login: vars[varLogin],
		at: unix(vars[varAt]),
	}, true
}

// mac is over every variable but the seal, each length before its text, so that no two sets are written alike.
func (k sealer) mac(vars map[string]string) []byte {
	h := hmac.New(sha256.New, k.key)
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if name == varSeal {
			continue
		}
		for _, text := range []string{name, vars[name]} {
			h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(text))))
			h.Write([]byte(text))
		}
	}
	return h.Sum(nil)
}

// apply puts what the stamp says into a copy of a session that was verified by its token, or made for a socket.
func (s stamp) apply(token session.Session) *session.Session {
	token.Upstream, token.IdentityIssuedAt, token.AuthTime = s.upstream, s.identity, s.auth
	if s.player != (identity.Player{}) {
		token.Player, token.PlayerID = s.player, s.playerID
	}
	return &token
}

func seconds(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.Unix(), 10)
}

func unix(text string) time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
