package session

import "strings"

// Topic returns what the event is about, for a store that leaves out what a later event makes void (see [Event.Voids]):
// of the events on one topic mostly the last one counts. Events of one player, session, upstream session or alias and of
// one sort (a ban and its end are one sort) have the same topic. It is an opaque key, at most about 3 kB long.
func (e Event) Topic() string {
	t := topicOf(e)
	return strings.Join([]string{string(t.kind), t.realm, t.id, t.upstream}, "\x00") // which no valid event contains
}

// Voids says whether nothing is left of an event of the same Topic once e is stored, so that a store may leave old out
// of its feed. Both have their At.
func (e Event) Voids(old Event) bool { return topicOf(e) == topicOf(old) && voids(e, old) }
