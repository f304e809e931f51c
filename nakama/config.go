package nakama

import (
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-auth/sallyport/photon"
	"github.com/sallyport-auth/sallyport/session"
)

// Config is what Nakama's runtime.env says. Each field has its key; every key begins with "sallyport_", and one that is not
// listed here is an error. Lists are separated by commas, durations are written as 2s or 5m. A value that begins with
// "file:" is replaced by the contents of that file without its last newline, because Nakama's console shows runtime.env.
type Config struct {
	// Realm is your name for the user base, the same as at the Sallyport server: 1 to 64 letters, digits, '.', '_' and
	// '-'. It is part of every player's id, so it must never change. Required.
	Realm string `env:"sallyport_realm,required"`
	// Realms are all realms of the installation, if there are several. They decide what a player's id is: with a single
	// realm, a subject that is a UUID is the id. Default: realm alone.
	Realms []string `env:"sallyport_realms"`
	// Issuers are the identity providers whose tokens are taken: cognito, clerk, oidc. Required.
	Issuers []string `env:"sallyport_issuers,required"`

	// CognitoUserPoolID is the user pool's id, such as eu-central-1_Example12.
	CognitoUserPoolID string `env:"sallyport_cognito_user_pool_id"`
	// CognitoClientIDs are the app clients whose tokens are taken.
	CognitoClientIDs []string `env:"sallyport_cognito_client_ids"`
	// CognitoUses are the tokens that are taken: access, id.
	CognitoUses []string `env:"sallyport_cognito_uses"`
	// CognitoAnyGroup are groups of which the player must be in at least one. Default: none is needed.
	CognitoAnyGroup []string `env:"sallyport_cognito_any_group"`
	// CognitoRegions are the other regions of a pool with multi-Region replication.
	CognitoRegions []string `env:"sallyport_cognito_regions"`
	// CognitoEndpoint is the base URL of an emulator: https, or http on a loopback address. Default: AWS.
	CognitoEndpoint string `env:"sallyport_cognito_endpoint"`

	// ClerkIssuer is the instance's Frontend API URL, such as https://clerk.example.com.
	ClerkIssuer string `env:"sallyport_clerk_issuer"`
	// ClerkAuthorizedParties are the values of azp that may come here: the origins of your pages.
	ClerkAuthorizedParties []string `env:"sallyport_clerk_authorized_parties"`
	// ClerkAnyAuthorizedParty takes every azp.
	ClerkAnyAuthorizedParty bool `env:"sallyport_clerk_any_authorized_party"`

	// OIDCIssuer is the issuer's iss, exactly, a slash at the end included if there is one.
	OIDCIssuer string `env:"sallyport_oidc_issuer"`
	// OIDCAudiences are the values of aud that may come here.
	OIDCAudiences []string `env:"sallyport_oidc_audiences"`
	// OIDCUse is what the tokens are: id or access. Default id.
	OIDCUse string `env:"sallyport_oidc_use"`
	// OIDCJWKSURL is where the keys are. Default: what the discovery document says.
	OIDCJWKSURL string `env:"sallyport_oidc_jwks_url"`

	// Server is the address of the Sallyport server whose revocations are followed, such as https://auth.example.com;
	// http will do on a loopback address alone. "none" follows nobody: bans and sign-outs made elsewhere are then not
	// seen here. Required.
	Server string `env:"sallyport_server,required"`
	// ClientID and ClientSecret authenticate this node as one of the server's callers, which must have "may: [follow,
	// revoke, alias]". Required unless the server is none.
	ClientID     string `env:"sallyport_client_id"`
	ClientSecret string `env:"sallyport_client_secret"`
	// ReportLogouts tells the server of logouts at this Nakama, so that they count everywhere. Default true.
	ReportLogouts bool `env:"sallyport_report_logouts" default:"true"`
	// ReportPlayers tells the server which player each of Nakama's users is, so that it can have "aliases: required".
	// Default true.
	ReportPlayers bool `env:"sallyport_report_players" default:"true"`
	// Stale says what happens when the server is away: grace goes on with what is known for 30 s and then refuses, strict
	// refuses at once, available goes on and refuses only new sessions. Required unless the server is none.
	Stale string `env:"sallyport_stale"`

	// CustomID is what becomes of account.id: subject, the token's sub, or the player's UUID where there are several realms or
	// the sub does not fit Nakama's rules (6 to 128 bytes, no spaces); player_id, the player's UUID in any case. It must
	// never change. Default subject, which is also what the edge makes.
	CustomID string `env:"sallyport_custom_id" default:"subject"`
	// Username is the policy for the name of new accounts: none, Nakama makes one up; verified, the identity's, with a
	// part of the player's id where it is taken or an e-mail address; client, whatever the client sends. With the first two,
	// clients cannot change it later either. Default none.
	Username string `env:"sallyport_username" default:"none"`
	// Authenticate opens other ways to authenticate: apple, device, email, facebook, facebookinstantgame, gamecenter,
	// google, steam. "device:existing" lets in accounts that exist and makes none. Default: all are closed.
	Authenticate []string `env:"sallyport_authenticate"`
	// Link opens links of the same names. That of the custom id stays closed in any case: it would give the
	// next login of any player to whoever linked the id first. Default: all are closed.
	Link []string `env:"sallyport_link"`
	// Unlink opens the removal of links. Default: all are closed.
	Unlink []string `env:"sallyport_unlink"`
	// KeepDevices leaves the device ids of an account as they are when sallyport_link gives it a player. Without it they are
	// removed, because whoever has one comes in without an identity token.
	KeepDevices bool `env:"sallyport_link_keep_devices"`

	// PhotonTokens is what players show to Photon: session, identity or both. "none" leaves the RPC out. Default session.
	PhotonTokens string `env:"sallyport_photon_tokens" default:"session"`
	// PhotonUserID is Photon's UserId: player_id or backend_user_id (Nakama's id, only for session tokens). Default
	// player_id.
	PhotonUserID string `env:"sallyport_photon_user_id" default:"player_id"`
	// PhotonSecrets are the values of the dashboard's pair "secret", besides the http_key. Default: none is asked for.
	PhotonSecrets []string `env:"sallyport_photon_secrets"`

	// Self is the address at which this Nakama is asked about its tokens. Default http://127.0.0.1 and socket.port.
	Self string `env:"sallyport_self"`
	// VerifyCache is how long Nakama's answer about a token counts, from 0s to 30s. A logout at this node counts at once
	// all the same; one that a runtime module or the console makes counts after so long. Default 2s.
	VerifyCache time.Duration `env:"sallyport_verify_cache" default:"2s"`
	// InsecureKeys allows encryption keys under 32 bytes and Nakama's defaults, with which anybody makes tokens.
	InsecureKeys bool `env:"sallyport_insecure_keys"`
}

