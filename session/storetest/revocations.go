package storetest

import (
	"context"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

var revocationCases = []testCase{
	{"AppendStampsByTheStoresClock", appendStamps},
	{"AppendIsIdempotent", appendIsIdempotent},
	{"AppendRace", appendRace},
	{"AppendRefusesWhatIsNoEvent", appendRefuses},
	{"ReassertionKeepsItsTime", reassertionKeepsItsTime},
	{"FeedOfNothing", feedOfNothing},
	{"FeedGoesOnAtItsCursor", feedGoesOn},
	{"FeedStartsAgainAtAnUnknownCursor", feedStartsAgain},
	{"FeedHasPages", feedHasPages},
	{"FeedWakesUp", feedWakesUp},
	{"FeedLeavesOutWhatExpired", feedLeavesOutExpired},
	{"FeedKeepsTheLastOfEachTopic", feedKeepsTheLast},
	{"FeedUnderWriters", feedUnderWriters},
	{"FeedContext", feedContext},
}

// event returns the nth test event, a revoked session, that expires after an hour.
func (s suite) event(n int) session.Event {
	return session.Event{
		ID: id(n), Kind: session.SessionRevoked, Player: player, Session: id(1_000_000 + n), Upstream: "sid:" + id(n),
		Reason: "test", Expires: s.clock.Now().Add(time.Hour),
	}
}

func (s suite) append(e session.Event) session.Event {
	s.Helper()
	stored, err := s.Revocations.Append(s.ctx(), e)
	s.must(err)
	return stored
}

func (s suite) since(cursor string) session.Batch {
	s.Helper()
	b, err := s.Revocations.Since(s.ctx(), cursor)
	s.must(err)
	s.must(b.Validate())
	return b
}

// all reads from a cursor to the end of what is there now.
func (s suite) all(cursor string) (events []session.Event, end string) {
	s.Helper()
	for {
		b := s.since(cursor)
		events, cursor = append(events, b.Events...), b.Cursor
		if !b.More {
			return events, cursor
		}
	}
}

func (s suite) wantEvents(got []session.Event, want ...session.Event) {
	s.Helper()
	if !slices.Equal(got, want) {
		s.Errorf("got %d events\n%+v, want %d\n%+v", len(got), got, len(want), want)
	}
}

func appendStamps(s suite) {
	first := s.append(s.event(1))
	if !first.At.Equal(s.clock.Now()) || first.At.Location() != time.UTC {
		s.Errorf("stored at %v, want %v in UTC", first.At, s.clock.Now())
	}
	second := s.append(s.event(2)) // within the same instant of the clock
	if !second.At.After(first.At) || second.At.Sub(first.At) > time.Millisecond {
		s.Errorf("second event at %v, want just after %v", second.At, first.At)
	}
	want := s.event(1)
	want.At = first.At
	if first != want {
		s.Errorf("stored\n%+v, want\n%+v", first, want)
	}
	events, _ := s.all("")
	s.wantEvents(events, first, second)
}

func appendIsIdempotent(s suite) {
	first := s.append(s.event(1))
	s.clock.advance(time.Minute)
	again := s.event(1)
	again.Expires = first.Expires
	if got := s.append(again); got != first {
		s.Errorf("appended again:\n%+v, want the stored\n%+v", got, first)
	}
	events, _ := s.all("")
	s.wantEvents(events, first)
}

func appendRace(s suite) {
	stored := make([]session.Event, racers)
	e := s.event(1)
	race(func(i int) {
		var err error
		if stored[i], err = s.Revocations.Append(s.ctx(), e); err != nil {
			s.Error(err)
		}
	})
	events, _ := s.all("")
	s.wantEvents(events, stored[0])
	if i := slices.IndexFunc(stored, func(e session.Event) bool { return e != stored[0] }); i >= 0 {
		s.Errorf("two callers got different events:\n%+v\n%+v", stored[0], stored[i])
	}
}

func appendRefuses(s suite) {
	e := s.event(1)
	e.Session = ""
	if _, err := s.Revocations.Append(s.ctx(), e); err == nil {
		s.Error("an event without its session was stored")
	}
	events, _ := s.all("")
	s.wantEvents(events)
}

func reassertionKeepsItsTime(s suite) {
	late := s.append(s.event(1))
	early := s.event(2)
	early.At = s.clock.Now().Add(-time.Minute)
	if got := s.append(early); !got.At.Equal(early.At) {
		s.Errorf("re-asserted at %v, want its own time %v", got.At, early.At)
	}
	future := s.event(3)
	future.At = s.clock.Now().Add(time.Minute)
	got := s.append(future)
	if !got.At.Before(future.At) || !got.At.After(late.At) {
		s.Errorf("stored at %v, want the store's own time just after %v", got.At, late.At)
	}
	events, _ := s.all("")
	s.wantEvents(events, late, early, got)
}

func feedOfNothing(s suite) {
	b := s.since("")
	if !b.Reset || b.More || len(b.Events) != 0 {
		s.Errorf("an empty store's first batch is %+v, want an empty reset at once", b)
	}
	e := s.append(s.event(1))
	next := s.since(b.Cursor)
	s.wantEvents(next.Events, e)
	if next.Reset {
		s.Error("a known cursor was reset")
	}
}

func feedGoesOn(s suite) {
	var want []session.Event
	_, cursor := s.all("")
	for n := range 10 {
		e := s.append(s.event(n))
		var got []session.Event
		got, cursor = s.all(cursor)
		s.wantEvents(got, e)
		want = append(want, e)
	}
	events, _ := s.all("")
	s.wantEvents(events, want...)
}

func feedStartsAgain(s suite) {
	e := s.append(s.event(1))
	for _, cursor := range []string{"unknown", "x.18446744073709551615", "-1", "\xff", s.since("").Cursor + "0000"} {
		b := s.since(cursor)
		if !b.Reset {
			s.Errorf("cursor %q: not a reset", cursor)
		}
		s.wantEvents(b.Events, e)
	}
}

func feedHasPages(s suite) {
	var want []session.Event
	for n := range 2500 {
		want = append(want, s.append(s.event(n)))
	}
	first := s.since("")
	if !first.Reset || !first.More {
		s.Errorf("first page: reset %v, more %v, want both", first.Reset, first.More)
	}
	rest, _ := s.all(first.Cursor)
	s.wantEvents(append(first.Events, rest...), want...)
}

func feedWakesUp(s suite) {
	_, cursor := s.all("")
	got := make(chan session.Batch)
	go func() {
		b, err := s.Revocations.Since(s.ctx(), cursor)
		if err != nil {
			s.Error(err)
		}
		got <- b
	}()
	e := s.append(s.event(1))
	s.wantEvents((<-got).Events, e)
}

func feedLeavesOutExpired(s suite) {
	short := s.event(1)
	short.Expires = s.clock.Now().Add(time.Minute)
	s.append(short)
	kept := s.append(s.event(2))
	_, cursor := s.all("")
	also := s.event(3)
	also.Expires = s.clock.Now().Add(time.Minute)
	s.append(also)
	s.clock.advance(time.Minute)
	next := s.append(s.event(4))
	events, _ := s.all(cursor)
	s.wantEvents(events, next)
	events, _ = s.all("")
	s.wantEvents(events, kept, next)
	// A cursor from before all that was pruned still holds.
	s.clock.advance(time.Hour)
	for n := range 100 {
		next = s.append(s.event(100 + n))
	}
	events, _ = s.all(cursor)
	if len(events) != 100 || events[99] != next {
		s.Errorf("after pruning the old cursor gave %d events, want the 100 live ones", len(events))
	}
}

// feedKeepsTheLast allows a store to forget what a later event made void, and nothing else.
func feedKeepsTheLast(s suite) {
	expires := s.clock.Now().Add(time.Hour)
	other := identity.Player{Realm: "main", Subject: "other"}
	_, cursor := s.all("")
	kinds := []session.Event{
		{Kind: session.PlayerCutOff, Player: player, Expires: expires},
		{Kind: session.PlayerCutOff, Player: other, Expires: expires},
		{Kind: session.PlayerBanned, Player: player},
		{Kind: session.PlayerUnbanned, Player: player, Expires: expires},
		{Kind: session.PlayerAlias, Player: player, Alias: "a", Expires: expires},
		{Kind: session.PlayerAlias, Player: other, Alias: "b", Expires: expires},
		{Kind: session.UpstreamRevoked, Player: player, Upstream: "sid:1", Expires: expires},
		{Kind: session.SessionRevoked, Session: "s", Expires: expires},
	}
	last := map[int]session.Event{}
	for round := range 40 {
		for k, e := range kinds {
			e.ID = id(round*100 + k)
			last[k] = s.append(e)
		}
		s.clock.advance(time.Second)
	}
	for _, from := range []string{"", cursor} {
		events, _ := s.all(from)
		for k, want := range last {
			if k != 2 && !slices.Contains(events, want) { // the ban was lifted after
				s.Errorf("cursor %q: the last %s event is missing", from, want.Kind)
			}
		}
		if !slices.IsSortedFunc(events, func(a, b session.Event) int { return a.At.Compare(b.At) }) {
			s.Errorf("cursor %q: the events are not in order", from)
		}
	}
}

// feedUnderWriters lets one follower read along while many write: it gets every event exactly once.
func feedUnderWriters(s suite) {
	const each = 20
	seen := make(chan []string)
	go func() {
		var ids []string
		for cursor := ""; len(ids) < racers*each; {
			b, err := s.Revocations.Since(s.ctx(), cursor)
			if err != nil {
				s.Error(err)
				break
			}
			cursor = b.Cursor
			for _, e := range b.Events {
				ids = append(ids, e.ID)
			}
		}
		seen <- ids
	}()
	race(func(i int) {
		for n := range each {
			if _, err := s.Revocations.Append(s.ctx(), s.event(i*each+n)); err != nil {
				s.Error(err)
			}
		}
	})
	ids := <-seen
	slices.Sort(ids)
	if distinct := len(slices.Compact(ids)); distinct != racers*each {
		s.Errorf("the follower saw %d distinct events, want %d", distinct, racers*each)
	}
}

func feedContext(s suite) {
	ctx, cancel := context.WithCancel(s.ctx())
	_, cursor := s.all("")
	ended := make(chan error)
	go func() {
		_, err := s.Revocations.Since(ctx, cursor)
		ended <- err
	}()
	cancel()
	s.wantErr("Since whose context ends", <-ended, session.ErrStoreUnavailable)
	_, err := s.Revocations.Append(ctx, s.event(1))
	s.wantErr("Append with an ended context", err, session.ErrStoreUnavailable)
}
