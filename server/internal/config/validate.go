package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
)

// minSecret is the least length of a key or secret in bytes (RFC 7518 section 3.2).
const minSecret = 32

// known are secrets that ship with products, so everybody has them.
var known = []string{"defaultencryptionkey", "defaultrefreshencryptionkey", "defaultsigningkey", "defaulthttpkey", "defaultkey"}

var (
	sha256Form   = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
	photonSecret = regexp.MustCompile(`^[A-Za-z0-9._~-]{16,}$`)
)

// trim leaves out the name of the package that an error comes from.
func trim(err error) string { return strings.TrimPrefix(err.Error(), "identity: ") }

// validate reports what a field's type alone does not say. It also runs on a file that has problems already, so it must
// not rely on any field.
func (f *File) validate() {
	f.checkURL("issuer", f.Issuer)
	f.checkAddresses()
	f.checkStore()
	f.checkRevocation()
	f.checkSessions()
	f.checkNakama()
	f.checkIssuers()
	f.checkCallers()
	f.checkOrigins("cors.origins", f.CORS.Origins)
	f.bounds("tickets.lifetime", f.Tickets.Lifetime, time.Second, 5*time.Minute)
	f.checkPhoton()
	f.checkForward()
	f.checkWebhooks()
	f.checkGate()
	if f.Sessions == nil && f.Nakama == nil {
		f.report("", "neither sessions nor nakama is there: say who makes the session tokens")
	}
}

func (f *File) report(path, format string, args ...any) { f.yaml.Report(path, format, args...) }

func (f *File) checkURL(path, text string) {
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || u.User != nil || u.RawQuery != "" || strings.ContainsAny(text, "?#"):
		f.report(path, "want a URL such as https://auth.example.com")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		f.report(path, "want https; http will do on a loopback address alone")
	case u.Path != "":
		f.report(path, "want a URL without a path and without a slash at the end")
	}
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// checkAddresses wants an address for each listener.
func (f *File) checkAddresses() {
	f.checkListen("listen", f.Listen)
	taken := map[string]string{f.Listen: "listen"}
	other := func(path, address string) {
		f.checkListen(path, address)
		if before := taken[address]; before != "" && address != "" && !strings.HasSuffix(address, ":0") {
			f.report(path, "is the same as %s: each needs an address of its own", before)
		}
		taken[address] = path
	}
	if f.Gate != nil {
		other("gate.listen", f.Gate.Listen)
	}
	if f.Metrics != nil {
		other("metrics.listen", f.Metrics.Listen)
	}
}

func (f *File) checkListen(path, address string) {
	if address == "" {
		return
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		f.report(path, "want HOST:PORT, such as 127.0.0.1:8080 or :8080")
	}
}

func (f *File) checkRevocation() {
	f.bounds("revocation.grace", f.Revocation.Grace, 15*time.Second, 10*time.Minute)
	least := Duration(0)
	if f.Sessions != nil {
		least = f.Sessions.SessionLifetime
	}
	f.bounds("revocation.upstream_lifetime", f.Revocation.UpstreamLifetime, time.Duration(least), 20*365*24*time.Hour)
}

// bounds reports a duration outside of its bounds, unless it is no duration at all. One that is left out and has no default
// is not looked at.
func (f *File) bounds(path string, d Duration, least, most time.Duration) {
	if d == 0 && !f.yaml.Has(path) || f.yaml.Reported(path) {
		return
	}
	if got := time.Duration(d); got < least || got > most {
		f.report(path, "want %v to %v", Duration(least), Duration(most))
	}
}

func (f *File) checkSessions() {
	s := f.Sessions
	if s == nil {
		return
	}
	f.bounds("sessions.token_lifetime", s.TokenLifetime, time.Second, 24*time.Hour)
	f.bounds("sessions.session_lifetime", s.SessionLifetime, time.Duration(s.TokenLifetime), 400*24*time.Hour)
	f.bounds("sessions.repeat_window", s.RepeatWindow, time.Second, time.Minute)
	f.bounds("sessions.key_cache_lifetime", s.KeyCacheLifetime, time.Second, 24*time.Hour)
	needsKeys := false
	for i, a := range s.Audiences {
		path := fmt.Sprintf("sessions.audiences[%d]", i)
		f.once(path+".name", a.Name, i, func(j int) string { return s.Audiences[j].Name })
		if a.Secret == "" {
			needsKeys = true
			continue
		}
		f.strong(path+".secret", a.Secret)
		f.once(path+".secret", a.Secret.reveal(), i, func(j int) string { return s.Audiences[j].Secret.reveal() })
	}
	if needsKeys && s.KeyFile == "" {
		f.report("sessions", "key_file is missing: make one with: sallyport keys new FILE")
	}
}

