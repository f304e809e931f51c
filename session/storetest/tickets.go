package storetest

import (
	"context"
	"crypto/sha256"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/session"
)

var ticketCases = []testCase{
	{"TicketIsTakenOnce", ticketIsTakenOnce},
	{"TicketDigestIsUnique", ticketDigestIsUnique},
	{"TicketExpires", ticketExpires},
	{"TicketRace", ticketRace},
	{"TicketContext", ticketContext},
}

func digest(n int) [32]byte { return sha256.Sum256([]byte(strconv.Itoa(n))) }

func (s suite) put(n int, sealed string, life time.Duration) error {
	text := []byte(sealed)
	err := s.Tickets.Put(s.ctx(), digest(n), text, s.clock.Now().Add(life))
	clear(text) // the store must have a copy
	return err
}

func ticketIsTakenOnce(s suite) {
	s.must(s.put(1, "sealed one", 30*time.Second))
	s.must(s.put(2, "sealed two", 30*time.Second))
	for n, want := range map[int]string{1: "sealed one", 2: "sealed two"} {
		got, err := s.Tickets.Take(s.ctx(), digest(n))
		s.must(err)
		if string(got) != want {
			s.Errorf("took %q, want %q", got, want)
		}
		_, err = s.Tickets.Take(s.ctx(), digest(n))
		s.wantErr("second Take", err, session.ErrNotFound)
	}
	_, err := s.Tickets.Take(s.ctx(), digest(3))
	s.wantErr("Take of a ticket that never was", err, session.ErrNotFound)
}

func ticketDigestIsUnique(s suite) {
	s.must(s.put(1, "first", 30*time.Second))
	s.wantErr("Put of a digest that is there", s.put(1, "second", 30*time.Second), session.ErrConflict)
	got, err := s.Tickets.Take(s.ctx(), digest(1))
	s.must(err)
	if string(got) != "first" {
		s.Errorf("took %q, want the first", got)
	}
}

func ticketExpires(s suite) {
	s.must(s.put(1, "sealed", 30*time.Second))
	s.must(s.put(2, "sealed", 30*time.Second))
	s.clock.advance(30*time.Second - time.Millisecond)
	_, err := s.Tickets.Take(s.ctx(), digest(1))
	s.must(err)
	s.clock.advance(time.Millisecond)
	_, err = s.Tickets.Take(s.ctx(), digest(2))
	s.wantErr("Take at its expiry", err, session.ErrNotFound)
}

func ticketRace(s suite) {
	for round := range 20 {
		s.must(s.put(round, "sealed", 30*time.Second))
		var won, lost atomic.Int32
		race(func(int) {
			switch _, err := s.Tickets.Take(s.ctx(), digest(round)); err {
			case nil:
				won.Add(1)
			default:
				s.wantErr("Take that lost", err, session.ErrNotFound)
				lost.Add(1)
			}
		})
		if won.Load() != 1 || lost.Load() != racers-1 {
			s.Fatalf("%d of %d takers won, want 1", won.Load(), racers)
		}
	}
}

func ticketContext(s suite) {
	ctx, cancel := context.WithCancel(s.ctx())
	cancel()
	s.must(s.put(1, "sealed", 30*time.Second))
	_, err := s.Tickets.Take(ctx, digest(1))
	s.wantErr("Take with an ended context", err, session.ErrStoreUnavailable)
	s.wantErr("Put with an ended context", s.Tickets.Put(ctx, digest(2), nil, s.clock.Now().Add(time.Minute)), session.ErrStoreUnavailable)
}
