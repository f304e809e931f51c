package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/uuid"
)

// Kind says what an Event does.
type Kind string

const (
	// SessionRevoked ends one session. With an Upstream it also cuts off the identity tokens of that upstream session
	// that were issued until now, so that they cannot buy a new session.
	SessionRevoked Kind = "session_revoked"
	// PlayerCutOff ends every session of a player, and every identity token, from before now.
	PlayerCutOff Kind = "player_cut_off"
	// PlayerBanned refuses a player altogether until Until, or for good.
	PlayerBanned Kind = "player_banned"
	// PlayerUnbanned ends a ban. Tokens from before and during the ban are accepted again.
	PlayerUnbanned Kind = "player_unbanned"
	// UpstreamRevoked ends an upstream session for good: every session made from it, and every identity token of it,
	// whenever it was issued.
	UpstreamRevoked Kind = "upstream_revoked"
	// PlayerAlias says that a backend knows the player as Alias.
	PlayerAlias Kind = "player_alias"
)

// Event is one change to what is revoked, or one learned alias. It is stored, sent to followers as JSON with the names
// below, and told to subscribers. Which fields an event has depends on its Kind; [Event.Validate] holds the table.
type Event struct {
	// ID is a UUID, version 7 when Sallyport makes it, in lower-case text form. The same ID is the same event.
	ID string `json:"id"`
	// Kind says what it does.
	Kind Kind `json:"kind"`
	// At is when it was stored, by the store's clock, in UTC. It is zero before that.
	At time.Time `json:"at,omitzero"`
	// Player is whom it is about. UpstreamRevoked needs only the realm.
	Player identity.Player `json:"player,omitzero"`
	// Session is the session's id as tokens are read: a UUID is in lower case. With SessionRevoked.
	Session string `json:"session,omitempty"`
	// Upstream is a key as [UpstreamOf] makes it, with UpstreamRevoked and, if known, SessionRevoked.
	Upstream string `json:"upstream,omitempty"`
	// Alias is the backend's own id of the player, a UUID in lower case. With PlayerAlias.
	Alias string `json:"alias,omitempty"`
	// Reason is the operator's or the program's word for it, for people, at most 256 bytes.
	Reason string `json:"reason,omitempty"`
	// Until is the end of a ban, zero for one without end.
	Until time.Time `json:"until,omitzero"`
	// Expires is when the event may be forgotten because nothing is left that it could refuse. It is zero, which is
	// never, only with a ban without end.
	Expires time.Time `json:"expires,omitzero"`
}

// Bounds of an event's texts in bytes.
const (
	maxReasonBytes = 256
	maxNameBytes   = 1024
)

// ErrInvalidEvent is wrapped by every error of [Event.Validate]: the caller's mistake, not the store's.
var ErrInvalidEvent = errors.New("session: invalid event")

// Validate says what is wrong with an event, if anything. At may be zero. Every error wraps ErrInvalidEvent.
func (e Event) Validate() error {
	if id, ok := uuid.Canonical(e.ID); !ok || id != e.ID {
		return invalid("id: want a UUID in lower-case text form")
	}
	if err := e.validateTexts(); err != nil {
		return err
	}
	if err := e.validateFields(); err != nil {
		return err
	}
	return e.validateTimes()
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalidEvent, fmt.Sprintf(format, args...))
}

func (e Event) validateTexts() error {
	texts := []struct {
		name, value string
		max         int
	}{
		{"player.realm", e.Player.Realm, maxNameBytes},
		{"player.subject", e.Player.Subject, maxNameBytes},
		{"session", e.Session, maxNameBytes},
		{"upstream", e.Upstream, maxNameBytes},
		{"alias", e.Alias, maxNameBytes},
		{"reason", e.Reason, maxReasonBytes},
	}
	for _, t := range texts {
		if len(t.value) > t.max || !printable(t.value) {
			return invalid("%s: want at most %d bytes of UTF-8 without control characters", t.name, t.max)
		}
	}
	return nil
}

// fields is which fields an event of a kind has: need must be there, may may be, all others must not.
type fields struct{ need, may string }

// The letters are those of Event.has.
var fieldsOf = map[Kind]fields{
	SessionRevoked:  {need: "Se", may: "RPU"},
	PlayerCutOff:    {need: "RPe"},
	PlayerBanned:    {need: "RP", may: "ue"},
	PlayerUnbanned:  {need: "RPe"},
	UpstreamRevoked: {need: "RUe", may: "P"},
	PlayerAlias:     {need: "RPAe"},
}

