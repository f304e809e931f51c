package config

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// Secret is a text that is never shown: it prints itself as [redacted], also in logs and JSON.
type Secret string

const hidden = "[redacted]"

// UnmarshalText takes the text as it is.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret from the verb %#v.
func (Secret) GoString() string { return hidden }

// MarshalText hides the secret.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// reveal returns the secret itself.
func (s Secret) reveal() string { return string(s) }

// Bytes returns the secret itself.
func (s Secret) Bytes() []byte { return []byte(s.reveal()) }

// Duration is a length of time: Go's notation (90s, 15m, 1h30m) or whole days (30d).
type Duration time.Duration

// UnmarshalText reads a duration that is not negative.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := parseDuration(string(text))
	if err != nil || parsed < 0 {
		return errors.New("want " + d.Want())
	}
	*d = Duration(parsed)
	return nil
}

// Want names the notation that UnmarshalText reads.
func (Duration) Want() string { return "a duration such as 10s, 15m, 2h or 30d" }

func parseDuration(text string) (time.Duration, error) {
	days, ok := strings.CutSuffix(text, "d")
	if !ok {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	return time.Duration(n) * 24 * time.Hour, err
}

// String is the notation that UnmarshalText reads.
func (d Duration) String() string {
	if day := Duration(24 * time.Hour); d > 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	text := time.Duration(d).String()
	if before, ok := strings.CutSuffix(text, "m0s"); ok {
		text = before + "m"
	}
	if before, ok := strings.CutSuffix(text, "h0m"); ok {
		text = before + "h"
	}
	return text
}

// MarshalText is the notation that UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
