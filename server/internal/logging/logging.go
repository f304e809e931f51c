// Package logging makes the server's logger: JSON lines of log/slog, with everything that could be a credential taken out
// before a line is written.
//
//	secrets := new(logging.Secrets)
//	secrets.Add(config.Callers[0].Secret)
//	logger := logging.New(os.Stderr, slog.LevelInfo, secrets)
//
// The rest of the program does not log credentials; this is the second lock on that door. Three things are replaced by
// [Redacted], wherever they stand in a message or a value: whatever has the form of a token or of a ticket, whatever
// follows the name of an authentication scheme, and every secret of the configuration. An attribute whose name says that
// it holds a credential loses its whole value.
package logging

import (
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
)

// Redacted stands where a credential was.
const Redacted = "[redacted]"

// credentials are the forms that credentials have: a JSON Web Token or its parts, any other three long parts with dots
// between them (a header need not begin with {"), our refresh tokens and tickets, and what follows a scheme in an
// Authorization header.
var credentials = regexp.MustCompile(`[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|eyJ[A-Za-z0-9_-]{6,}(\.[A-Za-z0-9_-]*)*|sp[rt]_[A-Za-z0-9_-]+|(?i:\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,})`)

// names are attributes that hold a credential whatever their value looks like.
var names = []string{
	"token", "access_token", "id_token", "refresh_token", "subject_token", "logout_token", "ticket",
	"secret", "client_secret", "password", "authorization", "cookie", "set-cookie", "key", "private_key",
}

// minSecret is the length of the shortest secret that is searched for: a shorter one would tear other words apart.
const minSecret = 6

// Secrets are the secrets of the configuration, which never appear in the log. The zero value has none. It is safe for
// concurrent use.
type Secrets struct {
	list atomic.Pointer[[]string]
}

// Set replaces the secrets by those of a new configuration, and keeps the ones before it: a request that began earlier
// may still fail with one of them.
func (s *Secrets) Set(secrets ...string) {
	kept := slices.Clone(s.all())
	for _, secret := range secrets {
		if len(secret) >= minSecret && !slices.Contains(kept, secret) {
			kept = append(kept, secret)
		}
	}
	slices.SortFunc(kept, func(a, b string) int { return len(b) - len(a) })
	s.list.Store(&kept)
}

func (s *Secrets) all() []string {
	if list := s.list.Load(); list != nil {
		return *list
	}
	return nil
}

// Scrub returns a text without credentials.
func (s *Secrets) Scrub(text string) string {
	for _, secret := range s.all() {
		text = strings.ReplaceAll(text, secret, Redacted)
	}
	return credentials.ReplaceAllString(text, Redacted)
}

// New returns a logger that writes JSON lines of at least the given level. Nil secrets are none.
func New(w io.Writer, level slog.Leveler, secrets *Secrets) *slog.Logger {
	if secrets == nil {
		secrets = new(Secrets)
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: secrets.replace}))
}

func (s *Secrets) replace(_ []string, a slog.Attr) slog.Attr {
	if slices.Contains(names, strings.ToLower(a.Key)) {
		return slog.String(a.Key, Redacted)
	}
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(s.Scrub(a.Value.String()))
	case slog.KindAny:
		a.Value = s.scrubAny(a.Value.Any())
	default: // numbers, times and truth values hold no credential; the members of groups come here one by one
	}
	return a
}

// scrubAny turns what is no plain value into text first, because its parts cannot be looked at one by one.
func (s *Secrets) scrubAny(value any) slog.Value {
	switch v := value.(type) {
	case *slog.Source, slog.Level:
		return slog.AnyValue(v)
	case []string:
		scrubbed := make([]string, len(v))
		for i, text := range v {
			scrubbed[i] = s.Scrub(text)
		}
		return slog.AnyValue(scrubbed)
	default:
		return slog.StringValue(s.Scrub(fmt.Sprint(v)))
	}
}