func (e Event) has(letter rune) (name string, ok bool) {
	switch letter {
	case 'R':
		return "player.realm", e.Player.Realm != ""
	case 'P':
		return "player.subject", e.Player.Subject != ""
	case 'S':
		return "session", e.Session != ""
	case 'U':
		return "upstream", e.Upstream != ""
	case 'A':
		return "alias", e.Alias != ""
	case 'u':
		return "until", !e.Until.IsZero()
	default:
		return "expires", !e.Expires.IsZero()
	}
}

func (e Event) validateFields() error {
	want, known := fieldsOf[e.Kind]
	if !known {
		return invalid("kind: unknown; this program may be older than the one that wrote the event")
	}
	for _, letter := range "RPSUAue" {
		name, has := e.has(letter)
		switch {
		case !has && strings.ContainsRune(want.need, letter):
			return invalid("%s: required with %s", name, e.Kind)
		case has && !strings.ContainsRune(want.need+want.may, letter):
			return invalid("%s: not allowed with %s", name, e.Kind)
		}
	}
	if e.Upstream != "" && e.Player.Realm == "" {
		return invalid("player.realm: required with upstream")
	}
	return nil
}

func (e Event) validateTimes() error {
	for _, t := range []time.Time{e.At, e.Until, e.Expires} {
		if !t.IsZero() && (t.Unix() <= 0 || t.Unix() >= never) {
			return invalid("times: want them between 1970 and 2106")
		}
	}
	switch {
	case e.Kind != PlayerBanned:
		return nil
	case e.Until.IsZero() != e.Expires.IsZero():
		return invalid("expires: a ban has it if and only if it has an end")
	case e.Expires.Before(e.Until):
		return invalid("expires: want it not before until")
	}
	return nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// plainReason makes any text fit to be a Reason: a revocation must not fail for the sake of its label.
func plainReason(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	for len(s) > maxReasonBytes {
		_, last := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-last]
	}
	return s
}

// normal returns e with its times in UTC and without a monotonic clock, so that equal events are equal values.
func (e Event) normal() Event {
	for _, t := range []*time.Time{&e.At, &e.Until, &e.Expires} {
		*t = t.Round(0).UTC()
	}
	return e
}

// MarshalJSON writes the event with its times as RFC 3339 in UTC.
func (e Event) MarshalJSON() ([]byte, error) {
	type plain Event
	return json.Marshal(plain(e.normal()))
}

// UnmarshalJSON reads what MarshalJSON wrote. Unknown members are ignored, as later versions may add some; an unknown
// kind is an error, because a revocation that is not understood must not be passed over. Every error wraps
// ErrInvalidEvent.
func (e *Event) UnmarshalJSON(data []byte) error {
	type plain Event
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		return invalid("not the JSON of an event")
	}
	read := Event(p).normal()
	if err := read.Validate(); err != nil {
		return err
	}
	*e = read
	return nil
}

// Batch is one page of a feed, and the JSON body of GET /v1/events.
type Batch struct {
	// Events are the events, in the order in which they were stored. Each has its At.
	Events []Event `json:"events"`
	// Cursor is where to go on. It is opaque, at most 256 bytes.
	Cursor string `json:"cursor"`
	// Reset says that the cursor was empty or unknown to the feed and that this page starts the whole set of live
	// events from the beginning.
	Reset bool `json:"reset,omitempty"`
	// More says that further events wait behind Cursor: who asks again gets them at once, and is not up to date before.
	More bool `json:"more,omitempty"`
}

const maxCursorBytes = 256

// Validate says what is wrong with a batch, if anything. Every error wraps ErrInvalidEvent.
func (b Batch) Validate() error {
	if b.Cursor == "" || len(b.Cursor) > maxCursorBytes || !printable(b.Cursor) {
		return invalid("batch cursor: want 1 to %d bytes without control characters", maxCursorBytes)
	}
	if b.More && len(b.Events) == 0 {
		return invalid("batch more: not allowed without events")
	}
	for i, e := range b.Events {
		if err := e.Validate(); err != nil {
			return fmt.Errorf("%w (event %d of a batch)", err, i)
		}
		if e.At.IsZero() {
			return invalid("at: required (event %d of a batch)", i)
		}
	}
	return nil
}

// UnmarshalJSON reads a batch and validates it. Every error wraps ErrInvalidEvent and holds nothing of data.
func (b *Batch) UnmarshalJSON(data []byte) error {
	type plain Batch
	var p plain
	if err := json.Unmarshal(data, &p); errors.Is(err, ErrInvalidEvent) {
		return err
	} else if err != nil {
		return invalid("not the JSON of a batch")
	}
	if err := Batch(p).Validate(); err != nil {
		return err
	}
	*b = Batch(p)
	return nil
}
