package session

import (
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	feedWait  = 10 * time.Second // how long Since waits for news
	pageLimit = 1000             // events in a batch: about 400 kB of JSON
)

// eventLog is the live events in the order they came. An event that a later one makes void leaves the log, so a player
// who is cut off every day takes one place.
type eventLog struct {
	mu     sync.Mutex
	epoch  string // of this log; a cursor of another one is unknown here
	number uint64 // of the last event
	last   time.Time
	log    []*record // by number, with gone ones until it is compacted
	gone   int
	byID   expiring[string, *record]
	latest map[topic]*record
	news   chan struct{} // closed by the next append
}

type record struct {
	number uint64
	event  Event
	gone   bool
}

// topic is what of several events on it only the last one counts.
type topic struct {
	kind                Kind
	realm, id, upstream string
}

func topicOf(e Event) topic {
	switch e.Kind {
	case SessionRevoked:
		return topic{e.Kind, e.Player.Realm, e.Session, e.Upstream}
	case UpstreamRevoked:
		return topic{e.Kind, e.Player.Realm, "", e.Upstream}
	case PlayerAlias:
		return topic{kind: e.Kind, id: e.Alias}
	case PlayerUnbanned:
		return topic{PlayerBanned, e.Player.Realm, e.Player.Subject, ""}
	default:
		return topic{e.Kind, e.Player.Realm, e.Player.Subject, ""}
	}
}

// voids says whether nothing is left of old once e is there.
func voids(e, old Event) bool {
	switch e.Kind {
	case PlayerBanned, PlayerUnbanned:
		return supersedes(e, old)
	case PlayerAlias:
		return e.At.After(old.At)
	default:
		return !e.At.Before(old.At) && !e.Expires.Before(old.Expires)
	}
}

func newEventLog() eventLog {
	return eventLog{epoch: rand.Text()[:13], latest: map[topic]*record{}, news: make(chan struct{})}
}

func (l *eventLog) append(e Event, now time.Time) Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byID.prune(now, l.drop)
	if known, ok := l.byID.get(e.ID, now); ok {
		return known.value.event
	}
	e.At = l.stamp(e.At, now)
	old := l.latest[topicOf(e)]
	if expired(e, now) || old != nil && !old.gone && voids(old.event, e) {
		return e
	}
	if old != nil && !old.gone && voids(e, old.event) {
		delete(l.byID.entries, old.event.ID)
		l.drop(old)
	}
	l.store(e)
	return e
}

// stamp keeps the time of an event that was acknowledged before, and else moves on.
func (l *eventLog) stamp(at, now time.Time) time.Time {
	if !at.IsZero() && !at.After(now) {
		return at
	}
	if !now.After(l.last) {
		now = l.last.Add(time.Nanosecond)
	}
	l.last = now
	return now
}

func expired(e Event, now time.Time) bool { return !e.Expires.IsZero() && !now.Before(e.Expires) }

func (l *eventLog) store(e Event) {
	l.number++
	r := &record{number: l.number, event: e}
	l.log = append(l.log, r)
	l.latest[topicOf(e)] = r
	l.byID.put(e.ID, r, e.Expires)
	close(l.news)
	l.news = make(chan struct{})
}

// drop takes a record out of the log. Once half of the log is gone it is compacted.
func (l *eventLog) drop(r *record) {
	r.gone = true
	if t := topicOf(r.event); l.latest[t] == r {
		delete(l.latest, t)
	}
	l.gone++
	if 2*l.gone > len(l.log) {
		l.log = slices.DeleteFunc(l.log, func(r *record) bool { return r.gone })
		l.gone = 0
	}
}

// since returns a batch, and with an empty one that is no reset a channel that is closed when there is news.
func (l *eventLog) since(cursor string, now time.Time) (Batch, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	after, known := l.parse(cursor)
	batch := Batch{Reset: !known, Events: []Event{}}
	end := l.number
	from, _ := slices.BinarySearchFunc(l.log, after+1, func(r *record, n uint64) int { return int(int64(r.number - n)) })
	for _, r := range l.log[from:] {
		if r.gone || expired(r.event, now) {
			continue
		}
		if batch.More = len(batch.Events) == pageLimit; batch.More {
			break
		}
		batch.Events = append(batch.Events, r.event)
		end = r.number
	}
	batch.Cursor = l.epoch + "." + strconv.FormatUint(end, 10)
	if batch.Reset || len(batch.Events) > 0 {
		return batch, nil
	}
	return batch, l.news
}

func (l *eventLog) parse(cursor string) (uint64, bool) {
	epoch, number, _ := strings.Cut(cursor, ".")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || epoch != l.epoch || n > l.number {
		return 0, false
	}
	return n, true
}
