package session_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// pushing is a store that answers no Since after the first, and pushes what the test sends.
type pushing struct {
	session.Revocations
	events chan session.Event
	begun  int
}

func (p *pushing) Since(ctx context.Context, cursor string) (session.Batch, error) {
	if cursor != "" {
		<-ctx.Done()
		return session.Batch{}, errors.Join(session.ErrStoreUnavailable, ctx.Err())
	}
	return p.Revocations.Since(ctx, cursor)
}

func (p *pushing) Follow(ctx context.Context, told func(session.Event)) error {
	p.begun++
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-p.events:
			if e.ID == "" {
				return session.ErrStoreUnavailable // contact is lost
			}
			told(e)
		}
	}
}

func TestPushedEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &pushing{Revocations: session.NewMemoryStore(), events: make(chan session.Event)}
		l, err := session.NewLedger(session.LedgerConfig{Store: store, Policy: session.Grace})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- l.Run(ctx) }()
		time.Sleep(time.Second)
		contact := l.State().Contact
		check := func(what, id string, want jws.Reason) {
			t.Helper()
			synctest.Wait()
			wants(t, what, l.CheckSession(&session.Session{Player: ann, ID: id, IssuedAt: time.Now()}), want)
		}
		var heard []string
		defer l.Subscribe(func(e session.Event) { heard = append(heard, e.Session) })()
		event := func(id, s string) session.Event {
			return session.Event{
				ID: "01900000-0000-7000-8000-00000000000" + id, Kind: session.SessionRevoked, Session: s,
				At: time.Now(), Expires: time.Now().Add(time.Hour),
			}
		}

		store.events <- event("1", "one")
		check("an event that was pushed", "one", jws.Revoked)
		store.events <- event("1", "one")
		store.events <- session.Event{ID: "no event"}
		unstamped := event("2", "two")
		unstamped.At = time.Time{}
		store.events <- unstamped
		check("an event without the store's time", "two", "")
		if got := l.State().Contact; !got.Equal(contact) {
			t.Errorf("contact at %v, want %v: what is pushed proves nothing", got, contact)
		}

		store.events <- session.Event{}
		time.Sleep(time.Second)
		store.events <- event("3", "three")
		check("an event after contact was lost", "three", jws.Revoked)
		if store.begun != 2 || len(heard) != 2 {
			t.Errorf("listened %d times and heard of %q, want twice and of two", store.begun, heard)
		}
		time.Sleep(31 * time.Second)
		store.events <- event("4", "four")
		check("a store that only pushes", "five", jws.Unavailable)
		cancel()
		<-ended
	})
}
