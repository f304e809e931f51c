package redis

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/sallyport-auth/sallyport/session"
)

const (
	pageLimit = 1000
	// feedWait is how long Since waits for news. Half of what a feed may, so that a dead connection is noticed sooner.
	feedWait = 5 * time.Second
)

// position is the id of an entry of the stream.
type position struct{ milli, number uint64 }

func (p position) String() string { return fmt.Sprintf("%d-%d", p.milli, p.number) }

func (p position) after(q position) bool {
	return p.milli > q.milli || p.milli == q.milli && p.number > q.number
}

// parsePosition takes an id in its one spelling. One beyond what a clock gives is none.
func parsePosition(s string) (position, bool) {
	milli, num, _ := strings.Cut(s, "-")
	m, err1 := strconv.ParseUint(milli, 10, 53)
	n, err2 := strconv.ParseUint(num, 10, 53)
	p := position{m, n}
	return p, err1 == nil && err2 == nil && p.String() == s
}

// cursor is a position in the log of an epoch. Its text is EPOCH:POSITION.
type cursor struct {
	epoch string
	position
}

func (c cursor) String() string { return c.epoch + ":" + c.position.String() }

// parseCursor returns the zero cursor, which no epoch knows, for what is none.
func parseCursor(s string) cursor {
	epoch, rest, _ := strings.Cut(s, ":")
	p, ok := parsePosition(rest)
	if !ok {
		return cursor{}
	}
	return cursor{epoch, p}
}

// Since returns what was stored after a cursor, see [session.Feed]. It waits at most 5 s on a connection of its own, on
// which the server sends an event as soon as it has it.
func (s *Store) Since(ctx context.Context, after string) (session.Batch, error) {
	if err := ctx.Err(); err != nil {
		return session.Batch{}, unavailable(err)
	}
	p, err := s.since(ctx, parseCursor(after))
	if err != nil {
		return session.Batch{}, err
	}
	return session.Batch{Events: p.events, Cursor: p.end.String(), Reset: p.reset, More: p.more && len(p.events) > 0}, nil
}

// since waits first where the epoch was compared just now, so that a follower who comes back for the next event listens
// at once. That there is no news is said only by a server whose epoch was compared after.
func (s *Store) since(ctx context.Context, from cursor) (page, error) {
	waited := false
	if s.head.covers(from, time.Now()) {
		waited = true
		if p, err := s.await(ctx, from); err != nil || len(p.events) > 0 {
			return p, err
		}
	}
	p, err := s.read(ctx, from)
	if err != nil || waited || p.reset || len(p.events) > 0 {
		return p, err
	}
	if p, err = s.await(ctx, p.end); err != nil || len(p.events) > 0 {
		return p, err
	}
	return s.read(ctx, p.end)
}

// head is how far the log is known to go, and when its epoch was last compared.
type head struct {
	mu       sync.Mutex
	end      cursor
	compared time.Time
}

// covers says whether the cursor is one of the present log as of a moment ago.
func (h *head) covers(c cursor, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return c.epoch != "" && c.epoch == h.end.epoch && !c.after(h.end.position) && now.Sub(h.compared) < feedWait
}

// compare takes the end of the log as a script gave it; the zero cursor is that nothing is known.
func (h *head) compare(end cursor, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.end, h.compared = end, now
}

// extend takes a later end that was read without comparing the epoch.
func (h *head) extend(end cursor) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if end.epoch == h.end.epoch && end.after(h.end.position) {
		h.end = end
	}
}

// read returns the next page that is there. It passes over pages of nothing but what has expired.
func (s *Store) read(ctx context.Context, from cursor) (page, error) {
	reset := false
	for {
		p, err := s.readPage(ctx, from)
		if err != nil {
			return page{}, err
		}
		reset = reset || p.reset
		if p.reset = reset; len(p.events) > 0 || !p.more {
			return p, nil
		}
		from = p.end
	}
}

type page struct {
	events []session.Event
	end    cursor
	reset  bool
	more   bool
}

func (s *Store) readPage(ctx context.Context, from cursor) (page, error) {
	answer, err := s.call(ctx, feedScript, s.keys.all(),
		from.epoch, from.position.String(), strconv.Itoa(pageLimit+1), rand.Text()[:13], strconv.Itoa(s.config.Replicas))
	if err != nil {
		return page{}, err
	}
	epoch := text(answer, 0)
	last, ok := parsePosition(text(answer, 1))
	if !ok || len(answer) < 4 {
		return page{}, unavailable(errAnswer)
	}
	s.head.compare(cursor{epoch, last}, time.Now())
	s.observe(epoch)
	if epoch == from.epoch && from.after(last) {
		return s.readPage(ctx, cursor{}) // a cursor from the future is unknown
	}
	list, err := answer[3].AsXRange()
	if err != nil {
		return page{}, unavailable(errAnswer)
	}
	p := page{reset: epoch != from.epoch, end: cursor{epoch, last}}
	return p.fill(list, time.UnixMicro(int64(number(answer, 2))))
}

// await waits for entries after a cursor.
func (s *Store) await(ctx context.Context, from cursor) (page, error) {
	ctx, cancel := context.WithTimeout(ctx, feedWait+s.config.Timeout)
	defer cancel()
	defer context.AfterFunc(s.healer.life, cancel)()
	read := s.client.B().Xread().Count(pageLimit + 1).Block(feedWait.Milliseconds()).
		Streams().Key(s.keys.events).Id(from.position.String()).Build()
	streams, err := s.client.Do(ctx, read).AsXRead()
	if rueidis.IsRedisNil(err) {
		return page{events: []session.Event{}, end: from}, nil
	}
	if err != nil {
		s.head.compare(cursor{}, time.Time{})
		return page{}, unavailable(err)
	}
	p, err := page{end: from}.fill(streams[s.keys.events], time.Time{})
	if err == nil {
		s.head.extend(p.end)
	}
	return p, err
}

// fill takes the entries into the page, but for those that have expired. The page ends at its last entry if there are
// more, else where it ended before or at its last entry, whatever is later: the last entries may have been removed.
func (p page) fill(list []rueidis.XRangeEntry, now time.Time) (page, error) {
	p.more = len(list) > pageLimit
	list = list[:min(len(list), pageLimit)]
	entries, err := parseEntries(list)
	if err != nil {
		return page{}, unavailable(err)
	}
	p.events = make([]session.Event, 0, len(entries))
	for _, e := range entries {
		if p.more || e.position.after(p.end.position) {
			p.end.position = e.position
		}
		if x := e.event.Expires; x.IsZero() || now.Before(x) {
			p.events = append(p.events, e.event)
		}
	}
	return p, nil
}
