package session

import (
	"fmt"
	"log/slog"
)

// What holds a secret or a token is printed and logged without it, whatever the verb and the handler. JSON of a Family
// is for stores and has its secret.

const redacted = "[redacted]"

func redact(s *string) {
	if *s != "" {
		*s = redacted
	}
}

// Format prints the family without its secret.
func (f Family) Format(s fmt.State, verb rune) {
	type plain Family
	f.Secret = nil
	fmt.Fprintf(s, fmt.FormatString(s, verb), plain(f))
}

// Format prints the grant without its tokens.
func (g Grant) Format(s fmt.State, verb rune) {
	type plain Grant
	redact(&g.AccessToken)
	redact(&g.RefreshToken)
	fmt.Fprintf(s, fmt.FormatString(s, verb), plain(g))
}

// Format prints the request without its token.
func (r ExchangeRequest) Format(s fmt.State, verb rune) {
	type plain ExchangeRequest
	redact(&r.SubjectToken)
	fmt.Fprintf(s, fmt.FormatString(s, verb), plain(r))
}

// Format prints the request without its token.
func (r RefreshRequest) Format(s fmt.State, verb rune) {
	type plain RefreshRequest
	redact(&r.RefreshToken)
	fmt.Fprintf(s, fmt.FormatString(s, verb), plain(r))
}

// Format prints the audience without its secret.
func (a Audience) Format(s fmt.State, verb rune) {
	type plain Audience
	a.Secret = nil
	fmt.Fprintf(s, fmt.FormatString(s, verb), plain(a))
}

// Format prints the configuration without its keys.
func (c NakamaConfig) Format(s fmt.State, verb rune) {
	type plain NakamaConfig
	c.Keys, c.RefreshKeys = nil, nil
	fmt.Fprintf(s, fmt.FormatString(s, verb), plain(c))
}

// Format prints the configuration without the client's secret.
func (c FollowerConfig) Format(s fmt.State, verb rune) {
	type plain FollowerConfig
	redact(&c.ClientSecret)
	fmt.Fprintf(s, fmt.FormatString(s, verb), plain(c))
}

// Format prints the name of the issuer and nothing that it holds.
func (i *Issuer) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "session.Issuer(%q)", i.config.Issuer) }

// Format prints the address of the feed and nothing else.
func (f *Follower) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "session.Follower(%q)", f.url.String())
}

// Format prints nothing that the store holds.
func (m *MemoryStore) Format(s fmt.State, _ rune) { fmt.Fprint(s, "session.MemoryStore") }

// LogValue is the family without its secret.
func (f Family) LogValue() slog.Value { return logged(f) }

// LogValue is the grant without its tokens.
func (g Grant) LogValue() slog.Value { return logged(g) }

// LogValue is the request without its token.
func (r ExchangeRequest) LogValue() slog.Value { return logged(r) }

// LogValue is the request without its token.
func (r RefreshRequest) LogValue() slog.Value { return logged(r) }

// LogValue is the audience without its secret.
func (a Audience) LogValue() slog.Value { return logged(a) }

// LogValue is the configuration without the client's secret.
func (c FollowerConfig) LogValue() slog.Value { return logged(c) }

func logged(v fmt.Formatter) slog.Value { return slog.StringValue(fmt.Sprintf("%+v", v)) }
