package session_test

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// flood is a feed of n revoked sessions and nothing else.
func flood(b *testing.B, n int) *session.Ledger {
	b.Helper()
	store := session.NewMemoryStore()
	for i := range n {
		if _, err := store.Append(b.Context(), session.Event{
			ID: eventID(i), Kind: session.SessionRevoked, Player: identity.Player{Realm: "main", Subject: strconv.Itoa(i)},
			Session: eventID(i), Upstream: "sid:" + eventID(i), Expires: time.Now().Add(720 * time.Hour),
		}); err != nil {
			b.Fatal(err)
		}
	}
	l := must1(session.NewLedger(session.LedgerConfig{Store: store, Policy: session.Grace, Grace: 10 * time.Minute}))
	before := heap()
	began := time.Now()
	if err := l.Load(b.Context()); err != nil {
		b.Fatal(err)
	}
	load := time.Since(began)
	if n > 0 {
		b.Logf("%d revocations: %d bytes each in the ledger, loaded in %v", n, (heap()-before)/uint64(n), load.Round(time.Millisecond))
	}
	return l
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkCheckSession asks for sessions that are not revoked, each another one.
func BenchmarkCheckSession(b *testing.B) {
	for _, n := range []int{0, 1_000_000} {
		b.Run(fmt.Sprintf("revoked=%d", n), func(b *testing.B) {
			l := flood(b, n)
			ids := make([]string, 1<<16)
			for i := range ids {
				ids[i] = eventID(2_000_000 + i)
			}
			s := session.Session{Player: ann, Upstream: "sid:origin", IssuedAt: time.Now(), Started: time.Now()}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.ID = ids[i%len(ids)]
				if err := l.CheckSession(&s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCheckIdentity asks for identities of upstream sessions that nobody signed out of.
func BenchmarkCheckIdentity(b *testing.B) {
	l := flood(b, 1_000_000)
	id := &identity.Identity{Player: ann, Session: "origin", IssuedAt: time.Now()}
	b.ReportAllocs()
	for b.Loop() {
		if err := l.CheckIdentity(id); err != nil {
			b.Fatal(err)
		}
	}
}
