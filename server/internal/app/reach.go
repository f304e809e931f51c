package app

import (
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/server/internal/config"
)

// Reach says who may reach one path of the server.
type Reach struct {
	// Path is the path; Methods are its HTTP methods.
	Path, Methods string
	// Who says who gets an answer there, and with what.
	Who string
}

const (
	anyone = "anyone"
	holder = "whoever holds the session or refresh token"
)

// WhoMayReach lists every path that a configuration opens, and those that only lack someone who may.
func WhoMayReach(file *config.File) []Reach {
	var list []Reach
	add := func(path, methods, who string) { list = append(list, Reach{path, methods, who}) }
	if file.Sessions != nil {
		add("/oauth2/token", "POST", "players with a token of "+issuers(file)+", or a refresh token")
		if file.Sessions.KeyFile != "" {
			add("/.well-known/jwks.json", "GET", anyone)
		}
	}
	add("/oauth2/revoke", "POST", holder)
	add("/oauth2/introspect", "POST", who(file, "introspect"))
	add("/.well-known/oauth-authorization-server", "GET", anyone)
	add("/v1/ticket", "POST", "players with a session token")
	add("/v1/ticket/redeem", "POST", who(file, "redeem"))
	add(pathEvents, "GET", who(file, "follow"))
	add("/v1/admin/revoke", "POST", who(file, "revoke"))
	add("/v1/admin/cutoff", "POST", who(file, "revoke"))
	add("/v1/admin/ban", "POST", who(file, "ban"))
	add("/v1/admin/unban", "POST", who(file, "ban"))
	add("/v1/admin/alias", "POST", who(file, "alias"))
	if file.Gate != nil {
		add("/v1/sockets", "GET", who(file, "sockets"))
		add("/v1/sockets/kick", "POST", who(file, "sockets"))
	}
	if who := logouts(file); who != "" {
		add("/v1/backchannel-logout", "POST", who)
	}
	if len(file.ClerkWebhooks) > 0 {
		add("/v1/clerk/webhook", "POST", "Clerk, with a signature of the configured secrets")
	}
	if file.Verify != nil {
		add("/verify", verifyMethods(file.Verify), "the proxy "+file.Verify.Proxy+", for "+forwarded(file.Verify))
	}
	if file.Photon != nil {
		add(pathPhoton, "GET, POST", photonCallers(file.Photon))
	}
	add("/livez", "GET", anyone)
	add("/readyz", "GET", anyone)
	return list
}

func issuers(file *config.File) string {
	var names []string
	for _, i := range file.Issuers {
		names = append(names, i.Type+" ("+i.Preset.RealmName()+")")
	}
	return strings.Join(names, ", ")
}

// who names the callers with a permission.
func who(file *config.File, may string) string {
	var ids []string
	for _, c := range file.Callers {
		if slices.Contains(c.May, may) {
			ids = append(ids, c.ID)
		}
	}
	if len(ids) == 0 {
		return "nobody: no caller may " + may
	}
	return "callers: " + strings.Join(ids, ", ")
}

func logouts(file *config.File) string {
	var names []string
	for _, i := range file.Issuers {
		if i.Preset.TakesLogouts() {
			names = append(names, i.Type+" ("+i.Preset.RealmName()+")")
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "the issuers " + strings.Join(names, ", ") + ", with a signed logout token"
}

func verifyMethods(v *config.ForwardAuth) string {
	if v.Proxy == "envoy" {
		return "any"
	}
	return "GET, HEAD"
}

func forwarded(v *config.ForwardAuth) string {
	players := "players with a " + kindOf(v.Tokens) + " token"
	if len(v.AnyGroup) > 0 {
		players += " in one of the groups " + strings.Join(v.AnyGroup, ", ")
	}
	if v.AllowAnonymous {
		players += ", and requests without a token"
	}
	return players
}

func photonCallers(p *config.Photon) string {
	players := " asks about players with a " + kindOf(p.Tokens) + " token"
	if p.InsecureNoSecret {
		return "ANYONE (insecure_no_secret)" + players
	}
	return "Photon, with the dashboard's secret," + players
}

func kindOf(tokens string) string {
	if tokens == "both" {
		return "session or identity"
	}
	return tokens
}