const (
	noServer       = "none"
	maxVerifyCache = 30 * time.Second
)

// check says which key is wrong. What the issuers and the other parts check themselves is left to them.
func (c *Config) check() error {
	if len(c.Realms) == 0 {
		c.Realms = []string{c.Realm}
	}
	if c.VerifyCache < 0 || c.VerifyCache > maxVerifyCache {
		return fmt.Errorf("sallyport_verify_cache: want 0s to %v", maxVerifyCache)
	}
	for _, choice := range []struct{ key, value, allowed string }{
		{"sallyport_custom_id", c.CustomID, "player_id subject"},
		{"sallyport_username", c.Username, "none verified client"},
		{"sallyport_photon_tokens", c.PhotonTokens, "session identity both none"},
		{"sallyport_photon_user_id", c.PhotonUserID, string(photon.PlayerID) + " " + string(photon.BackendUserID)},
	} {
		if err := oneOf(choice.key, choice.value, choice.allowed); err != nil {
			return err
		}
	}
	return c.checkServer()
}

func (c *Config) checkServer() error {
	if c.Server == noServer {
		if c.ClientID != "" || c.ClientSecret != "" || c.Stale != "" {
			return errors.New("sallyport_server is none: leave out sallyport_client_id, sallyport_client_secret and sallyport_stale")
		}
		c.Stale = string(session.Available)
		return nil
	}
	if c.ClientID == "" || c.ClientSecret == "" {
		return errors.New("sallyport_client_id and sallyport_client_secret are required: name the server's caller for this node")
	}
	return oneOf("sallyport_stale", c.Stale, "grace strict available")
}
