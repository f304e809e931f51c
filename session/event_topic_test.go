package session_test

import (
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/session"
)

func TestEventVoids(t *testing.T) {
	t.Parallel()
	at := func(e session.Event, s int) session.Event {
		e.At = testvectors.Now.Add(time.Duration(s) * time.Second)
		return e
	}
	hour := testvectors.Now.Add(time.Hour)
	ban := session.Event{Kind: session.PlayerBanned, Player: ann}
	unban := session.Event{Kind: session.PlayerUnbanned, Player: ann, Expires: hour}
	cut := session.Event{Kind: session.PlayerCutOff, Player: ann, Expires: hour}
	short := session.Event{Kind: session.PlayerCutOff, Player: ann, Expires: hour.Add(-time.Minute)}
	other := session.Event{Kind: session.PlayerCutOff, Player: bob, Expires: hour}
	for name, c := range map[string]struct {
		later, old   session.Event
		topic, voids bool
	}{
		"an unban and the ban before":           {at(unban, 1), at(ban, 0), true, true},
		"a ban and the unban after":             {at(ban, 0), at(unban, 1), true, false},
		"a cut-off and the one before":          {at(cut, 1), at(cut, 0), true, true},
		"a cut-off and one remembered longer":   {at(short, 1), at(cut, 0), true, false},
		"a cut-off and that of another player":  {at(cut, 1), at(other, 0), false, false},
		"a cut-off and a ban of the one player": {at(cut, 1), at(ban, 0), false, false},
	} {
		if got := c.later.Topic() == c.old.Topic(); got != c.topic {
			t.Errorf("%s: one topic: %v, want %v", name, got, c.topic)
		}
		if got := c.later.Voids(c.old); got != c.voids {
			t.Errorf("%s: voids: %v, want %v", name, got, c.voids)
		}
	}
}
