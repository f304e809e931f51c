package redis

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/sallyport-auth/sallyport/session"
)

// revocationKeys are the keys of the revocations. They have one hash tag, because a script changes them together.
type revocationKeys struct{ events, ids, due, meta string }

func newRevocationKeys(namespace string) revocationKeys {
	p := namespace + ":" + version + ":{" + namespace + "}:"
	return revocationKeys{p + "events", p + "ids", p + "due", p + "meta"}
}

func (k revocationKeys) all() []string { return []string{k.events, k.ids, k.due, k.meta} }

// Append stores an event, see [session.Revocations]. What it acknowledges it remembers, to write it again after a
// fail-over.
func (s *Store) Append(ctx context.Context, e session.Event) (session.Event, error) {
	if err := e.Validate(); err != nil {
		return session.Event{}, err
	}
	args, err := s.appendArgs(e)
	if err != nil {
		return session.Event{}, err
	}
	answer, err := s.call(ctx, appendScript, s.keys.all(), args...)
	if err != nil {
		return session.Event{}, err
	}
	stored, err := parseEvent(text(answer, 1), text(answer, 2))
	if err != nil {
		return session.Event{}, unavailable(err)
	}
	if err := s.healer.memory.remember(stored, s.config.Remember, time.Now()); err != nil {
		return session.Event{}, unavailable(err)
	}
	s.observe(text(answer, 0))
	return stored, nil
}

// news is the channel of the events that are pushed besides the stream.
func (s *Store) news() string { return s.config.Namespace + ":" + version + ":news" }

// Follow calls told with revocations as they are stored, on a connection of its own, see [session.Pusher]. Aliases, of which
// there is one with each new player, and what is written again after a fail-over come by Since alone.
func (s *Store) Follow(ctx context.Context, told func(session.Event)) error {
	return s.listen(ctx, []string{s.news()}, func() {}, func(text string) {
		micro, body, _ := strings.Cut(text, " ")
		if e, err := parseEvent(body, micro); err == nil {
			told(e)
		}
	})
}

// appendArgs are the arguments of the append script after the time.
func (s *Store) appendArgs(e session.Event) ([]string, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("redis: event: %w", err)
	}
	pushed := ""
	if e.At.IsZero() && e.Kind != session.PlayerAlias {
		pushed = s.news()
	}
	return []string{shortID(e.ID), string(body), microsUp(e.At), microsUp(e.Expires), rand.Text()[:13], pushed}, nil
}

// shortID is a UUID without its dashes: the keys of a hundred thousand events need not be longer.
func shortID(id string) string { return strings.ReplaceAll(id, "-", "") }

// parseEvent reads an event as it is stored: time is in microseconds, "" if the body has it.
func parseEvent(body, micro string) (session.Event, error) {
	var e session.Event
	if err := e.UnmarshalJSON([]byte(body)); err != nil {
		return session.Event{}, err
	}
	if t, err := strconv.ParseInt(micro, 10, 64); err == nil {
		e.At = time.UnixMicro(t).UTC()
	}
	if e.At.IsZero() {
		return session.Event{}, errAnswer
	}
	return e, nil
}

// entry is one element of the stream.
type entry struct {
	position position
	event    session.Event
}

func parseEntry(x rueidis.XRangeEntry) (entry, error) {
	p, ok := parsePosition(x.ID)
	if !ok {
		return entry{}, errAnswer
	}
	e, err := parseEvent(x.FieldValues["e"], x.FieldValues["t"])
	return entry{p, e}, err
}

func parseEntries(list []rueidis.XRangeEntry) ([]entry, error) {
	entries := make([]entry, 0, len(list))
	for _, x := range list {
		e, err := parseEntry(x)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}
