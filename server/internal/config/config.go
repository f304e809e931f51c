// Package config is the configuration of sallyport: one YAML file, read strictly, whose manual is the comments of the
// structs in this package.
//
//	c, err := config.Load("sallyport.yaml", os.LookupEnv)
//
// The error holds everything that is wrong with the file, each with line and column; see package strictyaml for what is
// refused and for ${NAME} and ${file:PATH}. What a field needs and bounds is said at the field. A missing decision is an
// error, and the permissive choices have names that begin with insecure_ or any_.
package config

// Config is the whole file.
type Config struct {
	// Issuer is this server's own URL as its clients reach it, https without a path. It is the iss of the session tokens
	// and the base of the addresses in the metadata. http will do on a loopback address alone.
	Issuer string `yaml:"issuer,required"`
	// Listen is the address to serve on, HOST:PORT. Port 0 takes a free one.
	Listen string `yaml:"listen" default:"127.0.0.1:8080"`
	// TLS serves https. Without it the server speaks plain HTTP and belongs behind something that ends TLS.
	TLS *TLS `yaml:"tls"`
	// Log says what is logged.
	Log Log `yaml:"log"`
	// Store is where revocations, refresh families and tickets are kept: in memory, in a file (bolt) or in Redis. Its fields
	// are below, by its type.
	Store Store `yaml:"store,required"`
	// Revocation says what happens when the store is away, and for how long revocations are remembered.
	Revocation Revocation `yaml:"revocation"`
	// Issuers are the identity providers whose tokens are taken. Each token is given to the one whose iss it names.
	Issuers []Issuer `yaml:"issuers,required"`
	// Sessions makes session tokens from identity tokens. Leave it out if Nakama makes them.
	Sessions *Sessions `yaml:"sessions"`
	// Nakama verifies the session tokens that Nakama makes.
	Nakama *Nakama `yaml:"nakama"`
	// Tickets are short single-use stand-ins for session tokens.
	Tickets Tickets `yaml:"tickets"`
	// Callers are the programs that may ask and tell this server about players' sessions. None closes every endpoint that
	// needs one.
	Callers []Caller `yaml:"callers"`
	// CORS says which web pages may call the endpoints that players use.
	CORS CORS `yaml:"cors"`
	// Photon answers Photon's custom authentication at /v1/photon. Without it the path is not there.
	Photon *Photon `yaml:"photon"`
	// Verify answers a reverse proxy that asks before it lets a request pass. Without it /verify is not there.
	Verify *ForwardAuth `yaml:"verify"`
	// ClerkWebhooks take Clerk's webhooks, so that a sign-out or a ban at Clerk ends the sessions here.
	ClerkWebhooks []ClerkWebhook `yaml:"clerk_webhooks"`
	// Gate stands before the game servers and lets verified players through. Without it there is none.
	Gate *Gate `yaml:"gate"`
	// Metrics tells Prometheus about this server. Without it nobody is told.
	Metrics *Metrics `yaml:"metrics"`
	// InsecureKeys allows keys and secrets that anyone can guess: shorter than 32 bytes, or the default of some product,
	// such as Nakama's. Whoever guesses one makes tokens for any player.
	InsecureKeys bool `yaml:"insecure_keys"`
}

// TLS names the files of a certificate. They are read again at every reload.
type TLS struct {
	// Certificate is the file with the certificate and its chain, PEM.
	Certificate string `yaml:"certificate,required"`
	// Key is the file with the private key, PEM.
	Key string `yaml:"key,required"`
}

// Log says what is logged. The log is JSON lines on standard error.
type Log struct {
	// Level is the least level that is logged. Admission decisions and changes are info.
	Level string `yaml:"level" oneof:"debug info warn error" default:"info"`
}

// Metrics tells Prometheus about this server, at /metrics. There is nothing secret in it but how much is played here.
type Metrics struct {
	// Listen is the address to serve it on, HOST:PORT, apart from everything else and by plain HTTP. Only those who collect
	// should reach it.
	Listen string `yaml:"listen,required"`
}

// Revocation says what happens when the store is away, and for how long revocations are remembered.
type Revocation struct {
	// Stale is the policy for a store that is away: grace goes on with what is known for the time of grace and then refuses;
	// strict refuses at once; available goes on for ever, and refuses only new sessions once grace is over.
	Stale string `yaml:"stale" oneof:"grace strict available" default:"grace"`
	// Grace is how long what is known is good enough, from 15s to 10m.
	Grace Duration `yaml:"grace" default:"30s"`
	// UpstreamLifetime is the longest time for which an identity provider renews tokens without asking the player to sign in
	// (Cognito: the app client's refresh token expiration). Cut-offs are remembered for so long.
	UpstreamLifetime Duration `yaml:"upstream_lifetime" default:"365d"`
}

// Sessions says which session tokens are made.
type Sessions struct {
	// Audiences are the backends that sessions are made for.
	Audiences []Audience `yaml:"audiences,required"`
	// KeyFile is the file with the keys that sign; sallyport keys new makes one. Required unless every audience has a
	// secret. It must be readable by its owner alone, and is read again at every reload.
	KeyFile string `yaml:"key_file"`
	// TokenLifetime is the lifetime of a session token, from 1s to 24h.
	TokenLifetime Duration `yaml:"token_lifetime" default:"2h"`
	// SessionLifetime is how long a session can be refreshed before the player must sign in again, at most 400d.
	SessionLifetime Duration `yaml:"session_lifetime" default:"30d"`
	// RepeatWindow is how long a refresh token that was just used gets the same answer again, for a client that lost it; from
	// 1s to 1m. Any later repetition ends the session.
	RepeatWindow Duration `yaml:"repeat_window" default:"10s"`
	// KeyCacheLifetime is how long a verifier may keep the published keys, from 1s to 24h. A new key is published for that
	// long before it signs.
	KeyCacheLifetime Duration `yaml:"key_cache_lifetime" default:"1h"`
}