// once reports a value that an earlier entry of the same list has.
func (f *File) once(path, value string, i int, of func(j int) string) {
	for j := range i {
		if value != "" && of(j) == value {
			f.report(path, "is the same as that of entry %d of the list", j)
			return
		}
	}
}

// strong reports a secret that anyone can guess.
func (f *File) strong(path string, s Secret) {
	switch {
	case s == "" || f.InsecureKeys:
	case slices.Contains(known, s.reveal()):
		f.report(path, "is the default that a product ships with, so everybody knows it; make your own, or set insecure_keys: true")
	case len(s) < minSecret:
		f.report(path, "has %d bytes, want at least %d; make one with: openssl rand -hex 32 (or set insecure_keys: true)", len(s), minSecret)
	case strings.Count(s.reveal(), string(s[0])) == len(s):
		f.report(path, "is one character repeated; make one with: openssl rand -hex 32 (or set insecure_keys: true)")
	}
}

func (f *File) checkNakama() {
	if f.Nakama == nil {
		return
	}
	if len(f.Nakama.Keys) > 3 {
		f.report("nakama.keys", "has %d entries, want at most 3: a token does not say which key it was made with", len(f.Nakama.Keys))
	}
	for i, key := range f.Nakama.Keys {
		path := fmt.Sprintf("nakama.keys[%d]", i)
		f.strong(path, key)
		if key != "" && slices.Contains(f.Nakama.RefreshKeys, key) {
			f.report(path, "is one of refresh_keys too: Nakama's refresh tokens would be taken as session tokens")
		}
	}
}

// checkIssuers makes every issuer once, which checks its fields, and all of them together, which checks their iss.
func (f *File) checkIssuers() {
	var made []*identity.Issuer
	for i, issuer := range f.Issuers {
		path := fmt.Sprintf("issuers[%d]", i)
		if issuer.Preset == nil || f.yaml.Reported(path) {
			continue
		}
		one, err := issuer.Preset.New(identity.Common{})
		if err != nil {
			f.issuerProblem(path, issuer.Preset, err)
			continue
		}
		defer one.Close()
		made = append(made, one)
		if _, err := identity.NewIssuers(made...); err != nil {
			f.report(path, "%s", trim(err))
			made = made[:len(made)-1]
		}
	}
}

// issuerProblem reports what a preset's package says of a field, in the file's words.
func (f *File) issuerProblem(path string, preset Preset, err error) {
	wrong := (*identity.ConfigError)(nil)
	if !errors.As(err, &wrong) {
		f.report(path, "%s", trim(err))
		return
	}
	names := yamlNames(reflect.TypeOf(preset).Elem())
	if name := names[wrong.Field]; name != "" {
		path += "." + name
	}
	f.report(path, "%s", goName.ReplaceAllStringFunc(wrong.Problem, func(word string) string {
		return cmp.Or(names[word], word)
	}))
}

// goName is a word that may be the name of a Go field.
var goName = regexp.MustCompile(`\b[A-Z][A-Za-z0-9]+\b`)

// yamlNames leads from the names of a struct's Go fields, which are those of package identity too, to those in the file.
func yamlNames(typ reflect.Type) map[string]string {
	names := make(map[string]string)
	for _, f := range reflect.VisibleFields(typ) {
		names[f.Name], _, _ = strings.Cut(f.Tag.Get("yaml"), ",")
	}
	return names
}

func (f *File) checkOrigins(path string, origins []string) {
	for i, origin := range origins {
		u, err := url.Parse(origin)
		if origin != "" && (err != nil || u.Host == "" || u.Scheme+"://"+u.Host != origin) {
			f.report(fmt.Sprintf("%s[%d]", path, i), "want an origin such as https://play.example.com, without a path")
		}
	}
}
