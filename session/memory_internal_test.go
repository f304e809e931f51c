package session

import (
	"strconv"
	"testing"
	"time"
)

// The memory of what is over is given back, a bounded piece at a time.
func TestMemoryStorePrunes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	m := NewMemoryStoreAt(func() time.Time { return now })
	const many = 1000
	for i := range many {
		digest := [32]byte{byte(i), byte(i >> 8)}
		mustNot(t, m.Put(t.Context(), digest, nil, now.Add(time.Minute)))
		mustNot(t, m.Create(t.Context(), Family{ID: strconv.Itoa(i), Expires: now.Add(time.Minute)}))
		pruneEvent(t, m, i, now.Add(time.Minute))
	}
	now = now.Add(time.Hour)
	for i := range many / (pruneAtOnce - 1) * 2 {
		digest := [32]byte{byte(i), byte(i >> 8), 1}
		mustNot(t, m.Put(t.Context(), digest, nil, now.Add(time.Second)))
		mustNot(t, m.Create(t.Context(), Family{ID: strconv.Itoa(many + i), Expires: now.Add(time.Second)}))
		pruneEvent(t, m, many+i, now.Add(time.Second))
		now = now.Add(time.Minute)
	}
	for what, n := range map[string]int{
		"tickets": len(m.tickets.held.entries), "ticket deadlines": len(m.tickets.held.due),
		"families": len(m.families.held.entries), "events by id": len(m.events.byID.entries),
		"events by topic": len(m.events.latest), "log": len(m.events.log),
	} {
		if n > 2 {
			t.Errorf("%s: %d are left, want the last one", what, n)
		}
	}
}

func pruneEvent(t *testing.T, m *MemoryStore, i int, expires time.Time) {
	t.Helper()
	id := "01900000-0000-7000-8000-" + strconv.Itoa(100_000_000_000+i)
	_, err := m.Append(t.Context(), Event{ID: id, Kind: SessionRevoked, Session: id, Expires: expires})
	mustNot(t, err)
}

// An event that a later one makes void leaves the log.
func TestMemoryStoreCompacts(t *testing.T) {
	t.Parallel()
	m := NewMemoryStore()
	for i := range 10_000 {
		id := "01900000-0000-7000-8000-" + strconv.Itoa(100_000_000_000+i)
		p := Event{}.Player
		p.Realm, p.Subject = "main", strconv.Itoa(i%3)
		_, err := m.Append(t.Context(), Event{ID: id, Kind: PlayerCutOff, Player: p, Expires: time.Now().Add(time.Hour)})
		mustNot(t, err)
	}
	log, ids, due := len(m.events.log), len(m.events.byID.entries), len(m.events.byID.due)
	if log > 6 || ids != 3 || due > 20 {
		t.Errorf("%d records, %d ids and %d deadlines are held, want those of 3 events", log, ids, due)
	}
}

func mustNot(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