// Audience is a backend that sessions are made for.
type Audience struct {
	// Name is the aud of its tokens.
	Name string `yaml:"name,required"`
	// Secret makes its tokens HS256, for a backend that cannot verify published keys. At least 32 bytes. Who verifies can
	// then make tokens as well.
	Secret Secret `yaml:"secret"`
}

// Nakama verifies the session tokens that Nakama makes.
type Nakama struct {
	// Realm is the realm of its players.
	Realm string `yaml:"realm,required"`
	// Keys are the values of Nakama's session.encryption_key: the present one and, while it is replaced, former ones. One
	// to three, each at least 32 bytes.
	Keys []Secret `yaml:"keys,required"`
	// RefreshKeys are the values of Nakama's session.refresh_encryption_key, to make sure that they are others than keys. A
	// gate before a Nakama without the plugin needs them.
	RefreshKeys []Secret `yaml:"refresh_keys"`
	// Aliases says what happens to a Nakama user whose player is not known: required refuses them, so that a ban of the
	// player always holds; optional takes the Nakama user as a player of its own, whom a ban by the subject does not reach.
	Aliases string `yaml:"aliases,required" oneof:"required optional"`
}

// Tickets are short single-use stand-ins for session tokens.
type Tickets struct {
	// Lifetime is how long a ticket can be redeemed, from 1s to 5m.
	Lifetime Duration `yaml:"lifetime" default:"30s"`
}

// Caller is a program, such as a game server, or an operator that may ask and tell this server about players' sessions. It
// authenticates with HTTP Basic.
type Caller struct {
	// ID is its name, also in the log.
	ID string `yaml:"id,required"`
	// Secrets are those it may show, several while they change. Each at least 32 bytes.
	Secrets []Secret `yaml:"secrets"`
	// SecretHashes are SHA-256 digests of such secrets in hexadecimal, for a file that is to hold no secret.
	SecretHashes []string `yaml:"secret_hashes"`
	// May is what it may do: introspect tokens, redeem tickets, revoke sessions and cut players off, ban and unban players,
	// follow the feed of revocations, list and end the gate's sockets, say which player a backend's user is (alias).
	May []string `yaml:"may,required" oneof:"introspect redeem revoke ban follow sockets alias"`
}

// CORS says which web pages may call the endpoints that players use.
type CORS struct {
	// Origins are the pages' origins, such as https://play.example.com. There is no wildcard.
	Origins []string `yaml:"origins"`
}

// Photon answers Photon's custom authentication.
type Photon struct {
	// Tokens are what players show: session for session tokens, identity for tokens of the identity providers, both.
	Tokens string `yaml:"tokens,required" oneof:"session identity both"`
	// Secrets are the values of the dashboard's secret pair, several while it changes. Each at least 16 characters, of
	// A–Z a–z 0–9 - . _ ~ only. Photon signs nothing, so they alone tell Photon from anybody else.
	Secrets []Secret `yaml:"secrets"`
	// SecretName is the pair's key.
	SecretName string `yaml:"secret_name" default:"secret"`
	// InsecureNoSecret lets anybody ask, for a network that only Photon's servers reach.
	InsecureNoSecret bool `yaml:"insecure_no_secret"`
	// TokenName is the parameter that holds the token.
	TokenName string `yaml:"token_name" default:"token"`
	// UserID says what Photon's UserId is: player_id, the player's UUID; backend_user_id, the backend's own id (Nakama), only
	// for session tokens; subject, the issuer's sub, only with a single realm.
	UserID string `yaml:"user_id" oneof:"player_id backend_user_id subject" default:"player_id"`
	// NoNickname leaves the verified user name out of the answer.
	NoNickname bool `yaml:"no_nickname"`
}

// ClerkWebhook takes the webhooks of one Clerk instance, at /v1/clerk/webhook.
type ClerkWebhook struct {
	// Issuer is the instance's iss, that of one of the issuers of type clerk, whose realm it gets.
	Issuer string `yaml:"issuer,required"`
	// Secrets are the endpoint's signing secrets (whsec_…), several while they change.
	Secrets []Secret `yaml:"secrets,required"`
}

// ForwardAuth answers a reverse proxy that asks, at /verify, before it lets a request pass. Only the proxy may reach it.
type ForwardAuth struct {
	// Proxy is who asks. It decides in which headers the original request is looked for; nginx must set X-Original-URI and
	// X-Original-Method.
	Proxy string `yaml:"proxy,required" oneof:"nginx traefik caddy envoy"`
	// Tokens are what players show: session for session tokens, identity for tokens of the identity providers, both.
	Tokens string `yaml:"tokens,required" oneof:"session identity both"`
	// Query is a parameter of the original request that may hold the token, for clients that can send no header. Such
	// tokens end up in access logs.
	Query string `yaml:"query"`
	// Ticket is a parameter of the original request that may hold a ticket.
	Ticket string `yaml:"ticket"`
	// Cookie takes the token from a cookie as well.
	Cookie *Cookie `yaml:"cookie"`
	// AnyGroup are groups of which the player must be in at least one. Without it no group is needed.
	AnyGroup []string `yaml:"any_group"`
	// AllowAnonymous lets a request without a token pass, as nobody. A bad token is refused all the same.
	AllowAnonymous bool `yaml:"allow_anonymous"`
}

// Cookie is a cookie that holds a token.
type Cookie struct {
	// Name is the cookie's name, such as __Host-session.
	Name string `yaml:"name,required"`
	// Origins are the origins whose pages may send it, the site's own included.
	Origins []string `yaml:"origins,required"`
}
