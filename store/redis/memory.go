package redis

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/session"
)

// memory is what this node acknowledged, in that order. Aliases have a part of their own: there is one with each new
// player, and they must not push the revocations out.
type memory struct {
	mu                   sync.Mutex
	revocations, aliases queue
}

type queue []kept

// kept is an acknowledged event as its JSON, which takes half of the event's memory.
type kept struct {
	body    string
	expires int64 // Unix seconds, 0 for never
}

func (k kept) over(now time.Time) bool { return k.expires != 0 && k.expires <= now.Unix() }

// remember keeps an acknowledged event, at most limit of its sort.
func (m *memory) remember(e session.Event, limit int, now time.Time) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	k := kept{body: string(body)}
	if !e.Expires.IsZero() {
		k.expires = e.Expires.Unix() + 1
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.Kind == session.PlayerAlias {
		m.aliases.push(k, limit, now)
	} else {
		m.revocations.push(k, limit, now)
	}
	return nil
}

// push appends and takes off the oldest that are too many or over.
func (q *queue) push(k kept, limit int, now time.Time) {
	*q = append(*q, k)
	for len(*q) > 0 && (len(*q) > limit || (*q)[0].over(now)) {
		(*q)[0] = kept{}
		*q = (*q)[1:]
	}
}

// live returns the bodies of the events that are not over, revocations first, and forgets the others.
func (m *memory) live(now time.Time) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	bodies := make([]string, 0, len(m.revocations)+len(m.aliases))
	for _, q := range []*queue{&m.revocations, &m.aliases} {
		var rest queue
		for _, k := range *q {
			if !k.over(now) {
				rest = append(rest, k)
				bodies = append(bodies, k.body)
			}
		}
		*q = rest
	}
	return bodies
}

func (m *memory) len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.revocations) + len(m.aliases)
}
